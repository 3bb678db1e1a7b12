# SPDX-License-Identifier: EUPL-1.2
"""A map of nested maps in a shared document."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from app.core.signal import Signal
from app.errors import BugError
from app.objects.crdt.change import LOCAL, Origin, Path, Value
from app.objects.crdt.holder import Holder
from app.objects.crdt.library import pycrdt
from app.objects.crdt.values import to_plain, to_shared

_MISSING = object()


class CrdtMap:
    """A root map of nested maps, addressed by paths: `board.set(("cards", card_id, "title"), "Beslut")`."""

    def __init__(self, doc: Holder, name: str) -> None:
        self.changed: Signal[frozenset[Path], Origin] = Signal()
        """The paths that were set or deleted, after each transaction. A new nested map is one path: its own. If updates
        had to wait for one that they build on, some of their paths are missing: pycrdt does not report them."""
        self._doc = doc
        self._name = name
        self.rebind()

    @property
    def shared(self) -> "pycrdt.Map[Any]":
        """pycrdt's own map, for this package's classes. BugError after the document's `close`."""
        if self._map is None:
            raise BugError("closed")
        return self._map

    def get(self, path: Path, default: Any = None) -> Any:
        """The value at `path` as plain Python (a nested map as a dict). `default` if there is none, also if the path
        leads through a value that is no map."""
        found = self._find(path)
        return default if found is _MISSING else to_plain(found)

    def has(self, path: Path) -> bool:
        """Whether something is set at `path`."""
        return self._find(path) is not _MISSING

    def keys(self, path: Path = ()) -> list[str]:
        """The keys of the map at `path`, sorted; empty if there is none."""
        found = self._find(path)
        return sorted(found.keys()) if isinstance(found, pycrdt.Map) else []

    def values(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of the root map at these keys as plain Python, by key. A key at which there is none is left
        out."""
        found = dict[str, Any]()
        with self._doc.shared.transaction():  # each reading makes one of its own: that takes half as long again
            for key in keys:
                with suppress(KeyError):
                    found[key] = to_plain(self.shared[key], 1)
        return found

    def set(self, path: Path, value: Value) -> bool:
        """Sets the value at `path`, which has at least one key: IndexError for (). False, and nothing is done, if the
        map that should hold it is gone (a colleague deleted it).

        A dict becomes a nested map. Two people who set a dict at the same path at once do not merge: one wins, so give
        new maps a random key of their own.
        """
        parent = self._find(path[:-1])
        if not isinstance(parent, pycrdt.Map):
            return False
        with self._doc.transact(self._running()):
            parent[path[-1]] = to_shared(value)
        return True

    def delete(self, path: Path) -> bool:
        """Removes what is at `path`, which has at least one key: IndexError for (). False if there was nothing."""
        parent = self._find(path[:-1])
        if not isinstance(parent, pycrdt.Map) or path[-1] not in parent:
            return False
        with self._doc.transact(self._running()):
            del parent[path[-1]]
        return True

    def to_python(self) -> dict[str, Any]:
        """The whole map as plain Python."""
        return self.values(self.keys())

    def rebind(self) -> None:
        """Finds the map in the document again, after the document was rebuilt, and subscribes to its changes."""
        root = cast("pycrdt.Map[Any]", self._doc.shared[self._name])
        self._map: pycrdt.Map[Any] | None = root
        self._doc.observers.add(root, root.observe_deep, self._on_events)

    def release(self) -> None:
        """Lets go of the map: the document was closed."""
        self._map = None

    def _running(self) -> Origin:
        return self._doc.origin if self._doc.in_transaction else LOCAL

    def _find(self, path: Path) -> Any:
        found: Any = self.shared
        for key in path:
            if not isinstance(found, pycrdt.Map) or key not in found:
                return _MISSING
            found = found[key]
        return found

    def _on_events(self, events: Sequence[Any]) -> None:
        paths = frozenset((*event.path, key) for event in events for key in getattr(event, "keys", {}))
        origin = self._doc.origin
        if paths:
            self._doc.later(lambda: self.changed.emit(paths, origin))
