# SPDX-License-Identifier: EUPL-1.2
"""Paints a laid out message in the theme's roles."""

from collections.abc import Container, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPainterPath, QPen

from app.chat.records import Attachment
from app.chat.transfers import Transfer, Transfers
from app.core.ids import ChangeId
from ui.chat import line_layout
from ui.chat.message_layout import MARGIN, QUOTED_INDENT, MessageLayout, Pill, Thing, avatar_px
from ui.chat.pictures import preview
from ui.chat.richtext import line_px
from ui.kit import icons, theme
from ui.kit.fonts import BASE_PX, SMALL_PX, font
from ui.kit.marked import paint_grounds
from ui.kit.scale import px
from ui.kit.sizes import size_text
from ui.kit.translate import tr

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CENTRE = Qt.AlignmentFlag.AlignCenter


class MessagePainter:
    """Paints the messages of one view, as they were laid out, in the colours of the theme. `transfers` knows which
    files are being fetched, and which could not be."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self.changed: Container[tuple[ChangeId, int]] = ()
        """The files, by (message, number), of which a copy that was changed in another program is kept."""

    def paint(self, painter: QPainter, layout: MessageLayout, *, hovered: bool, selected: bool, focus: bool) -> None:
        """Paints a message at the painter's origin. `hovered`: the pointer is over it. `selected`: it is the current
        message. `focus`: the view has the focus."""
        colours = theme.current()
        if layout.day:
            self._rule(painter, *layout.day, "line", "muted")
        if layout.unread:
            self._rule(painter, *layout.unread, "danger", "danger")
        for line in layout.lines:
            line_layout.paint(painter, line)
        row = QRectF(0, layout.top - 4, layout.width, layout.bottom - layout.top + 4)
        if selected or hovered:
            painter.setPen(QPen(colours.colour("focus"), 2) if selected and focus else Qt.PenStyle.NoPen)
            painter.setBrush(colours.colour("accent-soft") if selected else colours.colour("hover"))
            painter.drawRoundedRect(row.adjusted(8, 1, -8, -1), 8, 8)
        self._head(painter, layout, hovered or selected)
        if layout.quote:
            self._quote(painter, *layout.quote)
        if layout.quoted:
            self._paint_quoted(painter, *layout.quoted)
        if layout.text:
            layout.text[1].paint(painter, layout.text[0])
        for thing in layout.things:
            self._thing(painter, thing)
        for number, rect in layout.files:
            key = (layout.message.change_id, number)
            attachment = layout.message.attachments[number]
            transfer, failed = self._transfers.get(key), bool(self._transfers.failed(key))
            self._file(painter, rect, attachment, transfer, failed=failed, words=layout.words)
            if transfer is None and not failed and key in self.changed:
                self._changed(painter, rect, attachment)
        for number, rect in layout.images:
            self._image(painter, rect, layout.message.attachments[number])
        for pill in layout.pills:
            self._pill(painter, pill)
        if layout.replies:
            rect, text = layout.replies
            icons.paint(painter, "thread", "accent", rect.x(), rect.y() + (rect.height() - px(15)) / 2, 15)
            self._write(painter, rect.adjusted(px(22), 0, 0, 0), text, "accent", 13, 500)

    def ring(self, painter: QPainter, rect: QRectF) -> None:
        """Paints a ring around `rect` (in the painter's coordinates), the part of a message that has the focus."""
        painter.setPen(QPen(theme.current().colour("focus"), theme.current().focus_px))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(-2, -1, 2, 1), 6, 6)

    def _rule(self, painter: QPainter, rect: QRectF, text: str, line: str, ink: str) -> None:
        width = QFontMetricsF(font(SMALL_PX, 500)).horizontalAdvance(text) + 24
        painter.setPen(QPen(theme.current().colour(line), 1))
        y = round(rect.center().y()) + 0.5
        middle = rect.center().x()
        painter.drawLine(QPointF(rect.left(), y), QPointF(middle - width / 2, y))
        painter.drawLine(QPointF(middle + width / 2, y), QPointF(rect.right(), y))
        self._write(painter, rect, text, ink, SMALL_PX, 500 if ink == "danger" else 400, _CENTRE)

    def _head(self, painter: QPainter, layout: MessageLayout, shown: bool) -> None:
        waiting = layout.message.waiting
        if layout.header is None:
            if waiting:
                icons.paint(painter, "waiting", "muted", MARGIN + px(9), layout.top + px(3), 14)
            elif shown:
                rect = QRectF(MARGIN - 4, layout.top, avatar_px() + 10, line_px())
                self._write(painter, rect, layout.time, "muted", 11, 400, _CENTRE)
            return
        person, rect = layout.person, layout.header
        circle = QRectF(MARGIN, layout.top, avatar_px(), avatar_px())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().person(person.colour))
        painter.drawEllipse(circle)
        self._write(painter, circle, person.initials, "on-person", 12, 600, _CENTRE)
        self._write(painter, rect, person.name, "text", BASE_PX, 600)
        x = rect.x() + layout.name_width + 8
        self._write(painter, QRectF(x, rect.y(), px(60), rect.height()), layout.time, "muted", SMALL_PX)
        if waiting:
            icons.paint(painter, "waiting", "muted", x + px(38), rect.y() + px(3), 14)

    def _quote(self, painter: QPainter, rect: QRectF, name: str, text: str) -> None:
        painter.fillRect(QRectF(rect.x(), rect.y() + 1, 3, rect.height() - 2), theme.current().colour("line-strong"))
        inner = rect.adjusted(12, 0, 0, 0)
        self._write(painter, inner, name, "muted", 13, 600)
        used = QFontMetricsF(font(13, 600)).horizontalAdvance(name) + 8
        rest = inner.adjusted(used, 0, 0, 0)
        shown = QFontMetricsF(font(13)).elidedText(text, Qt.TextElideMode.ElideRight, rest.width())
        self._write(painter, rest, shown, "muted", 13)

    def _paint_quoted(self, painter: QPainter, rect: QRectF, text: str) -> None:
        """Paints a bar at the left of `rect` (in the painter's coordinates), where a quotation is, and `text`, which
        says whom it names, on its first line. ▲ Nothing on this computer confirms the quotation, so the bar runs along
        all of it."""
        painter.fillRect(QRectF(rect.x(), rect.y() + 2, 3, rect.height() - 4), theme.current().colour("warning"))
        line = QRectF(rect.x() + QUOTED_INDENT, rect.y(), rect.width() - QUOTED_INDENT, line_px())
        shown = QFontMetricsF(font(13, 500)).elidedText(text, Qt.TextElideMode.ElideMiddle, line.width())
        self._write(painter, line, shown, "warning", 13, 500)

    def _file(
        self,
        painter: QPainter,
        rect: QRectF,
        attachment: Attachment,
        transfer: Transfer | None,
        *,
        failed: bool,
        words: Sequence[str],
    ) -> None:
        self._card(painter, rect)
        icons.paint(painter, "document", "accent", rect.x() + 13, rect.y() + px(18), 22)
        inner = rect.adjusted(25 + px(22), 10, -px(36) - 10, -10)
        name = QFontMetricsF(font(BASE_PX, 500)).elidedText(
            attachment.name, Qt.TextElideMode.ElideMiddle, inner.width()
        )
        half = inner.height() / 2
        line = QRectF(inner.x(), inner.y(), inner.width(), half)
        paint_grounds(painter, line, name, words, font(BASE_PX, 500))
        self._write(painter, line, name, "text", BASE_PX, 500)
        size = size_text(attachment.size_bytes)
        if transfer is not None:
            size = tr("{percent} % of {size}").format(percent=transfer.percent, size=size)
        elif failed:
            size = tr("Not fetched. Choose it to try again ({size})").format(size=size)
        ink = "danger" if failed else "muted"
        self._write(painter, QRectF(inner.x(), inner.y() + half, inner.width(), half), size, ink, SMALL_PX)
        icons.paint(
            painter,
            "close" if transfer else "download",
            "muted",
            rect.right() - px(18) - 16,
            rect.center().y() - px(9),
            18,
        )
        if transfer is not None:
            done = QRectF(rect.x() + 10, rect.bottom() - 4, (rect.width() - 20) * transfer.percent / 100, 2)
            painter.fillRect(done, theme.current().colour("accent"))

    def _changed(self, painter: QPainter, rect: QRectF, attachment: Attachment) -> None:
        """Paints, behind the size of a file, that a changed copy of it is kept."""
        size = QFontMetricsF(font(SMALL_PX)).horizontalAdvance(size_text(attachment.size_bytes) + "  ")
        left = rect.x() + 25 + px(22) + size
        line = QRectF(left, rect.center().y(), rect.right() - px(36) - 10 - left, rect.height() / 2 - 10)
        shown = QFontMetricsF(font(SMALL_PX, 500)).elidedText(
            tr("Changed copy"), Qt.TextElideMode.ElideRight, max(0.0, line.width())
        )
        self._write(painter, line, shown, "warning", SMALL_PX, 500)

    def _thing(self, painter: QPainter, thing: Thing) -> None:
        rect = thing.rect
        self._card(painter, rect)
        icons.paint(painter, thing.icon, "accent", rect.x() + 13, rect.y() + px(19), 20)
        inner = rect.adjusted(25 + px(20), 10, -14, -10)
        half = inner.height() / 2
        for i, (text, role, size, weight) in enumerate(
            ((thing.title, "text", BASE_PX, 500), (thing.detail, "muted", SMALL_PX, 400))
        ):
            shown = QFontMetricsF(font(size, weight)).elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
            line = QRectF(inner.x(), inner.y() + i * half, inner.width(), half)
            self._write(painter, line, shown, role, size, weight)

    def _image(self, painter: QPainter, rect: QRectF, attachment: Attachment) -> None:
        image = preview(attachment.preview)
        path = QPainterPath()
        path.addRoundedRect(rect, 8, 8)
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(rect, theme.current().colour("chip"))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(rect, image)
        painter.restore()
        painter.setPen(QPen(theme.current().colour("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)

    def _pill(self, painter: QPainter, pill: Pill) -> None:
        colours = theme.current()
        painter.setPen(QPen(colours.colour("accent" if pill.mine else "line"), 1))
        painter.setBrush(colours.colour("accent-soft" if pill.mine else "surface"))
        round_px = (pill.rect.height() - 1) / 2
        painter.drawRoundedRect(pill.rect.adjusted(0.5, 0.5, -0.5, -0.5), round_px, round_px)
        self._write(painter, pill.rect.adjusted(8, 0, 0, 0), pill.emoji, "text", SMALL_PX)
        self._write(painter, pill.rect.adjusted(px(18) + 8, 0, 0, 0), pill.text, "muted", SMALL_PX, 500)

    def _card(self, painter: QPainter, rect: QRectF) -> None:
        painter.setPen(QPen(theme.current().colour("line"), 1))
        painter.setBrush(theme.current().colour("surface"))
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)

    def _write(
        self,
        painter: QPainter,
        rect: QRectF,
        text: str,
        role: str,
        size: float,
        weight: int = 400,
        align: Qt.AlignmentFlag = _LEFT,
    ) -> None:
        painter.setFont(font(size, weight))
        painter.setPen(theme.current().colour(role))
        painter.drawText(rect, align | Qt.TextFlag.TextSingleLine, text)
