# SPDX-License-Identifier: EUPL-1.2
"""What happened to people's keys, and what a person is told of it.

Decided here: a person's keys are the **genesis** that the safety number covers, and the **devices** that hold them. If
the number was compared, a device that came or went gives one calm notice, which blocks nothing. Another genesis is
another person, whatever name it has: a reset takes the mark away, and both it and a second live account of one staff
record are a warning that stands until somebody says that it is dealt with. Neither mark nor membership goes over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from app.core import log
from app.core.ids import Uid
from app.core.signal import Signal
from app.errors import StoreFault
from app.store.notices import DUPLICATE, RESET, KeyNotices
from app.store.people import People
from app.store.rows import KeyNoticeRow
from sync.client.engine import Engine
from sync.client.room.trust_facts import Change

_BREATH = 8
"""Logs that may be read from the store in one turn of the loop: 1 ms each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNotice:
    """One thing to tell of a person. `kind` as in KeyNoticeRow; `other` the other account of a "twin"; `t` ms when this
    device saw it; `more`: how many like it stand behind this, the newest, and go with it."""

    uid: Uid
    kind: str
    t: int
    other: Uid | None = None
    more: int = 0
    ids: tuple[int, ...] = field(default=(), repr=False)

    @property
    def warns(self) -> bool:
        """Whether it is a warning, and no calm notice."""
        return self.kind in (RESET, DUPLICATE)


class Notices:
    """Looks through logs as they grow. `run` until cancelled; everything else on the loop as well."""

    def __init__(self, rows: KeyNotices, people: People, engine: Engine) -> None:
        self.changed: Signal[()] = Signal()
        """Other notices stand than before."""
        self.unmark: Callable[[Uid], None] = lambda uid: None
        """Takes back that somebody is verified in person."""
        self._rows = rows
        self._people = people
        self._engine = engine
        self._woken = asyncio.Event()
        self._woken.set()
        self._open: list[KeyNotice] | None = None
        self._resets: set[Uid] | None = None
        self._ends = [people.changed.connect(lambda uid: self.wake())]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    def wake(self) -> None:
        """A log has grown, or somebody has become known."""
        self._woken.set()

    # -- what is told -------------------------------------------------------------------------------------------------

    def open(self) -> list[KeyNotice]:
        """What stands: warnings first, then one calm notice for each person, the newest last."""
        if self._open is None:
            self._open = self._gather(self._rows.open())
        return self._open

    def _gather(self, rows: list[KeyNoticeRow]) -> list[KeyNotice]:
        calm: dict[Uid, list[KeyNoticeRow]] = {}
        warnings: list[KeyNotice] = []
        for row in rows:
            if row.kind not in (RESET, DUPLICATE):
                calm.setdefault(row.uid, []).append(row)
            elif row.kind == RESET or not ({row.uid, row.other} & self.resets()):  # a reset one lives no more
                other = Uid(row.other) if row.other else None
                warnings.append(KeyNotice(uid=row.uid, kind=row.kind, t=row.t, other=other, ids=(row.id,)))
        shared = [
            KeyNotice(uid=u, kind=r[-1].kind, t=r[-1].t, more=len(r) - 1, ids=tuple(x.id for x in r))
            for u, r in calm.items()
        ]
        return warnings + sorted(shared, key=lambda notice: notice.t)

    def resets(self) -> set[Uid]:
        """Whose accounts the agency has reset."""
        if self._resets is None:
            self._resets = self._rows.resets()
        return self._resets

    def warning(self, uid: Uid) -> str:
        """ "reset" or "twin" while a warning about the person stands, else ""."""
        return next((n.kind for n in self.open() if n.warns and uid in (n.uid, n.other)), "")

    def dismiss(self, notice: KeyNotice) -> None:
        """It has been seen, or dealt with."""
        self._rows.dismiss(notice.ids)
        self._emit_changed()

    def _emit_changed(self) -> None:
        self._open = self._resets = None
        self.changed.emit()

    # -- looking ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Looks whenever it is woken; what is in the store of before is looked through first."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.look()
            except StoreFault as e:
                log.store.info("notices-wait", code=e.code)
            except Exception as e:  # a fault of ours: told, and tried again with the next change
                log.store.exception("notices", e)

    async def look(self) -> None:
        """Goes through everything that is not looked through yet. StoreFault."""
        shared = await self._begin()
        for at, (uid, seen) in enumerate(self._rows.behind()):
            shared = self._look_through(uid, seen) or shared
            if at % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        shared = self._find_duplicate_accounts() or shared
        if shared:
            self._emit_changed()

    async def _begin(self) -> bool:
        """Begins to follow new logs. Who was reset before this device knew them is remembered, and nobody told."""
        ended = False
        for at, uid in enumerate(self._rows.begin_new()):
            if self._engine.is_over(uid):
                ended = self._rows.put(uid, RESET, done=True) or ended
            if at % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        return ended

    def _look_through(self, uid: Uid, seen: int) -> bool:
        changes = self._engine.key_changes(uid, seen)
        newest = self._engine.log_seq(uid)
        if newest is None:
            return False
        row = self._people.get(uid)
        compared = row is not None and row.verified is not None
        mine = uid == self._engine.uid  # one's own devices have a list of their own
        shared = [(c.what.value, c.seq) for c in changes if c.what is Change.RESET or (compared and not mine)]
        self._rows.advance(uid, newest, shared)
        if compared and any(c.what is Change.RESET for c in changes):
            self.unmark(uid)
        return bool(shared)

    def _find_duplicate_accounts(self) -> bool:
        found = [pair for pair in self._rows.duplicate_accounts() if not set(pair) & self.resets()]
        return sum(self._rows.put(uid, DUPLICATE, other=other) for uid, other in found) > 0
