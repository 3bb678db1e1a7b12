# SPDX-License-Identifier: EUPL-1.2
"""Updates that wait for ids which are not here yet, indexed by the first id that each lacks.

In memory at most 1,000 and 8 MiB of a person and object; what is beyond stays in the store's rows, which are asked.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.objects.grammar import Facts, Id

MAX_WAITING, MAX_WAITING_BYTES = 1000, 8 << 20


@dataclass(frozen=True, slots=True)
class Change:
    """An update that has a position. `position`: of its last piece, if it came in pieces. `t`: ms, the envelope's."""

    position: int
    id: bytes
    author: bytes
    t: int


@dataclass(frozen=True, slots=True)
class Late:
    """A change that waits. `missing`: the first id that it lacks. `size_bytes`: its update's."""

    change: Change
    missing: Id
    size_bytes: int


class Rows(Protocol):
    """What the store keeps of one object's waiting updates: all of them, also those that are in memory here."""

    def waiting(self, client: int, below: int) -> Sequence[Late]:
        """Those whose first missing id is of this client and below a clock."""

    def facts(self, change: Change) -> Facts:
        """What one of them says: its row, read again."""


class Waiting:
    """The index of what waits for one object."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._lates: dict[int, tuple[Late, Facts | None]] = {}
        """By position."""
        self._by_client: dict[int, list[tuple[int, int]]] = {}
        """Of each client that is waited for: (missing clock, position), ascending."""
        self._held: dict[bytes, tuple[int, int]] = {}
        """Of each person: how many are in memory, and their bytes."""
        self._beyond = False
        """Whether some may be in the rows alone: then the rows are asked too."""

    def __len__(self) -> int:
        """How many are in memory."""
        return len(self._lates)

    def put(self, late: Late, facts: Facts | None) -> bool:
        """Keeps one; False if it is beyond what is kept in memory: then the rows alone have it."""
        count, size = self._held.get(late.change.author, (0, 0))
        if count >= MAX_WAITING or size + late.size_bytes > MAX_WAITING_BYTES:
            self._beyond = True
            return False
        self._held[late.change.author] = count + 1, size + late.size_bytes
        self._lates[late.change.position] = late, facts
        insort(self._by_client.setdefault(late.missing[0], []), (late.missing[1], late.change.position))
        return True

    def ready(self, client: int, below: int) -> list[Change]:
        """What waits for an id of this client below a clock."""
        found = self._by_client.get(client, ())
        early = found[: bisect_left(found, (below, -1))]
        changes = {position: self._lates[position][0].change for _, position in early}
        if self._beyond:
            changes |= {late.change.position: late.change for late in self._rows.waiting(client, below)}
        return list(changes.values())

    def take(self, change: Change) -> tuple[Late | None, Facts]:
        """Takes one out: (it, what it says). None in place of it if the rows alone had it."""
        found = self._lates.get(change.position)
        if found is None:
            return None, self._rows.facts(change)
        late, facts = found
        self.drop(late)
        return late, facts if facts is not None else self._rows.facts(change)

    def drop(self, late: Late) -> None:
        """Takes one out that is in memory."""
        del self._lates[late.change.position]
        count, size = self._held[late.change.author]
        self._held[late.change.author] = count - 1, size - late.size_bytes
        left = self._by_client[late.missing[0]]
        del left[bisect_left(left, (late.missing[1], late.change.position))]
        if not left:
            del self._by_client[late.missing[0]]

    def cover(self, upto: int) -> list[Late]:
        """Those in memory at positions up to this one, oldest first."""
        return [late for position, (late, _) in sorted(self._lates.items()) if position <= upto]
