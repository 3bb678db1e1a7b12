# SPDX-License-Identifier: EUPL-1.2
"""The notices of one account: lists, what the person does with them, and which ring now.

Lives on the event loop. Nothing here holds it for long, also with 100,000 notices: work on many rows is done in parts.
What is shown of a notice is read from its place (`OpenTools.find`), since a row has no text.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from app.core import clock, log
from app.core.enums import Level, LinkState
from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.errors import StoreFault
from app.store import event_notices
from app.store.notice_rows import AT_ONCE, Notice, NoticeId, NoticeKind, NoticeState
from app.store.notice_store import ALL, Cursor, NoticeFilter, NoticeRow
from app.store.store import Store

MOST_NAMED = 20
"""The most notices that `FreshNotices` names one by one: a catch-up of more is one toast."""
TICK_S = 60.0
"""How often the clock is looked at, for snoozed notices and old ones: it may have been set, or the computer slept."""
TRIM_MS = 3_600_000
"""How often old notices are deleted, ms."""
PAGE = 50
SOURCES = 1000

Mark = tuple[NoticeState, int | None]
"""What the person did with a notice, and until when (ms) if it is SNOOZED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshNotices:
    """Notices of one room that are to ring now. `notices`: the newest ones, at most MOST_NAMED, oldest first; `count`:
    how many there are. `caught_up`: they came while this device was away, and are shown together."""

    room: RoomId
    notices: tuple[NoticeRow, ...]
    count: int
    caught_up: bool


@dataclass(slots=True)
class _Ringing:
    notices: list[NoticeRow] = field(default_factory=list)
    count: int = 0


