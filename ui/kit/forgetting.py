# SPDX-License-Identifier: EUPL-1.2
"""Removes what another program could read of Kansli's windows as assistive technology does, while the curtain is down.

Qt makes an accessibility interface, with a number, for each widget that somebody has asked for. It answers every
later question about that number, also when the widget is hidden. The numbers are consecutive: a program can remember
or guess them. Qt also reports changes of a hidden text, with the text. So while the curtain is down the interfaces of
the hidden windows are deleted, and each that Qt makes for them in that time is a `Mute`, which answers and reports
nothing. When the curtain is lifted, those are deleted too, and Qt makes real ones, with new numbers.
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
    """Between `start` and `stop`, keeps the interfaces of those windows for which `may_stay` returns True, and of what
    is in them. Deletes all others, except the application's own. Those that Qt makes for other windows in that time
    answer and report nothing."""

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
        is_more = self._forget_some()
        self._timer.start(0 if is_more else _AGAIN_MS if QAccessible.isActive() else _UNUSED_MS)

    def _forget_some(self) -> bool:
        """Looks at the next numbers, and returns whether there are more. ▲ In their order: an interface was made before
        those inside it, and some delete them too. Otherwise one could be asked for a child that it has no more. ▲ Also
        while no assistive technology is used. Otherwise what one has noted that has ended since could be asked for by
        the next, and what one asked for under the cover would stay mute."""
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
