# SPDX-License-Identifier: EUPL-1.2
"""Reads a QR code without a camera: from a picture of it, or from this computer's screens, where a call may show it."""

import asyncio
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from ui.kit import qr
from ui.kit.buttons import TextButton
from ui.kit.dialogs import open_file
from ui.kit.pictures import decoded
from ui.kit.style import column
from ui.kit.tasks import run
from ui.kit.translate import tr

_PICTURES = "*.png *.jpg *.jpeg"


class QrReader(QWidget):
    """Two buttons that read QR codes, one from a picture and one from this computer's screens. `found` is emitted after
    each, with the texts of all codes that were seen, empty if there was none or the picture cannot be read; not if no
    picture was chosen. The receiver judges what is in them."""

    found = Signal(list)

    def __init__(
        self,
        title: str,
        *,
        read_screens: Callable[[], Sequence[str]] = qr.read_screens,
        parent: QWidget | None = None,
    ) -> None:
        """`title` is the title of the dialog that asks for a picture. `read_screens` returns the texts of the QR codes
        that are on any screen now; it is replaced in tests."""
        super().__init__(parent)
        self._title, self._read_screens = title, read_screens
        layout = column(self, spacing=2)
        self.from_picture = TextButton(
            tr("Read a QR code from a picture …"), lambda: run(self, self._choose()), kind="link", icon="image"
        )
        self.from_screen = TextButton(tr("Read it from the screen"), self._look, kind="link", icon="device")
        for button in (self.from_picture, self.from_screen):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def read(self, picture: QImage) -> None:
        """Looks for codes in a picture."""
        self.found.emit(qr.read(picture))

    async def _choose(self) -> None:
        path = await open_file(self, self._title, f"{tr('Pictures')} ({_PICTURES})")
        if path is not None:
            self.read((await asyncio.to_thread(decoded, path))[0])

    def _look(self) -> None:
        self.found.emit(list(self._read_screens()))
