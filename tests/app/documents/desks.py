# SPDX-License-Identifier: EUPL-1.2
"""Desks with real stores and a document service each; a clock and timers that tests turn by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.documents import KIND
from app.documents.service import DocumentService
from app.objects.trash import Retired
from app.rooms import put_away
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ObjectRetired, encode
from app.store import objects as object_rows
from app.store import rooms as room_rows
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import ReceivedSlice
from tests.office import HL, KEY, NAMES, ROOM, Folk

KINDS = {KIND.id: KIND, ROOM_KIND.id: ROOM_KIND}


class Timers:
    """`Later` by hand."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def later(self, delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
        entry = (delay_s, act)
        self.waiting.append(entry)
        return lambda: self.waiting.remove(entry) if entry in self.waiting else None

    def ring(self, up_to_s: float = 5.0) -> None:
        """Runs what waits up to that long, also what that brings."""
        while due := [entry for entry in self.waiting if entry[0] <= up_to_s]:
            self.waiting.remove(due[0])
            due[0][1]()


@dataclass
class Rooms:
    """Announces in the store at once; the room service does it through the root object, as it puts away here too."""

    store: Store
    uid: Uid
    world: "World"
    writes: bool = True

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None:
        for desk in self.world.desks:
            with desk.store.db.transaction() as conn:
                object_rows.announce(conn, room, obj, kind, 1, self.uid)

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None:
        self.store.changes.append(room, ObjId(room), encode(ObjectRetired(obj=obj, on=on)))

    def put_away(self, room: RoomId | None = None, by: Uid | None = None) -> list[Retired]:
        return put_away.read(self.store.db, room, by)

    def may_write(self, room: RoomId) -> bool:
        return self.writes


@dataclass
class Desk:
    """One person."""

    store: Store
    uid: Uid
    rooms: Rooms
    timers: Timers
    documents: DocumentService
    folder: Path

    def close(self) -> None:
        self.documents.close_all()
        self.store.close()


@dataclass
class World:
    """The desks, and a network that delivers on request."""

    folder: Path
    desks: list[Desk] = field(default_factory=list)
    sent: set[bytes] = field(default_factory=set)
    passing: list[tuple[Uid, bytes]] = field(default_factory=list)
    n: int = 10

    def add(self, uid: Uid = HL) -> Desk:
        folder = self.folder / uid.hex()
        store = Store.create(folder / "office.db", KEY, KINDS, folder / "blobs")
        store.set_me(uid)
        members = [
            MemberRow(uid=u, role=Role.OWNER if u == HL else Role.WRITER, since_n=0, history=True) for u in NAMES
        ]
        store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=members))
        with store.db.transaction() as conn:
            room_rows.name(conn, ROOM, "Tillsyn 2026-1184", "case", 1)
        desk = self.service(store, uid, folder)
        self.desks.append(desk)
        return desk

    def service(self, store: Store, uid: Uid, folder: Path) -> Desk:
        rooms, timers, folk = Rooms(store, uid, self), Timers(), Folk(uid)
        documents = DocumentService(
            store.db,
            store.changes,
            store.objects,
            folk,
            rooms,
            send_ephemeral=lambda _room, payload: self.passing.append((uid, payload)),
            later=timers.later,
        )
        return Desk(store, uid, rooms, timers, documents, folder)

    def restart(self, desk: Desk) -> Desk:
        """The same person after the program was closed and opened."""
        desk.close()
        store = Store.open(desk.folder / "office.db", KEY, KINDS, desk.folder / "blobs")
        new = self.service(store, desk.uid, desk.folder)
        self.desks[self.desks.index(desk)] = new
        return new

    def deliver(self) -> None:
        """Everything written anywhere reaches everybody."""
        for desk in self.desks:
            opened = []
            for pending in desk.store.pending(100_000):
                if pending.change_id not in self.sent:
                    self.sent.add(pending.change_id)
                    opened.append(self._opened(desk.uid, pending.obj, pending.payload, pending.change_id))
            for other in self.desks:
                other.store.receive(ReceivedSlice(room=ROOM, cursor=self.n, state=b"", changes=opened))
        passing, self.passing = self.passing, []
        for uid, payload in passing:
            for other in self.desks:
                if other.uid != uid:
                    other.documents.on_ephemeral(ROOM, uid, DevId(uid), payload)

    def coming(self, desk: Desk, limit: int = 100_000) -> ReceivedSlice:
        """What one desk has written and nobody has got yet, as a slice of at most `limit` changes for everybody."""
        opened: list[OpenedChange] = []
        for pending in desk.store.pending(100_000):
            if pending.change_id not in self.sent and len(opened) < limit:
                self.sent.add(pending.change_id)
                opened.append(self._opened(desk.uid, pending.obj, pending.payload, pending.change_id))
        return ReceivedSlice(room=ROOM, cursor=self.n, state=b"", changes=opened)

    def arrive(self, at: Desk, uid: Uid, obj: ObjId, payload: bytes) -> None:
        """Bytes of somebody's, whatever they are."""
        change = self._opened(uid, obj, payload, ChangeId(self.n.to_bytes(16, "big")))
        at.store.receive(ReceivedSlice(room=ROOM, cursor=self.n, state=b"", changes=[change]))

    def _opened(self, uid: Uid, obj: ObjId, payload: bytes, change_id: ChangeId) -> OpenedChange:
        self.n += 1
        return OpenedChange(
            n=self.n,
            t=1_795_500_000_000 + self.n,
            uid=uid,
            dev=DevId(uid),
            obj=obj,
            change_id=change_id,
            payload=payload,
        )

    def close(self) -> None:
        for desk in self.desks:
            desk.close()
