# SPDX-License-Identifier: EUPL-1.2
"""Small previews of image files, made before they are sealed, so that the receiver fetches nothing to see them."""

from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter

from app.chat.files import MAX_PREVIEW_BYTES, Picture
from app.objects.files import Pasted, Source

WIDTH, HEIGHT = 720, 480
MAX_PIXELS = 80_000_000
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")


def picture_of(source: Source) -> Picture | None:
    """The file's size in pixels and a preview; None if it is no image that can be read. Any thread."""
    if Path(source.name).suffix.lower() not in SUFFIXES:
        return None
    held = QBuffer()
    if isinstance(source, Pasted):
        held.setData(source.data)
        held.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(held) if isinstance(source, Pasted) else QImageReader(str(source))
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_PIXELS:
        return None
    image = reader.read()
    if image.isNull():
        return None
    small = image
    if image.width() > WIDTH or image.height() > HEIGHT:
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        small = image.scaled(QSize(WIDTH, HEIGHT), keep, smooth)
    for quality in (82, 60, 40, 20):
        preview = _jpeg(small, quality)
        if len(preview) <= MAX_PREVIEW_BYTES:
            return Picture(width=image.width(), height=image.height(), preview=preview)
    return None


def _jpeg(image: QImage, quality: int) -> bytes:
    flat = QImage(image.size(), QImage.Format.Format_RGB32)
    flat.fill(Qt.GlobalColor.white)
    for_alpha = image.hasAlphaChannel()
    if for_alpha:
        painter = QPainter(flat)
        painter.drawImage(0, 0, image)
        painter.end()
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    (flat if for_alpha else image).save(buffer, "JPEG", quality)  # type: ignore[call-overload] # takes a QIODevice
    return bytes(held.data())
