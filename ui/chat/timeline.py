# SPDX-License-Identifier: EUPL-1.2
"""The conversation on screen: an item view that lays out only what is seen, at 100,000 messages as at ten.

Unseen rows have a guessed height (layouts.py). The wheel, keys and scroll bar all move an anchor (anchor.py): a row,
and how far into it the window begins. So the row at the top stays in its place when a guess turns out wrong.
"""

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QWidget

from app.chat.model import Message
from app.chat.transfers import Transfers
from app.core.ids import ChangeId
from ui.chat import timeline_keys
from ui.chat.anchor import Anchor
from ui.chat.hover import Hover
from ui.chat.item_model import TimelineModel
from ui.chat.layouts import Layouts
from ui.chat.message_layout import Hit, MessageLayout, Part
from ui.chat.message_painter import MessagePainter
from ui.chat.moving import row_after
from ui.chat.part_focus import PartFocus
from ui.chat.placed_list import PlacedList
from ui.chat.spoken import MessageSpot
from ui.chat.things import Things
from ui.kit import theme
from ui.kit.bind import bind
from ui.kit.list_model import Index
from ui.kit.plain import set_tip
from ui.kit.spoken_list import RowSpot
from ui.kit.translate import tr
from ui.kit.web import address_tip

PAD = 10
CONTEXT_PX = 48
FAR = 4
"""A jump of more than this many windows looks its place up instead of walking there."""


