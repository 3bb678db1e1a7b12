# SPDX-License-Identifier: EUPL-1.2
"""Keeps the cache of received file parts within its limit and equal to its folder, and makes room for the person's
edits when the disk is full.

A row is deleted first, and its file later: the deletion leaves the file's name in the table `uncached`, and the file is
removed after the commit, also after a crash. The least recently used parts are removed first. Parts that are kept
offline (pinned) are removed only if the person asks for it.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.core import log
from app.errors import DiskFull, StoreFault
from app.store.cached_parts import CachedParts
from app.store.connection import RowSource
from app.store.database import Database

MB = 1_000_000
LOW_BYTES = 16 * MB
"""The disk counts as full if fewer bytes are free. No transaction of one edit is larger."""
GIVEN_BYTES = 12 * MB
"""About how many bytes are removed at a time on the event loop when the disk is full. The background removes the
rest."""
_AT_ONCE = 200
_MOST_GIVEN = 40
"""The most files that are removed at a time on the event loop: 40 small ones take 3 ms, 3 of 4 MiB 4 ms (two slow
cores)."""
_FREE_SHARE = 20
"""The automatic limit is at most one twentieth (5 %) of the free disk."""
_OLDEST = """SELECT name, size FROM cached_parts WHERE name IS NOT NULL AND NOT pinned ORDER BY used LIMIT ?"""
_USAGE = """SELECT coalesce(sum(size), 0), coalesce(sum(size) FILTER (WHERE pinned), 0) FROM cached_parts
    WHERE name IS NOT NULL"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUsage:
    """The size of the cache, in bytes. `used`: all parts. `pinned`: the parts that are kept offline. `limit`: the limit
    in force. `is_disk_full`: the disk is full although only parts that are kept offline are left."""

    used: int = 0
    pinned: int = 0
    limit: int = 0
    is_disk_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLimit:
    """The limit that was chosen. `most`: bytes; 0 keeps nothing. `is_automatic`: the limit is also at most 5 % of the
    free disk."""

    most: int = 2000 * MB
    is_automatic: bool = True


