# SPDX-License-Identifier: EUPL-1.2
"""The own log while a connection lives: the server's copy is compared with ours, and what it says is followed.

What an entry means for devices and recovery sheet is decided in sync/client/devices/.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sync.client.devices.own_devices import Devices
from sync.client.devices.own_recovery_sheet import RecoverySheet
from sync.client.parts import EngineParts
from sync.client.wire.backoff import STUCK_RETRY_S
from sync.client.wire.connection import Connection
from sync.errors import Refused, Reject
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode

log = logging.getLogger("sync")


class OwnLogKeeping:
    """Keeps this device's copy of its own person's key log the same as the server's, and acts on new entries. On each
    connection the caller awaits `compare` after the sign-in, and then runs one task with `work`."""

    def __init__(self, parts: EngineParts, devices: Devices, recovery_sheet: RecoverySheet) -> None:
        self._link, self._reuploader, self._audit = parts.link, parts.reuploader, parts.audit
        self._devices, self._recovery_sheet = devices, recovery_sheet

    async def compare(self, connection: Connection, authed: m.Authed) -> None:
        """▲ Call it after each sign-in, with the server's answer `authed`: verifies that the server's copy of this
        person's key log agrees with ours, since no receipt covers the log. Reject "ulog" if it differs. If the server's
        copy is longer, the rest is fetched first. If it is shorter, our entries are uploaded, which a server that was
        restored from a backup accepts; Reject "rollback" if it does not take them. Also raises what the fetch raises:
        Unreachable, Refused, or Reject if the new entries are not valid."""
        mine = self._link.book.log(self._link.account.uid)
        if mine is None or mine.seq < authed.ulog_seq:
            mine = await self._link.book.fetch(connection, self._link.account.uid, authed.ulog_seq)
        if mine.head_at(authed.ulog_seq) != authed.ulog_head:
            raise Reject("ulog", "own log")
        if authed.ulog_seq < mine.seq:
            try:
                await self._reuploader.reupload_own_log(connection, authed.ulog_seq)
            except Refused as e:
                raise Reject("rollback", "own log") from e

    async def work(self, connection: Connection) -> None:
        """Runs as a task until it is cancelled with the connection. Each time this person's key log may have grown, it
        fetches what the person's other devices entered, adds what is due, such as a new generation of the person's key,
        and calls the listener's `on_status`. Whenever the log has grown since the sign-in, it has all rooms checked for
        members who lost a device, as they are at each sign-in. Refused "revoked" or "reset" once the log shows that
        this device has ended. Also raises what the fetch raises: Unreachable, Refused, or Reject if the new entries are
        not valid."""
        checked = self._devices.own_log.seq
        while True:
            await self._link.own_log_moved.wait()
            self._link.own_log_moved.clear()
            await self._devices.follow(connection)
            if self._devices.ended is not None:
                raise Refused(self._devices.ended)
            closed = False
            for step in (self._recovery_sheet.defend, self._devices.maintain, self._recovery_sheet.finish):
                closed = await self._maintain(step) or closed
            if closed:
                asyncio.get_running_loop().call_later(STUCK_RETRY_S, self._link.own_log_moved.set)
            if self._devices.own_log.seq != checked:
                checked = self._devices.own_log.seq
                self._audit.check_now()
            self._link.listener.on_status()

    async def _maintain(self, step: Callable[[], Awaitable[None]]) -> bool:
        """Calls `step`, which adds to this person's key log what is due, without arguments and awaits it. Returns
        whether a restored server is closed to it: such a server accepts no new entries while it waits for a device of
        this person, and `work` then tries again after STUCK_RETRY_S (seconds). `work` calls this whenever the log may
        have grown, with each of three steps, in this order: the revocation of a device that was added with the recovery
        sheet although the person vetoed that on this device; a new generation of the person's key; the missing entries
        of a recovery sheet that the person confirmed.

        Refused (the server or this device declines) and Reject (something is not valid) are logged and not raised; what
        is left is then tried at the next call. Unreachable is raised.

        ▲ No step waits for another, and the revocation comes first. Otherwise a server that refuses a new generation
        would keep in a device that was vetoed.
        """
        try:
            await step()
        except (Refused, Reject) as e:
            log.info("own log not maintained: %s", e.code)
            return e.code == ErrorCode.CLOSED
        return False