class TimelineView(PlacedList):
    """Shows a conversation's messages. It decides nothing: what a person asks for by click or key is emitted."""

    hit = Signal(object, object)
    """Message, Hit: something in it was clicked or chosen by Enter."""
    typed = Signal(str)
    """Letters that act on no message: typed at the list, meant for the field."""
    key_pressed = Signal(object, str)
    """Message, "reply" | "edit" | "delete" | "copy" | "react": asked for by key."""
    menu_asked = Signal(object, QPoint)
    """Message, global point: its menu, by mouse or key."""
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
        """`transfers` knows which files are being fetched, `things` what links lead to (None: no cards for them)."""
        super().__init__(parent)
        self._chat = model
        self.painter = MessagePainter(transfers)
        self._layouts = Layouts(model, things or Things(), self.viewport())
        self._anchor = Anchor(self._layouts)
        bind(self, self._anchor.at_end_changed, lambda at_end: self.at_end_changed.emit(at_end))
        self._moving = False
        self._part = PartFocus(self._layouts)
        self._hover = Hover(self._on_hover)
        self._removing = False
        """Whether rows are being removed: the view still counts them, and the conversation has them no more."""
        self._moved = False
        """Whether the removal has made another row the current one."""
        self._pressed: tuple[ChangeId, Hit | None] | None = None
        self._by_keys = False
        """Whether the current message was chosen by keys. Only then do letters act on it: a person who has clicked on a
        message and types is writing."""
        model.rowsRemoved.connect(self._on_removed)  # before Qt's own slots, which report the list to screen readers
        self.setModel(model)
        model.layoutChanged.connect(self._on_layout)
        self.setAccessibleName(tr("Messages"))
        self.verticalScrollBar().setSingleStep(40)
        theme.on_change(self, self.relayout)
        self.jump_to_end()

    # -- for the view that holds it ---------------------------------------------------------------------------------

    @property
    def at_end(self) -> bool:
        """Whether the latest message is in sight. The view then follows new messages."""
        return self._anchor.at_end

    def jump_to_end(self) -> None:
        """Scrolls to the latest message, and follows new ones."""
        self._hover.end()
        self._anchor.go_to_end()
        self._settle()

    def open_at(self, row: int) -> None:
        """Shows the message in `row` at the top of the window, below a little of what is before it. Until that message
        has been seen, the view follows new messages only as far as it stays in the window."""
        self.scroll_to_row(row, -CONTEXT_PX)
        self._anchor.floor.row = row

    def mark_seen(self, seen: Collection[ChangeId]) -> None:
        """Notes that these messages were seen. Only then may following new messages push them out of the window."""
        timeline = self._chat.timeline
        self._anchor.floor.mark_seen(lambda row: timeline.message(row).change_id in seen, len(timeline))

    def ids_in_sight(self) -> list[ChangeId]:
        """The messages that can be read now, from the top: half of each is in the window, or it fills half of that."""
        window = self.viewport().rect()
        rects = ((row, self.layout_of(row).own_rect(self.row_rect(row))) for row in self._rows_in_sight())
        return [
            self._chat.timeline.message(row).change_id
            for row, rect in rects
            if 2 * rect.intersected(window).height() >= min(window.height(), rect.height())
        ]

    def jump_to(self, row: int, *, select: bool = True) -> None:
        """Scrolls so that the message in `row` is in the upper half of the window, and with `select` chooses it.
        Nothing for no such row."""
        if not 0 <= row < self._chat.rowCount():
            return
        self.scroll_to_row(row, -self.viewport().height() // 4)
        if select:
            self.setCurrentIndex(self._chat.index(row))

    def top_row(self) -> tuple[int, int] | None:
        """The row at the window's top, and how many pixels of it are above; None at the end or without rows."""
        return None if self._anchor.at_end or not len(self._layouts) else (self._anchor.row, self._anchor.into)

    def scroll_to_row(self, row: int, into: int) -> None:
        """Scrolls so that the window begins `into` pixels below the top of `row` (negative: above), if it exists."""
        if 0 <= row < self._chat.rowCount():
            self._hover.end()
            self._anchor.go_to(row, into)
            self._settle()

    def mark(self, change_id: ChangeId | None, words: Sequence[str]) -> None:
        """Marks the `words` of a search in the message with this id (None: in none), and no words in any other."""
        self._layouts.mark(change_id, words)
        self._settle()

    def current(self) -> Message | None:
        """The message that is selected; None if none is."""
        index = self.currentIndex()
        return self._chat.timeline.message(index.row()) if index.isValid() else None

    def relayout(self) -> None:
        """Lays everything out again, after the theme, text size or density changed. The row at the top of the window
        stays there: it begins as far up, in proportion to its height."""
        self._anchor.measure_again(self._layouts.guess_again)
        self._settle()

    def lay_out_where(self, changed: Callable[[MessageLayout], bool]) -> None:
        """Lays out again each message for whose layout `changed` returns True. Links then have their present titles."""
        if self._layouts.forget_where(changed):
            self._settle()

    def row_rect(self, row: int) -> QRect:
        """The place of a row in the viewport."""
        return QRect(0, self._anchor.top(row) + PAD, self.viewport().width(), self._layouts.heights[row])

    # -- for a screen reader ----------------------------------------------------------------------------------------

    def make_spot(self, index: Index) -> RowSpot:
        return MessageSpot(self, index, self, self._chat.people)

    def is_new(self, row: int) -> bool:
        """Whether a message is announced as unread."""
        return self._chat.is_new(row)

    def part_of(self, row: int) -> int:
        """Which part of a message has the focus; -1: the message itself, or another one."""
        return self._part.number if row == self.currentIndex().row() else -1

    def press_part(self, row: int, number: int) -> None:
        """Does what a click does on the part `number` (an index) of the message in `row`, if there is such a part."""
        for hit, _rect in self._layouts.at(row).parts()[number : number + 1]:
            self._act(row, hit)

    def _act(self, row: int, hit: Hit) -> None:
        """Unfolds or folds a line beside the message in `row`; what else was chosen there is emitted."""
        if hit.part is Part.LINES:
            self._layouts.unfold(row, hit.number)
            self._settle()
            self.notify_row()
        else:
            self.hit.emit(self._chat.timeline.message(row), hit)

    def spoken_focus(self) -> QObject | None:
        message = super().spoken_focus()
        part = message.spoken_focus() if isinstance(message, MessageSpot) else None
        return part or message

    def _step_part(self, by: int) -> None:
        """Moves the focus to the next (`by` 1) or previous (-1) part of the current message, if there is one."""
        if self._part.step(self.currentIndex().row(), by):
            self.scrollTo(self.currentIndex())
            self.viewport().update()
            self.notify_row()

    # -- laying out -------------------------------------------------------------------------------------------------

    def layout_of(self, row: int) -> MessageLayout:
        """The geometry of a row's message, in the present width."""
        return self._layouts.at(row)

    def _settle(self) -> None:
        """Lays out and measures the rows in sight, scrolls back into the list if the window is beyond an end, and
        updates the scroll bar. Call it after every change of rows, size or scroll position."""
        height = self.viewport().height() - 2 * PAD
        settled = self._anchor.settle(height)
        self._update_scroll_bar(height)
        if settled:
            self._hover.follow(self._rows_in_sight())
            self.viewport().update()
            self.sight_changed.emit()

    def _update_scroll_bar(self, height: int) -> None:
        bar = self.verticalScrollBar()
        self._moving = True
        bar.setPageStep(max(1, height))
        heights, anchor = self._layouts.heights, self._anchor
        bar.setRange(0, max(0, heights.total - height))
        bar.setValue(heights.top(anchor.row) + anchor.into if len(heights) else 0)
        self._moving = False

    def _scroll(self, by: int) -> None:
        self._anchor.move(by)
        self._settle()
        self._hover.end()  # last: hiding the bar under the pointer can make Qt send a pointer move

    def _rows_in_sight(self) -> range:
        return self._anchor.rows_in_sight(self.viewport().height())

    def _hit_at(self, point: QPoint) -> tuple[int, Hit | None]:
        row = self.indexAt(point).row()
        if row < 0:
            return -1, None
        return row, self._layouts.at(row).hit(QPointF(point - self.row_rect(row).topLeft()))

    def _on_hover(self, row: int) -> None:
        if row >= 0:
            self.hovered.emit(self._chat.timeline.message(row), self.row_rect(row))
        else:
            self.hovered.emit(None, QRect())
        self.viewport().update()

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    def currentChanged(self, current: Index, previous: Index) -> None:
        self._part.reset()
        QAbstractItemView.currentChanged(self, current, previous)
        if self._removing:
            self._moved = True
        elif self.hasFocus():
            self.notify_row()

    def notify_selection(self) -> None:
        if not self._removing:
            super().notify_selection()

    def rowsInserted(self, parent: Index, start: int, end: int) -> None:
        count = end - start + 1
        self._layouts.heights.insert(start, count)
        self._layouts.forget(start, self._chat.rowCount())
        self._hover.insert(start, count)
        timeline, me = self._chat.timeline, self._chat.people.me.uid
        theirs = next((row for row in range(start, end + 1) if timeline.message(row).author != me), None)
        self._anchor.insert(start, count, theirs)
        super().rowsInserted(parent, start, end)
        self._settle()

    def rowsAboutToBeRemoved(self, parent: Index, start: int, end: int) -> None:
        """Called by Qt, which chooses another current row here. The messages are gone already, so nothing is laid out,
        scrolled to or reported before `_on_removed` (after the removal): the rows' numbers are wrong until then."""
        self._removing, self._moved = True, False
        self.setAutoScroll(False)
        super().rowsAboutToBeRemoved(parent, start, end)

    def _on_removed(self, parent: Index, start: int, end: int) -> None:
        self._removing = False
        self.setAutoScroll(True)
        self._layouts.forget(start, len(self._layouts))
        self._layouts.heights.remove(start, end - start + 1)
        self._anchor.remove(start, end - start + 1)
        self._hover.remove(start, end)
        self.viewport().update()
        self._settle()
        if self._moved:
            self.notify_selection()
            if self.hasFocus():
                self.notify_row()

    def dataChanged(self, top_left: Index, bottom_right: Index, roles: object = ()) -> None:
        self._layouts.forget(top_left.row(), bottom_right.row())
        self._settle()

    def _on_layout(self) -> None:
        """After older messages were added: keeps the row at the window's top in place; if it is gone, shows the end."""
        row, floor = (self._layouts.row_now(kept) for kept in (self._anchor.row, self._anchor.floor.row))
        self._layouts.reset()
        self._hover.end()
        self._anchor.renew(row, floor)
        self._settle()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._layouts.forget_all()
        super().resizeEvent(event)
        self._settle()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if self._moving:
            return
        if abs(dy) > FAR * max(1, self.viewport().height()):
            self._anchor.go_to(*self._layouts.heights.at(self.verticalScrollBar().value()))
            self._settle()
            self._hover.end()
        else:
            self._scroll(-dy)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(event.rect(), theme.current().colour("surface"))
        y = PAD - self._anchor.into
        focus = self.hasFocus()
        current = self.currentIndex().row() if focus else -1
        for row in self._rows_in_sight():
            layout = self._layouts.at(row)
            painter.save()
            painter.translate(0, y)
            self.painter.paint(painter, layout, hovered=row == self._hover.row, selected=row == current, focus=focus)
            if row == current and (ring := self._part.rect(row)) is not None:
                self.painter.ring(painter, ring)
            painter.restore()
            y += layout.height

    def visualRect(self, index: Index) -> QRect:
        return self.row_rect(index.row()) if index.isValid() and index.row() < len(self._layouts) else QRect()

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
            self._layouts.at(index.row())
            self._scroll(min(rect.top() - PAD, rect.bottom() - height + PAD))

    def indexAt(self, point: QPoint) -> QModelIndex:
        row = self._anchor.row_at(point.y() - PAD, self.viewport().height())
        return self._chat.index(row) if row is not None else QModelIndex()

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        page = max(1, len(self._rows_in_sight()) - 1)
        row = row_after(action, self.currentIndex().row(), self._chat.rowCount(), page)
        return self._chat.index(row) if row is not None else QModelIndex()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row, hit = self._hit_at(event.position().toPoint())
        self._hover.move(row)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hit else Qt.CursorShape.ArrowCursor)
        set_tip(self.viewport(), address_tip(hit.web) if hit is not None and hit.web else "")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row, hit = self._hit_at(event.position().toPoint())
        self._by_keys = False
        self._pressed = (self._chat.timeline.message(row).change_id, hit) if row >= 0 else None
        if row >= 0:
            self.choose(self._chat.index(row))
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Acts on a left click only if it began on the same part of the same message: a new message may have moved the
        list under a button that is down."""
        row, hit = self._hit_at(event.position().toPoint())
        pressed, self._pressed = self._pressed, None
        if hit is None or event.button() != Qt.MouseButton.LeftButton:
            return
        if pressed == (self._chat.timeline.message(row).change_id, hit):
            self._act(row, hit)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Does no more than the first click. People double-click to choose a word, which must start nothing."""

    def leaveEvent(self, event: QEvent) -> None:
        if not self.viewport().rect().contains(self.viewport().mapFromGlobal(self.cursor().pos())):
            self._hover.end()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            index = self.indexAt(self.viewport().mapFromGlobal(event.globalPos()))
            if not index.isValid():
                return
            self.choose(index)
        else:
            self.scrollTo(self.currentIndex())
        message = self.current()
        if message is not None:
            self.menu_asked.emit(message, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        message = self.current()
        action = timeline_keys.action(event, by_keys=self._by_keys) if message is not None else ""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif step := timeline_keys.steps_part(event):
            self._step_part(step)
        elif self._part.number >= 0 and timeline_keys.presses_part(event):
            self.press_part(self.currentIndex().row(), self._part.number)
        elif action:
            if action != "copy":
                self.scrollTo(self.currentIndex())
            self.key_pressed.emit(message, action)
        elif message is not None and timeline_keys.opens_menu(event):
            self.scrollTo(self.currentIndex())
            rect = self.visualRect(self.currentIndex())
            self.menu_asked.emit(message, self.viewport().mapToGlobal(QPoint(80, max(0, rect.top()) + 30)))
        elif timeline_keys.is_typed(event):
            self.typed.emit(event.text())
        else:
            self._by_keys = self._by_keys or timeline_keys.moves(event)
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
