# SPDX-License-Identifier: EUPL-1.2
"""Unfinished uploads of parts of files: whose they are, and how many bytes of them are on the disk.

Their bytes count in the room's quota until they are finished (then the part does), and each piece in its device's day.
A device may have few of them, and so may all devices of a person together; one more drops the device's oldest. An
upload is swept after a day, unless it is being written.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sync.errors import WorldError
from sync.server.config import Limits
from sync.server.objects.base import Objects
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.quotas import is_within, senders
from sync.server.store.base import Store, StoreError, UploadRow

log = logging.getLogger("sync.server")

SWEEP_S = 3600.0
"""How often uploads that were never finished are swept."""
Name = tuple[bytes, bytes, bytes]
"""Room, object, part."""


class Busy(WorldError):
    """The part cannot be uploaded now: another request writes it, or the device already writes as many parts as it
    may."""


class Uploads:
    """All unfinished uploads of parts of files, in memory and in the store alike: in memory to count them for limits,
    in the store to continue them after a restart."""

    def __init__(self, store: Store, objects: Objects, limits: Limits) -> None:
        self._store = store
        self._objects = objects
        self._limits = limits
        self._rows: dict[Name, UploadRow] = {}
        self._writing: set[Name] = set()

    async def open(self) -> None:
        """Reads the unfinished uploads from the store, which must be open. Call it once at the start. The store's
        errors are raised."""
        for row in await self._store.uploads():
            self._rows[row.name] = row

    @asynccontextmanager
    async def writing(self, name: Name) -> AsyncIterator[None]:
        """Marks the part `name` as being written until the `async with` block ends: no other request writes it, and it
        is not swept. ▲ Busy at once if it is being written already. Otherwise the second writer's bytes could be stored
        under the first's name."""
        if name in self._writing:
            raise Busy
        self._writing.add(name)
        try:
            yield
        finally:
            self._writing.discard(name)

    def held(self, room: bytes, but: Name) -> int:
        """How many bytes of unfinished uploads to the room with the id `room` are stored, without the upload of the
        part `but`; 0 for none. They count in the room's quota, and the caller counts the part that is being written by
        itself."""
        return sum(row.held_bytes for row in self._rows.values() if row.room == room and row.name != but)

    async def note(self, who: Who, name: Name, held_bytes: int, sent_bytes: int, day: int) -> None:
        """Notes that `held_bytes` of the part `name` will be on the disk once a piece of `sent_bytes` by the device
        `who` is written. `day` is the number of the day that they count for. ▲ Counted before the piece is written. If
        the upload begins with this piece and the device, or all devices of its person together, have too many, drops
        the device's oldest; Busy if too few of them can be dropped, since the others are being written. If that or the
        store fails, nothing is noted, but what was dropped by then stays dropped."""
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
            if before is None:
                del self._rows[name]
            else:
                self._rows[name] = before
            raise

    def _surplus(self, who: Who, name: Name) -> list[Name]:
        """The uploads of the device `who`, oldest first, that are to be dropped to make room for an upload of the part
        `name`; [] if there is room. The device may have a few uploads, and so may all devices of its person together.
        Busy if too few of them can be dropped, since the others are being written. ▲ Uploads of the person's other
        devices are never dropped. Otherwise a stolen device could keep those devices from sending."""
        theirs = [row for row in self._rows.values() if row.uid == who.uid and row.name != name]
        own = [row.name for row in sorted(theirs, key=lambda row: row.since) if row.dev == who.dev]
        idle = [each for each in own if each not in self._writing]
        surplus = 0
        while not is_within(len(own) - surplus + 1, len(theirs) - surplus + 1, self._limits.device_uploads):
            surplus += 1
        if surplus > len(idle):
            raise Busy
        return idle[:surplus]

    def done(self, name: Name) -> None:
        """Drops a finished upload from memory; the store has already dropped it."""
        self._rows.pop(name, None)

    async def drop(self, name: Name) -> None:
        """Drops the unfinished upload of the part `name` and its bytes, also bytes without a row. Nothing happens if
        there are none. Busy if the part is being written."""
        async with self.writing(name):
            await self.gone(name)

    async def drop_object(self, room: bytes, obj: bytes) -> None:
        """Drops the unfinished uploads of parts of the object `obj`, which was destroyed, and their bytes; not those
        that are being written right now. Raises what `gone` raises."""
        for name in [name for name in self._rows if name[:2] == (room, obj) and name not in self._writing]:
            await self.drop(name)

    async def gone(self, name: Name) -> None:
        """Drops the unfinished upload of the part `name` and its bytes. Nothing happens if there is none. The caller
        must be the one that writes the part (within `writing`). The store's errors are raised; the bytes are gone
        then."""
        await self._objects.discard(*name)
        if self._rows.pop(name, None) is not None:
            await self._store.drop_upload(*name)

    async def tidy(self) -> None:
        """Drops abandoned uploads (`sweep`) now and every hour (SWEEP_S). Runs until cancelled: an error is logged, and
        the next hour tries again."""
        while True:
            try:
                await self.sweep()
            except Exception:
                log.exception("unfinished uploads were not swept")
            await asyncio.sleep(SWEEP_S)

    async def sweep(self) -> None:
        """Drops uploads that began more than `upload_s` of the limits ago, and files of uploads that have no row and to
        which nothing was added for so long: a process left them that was killed while it wrote them. Skips what is
        being written."""
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
