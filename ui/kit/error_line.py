# SPDX-License-Identifier: EUPL-1.2
"""The red line under fields that says in place what went wrong. Hidden while nothing did."""

from PySide6.QtWidgets import QWidget

from ui.kit.announcing import announce
from ui.kit.gathering import Kind
from ui.kit.plain import Label
from ui.kit.style import set_props


class ErrorLine(Label):
    """`say` shows a text, `hide` takes it away; a screen reader says the same."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.setWordWrap(True)
        set_props(self, look="error")
        self.hide()

    def say(self, text: str) -> None:
        """Shows a text, and announces it if it is another one than before."""
        if self.isHidden() or text != self.text():
            announce(self, text, Kind.KEPT)
        self.setText(text)
        self.setAccessibleName(text)
        self.show()
