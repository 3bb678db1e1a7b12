# SPDX-License-Identifier: EUPL-1.2
"""Open documents and boards under every order of events: no edit is lost, and none is shown as stored that is not."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.core.enums import Role
from app.core.ids import ChangeId, DevId
from app.errors import StoreFault
from app.objects import live, pieces
from app.objects.crdt import REMOTE, Update
from app.store import objects as object_rows
from app.store import rooms as room_rows
from app.store import statements as sql
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import Received, ReceivedSlice, Resolved
from tests.app.objects.crdts import crdt_of
from tests.app.objects.live_sides import (
    KINDS,
    OBJ,
    PATIENCE_S,
    BoardSide,
    DocumentSide,
    Gate,
    Holder,
    Sent,
    Side,
)
from tests.memory import memory_folder
from tests.office import EK, HL, KEY, NAMES, ROOM

PLACES, KINDS_OF_EDIT, COLLEAGUES = st.integers(0, 200), st.integers(0, 5), st.integers(0, 1)


class Live(RuleBasedStateMachine):
    """One person's program with one object, and a colleague who writes in it elsewhere."""

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

    # ---- the world

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

    # ---- this person

    @rule()
    def open(self) -> None:
        self.run(self._open)

    def _open(self) -> None:
        self.model = self.side.open(self.service)
        self._track()
        self.holders.append(self.side.holder(self.store, self.model))

    def _track(self) -> None:
        if self.tracked is not self.model:
            self.tracked = self.model
            crdt_of(self.model).updated.connect(self._on_own)

    def _on_own(self, update: Update) -> None:
        if update.origin != REMOTE:
            self.own.append(update.data)
            self.intruder = self.intruder and []

    @precondition(lambda self: self.holders)
    @rule()
    def close(self) -> None:
        self.holders.pop().close()

        def act() -> None:
            with suppress(StoreFault):
                self.side.close(self.service)

        if not self.holders:
            self.model = self.tracked = None
        self.run(act)

    @precondition(lambda self: self.holders)
    @rule(at=PLACES, what=KINDS_OF_EDIT)
    def edit(self, at: int, what: int) -> None:
        event(f"edit, refused {self.refused}, commit apart {self.apart is not None}")
        self.run(lambda: self._edit(at, what))

    def _edit(self, at: int, what: int) -> None:
        self.holders[0].writing = True
        try:
            with suppress(StoreFault):
                self.side.edit(self.model, at, what, f"⟦{len(self.own)}⟧")
        finally:
            self.holders[0].writing = False

    @precondition(lambda self: self.holders)
    @rule()
    def undo(self) -> None:
        self.run(self._undo)

    def _undo(self) -> None:
        with suppress(StoreFault):
            (self.model if self.side.kind == "document" else self.model.undo).undo()

    @rule()
    def retry(self) -> None:
        def act() -> None:
            with suppress(StoreFault):
                self.service.save()

        self.run(act)

    # ---- the colleague

    @rule(whose=COLLEAGUES, at=PLACES, what=KINDS_OF_EDIT)
    def write_elsewhere(self, whose: int, at: int, what: int) -> None:
        """Before they have read anything of what others write."""
        self.side.edit(self.theirs[whose], at, what, f"⟨{self.count}⟩")

    @precondition(lambda self: self.flight and not self.refused)
    @rule(whose=COLLEAGUES)
    def arrive(self, whose: int) -> None:
        self.run(lambda: self._receive(self._next(whose)))

    @precondition(lambda self: self.flight and not self.refused)
    @rule(whose=COLLEAGUES)
    def arrive_apart(self, whose: int) -> None:
        self._settle()
        received = self._slice(self._next(whose))
        self._begin_apart(lambda: self.store.inbox.receive_apart(received))

    @precondition(lambda self: not self.refused)
    @rule(junk=st.sampled_from([b"", b"\x01nonsense", b"\x63" + bytes(40)]), apart=st.booleans())
    def damaged(self, junk: bytes, apart: bool) -> None:
        self.count += 1
        received = ReceivedSlice(room=ROOM, cursor=self.count, state=b"", changes=[self._opened(self.count, junk)])
        self._arrives(received, apart)

    def _arrives(self, received: Received, apart: bool) -> None:
        self._settle()
        if apart:
            self._begin_apart(lambda: self.store.inbox.receive_apart(received))
        else:
            self.run(lambda: self.store.receive(received))

    @precondition(lambda self: not self.refused and self.intruder is None)
    @rule(at=PLACES, what=KINDS_OF_EDIT, apart=st.booleans())
    def intrude(self, at: int, what: int, apart: bool) -> None:
        """Somebody writes on what is stored here, which `take_back` leaves out again."""
        self._settle()
        made: list[bytes] = []
        theirs = self.side.new(made.append)
        theirs.merge(list(self.side.updates(change.data for change in self.store.changes.of(OBJ))))
        self.side.edit(theirs, at, what, f"⟪{self.count}⟫")
        theirs.close()
        self.intruder = []
        for update in made:
            self.count += 1
            self.intruder.append(self.count)
            change = self._opened(self.count, self.side.data(update))
            self._arrives(ReceivedSlice(room=ROOM, cursor=self.count, state=b"", changes=[change]), apart)

    @precondition(lambda self: not self.refused and self.intruder)
    @rule(apart=st.booleans())
    def take_back(self, apart: bool) -> None:
        """An administrator leaves out what somebody wrote, while nobody has written since."""
        self._settle()
        intruder, self.intruder = self.intruder or [], None
        rows = [(change.rowid,) for change in self.store.changes.of(OBJ) if change.n in intruder]

        def write() -> None:
            self.store.db.conn.executemany(sql.MARK_UNPROJECTED, [(sql.LEFT_OUT_CHANGE, *row) for row in rows])
            self.store._projecting.take_back(OBJ)

        def act() -> None:
            with self.store.transaction():
                write()

        if apart:
            self._begin_apart(lambda: self.store.db.apart(write))
        else:
            self.run(act)

    def _begin_apart(self, begin: Callable[[], Any]) -> None:
        self.gate.asked.clear()

        def act() -> None:
            self.apart = asyncio.ensure_future(begin())

        self.run(act)

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

    # ---- the disk and the end

    @precondition(lambda self: not self.refused)
    @rule()
    def lock_database(self) -> None:
        self._settle()
        self.locker = self.store.db._connect()
        self.locker.execute("BEGIN IMMEDIATE")

    @precondition(lambda self: not self.refused)
    @rule()
    def fill_disk(self) -> None:
        self._settle()
        self.store.db.conn.execute(f"PRAGMA max_page_count={self.store.db.value('PRAGMA page_count')}")
        self.full = True

    @precondition(lambda self: self.refused)
    @rule()
    def make_room(self) -> None:
        self._free()

    def _free(self) -> None:
        if self.locker is not None:
            self.locker.close()
            self.locker = None
        if self.full:
            self.store.db.conn.execute("PRAGMA max_page_count=1000000")
            self.full = False

    @rule()
    def lock_session(self) -> None:
        """The person locks: the session closes its tools and the store, and is opened again."""
        event(f"session closed, refused {self.refused}, commit apart {self.apart is not None}")
        handed: list[bytes] = []
        self._leave()
        self.run(lambda: handed.extend(self.side.close_all(self.service)))
        self._settle()
        lacking = self._lacking()
        assert set(self.side.updates(handed)) >= set(lacking), "an own edit is dropped"
        self._lose(lacking)
        self._free()
        self.store.close()
        self._reopen(self.store.db.path)

    @rule()
    def crash(self) -> None:
        """The program ends and only what is on the disk remains."""
        self._leave()
        lost = self._lacking() if self.apart is None else None
        if lost is None:
            self._settle()
            lost = self._lacking()
        if lost:
            assert self.side.unsaved(self.service)
        self._lose(lost)
        self._free()
        self.runs += 1
        old, new = self.store.db.path.parent, self.folder / str(self.runs)
        self.store.db._checkpointer.stop()
        shutil.copytree(old, new)
        for end in (*self.service._ends, *self.service._live._ends):
            end()
        self.store.close()
        self._reopen(new / "office.db")

    def _leave(self) -> None:
        for holder in self.holders:
            holder.close()
        self.holders, self.model, self.tracked = [], None, None

    def _lose(self, lost: list[bytes]) -> None:
        self.own = [update for update in self.own if update not in lost]

    def _reopen(self, path: Path) -> None:
        self.store = Store.open(path, KEY, KINDS)
        self.run(self._started)

    # ---- what must hold

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

    @rule()
    def wait(self) -> None:
        self._settle()

    @invariant()
    def what_is_shown_is_what_is_stored_or_known_to_be_unsaved(self) -> None:
        if self.apart is not None and not self.apart.done():
            return
        self._settle()
        lacking = self._lacking()
        assert not lacking or self.side.unsaved(self.service), "an edit is not stored, and nobody knows"
        if self.model is None:
            return
        assert self.side.view(self.model) == self.side.fresh(self.store, lacking)
        for holder in self.holders:
            assert holder.shows() == self.side.shown(self.model), "a holder was notified in another order"

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


@pytest.mark.parametrize("side", [DocumentSide(), BoardSide()], ids=["documents", "tasks"])
def test_no_order_of_events_loses_an_edit_or_shows_one_as_stored_that_is_not(side: Side) -> None:
    machine = type("Live", (Live,), {"side": side})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30))


@pytest.mark.parametrize("side", [DocumentSide(), BoardSide()], ids=["documents", "tasks"])
def test_nor_where_each_edit_is_stored_in_pieces(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 24)
    machine = type("Live", (Live,), {"side": side})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=30))
