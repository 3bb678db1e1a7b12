# SPDX-License-Identifier: EUPL-1.2
"""Reads a conversation's rows, a page at a time: one query for the messages, and one for each thing that belongs to
them."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from app.chat import unread
from app.chat.markup import plain
from app.chat.model import Message, Quote, Reaction
from app.chat.periods import is_late
from app.chat.records import Attachment, Mention
from app.chat.settling import quoted
from app.chat.tables import PENDING
from app.core.ids import ChangeId, ObjId, Uid
from app.core.visible import one_line
from app.objects.links import Linked, ObjectLink
from app.store.connection import Row
from app.store.database import Database
from app.store.statements import MAX_INT

_COLUMNS = """change_id, obj, author, sort, t, text, mentions, attachments, reply_to, reply_obj, edited_t, deleted_by,
    carried_by, named, named_t, (SELECT s.period FROM series s WHERE s.obj = chat_messages.obj)"""
Place = tuple[bytes, bytes]
"""Where a message is: its object and its id."""
_mentions = msgspec.msgpack.Decoder(tuple[Mention, ...])
_attachments = msgspec.msgpack.Decoder(tuple[Attachment, ...])
MAX_REACTIONS = 40
"""▲ Most different reactions that are shown under a message. Otherwise one person could set thousands, and every
repaint would draw them all."""
PAGE = 200
_NOTHING = b"\x90"
"""An empty list in msgpack: spares the decoder for most messages."""


class ChatRows:
    """Reads the messages of one conversation from the store, for a `Timeline`. `series`: the conversation, by its first
    object; `me`: the person whose unread messages count."""

    def __init__(self, db: Database, series: ObjId, me: Uid) -> None:
        self._db = db
        self._series = series
        self._me = me
        self._count, self._counted_at = 0, -1

    def count(self) -> int:
        """How many messages the conversation has. Counting 100,000 takes 2 ms, so it is done again only after a
        write."""
        writes: int = self._db.conn.total_changes
        if writes != self._counted_at:
            sql = "SELECT count(*) FROM chat_messages WHERE series = ?"
            self._counted_at, self._count = writes, int(self._db.value(sql, (self._series,)) or 0)
        return self._count

    def waiting(self) -> int:
        """How many messages of the conversation are only on this device so far."""
        sql = "SELECT count(*) FROM chat_messages WHERE series = ? AND sort >= ?"
        return int(self._db.value(sql, (self._series, PENDING)) or 0)

    def keys(self, first: int, limit: int) -> list[ChangeId]:
        """The change ids from `first`."""
        return [row[0] for row in self._slice("change_id", first, limit)]

    def sorts(self, first: int, limit: int) -> list[int]:
        """The sort keys from `first`: positions, and numbers from PENDING on for messages that have none yet."""
        return [row[0] for row in self._slice("sort", first, limit)]

    def page(self, first: int, limit: int) -> list[Message]:
        """At most `limit` messages from index `first` on, oldest first, complete with quotes, reply counts and
        reactions."""
        rows = self._slice(_COLUMNS, first, limit)
        ids = [row[0] for row in rows]
        quotes = self._quotes([row[8] for row in rows if row[8] is not None])
        replies = self._replies(ids)
        reactions = self._reactions([(row[1], row[0]) for row in rows])
        return [self._message(row, quotes, replies, reactions) for row in rows]

    def _message(
        self,
        row: Row,
        quotes: Mapping[Place, Quote],
        replies: Mapping[Place, tuple[int, tuple[ChangeId, int]]],
        reactions: Mapping[Place, tuple[Reaction, ...]],
    ) -> Message:
        """Builds the message of a row with _COLUMNS. `quotes`: the answered messages; `replies`: (count, (id, time in
        ms) of the latest) of the answers, by the answered message; `reactions`: by message. A message that is in none
        of them has none."""
        change_id, obj, author, sort, t, text, mentions, attachments, reply_to, reply_obj, edited_t, *others = row
        deleted_by, carried_by, named, named_t, period = others
        answered = replies.get((obj, change_id))
        return Message(
            change_id=change_id,
            obj=obj,
            author=author,
            t=t,
            waiting=sort >= PENDING,
            late=sort < PENDING and carried_by is None and is_late(period, t),
            text=text,
            mentions=() if mentions == _NOTHING else _mentions.decode(mentions),
            attachments=() if attachments == _NOTHING else _attachments.decode(attachments),
            edited_t=edited_t,
            deleted_by=deleted_by,
            carried_by=carried_by,
            quoted_author=named,
            quoted_t=named_t if named is not None else None,
            quote=quotes.get((reply_obj, reply_to)) if reply_to is not None else None,
            replies=answered[0] if answered is not None else 0,
            last_reply=answered[1] if answered is not None else None,
            reactions=reactions.get((obj, change_id), ()),
        )

    def index_of(self, change_id: ChangeId) -> int | None:
        """The index of a message: how many are before it. None if it is not here."""
        sql = "SELECT sort FROM chat_messages WHERE series = ? AND change_id = ?"
        sort = self._db.value(sql, (self._series, change_id))
        return None if sort is None else self._before(int(sort))

    def first_unread(self) -> int | None:
        """The index of the first message that this person has not read; None if all are read."""
        sort = unread.first(self._db.conn, self._series, self._me)
        return None if sort is None else self._before(sort)

    def _before(self, sort: int) -> int:
        return int(
            self._db.value("SELECT count(*) FROM chat_messages WHERE series = ? AND sort < ?", (self._series, sort))
        )

    def _slice(self, columns: str, first: int, limit: int) -> list[Row]:
        """At most `limit` rows from index `first` on, oldest first, with these `columns`. Counts from the nearer end:
        an OFFSET of 100,000 would walk the whole index at each scroll."""
        total = self.count()
        limit = min(limit, total - first)
        if limit <= 0:
            return []
        backward = first > total // 2
        order, offset = ("DESC", total - first - limit) if backward else ("ASC", first)
        # the subquery walks only the index; whole rows are read for the page alone
        sql = (
            f"SELECT {columns} FROM chat_messages WHERE row IN (SELECT row FROM chat_messages WHERE series = ?"  # noqa: S608 - constants
            f" ORDER BY sort {order} LIMIT ? OFFSET ?) ORDER BY sort"
        )
        return self._db.rows(sql, (self._series, limit, offset))

    def _quotes(self, targets: Sequence[bytes]) -> dict[Place, Quote]:
        if not targets:
            return {}
        sql = (
            "SELECT obj, change_id, author, text, mentions, attachments, deleted_by, named FROM chat_messages"  # noqa: S608 - marks only
            f" WHERE series = ? AND change_id IN ({_marks(targets)})"
        )
        return {
            (obj, change_id): Quote(
                change_id=change_id,
                author=author,
                text=quoted(line) if named is not None and line else line,
                deleted=deleted_by is not None,
            )
            for obj, change_id, author, text, mentions, attachments, deleted_by, named in (
                self._db.rows(sql, (self._series, *targets))
            )
            for line in (_one_line(text, mentions, attachments),)
        }

    def _replies(self, ids: Sequence[bytes]) -> dict[Place, tuple[int, tuple[ChangeId, int]]]:
        # bare columns beside max() come from the row that holds the maximum (SQLite's promise)
        sql = (
            "SELECT reply_obj, reply_to, count(*), change_id, t, max(sort) FROM chat_messages"  # noqa: S608 - marks only
            f" WHERE series = ? AND deleted_by IS NULL AND reply_to IN ({_marks(ids)}) GROUP BY reply_to, reply_obj"
        )
        rows = self._db.rows(sql, (self._series, *ids)) if ids else []
        return {(obj, target): (count, (change_id, t)) for obj, target, count, change_id, t, _ in rows}

    def _reactions(self, places: Sequence[Place]) -> dict[Place, tuple[Reaction, ...]]:
        if not places:
            return {}
        marks = ", ".join(["(?, ?)"] * len(places))
        sql = (
            f"WITH m (obj, target) AS (VALUES {marks}) SELECT obj, target FROM m"  # noqa: S608 - marks only
            " WHERE EXISTS (SELECT 1 FROM chat_reactions r WHERE r.obj = m.obj AND r.target = m.target)"
        )
        found = self._db.rows(sql, [part for place in places for part in place])
        return {(obj, target): self._reactions_of(obj, target) for obj, target in found}

    def _reactions_of(self, obj: bytes, target: bytes) -> tuple[Reaction, ...]:
        """The reactions to the message `target`: the MAX_REACTIONS emoji that were set first, each with everybody who
        set it. ▲ Other emoji are not read. Otherwise a member could set thousands of them, and each change of the
        message would read them all."""
        found: dict[str, list[Uid]] = {}
        for emoji, uid in self._in_order(obj, target):
            if emoji not in found and len(found) == MAX_REACTIONS:
                break
            found.setdefault(emoji, []).append(uid)
        else:
            return _reactions(found)
        sql = (
            "SELECT emoji, uid FROM chat_reactions WHERE obj = ? AND target = ?"  # noqa: S608 - marks only
            f" AND emoji IN ({_marks(list(found))}) ORDER BY +sort, emoji, uid"  # + rules out the index by sort
        )
        again: dict[str, list[Uid]] = {emoji: [] for emoji in found}
        for emoji, uid in self._db.rows(sql, (obj, target, *found)):
            again[emoji].append(uid)
        return _reactions(again)

    def _in_order(self, obj: bytes, target: bytes) -> Iterator[tuple[str, Uid]]:
        """Yields (emoji, person) for the reactions to the message `target`, the oldest first. Reads PAGE rows at a
        time, and only as far as the caller iterates."""
        sql = (
            "SELECT emoji, uid, sort FROM chat_reactions WHERE obj = ? AND target = ?"
            " AND (sort, emoji, uid) > (?, ?, ?) ORDER BY sort, emoji, uid LIMIT ?"
        )
        after: tuple[object, ...] = (-MAX_INT, "", b"")  # one envelope may have several reactions of one sort key
        while page := self._db.rows(sql, (obj, target, *after, PAGE)):
            yield from ((emoji, uid) for emoji, uid, _ in page)
            if len(page) < PAGE:
                return
            emoji, uid, sort = page[-1]
            after = (sort, emoji, uid)


def has_reaction(db: Database, obj: ObjId, target: ChangeId, emoji: str, uid: Uid) -> bool:
    """Whether the person `uid` has set a reaction with `emoji` to the message `target`, also one that is not among the
    MAX_REACTIONS that are shown."""
    sql = "SELECT 1 FROM chat_reactions WHERE obj = ? AND target = ? AND emoji = ? AND uid = ?"
    return db.one(sql, (obj, target, emoji, uid)) is not None


def message_line(db: Database, link: ObjectLink) -> Linked | None:
    """One line of the message that a notice leads to, with its author and time; None if it is deleted or not here. A
    text that another person claims for its author is shown as a quotation."""
    sql = """SELECT author, t, text, mentions, attachments, named FROM chat_messages
        WHERE change_id = ? AND +obj = ? AND deleted_by IS NULL"""
    found = db.one(sql, (link.ref, link.obj))
    if found is None:
        return None
    author, t, text, mentions, attachments, named = found
    line = _one_line(text, mentions, attachments)
    return Linked(title=quoted(line) if named is not None and line else line, by=author, updated=t)


def _reactions(by_emoji: Mapping[str, Sequence[Uid]]) -> tuple[Reaction, ...]:
    return tuple(Reaction(emoji=emoji, uids=tuple(uids)) for emoji, uids in by_emoji.items())


def _one_line(text: str, mentions: bytes, attachments: bytes) -> str:
    line = one_line(plain(text, _mentions.decode(mentions)), 200)
    return line or ", ".join(a.name for a in _attachments.decode(attachments))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
