# SPDX-License-Identifier: EUPL-1.2
"""A single change of a colleague is stored, and shown, before the position and the receipt that came with it."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.core.ids import ObjId, RoomId
from app.errors import StoreUnwritable
from sync.client.received import OpenedContent, Received, ReceivedSlice
from tests.journeys.bad_input.checks import two
from tests.world import Client, World, until


@dataclass
class Writes:
    """What a client's store is given to store, in order. `fails` says at which write its disk refuses."""

    client: Client
    fails: Callable[[Received], bool] = lambda received: False
    seen: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._real = self.client.store.receive_apart
        self.client.store.receive_apart = self._receive_apart

    async def _receive_apart(self, received: Received) -> None:
        self.seen.append(received)
        if self.fails(received):
            raise StoreUnwritable
        await self._real(received)


def _positions(client: Client, room: RoomId) -> list[int]:
    rows = client.store.db.rows("SELECT n FROM changes WHERE room = ? AND n IS NOT NULL ORDER BY n", (room,))
    return [n for (n,) in rows]


async def test_a_change_of_a_colleague_is_stored_before_the_rest_of_its_slice(w: World) -> None:
    a, b, room, obj = await two(w)
    writes = Writes(b)
    a.say(room, obj, "åäö 🙂".encode())
    await w.settle(room)
    first, rest = writes.seen
    assert isinstance(first, OpenedContent)
    assert [change.payload for change in first.changes] == ["åäö 🙂".encode()]
    assert first.more, "the flush comes with the rest"
    assert isinstance(rest, ReceivedSlice)
    assert (rest.changes, rest.cursor) == ([], first.changes[0].n)
    assert rest.receipt is not None


async def test_an_own_change_and_one_with_a_new_objects_secret_are_stored_with_their_slice(w: World) -> None:
    a, b, room, obj = await two(w)
    writes = Writes(b)
    b.say(room, obj, b"mine")
    await w.settle(room)
    a.say(room, ObjId(b"\x09" * 16), b"of a new object")
    await w.settle(room)
    assert [type(received) for received in writes.seen] == [ReceivedSlice, ReceivedSlice]


@pytest.mark.parametrize("refused", [OpenedContent, ReceivedSlice])
async def test_a_disk_that_refuses_one_of_the_two_writes_loses_and_doubles_nothing(
    w: World, refused: type[Received]
) -> None:
    """▲ The position is not stored without its change and its receipt, and a change that is received again is known."""
    a, b, room, obj = await two(w)
    before, failed = b.engine.position(room), list[Received]()

    def fails_once(received: Received) -> bool:
        if failed or not isinstance(received, refused):
            return False
        failed.append(received)
        return True

    Writes(b, fails_once)
    a.say(room, obj, "åäö 🙂".encode())
    await until(lambda: bool(failed))
    await until(lambda: b.engine.position(room) > before)
    await w.settle(room)
    assert b.texts(obj).count("åäö 🙂".encode()) == 1
    assert len(_positions(b, room)) == len(set(_positions(b, room)))
    [stored] = [kept for kept in b.store.receipts() if kept.room == room]
    assert stored.n == b.engine.position(room)
