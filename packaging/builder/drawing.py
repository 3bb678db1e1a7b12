# SPDX-License-Identifier: EUPL-1.2
"""The program's icon in the sizes and formats that systems ask for, drawn from the one SVG. Offscreen, by Qt."""

import os
import struct
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

_WINDOWS_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)


def png(svg: Path, size: int) -> bytes:
    """A PNG of `size` by `size` pixels, transparent where nothing is drawn."""
    _ = QGuiApplication.instance() or QGuiApplication(["drawing"])
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg.read_bytes())).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # takes a QIODevice; the stub wants bytes for the format
    return bytes(buffer.data().data())


def ico(svg: Path) -> bytes:
    """A Windows icon with every size that Explorer and the taskbar ask for, as PNG within."""
    images = [(size, png(svg, size)) for size in _WINDOWS_SIZES]
    head, at = struct.pack("<3H", 0, 1, len(images)), 6 + 16 * len(images)
    for size, image in images:
        head += struct.pack("<4B2H2I", size % 256, size % 256, 0, 0, 1, 32, len(image), at)  # 0 stands for 256
        at += len(image)
    return head + b"".join(image for _, image in images)
