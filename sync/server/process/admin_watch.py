# SPDX-License-Identifier: EUPL-1.2
"""Watches the admin log in a running server, while commands in other processes write to it: copies each entry to the
server's log, detects a chain that was cut or changed, and knows when the last good backup was made.

The server makes the copy, not the command. So the copy goes where the server's log goes (the journal, a file, a
collector), in the same format, also in a container. An entry is copied even if its command was killed after the commit.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from sync.server.operator.upkeep.audit import in_words
from sync.server.store.admin_chain import (
    EMPTY,
    OK,
    UNKNOWN,
    AdminEntry,
    AdminRow,
    Broken,
    first_broken,
    last_of,
    read_entry,
)
from sync.server.store.base import Population, Store, StoreError

log = logging.getLogger("sync.server")
lines = logging.getLogger("sync.server.admin")
"""The logger of the entries, which are logged at any log level (log_output.py)."""

_EVERY_S = 1.0
_COUNT_EVERY = 60
"""Readings of the admin log between two counts of people and rooms, which take longer."""
_SEEN_MS = 30 * 86_400_000


class AdminWatch:
    """Follows the admin log, which commands in other processes write: copies its entries to the server's log, checks
    that none was cut or changed, and knows when the last backup was made. `run` reads it once a second until it is
    cancelled. Before the first reading the times of the last backup and command are 0, and `population` (the counts of
    people, devices and rooms) is None. `clock` returns the time in ms."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._head = EMPTY
        self._to_store: int | None = None
        """The number of the last entry that was copied, while the store does not have it."""
        self._warned = False
        """Whether it was logged that the store does not take that number."""
        self.broken = False
        """Whether the chain was found cut or changed; stays so until the next start."""
        self.backup_t = 0
        """When the last good backup was made (ms), 0 for never."""
        self.backup_failed = False
        """Whether the newest try to make a backup failed."""
        self.command_t = 0
        """When the last command other than a backup was given (ms), 0 for never."""
        self.population: Population | None = None

    async def run(self) -> None:
        """A background task: reads the admin log (`look`) once a second, until it is cancelled. Once a minute also
        counts people, devices and rooms (`population`). If one of them fails, logs it and tries again a second later;
        the other goes on."""
        until_count = 0
        while True:
            await _attempt(self.look, "the admin log was not read")
            if until_count <= 0 and await _attempt(self._count, "people and rooms were not counted"):
                until_count = _COUNT_EVERY
            until_count -= 1
            await asyncio.sleep(_EVERY_S)

    async def _count(self) -> None:
        self.population = await self._store.population(self._clock() - _SEEN_MS)

    async def look(self) -> None:
        """Reads the entries that commands have added to the admin log, verifies that their hashes continue the chain,
        and copies each entry to the server's own log: once, also over restarts, since the store has the number of the
        last copied one. The first call after a start verifies the whole chain. A chain that was cut or changed is
        logged as an error once and sets `broken`; its entries are copied all the same. Entries that were copied are
        copied again if they may have replaced others of their numbers: at a start those from the first broken one on,
        later all. StoreError if the log cannot be read now."""
        head = await self._store.admin_head()
        if head == self._head and head != EMPTY:
            await self._store_logged()
            return
        after, kept = EMPTY if self._head == UNKNOWN else self._head, await self._store.admin_logged()
        seen, logged = max(after.n, kept), kept
        rows = await self._store.admin_rows(0 if head == UNKNOWN else after.n)
        last = (last_of(rows) if head == UNKNOWN else head).n
        if last < seen:
            self._report_broken(Broken(last + 1, "missing"), seen)
            rows, logged = await self._store.admin_rows(0), 0  # entries that replace lost ones must not pass for them
        if last < seen or head == UNKNOWN:
            after = EMPTY
        # read after the head: what a command added meanwhile is for the next look
        rows = [row for row in rows if row.n <= last]
        broken = first_broken(rows, head, after=after)
        if broken is not None:
            self._report_broken(broken, last)
            if after != EMPTY:  # ▲ entries were lost and replaced since the last look, under numbers that are logged
                rows, logged = [row for row in await self._store.admin_rows(0) if row.n <= last], 0
            elif broken.code != "head":  # ▲ or while the server was stopped
                logged = min(logged, broken.n - 1)
        self._read(rows, logged)
        self._head = head
        if head != UNKNOWN and last != kept:  # UNKNOWN: the next entry gets a higher number than any that was copied
            self._to_store = last
        await self._store_logged()

    async def _store_logged(self) -> None:
        """Stores up to which entry the log is copied, if the store does not have that yet. A StoreError is not raised
        but logged once, and the next look tries again. Until a restart no entry is copied again for that."""
        if self._to_store is None:
            return
        try:
            await self._store.put_admin_logged(self._to_store)
        except StoreError as e:
            if not self._warned:
                log.warning("up to which entry the admin log is copied was not stored: %s", e.code)
            self._warned = True
        else:
            self._to_store, self._warned = None, False

    def _report_broken(self, broken: Broken, written: int) -> None:
        if not self.broken:
            log.error("%s", in_words(broken, written))
        self.broken = True

    def _read(self, rows: Sequence[AdminRow], logged: int) -> None:
        for row in rows:
            if row.n > logged:
                lines.info("admin %s %s", row.body, row.hash.hex())
            try:
                self._note(read_entry(row))
            except ValueError:
                continue  # `_report_broken` has logged it

    def _note(self, entry: AdminEntry) -> None:
        lost_after = entry.about.get("entries_lost_after")
        if entry.command == "backup":
            self.backup_failed = entry.result != OK
            self.backup_t = self.backup_t if self.backup_failed else entry.t
            return
        self.command_t = entry.t
        if entry.command == "restore" and isinstance(lost_after, int):
            self.backup_t, self.backup_failed = lost_after, False


async def _attempt(work: Callable[[], Awaitable[None]], failed: str) -> bool:
    """Runs `work`, and returns whether it succeeded. If it raises, the error is only logged, with the sentence
    `failed`, so that the task that repeats it goes on. A cancellation is raised."""
    try:
        await work()
    except StoreError as e:
        log.warning("%s: %s", failed, e.code)
    except Exception:
        log.exception("%s", failed)
    else:
        return True
    return False
