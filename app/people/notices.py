# SPDX-License-Identifier: EUPL-1.2
"""What happened to people's keys, and the notices about it.

Decided here: a person's keys are the **genesis** that the safety number covers, and the **devices** that hold them. If
the number was compared, a device that was added or revoked gives one calm notice, which blocks nothing. A different
genesis is a different person, whatever name it has. A reset therefore takes the mark away, and both a reset and a
second live account of one staff record give a warning, which stays until the person says that it is dealt with. Neither
the mark nor a membership is transferred.
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
"""How many logs are read from the store before the loop may run other tasks: 1 ms each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNotice:
    """A notice that something happened to a person's keys. `kind`: "device-added", "device-recovered",
    "device-revoked", "reset" (the agency has ended the account) or "duplicate" (a second account with the same staff
    record); `other`: the other account of a duplicate; `t`: when this device noticed it, in ms; `more`: how many older
    notices of the same person it also covers, which are dismissed with it."""

    uid: Uid
    kind: str
    t: int
    other: Uid | None = None
    more: int = 0
    ids: tuple[int, ...] = field(default=(), repr=False)

    @property
    def warns(self) -> bool:
        """Whether it is a warning, not a calm notice."""
        return self.kind in (RESET, DUPLICATE)


class KeyWatch:
    """Checks people's logs for changes of their keys as they grow, and keeps notices about them. Keep `run` running
    until it is cancelled; call all other methods on the same loop."""

    def __init__(self, rows: KeyNotices, people: People, engine: Engine) -> None:
        self.changed: Signal[()] = Signal()
        """The open notices have changed."""
        self.unmark: Callable[[Uid], None] = lambda uid: None
        """Takes back that a person is verified in person."""
        self._rows = rows
        self._people = people
        self._engine = engine
        self._woken = asyncio.Event()
        self._woken.set()
        self._open: list[KeyNotice] | None = None
        self._resets: set[Uid] | None = None
        self._ends = [people.changed.connect(self._on_person)]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    def _on_person(self, uid: Uid) -> None:
        self._open = None  # a mark that is set or taken back deletes the notices about the person's devices
        self.wake()

    def wake(self) -> None:
        """Has `run` check again: a log has grown, or a person became known."""
        self._woken.set()

    # -- open notices -------------------------------------------------------------------------------------------------

    def open(self) -> list[KeyNotice]:
        """The open notices about people's keys: first the warnings (an account that was reset, or a duplicate of one
        that was not), then one calm notice for each person about their devices; of both the newest last."""
        if self._open is None:
            self._open = self._gather(self._rows.open())
        return self._open

    def _gather(self, rows: list[KeyNoticeRow]) -> list[KeyNotice]:
        calm: dict[Uid, list[KeyNoticeRow]] = {}
        warnings: list[KeyNotice] = []
        for row in rows:
            if row.kind not in (RESET, DUPLICATE):
                calm.setdefault(row.uid, []).append(row)
            elif row.kind == RESET or not ({row.uid, row.other} & self.resets()):  # a reset account is not alive
                other = Uid(row.other) if row.other else None
                warnings.append(KeyNotice(uid=row.uid, kind=row.kind, t=row.t, other=other, ids=(row.id,)))
        shared = [
            KeyNotice(uid=u, kind=r[-1].kind, t=r[-1].t, more=len(r) - 1, ids=tuple(x.id for x in r))
            for u, r in calm.items()
        ]
        return warnings + sorted(shared, key=lambda notice: notice.t)

    def resets(self) -> set[Uid]:
        """The people whose accounts the agency has reset."""
        if self._resets is None:
            self._resets = self._rows.resets()
        return self._resets

    def warning(self, uid: Uid) -> str:
        """`"reset"` or `"duplicate"` while there is a warning about the person, otherwise ""."""
        return next((n.kind for n in self.open() if n.warns and uid in (n.uid, n.other)), "")

    def dismiss(self, notice: KeyNotice) -> None:
        """Closes a notice about a person's keys, and the older ones about the same person that it covers
        (`KeyNotice.more`), on this device alone: the user has seen it, or dealt with it. StoreFault."""
        self._rows.dismiss(notice.ids)
        self._emit_changed()

    def _emit_changed(self) -> None:
        self._open = self._resets = None
        self.changed.emit()

    # -- reading logs -------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until cancelled. Checks people's key logs for changes whenever `wake` was called, beginning with those
        in the store from before. A check that fails is logged, and made again after the next `wake`."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self.look()
            except StoreFault as e:
                log.store.info("notices-wait", code=e.code)
            except Exception as e:  # a fault of ours: logged, and tried again with the next change
                log.store.exception("notices", e)

    async def look(self) -> None:
        """Checks every entry of people's key logs that has not been checked yet, and adds notices for what it finds. A
        person who was reset no longer counts as verified in person. StoreFault."""
        shared = await self._begin()
        for at, (uid, seen) in enumerate(self._rows.behind()):
            shared = self._look_through(uid, seen) or shared
            if at % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        shared = self._find_duplicate_accounts() or shared
        if shared:
            self._emit_changed()

    async def _begin(self) -> bool:
        """Begins to watch the key logs of people who are new here. If the agency has reset the account of one of them
        already, that is stored without a notice, together with the beginning: the log is not checked again. Returns
        whether a reset was stored."""
        new, any_ended = self._rows.new(), False
        for at in range(0, len(new), _BREATH):
            some = new[at : at + _BREATH]
            ended = [uid for uid in some if self._engine.is_over(uid)]
            self._rows.begin(some, ended)
            any_ended = any_ended or bool(ended)
            await asyncio.sleep(0)
        return any_ended

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
