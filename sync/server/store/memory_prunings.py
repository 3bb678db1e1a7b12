# SPDX-License-Identifier: EUPL-1.2
"""The part of the server's store in memory (for tests) that notes which rooms have pruned content to delete, and that
deletes what a destroyed object has beside its items."""

from dataclasses import replace
from typing import Any

from sync.server.store.blob_store import BlobRow


class MemoryPrunings:
    """Notes the rooms with pruned content that is not deleted yet. A mixin of MemoryStore, which calls `note_pruning`
    with each placement that prunes."""

    def __init__(self) -> None:
        super().__init__()
        self._prunings: dict[bytes, int] = {}

    _rooms: dict[bytes, Any]
    _blobs: dict[tuple[bytes, bytes, bytes], BlobRow]

    async def forget_share(self, room: bytes, obj: bytes) -> None:
        shares = self._rooms[room].shares
        if obj in shares:
            shares[obj] = replace(shares[obj], share=None)

    async def blobs_of(self, room: bytes, obj: bytes) -> list[BlobRow]:
        return [row for key, row in self._blobs.items() if key[:2] == (room, obj)]

    async def forget_blobs(self, room: bytes, obj: bytes) -> int:
        gone = await self.blobs_of(room, obj)
        freed = sum(row.size_bytes for row in gone)
        for row in gone:
            del self._blobs[row.room, row.obj, row.part]
        found = self._rooms[room]
        found.row = replace(found.row, size_bytes=found.row.size_bytes - freed)
        return freed

    def note_pruning(self, room: bytes, n: int) -> None:
        self._prunings[room] = n

    async def prunings(self) -> list[bytes]:
        return list(self._prunings)

    async def end_pruning(self, room: bytes, n: int) -> None:
        if self._prunings.get(room, n + 1) <= n:
            del self._prunings[room]
