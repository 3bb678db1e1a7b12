# SPDX-License-Identifier: EUPL-1.2
"""The notices of one account: lists them, stores what the person does with them, and emits those that ring now.

Lives on the event loop. Work on many rows is done in parts, so that 100,000 notices do not hold the loop for long. A
row has no text: what is shown of a notice is read from the place that it leads to (`OpenTools.find`).
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from app.core import clock, log
from app.core.alarms import Alarms
from app.core.enums import Level, LinkState
from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.errors import StoreFault
from app.notices.kinds import comes_at_a_time
from app.notices.turns import ALONE, Turns
from app.store import event_notices
from app.store.notice_rows import AT_ONCE, Notice, NoticeId, NoticeKind, NoticeState
from app.store.notice_store import ALL, Cursor, NoticeFilter, NoticeRow
from app.store.rows import StoredChange
from app.store.statements import MAX_INT
from app.store.store import Store

MOST_NAMED = 20
"""The most notices in `FreshNotices.notices`. More are shown as one number."""
AGAIN_MS = 60_000
"""Milliseconds until what the disk has refused is tried again."""
TRIM_MS = 3_600_000
"""Milliseconds between two deletions of old notices."""
MOST_EARLY = 10_000
"""The most notices that have rung elsewhere before this device made them, of which it knows that."""
_SHARED_AT_ONCE = 25
"""For how many notices one turn of the event loop notifies other devices that they have rung: 1 to 2 ms."""
PAGE = 50
SOURCES = 1000

Mark = tuple[NoticeState, int | None]
"""What the person did with a notice, and for SNOOZED the time (ms) at which it is new again; otherwise None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshNotices:
    """The notices of one room that ring now. `notices`: the newest of them, at most MOST_NAMED, oldest first. `timed`:
    all that come at a time (`kinds.comes_at_a_time`), oldest first. `asking`: the ids of all that ask for an answer.
    `count`: how many there are in all. `caught_up`: they were received in the first reading after this device was
    offline, and are shown together."""

    room: RoomId
    notices: tuple[NoticeRow, ...]
    timed: tuple[NoticeRow, ...]
    asking: tuple[NoticeId, ...]
    count: int
    caught_up: bool


@dataclass(slots=True)
class _Ringing:
    notices: list[NoticeRow] = field(default_factory=list)
    timed: list[NoticeRow] = field(default_factory=list)
    asking: list[NoticeId] = field(default_factory=list)
    count: int = 0


