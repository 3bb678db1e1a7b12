# SPDX-License-Identifier: EUPL-1.2
"""Items whose authors had seen positions that the server does not have in memory: one query, judged once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sync.ids import Hash
from sync.protocol import messages as m
from sync.server.process.running import start_server
from sync.server.rules import live_rooms, placements
from sync.server.rules.live_rooms import MAX_OLD_SEEN, LiveRooms
from sync.server.store.sql import SqlStore
from sync.trust.formats.items import Role
from sync.trust.room.stream import RoomStream
from tests.sync.server.hostile import batch_that_saw, running_hashes
from tests.sync.server.house import TEXT, House
from tests.sync.server.wire import Person, Refused, config

POSITIONS = 60


class Counted:
    """Counts how often items were judged and which running hashes were read from the store."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.placed = self.accepted = 0
        self.asked: list[list[int]] = []
        place, accept, rhs_at = RoomStream.place, RoomStream.accept, SqlStore.rhs_at

        def counted_place(stream: RoomStream, *args: Any, **more: Any) -> Any:
            self.placed += 1
            return place(stream, *args, **more)

        def counted_accept(stream: RoomStream, *args: Any, **more: Any) -> Any:
            self.accepted += 1
            return accept(stream, *args, **more)

        async def counted_rhs_at(store: SqlStore, room: bytes, ns: Sequence[int]) -> dict[int, bytes]:
            self.asked.append(list(ns))
            return await rhs_at(store, room, ns)

        monkeypatch.setattr(RoomStream, "place", counted_place)
        monkeypatch.setattr(RoomStream, "accept", counted_accept)
        monkeypatch.setattr(SqlStore, "rhs_at", counted_rhs_at)


async def long_room(data: Path) -> tuple[Person, Person, bytes, list[bytes]]:
    """A writer, a reader who has never written, their room, and its running hashes. The server has stopped."""
    async with start_server(config(data)) as server:
        house = House(server, data)
        anna, eve = await house.person(), await house.person("Registrator")
        room = await anna.create()
        await anna.add(room, eve, int(Role.READER))
        while anna.rooms[room].n < POSITIONS:
            await anna.push(room, TEXT)
            await anna.sync(room)
        rhs = running_hashes(await eve.sync(room))
        await house.close()
    return anna, eve, room, rhs


@pytest.fixture
def short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has been started again knows the last four positions, and not the last thousand."""
    monkeypatch.setattr(live_rooms, "_WINDOW", 4)


async def test_attack_a_batch_of_many_old_positions_is_refused_and_never_judged(
    data: Path, monkeypatch: pytest.MonkeyPatch, short_memory: None
) -> None:
    _, eve, room, rhs = await long_room(data)
    async with start_server(config(data)) as server:
        await eve.connect(server.url, data)
        counted = Counted(monkeypatch)
        with pytest.raises(Refused, match="invalid seen"):
            await eve.wire.ask(
                batch_that_saw(eve, room, [(n, rhs[n]) for n in range(5, 5 + MAX_OLD_SEEN + 1)]), m.Placed
            )
        assert (counted.placed, counted.asked) == (0, [])
        await eve.wire.close()


async def test_attack_old_positions_of_a_batch_cost_one_query_and_one_judgement(
    data: Path, monkeypatch: pytest.MonkeyPatch, short_memory: None
) -> None:
    _, eve, room, rhs = await long_room(data)
    async with start_server(config(data)) as server:
        await eve.connect(server.url, data)
        counted = Counted(monkeypatch)
        named = list(range(5, 5 + MAX_OLD_SEEN))
        await eve.wire.ask(batch_that_saw(eve, room, [(n, rhs[n]) for n in [*named, POSITIONS]]), m.Placed)
        assert (counted.placed, counted.asked) == (1, [named])
        await eve.wire.close()


async def test_an_old_position_that_is_none_of_ours_is_a_fork(
    data: Path, monkeypatch: pytest.MonkeyPatch, short_memory: None
) -> None:
    _, eve, room, rhs = await long_room(data)
    async with start_server(config(data)) as server:
        await eve.connect(server.url, data)
        for wrong in ([(5, rhs[6])], [(POSITIONS + 1, rhs[5])]):
            eve.seqs.clear()
            with pytest.raises(Refused, match="invalid fork"):
                await eve.wire.ask(batch_that_saw(eve, room, wrong), m.Placed)
        await eve.wire.close()


async def test_what_an_entry_had_seen_long_ago_costs_one_query_too(
    data: Path, monkeypatch: pytest.MonkeyPatch, short_memory: None
) -> None:
    anna, eve, room, rhs = await long_room(data)
    async with start_server(config(data)) as server:
        await eve.connect(server.url, data)
        await anna.connect(server.url, data)
        await anna.fetch_log(eve.uid)
        eve.rings[room] = anna.rings[room]
        state = eve.rooms[room].state
        state.n, state.rh = 7, Hash(rhs[7])  # the position that its author names as seen
        counted = Counted(monkeypatch)
        await eve.append(eve.drafter(room).cannot_open(1))
        assert (counted.placed, counted.asked) == (1, [[7]])
        await eve.wire.close()
        await anna.wire.close()


async def test_attack_a_room_is_read_again_without_judging_over_and_over(
    data: Path, monkeypatch: pytest.MonkeyPatch, short_memory: None
) -> None:
    async def never(self: LiveRooms, room: live_rooms.LiveRoom) -> None: ...

    monkeypatch.setattr(LiveRooms, "keep", never)  # as when the process is killed
    monkeypatch.setattr(placements, "STATE_EVERY", 25)  # so the newest state is of position 52
    _, eve, room, rhs = await long_room(data)
    async with start_server(config(data)) as server:
        await eve.connect(server.url, data)
        named = [(n, rhs[n]) for n in range(5, 5 + MAX_OLD_SEEN)]
        await eve.wire.ask(batch_that_saw(eve, room, named), m.Placed)
        await eve.wire.close()
    async with start_server(config(data)) as server:
        await eve.connect(server.url, data)
        counted = Counted(monkeypatch)
        pulled = await eve.wire.ask(m.Pull(eve.wire.rid(), room, POSITIONS, 1 << 20), m.Items)
        assert pulled.receipt.n == POSITIONS + MAX_OLD_SEEN
        assert counted.accepted == len(counted.asked) == 1
        await eve.wire.close()
