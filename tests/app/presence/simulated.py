# SPDX-License-Identifier: EUPL-1.2
"""Desks in rooms on a clock that is put forward: real services, and a network that counts what each desk receives."""

import heapq
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from app.core.enums import Presence
from app.core.ids import DevId, RoomId, Uid
from app.presence.audience import Audience, CommonRoom, audience
from app.presence.ports import Ports, SharedChoice
from app.presence.service import PresenceService

START_MS = 1_795_000_000_000


def uid_of(n: int) -> Uid:
    return Uid(n.to_bytes(16, "big"))


def room_of(n: int) -> RoomId:
    return RoomId(b"room" + n.to_bytes(12, "big"))


class Time:
    """A clock, and what is called when. `calls`: how many calls it has made."""

    def __init__(self) -> None:
        self.now_s, self.calls = 0.0, 0
        self._due: list[tuple[float, int, Callable[[], None] | None]] = []
        self._cancelled: set[int] = set()
        self._number = itertools.count()

    def later(self, delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
        number = next(self._number)
        heapq.heappush(self._due, (self.now_s + delay_s, number, act))
        return lambda: self._cancelled.add(number)

    def pass_s(self, seconds: float) -> None:
        """Lets the time pass, and everything be done that is due in it."""
        end_s = self.now_s + seconds
        while self._due and self._due[0][0] <= end_s:
            at_s, number, act = heapq.heappop(self._due)
            self.now_s = max(self.now_s, at_s)
            if number not in self._cancelled and act is not None:
                self.calls += 1
                act()
        self.now_s = end_s


@dataclass
class Desk:
    """A device of a person. `notes`: what it has stored; `changed`: whose presence has changed, in order."""

    uid: Uid
    dev: DevId
    service: PresenceService
    notes: list[str]
    shown: list[bool]
    changed: list[Uid] = field(default_factory=list)


class World:
    """`rooms` have the people in them. Everybody has accepted every room."""

    def __init__(self, rooms: dict[RoomId, Iterable[Uid]], seed: int = 1, length: Callable[[bytes], int] = len) -> None:
        self._length = length
        self.time = Time()
        self.rooms = {room: frozenset(uids) for room, uids in rooms.items()}
        self.desks: dict[DevId, Desk] = {}
        self.online: set[DevId] = set()
        self.received: dict[DevId, Counter[int]] = defaultdict(Counter)
        """How many frames each desk received in each second."""
        self.received_bytes: dict[DevId, Counter[int]] = defaultdict(Counter)
        """The lengths of those frames together, by `length`, which is given a payload."""
        self.frames: list[tuple[RoomId, Uid, DevId | None]] = []
        self._chance = random.Random(seed)
        self._audiences: dict[Uid, Audience] = {}

    def desk(
        self,
        n: int,
        device: int = 0,
        notes: list[str] | None = None,
        shared: SharedChoice | None = None,
        ahead_ms: Callable[[], int] = lambda: 0,
    ) -> Desk:
        """`ahead_ms`: how far this device's clock is ahead now."""
        return self.desk_of(uid_of(n), DevId(device.to_bytes(8, "big") + n.to_bytes(8, "big")), notes, shared, ahead_ms)

    def desk_of(
        self,
        uid: Uid,
        dev: DevId,
        notes: list[str] | None = None,
        shared: SharedChoice | None = None,
        ahead_ms: Callable[[], int] = lambda: 0,
    ) -> Desk:
        kept, shown = [""] if notes is None else notes, [True]
        time = self.time
        service = PresenceService(
            Ports(
                me=uid,
                send=lambda room, payload, to: self.send(room, uid, dev, payload, to),
                audience=lambda: self.audience(uid),
                devices_of=lambda of: (
                    [desk.dev for desk in self.desks.values() if desk.uid == of]
                    if len(self.desks) < 50
                    else [DevId(bytes(8) + of[8:])]
                ),
                is_shown=lambda: shown[0],
                stored=lambda: kept[0],
                store=lambda text: kept.__setitem__(0, text),
                shared=shared,
                later=time.later,
                now_ms=lambda: START_MS + int(time.now_s * 1000) + ahead_ms(),
                now_s=lambda: time.now_s,
                chance=self._chance.random,
            )
        )
        desk = self.desks[dev] = Desk(uid, dev, service, kept, shown)
        service.changed.connect(desk.changed.append)
        service.start()
        return desk

    def connect(self, *desks: Desk) -> None:
        for desk in desks:
            self.online.add(desk.dev)
            desk.service.on_status(online=True)

    def disconnect(self, *desks: Desk) -> None:
        for desk in desks:
            self.online.discard(desk.dev)
            desk.service.on_status(online=False)

    def audience(self, uid: Uid) -> Audience:
        if uid not in self._audiences:
            mine = [CommonRoom(room=r, members=of, accepted=of) for r, of in self.rooms.items() if uid in of]
            self._audiences[uid] = audience(uid, mine)
        return self._audiences[uid]

    def set_audience(self, desk: Desk, found: Audience) -> None:
        """A desk's audience, in place of the one that follows from the rooms."""
        self._audiences[desk.uid] = found
        desk.service.on_audience()

    def join(self, room: RoomId, *desks: Desk) -> None:
        self.rooms[room] = self.rooms.get(room, frozenset()) | {desk.uid for desk in desks}
        self._audiences.clear()
        for desk in self.desks.values():
            if desk.uid in self.rooms[room]:
                desk.service.on_audience()

    def send(self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, to: DevId | None) -> None:
        if dev not in self.online:
            return
        self.frames.append((room, uid, to))
        goals = [self.desks[to]] if to is not None and to in self.desks else [] if to is not None else [
            desk for desk in self.desks.values() if desk.uid in self.rooms[room] and desk.dev != dev
        ]  # fmt: skip
        for desk in goals:
            if desk.dev in self.online:
                self.received[desk.dev][int(self.time.now_s)] += 1
                self.received_bytes[desk.dev][int(self.time.now_s)] += self._length(payload)
                taken = partial(desk.service.receive, room, uid, dev, payload, addressed=to is not None)
                self.time.later(0.02, taken)

    def most_in(self, seconds: int, until_s: int, received: dict[DevId, Counter[int]] | None = None) -> int:
        """The most frames that any desk received in any stretch of so many seconds; for `received_bytes`, bytes."""
        most = 0
        for counts in (received or self.received).values():
            window = 0
            for second in range(until_s):
                window += counts[second] - (counts[second - seconds] if second >= seconds else 0)
                most = max(most, window)
        return most


def busy_room(members: int = 500, seconds: int = 600, length: Callable[[bytes], int] = len) -> World:
    """A room whose desks all show the same twenty people, lose the connection, and are back in the same second. In the
    `seconds` that follow, each person scrolls through the members every three minutes, mentions somebody every three
    minutes, and changes their status every ten."""
    w = World({room_of(1): [uid_of(n) for n in range(members)]}, length=length)
    desks = [w.desk(n) for n in range(members)]
    chance = random.Random(2)
    for desk in desks:
        desk.service.show("panel", [uid_of(n) for n in range(20)])
    w.connect(*desks)
    w.disconnect(*desks)
    w.connect(*desks)

    def scroll(desk: Desk) -> None:
        first = chance.choice([0, 0, 0, chance.randrange(members - 20)])
        desk.service.show("panel", [uid_of(n) for n in range(first, first + 20)])
        w.time.later(chance.uniform(60, 300), lambda: scroll(desk))

    def mention(desk: Desk) -> None:
        """First the list has the first names of all, after a second those that fit."""
        first = chance.randrange(members - 7)
        desk.service.show("names", [uid_of(n) for n in range(7)])
        fitting = [uid_of(n) for n in range(first, first + 7)]
        w.time.later(1, lambda: desk.service.show("names", fitting))
        w.time.later(6, lambda: desk.service.show("names", []))
        w.time.later(chance.uniform(60, 300), lambda: mention(desk))

    def change(desk: Desk) -> None:
        desk.service.choose(chance.choice([Presence.AVAILABLE, Presence.BUSY]))
        w.time.later(chance.uniform(300, 900), lambda: change(desk))

    for desk in desks:
        w.time.later(chance.uniform(60, 300), partial(scroll, desk))
        w.time.later(chance.uniform(0, 300), partial(mention, desk))
        w.time.later(chance.uniform(0, 600), partial(change, desk))
    w.time.pass_s(seconds)
    return w
