# SPDX-License-Identifier: EUPL-1.2
"""Turns a conversation's records into rows, inside the store's transaction. Once or twice, the result is the same.

Who may do what is judged here, by the record's author: only one's own messages are edited; one's own are deleted, and
by an administrator any. A record without that right is kept by the store and has no effect.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec
from sqlalchemy import Connection

from app.chat.markup import plain
from app.chat.records import (
    Attachment,
    Carried,
    Mention,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    Plain,
    ReactionSet,
    decode,
)
from app.chat.tables import PENDING
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.core.visible import one_line
from app.errors import BadChange
from app.store import rooms, search
from app.store.database import driver_of
from app.store.origins import founded
from app.store.rows import ObjectRow, StoredChange

KIND_ID = "chat"
ADMIN = 3
PREVIEW_CHARS = 140
MAX_UNREAD = 1000

_encoder = msgspec.msgpack.Encoder()

_ADD_MESSAGE = """INSERT OR IGNORE INTO chat_messages
    (row, change_id, room, obj, author, sort, t, text, mentions, attachments, reply_to, deleted_by, carried_by)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ADD_NOTE = (
    """INSERT OR IGNORE INTO chat_notes (row, obj, target, author, sort, t, data) VALUES (?, ?, ?, ?, ?, ?, ?)"""
)
_ADD_MENTION = "INSERT OR IGNORE INTO chat_mentions (uid, row, room, obj, author, t) VALUES (?, ?, ?, ?, ?, ?)"


