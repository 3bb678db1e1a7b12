# SPDX-License-Identifier: EUPL-1.2
"""Colleagues in the text: their carets and selections, painted over and under it, and their names beside them."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QTextEdit

from app.richtext.carets import Caret
from app.richtext.model import Change
from ui.richtext import carets
from ui.richtext.flags import Flags


class Colleagues:
    """Paints colleagues' carets, selections and names in one editor. The editor calls `paint_under` before it paints
    its text, and `paint_over` after."""

    def __init__(self, edit: QTextEdit) -> None:
        self._edit = edit
        self._carets: Sequence[Caret] = ()
        self._grounds: Sequence[carets.Ground] = ()
        self._flags = Flags(edit)
        self._flags.changed.connect(edit.viewport().update)

    def show(self, shown: Sequence[Caret]) -> None:
        """Paints colleagues at these carets from now on."""
        self._carets = shown
        self._flags.show(shown)
        self.measure()

    def measure(self) -> None:
        """Finds again where the selections of colleagues are painted, after the text was laid out again."""
        self._grounds = carets.grounds(self._edit, self._carets)
        self._edit.viewport().update()

    def follow(self, change: Change) -> None:
        """Shows the name of a colleague who has just written."""
        self._flags.follow(change)

    def point(self, at: QPoint) -> None:
        """Shows the name of the colleague whose caret is at `at`, the pointer's place in the viewport."""
        self._flags.point(carets.caret_at(self._edit, self._carets, at))

    def paint_under(self, painter: QPainter) -> None:
        """Paints what they have selected."""
        carets.paint_grounds(self._edit, painter, self._grounds)

    def paint_over(self) -> None:
        """Paints the carets and names of colleagues over the text."""
        if self._carets:
            painter = QPainter(self._edit.viewport())
            carets.paint(self._edit, painter, self._carets, self._flags.opacity)
            painter.end()
