# SPDX-License-Identifier: EUPL-1.2
"""Sweeps memory while the person is in another program: it may take a tenth of a second."""

import time

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

from app.core import garbage

EVERY_S = 600.0
SETTLE_MS = 200
"""How long after a session was closed nothing that runs refers to it any more."""


class Sweeping(QObject):
    """Collects Python's garbage when the person changes to another program, so that nobody waits for it; not within ten
    minutes of the last time. `session_closed` collects too, a moment later in any case: a closed session leaves the
    most behind."""

    def __init__(self) -> None:
        super().__init__()
        self._swept = time.monotonic()
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)  # noqa: S101 - nobody makes another kind
        application.applicationStateChanged.connect(self._on_state)

    def session_closed(self) -> None:
        """Collects soon, so that what the closed session held readable leaves memory."""
        QTimer.singleShot(SETTLE_MS, self, self._sweep)

    def _on_state(self, state: Qt.ApplicationState) -> None:
        if state != Qt.ApplicationState.ApplicationActive and time.monotonic() - self._swept >= EVERY_S:
            self._sweep()

    def _sweep(self) -> None:
        self._swept = time.monotonic()
        garbage.sweep()
