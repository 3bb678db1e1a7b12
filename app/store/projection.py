# SPDX-License-Identifier: EUPL-1.2
"""What the store needs from a kind of objects, and the running of its callbacks.

`app.objects.kind.Kind` fulfils `Projector`; the store knows no kinds of its own.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from app.core.ids import ObjId
from app.store.connection import Connection
from app.store.rows import ObjectRow, StoredChange
from sync.client.placed_changes import Compacted, PlacedChange

Project = Callable[[Connection, ObjectRow, Sequence[StoredChange]], None]
"""Writes a tool's read-model rows for new changes of one object, inside the store's transaction.

Called once for each object and batch, in the order of receipt. Raise `app.errors.BadChange(code)` for a change that
makes no sense: it is kept, marked and counted, and the others of the batch are projected without it.
"""


class Feeder(Protocol):
    """Takes the updates out of one object's changes, in order. It keeps pieces of updates that are not complete."""

    def feed_data(self, changes: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """The updates that (author, data) complete. It calls no native code."""
        ...


class Missing(Protocol):
    """The id that a waiting update lacks: (client, clock)."""

    @property
    def missing(self) -> tuple[int, int]: ...


class Outcome(Protocol):
    """A judge's verdict on the update whose last change is at `position`; `parts` are the positions of all its changes.
    `code`: "merged", "late", "again", or the rule that it breaks. `missing` if it waits for an id. `waited`: it waited
    before. `deferred`: its author began too many clients, so it is merged in the background."""

    @property
    def position(self) -> int: ...

    @property
    def parts(self) -> tuple[int, ...]: ...

    @property
    def code(self) -> str: ...

    @property
    def missing(self) -> Missing | None: ...

    @property
    def waited(self) -> bool: ...

    @property
    def deferred(self) -> bool: ...


class WaitingRows(Protocol):
    """The changes of one object that wait, as the store keeps them for its judge."""

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        """(last change, clock of the id that it lacks, positions of all its changes) of the updates that wait for ids
        of a client below a clock."""
        ...

    def changes(self, positions: Sequence[int]) -> Sequence[PlacedChange]:
        """The changes at these positions, in their order."""
        ...


class ObjectJudge(Protocol):
    """The judge of one object, which takes its changes in the order of their positions (app/objects/replay.py). Methods
    that return a generator work in pieces."""

    @property
    def upto(self) -> int:
        """Every change at a position up to here was taken, or is in the state with which the judge began."""
        ...

    @property
    def named(self) -> frozenset[int]:
        """Positions that waited when the judge began and have not been taken since."""
        ...

    def takes(self, position: int) -> bool: ...

    def has(self, ident: tuple[int, int]) -> bool: ...

    def owner(self, client: int) -> bytes | None: ...

    def taking(self, change: PlacedChange) -> Generator[None, None, Sequence[Outcome]]: ...

    def cover(self, upto: int) -> list[int]: ...

    def starting(self, stored: bytes) -> Generator[None, None, None]: ...

    def starting_at(self, changes: Sequence[PlacedChange]) -> Generator[None, None, None]: ...

    def covered_by(self, changes: Sequence[PlacedChange]) -> int: ...

    def storing(self) -> Generator[None, None, bytes]: ...

    def mark(self) -> Any: ...

    def rollback(self, mark: Any) -> None: ...

    def settle(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """How a kind's objects merge: the roots of their CRDT, the feeder that takes updates out of changes, their judge,
    and the state with which a reader of their baselines begins."""

    texts: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    keep_deleted: bool = False
    """The same value as in the kind's model, so that the worker merges as the program does."""
    feeder: Callable[[], Feeder]
    judge: Callable[[WaitingRows], ObjectJudge]
    newest_state: Callable[[Iterable[PlacedChange]], Sequence[PlacedChange]]
    """The changes of the newest state that is complete among an object's baselines, newest first; empty if none is."""
    load: Callable[[], object]
    """Imports the CRDT library, which takes 40 ms. `Rehearsal` calls it in its thread before others' changes are
    merged, so that merging them does not import it on the event loop."""


class Tester(Protocol):
    """A separate process in which changes are tried before this program merges them (app/worker/client.py).

    Every method but `try_soon` blocks. Each raises WorkerDied if the process ended at the given changes, and
    WorkerUnavailable if it cannot be started. One call at a time, from one thread or, for `try_soon`, from the loop.
    """

    @property
    def generation(self) -> int:
        """Rises whenever a process ends: its loaded objects are lost."""
        ...

    def load(
        self,
        obj: bytes,
        texts: tuple[str, ...],
        maps: tuple[str, ...],
        updates: Sequence[bytes],
        *,
        keep_deleted: bool = False,
    ) -> "Trial":
        """Loads an object into the worker with every change that is merged here, and reads it whole."""
        ...

    def try_(self, obj: bytes, updates: Sequence[bytes], *, thorough: bool) -> "Trial":
        """Merges updates into a loaded object; `thorough` reads it whole after each."""
        ...

    async def try_soon(self, obj: bytes, updates: Sequence[bytes]) -> "Trial | None":
        """Merges updates into a loaded object; None if only `try_` can."""
        ...

    def read(self, obj: bytes) -> None:
        """Reads a loaded object whole."""
        ...

    def forget(self, obj: bytes) -> None:
        """Drops a loaded object."""
        ...

    def start(self) -> None:
        """Starts the process unless it runs, so that the first change does not have to wait."""
        ...

    def stop(self) -> None:
        """Ends the process; the next call starts another."""
        ...

    def close(self) -> None:
        """Ends the process for good. From any thread."""
        ...


class Trial(Protocol):
    """The result of a trial. `merged`: for each update whether it was valid; fewer than were given if the next could
    not be merged. `is_read`: the object was read whole since. `took_us`: microseconds of processor time, for merging
    and reading after `load`, for merging alone after `try_`. `each_us`: microseconds for merging each update of `try_`.
    """

    @property
    def merged(self) -> tuple[bool, ...]: ...

    @property
    def is_read(self) -> bool: ...

    @property
    def took_us(self) -> int: ...

    @property
    def each_us(self) -> tuple[int, ...]: ...


class NamedCompact(Protocol):
    """A kind's `Compact`. It enters `named` only while this process merges."""

    def __call__(
        self, changes: Sequence[PlacedChange], n: int, /, *, named: AbstractContextManager[None] = ...
    ) -> Compacted | None: ...


class Projector(Protocol):
    """One kind of objects as the store sees it."""

    @property
    def id(self) -> str:
        """The kind's id as the root object announces it."""
        ...

    @property
    def project(self) -> Project:
        """Projects new changes of one object."""
        ...

    @property
    def positioned(self) -> Project | None:
        """Projects own changes that have received their position (`n`, server's `t`); None if the kind does not need
        it."""
        ...

    @property
    def compact(self) -> NamedCompact | None:
        """Makes an object's state out of its changes, for snapshots; None for a kind that has none."""
        ...

    @property
    def merging(self) -> Merging | None:
        """How its objects merge; None for a kind of records."""
        ...

    @property
    def forget(self) -> Callable[[Connection, ObjId], None] | None:
        """Drops what the projection keeps of an object in memory, before the object is projected from its first
        change."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """The DDL of the kind's read-model tables (app/store/tables.py): created when missing, rebuilt when `version`
        rises."""
        ...

    @property
    def version(self) -> int:
        """The read model's version: a higher one drops the tables and projects all changes again."""
        ...
