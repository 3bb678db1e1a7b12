# SPDX-License-Identifier: EUPL-1.2
"""Holds the computer's sleep or shutdown back for as long as Kansli closes, by logind's delay locks: five seconds at
most, which logind counts. https://systemd.io/INHIBITOR_LOCKS"""

import asyncio
from typing import Any

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.fds import FileDescriptor
from jeepney.io.blocking import open_dbus_connection

from app.core import log

ANSWER_S = 5.0
_WHAT, _WHY, _MODE = "sleep:shutdown", "Kansli closes its store", "delay"


class Delay:
    """A lock of logind's that delays sleep and shutdown. `take` it before they begin, since logind waits only for
    locks that are held then, and `release` it when Kansli has nothing to close. The end of the process releases it,
    too."""

    def __init__(self, manager: DBusAddress) -> None:
        self._manager = manager
        self._lock: FileDescriptor | None = None
        self.is_awaited = False
        """Whether logind waits for the lock now: a sleep or a shutdown has begun."""

    async def take(self) -> None:
        """Takes the lock, if it is not held. Without logind, or if logind refuses, nothing is delayed."""
        if self._lock is None:
            self._lock = await asyncio.to_thread(self._ask)

    def let_begin(self) -> None:
        """Releases the lock if logind waits for it. A closed lid alone begins no sleep: a lock that was released then
        would be missing when a later sleep begins."""
        if self.is_awaited:
            self.release()

    def release(self) -> None:
        """Lets the computer sleep or shut down. A second call does nothing."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.close()

    def _ask(self) -> FileDescriptor | None:
        """Asks logind over a connection of its own: only jeepney's blocking one can receive a file."""
        try:
            with open_dbus_connection("SYSTEM", enable_fds=True) as connection:
                call = new_method_call(self._manager, "Inhibit", "ssss", (_WHAT, "Kansli", _WHY, _MODE))
                reply: Any = connection.send_and_get_reply(call, timeout=ANSWER_S)
        except (OSError, EOFError, ValueError, KeyError, TimeoutError, RuntimeError) as fault:
            log.ui.info("no-sleep-delay", type=type(fault).__name__)
            return None
        is_error = reply.header.message_type is MessageType.error
        lock = reply.body[0] if reply.body and not is_error else None
        if isinstance(lock, FileDescriptor):
            return lock
        log.ui.info("no-sleep-delay", type="refused")
        return None
