# SPDX-License-Identifier: EUPL-1.2
"""Has Qt delete the accessibility interfaces of covered windows, by which assistive technology reads names and texts.

Qt numbers its interfaces, and answers who asks by a number, whether the window is shown or not. Numbers follow one
another, so they can also be guessed. Qt makes new interfaces, with new numbers, when the windows are shown again.
"""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

_next = [2**31]
"""The lowest number of which an interface may exist that this process has not deleted; Qt begins with 2³¹."""
_AT_ONCE = 1000
"""The most numbers that are looked at in one turn of the event loop: 2 ms, if an interface of every third exists."""
_AGAIN_MS, _UNUSED_MS = 500, 5000
"""Between two looks for interfaces that Qt has made meanwhile, as for a label whose text has changed; and while no
assistive technology is used."""


class Forgetting(QObject):
    """Deletes the interfaces of everything but the windows for which `may_stay` returns True, from `start` to
    `stop`."""

    def __init__(self, may_stay: Callable[[QWidget], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._may_stay = may_stay
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._forget)

    def start(self) -> None:
        """Begins with the oldest interfaces. Those of a long day take some turns of the event loop, 2 ms for each
        thousand numbers."""
        self._forget()

    def stop(self) -> None:
        """Deletes no more. A second call does nothing."""
        self._timer.stop()

    def _forget(self) -> None:
        """▲ In the order of the numbers: an interface was made before those inside it, and some delete them too.
        Otherwise one could be asked for a child that it has no more."""
        is_used = QAccessible.isActive()
        self._timer.start(_AGAIN_MS if is_used else _UNUSED_MS)
        if not is_used:
            return
        newest = QWidget()  # its interface is deleted with it
        end = QAccessible.uniqueId(QAccessible.queryAccessibleInterface(newest))
        until = min(end, _next[0] + _AT_ONCE)
        for number in range(_next[0], until):
            found = QAccessible.accessibleInterface(number)
            if found is not None and not self._stays(found.object()):
                QAccessible.deleteAccessibleInterface(number)
        _next[0] = until
        if until < end:
            self._timer.start(0)

    def _stays(self, thing: QObject | None) -> bool:
        """Whether it is the application itself, or inside a window that may stay."""
        at = thing
        while at is not None and not isinstance(at, QWidget):
            at = at.parent()
        return self._may_stay(at.window()) if at is not None else thing is QCoreApplication.instance()
