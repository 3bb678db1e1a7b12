# SPDX-License-Identifier: EUPL-1.2
"""The rows of working copies: which files lie in plain in a working folder for another program, and which changed ones
are kept encrypted in <profile>/kept (app/copies/).

A row of an opened copy is stored before its file is written, and deleted after the file is gone. So the next start
finds all files that a crash left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.ids import ChangeId, ObjId, RoomId
from app.core.signal import Signal
from app.store.connection import Connection, Row
from app.store.database import Database

_OPENED = "SELECT copy, folder, file, room, obj, message, number, name, digest, is_whole FROM opened_copies"
_CHANGED = """SELECT id, copy, file, room, obj, message, number, name, size, t, digest, manifest, parts
    FROM changed_copies"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOfMessage:
    """A file of a message: the object `obj` of `room` that the message lies in, the message's id, the file's index in
    it from 0, and its `name` as it is shown."""

    room: RoomId
    obj: ObjId
    message: ChangeId
    number: int
    name: str

    @property
    def key(self) -> tuple[ChangeId, int]:
        """(message's id, index): the key that no other file of the room has."""
        return self.message, self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCopy:
    """An unencrypted copy of a received file, for another program. `copy`: its id, 16 random bytes. `folder`: the
    absolute path of a folder that has nothing but this copy; `file`: the file's name in it. `of`: which file of which
    message it is a copy of. `digest`: SHA-256 (32 bytes) of the file's bytes, known before they are written.
    `is_whole`: False until all of them are written, and before that no other program gets the file."""

    copy: bytes
    folder: str
    file: str
    of: FileOfMessage
    digest: bytes
    is_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedCopy:
    """A copy that another program has changed, or a file that one saved beside it, kept encrypted. `id`: 16 random
    bytes. `copy`: the opened copy; `file`: its path below that copy's folder. `of`: the file that was opened; its
    `name` is the changed copy's. `size` in bytes; `t`: when it was kept, in ms. `digest`: SHA-256 of the plain bytes.
    `manifest` has the keys and digests of the encrypted parts, which are the files `parts` in kept/, in their order.
    """

    id: bytes
    copy: bytes
    file: str
    of: FileOfMessage
    size: int
    t: int
    digest: bytes
    manifest: bytes
    parts: Sequence[str]


