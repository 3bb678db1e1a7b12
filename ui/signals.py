# SPDX-License-Identifier: EUPL-1.2
"""Receives the system's signals that end the program, also while Qt's loop sleeps."""

import asyncio
import signal
import socket
from contextlib import suppress

from PySide6.QtCore import QSocketNotifier


class Signals:
    """Makes SIGTERM and SIGINT end the program in order, also while Qt's loop sleeps: they set `over`, the event for
    which the program waits. `close` restores the former handlers."""

    def __init__(self, over: asyncio.Event) -> None:
        self.came = False
        """Whether SIGTERM or SIGINT has been received."""
        self._over = over
        self._ours, theirs = socket.socketpair()
        for end in (self._ours, theirs):
            end.setblocking(False)
        self._theirs = theirs
        self._old_fd = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._drain)
        self._old = {s: signal.signal(s, self._on_signal) for s in (signal.SIGTERM, signal.SIGINT)}

    def _on_signal(self, *_: object) -> None:
        self.came = True
        self._over.set()

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            self._ours.recv(64)

    def close(self) -> None:
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_fd)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()
