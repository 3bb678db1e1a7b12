# SPDX-License-Identifier: EUPL-1.2
"""What a client asks of a room a second time: to follow it, and to seal a key again."""

import os
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.server.config import Limits
from sync.server.process.running import start_server
from sync.server.store.base import Full
from tests.sync.server.house import House
from tests.sync.server.wire import Refused, config


async def test_a_room_that_is_subscribed_to_takes_no_further_place(data: Path) -> None:
    async with start_server(config(data, Limits(subscriptions=1))) as server:
        house = House(server, data)
        anna, _, room = await house.two_in_a_room()
        other = await anna.create()
        for _ in range(2):
            await anna.subscribe(room)
        with pytest.raises(Refused, match="quota subscriptions"):
            await anna.subscribe(other)
        await house.close()


async def test_a_seal_that_could_not_be_stored_may_be_sent_again_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert, room = await house.two_in_a_room()

    async def full(*_: object) -> None:
        raise Full("the disk is full or failing")

    def again() -> m.Reseal:
        return m.Reseal(anna.wire.rid(), room, 1, bert.uid, os.urandom(1200))

    with monkeypatch.context() as disk:
        disk.setattr(house.server.store, "add_seal", full)
        with pytest.raises(Refused, match="full"):
            await anna.wire.ask(again(), m.Ok)
    await anna.wire.ask(again(), m.Ok)
    with pytest.raises(Refused, match="busy reseal"):
        await anna.wire.ask(again(), m.Ok)
