# SPDX-License-Identifier: EUPL-1.2
"""Reports which messages a person has seen: those that have been on screen for a second, in an active window.

It knows no read mark: `ChatService.mark_read` decides what that changes.
"""

import time

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.core.ids import ChangeId
from ui.chat.timeline import TimelineView

READ_AFTER_S = 1.0
LOOK_EVERY_MS = 100


class Reading(QObject):
    """Emits `seen` with the ids of messages that were on screen for a second in an active window. It looks ten times a
    second while something in sight has not been read, and rests otherwise."""

    seen = Signal(object)
    """set[ChangeId]: all messages in sight that have been on screen long enough, when there is a new one among them."""

    def __init__(self, view: TimelineView, parent: QWidget) -> None:
        super().__init__(parent)
        self._view = view
        self._since: dict[ChangeId, float] = {}
        """When each message in sight came into sight (monotonic seconds)."""
        self._reported: set[ChangeId] = set()
        self._timer = QTimer(self, interval=LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)
        self._is_held = False
        view.sight_changed.connect(self._begin)
        view.installEventFilter(self)

    def hold(self) -> None:
        """Reports nothing more until the person has left the view or the window: they have marked something as unread,
        which stays in sight."""
        self._is_held = True

    def _begin(self) -> None:
        if not self._timer.isActive():
            self._look()
            self._timer.start()

    def _look(self) -> None:
        now, view = time.monotonic(), self._view
        active = view.isVisible() and view.isActiveWindow() and not self._is_held
        ids = view.ids_in_sight() if active else []
        self._since = {each: self._since.get(each, now) for each in ids}
        self._reported &= self._since.keys()
        ripe = {each for each, since in self._since.items() if now - since >= READ_AFTER_S}
        if len(ripe) == len(ids):
            self._timer.stop()
        if not ripe <= self._reported:
            self._reported |= ripe
            view.mark_seen(ripe)
            self.seen.emit(ripe)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.WindowActivate | QEvent.Type.Show:
                self._begin()
            case QEvent.Type.WindowDeactivate | QEvent.Type.Hide:
                self._since.clear()
                self._reported.clear()
                self._is_held = False
        return False
