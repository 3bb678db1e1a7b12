# SPDX-License-Identifier: EUPL-1.2
"""The cache of received file parts: an index in the database, and the bytes in <profile>/received as they came.

A part is found by the SHA-256 of its encrypted bytes (`digest`), which its manifest names. ▲ Bytes that have another
digest are never given out. The key of a part is in the message that names it, not here. What an own message waits for
is never in this cache: it is in `blobs.py`.

A row comes before its bytes: the code that fetches a part reserves a row first, and the bytes are kept only if the row
is still there. ▲ So a part that was being fetched while its message was deleted is not kept. cache_upkeep.py removes
the files that no row names any more.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core import clock, log
from app.core.ids import ObjId, PartId, RoomId
from app.core.signal import Signal
from app.errors import StoreFault
from app.store.cache_files import CacheFiles
from app.store.connection import Connection
from app.store.database import Database
from app.store.statements import CHUNK

_MAY_KEEP = """NOT EXISTS (SELECT 1 FROM rooms WHERE room = ?3 AND left)
    AND NOT EXISTS (SELECT 1 FROM events WHERE room = ?3 AND kind = 'destroy' AND obj = ?4)"""
_RESERVE = f"""INSERT OR IGNORE INTO cached_parts (digest, part, room, obj, name, size, used, pinned)
    SELECT ?1, ?2, ?3, ?4, NULL, ?5, ?6, EXISTS (SELECT 1 FROM offline_rooms WHERE room = ?3) WHERE {_MAY_KEEP}"""  # noqa: S608 - constants
_PIN = f"""INSERT INTO cached_parts (digest, part, room, obj, name, size, used, pinned)
    SELECT ?1, ?2, ?3, ?4, NULL, ?5, ?6, 1 WHERE {_MAY_KEEP} ON CONFLICT (digest) DO UPDATE SET pinned = 1"""
_RELEASE = "DELETE FROM cached_parts WHERE digest = ? AND name IS NULL AND NOT pinned"
_WANTED = "SELECT part, room, obj, digest, size FROM cached_parts WHERE pinned AND name IS NULL"
USED_EVERY_MS = 60_000
"""A part's last use is written again only after so long: reading a file of 500 parts twice is no reason to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPart:
    """A part of a file of the object `obj` in `room`: its id, the SHA-256 of its encrypted bytes, and about how many
    they are."""

    part: PartId
    room: RoomId
    obj: ObjId
    digest: bytes
    size: int


