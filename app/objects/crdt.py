# SPDX-License-Identifier: EUPL-1.2
"""The only door to pycrdt: shared documents with texts and maps, their updates, undo and sticky positions.

Positions in a text are UTF-8 bytes here, as in the CRDT; app/core/text_units.py converts. Not thread safe: one
document belongs to the event loop. pycrdt panics with a BaseException subclass on wrong ranges and some bad input;
none of that passes this module: it becomes a `DamagedUpdate` or a `BugError`, and the document stays usable.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NewType, Protocol, TypeAlias, cast
from weakref import finalize

from app.core.later import Later
from app.core.signal import Signal
from app.errors import BadChange, BugError
from app.objects.grammar import read
from app.objects.lib0 import MAX_BYTES, MAX_THINGS, BadUpdate
from app.objects.observers import Observers, weakly
from app.objects.passed import is_remembered
from app.objects.sticky import clock_in, is_sticky, item_of

if TYPE_CHECKING:
    import pycrdt
else:
    pycrdt = Later("pycrdt")  # 40 ms and 5 MB, not needed before a document or board is opened

Value: TypeAlias = "str | int | float | bool | bytes | list[Value] | dict[str, Value] | None"
"""What a map may hold. A dict put into a map becomes a nested map, merged key by key; a list is one whole value."""

Attributes: TypeAlias = Mapping[str, "str | int | bool | None"]
"""Attributes of a text's characters; None takes one away."""

Path: TypeAlias = tuple[str, ...]

Origin = NewType("Origin", str)
"""The maker of a transaction. Undo follows origins; updates of REMOTE are not sent on."""

LOCAL = Origin("local")
"""My own edits: sent, and undone by my Ctrl+Z."""
SETUP = Origin("setup")
"""What the program writes on my behalf (a new document's first lines): sent, never undone."""
REMOTE = Origin("remote")
"""Updates from the store or from colleagues: not sent on."""
UNDO = Origin("undo")
"""What my undo and redo did: sent."""

_BATCH = 1000
"""Updates applied in one transaction. 100,000 operations in one took 66 s, in many 5 s (design/office.md)."""


MAX_DEPTH = 16
"""How deep maps and lists may lie in each other. What a tool writes is at most four deep."""


def load() -> None:
    """Imports pycrdt now, and what pycrdt imports at its first document. Called in a thread: otherwise the first
    document or board imports them on the event loop, which takes 40 ms."""
    _ = pycrdt.Doc
    with suppress(ImportError):  # a document has a lock of anyio, which imports this for a loop of asyncio
        import_module("anyio._backends._asyncio")


class DamagedUpdate(BadChange):
    """Bytes that came as an update or a position and are none. The document is as it was before."""

    def __init__(self, where: str = "update") -> None:
        super().__init__("damaged-update")
        self.where = where


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOp:
    """One step of a text's change, Quill style. Exactly one of `retain`, `delete` (UTF-8 bytes), `insert` is set."""

    retain: int = 0
    delete: int = 0
    insert: str = ""
    attrs: Attributes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The bytes of one finished transaction, and whose it was."""

    data: bytes
    origin: Origin


class UndoSteps(Protocol):
    """pycrdt's undo manager. Each step returns whether there was one."""

    def can_undo(self) -> bool: ...

    def can_redo(self) -> bool: ...

    def undo(self) -> bool: ...

    def redo(self) -> bool: ...


