# SPDX-License-Identifier: EUPL-1.2
"""Rows of the shell's lists: a picture or icon, a title, a line under it, something at the right. One delegate."""

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.core.enums import Presence
from ui.kit import icons, scale, theme
from ui.kit.avatar import paint_avatar
from ui.kit.chip import paint_badge
from ui.kit.eliding import elided
from ui.kit.fonts import TINY_PX, font
from ui.kit.list_model import FOLDED, ROW, ListModel
from ui.kit.list_place import ListPlace
from ui.kit.marked import paint_grounds
from ui.kit.presence import paint_presence, presence_name
from ui.kit.scale import px
from ui.kit.spoken_list import SpokenList
from ui.kit.translate import tr, trn

TITLE_PX, DETAIL_PX = 13, 12
INDENT_PX, SMALLER_PX, CHEVRON_PX = 20, 6, 20
"""How far a row is indented that belongs to the one above, by how much its picture is smaller, and how wide the mark is
that folds such rows up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a list: a picture or icon, a title, `detail` under it, and at the right `count`, or `right` if that is
    0. `picture` is (initials, hue, whether it is square). `key` identifies the row between two refreshes. A `section`
    is only a heading and cannot be chosen. `strong_count`: the count's colour is that of a badge, not the accent's;
    `faded`: the title is muted. `unread`: the title is bold, with a dot before it."""

    key: Hashable
    title: str
    detail: str = ""
    section: bool = False
    icon: str = ""
    picture: tuple[str, int, bool] | None = None
    right: str = ""
    count: int = 0
    strong_count: bool = False
    faded: bool = False
    unread: bool = False
    presence: Presence | None = None
    """What the mark at the picture shows of a person; None: no mark."""
    words: tuple[str, ...] = ()
    """The words of a search, which are marked in title and detail."""
    folded: bool | None = None
    """Of a section: whether its rows are folded up. Such a section can be reached by key and pressed; None: it is only
    a heading."""
    folds: bool | None = None
    """Of a row with others below it that belong to it: whether those are folded up. None: it has none."""
    within: str = ""
    """The title of the row that this one belongs to, and below which it is indented; "" for none."""
    hint: bool = False
    """The row is only a line of text in place of rows, and cannot be chosen."""

    @property
    def spoken(self) -> str:
        """The text that a screen reader reads out."""
        title = trn("{name}, {n} new", "{name}, {n} new", self.count).format(name=self.title, n=self.count)
        state = presence_name(self.presence) if self.presence is not None else ""
        unread = tr("unread") if self.unread else ""
        named = title if self.count else self.title
        within = tr("in {room}").format(room=self.within) if self.within else ""
        return ", ".join(x for x in (unread, named, within, state, self.detail, self.right) if x)


