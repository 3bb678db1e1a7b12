# SPDX-License-Identifier: EUPL-1.2
"""Imports the modules that the first window did not need, while the event loop has nothing else to do."""

from collections.abc import Iterator

from PySide6.QtCore import QObject, QTimer

from app.core import garbage, later, log

AFTER_MS = 100
"""Milliseconds. By then the window is painted, and has asked the server for what is new."""


class IdleImports(QObject):
    """Imports the modules that wait (app/core/later.py) one by one, a module in each turn of the event loop, so that
    the first use of a view does not wait for its import. Ends when none waits; `start` may be called again then."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._steps: Iterator[str] = iter(())
        self._number = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._step)

    def start(self) -> None:
        """Begins to import, AFTER_MS later. Call it when the window is shown."""
        self._steps = later.import_in_steps()
        self._timer.start(AFTER_MS)

    def stop(self) -> None:
        """Imports no more; what was not imported is imported at its first use."""
        self._timer.stop()

    def _step(self) -> None:
        self._timer.setInterval(0)  # when no event waits
        with garbage.paused():
            name = next(self._steps, None)
        if name is not None:
            self._number += 1
            return
        self._timer.stop()
        garbage.set_aside()  # modules stay
        log.ui.info("imported-when-idle", modules=self._number)
