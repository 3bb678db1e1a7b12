# SPDX-License-Identifier: EUPL-1.2
"""Small previews of image files, made before they are sealed, so that the receiver fetches nothing to see them; and
those of received files, decoded and kept for a while."""

from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QColorSpace, QImage, QPainter

from app.chat.files import Picture
from app.chat.previews import HEIGHT, WIDTH, is_preview
from app.objects.files import Pasted, Source
from ui.kit.pictures import decoded, jpeg

SUFFIXES = (".png", ".jpg", ".jpeg")
CACHE_BYTES = 32 * 1024 * 1024
"""The most bytes of decoded previews that are kept: 23 of the largest previews."""


def picture_of(source: Source) -> Picture | None:
    """The size in pixels and a preview of a file to be sent. None if its name does not end as that of a PNG or JPEG, if
    it cannot be read as one, or if no preview of it is small enough. May be called on any thread."""
    if Path(source.name).suffix.lower() not in SUFFIXES:
        return None
    data = source.data if isinstance(source, Pasted) else source
    image, size = decoded(data, QSize(WIDTH, HEIGHT))
    if image.isNull():
        return None
    flat = _flat(image)
    for quality in (82, 60, 40, 20):
        preview = _jpeg(flat, quality)
        if is_preview(preview):
            return Picture(width=size.width(), height=size.height(), preview=preview)
    return None


def _flat(image: QImage) -> QImage:
    """Returns the picture on white, in sRGB, without the file's colour profile and texts, which must not be sent with
    it."""
    if image.colorSpace().isValid():
        image = image.convertedToColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
    flat = QImage(image.size(), QImage.Format.Format_RGB32)
    flat.fill(Qt.GlobalColor.white)
    painter = QPainter(flat)
    painter.drawImage(0, 0, image)
    painter.end()
    return flat


def _jpeg(image: QImage, quality: int) -> bytes:
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPEG", quality)  # type: ignore[call-overload] # takes a QIODevice
    return bytes(held.data())


class Previews:
    """The previews of pictures, decoded. Those used last are kept, up to `limit` bytes."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[bytes, QImage] = OrderedDict()
        self.size_bytes = 0

    def image(self, data: bytes) -> QImage:
        """Decodes a preview, or returns it as it was decoded before; a null picture if the bytes are no preview
        (app/chat/previews.py) or damaged."""
        found = self._kept.get(data)
        if found is not None:
            self._kept.move_to_end(data)
            return found
        image = jpeg(data) if is_preview(data) else QImage()
        self._kept[data] = image
        self.size_bytes += _cost(data, image)
        while self.size_bytes > self._limit:
            self.size_bytes -= _cost(*self._kept.popitem(last=False))
        return image

    def clear(self) -> None:
        """Drops all decoded previews."""
        self._kept.clear()
        self.size_bytes = 0


_previews = Previews()


def preview(data: bytes) -> QImage:
    """As `Previews.image`, from the cache of this process."""
    return _previews.image(data)


def forget_previews() -> None:
    """Drops the decoded previews of this process: some may be of messages that were disposed of. The others are decoded
    again when they are painted."""
    _previews.clear()


def _cost(data: bytes, image: QImage) -> int:
    return len(data) + image.sizeInBytes()
