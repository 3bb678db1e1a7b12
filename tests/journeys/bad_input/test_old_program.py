# SPDX-License-Identifier: EUPL-1.2
"""The operator asks for a newer program than this one: the person is told and works on, and the server is left in
peace."""

import asyncio

import pytest

from app.core import clock
from sync.client.account.enrolment import Enrolment
from sync.client.status import LinkState
from sync.errors import Outdated
from sync.protocol import messages as m
from sync.server.rules.handshake import Handshake
from tests.journeys.bad_input.checks import HELLO, explained, nothing_lost, two
from tests.world import World, until

WINDOW_S = 1.0


async def test_an_old_program_works_on_says_why_and_asks_seldom(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _a, b, room, obj = await two(w)
    assert w.running is not None
    service, asked = w.running.service, 0
    check = Handshake.check_release

    def counted(self: Handshake) -> None:
        nonlocal asked
        asked += self._min_client is not None
        check(self)

    monkeypatch.setattr(Handshake, "check_release", counted)
    service.min_client = (999, 0, 0)
    await b.wire.hang_up()
    await until(lambda: b.engine.status.state is LinkState.ERROR)
    explained(b.engine.status.code, "client-old")
    b.say(room, obj, HELLO)
    await asyncio.sleep(WINDOW_S)
    assert asked == 1
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=1)
    service.min_client = None
    b.online()
    await w.settle(room)
    assert b.engine.status.waiting == 0


async def test_nobody_enrols_with_an_old_program_and_the_code_stays_good(w: World) -> None:
    assert w.running is not None
    code, kept = await w.invite("Registrator"), list[object]()
    w.running.service.min_client = (999, 0, 0)
    with pytest.raises(Outdated):
        await Enrolment(w.dialer(), code, clock.now_ms).accept(kept.append)
    assert kept == []
    w.running.service.min_client = None
    await Enrolment(w.dialer(), code, clock.now_ms).accept(kept.append)
    assert len(kept) == 1


def test_the_refusal_is_a_code_of_the_wire() -> None:
    assert Outdated.code == m.ErrorCode.CLIENT_OLD
