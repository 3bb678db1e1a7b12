# SPDX-License-Identifier: EUPL-1.2
"""Runs the real application and says on stdout when the unlocked window had been painted for the first time."""

import sys
import time

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent

import ui.main
import ui.program
from ui.shell.window.main_window import MainWindow


class Watched(MainWindow):
    """The main window; its first paint, with everything in it, is told once."""

    _told = False

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._told:
            self._told = True
            # after this turn: the children are painted in the same pass
            QTimer.singleShot(0, self, lambda: print(time.monotonic_ns(), flush=True))


if __name__ == "__main__":
    ui.program.MainWindow = Watched  # type: ignore[attr-defined]  # the same class with a watch on it
    sys.exit(ui.main.main(sys.argv[1:]))