class CrdtDoc:
    """A shared document: named root texts and maps that merge with those of all colleagues.

    `close` frees what it holds at once. One that is dropped without `close` is freed when Python collects it.
    """

    def __init__(
        self,
        *,
        texts: Sequence[str] = (),
        maps: Sequence[str] = (),
        client_id: int | None = None,
        keep_deleted: bool = False,
    ) -> None:
        """`client_id` only for tests that must be repeatable; otherwise random.

        `keep_deleted`: turns off the CRDT's garbage collection. Deleted content stays in memory and in `diff`.
        ▲ A document with undo and nested maps needs it. When a colleague deletes a map, yrs may free it although undo
        still keeps a value in it; writing the next update then reads freed memory (docs/upstream/yrs.md, section 8).
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
        """A root text named in the constructor."""
        return self._texts[name]

    def map(self, name: str) -> "CrdtMap":
        """A root map named in the constructor."""
        return self._maps[name]

    @contextmanager
    def transact(self, origin: Origin = LOCAL) -> Iterator[None]:
        """Everything inside becomes one update. Nested uses join the outermost. Signals come after its end."""
        if self._depth:
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
            return
        self._origin, self._depth = origin, 1
        try:
            with _panics(BugError, "crdt", panics_only=True), self.shared.transaction(origin=origin):
                yield
        finally:
            self._depth = 0
            self._flush()

    def apply(self, updates: Sequence[bytes]) -> list[int]:
        """Merges updates in order. Gives the indexes of those that are damaged and were left out.

        A damaged update never stops the others; the owner decides whether to raise `DamagedUpdate`.
        """
        bad = {i for i, update in enumerate(updates) if not is_update(update)}
        good = [i for i in range(len(updates)) if i not in bad]
        for start in range(0, len(good), _BATCH):
            batch = good[start : start + _BATCH]
            refused = self._apply_batch([updates[i] for i in batch])
            bad.update(batch[i] for i in refused)
        return sorted(bad)

    def reset(self, updates: Sequence[bytes]) -> list[int]:
        """Begins again and merges only these; then emits `reloaded`. Returns as `apply`."""
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
        """Frees the document and emits nothing more. BugError for any use after it; a second call does nothing."""
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
    def client(self) -> int:
        """The client id of the CRDT under which this document writes now."""
        return int(self.shared.client_id)

    def state(self) -> bytes:
        """The state vector: what this document has seen."""
        with _panics(BugError, "crdt"):
            return self.shared.get_state()

    def diff(self, state: bytes | None = None) -> bytes:
        """One update with everything that `state` lacks; without it, the whole document."""
        with _panics(DamagedUpdate, "state"):
            return self.shared.get_update(state)

    def undo_manager(
        self, roots: Sequence["CrdtText | CrdtMap"], *, clock_ms: Callable[[], int], group_ms: int
    ) -> "UndoSteps":
        """For app/objects/undo.py only: follows LOCAL in the given roots. `clock_ms` is a method; ▲ pycrdt holds it, so
        it is held weakly."""
        manager = pycrdt.UndoManager(
            scopes=[root.shared for root in roots], capture_timeout_millis=group_ms, timestamp=weakly(clock_ms, 0)
        )
        manager.include_origin(LOCAL)
        return manager

    def run_undo(self, step: Callable[[], bool]) -> bool:
        """Runs an undo manager's step with origin UNDO, then emits its changes."""
        self._origin, self._depth = UNDO, 1
        try:
            with _panics(BugError, "undo"):
                return step()
        finally:
            self._depth = 0
            self._flush()

    def later(self, notify: Callable[[], None]) -> None:
        """For the texts and maps of this document: calls `notify` when the running transaction has ended."""
        if not self._silent:
            self._queue.append(notify)

    @property
    def shared(self) -> "pycrdt.Doc[Any]":
        """pycrdt's own document, for this module's classes. BugError after `close`."""
        if self._doc is None:
            raise BugError("closed")
        return self._doc

    @property
    def observers(self) -> Observers:
        """The subscriptions to pycrdt's own document, for this module's classes."""
        return self._observers

    def _build(self) -> None:
        self._observers.end()
        doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=self._client_id, skip_gc=self._keep_deleted)
        for name in self._names[0]:
            doc[name] = pycrdt.Text()
        for name in self._names[1]:
            doc[name] = pycrdt.Map()
        self._doc = doc
        self._observers.add(doc, doc.observe, self._on_transaction)

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

    def _apply_batch(self, updates: Sequence[bytes]) -> list[int]:
        """Merges in one transaction; the indexes of those that could not be merged."""
        before = self.shared
        try:
            with self.transact(REMOTE):
                for update in updates:
                    self.shared.apply_update(update)
        except (BugError, ValueError, RuntimeError):
            # A failed merge may leave half of it behind: rebuild from the state before, then one by one.
            return self._rebuild(before, updates)
        return []

    def _rebuild(self, old: "pycrdt.Doc[Any]", updates: Sequence[bytes]) -> list[int]:
        with _panics(DamagedUpdate, "rebuild"):
            whole = old.get_update()
        self._build()
        self._silent = True
        try:
            refused = self._refill(whole, updates)
        finally:
            self._silent = False
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


