# SPDX-License-Identifier: EUPL-1.2
"""Makes the notices about a conversation's records: mentions, replies, direct messages and reactions.

One message makes at most one notice, of the first of these kinds that fits. It is answered when this person writes a
later message in the conversation, or reacts to the message.
"""

from collections.abc import Sequence
from typing import Protocol

from app.chat.authority import MessageRow, message_row
from app.chat.records import Mention, MessageEdited, MessageSent, Note, ReactionSet, Record, decode
from app.core.enums import RoomType
from app.core.ids import ChangeId, ObjId, Uid
from app.errors import BadChange
from app.store import notice_rows
from app.store.connection import Connection
from app.store.notice_rows import MAX_COUNT, Notice, NoticeKind, of_change
from app.store.rows import StoredChange

MENTION = NoticeKind(id="mention", asks=True, personal=True)
REPLY = NoticeKind(id="reply", asks=True, personal=True)
DIRECT = NoticeKind(id="direct", asks=True, personal=True)
REACTION = NoticeKind(id="reaction", asks=False, counts=True)
KINDS = (MENTION, REPLY, DIRECT, REACTION)

_MINE = """SELECT 1 FROM chat_messages WHERE series = ? AND change_id = ? AND author = ? AND deleted_by IS NULL"""
_DELETED = "SELECT deleted_by IS NOT NULL FROM chat_messages WHERE row = ?"
_REPLIES = f"""SELECT change_id, obj, author, sort, t FROM chat_messages
    WHERE series = ? AND reply_to = ? AND author <> ? AND deleted_by IS NULL AND carried_by IS NULL
    LIMIT {MAX_COUNT}"""  # noqa: S608 - a constant
_REACTIONS = f"""SELECT count(*) FROM (SELECT 1 FROM chat_reactions
    WHERE obj = ? AND target = ? AND uid <> ? LIMIT {MAX_COUNT})"""  # noqa: S608 - a constant
_IS_DIRECT = "SELECT 1 FROM rooms WHERE room = ? AND type = ?"


class Arrived(Protocol):
    """A message that was added to a conversation. `change_id`: its id there. `carried`: not None if it was copied from
    the room that this one continues."""

    @property
    def change(self) -> StoredChange: ...

    @property
    def sent(self) -> MessageSent: ...

    @property
    def author(self) -> Uid: ...

    @property
    def change_id(self) -> ChangeId: ...

    @property
    def carried(self) -> object | None: ...


def notices_of(
    conn: Connection, series: ObjId, me: Uid, added: Sequence[Arrived], notes: Sequence[tuple[StoredChange, Note]]
) -> list[Notice]:
    """Returns the notices that new messages (`added`) and `notes` (edits, deletions, reactions) in the conversation
    `series` make for the person `me`. Call it when their rows are written. It also stores, in the caller's transaction,
    what this person has answered (`answered`)."""
    answered(conn, series, me, [one.change for one in added if one.carried is None], notes)
    made: list[Notice] = []
    for one in added:
        if one.carried is None and not one.change.replayed:
            made += _replies_before(conn, series, one) if one.author == me else _of_message(conn, series, me, one)
    for change, record in notes:
        if change.author != me and not change.replayed:
            made += _of_note(conn, series, me, change, record)
    return made


def answered(
    conn: Connection,
    series: ObjId,
    me: Uid,
    sent: Sequence[StoredChange],
    notes: Sequence[tuple[StoredChange, Note]],
) -> None:
    """Marks notices of the conversation `series` as answered by the person `me`, in the caller's transaction. A message
    of theirs in `sent` answers all notices about earlier positions; while it has no position, all notices. A reaction
    of theirs in `notes` answers those about the message that it belongs to. Ignores records of other people, replayed
    changes and withdrawn reactions."""
    mine = [change.n for change in sent if change.author == me and not change.replayed]
    if mine:
        notice_rows.answer(conn, series, None if None in mine else max(n for n in mine if n is not None))
    for change, record in notes:
        if change.author == me and isinstance(record, ReactionSet) and record.on and not change.replayed:
            notice_rows.answer(conn, series, change.n, record.target)


def _of_message(conn: Connection, series: ObjId, me: Uid, one: Arrived) -> list[Notice]:
    kind = _kind_of(conn, series, me, one.change, one.sent)
    if kind is None or conn.value(_DELETED, (one.change.rowid,)):
        return []
    return [of_change(kind, one.change, ref=one.change_id, thread=series, key=one.change_id)]


def _kind_of(conn: Connection, series: ObjId, me: Uid, change: StoredChange, sent: MessageSent) -> NoticeKind | None:
    """The first kind of notice that fits a message; None if none does. ▲ A message is a reply to this person only if
    the message that it names is shown as this person's own here, whatever its author claims."""
    if _names(sent.mentions, me):
        return MENTION
    if sent.reply_to is not None and conn.value(_MINE, (series, sent.reply_to, me)):
        return REPLY
    return DIRECT if conn.value(_IS_DIRECT, (change.room, RoomType.DIRECT.value)) else None


def _names(mentions: Sequence[Mention], me: Uid) -> bool:
    return any(mention.uid == me for mention in mentions)


def _replies_before(conn: Connection, series: ObjId, one: Arrived) -> list[Notice]:
    """The notices of replies that were received before the own message `one` to which they are."""
    if one.change.n is None:
        return []
    found = conn.rows(_REPLIES, (series, one.change_id, one.author))
    return [
        Notice(
            kind=REPLY,
            room=one.change.room,
            obj=obj,
            key=change_id,
            by=by,
            n=n,
            t=t,
            ref=change_id,
            thread=series,
            row=one.change.rowid,
        )
        for change_id, obj, by, n, t in found
        if obj == one.change.obj
    ]


def _of_note(conn: Connection, series: ObjId, me: Uid, change: StoredChange, record: Note) -> list[Notice]:
    message = message_row(conn, change.obj, record.target)
    if message is None:
        return []
    if isinstance(record, ReactionSet):
        return _of_reaction(conn, series, me, change, message)
    if isinstance(record, MessageEdited) and message.author == change.author and _names(record.mentions, me):
        return _of_edit(conn, series, me, change, message)
    return []


def _of_reaction(conn: Connection, series: ObjId, me: Uid, change: StoredChange, message: MessageRow) -> list[Notice]:
    """▲ All reactions to a message make one notice. Each further one only changes its count and does not ring.
    Otherwise a member could make the notice ring again and again."""
    if message.author != me:
        return []
    count = int(conn.value(_REACTIONS, (change.obj, message.change_id, me)) or 0)
    key = message.change_id
    return [of_change(REACTION, change, ref=key, thread=series, key=key, count=count)]


def _of_edit(conn: Connection, series: ObjId, me: Uid, change: StoredChange, message: MessageRow) -> list[Notice]:
    """The notice of an edit that mentions this person, unless the message itself has made one."""
    sent = _sent(message.data)
    if sent is None or _kind_of(conn, series, me, change, sent) is not None or conn.value(_DELETED, (message.row,)):
        return []
    return [of_change(MENTION, change, ref=message.change_id, thread=series, key=message.change_id)]


def _sent(data: bytes) -> MessageSent | None:
    try:
        record: Record = decode(data)
    except BadChange:
        return None
    return record if isinstance(record, MessageSent) else None
