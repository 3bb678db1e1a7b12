# SPDX-License-Identifier: EUPL-1.2
"""What a store keeps of a restore recovery, in which clients upload again what was lost between a backup and its
restore."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRow:
    """The server's signed statement that this store was restored at `t` from a backup of the time `backup_t` (both ms
    since 1970). `body` and `sig`: the statement as clients get it."""

    t: int
    backup_t: int
    body: bytes
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedItem:
    """A room's item that a restore lost and that a client should upload again. A receipt of this server proves its
    position `n`, time `t`, kind and 32-byte `id`."""

    n: int
    t: int
    kind: int
    id: bytes


class RestoreStore(Protocol):
    """The part of the store that is about a restore from a backup: closed rooms, and the devices and items that are
    awaited. Durability is as for all of `sync.server.store.base.Store`."""

    async def mark_restored(self, row: RestoreRow, seen_since: int) -> None:
        """Stores the statement `row` of a restore, closes every room, and awaits uploads by each device that signed in
        at `seen_since` (ms) or later. Devices and items that an earlier restore still awaited are given up."""
        ...

    async def restored(self) -> RestoreRow | None:
        """The newest restore, None if there never was one."""
        ...

    async def closed_rooms(self) -> set[bytes]: ...

    async def awaited_devices(self) -> list[tuple[bytes, bytes]]:
        """(dev, uid) of the devices that may still hold what was lost."""
        ...

    async def stop_awaiting(self, dev: bytes) -> None:
        """Stops awaiting a device. Nothing happens if it is not awaited."""
        ...

    async def await_items(self, room: bytes, items: Sequence[AwaitedItem]) -> int:
        """Notes that `items` of the room with the id `room` are proven (by a receipt that this server signed) and
        should be uploaded again, and closes the room to writing. Items that the room has by now are skipped, and items
        that are awaited already stay as they are. Returns how many of `items` the room lacks."""
        ...

    async def awaited_items(self, room: bytes, after: int, limit: int) -> list[AwaitedItem]:
        """Awaited positions n > after, in order."""
        ...

    async def awaited_until(self, room: bytes) -> int:
        """The highest awaited position, 0 for none."""
        ...

    async def openable_rooms(self) -> list[bytes]:
        """Closed rooms that await neither an item nor a device of any member, and for which no receipt (this server's
        signature) was presented (`put_unmet`) of a position above their last one."""
        ...

    async def open_room(self, room: bytes) -> None:
        """Opens a closed room for writing, and gives up the items that it still awaits."""
        ...