class WorkingCopyRows:
    """The tables of opened and changed copies. Call it on the event loop. Every method raises StoreFault if the
    database refuses. `dropped` is emitted after the commit when rows were deleted together with their room or object:
    with the names of the changed copies among them, and with the opened copies, whose files still exist."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.dropped: Signal[Sequence[str], Sequence[OpenedCopy]] = Signal()
        db.conn.copies_dropped = self._on_dropped

    def _on_dropped(self, names: Sequence[str], rows: Sequence[Row]) -> None:
        opened = [_opened(row) for row in rows]
        self._db.after_commit(lambda: self.dropped.emit(names, opened))

    def opened(self) -> list[OpenedCopy]:
        """All copies that lie in plain, in the order in which they were opened, also those of an earlier run."""
        return [_opened(row) for row in self._db.rows(f"{_OPENED} ORDER BY rowid")]

    def put(self, opened: OpenedCopy) -> None:
        """Stores the row of a copy. Call it before the copy's file is written."""
        of = opened.of
        values = (opened.copy, opened.folder, opened.file, of.room, of.obj, of.message, of.number, of.name)
        with self._db.transaction() as conn:
            conn.execute(
                "INSERT INTO opened_copies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, opened.digest, opened.is_whole),
            )

    def complete(self, copy: bytes) -> bool:
        """Notes that the copy's file is whole. Returns False if the row is gone meanwhile, with its room or object."""
        with self._db.transaction() as conn:
            return conn.execute("UPDATE opened_copies SET is_whole = 1 WHERE copy = ?", (copy,)).rowcount > 0

    def remove(self, copy: bytes) -> None:
        """Deletes the row of a copy whose file is gone."""
        with self._db.transaction() as conn:
            conn.execute("DELETE FROM opened_copies WHERE copy = ?", (copy,))

    def changed(self, room: RoomId | None = None) -> list[ChangedCopy]:
        """The changed copies of a room, or of all rooms (None), the newest first."""
        sql = f"{_CHANGED} WHERE ?1 IS NULL OR room = ?1 ORDER BY t DESC, rowid DESC"
        return [_changed(row) for row in self._db.rows(sql, (room,))]

    def get(self, ident: bytes) -> ChangedCopy | None:
        """The changed copy with the id `ident`; None if it is not here any more."""
        row = self._db.one(f"{_CHANGED} WHERE id = ?", (ident,))
        return _changed(row) if row is not None else None

    def known(self, copy: bytes, file: str) -> tuple[bytes, bytes] | None:
        """(id, digest) of what is kept of a file of an opened copy; None if nothing is."""
        row = self._db.one("SELECT id, digest FROM changed_copies WHERE copy = ? AND file = ?", (copy, file))
        return None if row is None else (row[0], row[1])

    def keep(self, changed: ChangedCopy) -> bool:
        """Stores a changed copy, in place of an earlier state of that file of the same opened copy, and returns True.
        ▲ Stores nothing and returns False if the opened copy has no row any more, since its room or object is gone.
        StoreFault if the disk refuses."""
        of = changed.of
        values = (changed.id, changed.copy, changed.file, of.room, of.obj, of.message, of.number, of.name)
        rest = (changed.size, changed.t, changed.digest, changed.manifest, " ".join(changed.parts))
        sql = f"""INSERT OR REPLACE INTO changed_copies SELECT {", ".join("?" * 13)}
            WHERE EXISTS (SELECT 1 FROM opened_copies WHERE copy = ?)"""  # noqa: S608 - marks only
        with self._db.transaction() as conn:
            return conn.execute(sql, (*values, *rest, changed.copy)).rowcount > 0

    def discard(self, ident: bytes) -> None:
        """Deletes the row of the changed copy with the id `ident`. Does nothing if there is none."""
        with self._db.transaction() as conn:
            conn.execute("DELETE FROM changed_copies WHERE id = ?", (ident,))

    def part_names(self) -> set[str]:
        """The names of all files in kept/ that changed copies consist of."""
        return {name for (parts,) in self._db.rows("SELECT parts FROM changed_copies") for name in parts.split(" ")}


def forget_object(conn: Connection, obj: ObjId) -> None:
    """▲ Removes all copies of files of an object that was destroyed, changed or not, in the caller's transaction. Their
    files are removed after the commit."""
    _forget(conn, "obj = ?", obj)


def forget_room(conn: Connection, room: RoomId) -> None:
    """▲ Removes all copies of files of a room that this person has left or was removed from, as `forget_object`."""
    _forget(conn, "room = ?", room)


def _forget(conn: Connection, where: str, value: bytes) -> None:
    names = [name for (name,) in conn.rows(f"SELECT name FROM changed_copies WHERE {where}", (value,))]  # noqa: S608 - constants
    gone = conn.rows(f"{_OPENED} WHERE {where}", (value,))
    conn.execute(f"DELETE FROM opened_copies WHERE {where}", (value,))  # noqa: S608 - constants
    conn.execute(f"DELETE FROM changed_copies WHERE {where}", (value,))  # noqa: S608 - constants
    if (names or gone) and conn.copies_dropped is not None:
        conn.copies_dropped(names, gone)


def _opened(row: Row) -> OpenedCopy:
    copy, folder, file, room, obj, message, number, name, digest, is_whole = row
    of = FileOfMessage(room=room, obj=obj, message=message, number=number, name=name)
    return OpenedCopy(copy=copy, folder=folder, file=file, of=of, digest=digest, is_whole=bool(is_whole))


def _changed(row: Row) -> ChangedCopy:
    ident, copy, file, room, obj, message, number, name, size, t, digest, manifest, parts = row
    of = FileOfMessage(room=room, obj=obj, message=message, number=number, name=name)
    return ChangedCopy(
        id=ident, copy=copy, file=file, of=of, size=size, t=t, digest=digest, manifest=manifest, parts=parts.split(" ")
    )
