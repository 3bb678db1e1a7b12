# SPDX-License-Identifier: EUPL-1.2
"""Announces to a screen reader what happens outside the focus: politely, gathered, and never while Kansli is locked."""

import math
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget

from ui.kit.gathering import Gathering, Kind

SETTLE_S = 0.1
"""How long an announcement waits after a dialog has closed."""


class Announcer(QObject):
    """Announces texts to a screen reader for one window, at most one in a few seconds. It belongs to the window, and so
    is deleted with it when Kansli is locked. `wanted` returns whether the person's settings want announcements; it is
    called each time. `clock` gives monotonic seconds."""

    def __init__(
        self, window: QWidget, wanted: Callable[[], bool] = lambda: True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(window)
        self._window, self._wanted, self._clock = window, wanted, clock
        self._gathering = Gathering()
        self._silent = self._paused = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.look)

    def announce(self, kind: Kind, text: str, count: int = 1) -> None:
        """Has `text` read out by a screen reader: now, or later together with others, as its `kind` decides, which also
        decides whether later ones replace it. `count` is the number of messages that the text is about. Does nothing
        after `silence`, or if the person's settings want no announcements."""
        if self._silent or self._paused or not self._wanted():
            return
        self._speak(self._gathering.add(kind, text, self._clock(), count))
        self._wait()

    def look(self) -> None:
        """Has the announcements that wait read out, if the pause since the last one is over; otherwise a timer calls
        this again when it is. If the person wants no announcements any more, drops them."""
        if not self._wanted():
            self._gathering.forget()
        self._speak(self._gathering.take(self._clock()))
        self._wait()

    def settle(self) -> None:
        """Call it when a dialog of the window has just closed: what is announced from now on waits until SETTLE_S (0.1
        s) have passed. ▲ The window system gives the focus back a moment later, and a screen reader breaks off what it
        is reading when the focus moves."""
        self._gathering.rest(self._clock() + SETTLE_S)

    def pause(self, paused: bool) -> None:
        """Begins or ends a pause, while the curtain covers the window. Announcements that
        wait then are dropped, and so are those made during the pause."""
        self._paused = paused
        self._gathering.forget()
        self._timer.stop()

    def silence(self) -> None:
        """Ends all announcements, and drops those that wait, since Kansli is being locked."""
        self._silent = True
        self._gathering.forget()
        self._timer.stop()

    def _wait(self) -> None:
        if self._gathering.waits and not self._timer.isActive():
            left_s = max(0.0, self._gathering.quiet_until - self._clock())
            self._timer.start(math.ceil(left_s * 1000))

    def _speak(self, text: str) -> None:
        if text:
            event = QAccessibleAnnouncementEvent(self._window, text)
            event.setPoliteness(QAccessible.AnnouncementPoliteness.Polite)
            QAccessible.updateAccessibility(event)


@runtime_checkable
class Announcing(Protocol):
    """A window that has an announcer, through which its widgets have texts read out by a screen reader."""

    announcer: Announcer


def announce(widget: QWidget, text: str, kind: Kind = Kind.DONE) -> None:
    """Has a screen reader read out `text`, through the window that the widget, or its dialog, is in. Nothing is read
    out if that window has no announcer: before unlocking, and while locked."""
    if (announcer := _announcer_of(widget)) is not None:
        announcer.announce(kind, text)


def settle(dialog: QWidget) -> None:
    """Calls `Announcer.settle` of the window that the dialog, which has just closed, is over, if that window has an
    announcer."""
    if (announcer := _announcer_of(dialog)) is not None:
        announcer.settle()


def _announcer_of(widget: QWidget) -> Announcer | None:
    at: QWidget | None = widget
    while at is not None and not isinstance(at, Announcing):
        at = at.parentWidget()
    return at.announcer if at is not None else None
