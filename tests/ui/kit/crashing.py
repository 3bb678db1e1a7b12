# SPDX-License-Identifier: EUPL-1.2
"""A program that fails in every way that nobody catches, with something secret in its messages and local variables.
`python -m tests.ui.kit.crashing FOLDER [end]`: with "end", native code ends it at last.

Prints what was shown to the person, one line for each.
"""

import asyncio
import ctypes
import gc
import sys
import threading
from pathlib import Path

import qasync
from PySide6.QtCore import QObject, QTimer, qWarning
from PySide6.QtWidgets import QApplication, QWidget

from app.core import log
from app.errors import DiskFull
from ui.errors import code_of
from ui.kit import errors, tasks

CANARY = "Kanariefågel i ärende 2026-1184 🐤"
PLACES, FAULTS = 7, 10
"""The places below that fail, and how often they do so at least: the widget may be painted more than once."""
shown: list[str] = []
"""The codes that were shown to the person."""
everything = asyncio.Event()


class Secret(QObject):
    """Raises with the secret in a local variable, in the message and in the cause."""

    def fail(self) -> None:
        secret = f"{CANARY} {CANARY}"
        try:
            raise KeyError(secret)
        except KeyError as e:
            raise ValueError(secret) from e

    def fail_in_thread(self) -> None:
        secret = CANARY
        raise BufferError(secret)


class Left:
    """Fails when nothing refers to it any more."""

    def __del__(self) -> None:
        secret = CANARY
        raise RuntimeError(secret)


class Painted(QWidget):
    """Fails while it is painted: a virtual method that Qt calls."""

    def paintEvent(self, event: object) -> None:
        secret = CANARY
        raise LookupError(secret)


def fail_here() -> None:
    secret = CANARY
    raise ArithmeticError(secret)


def refuse() -> None:
    raise DiskFull(CANARY)


async def forgotten() -> None:
    secret = CANARY
    raise OSError(secret)


async def begin(owner: QWidget, loop: asyncio.AbstractEventLoop) -> None:
    """One after the other, with a moment for what the event loop reports."""
    secret = Secret()
    for number in range(3):
        QTimer.singleShot(number, secret.fail)
    QTimer.singleShot(0, refuse)
    tasks.run(owner, forgotten())
    lost = loop.create_task(forgotten())
    loop.call_soon(fail_here)
    painted = Painted()
    painted.show()
    thread = threading.Thread(target=secret.fail_in_thread, name=CANARY)
    thread.start()
    qWarning(CANARY)
    qWarning(f"QWidget::setLayout: of {CANARY}")
    owner.setStyleSheet(f"QWidget {{ {CANARY}")
    await asyncio.to_thread(thread.join)
    await asyncio.wait([lost])
    Left()
    del lost
    gc.collect()
    await asyncio.wait_for(everything.wait(), 30)


def end() -> None:
    """Reads where no memory is."""
    secret = CANARY
    ctypes.string_at(8)
    raise AssertionError(secret)


def main(folder: Path, *, crash: bool) -> None:
    application = QApplication([])
    log.start(folder)
    uncaught = errors.install(folder)

    def show(owner: QObject, error: Exception, again: object) -> None:
        shown.append(code_of(error))
        print(shown[-1], flush=True)
        if len(set(shown)) == PLACES and len(shown) >= FAULTS:
            everything.set()

    tasks.set_error_hook(show)
    owner = QWidget()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        uncaught.watch(runner.get_loop())
        if crash:
            runner.run(begin(owner, runner.get_loop()))
    log.ui.info("done")
    if crash:
        end()


if __name__ == "__main__":
    main(Path(sys.argv[1]), crash=sys.argv[2:] == ["end"])