class CachedParts:
    """The index of the cache, on the loop's thread. `keep` and `read` use the disk in a thread. `woken` is set when
    there may be something to tidy, `changed` is emitted when what is here has changed."""

    def __init__(self, db: Database, files: CacheFiles) -> None:
        self._db = db
        self.files = files
        self.woken = asyncio.Event()
        self.changed: Signal[()] = Signal()
        self.writing: set[str] = set()
        """Names of files that are being written and that no row names yet."""
        self.fetching: set[bytes] = set()
        """Digests of parts that this process has reserved and that have not come yet."""
        self.given: set[str] = set()
        """Names of files that were removed since the disk was full, and that rows still name. Any thread adds."""
        self.may_keep = True
        """Whether parts are kept at all. Otherwise they are fetched each time."""
        db.conn.parts_dropped = self.woken.set

    # -- what is here

    async def read(self, digest: bytes) -> bytes | None:
        """The encrypted bytes of a part; None if they are not here. ▲ A file that was damaged, cut off or exchanged is
        dropped, and None is returned: the caller fetches the part again, and a pin stays. A disk that is full keeps no
        part from being read. StoreFault if the database cannot be read."""
        row = self._db.one("SELECT name, size, used FROM cached_parts WHERE digest = ?", (digest,))
        if row is None or row[0] is None or row[0] in self.given:
            return None
        name, size, used = row
        sealed = await asyncio.to_thread(self._sound, name, size, digest)
        if sealed is None:
            log.store.warning("cached-part-damaged")
            self._drop_bytes(digest, name)
            return None
        now = clock.now_ms()
        if not used <= now < used + USED_EVERY_MS:
            self._write("UPDATE cached_parts SET used = ? WHERE digest = ?", (now, digest))
        return sealed

    def _sound(self, name: str, size: int, digest: bytes) -> bytes | None:
        sealed = self.files.read(name, size)
        return sealed if sealed is not None and hashlib.sha256(sealed).digest() == digest else None

    def _drop_bytes(self, digest: bytes, name: str) -> None:
        """Drops the file `name` of a part. The row of a pinned one stays, so that it is fetched again."""
        self._write("UPDATE cached_parts SET name = NULL WHERE digest = ? AND name = ?", (digest, name))
        self._write(_RELEASE, (digest,))
        self.woken.set()
        self.changed.emit()

    def _write(self, sql: str, params: Sequence[object]) -> None:
        """Writes what may as well be missing: a disk that refuses is only logged, so that what is here can be read."""
        try:
            with self._db.transaction(durable=False) as conn:
                conn.execute(sql, params)
        except StoreFault as e:
            log.store.warning("cache-index-not-written", code=e.code)

    def here(self, digests: Sequence[bytes]) -> set[bytes]:
        """Those of these digests whose bytes are here, as the index says: nothing is read from the folder."""
        return {digest for digest, name, _ in self._rows(digests) if name is not None and name not in self.given}

    def pinned(self, digests: Sequence[bytes]) -> set[bytes]:
        """Those of these digests that are kept offline, whether their bytes are here yet or not."""
        return {digest for digest, _, pinned in self._rows(digests) if pinned}

    def _rows(self, digests: Sequence[bytes]) -> list[tuple[bytes, str | None, bool]]:
        found = []
        for at in range(0, len(digests), CHUNK):
            some = digests[at : at + CHUNK]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT digest, name, pinned FROM cached_parts WHERE digest IN ({marks})"  # noqa: S608 - marks only
            found += [(digest, name, bool(pinned)) for digest, name, pinned in self._db.rows(sql, some)]
        return found

    # -- what is fetched

    def reserve(self, wanted: WantedPart) -> None:
        """Notes that a part is being fetched, so that its bytes may be kept. Not for a part of a destroyed object, or
        of a room that this person has left: their bytes are given on and not kept. StoreFault is only logged."""
        if not self.may_keep:
            return
        self.fetching.add(wanted.digest)
        self._write(_RESERVE, _values(wanted))

    def release(self, digest: bytes) -> None:
        """Forgets that a part was being fetched, since it did not come. A pin stays. StoreFault is only logged."""
        self.fetching.discard(digest)
        self._write(_RELEASE, (digest,))

    async def keep(self, digest: bytes, sealed: bytes) -> None:
        """Keeps the encrypted bytes of a part that was reserved, unless its row is gone meanwhile: ▲ its message was
        deleted, its object destroyed, or the person removed from the room. `digest`: their SHA-256, which the caller
        has checked. A disk that refuses is only logged: the part was fetched all the same. Runs to its end also if
        the caller is cancelled, if the caller shields it."""
        name = self.files.new_name()
        self.writing.add(name)
        try:
            if not self._is_awaited(digest):
                return
            await asyncio.to_thread(self.files.write, name, sealed)
            if not self._name(digest, name, len(sealed)):
                await asyncio.to_thread(self.files.remove, [name])
        except StoreFault as e:
            log.store.warning("part-not-kept", code=e.code)
            await asyncio.to_thread(self.files.remove, [name])
            self.release(digest)
        finally:
            self.fetching.discard(digest)
            self.writing.discard(name)
            self.woken.set()

    def _is_awaited(self, digest: bytes) -> bool:
        sql = "SELECT 1 FROM cached_parts WHERE digest = ? AND name IS NULL"
        return self._db.value(sql, (digest,)) is not None

    def _name(self, digest: bytes, name: str, size: int) -> bool:
        """Enters the file into the part's row. False if there is no row that waits for it."""
        sql = "UPDATE cached_parts SET name = ?, size = ?, used = ? WHERE digest = ? AND name IS NULL"
        with self._db.transaction(durable=False) as conn:
            return conn.execute(sql, (name, size, clock.now_ms(), digest)).rowcount > 0

    # -- what is kept offline

    def pinned_bytes(self, but: Sequence[bytes] = ()) -> int:
        """How many bytes are kept offline, those included that are not fetched yet. Parts with a digest in `but` are
        left out."""
        all_of = int(self._db.value("SELECT coalesce(sum(size), 0) FROM cached_parts WHERE pinned") or 0)
        sizes = [self._db.value("SELECT size FROM cached_parts WHERE digest = ? AND pinned", (d,)) or 0 for d in but]
        return all_of - sum(sizes)

    def pin(self, wanted: Sequence[WantedPart]) -> None:
        """Keeps these parts offline: they leave only if the person says so, or with their message, object or room. The
        bytes of those that are not here are to be fetched. StoreFault."""
        with self._db.transaction() as conn:
            conn.executemany(_PIN, [_values(part) for part in wanted])
        self.woken.set()
        self.changed.emit()

    def unpin(self, digests: Sequence[bytes]) -> None:
        """Lets these parts leave when their place is needed. StoreFault."""
        with self._db.transaction() as conn:
            conn.executemany("UPDATE cached_parts SET pinned = 0 WHERE digest = ?", [(d,) for d in digests])
        self.woken.set()

    def pin_room(self, room: RoomId, on: bool) -> None:
        """Keeps offline what is here of a room and what is fetched of it from now on; with `on` False, nothing of it
        is kept offline any more. StoreFault."""
        with self._db.transaction() as conn:
            conn.execute("DELETE FROM offline_rooms WHERE room = ?", (room,))
            if on:
                conn.execute("INSERT INTO offline_rooms (room) VALUES (?)", (room,))
            conn.execute("UPDATE cached_parts SET pinned = ? WHERE room = ?", (on, room))
        self.woken.set()

    def unpin_all(self) -> None:
        """Keeps nothing offline any more. StoreFault."""
        with self._db.transaction() as conn:
            conn.execute("DELETE FROM offline_rooms")
            conn.execute("UPDATE cached_parts SET pinned = 0 WHERE pinned")
        self.woken.set()

    def is_room_pinned(self, room: RoomId) -> bool:
        """Whether the room's files are kept offline."""
        return self._db.value("SELECT 1 FROM offline_rooms WHERE room = ?", (room,)) is not None

    def wanted(self) -> list[WantedPart]:
        """The parts that are kept offline and whose bytes are not here."""
        rows = self._db.rows(_WANTED)
        return [WantedPart(part=PartId(p), room=r, obj=o, digest=d, size=size) for p, r, o, d, size in rows]


