# SPDX-License-Identifier: EUPL-1.2
"""A field for a recovery sheet's code: typed, or read from a picture of its QR code."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.kit import qr
from ui.kit.buttons import TextButton
from ui.kit.dialogs import open_file
from ui.kit.style import column, label, line
from ui.kit.tasks import run
from ui.kit.translate import tr

_PICTURES = "*.png *.jpg *.jpeg *.bmp *.webp"


class SheetField(QWidget):
    """`text()` is what was typed or read; nothing is checked here."""

    changed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        body = column(self, spacing=6)
        caption = label(name, "label")
        self.field = QLineEdit()
        self.field.setAccessibleName(name)
        self.field.setPlaceholderText("XXXX-XXXX-XXXX-XXXX-XXXX-XXXX-XXXX")
        self.field.setMinimumHeight(34)
        caption.setBuddy(self.field)
        self.field.textChanged.connect(self.changed)
        body.addWidget(caption)
        row = line(spacing=8)
        row.addWidget(self.field, 1)
        self.button = TextButton(tr("From a picture …"), lambda: run(self, self._choose()), icon="qr")
        row.addWidget(self.button)
        body.addLayout(row)
        self.hint = label("", "small", wrap=True)
        self.hint.hide()
        body.addWidget(self.hint)

    def text(self) -> str:
        """Without spaces around it."""
        return self.field.text().strip()

    def read(self, picture: QImage) -> None:
        """Takes the code out of a picture, or says that there is none."""
        found = [text for text in qr.read(picture) if len(text) <= 64]
        if found:
            self.field.setText(found[0])
        self.hint.setText("" if found else tr("No QR code was found in the picture."))
        self.hint.setVisible(not found)

    async def _choose(self) -> None:
        path = await open_file(self, tr("A picture of the sheet"), f"{tr('Pictures')} ({_PICTURES})")
        if path is not None:
            self.read(QImage(str(path)))
