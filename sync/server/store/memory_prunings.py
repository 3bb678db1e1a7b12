# SPDX-License-Identifier: EUPL-1.2
"""The part of the server's store in memory (for tests) that notes which rooms have pruned content to delete."""


class MemoryPrunings:
    """Notes the rooms with pruned content that is not deleted yet. A mixin of MemoryStore, which calls `note_pruning`
    with each placement that prunes."""

    def __init__(self) -> None:
        super().__init__()
        self._prunings: dict[bytes, int] = {}

    def note_pruning(self, room: bytes, n: int) -> None:
        self._prunings[room] = n

    async def prunings(self) -> list[bytes]:
        return list(self._prunings)

    async def end_pruning(self, room: bytes, n: int) -> None:
        if self._prunings.get(room, n + 1) <= n:
            del self._prunings[room]
