# SPDX-License-Identifier: EUPL-1.2
"""Real stores and tool services without a network: colleagues in one room, and what only gives positions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.chat import KIND as CHAT
from app.chat.service import ChatService
from app.core import clock
from app.core.alarms import Alarms
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid, new_change
from app.core.signal import Signal
from app.errors import NotFound
from app.notices.kinds import KINDS as NOTICE_KINDS
from app.notices.service import Level, Notices
from app.people.person import Person, Verified, initials
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ObjectAnnounced, encode
from app.store import objects as object_rows
from app.store import rooms as room_rows
from app.store import series
from app.store.connection import Connection
from app.store.store import Store
from app.tasks import KIND as BOARD
from app.tasks.service import TaskService, new_board
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import ReceivedSlice

ROOM = RoomId(b"r" * 16)
OWN_ROOM = RoomId(b"o" * 16)
CHANNEL = ObjId(b"c" * 16)
BOARD_ID = ObjId(b"b" * 16)
HL = Uid(b"\x00" + b"h" * 15)
EK = Uid(b"\x01" + b"e" * 15)
RG = Uid(b"\x02" + b"r" * 15)
NAMES = {HL: "Handläggare", EK: "Enhetschef", RG: "Registrator"}
INITIALS = {HL: "HL", EK: "EK", RG: "RG"}
COLUMNS = ("Att göra", "Pågår", "Granskning", "Klart")
KEY = b"k" * 32


@dataclass(slots=True)
class Folk:
    """People and Members of the tools, from a fixed list."""

    uid: Uid
    admin: bool = False
    writer: bool = True
    changed: Signal[()] = field(default_factory=Signal[()])
    nameless: set[Uid] = field(default_factory=set)
    """Whose records have not come yet."""
    store: Store | None = None
    """Where parts of a series are announced."""

    @property
    def me(self) -> Person:
        return self.person(self.uid)

    def person(self, uid: Uid) -> Person:
        name = "…" if uid in self.nameless else NAMES.get(uid, "Okänd")
        return Person(
            uid=uid,
            name=name,
            title="",
            unit="Tillsyn",
            initials="" if uid in self.nameless else INITIALS.get(uid, initials(name)),
            colour=uid[0],
            verified=Verified.AGENCY,
            is_me=uid == self.uid,
        )

    def people_in(self, room: RoomId) -> Sequence[Person]:
        return [self.person(uid) for uid in NAMES]

    def is_admin(self, room: RoomId) -> bool:
        return self.admin

    def may_write(self, room: RoomId) -> bool:
        return self.writer

    def announce_part(self, room: RoomId, obj: ObjId, kind: str, series: ObjId, period: int) -> None:
        assert self.store is not None
        record = ObjectAnnounced(obj=obj, kind=kind, series=series, period=period)
        self.store.changes.append(room, ObjId(room), encode(record))


def announce_chat(conn: Connection, room: RoomId, obj: ObjId, by: Uid, t: int | None = None) -> None:
    """A chat that is a series of its own and begins with the month of `t`, by default the present one."""
    t = clock.now_ms() if t is None else t
    object_rows.announce(conn, room, obj, CHAT.id, t, by)
    series.announce(conn, room, obj, None, None, row=0, n=0, t=t)


class Announcing:
    """Announces and puts away in the store at once; the room service does it through the root object."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None:
        with self._store.db.transaction() as conn:
            object_rows.announce(conn, room, obj, kind, 1, HL)

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None:
        with self._store.db.transaction() as conn:
            object_rows.set_deleted(conn, room, obj, on)


class OwnPlaces:
    """The rooms of one's own of a desk; none, until a test gives it some."""

    def __init__(self, *rooms: RoomId) -> None:
        self.known: Signal[()] = Signal()
        self.there = list(rooms)
        self.refusal: Exception | None = NotFound()
        """Why no room can be made now; None: one is made."""

    def rooms(self) -> Sequence[RoomId]:
        return list(self.there)

    def find(self) -> RoomId | None:
        return self.there[0] if self.there else None

    async def ensure(self) -> RoomId:
        if not self.there and self.refusal is not None:
            raise self.refusal
        self.give(*self.there or [OWN_ROOM])
        return self.there[0]

    def give(self, *rooms: RoomId) -> None:
        """These are the rooms from now on."""
        self.there = list(rooms)
        self.known.emit()


class Things:
    """What messages link to: tasks."""

    def __init__(self, store: Store, tasks: TaskService) -> None:
        self.changed = store.changed
        self.find = tasks.linked


