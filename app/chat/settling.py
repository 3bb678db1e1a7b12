# SPDX-License-Identifier: EUPL-1.2
"""Works out the present state of a message from all later records and writes it into its row: text, author, deletion,
reactions, its search entry, and the room's line in the list."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from app.chat import unread
from app.chat.authority import MessageRow, Outcome, message_row, outcome, reaction
from app.chat.file_parts import add_parts, forget_parts_of
from app.chat.markup import plain
from app.chat.originals import Attribution, attribution
from app.chat.records import (
    Attachment,
    Carried,
    CarriedPart,
    Mention,
    MessageEdited,
    MessageSent,
    ReactionSet,
    Record,
    decode,
    text_in,
)
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.core.visible import one_line
from app.store import counters, notice_rows, search, series
from app.store.connection import Connection, RowSource
from app.store.counters import Counter, Latest
from app.store.origins import MAX_HOPS
from app.store.rows import MAX_UNREAD
from app.store.statements import CHUNK

KIND_ID = "chat"
PREVIEW_CHARS = 140

_encoder = msgspec.msgpack.Encoder()
ADD_MENTION = (
    "INSERT OR IGNORE INTO chat_mentions (uid, row, room, obj, series, author, t) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_SUCCESSORS = """SELECT g.room, g.n, s.obj FROM origins g JOIN series s ON s.room = g.room AND s.series = s.obj
    WHERE g.old = ?"""
"""The conversations of rooms that continue a room."""


def settle(conn: Connection, obj: ObjId, change_id: bytes, *, reactions: bool = True) -> None:
    """Computes the present state of a message from its edits, deletions and reactions, in the server's order, and
    writes it, within the caller's transaction. Does nothing if the message is not here. `reactions` False: the stored
    reactions are left as they are, unless the message is or was deleted."""
    message = message_row(conn, obj, change_id)
    if message is None:
        return
    later = outcome(conn, message, reactions=reactions)
    record, deleted_by = decode(message.data), later.deleted_by
    if isinstance(record, Carried):
        shown = attribution(conn, message, record)
        deleted_by = _write_attribution(conn, message, record, shown, later)
        before, message = shown.reactions, replace(message, t=shown.t)
    else:
        before = ()
    if deleted_by is None and _is_deleted(conn, message):
        _write_again(conn, message, record)
        if not reactions:
            settle(conn, obj, change_id)
            return
    if reactions or deleted_by is not None:
        _write_reactions(conn, message, later, before if deleted_by is None else None)
    if deleted_by is not None:
        _write_deleted(conn, message, deleted_by)
    elif later.edit is not None:
        _write_edit(conn, message, later.edit)


def settle_reaction(conn: Connection, obj: ObjId, change_id: bytes, emoji: str, uid: Uid) -> None:
    """Computes and writes, within the caller's transaction, the state of the person `uid`'s reaction with `emoji` to
    the message `change_id`: set, or none. A deleted message has none. Does nothing if the message, or a record of that
    person about the emoji, is not here.

    ▲ It costs the same however many reactions the message has. Otherwise a member could make each further reaction take
    as long as all earlier ones.
    """
    message = message_row(conn, obj, change_id)
    last = reaction(conn, message, emoji, uid) if message is not None else None
    if message is None or last is None:
        return
    on, sort = last
    if on and not _is_deleted(conn, message):
        key = (obj, message.change_id, emoji, uid, sort)
        conn.execute(
            "INSERT OR REPLACE INTO chat_reactions (obj, target, emoji, uid, sort) VALUES (?, ?, ?, ?, ?)", key
        )
    else:
        key_of = "DELETE FROM chat_reactions WHERE obj = ? AND target = ? AND emoji = ? AND uid = ?"
        conn.execute(key_of, (obj, message.change_id, emoji, uid))


def _write_attribution(
    conn: Connection, message: MessageRow, record: Carried, shown: Attribution, later: Outcome
) -> Uid | None:
    """▲ Writes whom this device shows as the author of a message that was carried over from an old room: `shown` is the
    decision. `record`: the carried message; `later`: what later records in this room make of it. An edit that the
    named author signed in this room makes the message theirs on every device.

    Returns the person who is shown as having deleted it, None if it is not deleted. If `record` says that it was
    deleted in the old room, that is the person whom it names where `shown` confirms it, otherwise the person who
    carried it over.
    """
    theirs = shown.shown or later.edit is not None
    author = message.author if theirs else message.carried_by
    named = None if theirs else message.author
    conn.execute(
        "UPDATE chat_messages SET author = ?, named = ?, t = ?, edited_t = ? WHERE row = ?",
        (author, named, shown.t, shown.edited_t, message.row),
    )
    search.set_times(conn, [(shown.t, message.obj, message.change_id)])
    if record.deleted_by is None:
        return later.deleted_by
    return Uid(record.deleted_by) if shown.shown else message.carried_by


def _write_deleted(conn: Connection, message: MessageRow, by: Uid) -> None:
    """Writes a message as deleted. ▲ What was received of its files leaves the cache in the same transaction."""
    forget_parts_of(conn, message.row)
    conn.execute(
        "UPDATE chat_messages SET text = '', mentions = ?, attachments = ?, deleted_by = ? WHERE row = ?",
        (_encoder.encode(()), _encoder.encode(()), by, message.row),
    )
    conn.execute("DELETE FROM chat_mentions WHERE row = ?", (message.row,))
    search.drop(conn, message.obj, message.change_id)
    notice_rows.hide(conn, message.obj, message.change_id)


def _is_deleted(conn: Connection, message: MessageRow) -> bool:
    return conn.value("SELECT deleted_by FROM chat_messages WHERE row = ?", (message.row,)) is not None


def _write_again(conn: Connection, message: MessageRow, record: Record) -> None:
    """Writes a message again as its record has it, since its deletion does not count any more: the person who deleted
    it was an administrator while the deletion waited for its position, and is none at that position. The caller writes
    edits and reactions afterwards."""
    sent = text_in(record) if isinstance(record, Carried) else record
    assert isinstance(sent, MessageSent)  # noqa: S101 - projection.py has looked
    conn.execute(
        "UPDATE chat_messages SET text = ?, mentions = ?, attachments = ?, deleted_by = NULL WHERE row = ?",
        (sent.text, _encoder.encode(sent.mentions), _encoder.encode(sent.attachments), message.row),
    )
    add_parts(conn, message.row, message.obj, sent.attachments)
    if not isinstance(record, Carried):
        _write_mentions(conn, message, sent.mentions)
    notice_rows.unhide(conn, message.obj, message.change_id)
    search.put(conn, [search_entry(message.room, message.obj, message.change_id, message.t, sent)])


def _write_mentions(conn: Connection, message: MessageRow, mentions: Sequence[Mention]) -> None:
    uids = dict.fromkeys(mention.uid for mention in mentions if len(mention.uid) == 16)
    place = (message.row, message.room, message.obj, message.series, message.author, message.t)
    named = [(uid, *place) for uid in uids]
    if named:
        conn.executemany(ADD_MENTION, named)


def _write_edit(conn: Connection, message: MessageRow, edit: CarriedPart) -> None:
    record = decode(edit.data)
    assert isinstance(record, MessageEdited)  # noqa: S101 - outcome() has looked
    conn.execute(
        "UPDATE chat_messages SET text = ?, mentions = ?, edited_t = ? WHERE row = ?",
        (record.text, _encoder.encode(record.mentions), edit.t, message.row),
    )
    conn.execute("DELETE FROM chat_mentions WHERE row = ?", (message.row,))
    if message.carried_by is None:  # others are never unread, so nobody could read the mention away
        _write_mentions(conn, message, record.mentions)
    found = conn.value("SELECT attachments FROM chat_messages WHERE row = ?", (message.row,))
    attachments = msgspec.msgpack.decode(found, type=tuple[Attachment, ...])
    sent = MessageSent(text=record.text, mentions=record.mentions, attachments=attachments)
    search.put(conn, [search_entry(message.room, message.obj, message.change_id, message.t, sent)])


def _write_reactions(
    conn: Connection, message: MessageRow, later: Outcome, before: Sequence[CarriedPart] | None
) -> None:
    """Replaces the stored reactions of a message by those in `later` and those in `before`, which were carried over
    with the message. For the same person and emoji `later` counts, also if it says that the reaction was taken back.
    `before` None: the message is deleted, and all its reactions are removed."""
    rows = dict[tuple[str, bytes], int]()
    conn.execute("DELETE FROM chat_reactions WHERE obj = ? AND target = ?", (message.obj, message.change_id))
    if before is None:
        return
    for at, part in enumerate(before):
        record = decode(part.data)
        assert isinstance(record, ReactionSet)  # noqa: S101 - message_in() has looked
        rows[record.emoji, part.author] = at - len(before)
    for (emoji, uid), found in later.reactions.items():
        rows.pop((emoji, uid), None)
        if found is not None:
            rows[emoji, uid] = found[1]
    conn.executemany(
        "INSERT INTO chat_reactions (obj, target, emoji, uid, sort) VALUES (?, ?, ?, ?, ?)",
        [(message.obj, message.change_id, emoji, uid, sort) for (emoji, uid), sort in rows.items()],
    )


def follow(conn: Connection, room: RoomId, touched: Mapping[bytes, int], hops: int = MAX_HOPS) -> None:
    """Computes again, within the caller's transaction, the copies of new or changed messages that were carried over
    into rooms which continue this one, and into rooms that continue those. It follows at most `hops` rooms, as many as
    attribution reads back.

    `touched`: for each message id the lowest sort key of what is new about it. A successor names the last position of
    the old room that counts for it. Copies in that successor are not affected by anything after this position.
    """
    for successor, last, part_of in successors(conn, room) if touched and hops else ():
        found = carried_among(conn, part_of, [change_id for change_id, sort in touched.items() if sort <= last])
        for change_id, obj in found.items():
            settle(conn, obj, change_id)
        if found:
            refresh_room(conn, successor, part_of)
            follow(conn, successor, dict[bytes, int].fromkeys(found, 0), hops - 1)


def successors(source: RowSource, room: RoomId) -> Sequence[tuple[RoomId, int, ObjId]]:
    """The conversations of the rooms that continue `room`, each as (its room, the last position of `room` that counts
    for it, the conversation)."""
    return [(successor, last, part_of) for successor, last, part_of in source.rows(_SUCCESSORS, (room,))]


def carried_among(source: RowSource, part_of: ObjId, ids: Collection[bytes]) -> dict[ChangeId, ObjId]:
    """Those of the message ids `ids` under which the conversation `part_of` has a message that was carried over from an
    old room, each with the object that the message lies in."""
    found, asked = dict[ChangeId, ObjId](), list(ids)
    for at in range(0, len(asked), CHUNK):
        part = asked[at : at + CHUNK]
        sql = (
            "SELECT change_id, obj FROM chat_messages WHERE carried_by IS NOT NULL AND series = ?"  # noqa: S608 - marks only
            f" AND change_id IN ({', '.join('?' * len(part))})"
        )
        found |= dict(source.rows(sql, (part_of, *part)))
    return found


def search_entry(room: RoomId, obj: ObjId, change_id: bytes, t: int, sent: MessageSent) -> search.Entry:
    """What search finds of the message `sent`: its text and the names of its files. `change_id`: the message's id; `t`:
    its time in ms."""
    body = " ".join((plain(sent.text, sent.mentions), *(attachment.name for attachment in sent.attachments)))
    return search.Entry(room=room, obj=obj, kind=KIND_ID, ref=change_id, t=t, title="", body=body)


def own_uid(conn: Connection) -> Uid:
    """This account's person; an empty id before the account exists."""
    (me,) = conn.execute("SELECT value FROM meta WHERE name = 'me'").fetchone() or (b"",)
    return Uid(me)


