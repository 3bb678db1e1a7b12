# SPDX-License-Identifier: EUPL-1.2
"""Watches every paint of every label: none is painted narrower or lower than its text."""

from typing import Self

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel

from tests.ui.reaching import cut_off
from ui.kit.plain import Label


class Cut:
    """While it is entered: notes in `found` each label that is painted cut, and counts the paints in `painted`. Only
    labels that are made meanwhile are watched.

    It replaces the labels' `paintEvent`. An event filter of the whole application would be given Qt's internal parts
    too, which Qt deletes without notifying Python.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self.painted = 0

    def __enter__(self) -> Self:
        def paint(label: Label, event: QPaintEvent) -> None:
            self.painted += 1
            self.found += [f"“{label.text()[:40]}” {how}" for how in cut_off(label)]
            QLabel.paintEvent(label, event)

        assert "paintEvent" not in vars(Label)
        Label.paintEvent = paint  # type: ignore[assignment, method-assign]
        return self

    def __exit__(self, *_of: object) -> None:
        del Label.paintEvent
