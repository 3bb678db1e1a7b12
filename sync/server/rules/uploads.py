# SPDX-License-Identifier: EUPL-1.2
"""Parts of files that are not whole yet: whose they are and how much of them lies on the disk.

What they hold counts in the room's quota until they are whole (then the part does), and each piece in its device's day.
A device may have few of them, and so may all devices of a person together; one more drops the device's oldest. After a
day an upload is swept. None that is being written is.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sync.server.config import Limits
from sync.server.objects.base import Objects
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.quotas import is_within, senders
from sync.server.store.base import Store, StoreError, UploadRow

log = logging.getLogger("sync.server")

SWEEP_S = 3600.0
"""How often uploads that were never finished are looked for."""
Name = tuple[bytes, bytes, bytes]
"""Room, object, part."""


class Busy(Exception):
    """Somebody writes this part now, or the device writes as many as it may have."""


class Uploads:
    """All of them, in memory as in the store."""

    def __init__(self, store: Store, objects: Objects, limits: Limits) -> None:
        self._store = store
        self._objects = objects
        self._limits = limits
        self._rows: dict[Name, UploadRow] = {}
        """Those that began first stand first."""
        self._writing: set[Name] = set()

    async def open(self) -> None:
        """Reads what was left unfinished; the store is open."""
        for row in await self._store.uploads():
            self._rows[row.name] = row

    @asynccontextmanager
    async def writing(self, name: Name) -> AsyncIterator[None]:
        """▲ Nobody else writes this part meanwhile, and it is not swept. Busy if somebody does already: of two at once
        the second would lie under the first's name."""
        if name in self._writing:
            raise Busy
        self._writing.add(name)
        try:
            yield
        finally:
            self._writing.discard(name)

    def held(self, room: bytes, but: Name) -> int:
        """Bytes of the room's uploads without that one."""
        return sum(row.held_bytes for row in self._rows.values() if row.room == room and row.name != but)

    async def note(self, who: Who, name: Name, held_bytes: int, sent_bytes: int, day: int) -> None:
        """▲ So much of a part will be held with the piece that comes now; counted before it is written. Busy if the
        device has as many as it may, and is writing all of them."""
        before = self._rows.get(name)
        row, surplus = before, list[Name]()
        if row is None or held_bytes == sent_bytes:  # it begins, or begins again
            surplus = self._surplus(who, name)
            row = UploadRow(
                room=name[0], obj=name[1], part=name[2], uid=who.uid, dev=who.dev, held_bytes=0, since=now_ms()
            )
        row = self._rows[name] = replace(row, held_bytes=held_bytes)
        try:
            for oldest in surplus:
                await self.drop(oldest)
            await self._store.put_upload(row, senders(who), day, sent_bytes)
        except BaseException:
            self._rows.pop(name)
            if before is not None:
                self._rows[name] = before
            raise

    def _surplus(self, who: Who, name: Name) -> list[Name]:
        """Which of the device's uploads are dropped for another one. ▲ Uploads of the person's other devices are never
        dropped. Otherwise a stolen device could keep those devices from sending."""
        theirs = [row for row in self._rows.values() if row.uid == who.uid and row.name != name]
        own = [row.name for row in theirs if row.dev == who.dev]
        idle = [each for each in own if each not in self._writing]
        surplus = 0
        while not is_within(len(own) - surplus + 1, len(theirs) - surplus + 1, self._limits.device_uploads):
            surplus += 1
        if surplus > len(idle):
            raise Busy
        return idle[:surplus]

    def done(self, name: Name) -> None:
        """The part is whole, and the store has forgotten the upload."""
        self._rows.pop(name, None)

    async def drop(self, name: Name) -> None:
        """Gives an upload up, unless somebody writes it (Busy)."""
        async with self.writing(name):
            await self.gone(name)

    async def gone(self, name: Name) -> None:
        """Whoever writes an upload gives it up: nothing of it stays on the disk."""
        await self._objects.discard(*name)
        if self._rows.pop(name, None) is not None:
            await self._store.drop_upload(*name)

    async def tidy(self) -> None:
        """Sweeps now and every SWEEP_S. Runs until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("unfinished uploads were not swept")
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """Gives up what is older than `upload_s`, and files that no row names: the process ended while they were
        written."""
        before = now_ms() - int(self._limits.upload_s * 1000)
        old = [row.name for row in self._rows.values() if row.since < before]
        stray = [name for name in await self._objects.unfinished(before) if name not in self._rows]
        swept = 0
        for name in (*old, *stray):
            try:
                await self.drop(name)
                swept += 1
            except Busy:
                continue
            except StoreError as e:
                log.warning("an upload was not swept: %s", e.code)
        if swept:
            log.info("unfinished uploads swept: %d", swept)
