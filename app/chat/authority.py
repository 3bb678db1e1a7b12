# SPDX-License-Identifier: EUPL-1.2
"""▲ The present state of a message: its last edit, who deleted it, who reacted.

It follows from the room's records and from each person's role at the position of a record, so every device computes the
same. Only the author whom the message's record names may edit it. That author may also delete it, and so may an
administrator and the person who carried the message over from an old room into this one. Everybody who may write may
react. The store keeps a record whose author lacks the right, and the record has no effect.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from app.chat.records import CarriedPart, ReactionSet, decode
from app.chat.tables import EDIT, REACTION
from app.core.enums import Role
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store.connection import Connection
from app.store.statements import MAX_INT

_ROW = """SELECT m.row, m.room, m.obj, m.series, m.change_id, m.author, m.named, m.carried_by, m.t, c.change_id, c.t,
    c.n, c.data FROM chat_messages m JOIN changes c ON c.row = m.row WHERE +m.obj = ? AND m.change_id = ?"""
"""+: by the index of ids, which finds one row, and not by that of the object, which finds all of its rows."""
_REACTIONS = """SELECT n.author, n.sort, n.t, n.emoji, n.data, n.target, c.change_id FROM chat_notes n
    JOIN changes c ON c.row = n.row WHERE n.obj = ? AND n.target IN (?, ?) AND n.kind = 'reaction' AND n.sort <= ?
    ORDER BY n.sort"""
_LAST = """SELECT n.sort, n.t, n.data, c.change_id FROM chat_notes n JOIN changes c ON c.row = n.row
    WHERE n.obj = ? AND n.target = ? AND n.kind = ? AND n.emoji = ? AND n.author = ? AND n.sort <= ?
    ORDER BY n.sort DESC LIMIT 1"""
_DELETERS = "SELECT DISTINCT author FROM chat_notes WHERE obj = ? AND target = ? AND kind = 'deletion' AND emoji = ''"
_FIRST_DELETION = """SELECT min(sort) FROM chat_notes WHERE obj = ? AND target = ? AND kind = 'deletion'
    AND emoji = '' AND author = ? AND sort BETWEEN ? AND ?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """One message as it is stored. `obj`: the object that it lies in; `series`: the conversation. `author`: the person
    whom its record names; `shown`: whether that person is shown as its author here (otherwise it is shown as a
    quotation). `carried_by`: who carried it over from an old room, None if nobody did. `change_id`: its id in this
    conversation; `own_id`: the id that its author gave it, of a carried message `change_id` again. `t` (ms): the time
    that is shown. `row`, `own_t` (ms), `n` and `data`: row in the store, time, position (None until the server has it)
    and bytes of the change that it is in."""

    row: int
    room: RoomId
    obj: ObjId
    series: ObjId
    change_id: ChangeId
    author: Uid
    shown: bool
    carried_by: Uid | None
    own_id: ChangeId
    t: int
    own_t: int
    n: int | None
    data: bytes = field(repr=False)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What later records have made of a message: its last edit, who deleted it, and its reactions by (emoji, person),
    each with the sort key of its record (the server's position; above all positions while the server does not have it).
    None in place of a reaction that was taken back."""

    edit: CarriedPart | None = None
    deleted_by: Uid | None = None
    reactions: dict[tuple[str, Uid], tuple[CarriedPart, int] | None] = field(default_factory=dict)


def second_id(author: bytes, change_id: bytes) -> ChangeId:
    """A second id for a message by `author` whose own id `change_id` is already that of another person's message in
    this conversation. Computed from the two arguments, so every device gets the same.

    ▲ Without it an attacker could copy the id of a colleague's message, write a message of their own under that id
    first, and so keep the colleague's message out of the conversation.
    """
    return ChangeId(sha256(b"chat-twin" + author + change_id).digest()[:16])


def message_row(conn: Connection, obj: ObjId, change_id: bytes) -> MessageRow | None:
    """The message with the id `change_id` in the object `obj`, one of a conversation's, as this device has it stored;
    None while it is not here. ▲ Not a message of another object of the conversation: what is about a message lies in
    its object."""
    found = conn.execute(_ROW, (obj, change_id)).fetchone()
    if found is None:
        return None
    row, room, obj, series, change_id, author, named, carried_by, t, own_id, own_t, n, data = found
    return MessageRow(
        row=row,
        room=room,
        obj=obj,
        series=series,
        change_id=ChangeId(change_id),
        author=author if named is None else named,
        shown=named is None,
        carried_by=carried_by,
        own_id=ChangeId(own_id if carried_by is None else change_id),
        t=t,
        own_t=own_t,
        n=n,
        data=data,
    )


def outcome(conn: Connection, message: MessageRow, until: int | None = None, *, reactions: bool = True) -> Outcome:
    """What later records make of a message: its edit, its deletion and its reactions. `until`: only records up to this
    sort key count (the server's position; above all positions while the server does not have it), None for all.
    `reactions` False: reactions are not read."""
    bound = MAX_INT if until is None else until
    found = Outcome(edit=_edit(conn, message, bound), deleted_by=_deleted_by(conn, message, bound))
    if not reactions:
        return found
    key = (message.obj, message.change_id, message.own_id, bound)
    for by, sort, t, emoji, data, target, change_id in conn.execute(_REACTIONS, key).fetchall():
        if target == message.change_id or by == message.author:
            part = CarriedPart(author=by, change_id=change_id, t=t, data=data)
            found.reactions[emoji, Uid(by)] = (part, sort) if _is_on(data) else None
    return found


def reaction(conn: Connection, message: MessageRow, emoji: str, uid: Uid) -> tuple[bool, int] | None:
    """The last record of the person `uid` about a reaction with `emoji` to a message: (whether the record sets the
    reaction, or takes it back; the record's sort key, which is the server's position, or above all positions while the
    server does not have it). None if there is no such record."""
    last = _last(conn, message, REACTION, emoji, uid, MAX_INT)
    return (_is_on(last[1].data), last[0]) if last is not None else None


def _is_on(data: bytes) -> bool:
    record = decode(data)
    return isinstance(record, ReactionSet) and record.on


def _targets(message: MessageRow, by: bytes) -> set[ChangeId]:
    """The message ids by which records of the person `by` can refer to this message. The author's own records may also
    name the id that the author gave it, even if another person's message is stored here under that id (see
    `second_id`)."""
    return {message.change_id, message.own_id} if by == message.author else {message.change_id}


def _last(
    conn: Connection, message: MessageRow, kind: str, emoji: str, by: Uid, until: int
) -> tuple[int, CarriedPart] | None:
    """The last record of `kind` that the person `by` wrote about `message`, up to the sort key `until` (the server's
    position; above all positions while the server does not have it): (its sort key, the record). `emoji`: that of a
    reaction, "" for other kinds. None if there is none."""
    found = list[tuple[int, CarriedPart]]()
    for target in _targets(message, by):
        row = conn.execute(_LAST, (message.obj, target, kind, emoji, by, until)).fetchone()
        if row is not None:
            sort, t, data, change_id = row
            found.append((sort, CarriedPart(author=by, change_id=change_id, t=t, data=data)))
    return max(found, key=lambda one: one[0]) if found else None


def _edit(conn: Connection, message: MessageRow, until: int) -> CarriedPart | None:
    last = _last(conn, message, EDIT, "", message.author, until)
    return last[1] if last is not None else None


def _deleted_by(conn: Connection, message: MessageRow, until: int) -> Uid | None:
    """The person who is shown as having deleted the message: the first who did of those who had the right to (the
    author, the person who carried it over from an old room, administrators and owners). Only records up to the sort key
    `until` (the server's position) count. None if nobody did."""
    deleters = set[bytes]()
    for target in {message.change_id, message.own_id}:
        deleters |= {by for (by,) in conn.execute(_DELETERS, (message.obj, target))}
    firsts = [(first, by) for by in deleters if (first := _first_deletion(conn, message, by, until)) is not None]
    return Uid(min(firsts)[1]) if firsts else None


def _first_deletion(conn: Connection, message: MessageRow, by: bytes, until: int) -> int | None:
    """The sort key (the server's position) of the first deletion of the message by the person `by` up to `until`. The
    author and the person who carried it over may always delete it; others only at positions where they were
    administrator or owner. None if there is none."""
    if by in (message.author, message.carried_by):
        spans = [(0, until)]
    else:
        spans = [(first, min(last, until)) for first, last in _as_admin(conn, message.room, by)]
    for first, last in spans:
        keys = [(message.obj, target, by, first, last) for target in _targets(message, by)]
        found = [conn.value(_FIRST_DELETION, key) for key in keys]
        if any(sort is not None for sort in found):
            return min(int(sort) for sort in found if sort is not None)
    return None


def _as_admin(conn: Connection, room: RoomId, uid: bytes) -> list[tuple[int, int]]:
    """The ranges (first, last) of positions in which the person `uid` was administrator or owner of the room, in order;
    both ends belong to a range, and MAX_INT is the end while they still are. [] if they never were. A deletion that
    needs these roles counts only there."""
    execute = conn.execute
    roles = execute(
        """SELECT n, role FROM events INDEXED BY events_by_subject
            WHERE room = ? AND subject = ? AND kind <> 'leave-out' AND role IS NOT NULL ORDER BY n""",
        (room, uid),
    ).fetchall()
    starts = [(0, Role.ADMIN if _began_as_admin(conn, room, uid) else 0), *roles]
    ends = [n - 1 for n, _ in roles] + [MAX_INT]
    return [(n, end) for (n, role), end in zip(starts, ends, strict=True) if role >= Role.ADMIN]


def _began_as_admin(conn: Connection, room: RoomId, uid: bytes) -> bool:
    """Whether the person `uid` was administrator or owner before the first log entry about their role that is stored
    here. True for the room's founder, whatever their role is now; otherwise their present role in the member list
    decides."""
    execute = conn.execute
    founded = "SELECT 1 FROM events WHERE room = ? AND kind = 'genesis' AND by = ?"
    if execute(founded, (room, uid)).fetchone() is not None:
        return True
    role = execute("SELECT role FROM members WHERE room = ? AND uid = ?", (room, uid)).fetchone()
    return role is not None and int(role[0]) >= Role.ADMIN
