# SPDX-License-Identifier: EUPL-1.2
"""The cache of received file parts: an index in the database, and the encrypted bytes, as received, in
<profile>/received.

A part is found by the SHA-256 of its encrypted bytes (`digest`), which the file's manifest names. ▲ Bytes with another
digest are never returned. The key of a part is in the message that names the part, not here. The parts of own files
that are still to be uploaded are not in this cache but in `blobs.py`.

A row is stored before its bytes: the code that fetches a part reserves a row first, and the bytes are kept only if the
row is still there. ▲ So a part is not kept if its message was deleted while it was being fetched. cache_upkeep.py
removes the files that no row names.
"""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Sequence
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
_PIN_NEW = f"""INSERT INTO cached_parts (digest, part, room, obj, name, size, used, pinned)
    SELECT ?1, ?2, ?3, ?4, NULL, ?5, ?6, 1 WHERE EXISTS (SELECT 1 FROM offline_rooms WHERE room = ?3)
    AND NOT EXISTS (SELECT 1 FROM parts WHERE part = ?2 AND present) AND {_MAY_KEEP}
    ON CONFLICT (digest) DO UPDATE SET pinned = 1"""  # noqa: S608 - constants
_RELEASE = "DELETE FROM cached_parts WHERE digest = ? AND name IS NULL AND NOT pinned"
_WANTED = """SELECT rowid, part, room, obj, digest, size FROM cached_parts WHERE +pinned AND name IS NULL AND rowid > ?
    ORDER BY rowid LIMIT ?"""
