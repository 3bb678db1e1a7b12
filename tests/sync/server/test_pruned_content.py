# SPDX-License-Identifier: EUPL-1.2
"""Which rooms the next start continues to prune: those in which a deletion was running or had failed."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sync.protocol.messages import Receipt
from sync.server.config import Limits
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.rules.destroyed_objects import DestroyedObjects
from sync.server.rules.entry_limits import EntryLimits
from sync.server.rules.live_rooms import LiveRoom
from sync.server.rules.pruned_content import Pruning
from sync.server.rules.uploads import Uploads
from sync.server.store.base import ItemRow, StoreError
from sync.server.store.memory import MemoryStore
from sync.trust.formats.items import ENTRY
from sync.trust.room.stream import RoomStream
from tests.sync.server.store_rows import ROOM, item, placement

OBJ = b"o" * 16


class PausingStore(MemoryStore):
    """A store in which each reading of items waits for a future in `gates`, in order, and raises that one's error."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: list[asyncio.Future[None]] = []

    async def items(
        self, room: bytes, after: int, until: int, limit_bytes: int, *, bare: bool = False
    ) -> list[ItemRow]:
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gates.append(gate)
        await gate
        return await super().items(room, after, until, limit_bytes, bare=bare)


async def place(store: MemoryStore, n: int) -> Receipt:
    await store.place(replace(placement(n - 1, prunes=True), items=[replace(item(n), kind=ENTRY)]))
    return Receipt(ROOM, n, b"h" * 32, n, b"s" * 64)


@dataclass
class Entries:
    """The part of a room's state that matters here."""

    pruned: dict[bytes, int]
    destroyed: dict[bytes, int]


def room_at(head: Receipt, **entries: dict[bytes, int]) -> LiveRoom:
    """A room of which only its head matters here, and which objects were pruned or destroyed."""
    state = Entries(**{"pruned": {}, "destroyed": {}, **entries})
    return LiveRoom(cast("RoomStream", SimpleNamespace(state=state)), head, 0, 0, cast("EntryLimits", None))


async def turns() -> None:
    """Returns when the deletions that are not paused have ended."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_room_is_noted_until_the_older_of_two_deletions_has_ended_too(tmp_path: Path) -> None:
    store, objects = PausingStore(), FilesystemObjects(tmp_path)
    pruning = Pruning(store, DestroyedObjects(store, objects, Uploads(store, objects, Limits())))
    live = room_at(await place(store, 1))
    pruning.begin(live, [(OBJ, 1)])
    live.head = await place(store, 2)
    pruning.begin(live, [(OBJ, 2)])
    await turns()
    store.gates[1].set_result(None)
    await turns()
    assert await store.prunings() == [ROOM], "the older deletion is still running"
    store.gates[0].set_result(None)
    await turns()
    assert await store.prunings() == []


async def test_a_room_in_which_a_deletion_failed_stays_noted_for_the_next_start(tmp_path: Path) -> None:
    store, objects = PausingStore(), FilesystemObjects(tmp_path)
    pruning = Pruning(store, DestroyedObjects(store, objects, Uploads(store, objects, Limits())))
    live = room_at(await place(store, 1))
    pruning.begin(live, [(OBJ, 1)])
    await turns()
    store.gates[0].set_exception(StoreError("items"))
    live.head = await place(store, 2)
    pruning.begin(live, [(OBJ, 2)])
    await turns()
    store.gates[1].set_result(None)
    await turns()
    assert await store.prunings() == [ROOM]


@pytest.mark.parametrize("entries", [{"pruned": {OBJ: 1}}, {"destroyed": {OBJ: 1}}], ids=["pruned", "destroyed"])
async def test_a_room_is_read_again_only_while_something_is_left_to_delete(
    tmp_path: Path, entries: dict[str, dict[bytes, int]]
) -> None:
    """A room is loaded again and again. Otherwise all its headers would be read each time, for ever."""
    store, objects = PausingStore(), FilesystemObjects(tmp_path)
    head = await place(store, 1)

    def loaded() -> Pruning:
        """The room was read from the disk by another process."""
        made = Pruning(store, DestroyedObjects(store, objects, Uploads(store, objects, Limits())))
        made.resume(room_at(head, **entries))
        return made

    interrupted = loaded()
    await turns()
    assert len(store.gates) == 1
    await interrupted.close()
    loaded()
    await turns()
    assert len(store.gates) == 2
    store.gates[1].set_result(None)
    await turns()
    assert await store.prunings() == []
    loaded()
    await turns()
    assert len(store.gates) == 2
