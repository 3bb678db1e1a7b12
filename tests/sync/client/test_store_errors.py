# SPDX-License-Identifier: EUPL-1.2
"""The store raises an error while rooms are read from it: none of them is taken for a new room."""

import pytest

from app.core.ids import RoomId
from app.errors import StoreUnwritable
from sync.client import link as link_module
from tests.journeys.bad_input.checks import two
from tests.world import Client, World


class Unreadable:
    """A client's store that cannot read `room` while `fails`."""

    def __init__(self, client: Client, room: RoomId, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fails = True
        self._room, self._real = room, client.store.waiting
        monkeypatch.setattr(client.store, "waiting", self._waiting)

    def _waiting(self, room: RoomId) -> list[tuple[int, bytes]]:
        if self.fails and room == self._room:
            raise StoreUnwritable
        return self._real(room)


async def test_a_large_room_that_the_store_could_not_read_is_read_again(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, b, room, _ = await two(w)
    link = b.engine.parts.link
    before = link.rooms[room].stream.state
    monkeypatch.setattr(link_module, "LARGE_BYTES", 0)
    link.reload()
    store = Unreadable(b, room, monkeypatch)
    with pytest.raises(StoreUnwritable):
        await link.open_large()
    assert room in link.large
    with pytest.raises(StoreUnwritable):
        link.room(room)
    assert room in link.large
    store.fails = False
    assert link.room(room).stream.state == before
    assert link.large == {}
    link.reload()
    await link.open_large()
    assert link.rooms[room].stream.state == before


async def test_rooms_that_an_interrupted_reload_did_not_read_are_read_before_the_next_connection(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, _ = await two(w)
    other = await w.room(a, b)
    await w.settle(other)
    link = b.engine.parts.link
    before = {r: link.rooms[r].stream.state for r in (room, other)}
    store = Unreadable(b, min(room, other), monkeypatch)
    with pytest.raises(StoreUnwritable):
        link.reload()
    with pytest.raises(StoreUnwritable):
        await link.open_large()
    store.fails = False
    await link.open_large()
    assert {r: link.rooms[r].stream.state for r in link.rooms} == before