class CacheUpkeep:
    """Tidies the cache in the background (`run`), and removes its files when the disk is full (`SpareRoom`)."""

    def __init__(self, db: Database, parts: CachedParts) -> None:
        self._db = db
        self._parts = parts
        self.low_bytes = LOW_BYTES
        self.given_bytes = GIVEN_BYTES
        self.chosen: Callable[[], CacheLimit] = CacheLimit
        """Returns the limit that the person or the policy has chosen."""
        self.usage = CacheUsage()
        """The size of the cache after the last `tidy`."""
        self._tidying = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_emptying = False

    # -- in the background

    async def run(self) -> None:
        """Runs until cancelled. Cleans once, and then tidies whenever `CachedParts.woken` is set. StoreFault if the
        disk refuses."""
        self._loop = asyncio.get_running_loop()
        await self.clean()
        while True:
            await self.tidy()
            await self._parts.woken.wait()
            self._parts.woken.clear()

    async def clean(self) -> None:
        """▲ Repairs what a crash left: removes files that no row names, rows without a file, and rows of interrupted
        fetches. The row of a pinned part stays and loses its file. Foreign files in the folder are removed too; a
        folder that is not empty stays. Works in threads and in pieces, so that the start is not slower. StoreFault if
        the disk refuses."""
        self._drop_reservations()
        names = await asyncio.to_thread(self._parts.files.names)
        writing = set(self._parts.writing)  # before the index is read: it names all that are written since
        indexed = await asyncio.to_thread(self._indexed)
        orphans = [name for name in names if name not in indexed and name not in writing]
        for some in _in_pieces(orphans):
            await asyncio.to_thread(self._parts.files.remove, some)
        missing = await asyncio.to_thread(self._missing, indexed.difference(names))
        for some in _in_pieces(missing):
            self._drop_rows(some)
            await asyncio.sleep(0)
        if orphans or missing:
            log.store.info("cache-cleaned", files=len(orphans), rows=len(missing))

    def _drop_reservations(self) -> None:
        rows = self._db.rows("SELECT digest FROM cached_parts WHERE name IS NULL AND NOT pinned")
        for (digest,) in rows:
            if digest not in self._parts.fetching:
                self._parts.release(digest)

    def _indexed(self) -> set[str]:
        with self._db.reader() as reader:
            return {name for (name,) in reader.rows("SELECT name FROM cached_parts WHERE name IS NOT NULL")}

    def _missing(self, names: set[str]) -> list[str]:
        return [name for name in names if not self._parts.files.exists(name)]

    def _drop_rows(self, names: Sequence[str]) -> None:
        with self._db.transaction(durable=False) as conn:
            for name in names:
                conn.execute("UPDATE cached_parts SET name = NULL WHERE name = ? AND pinned", (name,))
                conn.execute("DELETE FROM cached_parts WHERE name = ?", (name,))

    async def tidy(self) -> None:
        """Removes the files whose rows are gone. Then removes the least recently used parts until the cache is within
        its limit. Emits `CachedParts.changed` if `usage` has changed. StoreFault if the disk refuses."""
        async with self._tidying:
            given = list(self._parts.given)
            for some in _in_pieces(given):
                self._drop_rows(some)
            await self._remove_files()
            self._parts.given.difference_update(given)
            before, usage = self.usage, await self._measured()
            while self._evict(usage):
                await self._remove_files()
                usage = await self._measured()
            self._is_emptying = False
            self.usage = usage
        if usage != before:
            self._parts.changed.emit()

    async def _remove_files(self) -> None:
        """Removes the files that `uncached` names, and then their names. A file that the disk refuses to remove is
        tried again at the next call."""
        refused = 0
        while True:
            sql = "SELECT name FROM uncached LIMIT ? OFFSET ?"
            names = [name for (name,) in self._db.rows(sql, (_AT_ONCE, refused))]
            if not names:
                return
            gone = await asyncio.to_thread(self._parts.files.remove, names)
            refused += len(names) - len(gone)
            with self._db.transaction(durable=False) as conn:
                conn.executemany("DELETE FROM uncached WHERE name = ?", [(name,) for name in gone])

    async def _measured(self) -> CacheUsage:
        def measure() -> tuple[int, int, int | None]:
            with self._db.reader() as reader:
                used, pinned = reader.only(_USAGE)
            return used, pinned, self._parts.files.free_bytes()

        used, pinned, free = await asyncio.to_thread(measure)
        full = free is not None and free < self.low_bytes and used == pinned > 0
        return CacheUsage(used=used, pinned=pinned, limit=self._limit(used, free), is_disk_full=full)

    def limit(self) -> int:
        """The limit in force now, in bytes: the chosen one, or less if it is automatic and little of the disk is free.
        Also sets `CachedParts.may_keep`."""
        return self._limit(self.usage.used, self._parts.files.free_bytes())

    def _limit(self, used: int, free: int | None) -> int:
        chosen = self.chosen()
        limit = chosen.most
        if chosen.is_automatic and free is not None:
            limit = min(limit, (free + used) // _FREE_SHARE // MB * MB)  # whole MB: it is shown
        self._parts.may_keep = limit > 0 and (free is None or free >= 4 * self.low_bytes)
        return limit

    def _evict(self, usage: CacheUsage) -> bool:
        """Deletes rows of the least recently used parts, at most _AT_ONCE, if the cache is over its limit. Returns
        whether it deleted any."""
        over = usage.used - (0 if self._is_emptying else usage.limit)
        if over <= 0 or usage.used == usage.pinned:
            return False
        leaving = []
        for name, size in self._db.rows(_OLDEST, (_AT_ONCE,)):
            if over <= 0:
                break
            leaving.append((name,))
            over -= size
        with self._db.transaction(durable=False) as conn:
            conn.executemany("DELETE FROM cached_parts WHERE name = ?", leaving)
        return bool(leaving)

    async def empty(self) -> None:
        """Removes all parts that are not kept offline. StoreFault if the disk refuses."""
        self._is_emptying = True
        await self.tidy()

    # -- when the disk is full: SpareRoom

    def watch(self) -> None:
        """▲ Called before each transaction. Calls `give` if less than LOW_BYTES is free, so that the transaction finds
        room. Raises nothing."""
        free = self._parts.files.free_bytes()
        if free is not None and free < self.low_bytes:
            self.give()

    def give(self) -> bool:
        """Removes the least recently used files, about GIVEN_BYTES of them, and wakes `run` to remove all others that
        are not kept offline. Returns whether it removed any; False if only those that are kept offline are left. Raises
        nothing. Call it on the event loop."""
        try:
            gave = self._give(self._db, _MOST_GIVEN, self.given_bytes)
        except StoreFault:
            return False
        if gave or (self.usage.pinned and not self.usage.is_disk_full):
            self._parts.woken.set()
        return gave

    def give_all(self) -> bool:
        """Removes all files that are not kept offline. Returns whether it removed any. Raises nothing. May be called in
        any thread: a thread that writes a file beside the database, such as a part of an own file, has no time limit.
        """
        try:
            with self._db.reader() as reader:
                gave = self._give(reader, -1, None)
        except StoreFault:
            return False
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._parts.woken.set)
        return gave

    def with_room(self, write: Callable[[], None]) -> None:
        """Calls `write`, which writes a file beside the database. ▲ If the disk is full, gives up all received files
        that can be fetched again, and calls `write` once more. DiskFull if there is no such file, or the disk is full
        all the same. May be called in any thread."""
        try:
            write()
        except DiskFull:
            if not self.give_all():
                raise
            write()

    def _give(self, rows: RowSource, most_files: int, most_bytes: int | None) -> bool:
        """Removes files and notes their names in `CachedParts.given`; `tidy` deletes their rows, since the disk may
        have no room for that now. Returns whether any file is gone."""
        given, names = self._parts.given, list[str]()
        limit = -1 if most_files < 0 else most_files + len(given)
        for name, size in rows.rows(_OLDEST, (limit,)):
            if most_bytes is not None and most_bytes <= 0:
                break
            if name not in given:
                names.append(name)
                most_bytes = None if most_bytes is None else most_bytes - size
        gone = self._parts.files.remove(names[: most_files if most_files >= 0 else None])
        given.update(gone)
        if gone:
            self._is_emptying = True
            log.store.info("cache-given-up", files=len(gone))
        return bool(gone)


def _in_pieces(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE))
