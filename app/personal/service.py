# SPDX-License-Identifier: EUPL-1.2
"""The personal room: found or made, and maintained by each device with its name, its heartbeat and its verified marks.

It is a room of one's own (PROTOCOL §5), without a title, so no list shows it. It is recognised by the announcement of
an object of the kind "personal". ▲ The announcement counts only in a room that this person founded and whose genesis
says that nobody can ever be added. If two devices made one at the same time, both are read, and the one whose first
position is older, then whose id is lower, is written to.
"""

import asyncio
from collections.abc import Callable

from app.core import clock, log, machine
from app.core.enums import LinkState, RoomState
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.core.visible import one_line
from app.errors import NotFound, StoreFault
from app.people.service import PeopleService
from app.personal.records import (
    MAX_NAME,
    Alive,
    DeviceNamed,
    DeviceRuns,
    InvitationAnswered,
    PersonBlocked,
    PersonMarked,
    Record,
    SharedRecords,
    encode,
    fold,
)
from app.store.rows import StoredChange
from app.store.store import Store
from sync.client.engine import Engine
from sync.errors import SyncError
from sync.protocol.version import PROGRAM

DAY_MS = 86_400_000
LOOK_S = 3600.0
MAX_ROOMS = 4
"""The most personal rooms that are made: otherwise a server that stops one after the other could have any number made.
"""
KIND_ID = "personal"
DEVICE_NAME = "device-name"
"""The note with a new device's first name, which waits until the room exists. It counts only while no device has shared
another name for it: the device that let this one in shares the name at once, and the person may have changed it there
since."""
DEVICE_RENAMED = "device-renamed"
"""The note with this device's own new name, which waits until the room exists."""

Announce = Callable[[RoomId, ObjId, str], None]