def refresh_channel(conn: Connection, room: RoomId) -> None:
    """As `refresh_room`, for the conversation that the room shows, if it has one."""
    part_of = series.first(conn, room, KIND_ID)
    if part_of is not None:
        refresh_room(conn, room, part_of)


def refresh_room(
    conn: Connection, room: RoomId, part_of: ObjId, *, count: bool = True, one_more: tuple[int, int] | None = None
) -> bool:
    """Stores, within the caller's transaction, the conversation `part_of`'s share of the room's line in the list: the
    latest message, how many are unread and how many of them mention this person. Only the room's one conversation
    counts, any other gets zeros. Otherwise a member could announce a second one whose messages nobody can read. An
    empty conversation has no share. Returns whether it is the one that counts.

    `count`: whether the number of unread messages can have changed. An own message leaves it as it is, and counting
    reads all own messages above the read mark. `one_more`: position and row of a message, if adding that is all that
    has happened, as `unread.with_one_more` has it.
    """
    last, is_shown = _last(conn, part_of), series.first(conn, room, KIND_ID) == part_of
    if last is None:
        counters.drop(conn, part_of)
        return is_shown
    if not is_shown:
        counters.put(conn, room, part_of, Counter())
        return False
    of_unread = unread.with_one_more(conn, part_of, *one_more, MAX_UNREAD) if one_more is not None else None
    if of_unread is None:
        me = own_uid(conn)
        of_unread = unread.counts(conn, part_of, me, MAX_UNREAD) if count else counters.unread(conn, part_of)
    preview = _preview(*last[2:6])
    shown = quoted(preview) if last[6] is not None and preview else preview
    latest = Latest(t=last[1], by=Uid(last[0]), preview=shown)
    counters.put(conn, room, part_of, Counter(unread=of_unread[0], mentions=of_unread[1], last=latest))
    return True


