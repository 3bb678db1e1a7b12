# SPDX-License-Identifier: EUPL-1.2
"""QR codes: shown black on white in every theme, since a camera must read them, and read from a picture or the screen.

segno makes them, zxing-cpp reads them. What is in one is its reader's to judge: anybody can draw a QR code.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.core.later import Later

if TYPE_CHECKING:
    import segno
    import zxingcpp
else:
    segno, zxingcpp = Later("segno"), Later("zxingcpp")  # 2 MB, not needed before a code is shown or read

QUIET = 4
"""Modules of white around it (ISO/IEC 18004)."""
MAX_PIXELS = 40_000_000
"""A larger picture is made smaller before it is read: 40 MB of grey."""


def modules(text: str) -> list[bytearray]:
    """The code's rows, a byte a module: 1 is dark. 15 % of it may be spoilt (level M)."""
    return [bytearray(row) for row in segno.make(text, error="m", micro=False).matrix]


def image(text: str, scale: int = 8) -> QImage:
    """The QR code of `text` as a picture with its white edge. Each module, the smallest square of the code, is `scale`
    pixels."""
    rows = modules(text)
    side = (len(rows) + 2 * QUIET) * scale
    drawn = QImage(side, side, QImage.Format.Format_Grayscale8)
    painter = QPainter(drawn)
    paint(painter, QRectF(0, 0, side, side), rows)
    painter.end()
    return drawn


def paint(painter: QPainter, rect: QRectF, rows: list[bytearray]) -> None:
    """Paints a QR code with its white edge into the square `rect`, in the painter's coordinates, on whole pixels.
    `rows` are its modules (small squares), a byte each: 1 for black."""
    count = len(rows) + 2 * QUIET
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(rect, Qt.GlobalColor.white)
    at = [round(i * rect.width() / count) for i in range(count + 1)]
    for y, row in enumerate(rows, start=QUIET):
        for x, dark in enumerate(row, start=QUIET):
            if dark:
                cell = QRectF(rect.x() + at[x], rect.y() + at[y], at[x + 1] - at[x], at[y + 1] - at[y])
                painter.fillRect(cell, Qt.GlobalColor.black)
    painter.restore()


def read(picture: QImage) -> list[str]:
    """The texts of all QR codes in a picture; empty if it holds none or is no picture."""
    if picture.isNull():
        return []
    if picture.width() * picture.height() > MAX_PIXELS:
        picture = picture.scaled(6000, 6000, Qt.AspectRatioMode.KeepAspectRatio)
    flat = QImage(picture.size(), QImage.Format.Format_RGB32)
    flat.fill(Qt.GlobalColor.white)  # what shines through is paper
    painter = QPainter(flat)
    painter.drawImage(0, 0, picture)
    painter.end()
    grey = flat.convertToFormat(QImage.Format.Format_Grayscale8)
    width, height, line = grey.width(), grey.height(), grey.bytesPerLine()
    raw = bytes(grey.constBits())
    packed = raw if line == width else b"".join(raw[y * line : y * line + width] for y in range(height))
    only_qr = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(memoryview(packed).cast("B", (height, width)), only_qr)
    return [code.text for code in found]


def read_screens() -> list[str]:
    """The texts of all QR codes that are on any screen now; none where the system gives no picture of it."""
    return [text for screen in QGuiApplication.screens() for text in read(screen.grabWindow(0).toImage())]


class QrCode(QWidget):
    """A widget that shows the QR code of `text`, `size` pixels wide, or white for an empty text. `name` describes it to
    a screen reader, and says where the same text is in letters."""

    def __init__(self, text: str, name: str, size: int = 220, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._size = size
        self.setAccessibleName(name)
        self.setFixedSize(size, size)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Shows the QR code of another text, or white for an empty one."""
        self._rows = modules(text) if text else []
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        paint(painter, QRectF(self.rect()), self._rows)
        painter.end()
