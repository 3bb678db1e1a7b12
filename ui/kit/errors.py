# SPDX-License-Identifier: EUPL-1.2
"""Errors that no code has caught: each is written to the log, and shown to the person once, by the hook in tasks.py.

They come from five sources: a slot or a virtual method that Qt called, a thread, `__del__` and the like, the event
loop, and Qt's own messages. faulthandler writes a crash of native code to a file beside the log; the next start copies
it to the log. All of it has codes, file names and numbers of lines, and no message, no local variable and no line of
source.

▲ Nothing goes to stderr, which the desktop keeps in its journal, unless that is a terminal: then a developer reads it.
"""

import asyncio
import faulthandler
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from PySide6.QtCore import QMessageLogContext, QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from app.core import crashes, log
from ui.errors import code_of, in_ours
from ui.kit import tasks

MINUTE_S = 60.0
"""The same fault within this time is counted: it is not written once more, and opens no further dialog."""
_LOUD = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)
_FUNCTION = re.compile(r"Q[A-Za-z0-9]{1,30}(::[A-Za-z0-9_]{1,30})+")
"""How Qt begins many of its messages: the class and the method that warn."""
_OF_LOOP = {
    "Task was destroyed but it is pending!": "task-pending",
    "Task exception was never retrieved": "task",
    "Future exception was never retrieved": "future",
}
_log = logging.getLogger("ui")


class Counted:
    """Decides which of many equal faults are written or shown: by their code, one in a minute. `clock` gives
    seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[str, tuple[float, int]] = {}

    def add(self, code: str) -> int | None:
        """Counts a fault with this code. Returns None if less than a minute has passed since the code was last written
        or shown: the caller then does neither. Otherwise returns how many faults with this code came since then and
        were left out; 0 if none."""
        now = self._clock()
        began, count = self._since.get(code, (0.0, -1))
        if count >= 0 and now - began < MINUTE_S:
            self._since[code] = began, count + 1
            return None
        self._since[code] = now, 0
        return max(count, 0)


class Uncaught(QObject):
    """Catches the errors of this process that no other code has caught, writes them to the log and has them shown.
    `install` makes it, on the thread of the widgets. `folder` is the log's."""

    _caught = Signal(object)
    """An exception, from any thread."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._written, self._printed = Counted(), Counted()
        self._loops: list[asyncio.AbstractEventLoop] = []
        self._caught.connect(self._show, Qt.ConnectionType.QueuedConnection)  # not in the midst of a paint
        _copy_crash(folder)
        self._file = folder / crashes.NAME
        self._crashes = _open(self._file)
        if self._crashes is not None:
            faulthandler.enable(self._crashes)
        self._before: tuple[Any, Any, Any] | None = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook, threading.excepthook = self._on_exception, self._on_thread
        sys.unraisablehook = self._on_unraisable
        self._qt_before = qInstallMessageHandler(self._on_qt)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Also catches what the callbacks and forgotten tasks of this event loop raise, until `remove`."""
        loop.set_exception_handler(self._on_loop)
        self._loops.append(loop)

    def remove(self) -> None:
        """Stops catching errors: restores the hooks that were set before. A second call changes nothing."""
        if self._before is None:
            return
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        self._before = None
        qInstallMessageHandler(self._qt_before)
        for loop in self._loops:
            loop.set_exception_handler(None)
        if self._crashes is not None:
            faulthandler.disable()
            self._crashes.close()
            if not self._file.stat().st_size:
                self._file.unlink()

    # -- the five sources --------------------------------------------------------------------------------------------

    def _on_exception(self, _kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        self._take("slot", error)

    def _on_thread(self, found: "threading.ExceptHookArgs") -> None:
        if found.exc_value is not None:
            self._take("thread", found.exc_value)

    def _on_unraisable(self, found: "sys.UnraisableHookArgs") -> None:
        if found.exc_value is not None:
            self._take("unraisable", found.exc_value)

    def _on_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error, what = context.get("exception"), _OF_LOOP.get(str(context.get("message")), "callback")
        if not isinstance(error, BaseException):
            log.ui.warning("loop", what=what)
        else:
            self._take(what, error, silent=isinstance(error, ConnectionError) and not in_ours(error))

    def _on_qt(self, kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
        """Writes a warning or an error of Qt's own to the log, of the same category and method one in a minute; lesser
        messages are dropped.
        ▲ The message may quote what a person wrote, so of it only the name of Qt's method is written. On a terminal it
        is printed whole, for a developer."""
        if kind not in _LOUD:
            return
        found = _FUNCTION.match(message)
        function = found[0].replace("::", ".")[:40] if found is not None else "none"
        category = context.category if context is not None else None
        if (missed := self._printed.add(f"{category} {function}")) is not None:
            write = log.ui.error if kind is QtMsgType.QtFatalMsg else log.ui.warning
            write("qt", kind=kind.name, category=category, function=function, missed=missed)
        if _terminal() is not None:
            print(message, file=sys.stderr)

    # -- what becomes of it -------------------------------------------------------------------------------------------

    def _take(self, source: str, error: BaseException, *, silent: bool = False) -> None:
        """Writes an uncaught error to the log, if its code was not written in the last minute, and has it shown, unless
        it is `silent` or asks the program to end (KeyboardInterrupt, SystemExit). `source` says where it was caught.
        May be called on any thread."""
        code = code_of(error)
        if (missed := self._written.add(code)) is not None:
            log.ui.exception("uncaught", error, shown=code, way=source, missed=missed)
        if _terminal() is not None:
            traceback.print_exception(error)
        if not silent and not isinstance(error, KeyboardInterrupt | SystemExit):
            self._caught.emit(error)

    def _show(self, error: BaseException) -> None:
        """Has an error shown by the window that is open, on the thread of the widgets. ▲ An error in showing it is only
        written to the log: otherwise it would be shown again, for ever."""
        try:
            tasks.show(self, tasks.as_exception(error))
        except Exception as failed:
            log.ui.exception("not-shown", failed)


def install(folder: Path) -> Uncaught:
    """Begins to catch the errors that no other code catches. Call it on the thread of the widgets, when the log is
    open. `folder` is the log's: the file there for crashes of native code is copied to the log and emptied. Call
    `watch` with the event loop when there is one."""
    return Uncaught(folder)


def _copy_crash(folder: Path) -> None:
    """Writes to the log what a crash of native code in the former process has left in `folder`, if anything."""
    for line in crashes.read(folder):
        _log.error("%s", line)


def _open(path: Path) -> IO[bytes] | None:
    """Opens the file for crashes, empty; None if the disk refuses: a crash is then not recorded."""
    try:
        return path.open("wb")
    except OSError as fault:
        log.ui.exception("no-crash-file", fault)
        return None


def _terminal() -> IO[str] | None:
    """Standard error if it is a terminal, where a person reads it and nothing stores it; otherwise None."""
    found = sys.stderr
    return found if found is not None and found.isatty() else None
