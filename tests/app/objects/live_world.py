# SPDX-License-Identifier: EUPL-1.2
"""The world of the state machine of open objects: a person's store, service and disk, and two colleagues who write
elsewhere. test_live_machine.py has what may happen in it."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

import pytest
from hypothesis.stateful import RuleBasedStateMachine, initialize

from app.core.enums import Role
from app.core.ids import ChangeId, DevId
from app.objects import live
from app.objects.crdt import REMOTE, Update
from app.store import objects as object_rows
from app.store import rooms as room_rows
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import Received, ReceivedSlice, Resolved
from tests.app.objects.crdts import crdt_of
from tests.app.objects.live_sides import KINDS, OBJ, Gate, Holder, Sent, Side
from tests.memory import memory_folder
from tests.office import EK, HL, KEY, NAMES, ROOM
from tests.patience import PATIENCE_S


class LiveWorld(RuleBasedStateMachine):
    """One person's program with one object, and colleagues who write in it elsewhere."""

    side: ClassVar[Side]

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.gate = Gate(self.patch)
        self.patch.setattr(live, "CACHE_AFTER", 4)
        self.loop = asyncio.new_event_loop()
        self.folder = Path(mkdtemp(dir=memory_folder(1 << 20)))
        self.own: list[bytes] = []
        """Every update of this person's that is to be in the store sooner or later."""
        self.flight: list[Sent] = []
        self.sent_by: tuple[list[bytes], list[bytes]] = ([], [])
        self.count, self.runs = 10, 0
        self.apart: asyncio.Task[None] | None = None
        self.locker: Any = None
        self.holders: list[Holder] = []
        self.model: Any = None
        self.tracked: Any = None
        self.intruder: list[int] | None = None
        """The positions of what may be taken back: nothing was written on it. Empty if something was."""

    @initialize()
    def begin(self) -> None:
        self.store = Store.create(self.folder / "0" / "office.db", KEY, KINDS)
        self.store.set_me(HL)
        members = [MemberRow(uid=uid, role=Role.OWNER, since_n=0, history=True) for uid in NAMES]
        self.store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=members))
        with self.store.transaction() as conn:
            room_rows.name(conn, ROOM, "Tillsyn", "case", 1)
            object_rows.announce(conn, ROOM, OBJ, self.side.kind, 1, EK)
        begun: list[bytes] = []
        self.theirs = [self.side.new(begun.append)]
        self.side.begin(self.theirs[0])
        self.base = begun[:]
        other = self.side.new(lambda update: self._sent(1, update))
        other.merge(begun)
        self.theirs.append(other)
        for update in begun:
            self._sent(0, update)
        crdt_of(self.theirs[0]).updated.connect(lambda update: self._sent(0, update.data))
        self._started()
        while self.flight:
            self._receive(self.flight[0])
        self.run(lambda: None)

    def _sent(self, whose: int, update: bytes) -> None:
        self.count += 1
        self.sent_by[whose].append(update)
        self.flight.append(Sent(self.count, whose, self.side.data(update)))

    def _next(self, whose: int) -> Sent:
        """▲ What one colleague wrote is merged in its order, as the judges have it (app/store/judges.py)."""
        return next((sent for sent in self.flight if sent.whose == whose), self.flight[0])

    def _started(self) -> None:
        self.service = self.side.service(self.store)
        self.store.db.conn.execute("PRAGMA busy_timeout=0")
        self.service.start()

    def run(self, act: Callable[[], object]) -> None:
        """Acts in a turn of the loop, and lets what it put off follow."""

        async def turns() -> None:
            act()
            for _ in range(4):
                await asyncio.sleep(0)

        self.loop.run_until_complete(asyncio.wait_for(turns(), PATIENCE_S))

    @property
    def refused(self) -> bool:
        return self.locker is not None or self.full

    full = False

    def _track(self) -> None:
        if self.tracked is not self.model:
            self.tracked = self.model
            crdt_of(self.model).updated.connect(self._on_own)

    def _on_own(self, update: Update) -> None:
        if update.origin != REMOTE:
            self.own.append(update.data)
            self.intruder = self.intruder and []

    def _begin_apart(self, begin: Callable[[], Any]) -> None:
        self.gate.asked.clear()

        def act() -> None:
            self.apart = asyncio.ensure_future(begin())

        self.run(act)

    def _arrives(self, received: Received, apart: bool) -> None:
        self._settle()
        if apart:
            self._begin_apart(lambda: self.store.inbox.receive_apart(received))
        else:
            self.run(lambda: self.store.receive(received))

    def _receive(self, sent: Sent) -> None:
        self._settle()
        self.store.receive(self._slice(sent))

    def _slice(self, sent: Sent) -> Received:
        """▲ What is skipped is known to be missing, as it is from the room's chain: that is stored before."""
        self.flight.remove(sent)
        waiting = [other for other in self.flight if other.n < sent.n and not other.skipped]
        for other in waiting:
            other.skipped = True
        rows, changes = [(other.n, b"shut") for other in waiting], [self._opened(sent.n, sent.data)]
        self.store.receive(ReceivedSlice(room=ROOM, cursor=self.count, state=b"", waiting=rows))
        if sent.skipped:
            return Resolved(room=ROOM, changes=changes, resolved=[sent.n])
        return ReceivedSlice(room=ROOM, cursor=self.count, state=b"", changes=changes)

    def _opened(self, n: int, data: bytes) -> OpenedChange:
        return OpenedChange(
            n=n, t=n, uid=EK, dev=DevId(EK), obj=OBJ, change_id=ChangeId(n.to_bytes(16, "big")), payload=data
        )

    def _free(self) -> None:
        if self.locker is not None:
            self.locker.close()
            self.locker = None
        if self.full:
            self.store.db.conn.execute("PRAGMA max_page_count=1000000")
            self.full = False

    def _leave(self) -> None:
        for holder in self.holders:
            holder.close()
        self.holders, self.model, self.tracked = [], None, None

    def _lose(self, lost: list[bytes]) -> None:
        self.own = [update for update in self.own if update not in lost]

    def _reopen(self, path: Path) -> None:
        self.store = Store.open(path, KEY, KINDS)
        self.run(self._started)

    def _settle(self) -> None:
        """The commit that runs apart is over, and so is what it brought."""
        self.gate.asked.set()
        self.store.db._settle()
        if self.apart is not None and not self.loop.is_running():
            apart, self.apart = self.apart, None
            self.loop.run_until_complete(asyncio.wait_for(apart, PATIENCE_S))
            self.run(lambda: None)

    def _lacking(self) -> list[bytes]:
        stored = set(self.side.stored(self.store))
        return [update for update in self.own if update not in stored]

    def _in_another_order(self, updates: list[bytes]) -> list[bytes]:
        """The second colleague's first, whatever came first here; and nobody's before what it builds on."""
        second = self.sent_by[1]
        return sorted(updates, key=lambda update: (update not in self.base, update not in second))

    def teardown(self) -> None:
        try:
            if hasattr(self, "service"):
                self._end()
        finally:
            self.patch.undo()
            self.loop.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        self._settle()
        self._free()
        self.run(self.service.save)
        assert self._lacking() == []
        while self.flight:
            self.run(lambda: self._receive(self.flight[0]))
        assert self._lacking() == []
        assert not self.side.unsaved(self.service)
        self._leave()
        self.run(lambda: self.side.close_all(self.service))
        self._reopen_and_compare()

    def _reopen_and_compare(self) -> None:
        self.store.close()
        self._reopen(self.store.db.path)
        model = self.side.open(self.service)
        shown = self.side.view(model)
        assert shown == self.side.fresh(self.store)
        assert shown == self.side.fresh(self.store, order=self._in_another_order), "the order of arrival matters"
        del model
        self.run(lambda: self.side.close_all(self.service))
        self.store.close()
