# SPDX-License-Identifier: EUPL-1.2
"""Keeps the cache of received file parts within its limit, in step with its folder, and out of the way of own edits.

Rows first, files second: a deleted row leaves its file's name in `uncached`, from which the file is removed after the
commit, also after a crash. The oldest use leaves first. Pins leave only if the person says so.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.core import log
from app.errors import StoreFault
from app.store.cached_parts import CachedParts
from app.store.connection import RowSource
from app.store.database import Database

MB = 1_000_000
LOW_BYTES = 16 * MB
"""With less free than this the disk counts as full: no transaction of one edit is larger."""
GIVEN_BYTES = 12 * MB
"""So much is given up at a time on the loop, and the rest in the background."""
_AT_ONCE = 200
_MOST_GIVEN = 40
"""Most files that are removed on the loop at a time: 40 small ones take 3 ms, 3 of 4 MiB 4 ms (two slow cores)."""
_FREE_SHARE = 20
"""The automatic limit is at most one twentieth (5 %) of the free disk."""
_OLDEST = """SELECT name, size FROM cached_parts WHERE name IS NOT NULL AND NOT pinned ORDER BY used LIMIT ?"""
_USAGE = """SELECT coalesce(sum(size), 0), coalesce(sum(size) FILTER (WHERE pinned), 0) FROM cached_parts
    WHERE name IS NOT NULL"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheUsage:
    """How much of the cache is used, in bytes: in all, by what is kept offline, and the limit in force. `is_disk_full`:
    the disk was full, and nothing is left in the cache but what is kept offline."""

    used: int = 0
    pinned: int = 0
    limit: int = 0
    is_disk_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLimit:
    """The limit that was chosen, in bytes. `is_automatic`: at most 5 % of the free disk count."""

    most: int = 2000 * MB
    is_automatic: bool = True


class CacheUpkeep:
    """Tidies the cache in the background (`run`), and gives up its files when the disk is full (`SpareRoom`)."""

    def __init__(self, db: Database, parts: CachedParts) -> None:
        self._db = db
        self._parts = parts
        self.low_bytes = LOW_BYTES
        self.given_bytes = GIVEN_BYTES
        self.chosen: Callable[[], CacheLimit] = CacheLimit
        """What the person or policy has chosen."""
        self.usage = CacheUsage()
        """As of the last tidying."""
        self._tidying = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_emptying = False

    # -- in the background

    async def run(self) -> None:
        """Brings index and folder into step once, and then tidies whenever the cache is woken, until cancelled."""
        self._loop = asyncio.get_running_loop()
        await self.clean()
        while True:
            await self.tidy()
            await self._parts.woken.wait()
            self._parts.woken.clear()

    async def clean(self) -> None:
        """▲ After a crash: removes files that no row names, and rows without a file or of an interrupted fetch. In
        threads and in pieces, so that a start is not slower for it. What is no file of ours is removed too, except
        folders that are not empty."""
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
        """Removes the files whose rows are gone, and the rows of the oldest use beyond the limit with theirs. Emits
        `changed` of the parts if that or anything else has changed what is here. StoreFault if the disk refuses."""
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
        """Removes the files that are named in `uncached`. A name that the disk refuses to remove stays there, and is
        tried again at the next time."""
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
        """The limit in force now, in bytes: the chosen one, or less if it is automatic and little of the disk is
        free."""
        return self._limit(self.usage.used, self._parts.files.free_bytes())

    def _limit(self, used: int, free: int | None) -> int:
        chosen = self.chosen()
        limit = chosen.most
        if chosen.is_automatic and free is not None:
            limit = min(limit, (free + used) // _FREE_SHARE // MB * MB)  # whole MB: it is shown
        self._parts.may_keep = limit > 0 and (free is None or free >= 4 * self.low_bytes)
        return limit

    def _evict(self, usage: CacheUsage) -> bool:
        """Deletes rows, of the oldest use first, if more is here than the limit allows. Returns whether it did."""
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
        """Removes everything but what is kept offline."""
        self._is_emptying = True
        await self.tidy()

    # -- when the disk is full: SpareRoom

    def watch(self) -> None:
        """▲ Gives up files if the disk is nearly full, so that the transaction that begins now finds room."""
        free = self._parts.files.free_bytes()
        if free is not None and free < self.low_bytes:
            self.give()

    def give(self) -> bool:
        """Gives up files of the oldest use, as many as make room for an edit, and has the others removed in the
        background. Returns whether it gave room: no if only what is kept offline is left."""
        try:
            gave = self._give(self._db, _MOST_GIVEN, self.given_bytes)
        except StoreFault:
            return False
        if gave or (self.usage.pinned and not self.usage.is_disk_full):
            self._parts.woken.set()
        return gave

    def give_all(self) -> bool:
        """Gives up all files that are not kept offline. Returns whether it gave room. Any thread: for what a thread
        writes beside the database, such as a part of an own file."""
        try:
            with self._db.reader() as reader:
                gave = self._give(reader, -1, None)
        except StoreFault:
            return False
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(self._parts.woken.set)
        return gave

    def _give(self, rows: RowSource, most_files: int, most_bytes: int | None) -> bool:
        """Removes files and notes them as `given`: the disk may have no room for deleting their rows. Returns whether
        any is gone."""
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
