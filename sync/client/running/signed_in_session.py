# SPDX-License-Identifier: EUPL-1.2
"""One connection from its first byte to its end: the sign-in, the parts that work while it lives, and which of them
gets a frame.

Whether and when the next connection is made is decided in reconnecting.py.
"""

import asyncio

from sync.client.devices.device_pairing import Host
from sync.client.devices.own_recovery_sheet import RecoverySheet
from sync.client.exchange.blob_transfer import Blobs
from sync.client.parts import EngineParts
from sync.client.restore.unknown_account import UnknownAccount
from sync.client.running.connection_state import ConnectionState
from sync.client.running.own_log_keeping import OwnLogKeeping
from sync.client.status import LinkState
from sync.client.wire.connection import Connection
from sync.client.wire.dialled_address import ServerLine
from sync.errors import SyncError, Unreachable
from sync.ids import RoomId
from sync.protocol import messages as m

_MOST_EARLY = 4096
_LAST_WORD_S = 2.0


class SignedInSession:
    """Runs a session with the server: a connection, the sign-in on it, and the work of all parts of the engine until it
    ends. `run` may be called again for the next session, one at a time; `Reconnecting` does so."""

    def __init__(
        self,
        parts: EngineParts,
        line: ServerLine,
        state: ConnectionState,
        own_log: OwnLogKeeping,
        recovery_sheet: RecoverySheet,
        blobs: Blobs,
        unknown: UnknownAccount,
    ) -> None:
        self._parts, self._link, self._line, self._state = parts, parts.link, line, state
        self._own_log, self._recovery_sheet, self._blobs, self._unknown = own_log, recovery_sheet, blobs, unknown
        self._early: list[m.ServerFrame] | None = None
        """Frames about rooms that were received before the inbox took the sign-in's list of rooms; None once it has
        taken it."""
        self.host: Host | None = None
        """The attempt to add a second device; it gets the frames about that."""
        self.signed_in_at: float | None = None
        """The loop's time at which the server accepted the sign-in; None before."""

    async def run(self) -> None:
        """Connects, signs in, and keeps all parts of the engine at work until one of them ends, for example because the
        connection is lost. Raises the error that ended it."""
        if self._state.link is not LinkState.ERROR:
            self._state.show(LinkState.CONNECTING)
        connection = await self._line.connect(self._link.now_ms)
        self._early = []
        reading = asyncio.ensure_future(connection.run(self._on_frame))
        work: list[asyncio.Future[None]] = [reading]
        try:
            await self._sign_in(connection)
            work += self._begin_work(connection)
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except SyncError as e:
            if isinstance(e, Unreachable):  # the reader closes the line before it raises the reason
                await asyncio.wait([reading], timeout=_LAST_WORD_S)
            cause = reading.exception() if reading.done() and not reading.cancelled() else None
            if isinstance(cause, SyncError):
                raise cause from None  # not its echo in another task
            raise
        finally:
            await self._end(connection, work)

    async def _sign_in(self, connection: Connection) -> None:
        """Signs in on `connection`, which all parts of the engine then use, and shows SYNCING. Compares the server's
        copy of this person's key log with ours, and gives the parts what the server answers (the heads of the rooms,
        recovery requests, and so on). Raises as `Connection.sign_in`; Reject "ulog" if the two logs differ, "rollback"
        if the server has lost entries and does not take them again. An error of the store is raised too."""
        account, parts = self._link.account, self._parts
        authed = await connection.sign_in(account.uid, account.dev, account.signing, parts.verifier.newest())
        self._link.connection = connection
        self.signed_in_at = asyncio.get_running_loop().time()
        self._unknown.note_known()
        self._state.show(LinkState.SYNCING)
        parts.reuploader.start(authed)
        await self._own_log.compare(connection, authed)
        self._recovery_sheet.replace_attempts(authed.recovery_requests)
        await parts.inbox.start(authed.rooms)
        early, self._early = self._early or [], None
        for frame in early:
            parts.inbox.on_frame(frame)
        parts.audit.start(self._link.rooms)
        self._link.own_log_moved.set()
        self._link.outbox_work.set()

    def _begin_work(self, connection: Connection) -> list[asyncio.Future[None]]:
        parts = self._parts
        works = (
            parts.inbox.work(self._on_idle),
            parts.outbox.work(),
            parts.seals.work(parts.outbox, parts.inbox.pull_again),
            self._blobs.work(),
            parts.inbox.rereading.work(),
            parts.snapshots.work(parts.outbox),
            parts.audit.work(parts.outbox),
            parts.reuploader.work(),
            parts.schedule.work(parts.outbox),
            self._own_log.work(connection),
        )
        return [asyncio.ensure_future(work) for work in works]

    async def _end(self, connection: Connection, work: list[asyncio.Future[None]]) -> None:
        """Cancels the tasks in `work`, waits until they have ended, and closes `connection`; an attempt to add a device
        fails. If one of the tasks failed with an error of this program or the store (no SyncError), everything is read
        from the store again: what the memory has may be ahead of the disk."""
        self._link.connection = None
        self._link.notify_moved()
        if self.host is not None:
            self.host.lost()
        for task in work:
            task.cancel()
        ends = await asyncio.gather(*work, return_exceptions=True)
        await connection.close()  # a reader cancelled before its first step has not closed it
        if any(isinstance(e, Exception) and not isinstance(e, SyncError) for e in ends):
            self._link.reload()

    def _on_frame(self, frame: m.ServerFrame) -> None:
        """Gives `frame`, which the server sent without being asked, to the part of the engine that handles it. Before
        the inbox has the sign-in's list of rooms, Joined and Removed (the person was added to a room, or removed) wait
        for it, at most _MOST_EARLY of them. More of them are dropped, and all other frames for the inbox: the listed
        rooms are pulled then. Runs on the reader task."""
        if isinstance(frame, m.LogMoved):
            self._link.own_log_moved.set()
        elif isinstance(frame, m.MemberMoved):
            self._parts.audit.on_member_moved(RoomId(frame.room))
        elif isinstance(frame, m.RecoveryRequests):
            self._recovery_sheet.replace_attempts(frame.requests)
            self._link.listener.on_status()
        elif isinstance(frame, m.RestoreProgress):
            self._parts.reuploader.on_frame(frame)
        elif isinstance(frame, m.PairMail | m.PairEnd):
            if self.host is not None:
                self.host.on_frame(frame)
        elif self._early is None:
            self._parts.inbox.on_frame(frame)
        elif isinstance(frame, m.Joined | m.Removed) and len(self._early) < _MOST_EARLY:
            self._early.append(frame)

    def _on_idle(self) -> None:
        """Called whenever everything that was received is verified and stored: shows ONLINE and the time, and lets
        those parts begin that need current rooms (the check for revoked devices in new rooms, the renewal of keys)."""
        self._state.last_synced_ms = self._link.now_ms()
        self._parts.audit.add_rooms(self._link.rooms)
        self._parts.schedule.caught_up()
        self._state.show(LinkState.ONLINE)
