# SPDX-License-Identifier: EUPL-1.2
"""A small picture in every format that Qt's plugins read here, and pictures that cost much to decode."""

import gzip
import struct
import zlib

from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QColor, QImage, QImageIOHandler, QImageWriter

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="30" height="20" fill="#060"/></svg>'
GIF = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x66\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
TGA = (
    struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 2, 2, 24, 0x20)
    + b"\x00\x66\x00" * 4
    + bytes(8)
    + b"TRUEVISION-XFILE.\0"
)
BY_HAND = {"gif": GIF, "svg": SVG, "svgz": gzip.compress(SVG), "tga": TGA}
"""Formats that Qt reads and does not write."""
JPEG = {"jpeg", "jpg", "jfif"}
DECODED = JPEG | {"png"}
"""The only ones that Kansli decodes."""


def green(width: int = 30, height: int = 20) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("#006600"))
    return image


def written(image: QImage, name: str, *, progressive: bool = False, turned: bool = False) -> bytes:
    """The picture in a format, by Qt's own writer."""
    held = QBuffer()
    held.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(held, name.encode())
    writer.setProgressiveScanWrite(progressive)
    if turned:
        writer.setTransformation(QImageIOHandler.Transformation.TransformationRotate90)
    assert writer.write(image), (name, writer.errorString())
    return bytes(held.data().data())


def samples() -> dict[str, bytes]:
    """By the name of the format."""
    names = [bytes(name.data()).decode() for name in QImageWriter.supportedImageFormats()]
    return BY_HAND | {name: written(green(32, 32) if name == "icns" else green(), name) for name in names}


def svg_bomb(levels: int = 9, fan: int = 9) -> bytes:
    """Each level uses the one below it `fan` times: 1,500 bytes that draw some hundred million rectangles."""
    uses = "".join(f'<g id="a{n}">' + f'<use xlink:href="#a{n - 1}"/>' * fan + "</g>" for n in range(1, levels))
    head = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
    text = f'{head}<defs><rect id="a0" width="1" height="1"/>{uses}</defs><use xlink:href="#a{levels - 1}"/></svg>'
    return text.encode()


def png_bomb(side: int = 8000) -> bytes:
    """Grey, 62 kB, 64 million pixels."""
    packer, rows = zlib.compressobj(9), b""
    for _ in range(side):
        rows += packer.compress(bytes(side + 1))
    return _png(side, side, rows + packer.flush())


def png_with_text(key: str, text: str) -> bytes:
    """A small PNG with a packed text."""
    body = key.encode() + b"\0\0" + zlib.compress(text.encode())
    return _png(2, 2, zlib.compress(b"\0\x10\x20" * 2), _chunk(b"zTXt", body))


def _png(width: int, height: int, packed: bytes, extra: bytes = b"") -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + extra + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def many_scans(scans: int = 2000) -> bytes:
    """A progressive JPEG of 33 kB that takes a third of a second: each scan is a pass over the whole picture."""
    whole = written(green(1440, 960), "jpeg", progressive=True)
    return whole[:-2] + bytes.fromhex("ffda00080101013f2128c1" + "00") * scans + whole[-2:]