WANTED_AT_ONCE = 200
"""The most wanted parts that are read in one go: 1 ms."""
USED_EVERY_MS = 60_000
"""Milliseconds after which a part's last use is written again. Otherwise each reading of a file of 500 parts would
write 500 rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPart:
    """A part of a file of the object `obj` in `room`. `part`: its id. `digest`: the SHA-256 of its encrypted bytes.
    `size`: about how many bytes they are."""

    part: PartId
    room: RoomId
    obj: ObjId
    digest: bytes
    size: int


class CachedParts:
    """The index of the cache. Call it on the event loop; `keep` and `read` use the disk in a thread. `woken` is set
    when there may be something to tidy. `changed` is emitted when parts, or which of them are kept offline, have
    changed."""

    def __init__(self, db: Database, files: CacheFiles) -> None:
        self._db = db
        self.files = files
        self.woken = asyncio.Event()
        self.changed: Signal[()] = Signal()
        self.writing: set[str] = set()
        """Names of files that are being written, and that no row names yet."""
        self.fetching: set[bytes] = set()
        """Digests of parts that this process has reserved and not received yet."""
        self.given: set[str] = set()
        """Names of files that were removed because the disk was full, and that rows still name. Any thread may add
        some."""
        self.may_keep = True
        """Whether new parts are kept. If not, they are fetched each time they are read."""
        db.conn.parts_dropped = self.woken.set
        db.conn.parts_wanted = lambda: db.after_commit(self.changed.emit)

    # -- what is here

    async def read(self, digest: bytes) -> bytes | None:
        """The encrypted bytes of a part; None if the cache does not have them. ▲ A file that cannot be read, or whose
        bytes are damaged, truncated or exchanged, is dropped and None is returned, so that the caller fetches the part
        again. A pinned part stays pinned. A full disk stops no reading. StoreFault if the database cannot be read."""
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
        """Drops the file `name` of a part, and its row unless it is pinned: a pinned part is fetched again."""
        self._write("UPDATE cached_parts SET name = NULL WHERE digest = ? AND name = ?", (digest, name))
        self._write(_RELEASE, (digest,))
        self.woken.set()
        self.changed.emit()

    def _write(self, sql: str, params: Sequence[object]) -> None:
        """Writes a row that the cache can do without. A disk that refuses is only logged, so that parts can still be
        read."""
        try:
            with self._db.transaction(durable=False) as conn:
                conn.execute(sql, params)
        except StoreFault as e:
            log.store.warning("cache-index-not-written", code=e.code)

    def here(self, digests: Sequence[bytes]) -> set[bytes]:
        """Those of `digests` whose bytes are in the cache, by the index: nothing is read from the folder."""
        return {digest for digest, name, _ in self._rows(digests) if name is not None and name not in self.given}

    def pinned(self, digests: Sequence[bytes]) -> set[bytes]:
        """Those of `digests` that are kept offline, also if their bytes are not fetched yet."""
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
        """Reserves a row for a part that is being fetched, so that `keep` keeps its bytes. Reserves none while
        `may_keep` is False, for a destroyed object, and for a room that this person has left. StoreFault is only
        logged."""
        if not self.may_keep:
            return
        self.fetching.add(wanted.digest)
        self._write(_RESERVE, _values(wanted))

    def release(self, digest: bytes) -> None:
        """Removes the row that `reserve` made, since the fetch has failed. A pinned part keeps its row. StoreFault is
        only logged."""
        self.fetching.discard(digest)
        self._write(_RELEASE, (digest,))

    async def keep(self, digest: bytes, sealed: bytes) -> None:
        """Writes the encrypted bytes `sealed` of a reserved part to the disk. `digest`: their SHA-256, which the caller
        has verified. ▲ Keeps nothing if the row is gone: the message was deleted, the object destroyed, or the person
        removed from the room. A disk that refuses is only logged, since the caller has the bytes. The caller shields
        this coroutine, so that it completes even if the caller is cancelled."""
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
        """Stores the file's name in the part's row. Returns False if no row waits for a file."""
        sql = "UPDATE cached_parts SET name = ?, size = ?, used = ? WHERE digest = ? AND name IS NULL"
        with self._db.transaction(durable=False) as conn:
            return conn.execute(sql, (name, size, clock.now_ms(), digest)).rowcount > 0

    # -- what is kept offline

    def pinned_bytes(self, but: Sequence[bytes] = ()) -> int:
        """How many bytes are kept offline, including those that are not fetched yet. Parts with a digest in `but` are
        not counted."""
        all_of = int(self._db.value("SELECT coalesce(sum(size), 0) FROM cached_parts WHERE pinned") or 0)
        sizes = [self._db.value("SELECT size FROM cached_parts WHERE digest = ? AND pinned", (d,)) or 0 for d in but]
        return all_of - sum(sizes)

    def fetched_pinned_bytes(self) -> int:
        """How many bytes the parts have that are kept offline and fetched already."""
        sql = "SELECT coalesce(sum(size), 0) FROM cached_parts WHERE pinned AND name IS NOT NULL"
        return int(self._db.value(sql) or 0)

    def pin(self, wanted: Sequence[WantedPart]) -> None:
        """Pins parts, that is, keeps them offline: they are removed only if the person asks for it, or with their
        message, object or room. Parts that are not in the cache are then in `wanted`. Ignores parts of destroyed
        objects and of rooms that this person has left. StoreFault."""
        with self._db.transaction() as conn:
            conn.executemany(_PIN, [_values(part) for part in wanted])
        self.woken.set()
        self.changed.emit()

    def unpin(self, digests: Sequence[bytes]) -> None:
        """Unpins parts: they stay in the cache until their place is needed. StoreFault."""
        with self._db.transaction() as conn:
            conn.executemany("UPDATE cached_parts SET pinned = 0 WHERE digest = ?", [(d,) for d in digests])
        self.woken.set()

    def pin_room(self, room: RoomId, on: bool) -> None:
        """With `on`: pins all parts of a room that are in the cache, and each that a message names or that is fetched
        from now on. Otherwise unpins all parts of the room, also those that were pinned one by one. StoreFault."""
        with self._db.transaction() as conn:
            conn.execute("DELETE FROM offline_rooms WHERE room = ?", (room,))
            if on:
                conn.execute("INSERT INTO offline_rooms (room) VALUES (?)", (room,))
            conn.execute("UPDATE cached_parts SET pinned = ? WHERE room = ?", (on, room))
        self.woken.set()

    def unpin_all(self) -> None:
        """Unpins all parts and rooms. StoreFault."""
        with self._db.transaction() as conn:
            conn.execute("DELETE FROM offline_rooms")
            conn.execute("UPDATE cached_parts SET pinned = 0 WHERE pinned")
        self.woken.set()

    def is_room_pinned(self, room: RoomId) -> bool:
        """Whether the room is pinned (`pin_room`)."""
        return self._db.value("SELECT 1 FROM offline_rooms WHERE room = ?", (room,)) is not None

    def wanted(self) -> list[WantedPart]:
        """The pinned parts whose bytes are not in the cache, in the order in which they were named."""
        return [part for page in self.wanted_in_pages() for part in page]

    def wanted_in_pages(self) -> Iterator[list[WantedPart]]:
        """As `wanted`, at most WANTED_AT_ONCE at a time; also what begins to be wanted meanwhile."""
        after = 0
        while rows := self._db.rows(_WANTED, (after, WANTED_AT_ONCE)):
            after = rows[-1][0]
            yield [WantedPart(part=PartId(p), room=r, obj=o, digest=d, size=size) for _, p, r, o, d, size in rows]


def _values(wanted: WantedPart) -> tuple[object, ...]:
    return wanted.digest, wanted.part, wanted.room, wanted.obj, wanted.size, clock.now_ms()


def pin_new(conn: Connection, wanted: Iterable[WantedPart]) -> None:
    """Pins, in the caller's transaction, parts that a new message names and whose room is pinned, except own parts that
    are on this device. Parts that are not fetched yet are then in `CachedParts.wanted`, also after a restart. Checks no
    limit: the code that fetches them does."""
    rows = [_values(part) for part in wanted]
    if rows and conn.executemany(_PIN_NEW, rows).rowcount > 0 and conn.parts_wanted is not None:
        conn.parts_wanted()


def forget_parts(conn: Connection, digests: Iterable[bytes]) -> None:
    """▲ Removes parts from the cache, pinned or not, in the caller's transaction: the message that names them was
    deleted. Their files are removed after the commit, or at the next start after a crash."""
    _forget(conn, "DELETE FROM cached_parts WHERE digest = ?", [(digest,) for digest in digests])


def give_part(conn: Connection, digest: bytes, room: RoomId, obj: ObjId) -> None:
    """Makes a part of the cache one of the object `obj` in `room`, which has it too, in the caller's transaction. It
    stays pinned if it was."""
    conn.execute("UPDATE cached_parts SET room = ?, obj = ? WHERE digest = ?", (room, obj, digest))


def forget_object(conn: Connection, obj: ObjId) -> None:
    """▲ Removes the parts of an object that was destroyed, pinned or not, as `forget_parts`."""
    _forget(conn, "DELETE FROM cached_parts WHERE obj = ?", [(obj,)])


def forget_room(conn: Connection, room: RoomId) -> None:
    """▲ Removes the parts of a room that this person has left or was removed from, pinned or not, as `forget_parts`.
    The room is no longer pinned."""
    conn.execute("DELETE FROM offline_rooms WHERE room = ?", (room,))
    _forget(conn, "DELETE FROM cached_parts WHERE room = ?", [(room,)])


def _forget(conn: Connection, sql: str, of: Sequence[tuple[bytes]]) -> None:
    if of and conn.executemany(sql, of).rowcount and conn.parts_dropped is not None:
        conn.parts_dropped()
