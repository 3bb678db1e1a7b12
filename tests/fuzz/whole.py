# SPDX-License-Identifier: EUPL-1.2
"""The job `whole`: a changed history as an object of a real store. It is received, judged, merged, indexed, opened,
made a snapshot and a state, and begun again from that state in another store.

Both stores take OBJECTS objects, each in a room of its own. Then they are closed, opened again, compared with what they
said before, closed and replaced. After a failure both are replaced at once. The stores of an input's number differ
between runs that begin elsewhere, so a failure notes how many objects were in them before.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from app.core.ids import ObjId, RoomId
from app.objects.grammar import client_begun
from app.store.kept_judges import JUDGES
from tests.fuzz.histories import Positioned
from tests.fuzz.opened import Object, Opened, Read

OBJECTS = JUDGES
"""So many judges a store keeps in memory: when it closes, it stores the judge of each object."""
READ_AGAIN = 4
"""One of so many objects is read again after the stores were closed and opened."""
MOST_CLIENTS = 8
"""So many clients of an object its judge is asked about."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a store says of an object: what it holds when it is opened, who owns its clients by its judge, and the hash
    of its snapshot, None where none was made."""

    opened: object
    owners: Sequence[bytes | None]
    digest: bytes | None = None


class Whole:
    """The two stores with their event loop, and what they said of objects that are read again."""

    def __init__(self, make: Callable[[Random], list[Positioned]]) -> None:
        """`make` makes the history of an input."""
        self._make = make
        self._loop = asyncio.Runner()
        self._stores: tuple[Opened, Opened] | None = None
        self._said: list[tuple[Opened, Object, list[int], Said]] = []
        self._taken = 0

    def run(self, rng: Random, counts: Counter[str]) -> None:
        """Takes one input. Replaces the stores when they are full, and after any failure."""
        board, history = rng.random() < 0.5, self._make(rng)
        one = Object(board, RoomId(rng.randbytes(16)), ObjId(rng.randbytes(16)))
        try:
            self._loop.run(self._whole(one, history, counts))
        except BaseException as error:
            error.add_note(f"{self._taken} objects were in the stores before it")
            self._drop()
            raise
        self._taken += 1
        if self._taken == OBJECTS:
            self.end(counts)

    def end(self, counts: Counter[str]) -> None:
        """Closes both stores and opens them again, asserts that the objects read as before, and deletes the stores
        with their files. Does nothing if no store is open."""
        if self._stores is None:
            return
        try:
            for store in self._stores:
                store.reopen()
            self._loop.run(self._read_again())
            for store in self._stores:
                store.close()
            counts["stores"] += len(self._stores)
            counts["read_again"] += len(self._said)
        except BaseException as error:
            error.add_note(f"while stores of {self._taken} objects were replaced")
            raise
        finally:
            self._drop()

    async def _whole(self, one: Object, history: list[Positioned], counts: Counter[str]) -> None:
        self._stores = first, again = self._stores or (Opened(), Opened())
        clients = sorted({c for p in history if (c := client_begun(p.update)) is not None})[:MOST_CLIENTS]
        await first.receive(one, history)
        said = await self._heard(first, one, clients)
        state = await first.state(one)
        if state:
            await again.begin(one, state)
            begun = await self._heard(again, one, clients)
            if begun.opened != said.opened:
                assert _unordered(begun.opened) == _unordered(said.opened), (
                    "what begins at the state says another thing"
                )
                counts["other_order"] += 1
            counts["begun_again"] += 1
        counts["boards" if one.board else "documents"] += 1
        counts["updates"] += len(history)
        counts["kept_out"] += first.kept_out(one)

    async def _heard(self, store: Opened, one: Object, clients: list[int]) -> Said:
        said = await self._ask(store, one, clients)
        if self._taken % READ_AGAIN == 0:
            self._said.append((store, one, clients, said))
        return said

    async def _read_again(self) -> None:
        for store, one, clients, said in self._said:
            now = await self._ask(store, one, clients)
            assert now == said, "a store says another thing after it was opened again"

    async def _ask(self, store: Opened, one: Object, clients: list[int]) -> Said:
        """Makes a snapshot in the first store alone. In the other an object has one change, the state."""
        opened, owners = store.opened(one), await store.owners(one, clients)
        if self._stores is None or store is not self._stores[0]:
            return Said(opened, owners)
        found = await store.snapshot(one)
        return Said(opened, owners, found.digest if found else None)

    def _drop(self) -> None:
        """Deletes the stores, and what is left of them if they cannot be closed. The next ones get a loop of their
        own."""
        stores, self._stores, self._taken = self._stores, None, 0
        self._said.clear()
        for store in stores or ():
            with contextlib.suppress(Exception):
                store.close()
        self._loop.close()
        self._loop = asyncio.Runner()


def _unordered(opened: object) -> object:
    """What a document holds with its characters in no order. Where an update names a right neighbour that stands before
    the left one, the library's order depends on the order of merging (app/objects/FORMAT.md, "Not judged"). Then
    another character may be the last: a text that does not end with a newline is shown as if it did, and has a block
    more. So newlines and blocks are not compared."""
    return sorted(opened.text.replace("\n", "")) if isinstance(opened, Read) else opened