def project(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Writes the rows of new changes of one conversation. BadChange for one that is no record of ours."""
    records = [_read(conn, change) for change in changes]
    sent = [(change, record) for change, record in records if isinstance(record, MessageSent)]
    notes = [(change, record) for change, record in records if not isinstance(record, MessageSent)]
    carried = _carried(changes)
    if sent:
        _add_messages(conn, sent, carried)
    if notes:
        conn.exec_driver_sql(_ADD_NOTE, [_note_row(change, record) for change, record in notes])
    targets = {record.target for _, record in notes} | _already_noted(conn, obj.obj, sent)
    for target in targets:
        _settle(conn, obj, target)
    refresh_room(conn, obj.room, obj.obj)


def positioned(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Own changes got the server's position and time."""
    carried = _carried(changes)
    rows = [(c.n, carried[c.rowid][1].t if c.rowid in carried else c.t, c.rowid) for c in changes if c.n is not None]
    conn.exec_driver_sql("UPDATE chat_messages SET sort = ?, t = ? WHERE row = ?", rows)
    conn.exec_driver_sql("UPDATE chat_notes SET sort = ?, t = ? WHERE row = ?", rows)
    conn.exec_driver_sql("UPDATE chat_mentions SET t = ? WHERE row = ?", [(t, row) for _, t, row in rows])
    for change in changes:
        with suppress(BadChange):
            _, record = _read(conn, change)
            if not isinstance(record, MessageSent):
                _settle(conn, obj, record.target)
    refresh_room(conn, obj.room, obj.obj)


def uncarried(change: StoredChange) -> tuple[StoredChange, Plain]:
    """The record in a change, whoever brought it: a carried one as the change that it was. BadChange."""
    record = decode(change.data)
    if not isinstance(record, Carried):
        return change, record
    inner = decode(record.data)
    if isinstance(inner, Carried) or len(record.author) != 16 or len(record.change_id) != 16:
        raise BadChange("malformed")
    was = replace(change, author=Uid(record.author), change_id=ChangeId(record.change_id), t=record.t, data=record.data)
    return was, inner


def _read(conn: Connection, change: StoredChange) -> tuple[StoredChange, Plain]:
    """▲ The founder of a successor vouches for what others wrote in the old room; nobody else may."""
    was, record = uncarried(change)
    if was is not change and not founded(conn, change.room, change.author):
        raise BadChange("forbidden")
    return was, record


def _carried(changes: Sequence[StoredChange]) -> dict[int, tuple[Uid, Carried]]:
    """By row: who carried it, and as what."""
    records = ((change, decode(change.data)) for change in changes)
    return {change.rowid: (change.author, record) for change, record in records if isinstance(record, Carried)}


def sort_of(change: StoredChange) -> int:
    """The order key of a change: the server's position, or after everything while it waits."""
    return change.n if change.n is not None else PENDING + change.rowid


def _add_messages(
    conn: Connection, sent: Sequence[tuple[StoredChange, MessageSent]], carried: dict[int, tuple[Uid, Carried]]
) -> None:
    rows = [_message_row(change, record, *carried.get(change.rowid, (None, None))) for change, record in sent]
    driver_of(conn).executemany(_ADD_MESSAGE, rows)
    fresh = [(change, record) for change, record in sent if change.rowid not in carried]
    named = [row for change, record in fresh for row in _mention_rows(change, record.mentions)]
    if named:
        driver_of(conn).executemany(_ADD_MENTION, named)
    search.put(conn, [_search_row(change, record.text, record.mentions, record.attachments) for change, record in sent])


def _message_row(
    change: StoredChange, record: MessageSent, carried_by: Uid | None, carried: Carried | None
) -> tuple[object, ...]:
    return (
        change.rowid,
        change.change_id,
        change.room,
        change.obj,
        change.author,
        sort_of(change),
        change.t,
        record.text,
        _encoder.encode(record.mentions),
        _encoder.encode(record.attachments),
        record.reply_to,
        carried.deleted_by if carried else None,
        carried_by,
    )


def _note_row(change: StoredChange, record: Plain) -> tuple[object, ...]:
    assert not isinstance(record, MessageSent)  # noqa: S101 - narrows the type
    return (change.rowid, change.obj, record.target, change.author, sort_of(change), change.t, change.data)


def _mention_rows(change: StoredChange, mentions: Sequence[Mention]) -> list[tuple[object, ...]]:
    uids = dict.fromkeys(mention.uid for mention in mentions if len(mention.uid) == 16)
    return [(uid, change.rowid, change.room, change.obj, change.author, change.t) for uid in uids]


def _already_noted(conn: Connection, obj: ObjId, sent: Sequence[tuple[StoredChange, MessageSent]]) -> set[bytes]:
    """New messages that an earlier edit or deletion speaks of (it came first: a key was missing for the message)."""
    execute = driver_of(conn).execute
    if not sent or execute("SELECT 1 FROM chat_notes WHERE obj = ? LIMIT 1", (obj,)).fetchone() is None:
        return set()
    sql = "SELECT 1 FROM chat_notes WHERE obj = ? AND target = ? LIMIT 1"
    return {c.change_id for c, _ in sent if execute(sql, (obj, c.change_id)).fetchone() is not None}


def _settle(conn: Connection, obj: ObjectRow, target: bytes) -> None:
    """Works out what a message is now from all its edits, deletions and reactions, in the server's order."""
    row = conn.exec_driver_sql(
        "SELECT row, author, t FROM chat_messages WHERE obj = ? AND change_id = ?", (obj.obj, target)
    ).first()
    if row is None:
        return
    message_row, author, t = int(row[0]), Uid(row[1]), int(row[2])
    edit: tuple[MessageEdited, int] | None = None
    deleted_by: Uid | None = None
    set_by: dict[tuple[str, Uid], tuple[bool, int]] = {}
    sql = "SELECT author, sort, t, data FROM chat_notes WHERE obj = ? AND target = ? ORDER BY sort"
    for by, sort, note_t, data in conn.exec_driver_sql(sql, (obj.obj, target)):
        match decode(data):
            case MessageEdited() as record if by == author:
                edit = (record, note_t)
            case MessageDeleted() if deleted_by is None and (by == author or _is_admin(conn, obj.room, by, sort)):
                deleted_by = Uid(by)
            case ReactionSet(emoji=emoji, on=on):
                set_by[emoji, Uid(by)] = (on, sort)
            case _:
                pass
    _write_reactions(conn, obj.obj, target, set_by if deleted_by is None else {})
    if deleted_by is not None:
        _write_deleted(conn, obj.obj, message_row, target, deleted_by)
    elif edit is not None:
        _write_edit(conn, obj, message_row, target, author, t, *edit)


def _write_deleted(conn: Connection, obj: ObjId, row: int, target: bytes, by: Uid) -> None:
    conn.exec_driver_sql(
        "UPDATE chat_messages SET text = '', mentions = ?, attachments = ?, deleted_by = ? WHERE row = ?",
        (_encoder.encode(()), _encoder.encode(()), by, row),
    )
    conn.exec_driver_sql("DELETE FROM chat_mentions WHERE row = ?", (row,))
    search.drop(conn, obj, target)


def _write_edit(
    conn: Connection, obj: ObjectRow, row: int, target: bytes, author: Uid, t: int, record: MessageEdited, edited_t: int
) -> None:
    conn.exec_driver_sql(
        "UPDATE chat_messages SET text = ?, mentions = ?, edited_t = ? WHERE row = ?",
        (record.text, _encoder.encode(record.mentions), edited_t, row),
    )
    conn.exec_driver_sql("DELETE FROM chat_mentions WHERE row = ?", (row,))
    uids = dict.fromkeys(mention.uid for mention in record.mentions if len(mention.uid) == 16)
    named = [(uid, row, obj.room, obj.obj, author, t) for uid in uids]
    if named:
        conn.exec_driver_sql(_ADD_MENTION, named)
    found = conn.exec_driver_sql("SELECT attachments FROM chat_messages WHERE row = ?", (row,)).scalar_one()
    attachments = msgspec.msgpack.decode(found, type=tuple[Attachment, ...])
    body = _search_body(record.text, record.mentions, attachments)
    search.put(conn, [search.Entry(room=obj.room, obj=obj.obj, kind=KIND_ID, ref=target, t=t, title="", body=body)])


def _write_reactions(
    conn: Connection, obj: ObjId, target: bytes, set_by: dict[tuple[str, Uid], tuple[bool, int]]
) -> None:
    conn.exec_driver_sql("DELETE FROM chat_reactions WHERE obj = ? AND target = ?", (obj, target))
    rows = [(obj, target, emoji, uid, sort) for (emoji, uid), (on, sort) in set_by.items() if on]
    if rows:
        conn.exec_driver_sql("INSERT INTO chat_reactions (obj, target, emoji, uid, sort) VALUES (?, ?, ?, ?, ?)", rows)


def _is_admin(conn: Connection, room: RoomId, uid: bytes, sort: int) -> bool:
    """Whether a person was administrator or owner at a position of the room's stream."""
    role = conn.exec_driver_sql(
        "SELECT role FROM events WHERE room = ? AND subject = ? AND role IS NOT NULL AND n <= ?"
        " ORDER BY n DESC LIMIT 1",
        (room, uid, sort),
    ).scalar()
    if role is None and _founded(conn, room, uid):  # whatever they are now
        return True
    if role is None:
        role = conn.exec_driver_sql("SELECT role FROM members WHERE room = ? AND uid = ?", (room, uid)).scalar()
    return role is not None and int(role) >= ADMIN


def _founded(conn: Connection, room: RoomId, uid: bytes) -> bool:
    sql = "SELECT 1 FROM events WHERE room = ? AND kind = 'genesis' AND by = ?"
    return conn.exec_driver_sql(sql, (room, uid)).first() is not None


def _search_row(
    change: StoredChange, text: str, mentions: Sequence[Mention], attachments: Sequence[Attachment]
) -> search.Entry:
    return search.Entry(
        room=change.room,
        obj=change.obj,
        kind=KIND_ID,
        ref=change.change_id,
        t=change.t,
        title="",
        body=_search_body(text, mentions, attachments),
    )


def _search_body(text: str, mentions: Sequence[Mention], attachments: Sequence[Attachment]) -> str:
    return " ".join((plain(text, mentions), *(attachment.name for attachment in attachments)))


def refresh_room(conn: Connection, room: RoomId, obj: ObjId) -> None:
    """The room's line in the list: the latest message, how many are unread and how many of them name this person."""
    execute = driver_of(conn).execute
    last = execute(
        "SELECT author, t, text, mentions, attachments, deleted_by FROM chat_messages WHERE obj = ?"
        " ORDER BY sort DESC LIMIT 1",
        (obj,),
    ).fetchone()
    if last is None:
        return
    (me,) = execute("SELECT value FROM meta WHERE name = 'me'").fetchone() or (b"",)
    (mark,) = execute("SELECT row FROM read_markers WHERE obj = ?", (obj,)).fetchone() or (0,)
    (unread,) = execute(
        # counted no further: 100,000 unread messages would cost each send 10 ms
        "SELECT count(*) FROM (SELECT 1 FROM chat_messages WHERE obj = ? AND row > ? AND author <> ?"
        " AND deleted_by IS NULL AND carried_by IS NULL LIMIT ?)",
        (obj, mark, me, MAX_UNREAD),
    ).fetchone()
    (named,) = execute(
        "SELECT count(*) FROM chat_mentions WHERE obj = ? AND row > ? AND uid = ? AND author <> ?", (obj, mark, me, me)
    ).fetchone()
    rooms.unread(conn, room, unread, named)
    rooms.last(conn, room, last[1], Uid(last[0]), _preview(*last[2:]))


def _preview(text: str, mentions: bytes, attachments: bytes, deleted_by: bytes | None) -> str:
    if deleted_by is not None:
        return ""
    named = msgspec.msgpack.decode(mentions, type=tuple[Mention, ...])
    words = plain(text, named)
    if not words:
        words = ", ".join(a.name for a in msgspec.msgpack.decode(attachments, type=tuple[Attachment, ...]))
    words = one_line(words, 2 * PREVIEW_CHARS)
    return words if len(words) <= PREVIEW_CHARS else words[: PREVIEW_CHARS - 1] + "…"
