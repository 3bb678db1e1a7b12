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
    """The part of the server's store, as a Protocol, that is about a restore from a backup: rooms that are closed to
    writing, and the devices and items that are awaited, since they may still upload what was lost. A write is durable
    when its coroutine returns, and is stored whole or not at all. A failed write raises a StoreError."""

    async def mark_restored(self, row: RestoreRow, seen_since: int) -> None:
        """Notes that the store was restored from a backup: stores `row`, the server's signed statement of it, closes
        every room to writing, and awaits uploads by each device that signed in, or was noted as connected, at
        `seen_since` (ms) or later. Devices and items that an earlier restore still awaited are no longer awaited.
        StoreError if the write fails; nothing is changed then."""
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
        """Notes that `items` of the room with the id `room`, which a receipt (this server's signature) proves, should
        be uploaded again. Items up to the room's last position are skipped, since the room has them by now; of an
        unknown room it has none. Items that are awaited already stay as they are. Returns how many of `items` the room
        lacks, with those that were awaited already. If that is not 0, the room is closed to writing."""
        ...

    async def awaited_items(self, room: bytes, after: int, limit: int) -> list[AwaitedItem]:
        """Awaited positions n > after, in order."""
        ...

    async def awaited_until(self, room: bytes) -> int:
        """The highest awaited position, 0 for none."""
        ...

    async def openable_rooms(self) -> list[bytes]:
        """The ids, in no order, of the closed rooms that can be opened for writing again: they await neither an item
        nor a device of any present member, and no device has presented a receipt (this server's signature) for a
        position above their last one. Opens none of them."""
        ...

    async def open_if_ready(self, room: bytes) -> bool:
        """Opens a closed room for writing if it can be opened (`openable_rooms`), in one transaction. Returns whether
        it was opened: False also for a room that is not closed. ▲ So a receipt that is stored after `openable_rooms`
        was read keeps the room closed."""
        ...

    async def open_room(self, room: bytes) -> None:
        """Opens a closed room for writing, and gives up the items that it still awaits."""
        ...
