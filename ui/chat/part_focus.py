# SPDX-License-Identifier: EUPL-1.2
"""Which part of the current message has the focus: a link, a file or a reaction."""

from PySide6.QtCore import QRectF

from ui.chat.layouts import Layouts


class PartFocus:
    """Which part of the current message has the keyboard focus: `number` is its index among the parts that can be
    clicked (the quoted message, links, files, reactions …), -1 the message itself."""

    def __init__(self, layouts: Layouts) -> None:
        self.number = -1
        self._layouts = layouts

    def reset(self) -> None:
        """Gives the focus to the message itself."""
        self.number = -1

    def step(self, row: int, by: int) -> bool:
        """Moves the focus to the next (`by` 1) or previous (-1) part of the message in `row` (-1: there is none);
        before the first part is the message itself. Returns whether the focus has moved."""
        if row < 0:
            return False
        before, last = self.number, len(self._layouts.at(row).parts()) - 1
        self.number = max(-1, min(last, before + by))
        return self.number != before

    def rect(self, row: int) -> QRectF | None:
        """The rectangle of the part that has the focus, from the top left corner of the message in `row`; None if the
        message itself has it, or the part is gone."""
        parts = self._layouts.at(row).parts() if self.number >= 0 else []
        return parts[self.number][1] if 0 <= self.number < len(parts) else None
