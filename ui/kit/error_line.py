# SPDX-License-Identifier: EUPL-1.2
"""The red line under fields that shows what went wrong. Hidden while nothing did."""

from PySide6.QtWidgets import QWidget

from ui.kit.announcing import announce
from ui.kit.gathering import Kind
from ui.kit.plain import code_line
from ui.kit.style import column, label


class ErrorLine(QWidget):
    """A red line, under the fields of a page or dialog, that shows what went wrong. `show_text` shows a text, `hide`
    hides it. Each text is announced to screen readers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = column(self, spacing=2)
        self._text, self._code = label("", "error", wrap=True), label("", "code", wrap=True)
        for part in (self._text, self._code):
            layout.addWidget(part)
        self.hide()

    def show_text(self, text: str, code: str = "") -> None:
        """Shows what went wrong (`text`), and small under it the error's `code`, for which support asks. A screen
        reader announces both if they have changed, or if the line was hidden."""
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
        """Shows `text` as a further sentence after the error, and has a screen reader announce it."""
        self._text.setText(f"{self._text.text()}\n{text}")
        for part in (self, self._text):
            part.setAccessibleName(self.text())
        announce(self, text, Kind.KEPT)

    def clear(self) -> None:
        """Hides the line that shows an error, and empties it."""
        self.hide()
        self._text.setText("")
        self._code.setText("")

    def text(self) -> str:
        """The text that is shown, with the code in a line of its own."""
        return "\n".join(filter(None, (self._text.text(), self._code.text())))
