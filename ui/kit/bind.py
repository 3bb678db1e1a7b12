# SPDX-License-Identifier: EUPL-1.2
"""Subscribing from a widget: the only way that ui/ connects to an app signal. `Soon` gathers refreshes, so that a view
with many rows is not refreshed at every keystroke in one of them."""

import sys
import time
import weakref
from collections.abc import Callable
from types import MethodType
from typing import TypeVarTuple

import shiboken6
from PySide6.QtCore import QObject, QTimer

from app.core.signal import Signal

Args = TypeVarTuple("Args")
FIRST_MS = 25
SOON_MS = 100


def bind(owner: QObject, signal: Signal[*Args], slot: Callable[[*Args], object]) -> Callable[[], None]:
    """Calls `slot` with the arguments of every emit of `signal`, until the Qt object `owner` is destroyed or the
    returned function is called.

    A bound method is held weakly, so that a subscription never keeps a widget alive. ▲ What a slot raises goes where an
    error of Qt's slots goes (kit/errors.py), and not to the emitter. Otherwise a widget that fails would stop its room,
    since the store emits while it receives.
    """
    method = weakref.WeakMethod(slot) if isinstance(slot, MethodType) else None

    def call(*args: *Args) -> None:
        target = method() if method is not None else slot
        if target is None or not shiboken6.isValid(owner):
            end()
            return
        try:
            target(*args)
        except Exception as error:
            sys.excepthook(type(error), error, error.__traceback__)

    end = signal.connect(call)
    owner.destroyed.connect(lambda: end())
    return end


class Soon(QObject):
    """Calls `slot`, a bound method of `owner`, once for many calls of `due`: FIRST_MS after the first of them, and at
    least SOON_MS after its last call. Does not keep the owner alive, and calls nothing after its end.

    The wait lets a typed letter be painted, and a message be sent, before lists use the processor."""

    def __init__(self, owner: QObject, slot: Callable[[], object]) -> None:
        super().__init__(owner)
        self._slot = weakref.WeakMethod(slot)
        self._last = 0.0
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._call)

    def due(self, *_emitted: object) -> None:
        """Asks for a call of the slot soon. Connect it to signals; their arguments are ignored."""
        if not self._timer.isActive():
            passed_ms = (time.monotonic() - self._last) * 1000
            self._timer.start(max(FIRST_MS, SOON_MS - int(passed_ms)))

    def _call(self) -> None:
        slot = self._slot()
        if slot is not None:
            slot()
            self._last = time.monotonic()