class Notices:
    """Lists an account's notices, stores what the person does with them, and says which ring. Keep `run` running until
    it is cancelled. `level` returns which notices of a room ring, `off` the ids of kinds that the person does not want:
    these are neither listed nor do they ring. Both may be replaced."""

    def __init__(
        self,
        store: Store,
        kinds: Collection[NoticeKind],
        level: Callable[[RoomId], Level],
        off: Callable[[], frozenset[str]],
    ) -> None:
        self.changed: Signal[()] = Signal()
        """Notices were made, marked, answered or taken back: read the lists again."""
        self.fresh: Signal[FreshNotices] = Signal()
        """Notices ring now: made by what this device received, not by its first reading of a room. Each notice is
        emitted at most once, ever, on this device. Nothing is emitted while the device catches up; afterwards one value
        for each room."""
        self.marked: Signal[Mapping[NoticeId, Mark]] = Signal()
        """The person gave notices these states on this device. Not emitted by `apply_states`."""
        self.level = level
        self.off = off
        self._store = store
        self._rows = store.notices
        self._personal = {kind.id for kind in kinds if kind.personal}
        self._catching_up = False
        self._was_away = True
        self._begun = False
        self._trimmed_at: int | None = None
        self._woken = asyncio.Event()
        self._woken.set()
        self._end = store.notices.changed.connect(self._on_changed)

    def close(self) -> None:
        """Stops following the store."""
        self._end()

    # -- lists -----------------------------------------------------------------------------------------------------

    def list(
        self, wanted: NoticeFilter = ALL, *, before: Cursor | None = None, limit: int = PAGE
    ) -> tuple[NoticeRow, ...]:
        """A page of at most `limit` notices that pass `wanted`, the newest first. `before`: (t, id) of the last notice
        of the page before. `NoticeFilter(open=True)` gives those that ask for an answer."""
        return tuple(self._rows.page(self._without_off(wanted), clock.now_ms(), before=before, limit=limit))

    def count(self, wanted: NoticeFilter = ALL) -> int:
        """How many notices pass `wanted`; 1000 if there are as many or more."""
        return self._rows.count(self._without_off(wanted), clock.now_ms())

    def get(self, ident: NoticeId) -> NoticeRow | None:
        """One notice; None if it is gone."""
        return self._rows.get(ident)

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
        """Notes that notices were on screen. Those that ask for an answer still do. StoreFault."""
        self._mark(ids, NoticeState.SEEN)

    def mark_done(self, ids: Collection[NoticeId]) -> None:
        """Notes that the person is done with notices: they ask no more. StoreFault."""
        self._mark(ids, NoticeState.DONE)

    def mark_new(self, ids: Collection[NoticeId]) -> None:
        """Takes back what the person did with notices: they are new again, and ring nothing. StoreFault."""
        self._mark(ids, NoticeState.NEW)

    def snooze(self, ids: Collection[NoticeId], until_ms: int) -> None:
        """Hides notices from what asks for an answer until a time. StoreFault."""
        self._mark(ids, NoticeState.SNOOZED, until_ms)

    def _mark(self, ids: Collection[NoticeId], state: NoticeState, until: int | None = None) -> None:
        left, changed = iter(ids), dict[NoticeId, Mark]()
        while part := tuple(islice(left, AT_ONCE)):
            changed |= self._rows.mark(part, state, until)
        if changed:
            self.marked.emit(changed)

    async def mark_all_seen(self, wanted: NoticeFilter = ALL) -> None:
        """Marks all notices that pass `wanted` as seen, in parts. StoreFault."""
        wanted = self._without_off(wanted)
        while ids := self._rows.unseen(wanted, clock.now_ms()):
            self._mark(ids, NoticeState.SEEN)
            await asyncio.sleep(0)

    def apply_states(self, states: Mapping[NoticeId, Mark]) -> None:
        """Takes in states that another device of the person gave, in place of those here; also of notices that this
        device has not made yet. Call it with those that have changed. They ring no more. StoreFault."""
        left = iter(states.items())
        while part := dict(islice(left, AT_ONCE)):
            self._rows.apply(part, clock.now_ms())

    # -- notices that stand for a present state: app.tool.Standing -------------------------------------------------

    async def keep(self, kinds: Sequence[NoticeKind], notices: Sequence[Notice]) -> None:
        """Makes the notices of these kinds those that are given: new ones are added and ring; those that are not among
        them are answered. One that is here already keeps its state. Works in parts. StoreFault."""
        wanted = {notice.id: notice for notice in notices}
        here = set(self._rows.standing(kinds))
        gone = iter([ident for ident in here if ident not in wanted])
        new = iter([notice for ident, notice in wanted.items() if ident not in here])
        while ended := tuple(islice(gone, AT_ONCE)):
            self._rows.end(ended)
            await asyncio.sleep(0)
        while part := tuple(islice(new, AT_ONCE // 4)):
            self._rows.put(part)
            await asyncio.sleep(0)

    # -- ringing ---------------------------------------------------------------------------------------------------

    def on_status(self, state: LinkState) -> None:
        """Receives the state of the connection. While everything is read that came meanwhile (SYNCING), nothing
        rings."""
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

    async def run(self) -> None:
        """Runs until cancelled: has notices ring, finishes changes to many rows, deletes old notices, and emits
        `changed` when a snoozed one is due."""
        wake: int | None = None
        while True:
            self._woken.clear()
            try:
                await self._ring()
                await self._tidy()
                if wake is not None and wake <= clock.now_ms():
                    self.changed.emit()
                wake = self._rows.next_wake(clock.now_ms())
            except StoreFault as e:
                log.store.warning("notices", code=e.code)
            wait_s = TICK_S if wake is None else min(TICK_S, max(0, wake - clock.now_ms()) / 1000 + 0.001)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()

    async def _ring(self) -> None:
        if self._catching_up:
            return
        caught_up, rooms = self._was_away, dict[RoomId, _Ringing]()
        self._was_away = False
        off = self.off()
        while found := self._rows.claim():
            for row in found:
                if row.kind not in off and self._rings(row):
                    ringing = rooms.setdefault(row.room, _Ringing())
                    ringing.notices = [*ringing.notices[1 - MOST_NAMED :], row]
                    ringing.count += 1
            await asyncio.sleep(0)
        for room, ringing in rooms.items():
            self.fresh.emit(
                FreshNotices(room=room, notices=tuple(ringing.notices), count=ringing.count, caught_up=caught_up)
            )

    def _rings(self, row: NoticeRow) -> bool:
        level = self.level(row.room)
        return level is Level.ALL or (level is Level.MENTIONS and row.kind in self._personal)

    async def _tidy(self) -> None:
        await _in_parts(self._rows.sweep)
        now = clock.now_ms()
        if self._trimmed_at is None or abs(now - self._trimmed_at) >= TRIM_MS:
            self._trimmed_at = now
            await _in_parts(lambda: self._rows.trim(now))


async def _in_parts(work: Callable[[], bool]) -> None:
    """Calls `work` until it returns False: nothing is left. Other tasks run in between."""
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
