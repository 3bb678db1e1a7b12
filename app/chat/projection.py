# SPDX-License-Identifier: EUPL-1.2
"""Turns a conversation's records into rows, inside the store's transaction. Projecting a record twice gives the same
rows.

settling.py works out the effect of later records on a message, authority.py judges who may change it, and originals.py
decides who is shown as the author of a carried message.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from app.chat.authority import second_id
from app.chat.file_parts import add_parts, remove_parts
from app.chat.noticing import answered, notices_of
from app.chat.records import (
    Carried,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    Note,
    Plain,
    ReactionSet,
    Record,
    decode,
    message_in,
    text_in,
)
from app.chat.replies import answered_in
from app.chat.settling import (
    ADD_MENTION,
    KIND_ID,
    follow,
    own_uid,
    refresh_channel,
    refresh_room,
    search_entry,
    settle,
    settle_reaction,
)
from app.chat.tables import DELETION, EDIT, PENDING, REACTION
from app.core.ids import ChangeId, ObjId, Uid
from app.errors import BadChange
from app.store import search, series
from app.store.connection import Connection
from app.store.notice_rows import Notice
from app.store.origins import founded
from app.store.rows import ObjectRow, StoredChange
from app.store.statements import CHUNK, MAX_INT

__all__ = ["KIND_ID", "positioned", "project", "record_of", "refresh_room", "touched_by"]

_encoder = msgspec.msgpack.Encoder()

_ADD_MESSAGE = """INSERT OR IGNORE INTO chat_messages
    (row, change_id, room, obj, series, author, sort, t, text, mentions, attachments, reply_to, reply_obj, edited_t,
     deleted_by, carried_by, named, named_t) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ADD_NOTE = (
    "INSERT OR IGNORE INTO chat_notes (row, obj, target, author, sort, t, kind, emoji, data)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

_ID = "SELECT change_id FROM chat_messages WHERE row = ?"


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> Sequence[Notice]:
    """Writes, within the caller's transaction, the rows for lists and search that new changes of one object of a
    conversation make, and computes again the copies of its messages that were carried over into rooms which continue
    this one. Returns the notices that they make; none in a second conversation of the room, which nobody can read.
    BadChange for a change that is no valid chat record, or that carries a message over though its author may
    not. ▲ An object that is part of no series gets no rows: nothing of it is shown, found or counted."""
    records = [(change, _read(conn, change)) for change in changes]
    part_of = series.series_of(conn, obj.obj)
    if part_of is None:
        refresh_channel(conn, obj.room)  # it may have been part of one until now
        return ()
    sent = [_arrived(change, record) for change, record in records if isinstance(record, MessageSent | Carried)]
    notes = [(change, record) for change, record in records if not isinstance(record, MessageSent | Carried)]
    added, confirmed = _add_messages(conn, part_of, sent)
    if notes:
        conn.executemany(_ADD_NOTE, [_note_row(change, record) for change, record in notes])
    confirmed |= {one.change_id for one in added if one.carried is not None}
    whole = confirmed | _already_noted(conn, obj.obj, added)
    for change_id in whole:
        settle(conn, obj.obj, change_id)
    _settle_notes(conn, obj.obj, notes, whole)
    one_more = _one_more(changes, added, whole)
    count = not changes or bool(notes) or not all(change.own for change in changes)
    is_shown = refresh_room(conn, obj.room, part_of, count=count, one_more=one_more)
    follow(conn, obj.room, _with_targets({one.change_id: 0 for one in added}, notes))
    if not is_shown:
        return ()
    return notices_of(conn, part_of, own_uid(conn), added, notes)


def _with_targets(touched: Mapping[bytes, int], notes: Sequence[tuple[StoredChange, Note]]) -> dict[bytes, int]:
    """`touched`, which has a sort key for each message id, together with the messages that `notes` are about, each with
    the lowest sort key of its notes."""
    found = dict(touched)
    for change, record in notes:
        for target in (record.target, second_id(change.author, record.target)):
            found[target] = min(sort_of(change), found.get(target, MAX_INT))
    return found


def _one_more(
    changes: Sequence[StoredChange], added: Sequence["_Arrived"], settled: Container[bytes]
) -> tuple[int, int] | None:
    """Whether the number of unread messages can be raised by one without counting all: position and row (in the table
    `changes`) of the new message, or None if all have to be counted.

    It can if `changes`, which the read model is given now, are one change of another person, which it has not been
    given before. The change adds one message (`added`), which mentions nobody and is not copied from the room that this
    one continues. No edit, deletion or reaction came before the message (its id is not in `settled`)."""
    if len(changes) != 1 or len(added) != 1:
        return None
    [change], [one] = changes, added
    is_plain = one.carried is None and not one.sent.mentions and one.change_id not in settled
    if change.own or change.replayed or change.n is None or not is_plain:
        return None
    return change.n, change.rowid


def _settle_notes(
    conn: Connection, obj: ObjId, notes: Sequence[tuple[StoredChange, Note]], done: Container[bytes] = ()
) -> None:
    """Computes the present state of the messages that these notes (edits, deletions, reactions) are about, and writes
    it, within the caller's transaction. Skips the ids in `done`, whose messages the caller has just computed from all
    their records."""
    texts, reactions = set[bytes](), set[tuple[bytes, str, Uid]]()
    for change, record in notes:
        for target in {record.target, second_id(change.author, record.target)}:
            if target in done:
                continue
            if isinstance(record, ReactionSet):
                reactions.add((target, record.emoji, change.author))
            else:
                texts.add(target)
    for target in texts:
        settle(conn, obj, target, reactions=False)
    for target, emoji, uid in reactions:
        settle_reaction(conn, obj, target, emoji, uid)


def positioned(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Writes, within the caller's transaction, the position and time that the server has given to own changes of `obj`,
    one object of a conversation. Computes again the messages that these changes edit, delete, react to or carry over,
    and the copies in rooms that continue this one: their order is known only now."""
    part_of = series.series_of(conn, obj.obj)
    if part_of is None:
        return
    rows = [(c.n, c.t, c.rowid) for c in changes if c.n is not None]
    conn.executemany("UPDATE chat_messages SET sort = ?, t = ? WHERE row = ?", rows)
    conn.executemany("UPDATE chat_notes SET sort = ?, t = ? WHERE row = ?", rows)
    conn.executemany("UPDATE chat_mentions SET t = ? WHERE row = ?", [(t, row) for _, t, row in rows])
    ids = [(t, conn.value(_ID, (row,))) for _, t, row in rows]
    search.set_times(conn, [(t, obj.obj, ident) for t, ident in ids if ident is not None])
    notes, touched = list[tuple[StoredChange, Note]](), dict[bytes, int]()
    carried, sent = False, list[StoredChange]()
    for change in changes:
        match _decoded(change):
            case Carried(author=author, change_id=change_id):
                carried = True
                for target in (change_id, second_id(author, change_id)):
                    settle(conn, obj.obj, target)
                    touched[target] = 0
            case MessageSent():
                sent.append(change)
                touched |= dict.fromkeys((change.change_id, second_id(change.author, change.change_id)), 0)
            case None:
                pass
            case note:
                notes.append((change, note))
    _settle_notes(conn, obj.obj, notes)
    refresh_room(conn, obj.room, part_of, count=bool(notes) or carried)
    follow(conn, obj.room, _with_targets(touched, notes))
    answered(conn, part_of, own_uid(conn), sent, notes)


def _decoded(change: StoredChange) -> Record | None:
    """The record in a change; None if the change's data is no valid record of a conversation."""
    try:
        return decode(change.data)
    except BadChange:
        return None


def record_of(change: StoredChange) -> Plain:
    """The chat record in a change; if it carries a message over from another room, that message, without its edit.
    BadChange if the change is no valid record. Whether its author may carry messages over is not checked."""
    record = decode(change.data)
    return message_in(record) if isinstance(record, Carried) else record


def touched_by(changes: Sequence[StoredChange]) -> set[ChangeId]:
    """The ids of earlier messages that these changes are about: edited, deleted, reacted to, answered. Changes without
    a valid record are left out."""
    touched: set[ChangeId] = set()
    for change in changes:
        try:
            record = record_of(change)
        except BadChange:
            continue
        target = record.reply_to if isinstance(record, MessageSent) else record.target
        if target is not None:
            touched |= {ChangeId(target), second_id(change.author, target)}
    return touched


def _read(conn: Connection, change: StoredChange) -> Plain | Carried:
    """The record in a change. BadChange if it is no valid record, or if it carries a message over and its author may
    not. ▲ Only the founder of a room that continues another may carry messages over."""
    record = decode(change.data)
    if isinstance(record, Carried) and not founded(conn, change.room, change.author):
        raise BadChange("forbidden")
    return record


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """A message that may be added to a conversation. `change`: the change that it is in. `sent`: its content, with the
    edit that was carried over with it. `author` and `change_id` are those that its record names. `carried`: the record,
    if it was carried over from another room."""

    change: StoredChange
    sent: MessageSent
    author: Uid
    change_id: ChangeId
    carried: Carried | None = None


def _arrived(change: StoredChange, record: MessageSent | Carried) -> _Arrived:
    if isinstance(record, MessageSent):
        return _Arrived(change=change, sent=record, author=change.author, change_id=change.change_id)
    sent = text_in(record)
    author, change_id = Uid(record.author), ChangeId(record.change_id)
    return _Arrived(change=change, sent=sent, author=author, change_id=change_id, carried=record)


def _add_messages(conn: Connection, part_of: ObjId, sent: Sequence[_Arrived]) -> tuple[list[_Arrived], set[ChangeId]]:
    """Adds, within the caller's transaction, the messages that are not in the conversation `part_of` yet. Returns
    (those that were added, each under the id that it got; ids of messages that were carried over from an old room and
    stay although their author has now sent them here too)."""
    added, confirmed = _new(conn, part_of, sent)
    if added:
        conn.executemany(_ADD_MESSAGE, [_message_row(conn, part_of, one) for one in added])
        named = [row for one in added if one.carried is None for row in _mention_rows(part_of, one)]
        if named:
            conn.executemany(ADD_MENTION, named)
        for one in added:
            add_parts(conn, one.change.rowid, one.change.obj, one.sent.attachments)
        search.put(conn, [_found(one) for one in added])
    return added, confirmed


@dataclass(frozen=True, slots=True)
class _Taken:
    """The message that has an id in the conversation already: the author whom its record names, the row of its change,
    its object, and whether it was carried over."""

    author: Uid
    row: int
    obj: ObjId
    carried: bool


def _new(conn: Connection, part_of: ObjId, sent: Sequence[_Arrived]) -> tuple[list[_Arrived], set[ChangeId]]:
    """Decides which messages are new, and deletes those that they replace. Returns (the messages to add, each under its
    id here; ids of messages that were carried over from an old room and stay although their author has now sent them
    here too). ▲ A change id belongs to its author: another person's message under it gets a different id here. So
    does a second message of its author in another object of the conversation. A message that its author sent replaces
    the one that was carried in their name, unless the two agree or the carried one is deleted."""
    taken = _taken(conn, part_of, [one.change_id for one in sent])
    added, confirmed = dict[ChangeId, _Arrived](), set[ChangeId]()
    for one in sent:
        change_id, mine = one.change_id, taken.get(one.change_id)
        if mine is not None and (mine.author, mine.obj) != (one.author, one.change.obj):
            change_id = second_id(one.author, one.change_id)
            mine = taken.get(change_id) or _taken(conn, part_of, [change_id]).get(change_id)
        if mine is not None and (one.carried is not None or not mine.carried):
            continue
        if mine is not None and _agrees(conn, mine, one):
            confirmed.add(change_id)
            continue
        if mine is not None:
            conn.execute("DELETE FROM chat_messages WHERE row = ?", (mine.row,))
            conn.execute("DELETE FROM chat_mentions WHERE row = ?", (mine.row,))
            remove_parts(conn, mine.row)
            conn.execute("DELETE FROM chat_reactions WHERE obj = ? AND target = ?", (mine.obj, change_id))
        taken[change_id] = _Taken(one.author, one.change.rowid, one.change.obj, one.carried is not None)
        added[change_id] = one if change_id == one.change_id else replace(one, change_id=change_id)
    return list(added.values()), confirmed


def _taken(conn: Connection, part_of: ObjId, ids: Sequence[ChangeId]) -> dict[ChangeId, _Taken]:
    found: dict[ChangeId, _Taken] = {}
    for at in range(0, len(ids), CHUNK):
        part = ids[at : at + CHUNK]
        sql = (
            "SELECT change_id, coalesce(named, author), row, obj, carried_by IS NOT NULL"  # noqa: S608 - marks only
            f" FROM chat_messages WHERE series = ? AND change_id IN ({', '.join('?' * len(part))})"
        )
        for change_id, author, row, obj, carried in conn.execute(sql, (part_of, *part)):
            found[change_id] = _Taken(author, row, obj, bool(carried))
    return found


def _agrees(conn: Connection, taken: _Taken, one: _Arrived) -> bool:
    """Whether the message `taken`, which was carried over from an old room, was deleted, or is unedited and has the
    same bytes as `one`, which its author sent in this room: then it stays, otherwise `one` replaces it."""
    data = conn.value("SELECT data FROM changes WHERE row = ?", (taken.row,))
    record = decode(data)
    assert isinstance(record, Carried)  # noqa: S101 - the row says so
    return record.deleted_by is not None or (record.edit is None and record.data == one.change.data)


def _message_row(conn: Connection, part_of: ObjId, one: _Arrived) -> tuple[object, ...]:
    """The values of a new message's row, in the order of the columns in _ADD_MESSAGE. ▲ A message that the founder
    carried over from an old room is written as a quotation by the founder, until `settle` has compared it with this
    device's own copy of the old room."""
    change, record = one.change, one.carried
    return (
        change.rowid,
        one.change_id,
        change.room,
        change.obj,
        part_of,
        change.author,
        sort_of(change),
        change.t,
        one.sent.text,
        _encoder.encode(one.sent.mentions),
        _encoder.encode(one.sent.attachments),
        one.sent.reply_to,
        answered_in(conn, change, one.sent),
        change.t if record is not None and record.edit is not None else None,
        change.author if record is not None and record.deleted_by is not None else None,
        change.author if record is not None else None,
        one.author if record is not None else None,
        record.t if record is not None else None,
    )


def _found(one: _Arrived) -> search.Entry:
    return search_entry(one.change.room, one.change.obj, one.change_id, one.change.t, one.sent)


def sort_of(change: StoredChange) -> int:
    """The sort key of a change: the server's position. While the server does not have the change, a number above all
    positions, in the order in which this device stored such changes."""
    return change.n if change.n is not None else PENDING + change.rowid


def _note_row(change: StoredChange, record: Note) -> tuple[object, ...]:
    match record:
        case MessageEdited():
            kind, emoji = EDIT, ""
        case MessageDeleted():
            kind, emoji = DELETION, ""
        case ReactionSet(emoji=emoji):
            kind = REACTION
    place = (change.rowid, change.obj, record.target, change.author, sort_of(change), change.t)
    return (*place, kind, emoji, change.data)


def _mention_rows(part_of: ObjId, one: _Arrived) -> list[tuple[object, ...]]:
    change = one.change
    uids = dict.fromkeys(mention.uid for mention in one.sent.mentions if len(mention.uid) == 16)
    return [(uid, change.rowid, change.room, change.obj, part_of, change.author, change.t) for uid in uids]


def _already_noted(conn: Connection, obj: ObjId, added: Sequence[_Arrived]) -> set[ChangeId]:
    """The ids of those new messages that stored edits, deletions or reactions are about already. (Those were received
    first, for example because a key for the message was missing.)"""
    execute = conn.execute
    if not added or execute("SELECT 1 FROM chat_notes WHERE obj = ? LIMIT 1", (obj,)).fetchone() is None:
        return set()
    sql = "SELECT 1 FROM chat_notes WHERE obj = ? AND target IN (?, ?) LIMIT 1"
    return {
        one.change_id
        for one in added
        if execute(sql, (obj, one.change_id, one.change.change_id)).fetchone() is not None
    }
