# SPDX-License-Identifier: EUPL-1.2
"""A store with three small kinds: a room that announces, notes that write rows and search, and a kind that fails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import current_thread

import pytest

from app.core.enums import Role
from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid, new_change, new_id
from app.errors import BadChange
from app.objects.kind import Kind
from app.store import search
from app.store.connection import Connection
from app.store.objects import announce
from app.store.rows import ObjectRow, StoredChange
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice

ME = Uid(b"M" * 16)
OTHER = Uid(b"O" * 16)
DEV = DevId(b"D" * 16)
ROOM = RoomId(b"R" * 16)
KEY = bytes(range(32))

NOTES = "CREATE TABLE note_rows (row INTEGER PRIMARY KEY, obj BLOB NOT NULL, n INTEGER, text TEXT NOT NULL)"


class Panic(BaseException):
    """What a Rust extension raises: not an Exception."""


def project_room(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """A root record here is an object id and its kind's name."""
    for change in changes:
        if change.data.startswith(b"announce"):
            announce(conn, obj.room, ObjId(change.data[8:24]), change.data[24:].decode(), change.t, change.author)


def project_note(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Writes a row and a search place per note; refuses some."""
    for change in changes:
        conn.execute(
            "INSERT INTO note_rows (row, obj, n, text) VALUES (?, ?, ?, ?)",
            (change.rowid, obj.obj, change.n, change.data.decode()),
        )
        match change.data:
            case b"nonsense":
                raise BadChange("nonsense")
            case b"crash":
                raise ZeroDivisionError
            case b"panic":
                raise Panic
        search.put(
            conn,
            [
                search.Entry(
                    room=obj.room,
                    obj=obj.obj,
                    kind="note",
                    ref=change.change_id,
                    t=change.t,
                    title="",
                    body=change.data.decode(),
                )
            ],
        )


def place_note(conn: Connection, obj: ObjectRow, changes: Sequence[StoredChange]) -> None:
    """Own notes have their position now."""
    conn.executemany("UPDATE note_rows SET n = ? WHERE row = ?", [(c.n, c.rowid) for c in changes])


ROOM_KIND = Kind(id="room", project=project_room)
NOTE_KIND = Kind(id="note", project=project_note, positioned=place_note, tables=(NOTES,))
KINDS = {k.id: k for k in (ROOM_KIND, NOTE_KIND)}


@dataclass
class Bench:
    """A store in a room of two, with builders of what the engine would give it."""

    folder: Path
    store: Store
    n: int = 2
    kinds: dict[str, Kind] = field(default_factory=lambda: dict(KINDS))

    @property
    def path(self) -> Path:
        return self.folder / "store.db"

    def threads_of_commits(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """A list to which each commit from now on adds the name of its thread: "MainThread" or "store-commit"."""
        at, commit = list[str](), self.store.db._commit

        def noted() -> None:
            at.append(current_thread().name.rsplit("_", 1)[0])
            commit()

        monkeypatch.setattr(self.store.db, "_commit", noted)
        return at

    def reopen(self) -> Store:
        self.store.close()
        self.store = Store.open(self.path, KEY, self.kinds)
        return self.store

    def join(self, room: RoomId = ROOM) -> None:
        """The room's founding, as received."""
        self.store.receive(
            ReceivedSlice(
                room=room,
                cursor=2,
                state=b"state",
                events=[RoomEvent(n=1, t=1000, kind="genesis", by=OTHER)],
                members=[
                    MemberRow(uid=OTHER, role=Role.OWNER, since_n=1, history=True),
                    MemberRow(uid=ME, role=Role.WRITER, since_n=2, history=True),
                ],
            )
        )

    def opened(self, data: bytes, obj: ObjId, *, uid: Uid = OTHER, change_id: ChangeId | None = None) -> OpenedChange:
        self.n += 1
        return OpenedChange(
            n=self.n,
            t=2000 + self.n,
            uid=uid,
            dev=DEV,
            obj=obj,
            change_id=change_id or new_change(),
            payload=data,
        )

    def receive(self, *changes: OpenedChange, room: RoomId = ROOM) -> None:
        self.store.receive(ReceivedSlice(room=room, cursor=self.n, state=b"state", changes=changes))

    def note(self, *, announced: bool = True, room: RoomId = ROOM) -> ObjId:
        """A new note's id."""
        obj = ObjId(new_id())
        if announced:
            self.receive(self.opened(b"announce" + obj + b"note", ObjId(room)), room=room)
        return obj

    def texts(self, obj: ObjId) -> list[str]:
        """The note's read-model rows."""
        return [text for (text,) in self.store.db.rows("SELECT text FROM note_rows WHERE obj = ? ORDER BY row", (obj,))]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A new store that has joined ROOM."""
    store = Store.create(tmp_path / "store.db", KEY, KINDS)
    store.set_me(ME)
    made = Bench(tmp_path, store)
    made.join()
    yield made
    made.store.close()
