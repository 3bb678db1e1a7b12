# SPDX-License-Identifier: EUPL-1.2
"""▲ The present state of a message: its last edit, who deleted it, who reacted.

It follows from the room's records and from each person's role at the position of a record, so every device computes the
same. Only the author whom the message's record names may edit it. That author may also delete it, and so may an
administrator and the person who carried the message over from an old room into this one. Everybody who may write may
react. The store keeps a record whose author lacks the right, and the record has no effect.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection

from app.chat.records import CarriedPart, MessageDeleted, MessageEdited, ReactionSet, decode
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store.database import driver_of
from app.store.statements import MAX_INT

ADMIN = 3

_ROW = """SELECT m.row, m.room, m.obj, m.change_id, m.author, m.named, m.carried_by, m.t, c.change_id, c.t, c.n,
    c.data FROM chat_messages m JOIN changes c ON c.row = m.row WHERE m.obj = ? AND m.change_id = ?"""
_NOTES = """SELECT n.author, n.sort, n.t, n.data, n.target, c.change_id FROM chat_notes n
    JOIN changes c ON c.row = n.row WHERE n.obj = ? AND n.target IN (?, ?) AND n.sort <= ? ORDER BY n.sort"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRow:
    """A message as it is stored. `author` is whom its record names, `shown` whether that person is shown as its author
    here, and `t` the time that is shown. `own_t` (ms), `n` and `data` are of the change that brought it, `own_id` is
    the id that its author gave it."""

    row: int
    room: RoomId
    obj: ObjId
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
    """What the records say of a message. `reactions`: by emoji and person, with the sort key of the record; None where
    it was taken back."""

    edit: CarriedPart | None = None
    deleted_by: Uid | None = None
    reactions: dict[tuple[str, Uid], tuple[CarriedPart, int] | None] = field(default_factory=dict)


def twin(author: bytes, change_id: bytes) -> ChangeId:
    """A second id for a message whose own id another person's message already has in this conversation.

    ▲ Without it an attacker could copy the id of a colleague's message, write a message of their own under that id
    first, and so keep the colleague's message out of the conversation.
    """
    return ChangeId(sha256(b"chat-twin" + author + change_id).digest()[:16])


def message_row(conn: Connection, obj: ObjId, change_id: bytes) -> MessageRow | None:
    """The message of an id, or None while it is not here."""
    found = driver_of(conn).execute(_ROW, (obj, change_id)).fetchone()
    if found is None:
        return None
    row, room, obj, change_id, author, named, carried_by, t, own_id, own_t, n, data = found
    return MessageRow(
        row=row,
        room=room,
        obj=obj,
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


def outcome(conn: Connection, message: MessageRow, until: int | None = None) -> Outcome:
    """What later records made of a message; `until`: only those up to a position of the room."""
    found = Outcome()
    bound = MAX_INT if until is None else until
    rows = driver_of(conn).execute(_NOTES, (message.obj, message.change_id, message.own_id, bound)).fetchall()
    for by, sort, t, data, target, change_id in rows:
        if target != message.change_id and by != message.author:
            continue  # about another person's message of that id
        part = CarriedPart(author=by, change_id=change_id, t=t, data=data)
        match decode(data):
            case MessageEdited() if by == message.author:
                found.edit = part
            case MessageDeleted() if found.deleted_by is None and _may_delete(conn, message, by, sort):
                found.deleted_by = Uid(by)
            case ReactionSet(emoji=emoji, on=on):
                found.reactions[emoji, Uid(by)] = (part, sort) if on else None
            case _:
                pass
    return found


def _may_delete(conn: Connection, message: MessageRow, by: bytes, sort: int) -> bool:
    return by in (message.author, message.carried_by) or is_admin(conn, message.room, by, sort)


def is_admin(conn: Connection, room: RoomId, uid: bytes, sort: int) -> bool:
    """Whether a person was administrator or owner at a position of the room's stream."""
    execute = driver_of(conn).execute
    role = execute(
        "SELECT role FROM events WHERE room = ? AND subject = ? AND role IS NOT NULL AND n <= ?"
        " ORDER BY n DESC LIMIT 1",
        (room, uid, sort),
    ).fetchone()
    founded = "SELECT 1 FROM events WHERE room = ? AND kind = 'genesis' AND by = ?"
    if role is None and execute(founded, (room, uid)).fetchone() is not None:  # whatever they are now
        return True
    if role is None:
        role = execute("SELECT role FROM members WHERE room = ? AND uid = ?", (room, uid)).fetchone()
    return role is not None and int(role[0]) >= ADMIN
