# SPDX-License-Identifier: EUPL-1.2
"""Paints a document's row: icon, title, how it begins; when and by whom it was changed."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.kit import icons, scale, theme
from ui.kit.fonts import BASE_PX, SMALL_PX, font
from ui.kit.list_model import ROW
from ui.kit.scale import px

HEIGHT_PX = 64


class RowDelegate(QStyledItemDelegate):
    """Paints the rows of the list of documents: each with its title, its beginning, when and by whom it was changed,
    and a sign if the person is to be reminded of it."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, scale.row(HEIGHT_PX))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row = index.data(ROW)
        tokens = theme.current()
        rect = QRectF(option.rect).adjusted(1, 3, -1, -3)
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus) and bool(state & QStyle.StateFlag.State_Selected)
        painter.setBrush(tokens.colour("hover" if hovered else "surface"))
        pen = painter.pen()
        pen.setColor(tokens.colour("focus" if focused else "line"))
        pen.setWidth(tokens.focus_px if focused else 1)
        painter.setPen(pen)
        painter.drawRoundedRect(rect, 10, 10)
        icons.paint(painter, "document", "accent", rect.left() + 16, rect.center().y() - px(11), 22)
        self._texts(painter, rect, row)
        painter.restore()

    def _texts(self, painter: QPainter, rect: QRectF, row: object) -> None:
        title, excerpt, when, reminder = (getattr(row, name) for name in ("title", "excerpt", "when", "reminder"))
        tokens, small, strong = theme.current(), font(SMALL_PX), font(BASE_PX, 500)
        width = QFontMetricsF(small).horizontalAdvance(when)
        right = rect.right() - 16
        if reminder:
            icons.paint(painter, "clock", "accent", right - px(16), rect.center().y() + px(2), 16)
        painter.setFont(small)
        painter.setPen(tokens.colour("muted"))
        upper = QRectF(0, 0, right - rect.left() - 30 - px(22), px(20))
        upper.moveTopLeft(QPointF(rect.left() + 30 + px(22), rect.center().y() - px(20)))
        lower = upper.translated(0, px(20))
        painter.drawText(QRectF(right - width, upper.top(), width, px(20)), Qt.AlignmentFlag.AlignVCenter, when)
        room = lower.width() - (px(16) + 8 if reminder else 0)
        cut = QFontMetricsF(small).elidedText(excerpt, Qt.TextElideMode.ElideRight, room)
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, cut)
        painter.setFont(strong)
        painter.setPen(tokens.colour("text"))
        cut = QFontMetricsF(strong).elidedText(title, Qt.TextElideMode.ElideRight, upper.width() - width - 16)
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, cut)
