# SPDX-License-Identifier: EUPL-1.2
"""Open documents and boards under every order of events: no edit is lost, and none is shown as stored that is not."""

import shutil
from contextlib import suppress

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from app.errors import StoreFault
from app.objects import pieces
from app.store import statements as sql
from sync.client.received import ReceivedSlice
from tests.app.objects.live_sides import OBJ, BoardSide, DocumentSide, Side
from tests.app.objects.live_world import LiveWorld
from tests.office import ROOM

PLACES, KINDS_OF_EDIT, COLLEAGUES = st.integers(0, 200), st.integers(0, 5), st.integers(0, 1)


class Live(LiveWorld):
    """What may happen while objects are open, in any order."""

    # ---- this person

    @rule()
    def open(self) -> None:
        self.run(self._open)

    def _open(self) -> None:
        self.model = self.side.open(self.service)
        self._track()
        self.holders.append(self.side.holder(self.store, self.model))

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

    # ---- what must hold

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


@pytest.mark.parametrize("side", [DocumentSide(), BoardSide()], ids=["documents", "tasks"])
def test_no_order_of_events_loses_an_edit_or_shows_one_as_stored_that_is_not(side: Side) -> None:
    machine = type("Live", (Live,), {"side": side})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30))


@pytest.mark.parametrize("side", [DocumentSide(), BoardSide()], ids=["documents", "tasks"])
def test_nor_where_each_edit_is_stored_in_pieces(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE_BYTES", 24)
    machine = type("Live", (Live,), {"side": side})
    run_state_machine_as_test(machine, settings=settings(max_examples=15, stateful_step_count=30))
