# SPDX-License-Identifier: EUPL-1.2
"""A small picture of an image file that is about to be sent.

▲ What was pasted may come from a web page, so it is not decoded in this process: it is painted by a process of its own,
as the viewer's files are.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QWidget

from app.core.files import open_file as open_on_disk
from app.objects.files import Pasted, Source
from app.viewing.errors import ViewFault
from app.viewing.kinds import PICTURES, kind_of, kind_of_name
from app.viewing.shown_file import Piece, open_file
from ui.kit import icons, theme
from ui.kit.scale import hold, px
from ui.kit.tasks import run

SIDE_PX = 40
_ICON_PX = 16
_MAX_BYTES = 64 * 1024 * 1024


class Thumbnail(QWidget):
    """Shows a picture of the file `source`, which this person chose or pasted; the icon of a file until it is painted,
    and for every other kind of file. `turns` lets one of several be painted at a time. `shown` is emitted when the
    picture is there."""

    shown = Signal()

    def __init__(self, source: Source, turns: asyncio.Lock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image = QImage()
        hold(self, width=SIDE_PX, height=SIDE_PX)
        if kind_of_name(source.name) in PICTURES:
            with suppress(RuntimeError):  # without a loop, as in a test of widgets alone, the icon stays
                asyncio.get_running_loop()
                run(self, self._paint(source, turns))

    @property
    def has_picture(self) -> bool:
        """Whether the picture is shown."""
        return not self._image.isNull()

    async def _paint(self, source: Source, turns: asyncio.Lock) -> None:
        side = round(2 * px(SIDE_PX) * max(1.0, self.devicePixelRatioF()))
        async with turns:
            with suppress(ViewFault, OSError):  # such a file is sent all the same
                self._image = await painted(source, side)
        self.update()
        if self.has_picture:
            self.shown.emit()

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self._image.isNull():
            side = px(_ICON_PX)
            icons.paint(painter, "file", "accent", box.center().x() - side / 2, box.center().y() - side / 2, _ICON_PX)
        else:
            outline = QPainterPath()
            outline.addRoundedRect(box, 6, 6)
            painter.setClipPath(outline)
            size = self._image.size().scaled(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            place = QRectF(0, 0, size.width(), size.height())
            place.moveCenter(box.center())
            painter.drawImage(place, self._image)
            painter.setClipping(False)
            painter.setPen(theme.current().colour("line"))
            painter.drawPath(outline)
        painter.end()


async def painted(source: Source, side: int) -> QImage:
    """The picture of a file, so small that it covers a square of `side` pixels; a null picture if it is none by its
    content, or too large. ViewFault, OSError."""
    data = source.data if isinstance(source, Pasted) else await asyncio.to_thread(_read, source)
    if kind_of(data) not in PICTURES:
        return QImage()
    file = await open_file(data)
    try:
        width, height = file.sizes[0]
        scale = min(1.0, side / min(width, height), 4 * side / max(width, height))
        w, h = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = await file.render(Piece(page=0, width=w, height=h, x=0, y=0, w=w, h=h))
        return QImage(pixels, w, h, w * 4, QImage.Format.Format_RGB32).copy()
    finally:
        file.close()


def _read(path: Path) -> bytes:
    file, size = open_on_disk(path)
    with file:
        return file.read(size) if size <= _MAX_BYTES else b""
