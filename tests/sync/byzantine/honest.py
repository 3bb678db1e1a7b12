# SPDX-License-Identifier: EUPL-1.2
"""The real server on its store in memory, without sockets: the lines of the desks end in its own connections. It may
crash, and be set back to a backup and marked as restored, as `python -m sync.server restore` does.
"""

import asyncio
import copy
from collections.abc import Callable, Sequence
from pathlib import Path

from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.ids import RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.server.config import Limits
from sync.server.host.identity import Identity
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.process.websocket import Connection
from sync.server.rules.service import Service
from sync.server.store.base import Appended, EntryRow, InviteRow
from sync.server.store.memory import MemoryStore
from sync.server.store.restored import RestoreRow
from sync.trust.formats.items import Item
from sync.trust.person.agency import Agency
from sync.trust.person.author import Entry
from sync.trust.person.escrow_key import certify_escrow
from sync.trust.person.user_entry import entry_id
from sync.trust.person.user_log import UserLog
from sync.trust.room.restore_notice import Restored
from tests.sync.byzantine.desk import ADDRESS, Line
from tests.sync.byzantine.server import Book
from tests.sync.byzantine.still import YEAR_MS, Clock, StillLoop


class _Socket:
    """The server's end of a line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.waiting: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def receive(self) -> bytes | None:
        return await self.waiting.get()

    writable = True

    def write(self, messages: Sequence[bytes]) -> None:
        for data in messages:
            self._line.deliver_bytes(data)

    async def drained(self) -> None:
        return

    async def close(self, code: int) -> None:
        self._line.cut()


class HonestServer:
    """`received`: all bytes that any client ever sent to it. `store` is its disk."""

    def __init__(self, agency: Agency, clock: Clock, seed: bytes, loop: StillLoop, folder: Path) -> None:
        self.clock, self._loop, self._agency = clock, loop, agency
        self._objects = FilesystemObjects(folder)
        key = SigningKey(seed)
        cert = m.Signed(*agency.certify_server(key.public, clock.ms() + 90 * YEAR_MS))
        escrow = m.Signed(*certify_escrow(agency, KemKey(seed).public))
        pk, fingerprint = agency.pk, agency.fingerprint
        self._identity = Identity(key=key, cert=cert, escrow=escrow, agency_pk=pk, fingerprint=fingerprint)
        self.received: list[bytes] = []
        self.store = MemoryStore()
        self._enrolled: list[Uid] = []
        self.by_agency: list[tuple[Uid, int]] = []
        """The entries of each log that the agency's command line has made."""
        self._book = Book()
        self._sockets: dict[Line, _Socket] = {}
        self._tasks: dict[Line, asyncio.Task[None]] = {}
        self._backup: tuple[int, MemoryStore] | None = None
        self._begin()

    def _begin(self) -> None:
        limits = Limits(  # days pass at once here: limits by the clock or the processor are off
            frames_per_s=1e9, frames_burst=10**9, processor_burst_s=1e9, log_entries=10**6, log_entries_a_day=10**6
        )
        self.service = Service(self.store, self._objects, self._identity, limits)
        self.service.addresses = (ADDRESS.name,)
        self._loop.do(self.service.open())
        self._watching = self._loop.create_task(self.service.watch())

    # -- lines ------------------------------------------------------------------------------------------------------

    def on_open(self, line: Line) -> None:
        socket = self._sockets[line] = _Socket(line)
        self._tasks[line] = self._loop.create_task(Connection(socket, self.service, self.service.limits).run())

    def on_frame(self, line: Line, frame: m.ClientFrame) -> None:
        data = encode(frame)
        self.received.append(data)
        self._sockets[line].waiting.put_nowait(data)

    def on_closed(self, line: Line) -> None:
        self._sockets.pop(line).waiting.put_nowait(None)

    # -- people -----------------------------------------------------------------------------------------------------

    def enrol(self, invite: InviteRow, log: UserLog, entries: Sequence[Entry]) -> None:
        self._enrolled.append(log.uid)
        signed = [m.Signed(*e) for e in entries]
        self._loop.do(self.store.add_invite(invite))
        self._loop.do(self.service.people.enrol(m.Enrol(1, invite.invite_pk, signed)))

    def agency_writes(self, uid: Uid, build: Callable[[UserLog], Entry]) -> bool:
        """The agency's command line writes an entry while the server runs."""
        log = self.book.logs[uid]
        entry = build(log)
        row, made = (
            EntryRow(seq=log.seq + 1, body=entry[0], sig=entry[1]),
            Appended(head=entry_id(entry[0]), root_pk=log.root_pk),
        )
        self._loop.do(self.store.append_user(uid, log.seq, [row], made, external=True))
        self.by_agency.append((uid, log.seq + 1))
        return True

    @property
    def nameless(self) -> list[bytes]:
        """People who enrolled and have no name here."""
        users = [(uid, self._loop.do(self.store.user(uid))) for uid in self._enrolled]
        return [uid for uid, user in users if user is None or not user.record]

    @property
    def book(self) -> Book:
        """Everybody's logs as they are on the disk now."""
        book = self._book
        for uid in self._enrolled:
            rows = self._loop.do(self.store.user_entries(uid, -1))
            entries = [(row.body, row.sig) for row in rows]
            if entries and entries != book.entries.get(uid):  # none: a restore has lost them, for now
                book.entries[uid], book.logs[uid] = entries, UserLog.replay(entries, self._agency.pk)
        return book

    def items(self, room: RoomId) -> list[Item]:
        """The room as it is on the disk."""
        rows = self._loop.do(self.store.items(room, 0, 2**50, 2**50))
        return [Item(r.n, r.t, r.kind, r.body, r.sig, r.ct) for r in rows]

    # -- its own life -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Cuts every line without a closing frame. What was acknowledged is on the disk."""
        for line in list(self._sockets):
            line.cut()
        self._watching.cancel()
        for task in self._tasks.values():
            task.cancel()
        self._loop.do(_over([self._watching, *self._tasks.values()]))
        self._tasks.clear()

    def crash(self) -> None:
        self.stop()
        self._begin()

    def back_up(self) -> None:
        self._backup = self.clock.ms(), copy.deepcopy(self.store)

    def restore(self) -> bool:
        """The disk is lost, and the backup replaces it. False without a backup."""
        if self._backup is None:
            return False
        self.stop()
        t, kept = self._backup
        self.store = copy.deepcopy(kept)
        before = self._loop.do(self.store.restored())
        if before is not None and self._loop.do(self.store.closed_rooms()):  # as sync/server/operator/upkeep/restore.py
            t = min(t, before.backup_t)
        notice = Restored.sign(self._identity.key, self._identity.fingerprint, max(self.clock.ms(), t), t)
        row = RestoreRow(t=notice.t, backup_t=notice.backup_t, body=notice.body, sig=notice.sig)
        # every device is waited for: here months pass at once, in which the real one would note who stays connected
        self._loop.do(self.store.mark_restored(row, 0))
        self._begin()
        return True


async def _over(tasks: "Sequence[asyncio.Task[None]]") -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