class CrdtText:
    """A root text with attributes. Positions and lengths are UTF-8 bytes and must lie between characters."""

    def __init__(self, doc: CrdtDoc, name: str) -> None:
        self.changed: Signal[tuple[TextOp, ...], Origin] = Signal()
        """After each transaction that changed this text."""
        self._doc = doc
        self._name = name
        self.rebind()

    @property
    def shared(self) -> "pycrdt.Text":
        """pycrdt's own text, for this module's classes. BugError after the document's `close`."""
        if self._text is None:
            raise BugError("closed")
        return self._text

    def __str__(self) -> str:
        return str(self.shared)

    def runs(self) -> list[tuple[str, dict[str, Any]]]:
        """The text in pieces of equal attributes. Anything embedded that we do not know is one U+FFFC."""
        return [(x if isinstance(x, str) else "\ufffc", _attrs(a)) for x, a in self.shared.diff()]

    def insert(self, pos: int, text: str, attrs: Attributes | None = None) -> None:
        """Inserts with exactly these attributes, whatever the text beside it has."""
        self.shared.insert(pos, text, dict(attrs or {}))

    def delete(self, pos: int, length: int) -> None:
        """Removes `length` bytes."""
        if length > 0:
            del self.shared[pos : pos + length]

    def format(self, pos: int, length: int, attrs: Attributes) -> None:
        """Sets attributes on a range."""
        if length > 0 and attrs:
            self.shared.format(pos, pos + length, dict(attrs))

    def sticky(self, pos: int, *, before: bool = False) -> bytes:
        """A position that follows the text: it holds on to the character after it, or `before`."""
        if not len(self.shared):
            return b""  # pycrdt panics: there is nothing to hold on to
        assoc = pycrdt.Assoc.BEFORE if before else pycrdt.Assoc.AFTER
        with _panics(BugError, "position"):
            return self.shared.sticky_index(pos, assoc).encode()

    def resolve(self, sticky: bytes) -> int | None:
        """Where a sticky position is now; None if it makes no sense here (it came from another device).

        ▲ pycrdt is not called for an item that is not here. It would panic, which takes a hundred times as long as an
        answer and writes to standard error. A colleague's caret is often received before the letter to which it is
        attached.
        """
        if not is_sticky(sticky):
            return None
        item = item_of(sticky)
        if item is not None and item[1] >= clock_in(self._doc.state(), item[0]):
            return None
        try:
            with _panics(DamagedUpdate, "position"):
                return int(pycrdt.StickyIndex.decode(sticky, self.shared).get_index())
        except DamagedUpdate:
            return None

    def rebind(self) -> None:
        """Takes hold of the text in a document that was rebuilt."""
        text = cast("pycrdt.Text", self._doc.shared[self._name])
        self._text: pycrdt.Text | None = text
        self._doc.observers.add(text, text.observe, self._on_event)

    def release(self) -> None:
        """Lets go of the text: the document was closed."""
        self._text = None

    def _on_event(self, event: Any) -> None:
        ops, origin = tuple(_text_op(op) for op in event.delta), self._doc._origin  # same module
        self._doc.later(lambda: self.changed.emit(ops, origin))


