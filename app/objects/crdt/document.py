# SPDX-License-Identifier: EUPL-1.2
"""A shared document: its roots, its transactions, merging, and what is emitted after them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from weakref import finalize

from app.core.signal import Signal
from app.errors import BugError
from app.objects.crdt.change import LOCAL, REMOTE, SETUP, STORED, UNDO, Origin, Update
from app.objects.crdt.library import pycrdt
from app.objects.crdt.map import CrdtMap
from app.objects.crdt.panics import DamagedUpdate, panics
from app.objects.crdt.text import CrdtText
from app.objects.crdt.updates import BATCH, is_update
from app.objects.observers import Observers, weakly


class UndoSteps(Protocol):
    """What is used of pycrdt's undo manager. `undo` and `redo` return whether there was a step to undo or redo."""

    def can_undo(self) -> bool: ...

    def can_redo(self) -> bool: ...

    def undo(self) -> bool: ...

    def redo(self) -> bool: ...


class CrdtDoc:
    """A shared document: named root texts and maps that merge with those of all colleagues.

    `close` frees its memory at once. A document that is dropped without `close` is freed when Python collects it.
    """

    def __init__(
        self,
        *,
        texts: Sequence[str] = (),
        maps: Sequence[str] = (),
        client_id: int | None = None,
        keep_deleted: bool = False,
    ) -> None:
        """`texts` and `maps`: the names of the roots. `client_id`: only for tests that must be repeatable; otherwise
        random.

        `keep_deleted`: turns off the CRDT's garbage collection. Deleted content stays in memory and in `diff`. ▲ A
        document with undo and nested maps needs it. When a colleague deletes a map, yrs may free it although undo still
        keeps a value in it; writing the next update then reads freed memory (docs/upstream/yrs.md, section 8).
        """
        self.updated: Signal[Update] = Signal()
        """After each transaction that changed something, of any origin."""
        self.reloaded: Signal[()] = Signal()
        """The document was rebuilt after a panic: read everything again."""
        self.closed: Signal[()] = Signal()
        """After `close`: nothing can be read or written any more."""
        self._client_id = client_id
        self._keep_deleted = keep_deleted
        self._names = (tuple(texts), tuple(maps))
        self._origin = SETUP
        self._depth = 0
        self._emitting = 0
        self._silent = False
        self._queue: list[Callable[[], None]] = []
        self._texts: dict[str, CrdtText] = {}
        self._maps: dict[str, CrdtMap] = {}
        self._doc: pycrdt.Doc[Any] | None = None
        """pycrdt's own document; None after `close`."""
        self._observers = Observers()
        finalize(self, self._observers.end).atexit = False
        self._build()
        for name in texts:
            self._texts[name] = CrdtText(self, name)
        for name in maps:
            self._maps[name] = CrdtMap(self, name)

    def text(self, name: str) -> "CrdtText":
        """The root text `name`; KeyError if the constructor did not name it."""
        return self._texts[name]

    def map(self, name: str) -> "CrdtMap":
        """The root map `name`; KeyError if the constructor did not name it."""
        return self._maps[name]

    @contextmanager
    def transact(self, origin: Origin = LOCAL) -> Iterator[None]:
        """A context in which all changes to the document become one update. A nested use joins the outermost, whose
        `origin` counts. The document's signals are emitted after its end. `origin`: who makes the changes. After an
        exception the changes made so far stay, and are emitted. BugError after `close`, and for a panic of the
        library."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._origin, self._depth = origin, 1
        try:
            with panics(BugError, "crdt", panics_only=True), self.shared.transaction(origin=origin):
                yield
        finally:
            self._depth = 0
            self._flush()

    def apply(self, updates: Sequence[bytes], origin: Origin = REMOTE) -> list[int]:
        """Merges updates in order, as transactions of `origin` (REMOTE or STORED). Returns the indexes of those that
        are damaged and were left out. A damaged update never stops the others: the document may be rebuilt without it,
        and emits `reloaded`; the caller decides whether to raise `DamagedUpdate`. It is raised here only if the
        document itself cannot be read any more. BugError after `close`."""
        bad = {i for i, update in enumerate(updates) if not is_update(update)}
        good = [i for i in range(len(updates)) if i not in bad]
        for start in range(0, len(good), BATCH):
            batch = good[start : start + BATCH]
            refused = self._apply_batch([updates[i] for i in batch], origin)
            bad.update(batch[i] for i in refused)
        return sorted(bad)

    def load(self, updates: Sequence[bytes]) -> list[int]:
        """As `apply`, for a document that nobody follows yet: emits nothing, unless a panic rebuilds it. Of a state of
        6 MB, noting what has changed took as long as merging it. BugError after `close`."""
        before, was_silent = self.shared, self._silent
        self._silent = True
        self._observers.end()
        try:
            return self.apply(updates)
        finally:
            self._silent = was_silent
            self._observers.end()
            self._follow()
            self._rebind()
            if self._doc is not before:
                self.reloaded.emit()

    def reset(self, updates: Sequence[bytes]) -> list[int]:
        """Empties the document and merges only these updates; then emits `reloaded`. Returns the indexes of damaged
        updates, which are left out. BugError after `close`."""
        _ = self.shared  # BugError after `close`
        self._build()
        self._rebind()
        self._silent = True
        try:
            bad = self.apply(updates)
        finally:
            self._silent = False
        self.reloaded.emit()
        return bad

    def close(self) -> None:
        """Frees the document, emits `closed`, and nothing after that. BugError for whatever reads or writes the
        document after it; a second call does nothing."""
        if self._doc is None:
            return
        self._observers.end()
        self._queue.clear()
        self._doc = None
        for part in self._parts():
            part.release()
        self.closed.emit()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._doc is None

    @property
    def is_changing(self) -> bool:
        """Whether a transaction is running, or its signals are not all emitted yet."""
        return bool(self._depth or self._emitting)

    @property
    def origin(self) -> Origin:
        """Of the running transaction, or of the last one."""
        return self._origin

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is running."""
        return bool(self._depth)

    @property
    def client(self) -> int:
        """The client id of the CRDT under which this document writes now."""
        return int(self.shared.client_id)

    def state(self) -> bytes:
        """The encoded state vector of the CRDT: how many operations of each client number this document has. BugError
        after `close`."""
        with panics(BugError, "crdt"):
            return self.shared.get_state()

    def diff(self, state: bytes | None = None) -> bytes:
        """One update with everything that a document with the state vector `state` lacks; the whole document if it is
        None. DamagedUpdate if the vector is damaged; BugError after `close`."""
        with panics(DamagedUpdate, "state"):
            return self.shared.get_update(state)

    def undo_manager(
        self, roots: Sequence["CrdtText | CrdtMap"], *, clock_ms: Callable[[], int], group_ms: int
    ) -> "UndoSteps":
        """Makes an undo manager that follows transactions of origin LOCAL or STORED in the given roots. For
        app/objects/undo.py only. Edits within `group_ms` (ms) are one step, by the time that `clock_ms`, a bound
        method, returns. ▲ pycrdt never releases that method, so only a weak reference to it is kept."""
        manager = pycrdt.UndoManager(
            scopes=[root.shared for root in roots], capture_timeout_millis=group_ms, timestamp=weakly(clock_ms, 0)
        )
        manager.include_origin(LOCAL)
        manager.include_origin(STORED)
        return manager

    def run_undo(self, step: Callable[[], bool]) -> bool:
        """Runs `step` (undo or redo of an undo manager: whether there was a step) as a transaction of origin UNDO, then
        emits its changes. Returns the result of `step`. A panic of the library in it is BugError."""
        self._origin, self._depth = UNDO, 1
        try:
            with panics(BugError, "undo"):
                return step()
        finally:
            self._depth = 0
            self._flush()

    def later(self, notify: Callable[[], None]) -> None:
        """Calls `notify`, without arguments, when the running transaction has ended, or if none runs, after the next
        one. Not at all while the document is rebuilt (`reloaded` is emitted instead), or after `close`. For the texts
        and maps of this document."""
        if not self._silent:
            self._queue.append(notify)

    @property
    def shared(self) -> "pycrdt.Doc[Any]":
        """pycrdt's own document, for this package's classes. BugError after `close`."""
        if self._doc is None:
            raise BugError("closed")
        return self._doc

    @property
    def observers(self) -> Observers:
        """The subscriptions to pycrdt's own document, for this package's classes."""
        return self._observers

    def _build(self) -> None:
        self._observers.end()
        doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=self._client_id, skip_gc=self._keep_deleted)
        for name in self._names[0]:
            doc[name] = pycrdt.Text()
        for name in self._names[1]:
            doc[name] = pycrdt.Map()
        self._doc = doc
        self._follow()

    def _follow(self) -> None:
        self._observers.add(self.shared, self.shared.observe, self._on_transaction)

    def _on_transaction(self, event: "pycrdt.TransactionEvent") -> None:
        update, origin = event.update, self._origin
        # Two bytes of zeroes: nothing inserted, nothing deleted.
        if update != b"\x00\x00":
            self.later(lambda: self.updated.emit(Update(data=update, origin=origin)))

    def _flush(self) -> None:
        queue, self._queue = self._queue, []
        self._emitting += 1
        try:
            for notify in queue:
                if self._doc is not None:  # one of them may close it
                    notify()
        finally:
            self._emitting -= 1

    def _apply_batch(self, updates: Sequence[bytes], origin: Origin) -> list[int]:
        """Merges valid updates in one transaction. Returns the indexes of those that could not be merged, [] if all
        could. If one fails, the document is rebuilt from its state before, the others are merged one by one, and
        `reloaded` is emitted."""
        before = self.shared
        try:
            with self.transact(origin):
                for update in updates:
                    self.shared.apply_update(update)
        except (BugError, ValueError, RuntimeError):
            # A failed merge may leave half of it behind: rebuild from the state before, then one by one.
            return self._rebuild(before, updates)
        return []

    def _rebuild(self, old: "pycrdt.Doc[Any]", updates: Sequence[bytes]) -> list[int]:
        with panics(DamagedUpdate, "rebuild"):
            whole = old.get_update()
        self._build()
        was_silent, self._silent = self._silent, True
        try:
            refused = self._refill(whole, updates)
        finally:
            self._silent = was_silent
        if not was_silent:  # otherwise `reset` emits it, when all is merged
            self.reloaded.emit()
        return refused

    def _rebind(self) -> None:
        for part in self._parts():
            part.rebind()

    def _parts(self) -> "list[CrdtText | CrdtMap]":
        return [*self._texts.values(), *self._maps.values()]

    def _refill(self, whole: bytes, updates: Sequence[bytes]) -> list[int]:
        self._rebind()
        with self.transact(REMOTE):
            self.shared.apply_update(whole)
        refused = []
        for index, update in enumerate(updates):
            try:
                with self.transact(REMOTE):
                    self.shared.apply_update(update)
            except (BugError, ValueError, RuntimeError):
                refused.append(index)
        return refused