@dataclass(slots=True)
class Desk:
    """One person's store and services."""

    store: Store
    folk: Folk
    chat: ChatService
    tasks: TaskService
    notices: Notices
    own: OwnPlaces = field(default_factory=OwnPlaces)

    def close(self) -> None:
        self.notices.close()
        self.chat.close_all()
        self.tasks.close_all()
        self.store.close()


def desk(folder: Path, uid: Uid = HL, *, title: str = "Tillsyn 2026-1184", admin: bool = False) -> Desk:
    """A new store in which the room with its chat and board is announced."""
    kinds = {each.id: each for each in (ROOM_KIND, CHAT, BOARD)}
    store = Store.create(folder / "office.db", KEY, kinds, folder / "blobs")
    store.set_me(uid)
    members = [MemberRow(uid=u, role=Role.OWNER if u == HL else Role.WRITER, since_n=0, history=True) for u in NAMES]
    store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=members))
    with store.db.transaction() as conn:
        room_rows.name(conn, ROOM, title, "case", 1)
        announce_chat(conn, ROOM, CHANNEL, HL)
        object_rows.announce(conn, ROOM, BOARD_ID, BOARD.id, 1, HL)
    return _desk_of(store, uid, admin=admin)


def reopened(folder: Path, uid: Uid = HL, *, admin: bool = False) -> Desk:
    """The store that `desk` made in `folder`, or a copy of it, opened again."""
    kinds = {each.id: each for each in (ROOM_KIND, CHAT, BOARD)}
    return _desk_of(Store.open(folder / "office.db", KEY, kinds, folder / "blobs"), uid, admin=admin)


def _desk_of(store: Store, uid: Uid, *, admin: bool) -> Desk:
    folk = Folk(uid, admin, store=store)
    notices = notices_of(store)
    own = OwnPlaces()
    tasks = board_service(store, folk, notices, own)
    chat = ChatService(
        store.db,
        store.changes,
        store.objects,
        folk,
        folk,
        things=Things(store, tasks),
        lines=store.room_lines,
        room_changed=store.changed,
    )
    return Desk(store, folk, chat, tasks, notices, own)


def notices_of(store: Store, alarms: Alarms | None = None) -> Notices:
    """The account's notices; all of them ring, in every room. `alarms`: a timer; None: one that never comes."""
    kinds = [*NOTICE_KINDS, *CHAT.notices, *BOARD.notices]
    return Notices(store, kinds, lambda room: Level.ALL, frozenset[str], alarms or Alarms())


def board_service(store: Store, folk: Folk, notices: Notices, own: OwnPlaces | None = None) -> TaskService:
    """The service of boards, whose timer never comes."""
    parts = (store.db, store.changes, store.objects, folk, folk, Announcing(store))
    return TaskService(*parts, notices, own or OwnPlaces(), alarms=Alarms())


def start_board(at: Desk, title: str = "Ärendets uppgifter") -> None:
    """The board's first change."""
    at.store.changes.append(ROOM, BOARD_ID, new_board(title, COLUMNS))


@dataclass(slots=True)
class Positions:
    """Gives positions like a server and hands every change to every desk."""

    desks: list[Desk]
    n: int = 10
    t: int = 1_795_500_000_000
    sent: set[bytes] = field(default_factory=set)

    def deliver(self) -> None:
        """Everything that waits anywhere is at the server and with everybody."""
        for desk in self.desks:
            opened, shares = [], list[tuple[ObjId, bytes]]()
            for pending in desk.store.pending(10_000):
                if pending.change_id in self.sent:
                    continue
                self.sent.add(pending.change_id)
                self.n += 1
                self.t += 1000
                share = desk.store.share(ROOM, pending.obj)
                shares += [(pending.obj, share)] if share is not None else []
                opened.append(self._opened(desk.folk.uid, pending.obj, pending.change_id, pending.payload))
            for other in self.desks:
                other.store.receive(ReceivedSlice(room=ROOM, cursor=self.n, state=b"", changes=opened, shares=shares))

    def _opened(self, uid: Uid, obj: ObjId, change_id: ChangeId, payload: bytes) -> OpenedChange:
        return OpenedChange(
            n=self.n,
            t=self.t,
            uid=uid,
            dev=DevId(uid),
            obj=obj,
            change_id=change_id,
            payload=payload,
        )


def from_others(at: Desk, uid: Uid, obj: ObjId, payloads: Sequence[bytes], *, n: int, t: int, step: int = 1000) -> None:
    """Changes of somebody else arrive."""
    opened = [
        OpenedChange(n=n + i, t=t + i * step, uid=uid, dev=DevId(uid), obj=obj, change_id=new_change(), payload=payload)
        for i, payload in enumerate(payloads)
    ]
    at.store.receive(ReceivedSlice(room=ROOM, cursor=n + len(payloads), state=b"", changes=opened))
