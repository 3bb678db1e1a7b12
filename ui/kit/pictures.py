# SPDX-License-Identifier: EUPL-1.2
"""The only place that decodes pictures: PNG and JPEG, each by the reader that is named, never by one that Qt guesses.

Qt knows some twenty formats, and would try each plugin on bytes of others. The number of pixels is checked before
anything is decoded.
"""

import sys
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QSize, Qt
from PySide6.QtGui import QImage, QImageIOHandler, QImageReader

from app.core.files import open_file

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_PIXELS = {b"png": 40_000_000, b"jpeg": 80_000_000}
"""A PNG is decoded whole, 160 MB at most; a JPEG at the size that is asked for."""
_ALLOCATION_MB = 256
_SIGNATURES = {b"png": b"\x89PNG\r\n\x1a\n", b"jpeg": b"\xff\xd8\xff"}
_NEEDED_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_MAX_SCANS = 64
"""The most scans of a JPEG. Cameras write one, progressive ones have about ten; each costs a pass over the whole
picture."""
_PASTED = {"image/png": b"png", 'application/x-qt-windows-mime;value="PNG"': b"png", "image/jpeg": b"jpeg"}
_BITMAP = "application/x-qt-image"
"""The format of a screenshot on Windows: pixels without a format. On Linux another program's bytes, of which Qt would
guess the format."""


def decoded(source: Path | bytes, within: QSize | None = None) -> tuple[QImage, QSize]:
    """Decodes a PNG or JPEG, from a file or bytes. Returns the picture, made smaller to fit `within` (None: not made
    smaller), and its original size in pixels. A null picture if it cannot be read, has another format, is too large (a
    file of more than 64 MiB, a PNG of more than 40 million pixels, a JPEG of more than 80 million), or is a JPEG of
    more than 64 scans. May be called on any thread."""
    data = source if isinstance(source, bytes) else _read(source)
    name = format_of(data)
    if name == b"png":
        data = _bare_png(data)
    elif name is None or data.count(b"\xff\xda") > _MAX_SCANS:
        return QImage(), QSize()
    return _decode(data, name, within)


def jpeg(data: bytes) -> QImage:
    """A picture from a JPEG; null if the bytes are none."""
    return _decode(data, b"jpeg")[0] if format_of(data) == b"jpeg" else QImage()


def format_of(data: bytes) -> bytes | None:
    """`png` or `jpeg`, by the first bytes; None for any other format."""
    return next((name for name, signature in _SIGNATURES.items() if data.startswith(signature)), None)


def can_paste(source: QMimeData) -> bool:
    """Whether there is a picture on the clipboard that `pasted` may give."""
    return any(source.hasFormat(mime) for mime in _PASTED) or _is_bitmap(source)


def pasted(source: QMimeData) -> bytes | None:
    """The bytes of the picture on the clipboard: a PNG or JPEG as it is, or on Windows a bitmap, as a PNG; None if
    there is none. (Qt's `imageData` would decode whatever format another program offers, SVG too.)"""
    for mime, name in _PASTED.items():
        if source.hasFormat(mime) and format_of(data := bytes(source.data(mime).data())) == name:
            return data
    return _png(QImage(source.imageData())) if _is_bitmap(source) else None


def offers_picture(source: QMimeData) -> bool:
    """Whether there is a picture on the clipboard, in whatever format."""
    return any(kind.startswith(("image/", _BITMAP)) for kind in source.formats())


def _is_bitmap(source: QMimeData) -> bool:
    return sys.platform == "win32" and source.hasFormat(_BITMAP)


def _png(image: QImage) -> bytes | None:
    held = QByteArray()
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    saved = image.save(buffer, "PNG")  # type: ignore[call-overload] # PySide's stub wants bytes for the format
    return bytes(held.data()) if saved else None


def _read(path: Path) -> bytes:
    try:
        file, size = open_file(path)
        with file:
            return file.read(size) if size <= MAX_FILE_BYTES else b""
    except OSError:
        return b""


def _bare_png(data: bytes) -> bytes:
    """Returns the PNG in `data` without the chunks that are not needed to draw it: packed texts may grow to 8 MB
    each."""
    out, at = [data[:8]], 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in _NEEDED_CHUNKS:
            out.append(data[at:end])
        at = end
    return b"".join(out)


def _decode(data: bytes, name: bytes, within: QSize | None = None) -> tuple[QImage, QSize]:
    """Decodes `data`, a PNG or JPEG as `name` (b"png", b"jpeg") says: the picture, upright and no larger than `within`
    (None: in its own size), and its original size in pixels. A null picture if it cannot be decoded or has more than
    MAX_PIXELS."""
    device = QBuffer()
    device.setData(data)
    device.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(device, name)
    reader.setAutoDetectImageFormat(False)
    reader.setAllocationLimit(_ALLOCATION_MB)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_PIXELS[name]:
        return QImage(), QSize()
    turned = bool(reader.transformation() & QImageIOHandler.Transformation.TransformationRotate90)
    if within is not None:
        room = within.transposed() if turned else within
        if size.width() > room.width() or size.height() > room.height():
            reader.setScaledSize(size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return image, size.transposed() if turned else size
