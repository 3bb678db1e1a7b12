# SPDX-License-Identifier: EUPL-1.2
"""Sealed parts of files: the bytes under <profile>/blobs/xx/<part hex>, their keys in the database.

Knows no ciphers: bytes that are written here are sealed already. `write` and `read` may run in any thread; the other
methods belong to the loop. A change that was appended with `blobs=` goes to the server when all of its parts are marked
uploaded.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from app.core import log
from app.core.files import write_atomic
from app.core.ids import ObjId, PartId, RoomId
from app.errors import BugError, NotFound, StoreCorrupt, StoreUnwritable, disk_fault
from app.store import statements as sql
from app.store.cache_upkeep import CacheUpkeep
from app.store.cached_parts import CachedParts
from app.store.connection import Row
from app.store.database import Database
from app.store.rows import BlobPart
from sync.client.ports import PartUpload

_PART = "SELECT part, room, obj, key, hash, size, plain_size, uploaded, present FROM parts"
_DESTROYED = """EXISTS (SELECT 1 FROM events e WHERE e.obj = parts.obj AND e.room = parts.room
    AND e.kind = 'destroy')"""
_DROP = """DELETE FROM parts WHERE part = ? AND NOT EXISTS
    (SELECT 1 FROM outbox_parts named WHERE named.part = parts.part)"""


class Blobs:
    """The encrypted parts of files: a table of what is known of each part, and the folder with their bytes."""

    def __init__(
        self,
        db: Database,
        folder: Path,
        outbox_changed: Callable[[], None],
        cached: CachedParts,
        upkeep: CacheUpkeep,
    ) -> None:
        self.db = db
        self._folder = folder
        self._outbox_changed = outbox_changed
        self.cached = cached
        """The parts that were received."""
        self.upkeep = upkeep

    def path(self, part: PartId) -> Path:
        """The path of the sealed bytes of a part of a file, whether they exist or not. BugError for an id that has not
        16 bytes."""
        if len(part) != 16:
            raise BugError("a part id has 16 bytes")
        name = part.hex()
        return self._folder / name[:2] / name

    def write(self, part: PartId, sealed: bytes) -> None:
        """Writes the encrypted bytes `sealed` of a part of a file durably, in place of those that are there: after a
        crash the file has the old or the new ones. Before a full disk refuses them, received files are given up
        (`CacheUpkeep.with_room`). DiskFull, or StoreUnwritable for any other error of the disk. Any thread; it blocks,
        for 5–15 ms at 4 MiB."""
        self.upkeep.with_room(lambda: self._write(self.path(part), sealed))

    def _write(self, path: Path, sealed: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, sealed)
        except OSError as e:
            raise disk_fault(e) from e

    def read(self, part: PartId, expected_hash: bytes) -> bytes:
        """Returns the encrypted bytes of a part of a file. `expected_hash` is their SHA-256. Raises NotFound if there
        is no such file, StoreCorrupt if the bytes have a different hash, StoreUnwritable if they cannot be read. Any
        thread."""
        try:
            sealed = self.path(part).read_bytes()
        except FileNotFoundError as e:
            raise NotFound() from e
        except OSError as e:
            raise StoreUnwritable() from e
        if hashlib.sha256(sealed).digest() != expected_hash:
            log.store.error("part-damaged", part=part)
            raise StoreCorrupt()
        return sealed

    def add(self, part: BlobPart) -> None:
        """Stores what is known of a part of a file, without its bytes. For a part that is known already, only the flags
        `present` and `uploaded` are set, and never cleared."""
        with self.db.transaction():
            self.db.conn.execute(
                """INSERT INTO parts (part, room, obj, key, hash, size, plain_size, uploaded, present)
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (part) DO UPDATE
                   SET present = max(present, excluded.present)""",
                (
                    part.part,
                    part.room,
                    part.obj,
                    part.key,
                    part.hash,
                    part.size,
                    part.plain_size,
                    part.uploaded,
                    part.present,
                ),
            )
            if part.uploaded:
                self.set_uploaded(PartId(part.part))

    def get(self, part: PartId) -> BlobPart | None:
        """What is stored about one part of a file, without its bytes; None for a part that is not known here."""
        row = self.db.one(f"{_PART} WHERE part = ?", (part,))
        return _part(row) if row else None

    def of(self, obj: ObjId) -> list[BlobPart]:
        """All parts of an object's files."""
        return [_part(row) for row in self.db.rows(f"{_PART} WHERE obj = ? ORDER BY rowid", (obj,))]

    def to_upload(self, room: RoomId | None = None) -> list[BlobPart]:
        """Parts of files whose bytes are on this device and not at the server yet, oldest first; of one room, or of all
        (None). Parts of destroyed objects are not among them, since the server refuses them: they wait until their
        message is written in another object."""
        rows = self.db.rows(
            f"{_PART} WHERE present AND NOT uploaded AND (?1 IS NULL OR room = ?1) AND NOT {_DESTROYED} ORDER BY rowid",
            (room,),
        )
        return [_part(row) for row in rows]

    def set_uploaded(self, part: PartId, obj: ObjId | None = None) -> None:
        """Notes that the server has stored this part of a file durably, as one of the object `obj` (None: of the one to
        which it belongs). Changes that waited only for this part may be sent now. Does nothing if the part has become
        one of another object meanwhile (`give`). Otherwise a message would be sent whose file nobody can fetch. A
        second call changes nothing. ▲ What a change waits for is counted again, and not lowered by one. Otherwise a
        part that the server lost and received again would count twice."""
        with self.db.transaction():
            conn = self.db.conn
            conn.execute("UPDATE parts SET uploaded = 1 WHERE part = ?1 AND obj = coalesce(?2, obj)", (part, obj))
            if conn.execute(sql.PART_UPLOADED, (part,)).rowcount:
                self.db.after_commit(self._outbox_changed)

    # -- the engine's ports -------------------------------------------------------------------------------------

    def uploads(self) -> list[PartUpload]:
        """Parts to upload, oldest first."""
        return [PartUpload(part=PartId(p.part), room=p.room, obj=p.obj, digest=p.hash) for p in self.to_upload()]

    def uploaded_parts(self) -> list[PartUpload]:
        """The parts of files whose bytes are on this device and that the server has confirmed, oldest first."""
        rows = [_part(row) for row in self.db.rows(f"{_PART} WHERE present AND uploaded ORDER BY rowid")]
        return [PartUpload(part=PartId(p.part), room=p.room, obj=p.obj, digest=p.hash) for p in rows]

    def set_lost(self, part: PartId) -> None:
        """Notes that the server has lost this part of a file, so that it is uploaded again. A change that still waits
        for another part waits for this one too; any other change is not held back meanwhile."""
        with self.db.transaction():
            self.db.conn.execute("UPDATE parts SET uploaded = 0 WHERE part = ?", (part,))

    def checked_for(self) -> bytes | None:
        """Says for which restore of the server from a backup this device has last checked that the server still has its
        parts of files: an opaque mark of that restore, and of the rooms that were left out. None before the first
        check."""
        value: bytes | None = self.db.value("SELECT value FROM meta WHERE name = 'parts-looked-for'")
        return value

    def set_checked_for(self, mark: bytes) -> None:
        """Stores `mark`, which names a restore of the server from a backup: since it, this device has asked the server
        for its uploaded parts of files, except in the rooms that `mark` names too, and need not ask again for this
        restore. Replaces the former mark."""
        with self.db.transaction():
            self.db.conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('parts-looked-for', ?)", (mark,))

    def give(self, part: PartId, obj: ObjId) -> bool:
        """Makes a part of a file one of the object `obj`, in the same room, to be uploaded for it. Returns False if its
        bytes are not on this device."""
        with self.db.transaction():
            sql_ = "UPDATE parts SET obj = ?, uploaded = 0 WHERE part = ? AND present"
            return self.db.conn.execute(sql_, (obj, part)).rowcount > 0

    def drop(self, parts: Sequence[PartId]) -> None:
        """Deletes parts of files from this device: their rows, in one transaction, and then their bytes. For uploads
        that were given up. Parts that a change in the outbox names stay. StoreFault if the rows cannot be deleted;
        nothing is deleted then. Bytes that the disk refuses to delete are only logged: nobody can read them any more,
        since their key was in the row."""
        with self.db.transaction() as conn:
            conn.executemany(_DROP, [(part,) for part in parts])
            gone = [part for part in parts if conn.value("SELECT 1 FROM parts WHERE part = ?", (part,)) is None]
        for part in gone:
            try:
                self.path(part).unlink(missing_ok=True)
            except OSError:
                log.store.warning("part-not-dropped", part=part)


def _part(row: Row) -> BlobPart:
    part, room, obj, key, digest, size, plain_size, uploaded, present = row
    return BlobPart(
        part=part,
        room=room,
        obj=obj,
        key=key,
        hash=digest,
        size=size,
        plain_size=plain_size,
        uploaded=bool(uploaded),
        present=bool(present),
    )