class CrdtMap:
    """A root map of nested maps, addressed by paths: `board.set(("cards", card_id, "title"), "Beslut")`."""

    def __init__(self, doc: CrdtDoc, name: str) -> None:
        self.changed: Signal[frozenset[Path], Origin] = Signal()
        """The paths that were set or deleted, after each transaction. A new nested map is one path: its own."""
        self._doc = doc
        self._name = name
        self.rebind()

    @property
    def shared(self) -> "pycrdt.Map[Any]":
        """pycrdt's own map, for this module's classes. BugError after the document's `close`."""
        if self._map is None:
            raise BugError("closed")
        return self._map

    def get(self, path: Path, default: Any = None) -> Any:
        """The value at `path` as plain Python (a nested map as a dict), or `default`."""
        found = self._find(path)
        return default if found is _MISSING else _plain(found)

    def has(self, path: Path) -> bool:
        """Whether something is set at `path`."""
        return self._find(path) is not _MISSING

    def keys(self, path: Path = ()) -> list[str]:
        """The keys of the map at `path`, sorted; empty if there is none."""
        found = self._find(path)
        return sorted(found.keys()) if isinstance(found, pycrdt.Map) else []

    def set(self, path: Path, value: Value) -> bool:
        """Sets a value. False if the map that should hold it is gone (a colleague deleted it): nothing is done.

        A dict becomes a nested map. Two people who set a dict at the same path at once do not merge: one wins, so
        give new maps a random key of their own.
        """
        parent = self._find(path[:-1])
        if not isinstance(parent, pycrdt.Map):
            return False
        with self._doc.transact(self._running()):
            parent[path[-1]] = _shared(value)
        return True

    def delete(self, path: Path) -> bool:
        """Removes what is at `path`. False if there was nothing."""
        parent = self._find(path[:-1])
        if not isinstance(parent, pycrdt.Map) or path[-1] not in parent:
            return False
        with self._doc.transact(self._running()):
            del parent[path[-1]]
        return True

    def to_python(self) -> dict[str, Any]:
        """The whole map as plain Python."""
        return cast("dict[str, Any]", _plain(self.shared))

    def rebind(self) -> None:
        """Takes hold of the map in a document that was rebuilt."""
        root = cast("pycrdt.Map[Any]", self._doc.shared[self._name])
        self._map: pycrdt.Map[Any] | None = root
        self._doc.observers.add(root, root.observe_deep, self._on_events)

    def release(self) -> None:
        """Lets go of the map: the document was closed."""
        self._map = None

    def _running(self) -> Origin:
        return self._doc._origin if self._doc._depth else LOCAL  # same module

    def _find(self, path: Path) -> Any:
        found: Any = self.shared
        for key in path:
            if not isinstance(found, pycrdt.Map) or key not in found:
                return _MISSING
            found = found[key]
        return found

    def _on_events(self, events: Sequence[Any]) -> None:
        paths = frozenset((*event.path, key) for event in events for key in getattr(event, "keys", {}))
        origin = self._doc._origin  # same module
        if paths:
            self._doc.later(lambda: self.changed.emit(paths, origin))


def is_update(update: bytes) -> bool:
    """Whether the bytes are an update or a state by the grammar (app/objects/grammar.py). pycrdt never sees others."""
    if is_remembered(update):
        return True
    try:
        read(update)
    except BadUpdate as bad:
        return bad.where == "clients" and _is_state(update)
    return True


def may_be_kept(state: bytes) -> bool:
    """Whether a state that this program made can be merged again, here and in the worker: it must be no larger than an
    update may be. A state of more than MAX_THINGS bytes is read to count what it holds, which takes 0.3 s for each
    MB."""
    return len(state) <= MAX_BYTES and (len(state) <= MAX_THINGS or _is_state(state))


