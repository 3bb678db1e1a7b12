# SPDX-License-Identifier: EUPL-1.2
"""Has Qt delete the accessibility interfaces of covered windows, by which assistive technology reads names and texts.

Qt numbers its interfaces, and answers who asks by a number, whether the window is shown or not. Numbers follow one
another, so they can also be guessed. Qt also reports what changes in a text, with the text, whether it is shown or not.
So what Qt makes meanwhile is `Mute`. Qt makes new interfaces, with new numbers, when the windows are shown again.
"""

from collections.abc import Callable, Sequence
from functools import cache

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QTimer
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QWidget

from ui.kit.faces import Face, Role, Spoken

_next = [2**31]
"""The lowest number of which an interface may exist that this process has not deleted; Qt begins with 2³¹."""
_AT_ONCE = 1000
"""The most numbers that are looked at in one turn of the event loop: 2 ms, if an interface of every third exists."""
_AGAIN_MS, _UNUSED_MS = 500, 5000
"""Between two looks for interfaces that Qt has made meanwhile, as for a label whose text has changed; and while no
assistive technology is used."""

_mutes: list[Callable[[QWidget], bool]] = []
"""Says whether a widget is covered: one function of the cover that is down, if one is."""


class Mute(Spoken):
    """Reports nothing of a widget: neither name nor text, nor what is inside. ▲ It holds the widget's address and not
    its Python object, since Qt may ask in the widget's constructor (`FOREIGN` in faces.py). Qt deletes the `Face` with
    the widget."""

    def __init__(self, widget: QWidget) -> None:
        self._address = shiboken6.getCppPointer(widget)[0]

    def subject(self) -> QObject:
        return self._widget()

    def _widget(self) -> QWidget:
        found = shiboken6.wrapInstance(self._address, QWidget)
        assert isinstance(found, QWidget)  # noqa: S101 - narrows the type
        return found

    def spoken_name(self) -> str:
        return ""

    def spoken_description(self) -> str:
        return ""

    def spoken_role(self) -> Role:
        return Role.Client

    def _inside(self) -> Sequence[QObject]:
        return ()


def _make_mute(_name: str, thing: QObject) -> QAccessibleInterface | None:
    if isinstance(thing, QWidget) and any(is_mute(thing) for is_mute in _mutes):
        return Face(Mute(thing))
    return None


@cache
def _install() -> None:
    """Qt asks this factory before that of faces.py, which was installed earlier."""
    QAccessible.installFactory(_make_mute)


class Forgetting(QObject):
    """Deletes the interfaces of everything but the windows for which `may_stay` returns True, from `start` to `stop`.
    Those that Qt makes meanwhile report nothing."""

    def __init__(self, may_stay: Callable[[QWidget], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._may_stay = may_stay
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._forget)

    def start(self) -> None:
        """Begins with the oldest interfaces. Those of a long day take some turns of the event loop, 2 ms for each
        thousand numbers."""
        _install()
        _mutes[:] = [self._is_mute]
        self._forget()

    def stop(self) -> None:
        """Lets Qt make interfaces again that report something. A second call does nothing."""
        self._timer.stop()
        if self._is_mute in _mutes:
            _mutes.clear()
            while self._forget_some():
                pass

    def _is_mute(self, thing: QWidget) -> bool:
        return not self._stays(thing)

    def _forget(self) -> None:
        is_used = QAccessible.isActive()
        self._timer.start(_AGAIN_MS if is_used else _UNUSED_MS)
        if is_used and self._forget_some():
            self._timer.start(0)

    def _forget_some(self) -> bool:
        """Looks at the next numbers, and returns whether there are more. ▲ In their order: an interface was made before
        those inside it, and some delete them too. Otherwise one could be asked for a child that it has no more."""
        if not QAccessible.isActive():
            return False
        newest = QWidget()  # its interface is deleted with it
        end = QAccessible.uniqueId(QAccessible.queryAccessibleInterface(newest))
        until = min(end, _next[0] + _AT_ONCE)
        for number in range(_next[0], until):
            found = QAccessible.accessibleInterface(number)
            if found is not None and not self._stays(found.object()):
                QAccessible.deleteAccessibleInterface(number)
        _next[0] = until
        return until < end

    def _stays(self, thing: QObject | None) -> bool:
        """Whether it is the application itself, or inside a window that may stay."""
        at = thing
        while at is not None and not isinstance(at, QWidget):
            at = at.parent()
        return self._may_stay(at.window()) if at is not None else thing is QCoreApplication.instance()
