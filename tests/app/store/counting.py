# SPDX-License-Identifier: EUPL-1.2
"""Two small kinds that count, and a store of rooms with their objects. What a change of theirs says is what its object
counts from then on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from app.core.enums import Role
from app.core.ids import ObjId, RoomId, new_change
from app.objects.kind import Kind
from app.store import counters
from app.store.connection import Connection
from app.store.counters import Counter, Latest
from app.store.objects import announce, set_deleted
from app.store.rows import ObjectRow, RoomRow, StoredChange
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.store.conftest import DEV, KEY, ME, OTHER

COUNTS_NOTHING = 99
"""The version of a read model."""
Numbers = tuple[int, int, int]
"""(unread, mentions, when the latest was; 0 for none)."""


def project_room(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """A root record here is `+kind`, `-` (put away) or `~` (taken back) behind an object's id."""
    for change in changes:
        target, what = ObjId(change.data[:16]), change.data[16:].decode()
        if what[0] == "+":
            announce(conn, obj.room, target, what[1:], change.t, change.author)
        else:
            set_deleted(conn, obj.room, target, what == "-")


def project_counts(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """The newest change says what the object counts."""
    for change in changes:
        unread, mentions, t = msgspec.msgpack.decode(change.data, type=Numbers)
        last = Latest(t=t, by=change.author, preview=f"{obj.kind} åäö {t}") if t else None
        counters.put(conn, obj.room, obj.obj, Counter(unread=unread, mentions=mentions, last=last))


ROOM_KIND = Kind(id="room", project=project_room)
LETTERS = Kind(id="letters", project=project_counts)
VISITS = Kind(id="visits", project=project_counts)
KINDS = {kind.id: kind for kind in (ROOM_KIND, LETTERS, VISITS)}


@dataclass
class Rooms:
    """A store, and the items that the server gives it."""

    path: Path
    store: Store = field(init=False)
    n: int = 1000
    low: int = 1000

    def __post_init__(self) -> None:
        self.store = Store.create(self.path, KEY, KINDS)
        self.store.set_me(ME)

    def reopen(self, **versions: int) -> None:
        """Opens the store again; kinds whose `versions` are given have another read model. That of COUNTS_NOTHING
        counts nothing."""
        self.store.close()
        kinds = {kind.id: replace(kind, version=versions.get(kind.id, kind.version)) for kind in KINDS.values()}
        silent = [kind for kind in kinds.values() if kind.version == COUNTS_NOTHING]
        kinds |= {kind.id: replace(kind, project=lambda *_: None) for kind in silent}
        self.store = Store.open(self.path, KEY, kinds)

    def receive(self, room: RoomId, *changes: OpenedChange, shares: Sequence[tuple[ObjId, bytes]] = ()) -> None:
        self.store.receive(ReceivedSlice(room=room, cursor=self.n, state=b"state", changes=changes, shares=shares))

    def change(self, obj: ObjId, data: bytes) -> OpenedChange:
        """A colleague's change at the next position."""
        self.n += 1
        return OpenedChange(n=self.n, t=self.n, uid=OTHER, dev=DEV, obj=obj, change_id=new_change(), payload=data)

    def set_member(self, room: RoomId, here: bool) -> None:
        """This person is added to a room, or leaves it."""
        member = MemberRow(uid=ME, role=Role.WRITER, since_n=2, history=True)
        event = RoomEvent(n=self.n, t=self.n, kind="genesis", by=OTHER)
        members, gone = ([member], []) if here else ([], [ME])
        self.store.receive(
            ReceivedSlice(room=room, cursor=self.n, state=b"state", events=[event], members=members, gone=gone)
        )

    def says(self, room: RoomId, obj: ObjId, what: str) -> None:
        """A root record about an object."""
        self.receive(room, self.change(ObjId(room), obj + what.encode()))

    def counts(self, room: RoomId, obj: ObjId, *each: Numbers) -> OpenedChange:
        """Changes after which an object counts the last of these numbers; returns the last change."""
        changes = [self.change(obj, msgspec.msgpack.encode(numbers)) for numbers in each]
        self.receive(room, *changes)
        return changes[-1]

    def proves(self, room: RoomId, obj: ObjId, share: bytes, kind: str, numbers: Numbers) -> OpenedChange:
        """The announcement, the share and a change of an object that is bound to the room."""
        self.says(room, obj, f"+{kind}")
        change = self.change(obj, msgspec.msgpack.encode(numbers))
        self.receive(room, change, shares=[(obj, share)])
        return change

    def replaces(self, room: RoomId, change: OpenedChange, data: bytes) -> None:
        """A record with the same name comes from a lower position: it counts, and the object is made again."""
        self.low -= 1
        self.receive(room, replace(change, n=self.low, t=self.low, payload=data))

    def row(self, room: RoomId) -> RoomRow:
        row = self.store.rooms_list.get(room)
        assert row is not None
        return row

    def numbers(self, room: RoomId) -> Numbers:
        row = self.row(room)
        return row.unread, row.mentions, row.last_t
