# SPDX-License-Identifier: EUPL-1.2
"""The boxes through which an old and a new device pair: limits that the server enforces against either end."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.protocol.version import PAIR_MESSAGE_BYTES, PAIR_MESSAGES
from sync.server.config import Limits
from sync.server.load.outbox import Outbox
from sync.server.load.rates import Bucket
from sync.server.process.running import start_server
from sync.server.rules import pairing_boxes
from sync.server.rules.pairing_boxes import Pairing
from sync.server.rules.refusal import Refusal
from tests.sync.server.house import House
from tests.sync.server.wire import Refused, Wire, config, wired


@asynccontextmanager
async def visitor(house: House) -> AsyncIterator[Wire]:
    """A connection that has sent Hello and has not signed in."""
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        yield wire


async def test_messages_pass_in_both_directions_in_order_and_an_end_is_notified(house: House) -> None:
    anna = await house.person()
    opened = await anna.wire.ask(m.PairOpen(anna.wire.rid(), b""), m.PairOpened)
    assert len(opened.box) == 9
    assert opened.box.isdigit()
    async with visitor(house) as new:
        await new.ask(m.PairJoin(new.rid(), opened.box), m.Ok)
        for k in range(3):
            await new.ask(m.PairPost(new.rid(), b"%d" % k), m.Ok)
        assert [(await anna.wire.next(m.PairMail)).data for _ in range(3)] == [b"0", b"1", b"2"]
        await anna.wire.ask(m.PairPost(anna.wire.rid(), "svar 🙂".encode()), m.Ok)
        assert (await new.next(m.PairMail)).data == "svar 🙂".encode()
    await anna.wire.next(m.PairEnd)
    with pytest.raises(Refused, match="pairing"):
        await anna.wire.ask(m.PairPost(anna.wire.rid(), b"?"), m.Ok)


async def test_attack_more_or_longer_messages_than_a_pairing_needs_end_the_box(house: House) -> None:
    anna = await house.person()
    for too_much in ("long", "many"):
        box = (await anna.wire.ask(m.PairOpen(anna.wire.rid(), os.urandom(16)), m.PairOpened)).box
        async with visitor(house) as new:
            await new.ask(m.PairJoin(new.rid(), box), m.Ok)
            if too_much == "many":
                for _ in range(PAIR_MESSAGES):
                    await new.ask(m.PairPost(new.rid(), b"x"), m.Ok)
            data = bytes(PAIR_MESSAGE_BYTES + (too_much == "long"))
            with pytest.raises(Refused, match="pairing"):
                await new.ask(m.PairPost(new.rid(), data), m.Ok)
            received = [await anna.wire.next(m.Frame) for _ in range(PAIR_MESSAGES * (too_much == "many") + 1)]
            assert isinstance(received[-1], m.PairEnd)


async def test_attack_nobody_takes_anothers_box_or_two_at_once(house: House) -> None:
    anna, bert = await house.person(), await house.person("Registrator")
    name = os.urandom(16)
    await anna.wire.ask(m.PairOpen(anna.wire.rid(), name), m.PairOpened)
    with pytest.raises(Refused, match="code-used"):
        await bert.wire.ask(m.PairOpen(bert.wire.rid(), name), m.PairOpened)
    with pytest.raises(Refused, match="invalid"):
        await bert.wire.ask(m.PairOpen(bert.wire.rid(), b"123456789"), m.PairOpened)
    await anna.wire.ask(m.PairOpen(anna.wire.rid(), os.urandom(16)), m.PairOpened)
    async with visitor(house) as new:
        with pytest.raises(Refused, match="code-unknown"):  # the first box went with the second
            await new.ask(m.PairJoin(new.rid(), name), m.Ok)


async def test_a_box_is_open_for_its_time_and_no_longer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing_boxes, "OPEN_S", 0.05)
    anna = await house.person()
    box = (await anna.wire.ask(m.PairOpen(anna.wire.rid(), b""), m.PairOpened)).box
    await anna.wire.next(m.PairEnd)
    async with visitor(house) as new:
        with pytest.raises(Refused, match="code-unknown"):
            await new.ask(m.PairJoin(new.rid(), box), m.Ok)


async def test_who_waits_in_a_box_may_stay_though_they_have_not_signed_in(data: Path) -> None:
    async with start_server(config(data, Limits(handshake_s=0.5))) as server:
        house = House(server, data)
        anna = await house.person()
        box = (await anna.wire.ask(m.PairOpen(anna.wire.rid(), b""), m.PairOpened)).box
        async with visitor(house) as new, visitor(house) as idle:
            await new.ask(m.PairJoin(new.rid(), box), m.Ok)
            ended = await idle.end()
            assert ended is not None
            assert ended.code == "auth"
            await new.ask(m.PairPost(new.rid(), b"kvar"), m.Ok)
        await house.close()


async def test_attack_numbers_are_not_to_be_found_by_trying(house: House) -> None:
    """And a client that tries numbers keeps nobody from joining by code."""
    anna = await house.person()
    house.server.service.pairing._numbers = Bucket(0.0, 3)
    box = (await anna.wire.ask(m.PairOpen(anna.wire.rid(), os.urandom(16)), m.PairOpened)).box
    async with visitor(house) as new:
        for k in range(3):
            with pytest.raises(Refused, match="code-unknown"):
                await new.ask(m.PairJoin(new.rid(), b"%09d" % k), m.Ok)
        with pytest.raises(Refused, match="busy"):
            await new.ask(m.PairJoin(new.rid(), b"000000009"), m.Ok)
        await new.ask(m.PairJoin(new.rid(), box), m.Ok)


async def test_a_message_that_the_other_end_has_no_room_for_ends_the_box_and_is_not_confirmed() -> None:
    pairing, host, guest = Pairing(), Outbox(10), Outbox(1 << 20)
    box = pairing.open(host, m.PairOpen(1, b"")).box
    pairing.join(guest, m.PairJoin(2, box))
    host.reply(bytes(21))
    with pytest.raises(Refusal, match="pairing"):
        pairing.post(guest, b"1")
    assert not pairing.waits(guest)
    assert not pairing.waits(host)
