# SPDX-License-Identifier: EUPL-1.2
"""Synchronises a person's own values between their devices. A new value counts and is stored on this device at once; it
is written for the other devices at most once a minute.

The values are in objects of the kind "own", one for each year, in the person's own room. The objects of all years are
read, so that a value counts which a device wrote late into the object of an earlier year. With its next write, this
device copies into the present year's object each value that counts and is missing there: so each year's object is
complete by itself. Of two objects for one year, the one with the lower id is written to. Lives on the event loop.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum, IntEnum
from itertools import islice

import msgspec

from app.core import clock, log
from app.core.ids import DevId, ObjId, RoomId
from app.core.months import month_of
from app.core.signal import Signal
from app.errors import NotFound, StoreFault
from app.objects.live import LiveObjects
from app.own.adapter import Announce, OwnAdapter
from app.own.joining import JOINS, Value, is_kept, is_possible
from app.own.model import ROOTS, Key, OwnObject
from app.own.ports import OwnRooms
from app.own.projection import KIND_ID
from app.own.reached import room_copy
from app.store import own_waiting
from app.store.rows import StoredChange
from app.store.store import Store
from sync.errors import SyncError

GATHER_S = 3.0
"""Seconds that the first change after a pause waits for further ones."""
EVERY_S = 60.0
"""Seconds between two writes, apart from `flush` and `hurry`. So the server sees at most once a minute that a person
reads (SECURITY.md)."""
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
CHECK_AT_ONCE = 50
"""The most keys that are compared in one turn of the event loop: 2 ms, if they are read marks."""
CARRY_AT_ONCE = 50
"""The most values of other objects that one write copies into the present one: 4 ms."""
Values = dict[str, dict[str, Value]]
"""Values by root and key."""


class Unreadable(Enum):
    """Why something that another device wrote cannot be read here: it breaks the format's rules (DAMAGED), or a newer
    program wrote it, and this program can read it after an update (NEWER)."""

    DAMAGED = "damaged-update"
    NEWER = "format-newer"


class _Refused(IntEnum):
    """What the disk has refused and not accepted since: to store values that wait (KEEPING), or to write them for the
    other devices (WRITING)."""

    NOTHING = 0
    KEEPING = 1
    WRITING = 2


class Own:
    """The values of one person that all their devices share, by root and key. `reads.py`, `drafts.py` and the other
    files beside this one give the values their meaning. Keep `run` running until it is cancelled."""

    def __init__(
        self,
        store: Store,
        dev: DevId,
        rooms: OwnRooms,
        announce: Announce,
        *,
        is_online: Callable[[], bool] = lambda: True,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        """`dev`: this device. `announce`: writes the record by which a room lists a new object. `is_online`: while it
        returns False, nothing is written for other devices, so that a day offline is one change. `now_ms`: this
        device's clock."""
        self.changed: Signal[frozenset[Key]] = Signal()
        """Emitted with the roots and keys that another device has changed."""
        self.fault: Signal[StoreFault] = Signal()
        """Emitted when the disk has refused a value, which stays in memory and is tried again. Emitted once until it is
        stored."""
        self.unreadable: Signal[Unreadable] = Signal()
        """Emitted with `is_unreadable` when that has changed."""
        self.is_unreadable: Unreadable | None = None
        """Why some of what the devices share cannot be read here; None if all of it can. What cannot be read is kept,
        and everything else counts."""
        self._store, self._dev, self._rooms, self._now_ms = store, dev.hex(), rooms, now_ms
        self._is_online = is_online
        self._live = LiveObjects(store.db, store.changes, store.objects, OwnAdapter(announce, rooms.is_device))
        self._models: dict[ObjId, OwnObject] = {}
        self._waiting: dict[Key, Value] = {}
        self._unkept: set[Key] = set()
        """The keys of waiting values that are not on the disk: it has refused them."""
        self._refused = _Refused.NOTHING
        self._is_closed = False
        self._unchecked: set[Key] = set()
        """The keys under which the present year's object may lack a value that other objects have."""
        self._lacks: set[Key] = set()
        """Those of them under which it does lack one."""
        self._caught: StoreFault | None = None
        """Why the disk refused the edit that is being written."""
        self._woken, self._hurried = asyncio.Event(), asyncio.Event()
        self._load_waiting()
        self._ends = [
            store.changes.received.connect(self._on_changes),
            store.changed.connect(self._on_room),
            self._live.fault.connect(self._on_fault),
        ]
        self.look()

    def close(self) -> None:
        """Stops following the store. Values that wait stay on the disk, and are written for the other devices after the
        next start: a change that is written now could not be sent any more. StoreFault if the disk has refused some of
        them and refuses again. A second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        for end in self._ends:
            end()
        try:
            if self._unkept:
                self._keep()
        finally:
            self._live.close_all()

    # -- reading ---------------------------------------------------------------------------------------------------

    def values(self, root: str, key: str) -> dict[str, list[Value]]:
        """What each device has set under a key of a root, by the device's id in hex: one value for each object in which
        it did. For this device, also the value that is not written yet. Values that nobody can have written by now are
        left out."""
        found: dict[str, list[Value]] = {}
        for model in self._models.values():
            for dev, value in self._possible(model, root, key).items():
                found.setdefault(dev, []).append(value)
        if (root, key) in self._waiting:
            found.setdefault(self._dev, []).append(self._waiting[root, key])
        return found

    def _possible(self, model: OwnObject, root: str, key: str) -> dict[str, Value]:
        now_ms = self._now_ms()
        return {dev: value for dev, value in model.values(root, key).items() if is_possible(root, value, now_ms)}

    def value(self, root: str, key: str) -> Value | None:
        """The person's value under a key of a root: the values of all devices that count here, joined by the root's
        rule in `JOINS`. None if no device has set a valid one. KeyError for the root "drafts", whose values are not
        joined."""
        found, counts = self._counting(root, key)
        return JOINS[root]([value for values in found.values() for value in values if counts(value)])

    def _counting(self, root: str, key: str) -> tuple[dict[str, list[Value]], Callable[[Value], bool]]:
        """(what `values` returns, which of these values count here): read marks only if `RoomCopy.counts` accepts
        them, other values always."""
        found = self.values(root, key)
        if root != "reads":
            return found, lambda value: True
        return found, room_copy(self._store.db, key, [value for values in found.values() for value in values]).counts

    def keys(self, root: str) -> set[str]:
        """The keys of a root under which any device has a value."""
        found = {key for model in self._models.values() for key in model.keys(root)}
        return found | {key for at, key in self._waiting if at == root}

    def objects(self) -> list[OwnObject]:
        """The open objects of all years."""
        return list(self._models.values())

    @property
    def dev(self) -> str:
        """This device's id in hex."""
        return self._dev

    def stamp(self, root: str, key: str) -> int:
        """A stamp for a new value under a key: the time in ms, or one more than the highest stamp there if that is
        higher."""
        known = [v[0] for values in self.values(root, key).values() for v in values if v and type(v[0]) is int]
        return max([self._now_ms(), *(stamp + 1 for stamp in known)])

    @property
    def waits(self) -> bool:
        """Whether a value is not written for the other devices yet."""
        return bool(self._waiting)

    # -- writing ---------------------------------------------------------------------------------------------------

    def put(self, root: str, key: str, value: Value) -> None:
        """Sets this device's value under a key. It counts here at once, and is stored on the disk. If the disk refuses
        it, it stays in memory and is tried again, and `fault` is emitted. Within a transaction, call `put_within`."""
        with suppress(StoreFault):  # `fault` has said it
            self.put_within(root, key, value)

    def put_all(self, root: str, values: Mapping[str, Value]) -> None:
        """As `put`, for the values of several keys under `root`, which are stored in one transaction."""
        with suppress(StoreFault):
            self._put(root, values)

    def put_within(self, root: str, key: str, value: Value) -> None:
        """As `put`, in the caller's transaction. StoreFault if the disk refuses it; the transaction must then end."""
        self._put(root, {key: value})

    def _put(self, root: str, values: Mapping[str, Value]) -> None:
        for key, value in values.items():
            self._waiting[root, key] = value
            self._unkept.add((root, key))
        self._woken.set()
        self._keep()

    def flush(self) -> None:
        """Writes all values that wait as one change. Offline, or without a room to write to, they go on waiting on the
        disk. StoreFault if the disk refuses: nothing is lost, and `run` tries again in a minute. Call it when the
        person locks the program or asks to try again."""
        room = self._rooms.find() if self._is_online() else None
        if room is None:
            if self._unkept:
                self._keep()
            return
        if not self._waiting and not self._unchecked and not self._lacks and not self._live.unsaved_ids():
            return
        try:
            self._write(room)
        except StoreFault as fault:
            self._refuse(fault, _Refused.WRITING)
            raise
        self._refused = _Refused.NOTHING

    def _write(self, room: RoomId) -> None:
        obj, model = self._present(room)
        self._check(model)
        copied = set(islice(self._lacks, CARRY_AT_ONCE))
        due = self._lacking(model, copied)
        written = dict(self._waiting)
        for (root, key), value in written.items():
            due.setdefault(root, {})[key] = value
        with self._store.transaction() as conn:
            self._live.retry_all()
            self._caught = None
            model.write(self._dev, self._now_ms() // WEEK_MS, due)
            if self._caught is not None:  # what the model has in memory is stored with the next write
                raise self._caught
            own_waiting.drop(conn, list(written))
        for at, value in written.items():
            if self._waiting.get(at) is value:
                del self._waiting[at]
                self._unkept.discard(at)
        self._lacks -= copied
        self._cache(obj)

    def _cache(self, obj: ObjId) -> None:
        """Stores the object's state in the cache if enough has changed, so that the next start is quick."""
        with suppress(StoreFault), self._live.holding(obj):
            pass

    def _present(self, room: RoomId) -> tuple[ObjId, OwnObject]:
        """The object of this year in `room`; made if there is none. A new one is stored with its first edit."""
        year = month_of(self._now_ms()) // 12
        found = [obj for obj, model in self._models.items() if self._live.room_of(obj) == room and model.year == year]
        if found:
            return min(found), self._models[min(found)]
        obj = self._store.objects.new(room)
        model = self._models[obj] = self._live.begin(room, obj, lambda new: new.begin(year))
        model.changed.connect(self._on_merged)
        self._lacks.clear()
        self._note_all()
        return obj, model

    def _note_all(self) -> None:
        """Notes, after an object was added, that the present year's object may lack each value that another one has."""
        if len(self._models) > 1:
            self._unchecked.update((root, key) for root in ROOTS for key in self.keys(root))

    def _check(self, model: OwnObject) -> None:
        """Finds which values of at most CHECK_AT_ONCE keys `model` lacks, and adds these keys to `_lacks`. ▲ `run` does
        the other keys part by part. Otherwise the values of a stolen device would block the event loop at each
        write."""
        if len(self._models) == 1:  # it has everything that counts, but for what waits
            self._unchecked.clear()
        part = set(islice(self._unchecked, CHECK_AT_ONCE))
        self._unchecked -= part
        self._lacks.update((root, key) for root, found in self._lacking(model, part).items() for key in found)

    async def _check_all(self) -> None:
        """Calls `_check` until no key is left; other tasks run between two calls."""
        room = self._rooms.find() if self._is_online() else None
        while room is not None and self._unchecked:
            self._check(self._present(room)[1])
            await asyncio.sleep(0)

    def _lacking(self, model: OwnObject, keys: Iterable[Key]) -> Values:
        """The values under `keys` that count, but not by `model` alone: they are copied into it from other objects. Of
        drafts, each device copies only its own."""
        due: Values = {}
        today = self._now_ms() // DAY_MS
        for root, key in keys:
            join, (found, counts) = JOINS.get(root, join_own), self._counting(root, key)
            there = self._possible(model, root, key)
            if root in JOINS:
                value = join([each for values in found.values() for each in values if counts(each)])
                here = join([each for each in there.values() if counts(each)])
            else:
                value, here = join(found.get(self._dev, [])), there.get(self._dev)
            if value is not None and value != here and is_kept(root, value, today):
                due.setdefault(root, {})[key] = value
        return due

    # -- following -------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Opens objects that are new on this device, and wakes `run`. ▲ Only objects in the person's own rooms count.
        Otherwise a member of another room could change this person's values."""
        self.wake()
        rooms = set(self._rooms.rooms())
        for row in self._store.objects.all(kind=KIND_ID):
            if row.room not in rooms or row.obj in self._models:
                continue
            model = self._models[row.obj] = self._live.open(row.obj)
            model.changed.connect(self._on_merged)
            touched = frozenset((root, key) for root in ROOTS for key in model.keys(root))
            self._note_all()
            if touched:
                self.changed.emit(touched)
        self._look_for_unreadable()

    def _on_room(self, room: RoomId) -> None:
        if room in self._rooms.rooms():
            self.look()

    def _on_changes(self, changes: Sequence[StoredChange]) -> None:
        if any(change.obj not in self._models for change in changes if change.own):
            self.look()
        elif self.is_unreadable is None and any(change.obj in self._models for change in changes):
            self._look_for_unreadable()

    def recheck(self, keys: Iterable[Key]) -> None:
        """Has `run` compare the values under `keys` with the present year's object again. Call it when other values
        count than before, although no device has changed any."""
        if len(self._models) > 1:
            self._unchecked.update(keys)

    def _on_merged(self, keys: frozenset[Key]) -> None:
        self._unchecked |= keys
        self.changed.emit(keys)

    def _look_for_unreadable(self) -> None:
        rooms, held = self._rooms.rooms(), self._store.held_changes
        newer, found = sum(map(held.newer_count, rooms)), None
        if sum(map(self._live.damaged, self._models)) > newer or any(map(held.void_counts, rooms)):
            found = Unreadable.DAMAGED
        elif newer:
            found = Unreadable.NEWER
        if found is not self.is_unreadable:
            self.is_unreadable = found
            if found is not None:
                self.unreadable.emit(found)

    # -- keeping ---------------------------------------------------------------------------------------------------

    def _load_waiting(self) -> None:
        for root, key, data in own_waiting.all_waiting(self._store.db):
            with suppress(msgspec.MsgspecError):
                self._waiting[root, key] = msgspec.msgpack.decode(data, type=list)
        if self._waiting:
            self._woken.set()

    def _keep(self) -> None:
        unkept = {at: self._waiting[at] for at in self._unkept if at in self._waiting}
        try:
            with self._store.transaction() as conn:
                for (root, key), value in unkept.items():
                    own_waiting.put(conn, root, key, msgspec.msgpack.encode(value))
                self._store.db.after_commit(lambda: self._note_kept(unkept))
        except StoreFault as fault:
            self._refuse(fault, _Refused.KEEPING)
            raise

    def _note_kept(self, kept: Mapping[Key, Value]) -> None:
        self._unkept -= {at for at, value in kept.items() if self._waiting.get(at) is value}
        if not self._unkept and self._refused is _Refused.KEEPING:
            self._refused = _Refused.NOTHING

    def _on_fault(self, obj: ObjId, fault: StoreFault) -> None:
        self._caught = fault

    def _refuse(self, fault: StoreFault, what: "_Refused") -> None:
        """Remembers the heavier of the things that the disk has refused, and emits `fault` for the first."""
        is_first = self._refused is _Refused.NOTHING
        self._refused = max(self._refused, what)
        if is_first:
            self.fault.emit(fault)

    def wake(self) -> None:
        """Wakes `run` if values wait. Call it when the connection is back."""
        if self._waiting:
            self._woken.set()

    def hurry(self) -> None:
        """Has `run` write what waits in the next turns of the event loop, without its pauses. Call it when the person
        has left a field with a draft: they may go on at another device."""
        self._hurried.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()

    async def run(self) -> None:
        """Runs until cancelled. Writes the values that wait, GATHER_S after the first of them, and at most once in
        EVERY_S, apart from `hurry`. Makes the room to write to if there is none. A refusal of the disk or the server is
        logged and tried again."""
        while True:
            await self._woken.wait()
            await self._pause(GATHER_S)
            self._woken.clear()
            self._hurried.clear()
            try:
                if self._is_online() and self._rooms.find() is None:
                    await self._rooms.ensure()
                await self._check_all()
                self.flush()
            except (SyncError, StoreFault, NotFound) as e:
                log.store.info("own-waits", code=e.code)
            await self._pause(EVERY_S)
            if self._unkept or ((self._waiting or self._lacks) and self._is_online()):
                self._woken.set()


def join_own(values: Sequence[Value]) -> Value | None:
    """Returns the value with the highest stamp, of those that one device wrote under one key in several objects."""
    return JOINS["settings"](values)
