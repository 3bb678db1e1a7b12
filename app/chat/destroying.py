# SPDX-License-Identifier: EUPL-1.2
"""Destroys months of a conversation, for everybody and for good. A month is destroyed as a whole: a message cannot be
destroyed alone, since the server can only forget a whole object (decision 0021)."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from msgspec import structs

from app.chat.drafts import Draft
from app.chat.periods import LATE_AFTER_MS
from app.chat.ports import Members
from app.chat.records import Carried, MessageSent, decode
from app.chat.tables import PENDING
from app.core.ids import ObjId, RoomId, Uid
from app.core.months import LAST_MONTH, begins_ms, month_of
from app.core.signal import Signal
from app.errors import BadChange, Forbidden, StoreFault
from app.store import series
from app.store.changes import Changes
from app.store.connection import Connection
from app.store.database import Database
from app.tool import Destroying

_OBJECTS = """SELECT s.period, s.obj, s.counts AND s.series = ?2 FROM series s WHERE s.room = ?1 AND NOT EXISTS
    (SELECT 1 FROM events e WHERE e.room = s.room AND e.kind = 'destroy' AND e.obj = s.obj)
    ORDER BY s.period DESC, s.rank, s.position"""
_APART = "SELECT t, data FROM changes WHERE obj = ? AND room = ? AND n IS NOT NULL"
_CONTENT = """SELECT count(*), min(t), max(t), sum(sort >= ?2),
    sum(sort < ?2 AND carried_by IS NULL AND t > ?3) FROM chat_messages WHERE obj = ?1"""
_FILES = "SELECT substr(attachments, 1, 3), count(*) FROM chat_messages WHERE obj = ? GROUP BY 1"
Progress = Callable[[int, int], None]
"""Objects destroyed, objects in all. Called on the loop."""


class Conversations(Protocol):
    """The conversations of rooms, as the chat's service has them."""

    @property
    def me(self) -> Uid:
        """The account's person."""
        ...

    def channel(self, room: RoomId, /) -> ObjId | None: ...

    def draft(self, room: RoomId, /) -> Draft: ...

    def keep_draft(self, room: RoomId, draft: Draft, /) -> None: ...

    def refresh(self, room: RoomId, /) -> None:
        """Reads the room's conversation again after messages of it were deleted; nothing if it is not open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """One month of a conversation, as this device has it: the objects that were announced for the month and are not
    destroyed, those first in which this device has no message; how many messages (deleted ones leave a trace, and
    count) and files they have; and the times (ms) of the first and the last message. `late`: how many of the messages
    the server received more than 31 days after the month had ended. `waiting`: how many are this person's own and not
    sent yet; they are not destroyed. `apart`: how many messages are in objects of the month that are no part of the
    conversation, such as a ninth one. Nobody is shown these; they are destroyed too, and not counted in `messages`.
    `is_over`: the month has ended, so that it can be destroyed."""

    period: int
    objs: tuple[ObjId, ...]
    messages: int
    files: int
    first_t: int
    last_t: int
    late: int
    waiting: int
    is_over: bool
    apart: int = 0


class Months:
    """Lists and destroys the months of an account's conversations. `changed` is emitted when the connection has
    changed."""

    def __init__(
        self, db: Database, changes: Changes, members: Members, chat: Conversations, destroying: Destroying
    ) -> None:
        self._db = db
        self._members = members
        self._chat = chat
        self._destroying = destroying
        self.changed = destroying.changed
        self.destroyed: Signal[RoomId] = Signal()
        """Emitted with a room when nothing is left here of an object of its conversation that was destroyed."""
        changes.taken_back.connect(self._on_taken_back)

    def may_destroy(self, room: RoomId) -> bool:
        """Whether the room has a conversation, and this person may destroy months of it: they are an administrator or
        owner, and may write."""
        may = self._members.is_admin(room) and self._members.may_write(room)
        return may and self._chat.channel(room) is not None

    def refusal(self, room: RoomId) -> str | None:
        """Why nothing can be destroyed in the room now, as a code; None if it can."""
        return self._destroying.refusal(room)

    def reads_history(self, room: RoomId) -> bool:
        """Whether this person may read what was written before they were added. If not, months may have more messages
        than are counted here."""
        sql = "SELECT 1 FROM members WHERE room = ? AND uid = ? AND NOT history"
        return self._db.value(sql, (room, self._chat.me)) is None

    async def read(self, room: RoomId) -> list[Month]:
        """The months of the room's conversation that have messages, the latest first; [] without a conversation. Reads
        in a thread: counting 100,000 messages takes 60 ms."""
        part_of, now = self._chat.channel(room), month_of(self._destroying.now_ms())
        return [] if part_of is None else await asyncio.to_thread(self._count, room, part_of, now)

    def _count(self, room: RoomId, part_of: ObjId, now: int) -> list[Month]:
        found: dict[int, Month] = {}
        unread = defaultdict[int, list[ObjId]](list)
        with self._db.reader() as reader:
            for period, obj, is_part in reader.rows(_OBJECTS, (room, part_of)):
                if is_part:
                    month = _content(reader, period, obj, is_over=period < now)
                else:
                    month = _apart(reader, room, period, obj, is_over=period < now)
                if month is None:
                    unread[period].append(obj)
                else:
                    found[period] = month if period not in found else _joined(found[period], month)
        # ▲ These may have what this person cannot read. First, since a month without messages is listed no more
        months = [replace(month, objs=(*unread[month.period], *month.objs)) for month in found.values()]
        return sorted(months, key=lambda month: -month.period)

    async def destroy(self, room: RoomId, periods: Sequence[int], progress: Progress) -> list[Month]:
        """Destroys the months `periods` of the room's conversation, for everybody and for good, one object after the
        other, and returns them. `progress` is called before each object with (objects destroyed, objects in all). If
        it fails or is cancelled, what was destroyed stays destroyed; the next attempt does the rest. ▲ Forbidden if
        this person may not, or if a month has not ended: others still write in it. Unreachable; Refused."""
        wanted = [month for month in await self.read(room) if month.period in periods]
        if not self.may_destroy(room) or not all(month.is_over for month in wanted):
            raise Forbidden
        objs = [obj for month in wanted for obj in month.objs]
        for done, obj in enumerate(objs):
            progress(done, len(objs))
            await self._destroying.destroy(room, obj)
        progress(len(objs), len(objs))
        return wanted

    def _on_taken_back(self, obj: ObjId) -> None:
        """Shows the conversation without the messages that are gone from the object. ▲ If the object was destroyed,
        drops from the room's draft what quotes it: the changed text of a message of it, and the reference to a message
        of it that is being answered."""
        row = self._db.one("SELECT room FROM series WHERE obj = ?", (obj,))
        if row is None:
            return
        room = RoomId(row[0])
        self._chat.refresh(room)
        if series.is_destroyed(self._db, room, obj):
            self._clean_draft(room)
            self.destroyed.emit(room)

    def _clean_draft(self, room: RoomId) -> None:
        draft = self._chat.draft(room)
        kept = draft
        if not self._is_here(room, draft.edits):
            kept = structs.replace(draft, text=draft.aside, reply_to=draft.aside_reply_to, edits=None, aside="",
                                   aside_reply_to=None)  # fmt: skip
        if not self._is_here(room, kept.reply_to):
            kept = structs.replace(kept, reply_to=None)
        if not self._is_here(room, kept.aside_reply_to):
            kept = structs.replace(kept, aside_reply_to=None)
        with suppress(StoreFault):  # it stays in memory, and is stored later
            self._chat.keep_draft(room, kept)

    def _is_here(self, room: RoomId, message: bytes | None) -> bool:
        sql = "SELECT 1 FROM chat_messages WHERE series = ? AND change_id = ?"
        return message is None or self._db.value(sql, (self._chat.channel(room), message)) is not None


def _content(reader: Connection, period: int, obj: ObjId, *, is_over: bool) -> Month | None:
    """What the object `obj` has of the month `period`; None if it has no message."""
    late_from = begins_ms(min(period, LAST_MONTH) + 1) + LATE_AFTER_MS
    count, first_t, last_t, waiting, late = reader.only(_CONTENT, (obj, PENDING, late_from))
    if not count:
        return None
    return Month(
        period=period,
        objs=(obj,),
        messages=count,
        files=sum(_length(head) * n for head, n in reader.rows(_FILES, (obj,))),
        first_t=first_t,
        last_t=last_t,
        late=late,
        waiting=waiting,
        is_over=is_over,
    )


def _apart(reader: Connection, room: RoomId, period: int, obj: ObjId, *, is_over: bool) -> Month | None:
    """What the object `obj`, which was announced for the month `period` and is no part of the conversation, has of
    messages; None if it has none here. ▲ It is destroyed with its month. Otherwise a member could announce a ninth
    object, and what is written there would stay at the server and with every member, though nobody is shown it."""
    times = [t for t, data in reader.rows(_APART, (obj, room)) if _is_message(data)]
    if not times:
        return None
    first_t, last_t = min(times), max(times)
    return Month(period=period, objs=(obj,), messages=0, files=0, first_t=first_t, last_t=last_t, late=0, waiting=0,
                 is_over=is_over, apart=len(times))  # fmt: skip


def _is_message(data: bytes) -> bool:
    with suppress(BadChange):
        return isinstance(decode(data), MessageSent | Carried)
    return False


def _length(head: bytes) -> int:
    """The number of items of a msgpack array, from its first three bytes."""
    return head[0] & 0x0F if head[0] >> 4 == 9 else int.from_bytes(head[1:3], "big")


def _joined(one: Month, other: Month) -> Month:
    """Both as one. The times are those of the messages that are shown, if there are any."""
    timed = [month for month in (one, other) if month.messages] or [one, other]
    return replace(
        one,
        objs=(*one.objs, *other.objs),
        messages=one.messages + other.messages,
        files=one.files + other.files,
        first_t=min(month.first_t for month in timed),
        last_t=max(month.last_t for month in timed),
        late=one.late + other.late,
        waiting=one.waiting + other.waiting,
        apart=one.apart + other.apart,
    )
