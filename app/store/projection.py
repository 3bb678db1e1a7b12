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
from app.store.notice_rows import Notice, NoticeKind
from app.store.rows import ObjectRow, StoredChange
from sync.client.placed_changes import Compacted, PlacedChange

Project = Callable[[Connection, ObjectRow, Sequence[StoredChange]], Sequence[Notice] | None]
"""Writes a tool's read-model rows for new changes of one object, inside the store's transaction. Returns the notices
that the changes make for this person (app/store/notice_rows.py); None for none.

Called once for each object and batch, in the order of receipt; and without changes when an object was destroyed, to
count again what lists show beside the object's own rows. The store writes the notices in the same transaction,
each once: it leaves out those of changes that are `replayed`, and of what this person did. Raise
`app.errors.BadChange(code)` for a change that makes no sense: it is kept, marked and counted, and the others of the
batch are projected without it.
"""


class Feeder(Protocol):
    """Takes CRDT updates out of the changes of one object, which it is given in order. A long update is cut into
    pieces, one in each of several changes; the feeder keeps pieces until all of them are here."""

    def feed_data(self, changes: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Takes (author, data) of further changes. Returns the updates that are complete now; skips damaged changes. It
        calls no native code."""
        ...


class Missing(Protocol):
    """What a waiting CRDT update needs. `missing` is the id (client, clock) of an operation that is not here yet."""

    @property
    def missing(self) -> tuple[int, int]: ...


class Outcome(Protocol):
    """A judge's verdict on one update of a CRDT. `position`: that of the last change that holds a part of it; `parts`:
    the positions of all of them. `code`: "merged"; "late" (it waits); "again" (it adds nothing new); or the name of the
    rule that it breaks. `missing`: the id that it waits for, or None. `waited`: it waited before this verdict.
    `deferred`: its author began too many CRDT client numbers in an hour, so it is merged in the background."""

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
    """Reads the stored changes of one object that wait for changes not received yet. The object's judge, which decides
    which changes count, takes them from here."""

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        """The updates that wait for an id (client, clock) of the CRDT client number `client` with a clock below
        `below`, each as (its last change, the clock of the id that it waits for, positions of all its changes)."""
        ...

    def changes(self, positions: Sequence[int]) -> Sequence[PlacedChange]:
        """The changes at these positions, in their order."""
        ...


class ObjectJudge(Protocol):
    """Decides which changes of one object count, in the order of their positions (app/objects/replay.py). Methods that
    return a generator work in steps, so that other tasks can run between them."""

    @property
    def upto(self) -> int:
        """The position up to which the judge knows every change: it was given the change, or began with a state that
        contains it."""
        ...

    @property
    def named(self) -> frozenset[int]:
        """Positions of the changes that were waiting when the judge began, and that it has not been given since."""
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
    """How the objects of a kind merge. `texts` and `maps`: names of the roots of their CRDT. `feeder` makes a reader of
    the updates in their changes; `judge` makes the judge of one object (which decides which changes count) from the
    stored changes that wait for others. `newest_state` picks the newest complete state out of an object's baselines
    (states for new members), `load` imports the CRDT library."""

    texts: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()
    keep_deleted: bool = False
    """The same value as in the kind's model, so that the worker merges as the program does."""
    feeder: Callable[[], Feeder]
    judge: Callable[[WaitingRows], ObjectJudge]
    newest_state: Callable[[Iterable[PlacedChange]], Sequence[PlacedChange]]
    """The changes of the newest state that is complete among an object's baselines, which are given oldest
    first; empty if none is."""
    load: Callable[[], object]
    """Imports the CRDT library, which takes 40 ms. `Rehearsal` calls it in its thread before others' changes are
    merged, so that merging them does not import it on the event loop."""


class Tester(Protocol):
    """A separate process in which others' changes are merged on trial before this program merges them
    (app/worker/client.py).

    Every method but `try_soon` blocks. Each raises WorkerDied if the process ended at the given changes, and
    WorkerUnavailable if it cannot be started. One call at a time, from one thread or, for `try_soon`, from the loop.
    """

    @property
    def generation(self) -> int:
        """A number that rises whenever the process ends. An object that was loaded at a lower number is no longer
        loaded."""
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
        """Loads the object `obj` into the process: merges `updates`, all that are merged in this program, into a new
        CRDT with the roots `texts` and `maps`, and reads it whole. `keep_deleted`: the CRDT keeps deleted content in
        memory, as the kind's model does. Returns which were valid and the time taken. Raises WorkerDied,
        WorkerUnavailable."""
        ...

    def try_(self, obj: bytes, updates: Sequence[bytes], *, thorough: bool) -> "Trial":
        """Merges updates into the loaded object `obj`. If `thorough`, the object is read whole after each of them."""
        ...

    async def try_soon(self, obj: bytes, updates: Sequence[bytes]) -> "Trial | None":
        """Merges `updates` into the loaded object `obj` on the event loop, without blocking it, and reads nothing.
        Returns None if this cannot be done (too many bytes, the process does not run, or Windows): then call `try_` in
        a thread. Raises WorkerDied."""
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
    """The result of a trial. `merged`: for each update whether it was valid; shorter than the updates given if the next
    one could not be merged. `is_read`: the object was read whole after the merge. `took_us`: microseconds of processor
    time, for merging and reading after `load`, for merging alone after `try_`. `each_us`: microseconds for merging each
    update of `try_`."""

    @property
    def merged(self) -> tuple[bool, ...]: ...

    @property
    def is_read(self) -> bool: ...

    @property
    def took_us(self) -> int: ...

    @property
    def each_us(self) -> tuple[int, ...]: ...


class NamedCompact(Protocol):
    """A function that computes an object's state from its `changes` up to position `n`; None if it cannot. `named`: a
    context that it enters only while this process merges, so that the journal names the merge."""

    def __call__(
        self, changes: Sequence[PlacedChange], n: int, /, *, named: AbstractContextManager[None] = ...
    ) -> Compacted | None: ...


class Projector(Protocol):
    """What the store knows of a kind of objects (document, board, chat, …): the kind's id, the tables of its read
    model, and the functions that fill these from changes, and merge and compact the changes."""

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
        """The function that updates the rows of own changes once these have received their position (`n`, server's
        `t`); None if the kind does not need it."""
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
        """The function that drops what `project` keeps of an object in memory, called when the object's rows are
        deleted, for example to make them again from its first change; None if it keeps nothing."""
        ...

    @property
    def release_files(self) -> Callable[[Connection, ObjId], None] | None:
        """The function that is called, in the transaction, when an object is destroyed, before its parts of files are
        removed from the cache. It assigns those that another object has too to that one (`cached_parts.give_part`), and
        removes those of the object that are in the cache as parts of another one. None: the parts of no file belong to
        two objects."""
        ...

    @property
    def tables(self) -> tuple[str, ...]:
        """The DDL of the kind's read-model tables (app/store/tables.py): created when missing, rebuilt when `version`
        differs."""
        ...

    @property
    def notices(self) -> tuple[NoticeKind, ...]:
        """The kinds of notices that `project` may return."""
        ...

    @property
    def version(self) -> int:
        """The read model's version: a higher one drops the tables and projects all changes again."""
        ...

    @property
    def format(self) -> int:
        """The number of the format of its changes. Another one projects all changes again, as another `version`
        does."""
        ...
