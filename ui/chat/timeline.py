# SPDX-License-Identifier: EUPL-1.2
"""The conversation on screen: an item view that lays out only what is seen, at 100,000 messages as at ten.

QListView asks every row for its height before it shows the first. Here unseen rows have a guessed height, and the row
at the top of the window stays in its place when a guess turns out wrong. The wheel, keys and scroll bar all move an
anchor: a row, and how far into it the window begins.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QModelIndex,
    QObject,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from app.chat.model import Message
from app.chat.transfers import Transfers
from app.core.ids import ChangeId
from ui.chat.floor import Floor
from ui.chat.heights import Heights
from ui.chat.item_model import TimelineModel
from ui.chat.letters import edit_letter, reply_letter
from ui.chat.message_layout import Hit, MessageLayout
from ui.chat.message_painter import MessagePainter
from ui.chat.moving import row_after
from ui.chat.spoken import MessageSpot
from ui.chat.things import Things
from ui.kit import theme
from ui.kit.list_model import Index
from ui.kit.plain import set_tip
from ui.kit.scale import px
from ui.kit.spoken_list import RowSpot, SpokenList
from ui.kit.translate import tr
from ui.kit.web import address_tip

GUESS_PX = 58
LAYOUTS_KEPT = 400
PAD = 10
CONTEXT_PX = 48
FAR = 4
"""A jump of more than this many windows looks its place up instead of walking there."""
_STEPS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
_CONTROL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_COMMANDS = _CONTROL | _ALT | Qt.KeyboardModifier.MetaModifier
_LETTERS = (Qt.KeyboardModifier.NoModifier, _CONTROL | _ALT)
"""The modifiers of _COMMANDS that may be down while a letter is typed: none, or AltGr, which Windows reports as Ctrl
and Alt."""


class TimelineView(SpokenList, QListView):
    """Shows a TimelineModel. What is clicked or asked for by key comes out as signals; the view decides nothing."""

    hit = Signal(object, object)
    """Message, Hit: something in it was clicked or chosen by Enter."""
    typed = Signal(str)
    """Letters that act on no message: typed at the list, meant for the field."""
    key_pressed = Signal(object, str)
    """Message, "reply" | "edit" | "delete" | "copy" | "react": asked for by key."""
    menu_asked = Signal(object, QPoint)
    """Message, where: its menu, by mouse or key."""
    hovered = Signal(object, QRect)
    """A message or None, and its rectangle in the viewport. Emitted again when the message or its place has changed;
    None when the message leaves the window or the person scrolls."""
    at_end_changed = Signal(bool)
    sight_changed = Signal()
    """Other messages may be in the window than before."""
    left = Signal()
    """Escape: back to writing."""

    def __init__(
        self, model: TimelineModel, transfers: Transfers, things: Things | None = None, parent: QWidget | None = None
    ) -> None:
        """`things`: what links lead to."""
        super().__init__(parent)
        self._things = things or Things()
        self._chat = model
        self._painter = MessagePainter(transfers)
        self._heights = Heights(model.rowCount(), px(GUESS_PX))
        self._layouts: OrderedDict[int, MessageLayout] = OrderedDict()
        self._row, self._into = 0, 0
        self._at_end = True
        self._floor = Floor()
        self._marked: tuple[ChangeId | None, Sequence[str]] = (None, ())
        self._moving = False
        self._part = -1
        """Which link, file or reaction of the current message has the focus; -1: the message itself."""
        self._hover = -1
        self._pressed: tuple[ChangeId, Hit | None] | None = None
        self._by_keys = False
        """Whether the current message was chosen by keys. Only then do letters act on it: a person who has clicked on a
        message and types is writing."""
        self.setModel(model)
        model.rowsRemoved.connect(lambda *_: self._settle())
        model.layoutChanged.connect(self._on_layout)
        self.setAccessibleName(tr("Messages"))
        self.setFrameShape(QAbstractItemView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.verticalScrollBar().setSingleStep(40)
        theme.on_change(self, self.relayout)
        self.jump_to_end()

    # -- for the view that holds it ---------------------------------------------------------------------------------

    @property
    def at_end(self) -> bool:
        """Whether the latest message is in sight. The view then follows new messages."""
        return self._at_end

    def jump_to_end(self) -> None:
        """Shows the latest messages."""
        self._set_hover(-1)
        self._floor.row = None
        self._set_at_end(True)
        self._settle()

    def open_at(self, row: int) -> None:
        """Shows a message at the top of the window, with a little of what is before it. Until that message has been
        seen, the view follows new messages only as far as it stays in the window."""
        self.scroll_to_row(row, -CONTEXT_PX)
        self._floor.row = row

    def mark_seen(self, seen: Collection[ChangeId]) -> None:
        """Marks these messages as seen: following new messages may push them out of the window."""
        timeline = self._chat.timeline
        self._floor.mark_seen(lambda row: timeline.message(row).change_id in seen, len(timeline))

    def ids_in_sight(self) -> list[ChangeId]:
        """The messages that can be read now: at least half of each is in the window, or it fills half of the window."""
        window = self.viewport().rect()
        rects = {row: self.row_rect(row) for row in self._rows_in_sight()}
        return [
            self._chat.timeline.message(row).change_id
            for row, rect in rects.items()
            if 2 * rect.intersected(window).height() >= min(window.height(), rect.height())
        ]

    def jump_to(self, row: int, *, select: bool = True) -> None:
        """Shows a message in the upper half of the window."""
        if not 0 <= row < self._chat.rowCount():
            return
        self.scroll_to_row(row, -self.viewport().height() // 4)
        if select:
            self.setCurrentIndex(self._chat.index(row))

    def top_row(self) -> tuple[int, int] | None:
        """The row at the top of the window and how far into it that begins; None at the end."""
        return None if self._at_end or not len(self._heights) else (self._row, self._into)

    def scroll_to_row(self, row: int, into: int) -> None:
        """Scrolls to a place that `top_row` returned."""
        if 0 <= row < self._chat.rowCount():
            self._set_hover(-1)
            self._set_at_end(False)
            self._row, self._into, self._floor.row = row, into, None
            self._settle()

    def mark(self, change_id: ChangeId | None, words: Sequence[str]) -> None:
        """Marks the words of a search in one message, and none in another."""
        changed = {self._marked[0], change_id} - {None}
        self._marked = change_id, words
        for row in [row for row, layout in self._layouts.items() if layout.message.change_id in changed]:
            del self._layouts[row]
        self._settle()

    def current(self) -> Message | None:
        """The message that is selected."""
        index = self.currentIndex()
        return self._chat.timeline.message(index.row()) if index.isValid() else None

    def relayout(self) -> None:
        """Lays everything out again, after the theme, text size or density changed. The row at the top of the window
        stays there: it begins as far up, in proportion to its height."""
        self._layouts.clear()
        before = self._heights[self._row] if len(self._heights) else 0
        self._heights = Heights(self._chat.rowCount(), px(GUESS_PX))
        if before and self._into > 0:
            self._into = round(self._into * self.layout_of(self._row).height / before)
        self._settle()

    def refresh_things(self) -> None:
        """Reads again the tasks and documents that messages show."""
        showing = [row for row, layout in self._layouts.items() if "kansli:" in layout.message.text]
        for row in showing:
            del self._layouts[row]
        if showing:
            self._settle()

    def row_rect(self, row: int) -> QRect:
        """The place of a row in the viewport."""
        top = self._heights.top(row) - self._heights.top(self._row) - self._into + PAD
        return QRect(0, top, self.viewport().width(), self._heights[row])

    # -- for a screen reader ----------------------------------------------------------------------------------------

    def make_spot(self, index: Index) -> RowSpot:
        return MessageSpot(self, index, self, self._chat.people)

    def is_new(self, row: int) -> bool:
        """Whether a message is announced as unread."""
        return self._chat.is_new(row)

    def part_of(self, row: int) -> int:
        """Which part of a message has the focus; -1: the message itself, or another one."""
        return self._part if row == self.currentIndex().row() else -1

    def press_part(self, row: int, number: int) -> None:
        """Does what a click on a part does."""
        parts = self.layout_of(row).parts()
        if number < len(parts):
            self.hit.emit(self._chat.timeline.message(row), parts[number][0])

    def spoken_focus(self) -> QObject | None:
        message = super().spoken_focus()
        part = message.spoken_focus() if isinstance(message, MessageSpot) else None
        return part or message

    def _step_part(self, by: int) -> None:
        """Moves the focus to the next or previous part of the current message; before the first part is the message
        itself."""
        row = self.currentIndex().row()
        if row < 0:
            return
        last = len(self.layout_of(row).parts()) - 1
        part = max(-1, min(last, self._part + by))
        if part != self._part:
            self._part = part
            self.scrollTo(self.currentIndex())
            self.viewport().update()
            self.notify_row()

    def _part_rect(self, row: int) -> QRectF | None:
        """The part that has the focus, within its message."""
        parts = self.layout_of(row).parts() if self._part >= 0 and row == self.currentIndex().row() else []
        return parts[self._part][1] if 0 <= self._part < len(parts) else None

    # -- laying out -------------------------------------------------------------------------------------------------

    def layout_of(self, row: int) -> MessageLayout:
        """The geometry of a row's message, in the present width."""
        layout = self._layouts.get(row)
        width = self.viewport().width()
        if layout is None or layout.width != width:
            timeline = self._chat.timeline
            message, place = timeline.message(row), timeline.place(row)
            words = self._marked[1] if self._marked[0] == message.change_id else ()
            layout = MessageLayout(message, place, width, self._chat.people, self._things, words)
            self._layouts[row] = layout
            if len(self._layouts) > LAYOUTS_KEPT:
                self._layouts.popitem(last=False)
        if self._heights[row] != layout.height:
            self._heights[row] = layout.height
        return layout

    def _settle(self) -> None:
        """Measures what is in sight, clamps the anchor and updates the scroll bar."""
        count, height = len(self._heights), self.viewport().height() - 2 * PAD
        if count == 0:
            self._row = self._into = 0
        if count == 0 or height <= 0:
            self._update_scroll_bar(height)
            return
        if not self._at_end or not self._anchor_at_end(count, height):
            self._normalise(count)
            self._fill(count, height)
        self._update_scroll_bar(height)
        self._follow_hover()
        self.viewport().update()
        self.sight_changed.emit()

    def _anchor_at_end(self, count: int, height: int) -> bool:
        """Anchors the end in the window, or as much as fits under the floor. Returns whether the end is in sight."""
        row, seen = count, 0
        while row > 0 and seen < height:
            row -= 1
            seen += self.layout_of(row).height
        self._row, self._into = row, max(0, seen - height)
        stopped = self._floor.row if self._floor.stops(self._row, self._into) else None
        if stopped is not None:
            self._row, self._into = stopped, 0
        self._set_at_end(stopped is None)
        return stopped is None

    def _normalise(self, count: int) -> None:
        """Walks the anchor until it lies inside its row."""
        self._row = min(self._row, count - 1)
        while self._into < 0 and self._row > 0:
            self._row -= 1
            self._into += self.layout_of(self._row).height
        self._into = max(0, self._into)
        while self._into >= self.layout_of(self._row).height and self._row < count - 1:
            self._into -= self.layout_of(self._row).height
            self._row += 1

    def _fill(self, count: int, height: int) -> None:
        """Measures down to the window's end; at the list's end the anchor follows."""
        row, seen = self._row, -self._into
        while row < count and seen < height:
            seen += self.layout_of(row).height
            row += 1
        if seen <= height and row == count:
            self._anchor_at_end(count, height)

    def _update_scroll_bar(self, height: int) -> None:
        bar = self.verticalScrollBar()
        self._moving = True
        bar.setPageStep(max(1, height))
        bar.setRange(0, max(0, self._heights.total - height))
        bar.setValue(self._heights.top(self._row) + self._into if len(self._heights) else 0)
        self._moving = False

    def _scroll(self, by: int) -> None:
        self._floor.row = None
        if by < 0:
            self._set_at_end(False)
        self._into += by
        self._settle()
        self._set_hover(-1)  # last: hiding the bar under the pointer can make Qt send a pointer move

    def _set_at_end(self, at_end: bool) -> None:
        if at_end != self._at_end:
            self._at_end = at_end
            self.at_end_changed.emit(at_end)

    def _rows_in_sight(self) -> range:
        row, y, count = self._row, -self._into, len(self._heights)
        while row < count and y < self.viewport().height():
            y += self._heights[row]
            row += 1
        return range(self._row, row)

    def _hit_at(self, point: QPoint) -> tuple[int, Hit | None]:
        row = self.indexAt(point).row()
        if row < 0:
            return -1, None
        return row, self.layout_of(row).hit(QPointF(point - self.row_rect(row).topLeft()))

    def _set_hover(self, row: int) -> None:
        if row != self._hover:
            self._hover = row
            self.hovered.emit(self._chat.timeline.message(row) if row >= 0 else None, self.row_rect(max(row, 0)))
            self.viewport().update()

    def _follow_hover(self) -> None:
        """Reports the hovered message at its new place; it is no longer hovered when it has left the window."""
        if self._hover in self._rows_in_sight():
            self.hovered.emit(self._chat.timeline.message(self._hover), self.row_rect(self._hover))
        else:
            self._set_hover(-1)

    def _choose(self, index: Index) -> None:
        """Makes a message the current one without scrolling. Scrolling would put another message under the pointer."""
        self.setAutoScroll(False)
        self.setCurrentIndex(index)
        self.setAutoScroll(True)

    def _forget(self, first: int, last: int) -> None:
        """Layouts from the row before `first` (its neighbour's look may change) to the one after `last`."""
        for row in [r for r in self._layouts if first - 1 <= r <= last + 1]:
            del self._layouts[row]

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    # A QListView only so that screen readers know it as a list. Its layout would ask for the size of every message.

    def doItemsLayout(self) -> None:
        QAbstractItemView.doItemsLayout(self)

    def updateGeometries(self) -> None:
        QAbstractItemView.updateGeometries(self)

    def currentChanged(self, current: Index, previous: Index) -> None:
        self._part = -1
        QAbstractItemView.currentChanged(self, current, previous)
        if self.hasFocus():
            self.notify_row()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        QAbstractItemView.selectionChanged(self, selected, deselected)
        if QAccessible.isActive() and self.currentIndex().isValid():
            event = QAccessibleEvent(self, QAccessible.Event.Selection)
            event.setChild(self.currentIndex().row())
            QAccessible.updateAccessibility(event)

    def rowsInserted(self, parent: Index, start: int, end: int) -> None:
        self._heights.insert(start, end - start + 1)
        self._forget(start, self._chat.rowCount())
        if not self._at_end and start <= self._row:
            self._row += end - start + 1
        if start <= self._hover:
            self._hover += end - start + 1
        timeline, me = self._chat.timeline, self._chat.people.me.uid
        theirs = next((row for row in range(start, end + 1) if timeline.message(row).author != me), None)
        self._floor.insert(start, end - start + 1, theirs if self._at_end else None)
        super().rowsInserted(parent, start, end)
        self._settle()

    def rowsAboutToBeRemoved(self, parent: Index, start: int, end: int) -> None:
        super().rowsAboutToBeRemoved(parent, start, end)
        self._heights.remove(start, end - start + 1)
        self._forget(start, self._chat.rowCount())
        self._row = max(0, min(self._row, len(self._heights) - 1))
        self._floor.remove(start, end - start + 1, len(self._heights))
        if start <= self._hover <= end:
            self._set_hover(-1)
        elif end < self._hover:
            self._hover -= end - start + 1
        self.viewport().update()

    def dataChanged(self, top_left: Index, bottom_right: Index, roles: object = ()) -> None:
        self._forget(top_left.row(), bottom_right.row())
        self._settle()

    def _on_layout(self) -> None:
        """Keeps what was in the window in its place, since older messages may have been added above it."""
        row, floor = self._row_again(self._row), self._row_again(self._floor.row)
        self._heights.reset(self._chat.rowCount())
        self._layouts.clear()
        self._set_hover(-1)
        self._floor.row = floor
        if row is not None:
            self._row = row
        else:
            self._into = 0
            self._set_at_end(True)
        self._settle()

    def _row_again(self, row: int | None) -> int | None:
        """The present row of the message that was laid out in `row`; None if it is gone."""
        layout = self._layouts.get(row) if row is not None else None
        return self._chat.timeline.index_of(layout.message.change_id) if layout is not None else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._layouts.clear()
        super().resizeEvent(event)
        self._settle()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if self._moving:
            return
        if abs(dy) > FAR * max(1, self.viewport().height()):
            self._floor.row = None
            self._set_at_end(False)
            self._row, self._into = self._heights.at(self.verticalScrollBar().value())
            self._settle()
            self._set_hover(-1)
        else:
            self._scroll(-dy)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), theme.current().colour("surface"))
        y = PAD - self._into
        current = self.currentIndex().row() if self.hasFocus() else -1
        for row in self._rows_in_sight():
            layout = self.layout_of(row)
            painter.save()
            painter.translate(0, y)
            self._painter.paint(
                painter, layout, hovered=row == self._hover, selected=row == current, focus=self.hasFocus()
            )
            if self.hasFocus() and (ring := self._part_rect(row)) is not None:
                self._painter.ring(painter, ring)
            painter.restore()
            y += layout.height

    def visualRect(self, index: Index) -> QRect:
        return self.row_rect(index.row()) if index.isValid() and index.row() < len(self._heights) else QRect()

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        if not index.isValid():
            return
        rect, height = self.visualRect(index), self.viewport().height()
        if abs(rect.top()) > FAR * height:
            self.jump_to(index.row(), select=False)
        elif rect.top() < PAD:
            self._scroll(rect.top() - PAD)
        elif rect.bottom() > height - PAD:
            self.layout_of(index.row())
            self._scroll(min(rect.top() - PAD, rect.bottom() - height + PAD))

    def indexAt(self, point: QPoint) -> QModelIndex:
        y = point.y() - PAD + self._into
        if y < 0:
            return QModelIndex()
        for row in self._rows_in_sight():
            if y < self._heights[row]:
                return self._chat.index(row)
            y -= self._heights[row]
        return QModelIndex()

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        page = max(1, len(self._rows_in_sight()) - 1)
        row = row_after(action, self.currentIndex().row(), self._chat.rowCount(), page)
        return self._chat.index(row) if row is not None else QModelIndex()

    def horizontalOffset(self) -> int:
        return 0

    def verticalOffset(self) -> int:
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        return False

    def setSelection(self, rect: QRect, command: object) -> None:
        index = self.indexAt(rect.center())
        if index.isValid():
            self.selectionModel().select(index, command)  # type: ignore[call-overload]

    def visualRegionForSelection(self, selection: object) -> QRegion:
        return QRegion(self.viewport().rect())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row, hit = self._hit_at(event.position().toPoint())
        self._set_hover(row)
        shape = Qt.CursorShape.PointingHandCursor if hit is not None else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)
        web = hit.run.href if hit is not None and hit.run is not None and hit.run.link is None else ""
        set_tip(self.viewport(), address_tip(web) if web else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row, hit = self._hit_at(event.position().toPoint())
        self._by_keys = False
        self._pressed = (self._chat.timeline.message(row).change_id, hit) if row >= 0 else None
        if row >= 0:
            self._choose(self._chat.index(row))
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Acts on a click only if it began on the same place: a new message may have moved the list under a button that
        is down."""
        row, hit = self._hit_at(event.position().toPoint())
        pressed, self._pressed = self._pressed, None
        if hit is None or event.button() != Qt.MouseButton.LeftButton:
            return
        message = self._chat.timeline.message(row)
        if pressed == (message.change_id, hit):
            self.hit.emit(message, hit)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Does no more than the first click. People double-click to choose a word, which must start nothing."""

    def leaveEvent(self, event: QEvent) -> None:
        under = self.viewport().mapFromGlobal(self.cursor().pos())
        if not self.viewport().rect().contains(under):
            self._set_hover(-1)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            index = self.indexAt(self.viewport().mapFromGlobal(event.globalPos()))
            if not index.isValid():
                return
            self._choose(index)
        else:
            self.scrollTo(self.currentIndex())
        message = self.current()
        if message is not None:
            self.menu_asked.emit(message, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        message, key = self.current(), event.key()
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        actions = {
            Qt.Key(ord(reply_letter())): "reply",
            Qt.Key(ord(edit_letter())): "edit",
            Qt.Key.Key_Delete: "delete",
            Qt.Key.Key_Plus: "react",
        }
        if key == Qt.Key.Key_Escape:
            self.left.emit()
        elif plain and key in (Qt.Key.Key_Right, Qt.Key.Key_Left):
            self._step_part(1 if key == Qt.Key.Key_Right else -1)
        elif self._part >= 0 and plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.press_part(self.currentIndex().row(), self._part)
        elif message is not None and event.matches(QKeySequence.StandardKey.Copy):
            self.key_pressed.emit(message, "copy")
        elif message is not None and plain and Qt.Key(key) in actions and (self._by_keys or key == Qt.Key.Key_Delete):
            self.scrollTo(self.currentIndex())
            self.key_pressed.emit(message, actions[Qt.Key(key)])
        elif message is not None and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Menu):
            self.scrollTo(self.currentIndex())
            rect = self.visualRect(self.currentIndex())
            self.menu_asked.emit(message, self.viewport().mapToGlobal(QPoint(80, max(0, rect.top()) + 30)))
        elif event.text().isprintable() and event.text().strip() and event.modifiers() & _COMMANDS in _LETTERS:
            self.typed.emit(event.text())
        else:
            self._by_keys = self._by_keys or key in _STEPS
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if not self.currentIndex().isValid() and self._chat.rowCount():
            rows = self._rows_in_sight()
            self.setCurrentIndex(self._chat.index(rows[-1] if rows else self._chat.rowCount() - 1))
        self.viewport().update()

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type]
        self.viewport().update()