class Personal:
    """One account's personal room, through which the person's own devices share records. Keep `run` running until it is
    cancelled; call all other methods on the same loop."""

    def __init__(self, store: Store, engine: Engine, people: PeopleService, announce: Announce) -> None:
        """`announce` gets (room, object, kind) and writes the record by which a room lists a new object, within the
        caller's transaction."""
        self.changed: Signal[()] = Signal()
        """A device's name, system or heartbeat has changed."""
        self._store = store
        self._engine = engine
        self._people = people
        self._announce = announce
        self._shared: SharedRecords | None = None
        self._version = 0
        self._rooms: list[RoomId] | None = None
        self._asked: set[Uid] = set()
        self._woken = asyncio.Event()
        self._making = asyncio.Lock()
        self._waits = False
        """Whether a room was left out because it could not be read yet."""
        self._ends = [
            store.changed.connect(self._on_room),
            store.changes.positioned.connect(self._on_positioned),
            people.changed.connect(self.wake),
            people.marked.connect(self._on_marked),
        ]

    def close(self) -> None:
        """Stops following the store and the known people. `run` is cancelled by the caller."""
        for end in self._ends:
            end()

    def wake(self) -> None:
        """Has `run` check again: the connection is back, a room was received or read, or a person became known."""
        if self._waits and not self._is_unread():
            self._waits = False
            self._forget()
            self.changed.emit()
        self._woken.set()

    # -- reading --------------------------------------------------------------------------------------------------

    @property
    def rooms(self) -> list[RoomId]:
        """The personal rooms of this person, usually one, the oldest first; [] before one was made. The first one of
        which the server has not shown two histories (a fork) is written to. A room whose state cannot be read yet is
        left out: then `changed` is emitted when it can."""
        if self._rooms is None:
            found = {o.room for o in self._store.objects.all(kind=KIND_ID)}
            dated = [(t, room) for room in found if (t := self._founded(room)) is not None]
            rooms = [room for _, room in sorted(dated)]
            self._waits = self._is_unread()
            if self._waits:
                return rooms
            self._rooms = rooms
        return list(self._rooms)

    def has_device(self, dev: DevId) -> bool:
        """Whether the person's key log has a device, also a revoked one. It has a device before anything that the
        device wrote can be received."""
        return dev in self._engine.devices.own_log.devices

    def _founded(self, room: RoomId) -> int | None:
        """The server's time (ms) of the first position of `room`, if this person founded it as a room of one's own:
        only such a room can be a personal room. None otherwise."""
        return self._begun(room) if self._engine.own_rooms.is_own(room) else None

    def _begun(self, room: RoomId) -> int | None:
        """The server's time (ms) of the first position of `room`, if this person founded it."""
        first = self._store.rooms_list.events(room, limit=1)
        return first[0].t if first and first[0].n == 1 and first[0].by == self._engine.uid else None

    def _is_unread(self) -> bool:
        """Whether there may be a personal room that cannot be read yet, or any more: no other one is made then."""
        found = {o.room for o in self._store.objects.all(kind=KIND_ID)}
        return any(self._engine.own_rooms.is_own(room) is None and self._begun(room) is not None for room in found)

    @property
    def shared(self) -> SharedRecords:
        """The present values of what this person's devices have shared with each other, empty before there is a
        personal room. Cached."""
        while self._shared is None:
            before = self._version
            shared = fold([c for room in self.rooms for c in self._changes(room) if c.own], self._room())
            if before == self._version:  # otherwise reading brought something
                self._shared = shared
        return self._shared

    def _forget(self) -> None:
        """Drops the cached values, since more records were received or written."""
        self._shared = self._rooms = None
        self._version += 1

    def _changes(self, room: RoomId) -> list[StoredChange]:
        return [c for o in self._store.objects.all(room, KIND_ID) for c in self._store.changes.of(o.obj)]

    def alive(self) -> dict[DevId, int]:
        """When each device last wrote in the personal room, such as a heartbeat: the server's time in ms. A device that
        never did is left out. ▲ Neither the device's own claim nor that of another device counts."""
        latest: dict[DevId, int] = {}
        for room in self.rooms:
            for dev, t in self._store.changes.latest_by_device(room):
                at = self._engine.devices.mine if dev is None else dev
                latest[at] = max(t, latest.get(at, 0))
        return latest

    # -- writing --------------------------------------------------------------------------------------------------

    def rename(self, dev: DevId, name: str) -> None:
        """Gives the device `dev` of this person a new `name`, which is cut to MAX_NAME characters and to what is safe
        to show; works offline. While there is no personal room to write to, this device's own name is kept until there
        is one, and NotFound is raised for another device. Does nothing if the name is empty. It does not check that
        `dev` exists."""
        name = one_line(name, MAX_NAME)
        if not name:
            return
        room = self._room()
        if room is not None:
            self._write(room, DeviceNamed(dev=dev, name=name))
        elif dev == self._engine.devices.mine:
            self._store.notes.set(DEVICE_RENAMED, name)
        else:
            raise NotFound
        self.changed.emit()

    def _room(self) -> RoomId | None:
        """The personal room to write to; None if there is none that the server has not forked."""
        return next((r for r in self.rooms if self._engine.room_state(r) is not RoomState.FORK), None)

    @property
    def room(self) -> RoomId | None:
        """The personal room to write to; None if there is none that the server has not forked."""
        return self._room()

    def _write(self, room: RoomId, record: Record) -> None:
        objects = self._store.objects.all(room, KIND_ID)
        self._store.changes.append(room, min(o.obj for o in objects), encode(record))

    @property
    def ready(self) -> bool:
        """Whether there is a room to write to."""
        return self._room() is not None

    async def found(self) -> None:
        """Makes the personal room if there is none to write to, and then does the rest of `tend`. If MAX_ROOMS were
        made already it makes none, and raises nothing. Raises SyncError, such as Unreachable while offline;
        StoreFault."""
        if not self.ready:
            await self.tend()

    def write(self, *records: InvitationAnswered | PersonBlocked) -> None:
        """Writes `records` into the personal room, all or none, for the person's other devices. NotFound while there is
        no personal room to write to."""
        room = self._room()
        if room is None:
            raise NotFound
        with self._store.transaction():
            for record in records:
                self._write(room, record)
        self._forget()
        self.changed.emit()

    # -- maintenance ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until cancelled. Calls `tend` whenever `wake` was called, and once an hour, while the server is
        connected. Its errors are logged, and the next call tries again."""
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            if self._engine.status.state is LinkState.ONLINE:
                try:
                    await self.tend()
                except (SyncError, StoreFault) as e:
                    log.store.info("personal-waits", code=e.code)
                except Exception as e:  # a fault of ours: tried again, never the end
                    log.store.exception("personal", e)

    async def tend(self) -> None:
        """Makes the personal room if there is none to write to (at most MAX_ROOMS), writes what this device has not
        shared yet (name, system, heartbeat once a day, marks), and applies the marks that other devices wrote. Raises
        SyncError, such as Unreachable while offline and a room must be made; StoreFault."""
        async with self._making:
            room = self._room() or await self._make()
        if room is not None:
            self._introduce(room)
            self._give_marks(room)
        self._take_marks()

    async def _make(self) -> RoomId | None:
        """Makes a personal room, and returns it; None if MAX_ROOMS were made, or if there may be one that cannot be
        read now. SyncError, StoreFault. The caller holds `_making`: two calls at a time would make two rooms."""
        if len(self.rooms) >= MAX_ROOMS or self._is_unread():
            return None
        room = await self._engine.operations.create_room(own=True, is_free=self._is_free)
        with self._store.transaction():
            obj = self._store.objects.new(room)
            self._announce(room, obj, KIND_ID)
            self._store.changes.append(room, obj, encode(Alive()))
        self._forget()
        self.changed.emit()
        return room

    def _is_free(self, room: RoomId) -> bool:
        """Whether nothing was written in a room here: a call whose answer was lost has left it."""
        return not self._store.objects.all(room) and not self._store.changes.of(ObjId(room), limit=1)

    def _introduce(self, room: RoomId) -> None:
        me, shared, notes = self._engine.devices.mine, self.shared, self._store.notes
        kept = {note: notes.get(note) for note in (DEVICE_RENAMED, DEVICE_NAME)}
        wanted = kept[DEVICE_RENAMED] or shared.names.get(me) or kept[DEVICE_NAME] or machine.name() or machine.system()
        runs = DeviceRuns(dev=me, system=machine.system(), version=PROGRAM)
        known = shared.runs.get(me)
        records = list[DeviceNamed | DeviceRuns | Alive]()
        if shared.names.get(me) != wanted:
            records.append(DeviceNamed(dev=me, name=wanted))
        if known is None or (known.system, known.version) != (runs.system, runs.version):
            records.append(runs)
        is_due = clock.now_ms() - self.alive().get(me, 0) >= DAY_MS
        if is_due and not records and self._store.unsent(room) == 0:
            records.append(Alive())
        if not records and not any(kept.values()):
            return  # nearly always: this is asked after each message
        with self._store.transaction():
            for record in records:
                self._write(room, record)
            for note in kept:
                notes.set(note, "")

    # -- verified marks -------------------------------------------------------------------------------------------

    def _on_marked(self, uid: Uid, on: bool) -> None:
        room = self._room()
        if room is not None:
            self._write_mark(room, uid, on, clock.now_ms())

    def _write_mark(self, room: RoomId, uid: Uid, on: bool, t: int) -> None:
        genesis = self._engine.genesis(uid)
        if genesis is not None:
            self._write(room, PersonMarked(uid=uid, genesis=genesis, on=on, t=t))

    def _give_marks(self, room: RoomId) -> None:
        """Writes into the personal room `room` the marks for people who count as verified on this device and about whom
        the personal room has no mark: they were set before it existed."""
        for uid, t in self._store.people.verified().items():
            if uid not in self.shared.marks:
                self._write_mark(room, uid, True, t)

    def _take_marks(self) -> None:
        """Applies the marks for verified people that other devices wrote: the person then counts as verified, or no
        more, on this device too. A person who is not known here yet is looked up; a later call applies the mark. ▲ A
        mark counts for the keys that were compared, and for no others."""
        for uid, mark in self.shared.marks.items():
            row = self._store.people.get(uid)
            if row is None:
                if mark.on and uid not in self._asked:
                    self._asked.add(uid)
                    self._people.person(uid)  # an unknown person is looked up
            elif (row.verified is not None) != mark.on and self._engine.genesis(uid) == mark.genesis:
                self._store.people.set_verified(uid, mark.on, t=mark.t)

    # -- following ------------------------------------------------------------------------------------------------

    def _on_room(self, room: RoomId) -> None:
        if self._store.objects.first(room, KIND_ID) is None and room not in (self._rooms or ()):
            return
        self._rooms = None
        if self._founded(room) is not None:
            self._forget()
            self.wake()
            self.changed.emit()

    def _on_positioned(self, changes: list[StoredChange]) -> None:
        if any(self._store.objects.first(room, KIND_ID) for room in {c.room for c in changes}):
            self._forget()
            self.changed.emit()