def _is_state(update: bytes) -> bool:
    try:
        read(update, state=True)
    except BadUpdate:
        return False
    return True


def merged(updates: Sequence[bytes], texts: Sequence[str], maps: Sequence[str]) -> tuple[bytes, dict[str, Any]] | None:
    """(one update with all of these in it, what the named roots then hold). What is no update is left out; None if one
    that looks like one cannot be merged.

    In a document that nobody watches: several may be made at once, in any thread.
    """
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    updates = [update for update in updates if is_update(update)]
    for name in texts:
        doc[name] = pycrdt.Text()
    for name in maps:
        doc[name] = pycrdt.Map()
    try:
        with _panics(DamagedUpdate, "merge"):
            for start in range(0, len(updates), _BATCH):
                with doc.transaction():
                    for update in updates[start : start + _BATCH]:
                        doc.apply_update(update)
            held: dict[str, Any] = {name: [[t, _attrs(a)] for t, a in doc[name].diff()] for name in texts}
            held |= {name: _plain(doc[name]) for name in maps}
            return doc.get_update(), held
    except (DamagedUpdate, ValueError, RuntimeError):
        return None


_MISSING = object()
_MAX_WHOLE = 2**53


@contextmanager
def _panics(error: type[BugError] | type[DamagedUpdate], where: str, *, panics_only: bool = False) -> Iterator[None]:
    """Turns pycrdt's panics, and its refusals to decode, into ours.

    PanicException cannot be imported and is no Exception; it is recognised by its name, so that KeyboardInterrupt and
    CancelledError pass.
    """
    try:
        yield
    except ValueError as problem:
        if panics_only:
            raise
        raise error(where) from problem
    except BaseException as problem:
        if type(problem).__name__ == "PanicException":
            raise error(where) from None
        raise


def _text_op(op: Mapping[str, Any]) -> TextOp:
    attrs = {k: _number(v) for k, v in op["attributes"].items()} if op.get("attributes") else None
    if "insert" in op:
        insert = op["insert"]
        return TextOp(insert=insert if isinstance(insert, str) else "\ufffc", attrs=attrs)
    return TextOp(retain=int(op.get("retain", 0)), delete=int(op.get("delete", 0)), attrs=attrs)


def _attrs(attrs: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: _number(v) for k, v in attrs.items() if v is not None} if attrs else {}


def _number(value: Any) -> Any:
    """The CRDT knows only floating numbers; whole ones come back as int, of up to 309 digits: readers bound them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(value: Any, depth: int = 0) -> Any:
    """A value as plain Python. ▲ What is nested deeper than MAX_DEPTH is None: that value alone is ignored."""
    if depth > MAX_DEPTH:
        return None
    match value:
        case pycrdt.Map():
            return {key: _plain(value[key], depth + 1) for key in sorted(value.keys())}
        case pycrdt.Text():
            return str(value)
        case list():
            return [_plain(item, depth + 1) for item in value]
        case dict():
            return {key: _plain(item, depth + 1) for key, item in value.items()}
        case _:
            return _number(value)


def _shared(value: Any) -> Any:
    """Converts a value to what pycrdt accepts. ▲ It accepts every value that `_plain` can read, also those that no tool
    of ours writes. Otherwise a board that holds such a value could not be copied."""
    match value:
        case dict():
            return pycrdt.Map({key: _shared(item) for key, item in value.items()})
        case list():
            return [_member(item) for item in value]
        case _:
            return _member(value)


def _member(value: Any) -> Any:
    """As `_shared`, for a value that is no map or lies in a list: dicts in it stay plain dicts."""
    match value:
        case dict():
            return {key: _member(item) for key, item in value.items()}
        case list():
            return [_member(item) for item in value]
        case bytearray():
            return bytes(value)
        case int() if abs(value) >= _MAX_WHOLE:
            return float(value)
        case _:
            return value
