# SPDX-License-Identifier: EUPL-1.2
"""Watches every paint of every label: none is painted narrower or lower than its text."""

from typing import Self

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QLabel

from tests.ui.reaching import cut_off


class Cut(QObject):
    """While it is entered: notes in `found` each label that is painted cut, and counts the paints in `painted`."""

    def __init__(self, application: QApplication) -> None:
        super().__init__()
        self.found: list[str] = []
        self.painted = 0
        self._application = application

    def __enter__(self) -> Self:
        self._application.installEventFilter(self)
        return self

    def __exit__(self, *_of: object) -> None:
        self._application.removeEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QLabel):
            self.painted += 1
            self.found += [f"“{watched.text()[:40]}” {how}" for how in cut_off(watched)]
        return False
