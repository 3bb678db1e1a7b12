# SPDX-License-Identifier: EUPL-1.2
"""Which formats each device reads: this one says it in the rooms that it is in, and administrators see who cannot read
what is written there.

A device says it in a heartbeat (PROTOCOL §7): in a room in which it has not said it yet, and after an update that
changed it, at most once a week in a room. An office that is updated must not flood its server or its rooms. So a device
says it only in rooms with other members in which something was written lately, in one room a minute, and in each after
a random wait that grows with the number of members. In a room that the person has just joined it says it at once.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from app.core import clock, log
from app.core.ids import DevId, RoomId, Uid
from app.errors import BadChange, StoreFault
from app.objects.kind import ROOM, Kind
from app.objects.object import Payload
from app.people.person import Person
from app.store.heartbeats import KeptHeartbeat
from app.store.store import Store
from sync.client.engine import Engine
from sync.trust.room.room_policy import KNOWN_FEATURES

WEEK_MS = 7 * 86_400_000
"""At most once in this time a device says in a room what it reads."""
IN_USE_MS = 30 * 86_400_000
"""In a room in which nothing was written for so long, a device says what it reads only once somebody writes there
again."""
LOOK_S = 3600.0
EVERY_S = 60.0
"""The mean time between two rooms. A thousand devices that were updated in the same hour so post 17 heartbeats a
second."""
A_MEMBER_S = 36.0
"""The wait in a room is random, up to this for each member: of 500 people, one in 36 s says it, over five hours."""
AGAIN_S = 86_400.0
"""A heartbeat that has not come back from the server (it was refused, or lost) is posted again after a day."""


class DeviceReads(msgspec.Struct, frozen=True, kw_only=True, tag="reads", omit_defaults=True):
    """The record in a heartbeat: what the device that posts it reads. `kinds`: the number of the format of each kind of
    objects that it knows, by the kind's id (`Kind.format`). `features`: what it knows of rooms' own items that a policy
    must enable first (`KNOWN_FEATURES`)."""

    kinds: dict[str, int]
    features: list[str] = []


_PAYLOAD: Payload[DeviceReads] = Payload(DeviceReads)


def encode(record: DeviceReads) -> bytes:
    """The record as bytes."""
    return _PAYLOAD.encode(record)


def decode(data: bytes) -> DeviceReads:
    """Decodes a heartbeat's content. BadChange if it is no such record: the device then has not said what it reads."""
    return _PAYLOAD.decode(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDevice:
    """A device of a member that cannot read all that this program writes in a room. `added_ms`: when its person added
    it, as the device that added it claims. `kinds`: the ids of the kinds of objects in the room that it does not know,
    or knows in an older format. `features`: what this program knows of rooms' own items that a policy must enable, and
    the device does not know."""

    person: Person
    dev: DevId
    added_ms: int
    kinds: tuple[str, ...]
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedFormats:
    """`reads` has what each device in a room said last, by (person, device); devices that have said nothing that this
    program can decode are missing. `here` has the ids of the kinds of objects in the room, with that of its own
    records."""

    reads: dict[tuple[Uid, DevId], DeviceReads]
    here: frozenset[str]


class DeviceFormats:
    """For one account: says in the account's rooms which formats this device reads, and compares what the devices of
    others have said with that. Keep `run` running until it is cancelled; call everything on the loop."""

    def __init__(
        self, store: Store, engine: Engine, kinds: Sequence[Kind], features: Sequence[str] = KNOWN_FEATURES
    ) -> None:
        """`kinds`: the kinds of objects that rooms hold. `features`: what this program knows of rooms' own items that a
        policy must enable."""
        self._store = store
        self._engine = engine
        self.mine = DeviceReads(kinds={kind.id: kind.format for kind in kinds}, features=sorted(features))
        """What this program reads."""
        self._payload = encode(self.mine)
        self._online = asyncio.Event()
        self._due: dict[RoomId, float] = {}
        """By the loop's clock (s): when this device says in a room what it reads."""
        self._posted: dict[RoomId, float] = {}
        self._looked_at: float | None = None

    # -- saying it

    def on_status(self, *, online: bool) -> None:
        """Receives whether the engine is online."""
        (self._online.set if online else self._online.clear)()

    def show_joined(self, room: RoomId) -> None:
        """Shows the members of a room that this person has joined, and says which formats this device reads, at once.
        Does nothing if a valid item of this person is in the room already, or if they are no member."""
        if self._engine.heartbeats.show_joined(room, self._payload):
            self._posted[room] = _now_s()

    async def run(self) -> None:
        """Runs until cancelled. Says in one room after the other, while online, which formats this device reads."""
        while True:
            await self._online.wait()
            try:
                self.post_next()
            except StoreFault as e:
                log.store.info("formats-wait", code=e.code)
            except Exception as e:  # a fault of ours: tried again, never the end
                log.store.exception("formats", e)
            await asyncio.sleep(EVERY_S * random.uniform(0.5, 1.5))  # noqa: S311 - spreads load, guards nothing

    def post_next(self) -> None:
        """Says in one room in which it is due, if any, which formats this device reads; looks once an hour in which
        rooms it is. Only on the loop, while online. Raises StoreFault."""
        now_s = _now_s()
        if self._looked_at is None or now_s - self._looked_at >= LOOK_S:
            self._looked_at = now_s
            self._look(now_s)
        room = next((room for room, at_s in self._due.items() if at_s <= now_s), None)
        if room is None:
            return
        del self._due[room]
        if self._owes(room, self._stated_here().get(room)) and self._engine.heartbeats.post(room, self._payload):
            self._posted[room] = now_s

    def _look(self, now_s: float) -> None:
        """Notes the rooms in which this device has something to say, the one that was used last first, and when."""
        stated, due = self._stated_here(), self._due
        self._posted = {room: at_s for room, at_s in self._posted.items() if now_s - at_s < AGAIN_S}
        used = self._store.rooms_list.in_use(clock.now_ms() - IN_USE_MS)
        self._due = {
            room: due.get(room, now_s + random.uniform(0, A_MEMBER_S * members))  # noqa: S311 - as above
            for room, members in used
            if members > 1 and self._owes(room, stated.get(room))
        }

    def _stated_here(self) -> dict[RoomId, KeptHeartbeat]:
        return {kept.room: kept for kept in self._store.heartbeats.by(self._engine.devices.mine)}

    def _owes(self, room: RoomId, stated: KeptHeartbeat | None) -> bool:
        """Whether this device is to say in `room` what it reads, after what it has `stated` there (None: nothing)."""
        if room in self._posted or not self._engine.is_in(room):
            return False
        return stated is None or (stated.data != self._payload and clock.now_ms() - stated.t >= WEEK_MS)

    # -- what the others have said

    def stated(self, room: RoomId) -> StatedFormats:
        """What the devices of the room's members have said that they read, and which kinds of objects the room has.
        What this program cannot decode counts as not said. Raises StoreFault."""
        reads = dict[tuple[Uid, DevId], DeviceReads]()
        for kept in self._store.heartbeats.of(room):
            try:
                reads[kept.uid, kept.dev] = decode(kept.data)
            except BadChange:  # of a newer program, or of one that lies: it has said nothing to this one
                continue
        return StatedFormats(reads=reads, here=frozenset({ROOM, *self._store.rooms_list.kinds_in(room)}))

    def old_devices(self, person: Person, stated: StatedFormats) -> tuple[list[OldDevice], int]:
        """Of a member's active devices: (those that have said that they do not read all that this program writes in the
        room, the oldest first; the number of those that have not said what they read). This device counts as one that
        reads everything. `stated`: what the method `stated` returned for the room."""
        old, silent = list[OldDevice](), 0
        for dev, added_ms in self._engine.active_devices(person.uid):
            reads = self.mine if dev == self._engine.devices.mine else stated.reads.get((person.uid, dev))
            if reads is None:
                silent += 1
                continue
            kinds = [k for k, number in self.mine.kinds.items() if k in stated.here and reads.kinds.get(k, 0) < number]
            features = [f for f in self.mine.features if f not in reads.features]
            if kinds or features:
                found = OldDevice(
                    person=person, dev=dev, added_ms=added_ms, kinds=tuple(kinds), features=tuple(features)
                )
                old.append(found)
        return old, silent


def _now_s() -> float:
    """The loop's clock."""
    return asyncio.get_running_loop().time()