def _last(conn: Connection, part_of: ObjId) -> Any:
    """The latest message that is not deleted, or, if all are deleted, the latest of all: (author, t, text, mentions,
    attachments, deleted_by, named), as stored. None in an empty conversation."""
    sql = (
        "SELECT author, t, text, mentions, attachments, deleted_by, named FROM chat_messages WHERE series = ?{left}"
        " ORDER BY sort DESC LIMIT 1"
    )
    for left in (" AND deleted_by IS NULL", ""):
        found = conn.execute(sql.format(left=left), (part_of,)).fetchone()
        if found is not None:
            return found
    return None


def quoted(text: str) -> str:
    """A text shown as a quotation: a person claims that another person wrote it."""
    return f"”{text}”"


def _preview(text: str, mentions: bytes, attachments: bytes, deleted_by: bytes | None) -> str:
    if deleted_by is not None:
        return ""
    named = msgspec.msgpack.decode(mentions, type=tuple[Mention, ...])
    words = plain(text, named)
    if not words:
        words = ", ".join(a.name for a in msgspec.msgpack.decode(attachments, type=tuple[Attachment, ...]))
    words = one_line(words, 2 * PREVIEW_CHARS)
    return words if len(words) <= PREVIEW_CHARS else words[: PREVIEW_CHARS - 1] + "…"
