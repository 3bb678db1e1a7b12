# SPDX-License-Identifier: EUPL-1.2
"""To whom the server passes an ephemeral message, and how many of each kind."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.load.ephemeral_quotas import EphemeralQuotas, rates_by_kind
from sync.server.process.running import start_server
from sync.trust.room.ephemeral import CALL, CARET, LIVE, PRESENCE, TYPING
from tests.sync.server.house import House
from tests.sync.server.passed_on import ephemeral, received, send
from tests.sync.server.test_fairness import again
from tests.sync.server.wire import Person, config

KINDS = (PRESENCE, TYPING, CARET, CALL, LIVE)
NEWER = 9
FEW = {PRESENCE: 6, TYPING: 3, CARET: 4, CALL: 5, LIVE: 7, NEWER: 2}
"""Messages of each kind that a device of these tests may send."""
LIMITS = Limits(
    processor_burst_s=600.0,
    ephemeral_presence_per_s=1e-6, ephemeral_presence_burst=FEW[PRESENCE],
    ephemeral_typing_per_s=1e-6, ephemeral_typing_burst=FEW[TYPING],
    ephemeral_caret_per_s=1e-6, ephemeral_caret_burst=FEW[CARET],
    ephemeral_call_per_s=1e-6, ephemeral_call_burst=FEW[CALL],
    ephemeral_live_per_s=1e-6, ephemeral_live_burst=FEW[LIVE],
    ephemeral_other_per_s=1e-6, ephemeral_other_burst=FEW[NEWER],
)  # fmt: skip
"""A quota that does not refill while a test runs, and processor time enough on any computer."""


@pytest.fixture
async def three(data: Path) -> AsyncIterator["Three"]:
    async with start_server(config(data, LIMITS)) as server:
        house = House(server, data)
        anna, bert, room = await house.two_in_a_room()
        carl = await house.person("Enhetschef")
        await anna.add(room, carl)
        await anna.subscribe(room)
        await carl.subscribe(room)
        made = Three(house, anna, bert, carl, room)
        await made.are_heard()
        yield made
        await house.close()


class Three:
    """Three members of a room, who all listen to it."""

    def __init__(self, house: House, anna: Person, bert: Person, carl: Person, room: bytes) -> None:
        self.house, self.anna, self.bert, self.carl, self.room = house, anna, bert, carl, room

    async def are_heard(self) -> list[list[m.Ephemeral]]:
        """What each of the three has received since the last call."""
        return [await received(person) for person in (self.anna, self.bert, self.carl)]


async def test_an_ephemeral_to_all_reaches_all_others_who_listen(three: Three) -> None:
    deaf = await again(three.house, three.carl)
    frame = ephemeral(three.anna, three.room)
    await send(three.anna, frame)
    assert await three.are_heard() == [[], [frame], [frame]]
    assert await received(deaf) == []


async def test_an_ephemeral_to_a_device_reaches_that_devices_listening_connections_alone(three: Three) -> None:
    listening, deaf = await again(three.house, three.carl), await again(three.house, three.carl)
    await listening.subscribe(three.room)
    frame = ephemeral(three.anna, three.room, CALL, three.carl.author.dev)
    await send(three.anna, frame)
    assert await three.are_heard() == [[], [], [frame]]
    assert await received(listening) == [frame]
    assert await received(deaf) == []


async def test_attack_an_ephemeral_to_a_device_that_is_not_in_the_room_reaches_nobody(three: Three) -> None:
    """Not a stranger's, not a removed member's, not the own connection that sent it, and no other either."""
    stranger = await three.house.person("Registrator")
    await three.anna.submit(three.anna.drafter(three.room).remove(three.carl.uid))
    await three.carl.wire.next(m.Removed)
    for dev in (stranger.author.dev, three.carl.author.dev, three.anna.author.dev, bytes(16)):
        await send(three.anna, ephemeral(three.anna, three.room, PRESENCE, dev))
    assert await three.are_heard() == [[], [], []]
    assert await received(stranger) == []


async def test_attack_nobody_is_heard_under_another_name_nor_in_another_room(three: Three) -> None:
    """Neither with the ids of a colleague, nor by a header for another room in a frame for this one."""
    other = await three.anna.create()
    await three.anna.subscribe(other)
    for frame in (
        ephemeral(three.bert, three.room, uid=three.anna.uid),
        ephemeral(three.bert, three.room, dev=three.anna.author.dev),
        ephemeral(three.bert, three.room, uid=three.anna.uid, dev=three.anna.author.dev),
        ephemeral(three.bert, three.room, named=other),
        msgspec.structs.replace(ephemeral(three.bert, three.room), room=other),
    ):
        await send(three.bert, frame)
    assert await three.are_heard() == [[], [], []]
    await send(three.anna, *[ephemeral(three.anna, three.room)] * FEW[PRESENCE])
    assert len(await received(three.carl)) == FEW[PRESENCE], "who is named has spent nothing"


async def test_attack_an_ephemeral_that_cannot_be_read_is_dropped(three: Three) -> None:
    good = ephemeral(three.anna, three.room)
    for body in (b"", b"body", good.body[:-1], good.body + b"\x00", good.body + bytes(512)):
        await send(three.anna, msgspec.structs.replace(good, body=body))
    odd = (
        ephemeral(three.anna, three.room, version=1),
        ephemeral(three.anna, three.room, version=3),
        *(ephemeral(three.anna, three.room, to=bytes(size)) for size in (1, 15, 17, 32)),
        msgspec.structs.replace(good, sig=bytes(100_000)),
        msgspec.structs.replace(good, sig=b""),
    )
    await send(three.anna, *odd)
    assert await three.are_heard() == [[], [], []]
    await send(three.anna, good)
    assert await received(three.bert) == [good], "the connection goes on"


async def test_a_kind_of_a_newer_program_is_passed_on(three: Three) -> None:
    frames = [ephemeral(three.anna, three.room, NEWER), ephemeral(three.anna, three.room, 0, three.bert.author.dev)]
    await send(three.anna, *frames)
    assert await three.are_heard() == [[], frames, frames[:1]]


@pytest.mark.parametrize("flood", [*KINDS, NEWER])
async def test_attack_a_flood_of_one_kind_drops_no_message_of_another(three: Three, flood: int) -> None:
    await send(three.anna, *[ephemeral(three.anna, three.room, flood)] * 12)
    assert len(await received(three.bert)) == FEW[flood]
    for kind in {*KINDS, NEWER} - {flood}:
        await send(three.anna, *[ephemeral(three.anna, three.room, kind)] * FEW[kind])
        assert len(await received(three.bert)) == FEW[kind]


async def test_attack_a_device_has_one_quota_of_a_kind_over_all_its_connections(three: Three) -> None:
    second = await again(three.house, three.anna)
    await second.subscribe(three.room)
    for line in (three.anna, second):
        await send(line, *[ephemeral(three.anna, three.room, CARET)] * FEW[CARET])
    assert len(await received(three.bert)) == FEW[CARET]
    await send(three.bert, ephemeral(three.bert, three.room, CARET))
    assert len(await received(three.carl)) == FEW[CARET] + 1, "another device has its own"


def test_attack_a_new_number_of_a_kind_is_no_new_quota() -> None:
    """It is the smallest of all: nobody can say what an unknown kind needs."""
    quotas = EphemeralQuotas(rates_by_kind(LIMITS))
    assert [quotas.take(kind) for kind in (9, 10, 0, 2**63)] == [True, True, False, False]
    standard = rates_by_kind(Limits())
    assert {*KINDS} < {*standard}
    (other,) = (rate for kind, rate in standard.items() if kind not in KINDS)
    assert all(other[0] < standard[kind][0] and other[1] < standard[kind][1] for kind in KINDS)


def test_nothing_may_be_sent_where_nothing_is_allowed() -> None:
    quotas = EphemeralQuotas({})
    assert not any(quotas.take(kind) for kind in (PRESENCE, NEWER))


def test_a_quota_holds_what_an_honest_program_sends() -> None:
    """At once: presence in each of 300 rooms, a call with eight others, and nothing else in the way."""
    quotas = EphemeralQuotas(rates_by_kind(replace(Limits(), ephemeral_presence_per_s=1e-6)))
    assert all(quotas.take(PRESENCE) for _ in range(300))
    assert all(quotas.take(CALL) for _ in range(8 * 20))
    assert all(quotas.take(CARET) for _ in range(10))
    assert all(quotas.take(LIVE) for _ in range(30))
    assert all(quotas.take(TYPING) for _ in range(2))
