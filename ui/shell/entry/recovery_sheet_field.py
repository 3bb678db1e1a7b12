# SPDX-License-Identifier: EUPL-1.2
"""A field for a recovery sheet's code: typed, or read from a picture of its QR code."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.kit.qr_reader import QrReader
from ui.kit.scale import hold
from ui.kit.style import column, label
from ui.kit.translate import tr


class RecoverySheetField(QWidget):
    """A field for a recovery sheet's code, typed, or read from a picture of its QR code or from the screen. `text()`
    returns the code; nothing is checked here."""

    changed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        body = column(self, spacing=6)
        caption = label(name, "label")
        self.field = QLineEdit()
        self.field.setAccessibleName(name)
        self.field.setPlaceholderText("XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX")
        hold(self.field, least_height=34)
        caption.setBuddy(self.field)
        self.field.textChanged.connect(self.changed)
        body.addWidget(caption)
        body.addWidget(self.field)
        self.reader = QrReader(tr("A picture of the sheet"))
        self.reader.found.connect(self._on_texts)
        body.addWidget(self.reader)
        self.hint = label("", "small", wrap=True)
        self.hint.hide()
        body.addWidget(self.hint)

    def text(self) -> str:
        """The text without spaces around it."""
        return self.field.text().strip()

    def _on_texts(self, texts: Sequence[str]) -> None:
        """Takes the `texts` of the QR codes in a picture or on the screen: fills in the first that may be a recovery
        sheet's code, or shows that there is none."""
        found = [text for text in texts if len(text) <= 64]
        if found:
            self.field.setText(found[0])
        self.hint.setText("" if found else tr("No such QR code was found. Show the whole code, larger or sharper."))
        self.hint.setVisible(not found)
