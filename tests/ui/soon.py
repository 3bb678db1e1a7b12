# SPDX-License-Identifier: EUPL-1.2
"""What a view shows `Soon`, now: a test does not wait for the pause between two refreshes, and looks at no window that
is half laid out."""

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from ui.kit.bind import Soon
from ui.kit.laying_out import lay_out_all
from ui.kit.presence_in_view import PresenceInView

_REFRESHES = 20
"""A view that is due again after so many refreshes refreshes itself for ever."""


def settle(window: QWidget) -> None:
    """Lets every `Soon` below that is due call its method, and lays everything out, until nothing is due any more. What
    the window shows then stays until something else happens. AssertionError if its refreshes never end."""
    for _ in range(_REFRESHES):
        refreshed = caught_up(window)
        lay_out_all()
        if not refreshed:
            return
    raise AssertionError("a view refreshes itself for ever")


def caught_up(root: QObject) -> bool:
    """Lets every `Soon` below that is due call its method. Returns whether one was due."""
    called = [caught_up_one(soon) for soon in root.findChildren(Soon)]
    return any(called)


def rested(root: QObject) -> None:
    """Every view below has shown the same people for a moment: those are asked for their presence now."""
    for asking in root.findChildren(PresenceInView):
        timer = asking.findChild(QTimer)
        assert isinstance(timer, QTimer)
        if timer.isActive():
            timer.stop()
            timer.timeout.emit()


def caught_up_one(soon: Soon) -> bool:
    """Lets this `Soon` call its method, if it is due. Returns whether it was."""
    timer = soon.findChild(QTimer)
    assert isinstance(timer, QTimer)
    due = timer.isActive()
    if due:
        timer.stop()
        timer.timeout.emit()
    return due
