# SPDX-License-Identifier: EUPL-1.2
"""The object of one year in which a person's devices store the person's own things: a CRDT whose maps have one writer
each.

Under each root every device has a map of its own, which no other device writes. So two devices that write at the same
time replace nothing of each other; joining.py defines which value counts.

With its first write of a week, a device sets its whole map again. A value that is replaced leaves 11 bytes in the CRDT,
but of the values in a replaced map only their number stays. So 100,000 read marks of two devices take 0.03 MB and 7 ms
to open, instead of 1.1 MB and 260 ms.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from app.core.signal import Signal
from app.objects.crdt import REMOTE, SETUP, CrdtDoc, CrdtMap, Origin, Path, Update
from app.own.joining import MAX_NUMBER, Value, is_kept

ABOUT = "about"
ROOTS = ("reads", "rooms", "sections", "drafts", "settings", "notices", "reminders")
"""The roots that this program reads."""
ROOT_MAPS = (ABOUT, *ROOTS)
WEEK = "week"
Key = tuple[str, str]
"""A root and a key under it."""
MAX_KEY = 200
"""The most characters of a key. A longer one is ignored."""
ID_BYTES = 16


READ_AT_ONCE = 200
"""The most values of a device that are read out of the CRDT in one go: 1 ms. Of more, each is read when it is asked
for."""


class _Entries:
    """The values of one device under a root that were read from the CRDT, and the keys whose values were not yet."""

    __slots__ = ("held", "unread")

    def __init__(self) -> None:
        self.held: dict[str, Value] = {}
        self.unread: dict[str, None] = {}

    def all_keys(self) -> set[str]:
        return self.held.keys() | self.unread.keys()


class OwnObject:
    """The CRDT of one year. `emit` is called with the update of each edit that is made here. `merge` takes the updates
    of other devices. `is_device`: whether an id in hex is that of one of the person's devices, also of a former one.

    ▲ The map of any other id is not read, and of large maps each value only when it is asked for. Otherwise a stolen
    device could write 20,000 values or maps, and each start of the person's other devices would read them all at once,
    0.15 to 0.5 s, also once that device is revoked.
    """

    def __init__(
        self, emit: Callable[[bytes], None] | None = None, is_device: Callable[[str], bool] = lambda dev: True
    ) -> None:
        self.changed: Signal[frozenset[Key]] = Signal()
        """Emitted after a merge, with what it changed."""
        self._emit, self._is_device = emit, is_device
        self._doc = CrdtDoc(maps=ROOT_MAPS)
        self._entries: dict[str, dict[str, _Entries]] = {root: {} for root in ROOTS}
        self._made: dict[Key, int] = {}
        """The week in which this object made a device's map again, by root and device: it need not read it then."""
        self._touched: set[Key] = set()
        self._notes = False
        """Whether `changed` is to be emitted, with what was touched."""
        for root in ROOTS:
            self._map(root).changed.connect(partial(self._on_changed, root))
        self._doc.updated.connect(self._on_updated)
        self._doc.reloaded.connect(self._on_reloaded)

    # -- reading ---------------------------------------------------------------------------------------------------

    @property
    def year(self) -> int | None:
        """The year that the object is for; None if it names none."""
        found = self._map(ABOUT).get(("year",))
        return found if type(found) is int and 0 < found < MAX_NUMBER else None

    def keys(self, root: str) -> set[str]:
        """The keys of a root under which any device has a value. Also keys under which there is something that is no
        value, as long as it was not read."""
        return {key for entries in self._entries[root].values() for key in entries.all_keys()}

    def values(self, root: str, key: str) -> dict[str, Value]:
        """The values of all devices under a key of a root, by the device's id in hex."""
        found = {dev: self._value_of(root, dev, key) for dev in self._entries[root]}
        return {dev: value for dev, value in found.items() if value is not None}

    def _value_of(self, root: str, dev: str, key: str) -> Value | None:
        entries = self._entries[root].get(dev)
        if entries is not None and key in entries.unread:
            del entries.unread[key]
            value = _value(key, self._map(root).get((dev, key)))
            if value is not None:
                entries.held[key] = value
        return entries.held.get(key) if entries is not None else None

    # -- writing ---------------------------------------------------------------------------------------------------

    def begin(self, year: int) -> None:
        """Stores in a new object which year it is for."""
        with self._doc.transact(SETUP):
            self._map(ABOUT).set(("year",), year)

    def write(self, dev: str, week: int, values: Mapping[str, Mapping[str, Value]]) -> None:
        """Writes `values`, by root and key, into the maps of the device `dev` as one edit. Values that are there
        already are not written again. `week`: whole weeks since 1970 (UTC); the device's map is set again if it has
        another."""
        with self._doc.transact():
            for root, entries in values.items():
                new = {key: value for key, value in entries.items() if self._value_of(root, dev, key) != value}
                if new:
                    self._write(root, dev, week, new)

    def _write(self, root: str, dev: str, week: int, new: Mapping[str, Value]) -> None:
        held, shared = self._entries[root].setdefault(dev, _Entries()).held, self._map(root)
        if self._made.get((root, dev)) == week or shared.get((dev, WEEK)) == week:
            for key, value in new.items():
                shared.set((dev, key), value)
        else:  # with all that is in it, also what only a newer program reads
            found = shared.get((dev,), {})
            before = found if isinstance(found, dict) else {}
            kept = {k: v for k, v in before.items() if not isinstance(v, list) or is_kept(root, v, 7 * week)}
            shared.set((dev,), {**kept, **new, WEEK: week})
        held.update(new)
        for key in new:
            self._entries[root][dev].unread.pop(key, None)
        self._made[root, dev] = week

    # -- merging ---------------------------------------------------------------------------------------------------

    @property
    def is_changing(self) -> bool:
        """Whether an edit or a merge is under way: not all its signals are emitted (app/objects/live.py)."""
        return self._doc.is_changing

    def load(self, updates: Sequence[bytes]) -> list[int]:
        """Merges stored updates into a new object. Emits nothing. Returns the indexes of damaged updates."""
        return self._doc.apply(updates)

    def merge(self, updates: Sequence[bytes]) -> list[int]:
        """Merges updates, and then emits `changed` if something changed. Returns the indexes of damaged updates. The
        same update may come again, and those of several devices in any order; but each device's own in the order in
        which it wrote them, as the judge has it. Of an update that waits for another one pycrdt does not report all
        changes, and `values` may go on giving old ones until `reset`."""
        return self._noting(lambda: self._doc.apply(updates))

    def reset(self, updates: Sequence[bytes]) -> list[int]:
        """Replaces the content by that of these updates alone, and emits `changed`. Returns the indexes of damaged
        updates."""
        return self._noting(lambda: self._doc.reset(updates))

    def _noting(self, merge: Callable[[], list[int]]) -> list[int]:
        self._touched, self._notes = set(), True
        try:
            bad = merge()
        finally:
            self._notes = False
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
            dev = str(path[0])
            self._made.pop((root, dev), None)
            if not self._is_device(dev):
                continue
            before = self._entries[root].setdefault(dev, _Entries())
            if len(path) == 1:
                now = self._read(root, dev)
                if self._notes:
                    keys = before.all_keys() | now.all_keys()
                    self._touched |= {(root, key) for key in keys if _differ(before, now, key)}
                continue
            key = str(path[1])  # ▲ in place: with a copy for each, 10,000 values of a stolen device took 67 s
            before.held.pop(key, None)
            if _is_key(key):
                before.unread[key] = None
            self._touched.add((root, key))

    def _on_reloaded(self) -> None:
        self._made.clear()
        for root in ROOTS:
            before, self._entries[root] = self._entries[root], {}
            now = [self._read(root, dev) for dev in filter(self._is_device, self._map(root).keys())]
            self._touched |= {(root, key) for entries in (*before.values(), *now) for key in entries.all_keys()}

    def _read(self, root: str, dev: str) -> _Entries:
        """Notes the keys of a device under a root, in place of what was noted before, and reads the values if they are
        few."""
        entries = _Entries()
        entries.unread = {key: None for key in self._map(root).keys((dev,)) if _is_key(key)}
        self._entries[root][dev] = entries
        if len(entries.unread) <= READ_AT_ONCE:
            for key in list(entries.unread):
                self._value_of(root, dev, key)
        return entries


def _differ(before: _Entries, now: _Entries, key: str) -> bool:
    """Whether the two have different values under a key; also True if a value was not read, so that it is not known."""
    return key in before.unread or key in now.unread or before.held.get(key) != now.held.get(key)


def _value(key: str, found: Any) -> Value | None:
    return found if isinstance(found, list) and _is_key(key) else None


def _is_key(key: str) -> bool:
    return key != WEEK and len(key) <= MAX_KEY


def id_in(key: str) -> bytes | None:
    """The id of 16 bytes that a key is in hex, such as a room's or a notice's; None if it is no such id."""
    with suppress(ValueError):
        found = bytes.fromhex(key)
        return found if len(found) == ID_BYTES else None
    return None
