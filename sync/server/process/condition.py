# SPDX-License-Identifier: EUPL-1.2
"""The server's condition: whether its store can be written, how full its disk is, how long its certificates are
valid."""

import asyncio
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily

from sync.protocol.version import PROGRAM
from sync.server.config import Config
from sync.server.load.meters import gauge, gauges_by
from sync.server.process.admin_watch import AdminWatch
from sync.server.rules.certificates import Certificates
from sync.server.rules.handshake import now_ms
from sync.server.rules.service import Service
from sync.server.store.base import Store, StoreError

_AGE_S = 1.0
"""The disk is checked at most this often, however many requests ask for it."""
_PROBE_S = 5.0
"""How long a check waits for the disk before it reports "slow"."""


@dataclass(frozen=True, slots=True)
class Look:
    """The server's condition at one moment. `code` is "ready" or the reason why not: "starting" (not checked yet),
    "full" (less is free than the disk's reserve, so no file is accepted, or the disk is failing), "slow" (the disk does
    not answer), "certificate" (clients refuse it: its time has ended or not begun), or the code of the error with which
    a write to the store failed. `free_bytes`: what is left on the disk."""

    code: str
    free_bytes: int

    @property
    def ready(self) -> bool:
        return self.code == "ready"


class Condition:
    """Whether the server can work: that its store can be written, that its disk has room, and that its certificates are
    valid (`look`). Also gives the operator's figures that are gauges rather than counters (`gauges`). `commands`: the
    AdminWatch, whose figures of the admin log (last backup, last command, counts) are among the gauges."""

    def __init__(
        self, config: Config, store: Store, service: Service, certificates: Certificates, commands: AdminWatch
    ) -> None:
        self._config = config
        self._store = store
        self._service = service
        self._certificates = certificates
        self._commands = commands
        self._at = -math.inf  # a clock that began with the machine may be near 0
        self._seen = Look("starting", 0)
        self._looking = asyncio.Lock()
        self._probing: asyncio.Task[None] | None = None

    async def look(self) -> Look:
        """Checks the server's condition: writes to the store, reads the disk's free space, and looks at the
        certificates' dates. Returns the result; a fault is its `code`, and is not raised. Only if the free space cannot
        be read, OSError. A result is used for a second, however often this is called."""
        async with self._looking:
            if time.monotonic() - self._at > _AGE_S:
                self._seen = await self._look()
                self._at = time.monotonic()
        return self._seen

    async def _look(self) -> Look:
        try:
            free = shutil.disk_usage(self._config.data).free
        except OSError:
            return Look("full", 0)  # the disk is failing, or gone
        try:
            await self._probe()
        except StoreError as e:
            return Look(e.code, free)
        except TimeoutError:
            return Look("slow", free)
        if not self._certificates.good:
            return Look("certificate", free)
        return Look("full" if free < self._config.disk_reserve_bytes else "ready", free)

    async def _probe(self) -> None:
        """Writes to the store, to see whether that works; returns nothing if it does. TimeoutError if the write has not
        ended after _PROBE_S: the next call then waits for the same write, and begins no second one. StoreError if the
        write fails."""
        if self._probing is None:
            self._probing = asyncio.ensure_future(self._store.probe())
        done, _ = await asyncio.wait([self._probing], timeout=_PROBE_S)
        if not done:
            raise TimeoutError
        probed, self._probing = self._probing, None
        probed.result()

    async def close(self) -> None:
        """Called when the server stops: cancels a test write to the store that is still pending, and waits for its end.
        Does nothing if there is none."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait([self._probing])

    def gauges(self) -> Iterator[GaugeMetricFamily]:
        """The operator's figures as they are now; whether the server is ready and the disk's free space as of the last
        `look`."""
        hub = self._service.hub
        queued = hub.queued_bytes()
        yield gauge("kansli_connections", "Devices that are signed in.", hub.connections)
        waiting = self._service.entrance.unsigned
        yield gauge("kansli_connections_unsigned", "Connections on which nobody has signed in.", waiting)
        yield gauge("kansli_parties_waiting", "Devices and addresses held up beyond their share.", hub.queue.behind)
        yield gauge("kansli_send_queue_bytes", "What waits to be sent to all of them.", sum(queued))
        yield gauge("kansli_send_queue_longest_bytes", "What waits for the slowest of them.", max(queued, default=0))
        yield gauge("kansli_store_queue", "Writes that wait for the database.", self._store.queued)
        yield gauge("kansli_ready", "1 if everything that is allowed would be taken.", self._seen.ready)
        ahead = self._service.clock.jump_ms / 1000
        yield gauge("kansli_clock_jump_seconds", "How far the clock was set, while nothing is placed for that.", ahead)
        yield gauge("kansli_disk_free_bytes", "What is left on the data folder's disk.", self._seen.free_bytes)
        yield gauges_by("kansli_store_bytes", "Sizes of the database's files.", "file", self._sizes())
        yield gauges_by(
            "kansli_certificate_days", "How long certificates are good.", "which", self._certificates.days()
        )
        yield gauges_by("kansli_build_info", "1; which version runs.", "version", {PROGRAM: 1})
        yield from self._administration()

    def _administration(self) -> Iterator[GaugeMetricFamily]:
        """The figures about backups, commands, people and rooms, as of the last reading of the admin log and the last
        count; without people and rooms before the first count."""
        done, now = self._commands, now_ms()
        age = max(0.0, (now - done.backup_t) / 1000) if done.backup_t else math.inf
        yield gauge("kansli_backup_age_seconds", "Since the last good backup was made; +Inf for none.", age)
        yield gauge("kansli_backup_failed", "1 if the last try to make a backup failed.", done.backup_failed)
        last = done.command_t / 1000
        yield gauge("kansli_admin_command_timestamp_seconds", "When the last command was given, backups apart.", last)
        yield gauge("kansli_admin_log_broken", "1 if the admin log was cut or changed.", done.broken)
        if (here := done.population) is None:
            return
        yield gauge("kansli_people", "Accounts, also those that were ended.", here.people)
        yield gauge("kansli_devices", "Devices that signed in within 30 days.", here.devices)
        yield gauge("kansli_rooms_closed", "Rooms that are closed since a restore.", here.rooms_closed)
        yield gauge("kansli_rooms_forked", "Rooms whose history clients know otherwise.", here.rooms_forked)

    def _sizes(self) -> dict[str, float]:
        database = self._config.database
        return {kind: float(_size(database.with_name(database.name + end))) for kind, end in _FILES.items()}


_FILES = {"database": "", "log": "-wal"}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
