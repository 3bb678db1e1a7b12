# SPDX-License-Identifier: EUPL-1.2
"""A server that passes ephemeral messages on to whom it likes, as often and as late as it likes, and with parts of
others: each desk takes for true what a member said there a moment ago, to all or to it, and that once."""

import os
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given

from app.core.ids import DevId, RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.version import CLOCK_TOLERANCE_MS
from sync.trust.room.ephemeral import LEAST_ROLE, PRESENCE
from tests.sync.byzantine.budget import STEPS, budget
from tests.sync.byzantine.desk import Desk
from tests.sync.byzantine.office import Office
from tests.sync.byzantine.server import Server
from tests.sync.byzantine.world import SEED

NEWER = max(LEAST_ROLE) + 1
PARTS = ("room", "body", "sig", "ct")
STEP_S = (0.0, 0.1, 1.0, 45.0, 130.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person really sent, and when (the server's clock, ms)."""

    room: RoomId
    uid: Uid
    dev: DevId
    kind: int
    to: DevId | None
    at: int


class Life:
    """Three desks in a room, two of them in another one too; a fourth is in none."""

    def __init__(self, office: Office[Server], seed: int) -> None:
        self.office, self.dice = office, Random(seed)
        self.said: dict[bytes, Said] = {}
        self.judged: dict[DevId, int] = {}
        a, b, _, _ = office.desks
        self.rooms = [office.room, office.loop.do(a.engine.operations.create_room())]
        office.loop.do(a.engine.operations.add(self.rooms[1], b.uid, 2, history=True))
        office.loop.settle(5)

    def say(self, desk: Desk, room: RoomId, kind: int, to: DevId | None) -> None:
        text = f"nummer {len(self.said)} åäö 😀".encode()
        self.said[text] = Said(room=room, uid=desk.uid, dev=desk.dev, kind=kind, to=to, at=self.office.clock.ms())
        desk.engine.send_ephemeral(room, text, kind, to)
        self.office.loop.settle(0)

    def pass_on(self, frame: m.Ephemeral, desk: Desk) -> None:
        face = self.office.server.faces[desk.dev]
        self.office.server.deliver(face, None, [frame])
        self.office.loop.settle(0.01)
        self.check(desk)

    def step(self) -> None:
        """Somebody says something, or the server passes something on; or time passes."""
        dice, desks, passed = self.dice, self.office.desks, self.office.server.ephemerals
        what = dice.random()
        if what < 0.4 or not passed:
            to = dice.choice([None, None, *(desk.dev for desk in desks), DevId(os.urandom(16))])
            self.say(dice.choice(desks), dice.choice(self.rooms), dice.randint(1, NEWER), to)
        elif what < 0.9:
            frame = dice.choice(passed[-6:])
            if dice.random() < 0.3:
                part, other = dice.choice(PARTS), dice.choice(passed)
                frame = msgspec.structs.replace(frame, **{part: getattr(other, part)})
            for desk in dice.sample(desks, dice.randint(1, len(desks))):
                self.pass_on(frame, desk)
        else:
            self.office.loop.settle(dice.choice(STEP_S))

    def check(self, desk: Desk) -> None:
        """What the desk has taken for true since the last time was said, to it, lately and once."""
        for room, uid, dev, text, kind in desk.ephemerals[self.judged.get(desk.dev, 0) :]:
            said = self.said[text]
            assert (said.room, said.uid, said.dev, said.kind) == (room, uid, dev, kind)
            assert said.to in (None, desk.dev), f"{desk.name} took what is to another device"
            assert kind in LEAST_ROLE
            assert self.office.clock.ms() - said.at <= CLOCK_TOLERANCE_MS + 1000, f"{desk.name} took what is old"
        self.judged[desk.dev] = len(desk.ephemerals)
        texts = [text for _, _, _, text, _ in desk.ephemerals]
        assert len(texts) == len(set(texts)), f"{desk.name} took something twice"
        assert not desk.faults


@given(seed=SEED)
@budget(20)
def test_attack_whatever_a_server_passes_on_a_desk_takes_what_was_said_to_it_and_once(seed: int) -> None:
    office: Office[Any] = Office(seed, lambda office: Server(office.agency, office.clock, os.urandom(32)))
    try:
        life = Life(office, seed)
        for _ in range(STEPS):
            life.step()
        a, b, c, d = office.desks
        before, sent = len(b.ephemerals), len(office.server.ephemerals)
        life.say(c, office.room, PRESENCE, None)
        office.loop.do(a.engine.operations.remove(office.room, c.uid))
        office.loop.settle(5)
        life.say(a, office.room, PRESENCE, b.dev)
        assert len(office.server.ephemerals) == sent + 2
        for frame in office.server.ephemerals[sent:]:
            for desk in (a, b, c, d):
                life.pass_on(frame, desk)
        assert [uid for _, uid, _, _, _ in b.ephemerals[before:]] == [a.uid], "a member's, but none of who was removed"
        assert not d.ephemerals, "who is in no room takes nothing"
    finally:
        office.close()


pytestmark = pytest.mark.slow
