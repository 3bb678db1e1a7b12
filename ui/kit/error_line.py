# SPDX-License-Identifier: EUPL-1.2
"""The red line under fields that shows what went wrong. Hidden while nothing did."""

from PySide6.QtWidgets import QWidget

from ui.kit.announcing import announce
from ui.kit.gathering import Kind
from ui.kit.plain import code_line
from ui.kit.style import column, label


class ErrorLine(QWidget):
    """`show_text` shows a text, `hide` hides it. Both texts are announced to screen readers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = column(self, spacing=2)
        self._text, self._code = label("", "error", wrap=True), label("", "code", wrap=True)
        for part in (self._text, self._code):
            layout.addWidget(part)
        self.hide()

    def show_text(self, text: str, code: str = "") -> None:
        """Shows a text, and under it, small, the code that support asks for. Announces it if it has changed."""
        was = "" if self.isHidden() else self.text()
        self._text.setText(text)
        self._code.setText(code_line(code))
        self._code.setVisible(bool(code))
        for part in (self, self._text):
            part.setAccessibleName(self.text())
        if self.text() != was:
            announce(self, self.text(), Kind.KEPT)
        self.show()

    def add_sentence(self, text: str) -> None:
        """Shows a further sentence after what is shown, and announces it."""
        self._text.setText(f"{self._text.text()}\n{text}")
        for part in (self, self._text):
            part.setAccessibleName(self.text())
        announce(self, text, Kind.KEPT)

    def clear(self) -> None:
        """Hides the line, and forgets its text."""
        self.hide()
        self._text.setText("")
        self._code.setText("")

    def text(self) -> str:
        """The text that is shown, with the code in a line of its own."""
        return "\n".join(filter(None, (self._text.text(), self._code.text())))
