# SPDX-License-Identifier: EUPL-1.2
"""Updates that wait for ids which are not here yet, each indexed by one of the ids that it lacks.

For each person and object, memory holds at most 1,000 updates, and their facts up to 20,000 items, ranges and ids. The
others are read from the store's rows when they are needed.
"""

from bisect import bisect_left, insort
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.objects.grammar import Facts, Id

MAX_WAITING, MAX_THINGS = 1000, 20_000
"""▲ How many updates, and things in their facts, are in memory for each person and object. A thing takes two bytes on
the wire and about 170 here."""


@dataclass(frozen=True, slots=True)
class Change:
    """Names an update that has a position, without its content: its change's `position` and `id`, its `author` (uid),
    and `t`, the time of its envelope in ms. Of an update that was sent in pieces they are those of the last piece."""

    position: int
    id: bytes
    author: bytes
    t: int


@dataclass(frozen=True, slots=True)
class Late:
    """An update that waits. `missing`: one of the ids (client, clock) that it needs and that are not here."""

    change: Change
    missing: Id


class Rows(Protocol):
    """Reads from the store the updates of one object that wait for an id which is not here yet."""

    def waiting(self, client: int, below: int) -> Sequence[Late]:
        """The stored updates that wait for an id of `client` with a clock below `below`."""

    def facts(self, change: Change) -> Generator[None, None, Facts]:
        """Reads a waiting update's row again and returns what the update says. Works in steps."""


class Waiting:
    """The waiting updates of one object, found by the id that each waits for. Some are in memory, the others only in
    the store."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._lates: dict[int, tuple[Late, Facts | None]] = {}
        """By position."""
        self._by_client: dict[int, list[tuple[int, int]]] = {}
        """For each client that is waited for: (missing clock, position), ascending."""
        self._held: dict[bytes, tuple[int, int]] = {}
        """By person: the updates in memory, and the items, ranges and ids in their facts."""
        self._beyond = False
        """Whether some updates may be in the rows alone: then the rows are read too."""

    def copied(self) -> "Waiting":
        """The same waiting updates, in an object of its own."""
        copy = Waiting(self._rows)
        copy._lates, copy._held, copy._beyond = dict(self._lates), dict(self._held), self._beyond
        copy._by_client = {client: list(found) for client, found in self._by_client.items()}
        return copy

    def __len__(self) -> int:
        """How many updates are in memory."""
        return len(self._lates)

    def put(self, late: Late, facts: Facts | None) -> bool:
        """Keeps a waiting update in memory, with its facts if there is space for them. False if the person has too many
        already: then it is only in the store's rows, which `ready` reads too from then on."""
        count, size = self._held.get(late.change.author, (0, 0))
        if count >= MAX_WAITING:
            self._beyond = True
            return False
        facts = facts if facts is not None and size + _things(facts) <= MAX_THINGS else None
        self._held[late.change.author] = count + 1, size + _things(facts)
        self._lates[late.change.position] = late, facts
        insort(self._by_client.setdefault(late.missing[0], []), (late.missing[1], late.change.position))
        return True

    def ready(self, client: int, below: int) -> list[Change]:
        """The updates that wait for an id (client, clock) of the CRDT client number `client` with a clock below
        `below`, in memory or in the store. They stay waiting."""
        found = self._by_client.get(client, ())
        early = found[: bisect_left(found, (below, -1))]
        changes = {position: self._lates[position][0].change for _, position in early}
        if self._beyond:
            changes |= {late.change.position: late.change for late in self._rows.waiting(client, below)}
        return list(changes.values())

    def take(self, change: Change) -> tuple[Late | None, Facts | None]:
        """Removes a waiting update from memory. Returns (it, its facts); (None, None) if only the store's rows have it.
        The facts alone are None if they were not kept: too many, or read from the store at the start."""
        found = self._lates.get(change.position)
        if found is not None:
            self.drop(found[0])
        return found if found is not None else (None, None)

    def drop(self, late: Late) -> None:
        """Removes `late` from memory; the store's row of it stays, and is the caller's to delete. KeyError if it is not
        in memory: `take` is for an update that may be in the rows alone."""
        _, facts = self._lates.pop(late.change.position)
        count, size = self._held[late.change.author]
        self._held[late.change.author] = count - 1, size - _things(facts)
        left = self._by_client[late.missing[0]]
        del left[bisect_left(left, (late.missing[1], late.change.position))]
        if not left:
            del self._by_client[late.missing[0]]

    def at(self, positions: Collection[int]) -> list[Late]:
        """The updates in memory at `positions`, oldest first. Removes nothing."""
        return [self._lates[position][0] for position in sorted(positions) if position in self._lates]


def _things(facts: Facts | None) -> int:
    if facts is None:
        return 0
    return facts.items + len(facts.needed) + sum(len(ranges) for _, ranges in facts.deleted)
