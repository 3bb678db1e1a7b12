# SPDX-License-Identifier: EUPL-1.2
"""The same people and the real server, honest, on a bad day: lines are cut, programs die, disks are set back, devices
are added and lost, the server crashes or is restored from a backup. Invariant 5 of the design holds in the end."""

import os
from random import Random

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from sync.client.status import RoomState
from sync.ids import RoomId, Uid
from sync.trust.formats.items import ENVELOPE, Role
from tests.sync.byzantine.budget import budget
from tests.sync.byzantine.desk import Desk
from tests.sync.byzantine.honest import HonestServer
from tests.sync.byzantine.invariants import ALARMS
from tests.sync.byzantine.ledger import Ledger
from tests.sync.byzantine.office import Office
from tests.sync.byzantine.people import Person
from tests.sync.byzantine.world import MOST_DESKS, SEED, World

MIX = {"write": 3, "operation": 3, "fall": 2, "live": 4, "trouble": 2}
HOUR_S = 3600
PATIENCE = 40


class BadDay(World):
    """`losses`: whose disk may be set back, the desks' or the server's. What both have lost cannot be recovered."""

    server: HonestServer

    def open_office(self, seed: int) -> None:
        self.losses = ("desks", "server")[seed % 2]
        self.office = Office(
            seed,
            lambda office: HonestServer(
                office.agency, office.clock, os.urandom(32), office.loop, office.folder / "parts"
            ),
        )
        self.server = self.office.server

    @rule(what=st.sampled_from([what for what, often in MIX.items() for _ in range(often)]), seed=SEED)
    def step(self, what: str, seed: int) -> None:
        """One of the steps; then somebody writes."""
        dice = Random(seed)
        getattr(self, what)(dice)
        self.write(dice, 1)

    def trouble(self, dice: Random) -> None:
        """Trouble at the server."""
        match dice.choice(("crash", "backup", "restore", "hire")):
            case "crash":
                self.server.crash()
            case "backup":
                self.server.back_up()
            case "hire" if len(self.office.desks) < MOST_DESKS:
                self.office.hire(f"nyanställd {len(self.office.everybody)}")
            case "restore" if self.losses == "server" and all(self.is_known(*e) for e in self.server.by_agency):
                self.server.restore()
        self.pass_time(5)

    def is_known(self, uid: Uid, seq: int) -> bool:
        """Whether a device that can return it has an entry by the agency. For the person's own desks it must be with
        each of them; otherwise one of them could continue without it. If no device has it, the agency makes it again,
        and then a different entry would be in its place."""
        own = self.office.of(uid)
        return all(d.log_seq(uid) >= seq for d in own) and any(d.log_seq(uid) >= seq for d in self.office.desks)

    def falls(self, how: str, desk: Desk, other: Desk, room: RoomId) -> None:
        if how != "bribed":  # a restored server would wait for the desk until somebody opens the room by hand
            super().falls(how, desk, other, room)

    def goes_over(self, desk: Desk, how: str) -> None:
        """A person who is out of a room stays honest, and may be added again."""
        if how not in ("removed", "leaves"):
            super().goes_over(desk, how)

    def live(self, dice: Random) -> None:
        copies = {} if self.losses == "server" else self.copies
        kept, self.copies = self.copies, copies
        super().live(dice)
        self.copies = kept | self.copies

    # -- invariants --------------------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_alarmed_for_nothing(self) -> None:
        """An honest server never makes a room stop, except while it has not got back what a restore took from it."""
        for desk in self.office.desks:
            states = {desk.engine.room_state(room) for room in desk.rooms()}
            assert not states & (set(ALARMS) - {RoomState.RESTORED}), f"{desk.name}: {states}"

    @invariant()
    def who_is_out_has_no_later_key(self) -> None:
        self.truth.check_authors(self.office.desks)
        self.truth.check_secrets(self.office.desks)

    def teardown(self) -> None:
        if not hasattr(self, "office"):
            return
        try:
            self._end_well()
            self.truth.check_plaintext(b"".join(self.server.received))
        finally:
            self.server.stop()
            self.office.close()

    def _end_well(self) -> None:
        """§19.5: with an honest server every authorised device decrypts everything after any sequence of offline,
        crash, restore of either side, enrol, rotate.

        In the end everybody is online and hours pass. Then every active device of every member has the server's whole
        room, stopped by nothing and owing no rotation. It holds the keys and shares of every op that counts and that it
        may read (with the history all of them, without it those from its person's addition on), and has applied what
        they contain, as it was written. Nothing waits to be sent, except at those who may not write; and nothing was
        refused as unreadable.
        """
        for desk in self.office.desks:
            desk.online = True
            desk.hang_up()
            desk.engine.retry_now()
        self.pass_time(120)
        for _ in range(PATIENCE):
            why = self._not_well()
            if why is None:
                return
            self.office.clock.asleep_s += HOUR_S
            self.pass_time(120)
        raise AssertionError(why)

    def _not_well(self) -> str | None:
        nameless = {*self.server.nameless} & {desk.uid for desk in self.office.desks}
        if nameless:
            return f"{len(nameless)} without a name"
        people: dict[bytes, Person] = {}
        entries = self.server.book.entries

        def person(uid: bytes) -> Person:
            found = people.setdefault(uid, Person())
            found.read(entries[uid])  # type: ignore[index]
            return found

        for room in self.rooms:
            ledger = Ledger(room, person)
            items = self.server.items(room)
            ledger.read(items)
            for desk in self.office.desks:
                if desk.uid in ledger.seats:
                    why = self._reads(desk, room, ledger)
                    if why is not None:
                        return f"{desk.name}, {why}"
        return None

    def _may_write(self, desk: Desk, ledger: Ledger) -> bool:
        seat = ledger.seats.get(desk.uid)
        return seat is not None and seat.role >= Role.WRITER

    def _reads(self, desk: Desk, room: RoomId, ledger: Ledger) -> str | None:
        items, seat = self.server.items(room), ledger.seats[desk.uid]
        state, at = desk.engine.room_state(room), desk.engine.parts.link.rooms.get(room)
        writers = [each for each in self.office.desks if self._may_write(each, ledger)]
        if at is None or (state is not RoomState.SEALED and (state is not RoomState.OWES_ROTATION or writers)):
            return f"the room is {state}"  # with readers only, the room owes a rotation for good
        if desk.engine.position(room) != len(items):
            return f"at {desk.engine.position(room)} of {len(items)}"
        waiting = [row for row in desk.store.pending_in(room, 1000) if row.obj not in ledger.gone]
        if (waiting or desk.store.sealed(room)) and seat.role >= Role.WRITER:
            return f"{len(waiting)} not sent"
        if bad := desk.store.inbox.bad(room):
            return f"bad: {bad}"
        applied = {(obj, change): data for _, _, obj, change, data in desk.placed(room)}
        for item in items:
            if item.kind == ENVELOPE and ledger.counts[item.n] and (seat.history or item.n > seat.n):
                found = at.shown(item, item.n)
                assert found is not None
                if found.hdr.obj in ledger.gone:  # nobody has its share any more
                    continue
                opened = at.keys.open(item.n, item.t, found.hdr, found.hdr_bytes, item.ct or b"")
                if opened is None:
                    return f"no key for position {item.n}"
                for change in opened:
                    if applied.get((change.obj, change.change_id)) != change.payload:
                        return f"position {item.n} is not applied"
        return None


BadDay.TestCase.settings = budget(25)
test_with_an_honest_server_everybody_reads_everything_in_the_end = pytest.mark.longest(
    pytest.mark.slow(BadDay.TestCase)
)