class Notices:
    """Lists an account's notices, stores what the person does with them, and emits those that ring. Keep `run` running
    until it is cancelled. `level`: returns which notices of a room ring. `off`: returns the ids of the kinds that the
    person has switched off; those are neither listed nor ring. Both attributes may be replaced at any time."""

    def __init__(
        self,
        store: Store,
        kinds: Collection[NoticeKind],
        level: Callable[[RoomId], Level],
        off: Callable[[], frozenset[str]],
        alarms: Alarms,
        turns: Turns | None = None,
    ) -> None:
        """`alarms`: the session's timer. `turns`: decides which of the person's devices rings; None: this one."""
        self.changed: Signal[()] = Signal()
        """Emitted when notices were made, marked, answered or withdrawn: read the lists again."""
        self.fresh: Signal[FreshNotices] = Signal()
        """Emitted with the notices of a room that ring now. Those from the first reading of a room do not ring. Each
        notice rings at most once on this device, also over restarts. Nothing is emitted while the device catches up;
        afterwards there is one value for each room."""
        self.marked: Signal[Mapping[NoticeId, Mark]] = Signal()
        """Emitted with the new states of notices that the person marked on this device. Not emitted by
        `apply_states`."""
        self.rung: Signal[Mapping[NoticeId, int]] = Signal()
        """Emitted with notices of which this device had the turn, so that they ring on no other: at most 25 at once,
        and for each since when (ms) it was to ring. Also with those of which the person's choices let nothing ring."""
        self.received: Signal[RoomId] = Signal()
        """Emitted with a room when this device has received a new change of another person there. Not emitted while the
        device reads a room for the first time, nor for older history. A view that sees a room's unread count rise
        notifies the person only if this was emitted since it looked last: the count also rises when older history is
        received, and when the person marks something as unread on any of their devices."""
        self.level = level
        self.off = off
        self._store = store
        self._rows = store.notices
        self._personal = {kind.id for kind in kinds if kind.personal}
        self._always = {kind.id for kind in kinds if kind.always}
        self._turns = turns or Turns(ALONE)
        self._alarm = alarms.make(lambda: self._woken.set())
        self._gathering = 0
        self._catching_up = False
        self._was_away = True
        self._begun = False
        self._trimmed_at: int | None = None
        self._early: dict[NoticeId, None] = {}
        """Notices that have rung on another device, and that this device has not made yet."""
        self._woken = asyncio.Event()
        self._woken.set()
        self._ends = [
            store.notices.changed.connect(self._on_changed),
            store.changes.received.connect(self._on_received),
            self._turns.changed.connect(self._woken.set),
            self._turns.rung.connect(self._on_rung_elsewhere),
            alarms.shifted.connect(self._turns.begin_again),
        ]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    # -- lists -----------------------------------------------------------------------------------------------------

    def list(
        self, wanted: NoticeFilter = ALL, *, before: Cursor | None = None, limit: int = PAGE
    ) -> tuple[NoticeRow, ...]:
        """A page of at most `limit` notices that pass `wanted`, the newest first, without the kinds that are switched
        off. `before`: the time (ms) and id of the last notice of the page before; None for the first page.
        `NoticeFilter(open=True)` selects those that ask for an answer."""
        return tuple(self._rows.page(self._without_off(wanted), clock.now_ms(), before=before, limit=limit))

    def snoozed(self, limit: int = PAGE) -> Sequence[NoticeRow]:
        """At most `limit` notices that the person has snoozed to a time that has not come, the earliest first, without
        answered ones."""
        return self._rows.snoozed(clock.now_ms(), limit)

    def count(self, wanted: NoticeFilter = ALL) -> int:
        """How many notices pass `wanted`, counted up to 1,000."""
        return self._rows.count(self._without_off(wanted), clock.now_ms())

    def sources(self) -> tuple[set[RoomId], set[Uid]]:
        """The rooms that the latest SOURCES notices are about, and the people whose doing they are: what a list of them
        can be narrowed to."""
        return self._rows.sources(SOURCES)

    def is_due(self, room: RoomId) -> bool:
        """Whether notices of the room are still to ring: `fresh` will name them, and what else is new in the room need
        not ring by itself."""
        off = self.off()
        return any(row.kind not in off and self._rings(row) for row in self._rows.due(room))

    def _without_off(self, wanted: NoticeFilter) -> NoticeFilter:
        off = self.off()
        return replace(wanted, without=wanted.without | off) if off else wanted

    # -- what the person does --------------------------------------------------------------------------------------

    def mark_seen(self, ids: Collection[NoticeId]) -> None:
        """Marks new notices as seen: they were on screen. Those that ask for an answer still do. StoreFault."""
        self._mark(ids, NoticeState.SEEN)

    def mark_done(self, ids: Collection[NoticeId]) -> None:
        """Marks notices as done: they no longer ask for an answer. StoreFault."""
        self._mark(ids, NoticeState.DONE)

    def mark_new(self, ids: Collection[NoticeId]) -> None:
        """Marks notices as new again, whatever the person did with them. They do not ring again. StoreFault."""
        self._mark(ids, NoticeState.NEW)

    def snooze(self, ids: Collection[NoticeId], until_ms: int) -> None:
        """Postpones notices: until the time `until_ms` (ms, by this device's clock) they do not ask for an answer.
        StoreFault."""
        self._mark(ids, NoticeState.SNOOZED, until_ms)

    async def snooze_all(self, ids: Collection[NoticeId], until_ms: int) -> None:
        """As `snooze`, of any number, in parts between which other tasks run: 5,000 missed reminders ring together.
        After a StoreFault some may be postponed; another call does the rest."""
        left = iter(ids)
        while part := tuple(islice(left, AT_ONCE)):
            self.snooze(part, until_ms)
            await asyncio.sleep(0)

    def _mark(self, ids: Collection[NoticeId], state: NoticeState, until: int | None = None) -> None:
        left, changed = iter(ids), dict[NoticeId, Mark]()
        while part := tuple(islice(left, AT_ONCE)):
            changed |= self._rows.mark(part, state, until)
        if changed:
            self.marked.emit(changed)

    async def mark_all_seen(self, wanted: NoticeFilter = ALL) -> None:
        """Marks all new notices that pass `wanted` as seen, in parts between which other tasks run. StoreFault."""
        wanted = self._without_off(wanted)
        while ids := self._rows.unseen(wanted, clock.now_ms()):
            self._mark(ids, NoticeState.SEEN)
            await asyncio.sleep(0)

    def apply_states(self, states: Mapping[NoticeId, Mark]) -> None:
        """Stores states that another device of the person set, in place of those here. A state of a notice that this
        device has not made yet applies once it makes it. Notices with a state from another device no longer ring. Pass
        only states that have changed. StoreFault."""
        left = iter(states.items())
        while part := dict(islice(left, AT_ONCE)):
            self._rows.apply(part, clock.now_ms())

    # -- notices that stand for a present state: app.tool.Standing -------------------------------------------------

    async def keep(self, kinds: Sequence[NoticeKind], notices: Sequence[Notice]) -> None:
        """Makes `notices` the open notices of these kinds. New ones are added and ring. Open ones that are not in
        `notices` are marked as answered. Those that are here already keep their state. Works in parts, between which
        other tasks run. StoreFault."""
        wanted, left = dict[NoticeId, Notice](), iter(notices)
        while some := tuple(islice(left, AT_ONCE)):
            wanted |= {notice.id: notice for notice in some}
            await asyncio.sleep(0)
        here = set(self._rows.standing(kinds))
        gone = [ident for ident in here if ident not in wanted]
        new = [notice for ident, notice in wanted.items() if ident not in here]
        if gone or new:  # usually nothing has changed, and nothing is to ring
            with self.gathering():
                await self._change(iter(gone), iter(new))

    async def _change(self, gone: Iterator[NoticeId], new: Iterator[Notice]) -> None:
        """Marks the notices `gone` as answered and adds `new`, in parts."""
        while ended := tuple(islice(gone, AT_ONCE)):
            self._rows.end(ended)
            await asyncio.sleep(0)
        while part := tuple(islice(new, AT_ONCE // 4)):
            self._rows.put(part)
            await asyncio.sleep(0)

    # -- ringing ---------------------------------------------------------------------------------------------------

    def on_status(self, state: LinkState) -> None:
        """Notes the state of the connection. Nothing rings in the state SYNCING, in which the device reads what was
        written while it was offline; but if that takes minutes, reminders ring (`Turns.upto_ms`)."""
        self._turns.on_status(state)
        self._catching_up = state is LinkState.SYNCING
        self._was_away |= state is not LinkState.ONLINE
        if state is LinkState.ONLINE and not self._begun:
            self._begun = True
            with suppress(StoreFault), self._store.db.transaction() as conn:
                event_notices.begin(conn)
        self._woken.set()

    def _on_changed(self) -> None:
        self._woken.set()
        self.changed.emit()

    def _on_received(self, changes: Sequence[StoredChange]) -> None:
        last = dict[RoomId, int]()
        for change in changes:
            if change.n is not None and not change.own:
                last[change.room] = max(change.n, last.get(change.room, 0))
        for room, n in last.items():
            if self._rows.is_after_first_reading(room, n):
                self.received.emit(room)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """A context in which nothing rings, for code that makes many notices in parts: they ring together once the last
        such context has ended."""
        self._gathering += 1
        try:
            yield
        finally:
            self._gathering -= 1
            self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. Emits the notices that ring, makes snoozed notices new again when their time has come,
        finishes changes to many rows, and deletes old notices. StoreFault is logged and tried again."""
        while True:
            self._woken.clear()
            if self._gathering:  # its end wakes this again
                await self._woken.wait()
                continue
            try:
                await _in_parts(lambda: self._rows.bring_back(clock.now_ms()))
                await self._ring()
                await self._tidy()
                self._alarm.set(self._next_ms())
            except StoreFault as e:
                log.store.warning("notices", code=e.code)
                self._alarm.set(clock.now_ms() + AGAIN_MS)
            await self._woken.wait()

    def _next_ms(self) -> int:
        """When (ms) `run` is to go on if nothing wakes it before."""
        waiting = self._rows.next_by_turns()
        ready = None if waiting is None or self._gathering else self._turns.ready_ms(waiting)
        trimmed = (self._trimmed_at or 0) + TRIM_MS
        return min(at for at in (self._rows.next_return(), ready, trimmed) if at is not None)

    def _on_rung_elsewhere(self, since: Mapping[NoticeId, int]) -> None:
        """Stores what another device has rung, and since when it was to ring there. If the disk refuses, this device
        rings too. ▲ A notice that is put off to a later time stays so. Otherwise a message that the server delays, or
        one of a device that does not know yet that the notice was put off, would end what the person has put off, and
        the notice would not ring here again. ▲ For a notice that this device has not made yet, only the id is kept, in
        memory, of the latest MOST_EARLY such notices. Otherwise a stolen device that names ids of nothing would have
        1,000 rows a second written. After a restart such a notice waits for its value in the person's own object, as if
        the message had been lost."""
        with suppress(StoreFault):
            known, latest = self._rows.known(since), clock.now_ms() + clock.APART_MS
            self._silence({ident: min(at, latest) for ident, at in since.items() if ident in known})
            for ident in since:
                if ident not in known:
                    self._early[ident] = None
            for ident in list(islice(self._early, max(0, len(self._early) - MOST_EARLY))):
                del self._early[ident]

    def silence(self, ids: Collection[NoticeId]) -> None:
        """Stores that notices have rung on another device of the person: they no longer ring here. Snoozed ones are new
        again, and so are those that are done: pass only notices of which it is known that the person snoozed them after
        that. StoreFault."""
        self._silence(dict.fromkeys(ids, MAX_INT), reopens=True)

    def _silence(self, upto_ms: Mapping[NoticeId, int], *, reopens: bool = False) -> None:
        left = iter(upto_ms.items())
        while part := dict(islice(left, AT_ONCE)):
            self._rows.silence(part, clock.now_ms(), reopens=reopens)

    async def _ring(self) -> None:
        if self._gathering:
            return
        caught_up, rooms, by_turns = self._was_away, dict[RoomId, _Ringing](), dict[NoticeId, int]()
        if not self._catching_up:
            self._was_away = False
            while found := self._rows.claim():
                await self._gather(found, rooms)
        while (upto := self._turns.upto_ms()) is not None and (found := await self._claim(upto)):
            still = [row for row in found if row.returned or row.id not in self._early]
            for row in found:
                self._early.pop(row.id, None)
            await self._gather(still, rooms)
            by_turns |= {row.id: row.since for row in still}
        for room, ringing in rooms.items():
            self.fresh.emit(
                FreshNotices(
                    room=room,
                    notices=tuple(ringing.notices),
                    timed=tuple(ringing.timed),
                    asking=tuple(ringing.asking),
                    count=ringing.count,
                    caught_up=caught_up,
                )
            )
        left = iter(by_turns.items())
        while some := dict(islice(left, _SHARED_AT_ONCE)):  # only now: what ends before rings on another device
            self._turns.note_rung(some)
            self.rung.emit(some)
            await asyncio.sleep(0)

    async def _claim(self, upto: int) -> Sequence[NoticeRow]:
        """As `NoticeStore.claim`, with the commit in a thread: 5,000 missed reminders are 50 of them."""
        found = list[NoticeRow]()
        waiting = self._rows.next_by_turns()
        if waiting is not None and waiting <= upto:
            await self._store.db.apart(lambda: found.extend(self._rows.claim(upto)))
        return found

    async def _gather(self, found: Sequence[NoticeRow], rooms: dict[RoomId, _Ringing]) -> None:
        off = self.off()
        for row in found:
            if row.kind not in off and self._rings(row):
                ringing = rooms.setdefault(row.room, _Ringing())
                ringing.notices = [*ringing.notices[1 - MOST_NAMED :], row]
                ringing.count += 1
                if comes_at_a_time(row):
                    ringing.timed.append(row)
                if row.asks:
                    ringing.asking.append(row.id)
        if len(found) == AT_ONCE:  # there may be many more
            await asyncio.sleep(0)

    def _rings(self, row: NoticeRow) -> bool:
        if row.kind in self._always or row.returned:  # the person asked for it
            return True
        level = self.level(row.room)
        return level is Level.ALL or (level is Level.MENTIONS and row.kind in self._personal)

    async def _tidy(self) -> None:
        await _in_parts(self._rows.sweep)
        now = clock.now_ms()
        if self._trimmed_at is None or abs(now - self._trimmed_at) >= TRIM_MS:
            self._trimmed_at = now
            await _in_parts(lambda: self._rows.trim(now))


async def _in_parts(work: Callable[[], bool]) -> None:
    """Calls `work` until it returns False: nothing is left. Other tasks run between two calls."""
    is_more = True
    while is_more:
        is_more = work()
        await asyncio.sleep(0)


__all__ = [
    "ALL",
    "FreshNotices",
    "Level",
    "Mark",
    "NoticeFilter",
    "NoticeId",
    "NoticeRow",
    "NoticeState",
    "Notices",
]