def _values(wanted: WantedPart) -> tuple[object, ...]:
    return wanted.digest, wanted.part, wanted.room, wanted.obj, wanted.size, clock.now_ms()


def forget_parts(conn: Connection, digests: Iterable[bytes]) -> None:
    """▲ Removes parts from the cache, in the caller's transaction, pinned or not: the message that names them was
    deleted. Their files go after the commit, or at the next start."""
    _forget(conn, "DELETE FROM cached_parts WHERE digest = ?", [(digest,) for digest in digests])


def forget_object(conn: Connection, obj: ObjId) -> None:
    """▲ Removes an object's parts from the cache, in the caller's transaction, pinned or not: it was destroyed."""
    _forget(conn, "DELETE FROM cached_parts WHERE obj = ?", [(obj,)])


def forget_room(conn: Connection, room: RoomId) -> None:
    """▲ Removes a room's parts from the cache, in the caller's transaction, pinned or not: this person left the room or
    was removed from it."""
    conn.execute("DELETE FROM offline_rooms WHERE room = ?", (room,))
    _forget(conn, "DELETE FROM cached_parts WHERE room = ?", [(room,)])


def _forget(conn: Connection, sql: str, of: Sequence[tuple[bytes]]) -> None:
    if of and conn.executemany(sql, of).rowcount and conn.parts_dropped is not None:
        conn.parts_dropped()