def row_model(parent: QWidget) -> ListModel[Row]:
    """Makes an empty item model for `Row`s; sections cannot be chosen."""
    return ListModel(
        lambda r: r.key,
        {
            Qt.ItemDataRole.DisplayRole: lambda r: r.title,
            Qt.ItemDataRole.AccessibleTextRole: lambda r: r.spoken,
            FOLDED: lambda r: r.folded if r.folded is not None else r.folds,
        },
        parent,
        selectable=lambda r: not r.section and not r.hint,
        reachable=lambda r: r.folded is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of a list in pixels at 100 %: height of a row and of a section, margin at the sides, size of a
    picture."""

    row: int = 50
    section: int = 33
    inset: int = 8
    picture: int = 32


class RowDelegate(QStyledItemDelegate):
    """Paints the rows (`Row`) of a list in the theme in force, in these `sizes`; None: the usual ones."""

    def __init__(self, parent: QWidget, sizes: Sizes | None = None) -> None:
        super().__init__(parent)
        self._sizes = sizes or Sizes()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        row: Row | None = index.data(ROW)
        heading = row is not None and (row.section or row.hint)
        return QSize(100, px(self._sizes.section) if heading else scale.row(self._sizes.row))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        row: Row | None = index.data(ROW)
        if row is None:
            return
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.section:
            self._paint_section(painter, rect, row, option.state)
        elif row.hint:
            self._paint_hint(painter, rect, row)
        else:
            state: QStyle.StateFlag = option.state
            self._paint_ground(painter, rect, state)
            self._paint_row(painter, rect, row, _ground_of(state))
        painter.restore()

    def _paint_section(self, painter: QPainter, rect: QRectF, row: Row, state: QStyle.StateFlag) -> None:
        typeface = font(TINY_PX, 600)
        typeface.setLetterSpacing(typeface.SpacingType.AbsoluteSpacing, 0.4)
        box = rect.adjusted(self._sizes.inset + 8, 8, -self._sizes.inset - 10, 0)
        if row.folded is not None:
            if state & QStyle.StateFlag.State_HasFocus:
                self._paint_focus(painter, rect.adjusted(self._sizes.inset, 8, -self._sizes.inset, 0))
            icon = "chevron-right" if row.folded else "chevron-down"
            icons.paint(painter, icon, "muted", box.left() - px(2), box.center().y() - px(6), 12)
            box.setLeft(box.left() + px(14))
            if row.folded and row.count:
                box.setRight(box.right() - paint_badge(painter, box.right(), box.center().y(), row.count) - 8)
        painter.setFont(typeface)
        painter.setPen(theme.current().colour("muted"))
        shown = QFontMetricsF(typeface).elidedText(row.title.upper(), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_hint(self, painter: QPainter, rect: QRectF, row: Row) -> None:
        typeface, box = font(DETAIL_PX), rect.adjusted(self._sizes.inset + 8 + px(14), 0, -self._sizes.inset - 8, 0)
        painter.setFont(typeface)
        painter.setPen(theme.current().colour("muted"))
        shown = QFontMetricsF(typeface).elidedText(row.title, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, shown)

    def _paint_focus(self, painter: QPainter, box: QRectF) -> None:
        painter.setPen(QPen(theme.current().colour("focus"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 7, 7)

    def _paint_ground(self, painter: QPainter, rect: QRectF, state: QStyle.StateFlag) -> None:
        tokens = theme.current()
        selected = bool(state & QStyle.StateFlag.State_Selected)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        box = rect.adjusted(self._sizes.inset, 0, -self._sizes.inset, 0)
        if selected or hovered:
            painter.setPen(tokens.colour("line") if tokens.contrast else QColor(Qt.GlobalColor.transparent))
            painter.setBrush(tokens.colour("accent-soft" if selected else "hover"))
            painter.drawRoundedRect(box, 8, 8)
        if focused:
            self._paint_focus(painter, box)

    def _paint_row(self, painter: QPainter, rect: QRectF, row: Row, ground: str) -> None:
        """Paints a row, on a ground of the colour with the role `ground`."""
        tokens, sizes = theme.current(), self._sizes
        left, right = rect.left() + sizes.inset + 10, rect.right() - sizes.inset - 10
        middle = rect.center().y()
        left += px(INDENT_PX) if row.within else 0
        if row.folds is not None:
            icon = "chevron-right" if row.folds else "chevron-down"
            icons.paint(painter, icon, "muted", right - px(12), middle - px(6), 12)
            right -= px(CHEVRON_PX)
        left += self._paint_dot(painter, left, middle) if row.unread else 0
        if row.picture is not None:
            text, hue, square = row.picture
            side = px(sizes.picture - SMALLER_PX if row.within else sizes.picture)
            box = QRectF(left, middle - side / 2, side, side)
            paint_avatar(painter, box, text, tokens.person(hue), square=square)
            if row.presence is not None:
                paint_presence(painter, box, row.presence, tokens.colour(ground))
            left += side + 10
        elif row.icon:
            icons.paint(painter, row.icon, "muted", left, middle - px(18) / 2, 18)
            left += px(18) + 12
        if row.count:
            right -= paint_badge(painter, right, middle, row.count, "badge" if row.strong_count else "accent") + 8
        elif row.right:
            right -= self._paint_right(painter, rect, right, row.right) + 12
        self._paint_words(painter, QRectF(left, rect.top(), right - left, rect.height()), row)

    def _paint_dot(self, painter: QPainter, left: float, middle: float) -> float:
        """Paints the dot of an unread row. Returns how much room it takes."""
        side = px(8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().colour("accent"))
        painter.drawEllipse(QRectF(left, middle - side / 2, side, side))
        return side + 8

    def _paint_right(self, painter: QPainter, rect: QRectF, right: float, text: str) -> float:
        typeface = font(12)
        width = QFontMetricsF(typeface).horizontalAdvance(text)
        painter.setFont(typeface)
        painter.setPen(theme.current().colour("muted"))
        painter.drawText(
            QRectF(right - width - 1, rect.top(), width + 2, rect.height()), Qt.AlignmentFlag.AlignVCenter, text
        )
        return width

    def _paint_words(self, painter: QPainter, box: QRectF, row: Row) -> None:
        tokens = theme.current()
        title, detail = font(TITLE_PX, 600 if row.unread else 500), font(DETAIL_PX)
        middle = box.center().y()
        align = Qt.AlignmentFlag.AlignVCenter
        top = QRectF(box.left(), middle - px(19 if row.detail else 10), box.width(), px(20))
        elide = Qt.TextElideMode.ElideRight
        shown = elided(row.title, QFontMetricsF(title), box.width())
        paint_grounds(painter, top, shown, row.words, title)
        painter.setFont(title)
        painter.setPen(tokens.colour("muted" if row.faded else "text"))
        painter.drawText(top, align, shown)
        if row.detail:
            under = QRectF(box.left(), middle + px(1), box.width(), px(18))
            shown = QFontMetricsF(detail).elidedText(row.detail, elide, box.width())
            paint_grounds(painter, under, shown, row.words, detail)
            painter.setFont(detail)
            painter.setPen(tokens.colour("muted"))
            painter.drawText(under, align, shown)


def _ground_of(state: QStyle.StateFlag) -> str:
    """The role of the colour behind a row in this state."""
    if state & QStyle.StateFlag.State_Selected:
        return "accent-soft"
    return "hover" if state & QStyle.StateFlag.State_MouseOver else "side"


class RowList(SpokenList, QListView):
    """A list of `Row`s with keyboard: arrows move, Enter activates, sections are skipped. `name` is for screen
    readers."""

    def __init__(self, name: str, sizes: Sizes | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: ListModel[Row] = row_model(self)
        self.setModel(self.rows)
        self.setItemDelegate(RowDelegate(self, sizes))
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        place = ListPlace(self)
        self.rows.refreshing.connect(place.take)
        self.rows.refreshed.connect(place.restore)
        theme.on_change(self, self.scheduleDelayedItemsLayout)

    def current_row(self) -> Row | None:
        """The current row, if any."""
        return self.rows.row(self.currentIndex())

    def choose(self, key: Hashable) -> None:
        """Makes the row with that key current; nothing is current if there is none."""
        self.setCurrentIndex(self.rows.index_of(key))

    def in_sight(self) -> set[Hashable]:
        """The keys of the rows of which at least a part is in sight."""
        rows, height = self.rows.rows, self.viewport().height()
        first = bisect_left(range(len(rows)), 0, key=lambda n: self.visualRect(self.rows.index(n)).bottom())
        end = bisect_left(range(len(rows)), height, key=lambda n: self.visualRect(self.rows.index(n)).top())
        return {row.key for row in rows[first:end]}

    def choose_first(self) -> None:
        """Makes the first row that is not a heading the current one; does nothing if there is none."""
        for i, row in enumerate(self.rows.rows):
            if not row.section and not row.hint:
                self.setCurrentIndex(self.rows.index(i))
                return

    def step(self, steps: int) -> None:
        """Makes another row current, `steps` rows down (up, if negative), past sections and around the ends. Does
        nothing in a list without rows."""
        indexes = [i for i, row in enumerate(self.rows.rows) if not row.section and not row.hint]
        if not indexes:
            return
        now = self.currentIndex().row()
        at = indexes.index(now) if now in indexes else (-1 if steps > 0 else 0)
        self.setCurrentIndex(self.rows.index(indexes[(at + steps) % len(indexes)]))
        self.scrollTo(self.currentIndex())
