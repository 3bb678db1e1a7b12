# SPDX-License-Identifier: EUPL-1.2
"""The object of one year in which a person's devices keep things of the person: a CRDT whose maps have one writer each.

Under each root every device has a map of its own, which no other device writes. So two devices that write apart replace
nothing of each other; joining.py says what counts. A device makes its map again with its first write of a week: a
replaced value leaves 11 bytes in the CRDT, but what was replaced in a deleted map is only counted. So 100,000 read
marks of two devices take 0.03 MB and 7 ms to open, instead of 1.1 MB and 260 ms.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from app.core.signal import Signal
from app.objects.crdt import REMOTE, SETUP, CrdtDoc, CrdtMap, Origin, Path, Update
from app.own.joining import MAX_NUMBER, Value, is_kept

ABOUT = "about"
ROOTS = ("reads", "rooms", "sections", "drafts", "settings", "notices")
"""What this program reads. `reminders` is reserved (FORMAT.md)."""
ROOT_MAPS = (ABOUT, *ROOTS)
WEEK = "week"
Key = tuple[str, str]
"""A root and a key under it."""
MAX_KEY = 200


class OwnObject:
    """One year's object. `emit` is called with the bytes of each edit that is made here; `merge` takes those of other
    devices."""

    def __init__(self, emit: Callable[[bytes], None] | None = None) -> None:
        self.changed: Signal[frozenset[Key]] = Signal()
        """What changed by a merge."""
        self._emit = emit
        self._doc = CrdtDoc(maps=ROOT_MAPS)
        self._entries: dict[str, dict[str, dict[str, Value]]] = {root: {} for root in ROOTS}
        self._made: dict[Key, int] = {}
        """The week in which this object made a device's map again, by root and device: it need not read it then."""
        self._touched: set[Key] = set()
        for root in ROOTS:
            self._map(root).changed.connect(partial(self._on_changed, root))
        self._doc.updated.connect(self._on_updated)
        self._doc.reloaded.connect(self._on_reloaded)

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def year(self) -> int | None:
        """The year that the object was begun for; None if it does not say."""
        found = self._map(ABOUT).get(("year",))
        return found if type(found) is int and 0 < found < MAX_NUMBER else None

    def keys(self, root: str) -> set[str]:
        """The keys under which any device has a value."""
        return {key for entries in self._entries[root].values() for key in entries}

    def values(self, root: str, key: str) -> dict[str, Value]:
        """The value that each device has written under a key, by the device's id in hex."""
        return {dev: entries[key] for dev, entries in self._entries[root].items() if key in entries}

    # -- writing ---------------------------------------------------------------------------------------------------

    def begin(self, year: int) -> None:
        """Says which year the new object is for."""
        with self._doc.transact(SETUP):
            self._map(ABOUT).set(("year",), year)

    def write(self, dev: str, week: int, values: Mapping[str, Mapping[str, Value]]) -> None:
        """Writes the device's `values`, by root and key, as one edit; nothing if they are there. `week`: the number of
        the present week, since a device's map is made again in each."""
        with self._doc.transact():
            for root, entries in values.items():
                new = {
                    key: value for key, value in entries.items() if self._entries[root].get(dev, {}).get(key) != value
                }
                if new:
                    self._write(root, dev, week, new)

    def _write(self, root: str, dev: str, week: int, new: Mapping[str, Value]) -> None:
        held, shared = self._entries[root].setdefault(dev, {}), self._map(root)
        if self._made.get((root, dev)) == week or shared.get((dev, WEEK)) == week:
            for key, value in new.items():
                shared.set((dev, key), value)
        else:  # with all that is in it, also what only a newer program reads
            found = shared.get((dev,), {})
            before = found if isinstance(found, dict) else {}
            kept = {k: v for k, v in before.items() if not isinstance(v, list) or is_kept(root, v, 7 * week)}
            shared.set((dev,), {**kept, **new, WEEK: week})
        held.update(new)
        self._made[root, dev] = week

    # -- merging ---------------------------------------------------------------------------------------------------

    @property
    def is_changing(self) -> bool:
        """Whether an edit or a merge has begun and not yet notified everybody (app/objects/live.py)."""
        return self._doc.is_changing

    def load(self, updates: Sequence[bytes]) -> list[int]:
        """Merges stored updates into a new object; returns the indexes of damaged ones."""
        return self._doc.apply(updates)

    def merge(self, updates: Sequence[bytes]) -> list[int]:
        """Merges updates, in any order, any number of times, and returns the indexes of damaged ones. Emits `changed`
        at its end, if something changed."""
        return self._noting(lambda: self._doc.apply(updates))

    def reset(self, updates: Sequence[bytes]) -> list[int]:
        """Replaces the content by that of these updates alone, and emits `changed`. Returns the indexes of damaged
        ones."""
        return self._noting(lambda: self._doc.reset(updates))

    def _noting(self, merge: Callable[[], list[int]]) -> list[int]:
        self._touched = set()
        bad = merge()
        if self._touched:
            self.changed.emit(frozenset(self._touched))
        return bad

    def snapshot(self) -> bytes:
        """The whole object as one update."""
        return self._doc.diff()

    def state(self) -> bytes:
        """The state vector of the CRDT."""
        return self._doc.state()

    def close(self) -> None:
        """Frees the object's memory. A second call does nothing."""
        self._doc.close()

    # -- inside ----------------------------------------------------------------------------------------------------

    def _map(self, root: str) -> CrdtMap:
        return self._doc.map(root)

    def _on_updated(self, update: Update) -> None:
        if self._emit is not None and update.origin != REMOTE:
            self._emit(update.data)

    def _on_changed(self, root: str, paths: frozenset[Path], origin: Origin) -> None:
        if origin != REMOTE:  # `_write` has noted it: reading it again takes a third of the time of a write
            return
        for path in paths:
            self._made.pop((root, str(path[0])), None)
            dev, before = str(path[0]), self._entries[root].get(str(path[0]), {})
            if len(path) == 1:
                now = _entries(self._map(root).get((dev,)))
                changed = {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}
            else:
                changed = {str(path[1])}
                value = _value(str(path[1]), self._map(root).get(path[:2]))
                now = {key: held for key, held in before.items() if key not in changed}
                now |= {str(path[1]): value} if value is not None else {}
            self._entries[root][dev] = now
            self._touched |= {(root, key) for key in changed}

    def _on_reloaded(self) -> None:
        self._made.clear()
        for root in ROOTS:
            before, found = self._entries[root], self._map(root).to_python()
            now = self._entries[root] = {dev: _entries(entries) for dev, entries in found.items()}
            self._touched |= {(root, key) for entries in (*before.values(), *now.values()) for key in entries}


def _entries(found: Any) -> dict[str, Value]:
    """A device's values; without what is none."""
    if not isinstance(found, dict):
        return {}
    return {key: value for key, each in found.items() if (value := _value(key, each)) is not None}


def _value(key: str, found: Any) -> Value | None:
    return found if isinstance(found, list) and key != WEEK and len(key) <= MAX_KEY else None
