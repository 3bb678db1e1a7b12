# SPDX-License-Identifier: EUPL-1.2
"""`RestoreStore` in memory."""

from collections.abc import Iterable

from sync.server.store.base import SightingRow
from sync.server.store.restored import AwaitedItem, RestoreRow


class MemoryRestore:
    """The part of the store in memory (for tests and a trial office) that is about a restore from a backup: rooms
    closed to writing, and the devices and items that are awaited. A mixin of MemoryStore, whose `_sightings` and
    `_rooms` it reads."""

    _sightings: dict[bytes, SightingRow]
    _rooms: Iterable[bytes]

    def __init__(self) -> None:
        super().__init__()
        self._restored: RestoreRow | None = None
        self._closed: set[bytes] = set()
        self._awaited_devices: dict[bytes, bytes] = {}
        self._awaited_items: dict[bytes, dict[int, AwaitedItem]] = {}

    async def mark_restored(self, row: RestoreRow, seen_since: int) -> None:
        self._restored = row
        self._closed = set(self._rooms)
        self._awaited_devices = {x.dev: x.uid for x in self._sightings.values() if x.last >= seen_since}
        self._awaited_items.clear()

    async def restored(self) -> RestoreRow | None:
        return self._restored

    async def closed_rooms(self) -> set[bytes]:
        return set(self._closed)

    async def awaited_devices(self) -> list[tuple[bytes, bytes]]:
        return list(self._awaited_devices.items())

    async def stop_awaiting(self, dev: bytes) -> None:
        self._awaited_devices.pop(dev, None)

    async def awaited_items(self, room: bytes, after: int, limit: int) -> list[AwaitedItem]:
        kept = self._awaited_items.get(room, {})
        return [kept[n] for n in sorted(kept) if n > after][:limit]

    async def awaited_until(self, room: bytes) -> int:
        return max(self._awaited_items.get(room, {}), default=0)

    async def open_room(self, room: bytes) -> None:
        self._awaited_items.pop(room, None)
        self._closed.discard(room)

    def _note_reuploaded(self, room: bytes, n: int, *, begins: bool) -> None:
        if begins:
            self._closed.add(room)
        kept = self._awaited_items.get(room, {})
        self._awaited_items[room] = {at: item for at, item in kept.items() if at > n}
