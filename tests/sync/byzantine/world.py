# SPDX-License-Identifier: EUPL-1.2
"""The honest half of the machine: what people at their desks do and what happens to them, as steps that may always be
tried."""

import os
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from app.core.ids import ObjId, RoomId
from sync.crypto.kdf import H
from sync.errors import SyncError
from sync.trust.person import user_drafts
from tests.sync.byzantine.desk import Desk
from tests.sync.byzantine.invariants import ALARMS, Truth
from tests.sync.byzantine.mischief import Traitor
from tests.sync.byzantine.office import Office
from tests.sync.byzantine.server import Server
from tests.sync.byzantine.thief import Thief

SEED = st.integers(0, 2**24)
BEGINNINGS = ("removed", "stolen", "bribed")
OPERATIONS = ("add", "from-now", "role", "rotate", "propose", "agree", "destroy", "room", "room", "expel")
FALLS = ("removed", "leaves", "stolen", "stolen, says the agency", "reset", "bribed")
LIFE = (
    "second device",
    "second device",
    "second device",
    "line cut",
    "offline",
    "online",
    "crash",
    "copy",
    "set back",
    "a minute",
    "a month",
)
MOST_DESKS = 6


class World(RuleBasedStateMachine):
    """Refusals are ignored. A person who falls goes over to the server, with every device concerned: removed, left,
    reset, stolen, or bribed (then still a member). A step throws its own dice from Hypothesis's seed: each outcome is
    as likely as it says here, and the same each time."""

    @initialize(seed=SEED, begin=st.sampled_from(BEGINNINGS))
    def found(self, seed: int, begin: str) -> None:
        """`begin`: who has gone over already."""
        self.open_office(seed)
        self.thief = Thief(self.server)
        self.truth = Truth(self.office.everybody, self.thief)
        self.rooms = [self.office.room]
        self.copies: dict[bytes, Path] = {}
        self.written = 0
        a, b, _, d = self.office.desks
        if begin == "stolen":
            self.falls(begin, b, self.office.second(b, "andra"), self.rooms[0])
        else:
            self.tries(a.engine.operations.add(self.rooms[0], d.uid, 1 + seed % 3, history=True))
            self.pass_time()
            self.falls(begin, a, d, self.rooms[0])

    def open_office(self, seed: int) -> None:
        """Sets `office` and `server`."""
        self.office: Office[Any] = Office(seed, lambda office: Server(office.agency, office.clock, os.urandom(32)))
        self.office.enrol("Arkivarie")
        self.server: Any = self.office.server

    # -- who and where -----------------------------------------------------------------------------------------------

    def desk(self, dice: Random) -> Desk:
        return dice.choice(self.office.desks)

    def room(self, dice: Random) -> RoomId:
        return dice.choice(self.rooms)

    def alive(self, dice: Random) -> tuple[Desk, RoomId]:
        """A desk and a room that has not stopped there, if there is one."""
        desks, fallback = self.office.desks, (self.desk(dice), self.room(dice))
        found = [(d, r) for d in desks for r in d.rooms() if r in self.rooms and d.engine.room_state(r) not in ALARMS]
        return dice.choice(found or [fallback])

    def obj(self, room: RoomId, number: int) -> ObjId:
        """The room's root object is number 0."""
        return ObjId(room) if number == 0 else ObjId(bytes([number]) * 8 + room[:8])

    def pass_time(self, s: float = 1.0) -> None:
        self.office.loop.settle(s)

    def tries(self, operation: Coroutine[Any, Any, object]) -> bool:
        return self.office.tries(operation)

    # -- what people do ----------------------------------------------------------------------------------------------

    def write(self, dice: Random, most: int = 3) -> None:
        desk, room = self.desk(dice), self.room(dice)
        if room in desk.rooms():
            for _ in range(dice.randint(1, most)):
                self.written += 1
                text = f"Sekretessbelagt åäö 😀 nummer {self.written}"
                desk.write(room, self.obj(room, dice.randrange(3)), text.encode())
        self.pass_time()

    def operation(self, dice: Random) -> None:
        """An operation that only some may do, or that only some rooms allow."""
        desk, room, other = self.desk(dice), self.room(dice), self.desk(dice)
        operations, what, role = desk.engine.operations, dice.choice(OPERATIONS), dice.randint(1, 4)
        match what:
            case "add" | "from-now":
                self.tries(operations.add(room, other.uid, role, history=what == "add"))
            case "role":
                self.tries(operations.set_role(room, other.uid, role))
            case "rotate":
                self.tries(operations.rotate(room))
            case "propose":
                self.tries(operations.propose_history(room, other.uid))
            case "agree":
                for found in desk.engine.history_proposals(room)[:1]:
                    self.tries(operations.give_history(room, found.ident))
            case "expel" if self.thief.traitors:
                self.tries(operations.remove(room, dice.choice(self.thief.traitors).uid))
            case "destroy" if room in desk.rooms():
                draft = self.office.drafter(desk, room).destroy(self.obj(room, role), H(b"rule"), H(b"decision"))
                self.tries(self.office.append(desk, room, draft))
            case "room" if len(self.rooms) < 3:
                with suppress(SyncError):
                    self.rooms.append(self.office.loop.do(operations.create_room()))
                    self.tries(operations.add(self.rooms[-1], other.uid, role, history=True))
        self.pass_time()

    # -- what happens to them ------------------------------------------------------------------------------------------

    def fall(self, dice: Random) -> None:
        how, room = dice.choice(FALLS), self.room(dice)
        if how.startswith("stolen"):
            pairs = [(a, b) for a in self.office.desks for b in self.office.of(a.uid) if a is not b]
            if pairs:
                self.falls(how, *dice.choice(pairs), room)
        elif len({desk.uid for desk in self.office.desks}) > 2:
            self.falls(how, self.desk(dice), self.desk(dice), room)

    def falls(self, how: str, desk: Desk, other: Desk, room: RoomId) -> None:
        """If the fall happens, the person who is out goes over to the server."""
        now, agency = self.office.clock.ms(), self.office.agency
        match how:
            case "removed":
                done = desk.uid != other.uid and self.tries(desk.engine.operations.remove(room, other.uid))
            case "leaves":
                done = self.tries(other.engine.operations.leave(room))
            case "bribed":
                done = True
            case "stolen":
                done = self.tries(desk.engine.devices.revoke(other.dev))
            case "stolen, says the agency":
                revoke = user_drafts.revoke_by_agency
                done = self.server.agency_writes(other.uid, lambda own: revoke(own, agency, other.dev, now))
            case _:
                done = self.server.agency_writes(other.uid, lambda own: user_drafts.reset(own, agency, now))
        if done:
            for each in [other] if how.startswith("stolen") else self.office.of(other.uid):
                self.goes_over(each, how)
        self.pass_time(10)

    def goes_over(self, desk: Desk, how: str) -> None:
        self.truth.remember(desk)
        self.thief.joins(Traitor.of(desk))
        self.office.desks.remove(desk)
        self.office.loop.do(desk.stop())

    def live(self, dice: Random) -> None:
        """Changes lines, disks, processes and clocks."""
        desk, loop, what = self.desk(dice), self.office.loop, dice.choice(LIFE)
        match what:
            case "second device" if len(self.office.desks) < MOST_DESKS:
                with suppress(SyncError):
                    self.office.second(desk, f"desk {len(self.office.everybody)}")
            case "line cut" | "offline" | "online":
                desk.online = what != "offline"
                self.reconnect(desk)
            case "crash":
                loop.do(desk.crash())
            case "copy":
                self.copies[desk.dev] = loop.do(desk.keep_copy())
            case "set back" if desk.dev in self.copies:
                self.truth.forget(desk)
                loop.do(desk.go_back(self.copies[desk.dev]))
            case "a minute":
                self.pass_time(70)
            case "a month":
                self.office.clock.asleep_s += 31 * 86_400
                self.pass_time(90)
        self.pass_time()

    def reconnect(self, desk: Desk) -> None:
        desk.hang_up()
        desk.engine.retry_now()
