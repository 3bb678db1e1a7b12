# SPDX-License-Identifier: EUPL-1.2
"""Devices of one person: real stores, and what only gives positions. Each is online when a test says so."""

from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from app.chat import KIND as CHAT
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, RoomId
from app.own import KIND as OWN
from app.own.drafts import OwnDrafts
from app.own.reads import ReadMarks
from app.own.registers import Registers
from app.own.service import Own
from app.own.settings_followed import SettingsFollowed
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ObjectAnnounced, encode
from app.settings import Settings
from app.store import series
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import ReceivedSlice
from tests.office import HL, KEY, ROOM

NOVEMBER = 1_795_500_000_000
DAY_MS = 86_400_000
KINDS = {each.id: each for each in (ROOM_KIND, CHAT, OWN)}
TALKS = RoomId(b"k" * 16)
"""A room with some conversations."""
SERIES = [ObjId(bytes([letter]) * 16) for letter in b"abco"]


def rh(n: int) -> bytes:
    """The running hash of the tests' rooms at a position."""
    return sha256(n.to_bytes(8, "big")).digest() if n else bytes(32)


def named(n: int) -> str:
    """The hash that a read mark at a position has, in hex: the first 8 bytes of the running hash."""
    return rh(n)[:8].hex()


class OneRoom:
    """The person's one room of their own."""

    there = True
    known: Collection[str] | None = None
    """The ids of the person's devices, in hex; None: every id is one of them."""

    def rooms(self) -> Sequence[RoomId]:
        return [ROOM] if self.there else []

    def find(self) -> RoomId | None:
        return ROOM if self.there else None

    def is_device(self, dev: str) -> bool:
        return self.known is None or dev in self.known

    async def ensure(self) -> None:
        self.there = True


class Device:
    """One of the person's devices. `now_ms` is its clock."""

    def __init__(self, folder: Path, number: int, now_ms: int = NOVEMBER) -> None:
        self._set_up(folder, number, now_ms)
        store = Store.create(folder / "office.db", KEY, KINDS)
        store.set_me(HL)
        member = MemberRow(uid=HL, role=Role.OWNER, since_n=0, history=True)
        store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=[member]))
        self._begin(store)

    def _set_up(self, folder: Path, number: int, now_ms: int) -> None:
        self.folder, self.dev, self.now_ms = folder, DevId(bytes([number]) * 16), now_ms
        folder.mkdir(parents=True, exist_ok=True)
        self.room, self.is_online, self.seen = OneRoom(), True, 0

    @classmethod
    def of(cls, folder: Path, number: int) -> "Device":
        """The device whose store another process has left in `folder`."""
        device = cls.__new__(cls)
        device._set_up(folder, number, NOVEMBER)
        device._begin(Store.open(folder / "office.db", KEY, KINDS))
        return device

    def _begin(self, store: Store) -> None:
        self.store = store
        self.own = Own(
            store,
            self.dev,
            self.room,
            self.announce,
            is_online=lambda: self.is_online,
            now_ms=lambda: self.now_ms,
        )
        self.reads = ReadMarks(self.own, store)
        self.drafts = OwnDrafts(self.own)
        self.rooms, self.settings = Registers(self.own, "rooms"), Registers(self.own, "settings")
        self.preferences = Settings(self.folder / "settings.json")
        """The settings of the profile, which follow."""
        self.followed = SettingsFollowed(self.own, self.preferences)
        self.followed.start()

    def follow(self, upto: int = 100, conversations: Sequence[ObjId] = SERIES) -> None:
        """Gives this device some conversations, and the positions of their room up to `upto`."""
        with self.store.transaction() as conn:
            for obj in conversations:
                series.announce(conn, TALKS, obj, None, None, row=0, n=1, t=NOVEMBER)
        self.reach(upto)

    def reach(self, upto: int) -> None:
        """Receives the further positions of that room, up to `upto`."""
        first = int(self.store.db.value("SELECT coalesce(max(n), 0) FROM positions WHERE room = ?", (TALKS,))) + 1
        positions = [(n, rh(n)) for n in range(first, upto + 1)]
        if positions:
            self.store.receive(ReceivedSlice(room=TALKS, cursor=upto, state=b"", positions=positions))

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None:
        self.store.changes.append(room, ObjId(room), encode(ObjectAnnounced(obj=obj, kind=kind)))

    def restart(self, *, killed: bool = False) -> None:
        """Ends the program and starts it again; `killed` without a word."""
        if not killed:
            self.own.close()
        self.store.close()
        self._begin(Store.open(self.folder / "office.db", KEY, KINDS))

    def close(self) -> None:
        self.own.close()
        self.store.close()

    def written(self) -> int:
        """How many changes of the person's own this device has, of all devices."""
        return len([c for o in self.store.objects.all(kind=OWN.id) for c in self.store.changes.of(o.obj)])


def forge(stolen: Device, marks: Mapping[str, list[Any]]) -> None:
    """Has a stolen device write these read marks, by series; the other devices receive them with the next exchange."""
    _, model = stolen.own._present(ROOM)
    with stolen.store.transaction():
        model.write(stolen.own.dev, 1, {"reads": dict(marks)})


class Server:
    """Gives positions, and keeps what it gave."""

    def __init__(self, now_ms: Callable[[], int] = lambda: NOVEMBER) -> None:
        self.log: list[OpenedChange] = []
        self.shares: list[tuple[ObjId, bytes]] = []
        self._now_ms = now_ms
        self._sent: set[bytes] = set()

    def meet(self, *devices: Device) -> None:
        """The devices are online: each sends what waits, and reads what the others have sent."""
        for device in devices:
            for pending in device.store.pending(10_000):
                if pending.change_id not in self._sent:
                    self._sent.add(pending.change_id)
                    share = device.store.share(ROOM, pending.obj)
                    self.shares += [(pending.obj, share)] if share is not None else []
                    self.log.append(
                        OpenedChange(
                            n=len(self.log) + 1,
                            t=self._now_ms(),
                            uid=HL,
                            dev=device.dev,
                            obj=pending.obj,
                            change_id=pending.change_id,
                            payload=pending.payload,
                        )
                    )
        for device in devices:
            if device.seen < len(self.log):
                new, device.seen = self.log[device.seen :], len(self.log)
                device.store.receive(
                    ReceivedSlice(room=ROOM, cursor=len(self.log), state=b"", changes=new, shares=self.shares)
                )

    def put_strange(self, device: Device, data: bytes) -> None:
        """A damaged or a newer program of the person writes `data` into the year's object, as a device of its own."""
        [obj] = {row.obj for row in device.store.objects.all(kind=OWN.id)}
        dev, change_id = DevId(b"S" * 16), len(self.log).to_bytes(16, "big")
        n = len(self.log) + 1
        self.log.append(
            OpenedChange(n=n, t=self._now_ms(), uid=HL, dev=dev, obj=obj, change_id=ChangeId(change_id), payload=data)
        )


Two = tuple[Device, Device, Server]
"""A person's two devices, and the server between them."""
