# SPDX-License-Identifier: EUPL-1.2
"""Paints the row of a file in the list of a room's files: icon, name, size; who sent it and when."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ui.kit import icons, scale, theme
from ui.kit.eliding import elided
from ui.kit.fonts import BASE_PX, SMALL_PX, font
from ui.kit.list_model import ROW
from ui.kit.scale import px

HEIGHT_PX = 52


class FileRowDelegate(QStyledItemDelegate):
    """Paints the rows of the list of a room's files (`FileRow` of ui/chat/file_list.py)."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(200, scale.row(HEIGHT_PX))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row = index.data(ROW)
        tokens = theme.current()
        rect = QRectF(option.rect).adjusted(1, 2, -1, -2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        focused = chosen and bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setBrush(tokens.colour("hover" if hovered or chosen else "surface"))
        pen = painter.pen()
        pen.setColor(tokens.colour("focus" if focused else "line"))
        pen.setWidth(tokens.focus_px if focused else 1)
        painter.setPen(pen)
        painter.drawRoundedRect(rect, 10, 10)
        icons.paint(painter, row.icon, "accent", rect.left() + 14, rect.center().y() - px(10), 20)
        left = rect.left() + 28 + px(20)
        self._texts(painter, QRectF(left, rect.top(), rect.right() - 14 - left, rect.height()), row)
        painter.restore()

    def _texts(self, painter: QPainter, area: QRectF, row: object) -> None:
        name, detail, size = (getattr(row, field) for field in ("name", "detail", "size"))
        tokens, small, strong = theme.current(), font(SMALL_PX), font(BASE_PX, 500)
        width = QFontMetricsF(small).horizontalAdvance(size)
        upper = QRectF(0, 0, area.width(), px(19))
        upper.moveTopLeft(QPointF(area.left(), area.center().y() - px(19)))
        lower = upper.translated(0, px(19))
        painter.setFont(small)
        painter.setPen(tokens.colour("muted"))
        painter.drawText(QRectF(area.right() - width, upper.top(), width, px(19)), Qt.AlignmentFlag.AlignVCenter, size)
        shown = elided(detail, QFontMetricsF(small), lower.width())
        painter.drawText(lower, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(strong)
        painter.setPen(tokens.colour("text"))
        shown = elided(name, QFontMetricsF(strong), max(0.0, upper.width() - width - 16))
        painter.drawText(upper, Qt.AlignmentFlag.AlignVCenter, shown)
