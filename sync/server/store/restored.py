# SPDX-License-Identifier: EUPL-1.2
"""What a store keeps while what was lost between a backup and its restore comes back from clients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRow:
    """That this store was restored at `t` from a backup of `backup_t` (ms): the server's signed statement."""

    t: int
    backup_t: int
    body: bytes
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedItem:
    """A position that this server's receipt proves and whose item is not back yet. `id` is the item's 32-byte id."""

    n: int
    t: int
    kind: int
    id: bytes


class RestoreStore(Protocol):
    """Part of `sync.server.store.base.Store`; the same words about durability hold."""

    async def mark_restored(self, row: RestoreRow, seen_since: int) -> None:
        """Closes every room, and awaits each device that was seen at `seen_since` (ms) or later."""
        ...

    async def restored(self) -> RestoreRow | None:
        """The newest restore, None if there never was one."""
        ...

    async def closed_rooms(self) -> set[bytes]: ...

    async def awaited_devices(self) -> list[tuple[bytes, bytes]]:
        """(dev, uid) of devices that may still hold what was lost."""
        ...

    async def stop_awaiting(self, dev: bytes) -> None:
        """The device has handed in what it had."""
        ...

    async def await_items(self, room: bytes, items: Sequence[AwaitedItem]) -> int:
        """Notes positions that are proven, and closes the room; those noted already stay. What is back by now is not
        awaited: the number of the others."""
        ...

    async def awaited_items(self, room: bytes, after: int, limit: int) -> list[AwaitedItem]:
        """Awaited positions n > after, in order."""
        ...

    async def awaited_until(self, room: bytes) -> int:
        """The highest awaited position, 0 for none."""
        ...

    async def openable_rooms(self) -> list[bytes]:
        """Closed rooms that await neither an item nor a device of any member."""
        ...

    async def open_room(self, room: bytes) -> None:
        """Opens a closed room for writing; what it still awaits is given up."""
        ...
