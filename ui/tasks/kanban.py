# SPDX-License-Identifier: EUPL-1.2
"""The board as columns of cards: what is moved by mouse or by keys. The gesture's logic is in gesture.py."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget

from app.people.person import Person
from app.tasks.model import Board, Card, Column
from ui.kit.bind import bind
from ui.kit.faces import notify_description
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import local_now, tr
from ui.tasks.card_widget import Around, CardWidget
from ui.tasks.column_view import ColumnView
from ui.tasks.drop_layer import DropLayer
from ui.tasks.filter import Filter
from ui.tasks.gesture import Box, Drag, Lane, scroll_speed

SCROLL_MS = 16
FILLED_AT_ONCE = 12
"""Cards of which the widgets are made in one part: 3 ms."""


class KanbanView(QScrollArea):
    """Shows a board as columns of cards, which a person moves by mouse or keys. Moves are made on the board at once; to
    open a card, or a menu at a global point, signals are emitted. `people` returns the members, and is called each
    time."""

    card_opened = Signal(str)
    card_menu_asked = Signal(str, QPoint)
    column_menu_asked = Signal(str, QPoint)
    add_asked = Signal(str)
    delete_asked = Signal(str)
    board_meant = Signal()
    """The focus belongs to the board as a whole: its ground was pressed, or the card that had the focus is gone."""

    def __init__(
        self,
        board: Board,
        people: Callable[[], Sequence[Person]],
        parent: QWidget | None = None,
        *,
        in_parts: bool = False,
    ) -> None:
        """`in_parts`: shows no card before `filling` is run."""
        super().__init__(parent)
        self._board = board
        self._missed: set[str] | None = set() if in_parts else None
        """While the view is not filled: the cards that have changed. None once it is."""
        self._is_stale = False
        """More than that has changed."""
        self._people = people
        self._filter = Filter()
        self._reminded: frozenset[str] = frozenset()
        self._drag = Drag()
        self._held: CardWidget | None = None
        """The pressed card's widget."""
        self._lifted_at = QPoint()
        self._left_at: tuple[str, int] | None = None
        """The column and place of the card that had the focus and is gone."""
        self._writable = True
        self.setAccessibleName(tr("Board"))
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        set_props(self, frame="clear")
        inside = QWidget()
        self._row: QHBoxLayout = line(inside, margins=(20, 10, 20, 0), spacing=18)
        self._row.addStretch(1)
        self._columns: KeyedRows[Column, ColumnView] = KeyedRows(
            inside, lambda shown: shown.id, self._new_column, self._show_column
        )
        self.setWidget(inside)
        self._layer = DropLayer(self.viewport())
        self._ticker = QTimer(self, interval=SCROLL_MS)
        self._ticker.timeout.connect(self._scroll_tick)
        bind(self, board.changed, self._on_cards)
        bind(self, board.columns_changed, self.refresh)
        self.refresh()

    def set_filter(self, chosen: Filter) -> None:
        """Shows only the cards that the filter shows."""
        self._filter = chosen
        self.refresh()

    def show_reminders(self, cards: frozenset[str]) -> None:
        """Shows on these cards, and on no others, that the person is to be reminded of them."""
        changed, self._reminded = cards ^ self._reminded, cards
        if changed:
            self._on_cards(changed)

    def set_writable(self, writable: bool) -> None:
        """Sets whether cards and columns can be moved, added and deleted here (`writable`); if not, a drag ends. Cards
        can be opened in either case."""
        self._writable = writable
        if not writable:
            self._drag.cancel()
            self._end_drag()
        for view in self.columns:
            view.set_writable(writable)

    def filling(self) -> Iterator[int]:
        """Shows the cards of a view that was made with `in_parts`, FILLED_AT_ONCE in each step, and at the end what has
        changed meanwhile. Yields how many are shown. Until the end the view shows only a part of the board, and must
        be hidden."""
        shown = 0
        for view in self.columns:
            cards, around = self._shown_in(view.column), self._around(view.column)
            for at in range(0, max(1, len(cards)), FILLED_AT_ONCE):
                some = cards[at : at + FILLED_AT_ONCE]
                view.add_cards(some, around)
                shown += len(some)
                yield shown
        missed, self._missed = self._missed, None
        if self._is_stale:
            self.refresh()
        elif missed:
            self._show_columns_of(frozenset(missed))

    def refresh(self) -> None:
        """Shows all columns and cards of the board again; not before a view that is filled in parts is full."""
        if self._missed is not None:
            self._is_stale = bool(self._columns.rows)
            if not self._is_stale:
                self._show_all()
            return
        with self._focus_kept():
            self._show_all()
        self._drop_lost()

    @property
    def columns(self) -> list[ColumnView]:
        """The columns as they are shown, from the left."""
        return self._columns.rows

    def _show_all(self) -> None:
        self._columns.show(self._board.columns())

    def _show_column(self, view: ColumnView, column: Column) -> None:
        self._row.setStretchFactor(view, 1000)  # the room beside the columns is the stretch's only if they are full
        view.show_column(column)
        if self._missed is None:
            view.show_cards(self._shown_in(column), self._around(column))

    def _shown_in(self, column: Column) -> list[Card]:
        cards = self._board.cards(column.id)
        return self._filter.shown(cards, local_now().date()) if self._filter.active else cards

    def _around(self, column: Column) -> Around:
        return Around(
            labels=tuple(self._board.labels()),
            people=tuple(self._people()),
            done=column.done,
            today=local_now().date(),
            reminded=self._reminded,
        )

    def _on_cards(self, ids: frozenset[str]) -> None:
        """Shows again the card that has changed, by its id. If several have, shows all cards of the columns that they
        left or entered: one by one, each would need the place that it has among those not yet shown. With no ids a
        label has changed, and everything is shown again."""
        if not ids:
            self.refresh()
            return
        if self._missed is not None:
            self._missed |= ids
            return
        with self._focus_kept():
            if len(ids) == 1:
                self._show_card(*ids)
            else:
                self._show_columns_of(ids)
        self._drop_lost()

    @contextmanager
    def _focus_kept(self) -> Iterator[None]:
        """A context for a change of what is shown: the focus follows its card to another column. If the card is gone,
        the board gets the focus. Otherwise Qt would give it to another card, which Del would delete then, or to another
        part of the window."""
        held = self.focused_card()
        if not held or self._stays(held):
            yield
            return
        i, j = self._find(held)
        self.board_meant.emit()
        yield
        if self.card_widget(held) is not None:
            self.focus_card(held)
        else:
            self._left_at = (self.columns[min(i, len(self.columns) - 1)].column.id, j)

    def _stays(self, card_id: str) -> bool:
        """Whether a card that is shown keeps its place at a refresh: it exists, the filter shows it, and it is in the
        same column."""
        card, column = self._board.card(card_id), self._board.column_of(card_id)
        shown = card is not None and not card.hidden and self._filter.shows(card, local_now().date())
        return shown and column is not None and self.columns[self._find(card_id)[0]].column.id == column.id

    def _show_columns_of(self, ids: frozenset[str]) -> None:
        entered = {column.id for column in map(self._board.column_of, ids) if column is not None}
        for view in self.columns:
            if view.column.id in entered or any(widget.card.id in ids for widget in view.cards):
                self._show_column(view, view.column)

    def _show_card(self, card_id: str) -> None:
        card, column, today = self._board.card(card_id), self._board.column_of(card_id), local_now().date()
        shown = card if card is not None and not card.hidden and self._filter.shows(card, today) else None
        for view in self.columns:
            if shown is not None and column is not None and view.column.id == column.id:
                at = [c.id for c in self._shown_in(column)].index(card_id)
                view.show_card(shown, self._around(column), at)
            else:
                view.drop_card(card_id)

    def card_widget(self, card_id: str) -> CardWidget | None:
        """The widget of a card; None if it is not shown."""
        return next((w for view in self.columns for w in view.cards if w.card.id == card_id), None)

    def focused_card(self) -> str:
        """The id of the card that has the focus; "" if none has."""
        focused = self.window().focusWidget()
        return next((w.card.id for view in self.columns for w in view.cards if w is focused), "")

    def focus_card(self, card_id: str) -> None:
        """Gives the card with this id the focus and brings it into sight. Does nothing if it is not shown."""
        widget = self.card_widget(card_id)
        if widget is not None:
            self._left_at = None
            widget.setFocus(Qt.FocusReason.OtherFocusReason)
            self.bring_into_sight(card_id)

    def enter(self) -> bool:
        """Gives the focus to the card that is now in the place of the card that had the focus and is gone; otherwise to
        the first card. False if there is no card."""
        column_id, place = self._left_at or ("", 0)
        here = next((view.cards for view in self.columns if view.column.id == column_id), [])
        cards = here or [widget for view in self.columns for widget in view.cards][:1]
        if cards:
            self.focus_card(cards[min(place, len(cards) - 1)].card.id)
        return bool(cards)

    def bring_into_sight(self, card_id: str) -> None:
        """Scrolls the board and the column so that the card with this id is visible. Does nothing if it is not
        shown."""
        widget = self.card_widget(card_id)
        view = next((v for v in self.columns if widget in v.cards), None)
        if widget is not None and view is not None:
            QTimer.singleShot(0, widget, lambda: view.area.ensureWidgetVisible(widget))
            self.ensureWidgetVisible(view)

    def _new_column(self, column: Column) -> ColumnView:
        view = ColumnView(column)
        view.set_writable(self._writable)
        view.card_made.connect(self._on_card_made)
        self.horizontalScrollBar().valueChanged.connect(view.unlight)
        view.menu_asked.connect(self.column_menu_asked)
        view.add_asked.connect(self.add_asked)
        return view

    def _on_card_made(self, widget: CardWidget) -> None:
        widget.grabbed.connect(self._on_pressed)
        widget.moved.connect(self._on_moved)
        widget.drag_ended.connect(self._on_released)
        widget.key_given.connect(self._on_key)
        widget.opened.connect(self.card_opened)
        widget.menu_asked.connect(self.card_menu_asked)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Handles a press on the board between and below the cards: the board gets the focus."""
        self.board_meant.emit()
        event.accept()

    # -- by mouse ---------------------------------------------------------------------------------------------------

    def _on_pressed(self, card_id: str, at: QPoint) -> None:
        point = self.viewport().mapFromGlobal(at)
        self._drag.press(card_id, point.x(), point.y())
        self._held = self.card_widget(card_id)

    def _on_moved(self, at: QPoint) -> None:
        if not self._writable:
            return
        point = self.viewport().mapFromGlobal(at)
        if self._drag.move(point.x(), point.y()):
            self._lift()
        if self._drag.dragging:
            self._show_drop()

    def _on_released(self, at: QPoint) -> None:
        was_dragging, card_id = self._drag.dragging, self._drag.card
        drop = self._drag.release(self._lanes())
        self._end_drag()
        if drop is not None:
            run_guarded(self, lambda: self._board.move_card(card_id, drop.column, drop.before))
            self.focus_card(card_id)
        elif not was_dragging and card_id:
            self.card_opened.emit(card_id)

    def _lift(self) -> None:
        widget = self.card_widget(self._drag.card)
        if widget is None:
            self._drag.cancel()
            return
        start = QPoint(*self._drag.start)
        self._lifted_at = start - widget.mapTo(self.viewport(), QPoint(0, 0))
        self._layer.lift(widget.grab())
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        self._ticker.start()

    def _show_drop(self) -> None:
        drop = self._drag.target(self._lanes())
        mark = QRectF()
        for view in self.columns:
            if drop is not None and view.column.id == drop.column:
                left = view.mapTo(self.viewport(), QPoint(0, 0)).x()
                mark = QRectF(left + 2, drop.y - 1.5, view.width() - 4, 3)
        self._layer.move_to(QPoint(*self._drag.at) - self._lifted_at, mark)

    def _lanes(self) -> list[Lane]:
        return [
            Lane(
                column=view.column.id,
                box=self._box(view.area),
                cards=tuple((w.card.id, self._box(w)) for w in view.cards if w.card.id != self._drag.card),
            )
            for view in self.columns
        ]

    def _box(self, widget: QWidget) -> Box:
        corner = widget.mapTo(self.viewport(), QPoint(0, 0))
        return Box(x=corner.x(), y=corner.y(), width=widget.width(), height=widget.height())

    def _scroll_tick(self) -> None:
        """Called by a timer while a card is dragged: near an edge, scrolls the board sideways and the column under the
        pointer up or down."""
        x, y = self._drag.at
        across = scroll_speed(x, 0, self.viewport().width())
        self.horizontalScrollBar().setValue(self.horizontalScrollBar().value() + across)
        for view in self.columns:
            box = self._box(view.area)
            if box.x <= x <= box.x + box.width:
                bar = view.area.verticalScrollBar()
                bar.setValue(bar.value() + scroll_speed(y, box.y, box.y + box.height))
        self._show_drop()

    def _drop_lost(self) -> None:
        """Ends the drag if a colleague has moved the dragged card to another column or removed it. Its widget is gone,
        so it receives no release."""
        if self._drag.card and self.card_widget(self._drag.card) is not self._held:
            self._drag.cancel()
            self._end_drag()

    def _end_drag(self) -> None:
        self._ticker.stop()
        self._layer.drop()
        self.viewport().unsetCursor()

    # -- by keys ----------------------------------------------------------------------------------------------------

    def _on_key(self, card_id: str, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        if key == Qt.Key.Key_Escape and self._drag.card:
            self._drag.cancel()
            self._end_drag()
        elif key in steps and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.move_by(card_id, *steps[key])
        elif key in steps:
            self._focus_by(card_id, *steps[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.card_opened.emit(card_id)
        elif key == Qt.Key.Key_Delete and self._writable:
            self.delete_asked.emit(card_id)
        elif key == Qt.Key.Key_Menu:
            widget = self.card_widget(card_id)
            if widget is not None:
                self.card_menu_asked.emit(card_id, widget.mapToGlobal(QPoint(20, widget.height() - 6)))
        else:
            return
        event.accept()

    def _find(self, card_id: str) -> tuple[int, int]:
        for i, view in enumerate(self.columns):
            for j, widget in enumerate(view.cards):
                if widget.card.id == card_id:
                    return i, j
        return -1, -1

    def _focus_by(self, card_id: str, across: int, down: int) -> None:
        i, j = self._find(card_id)
        if i < 0:
            return
        if down:
            cards = self.columns[i].cards
            self.focus_card(cards[max(0, min(len(cards) - 1, j + down))].card.id)
            return
        i += across
        while 0 <= i < len(self.columns):
            if cards := self.columns[i].cards:
                self.focus_card(cards[min(j, len(cards) - 1)].card.id)
                return
            i += across

    def move_by(self, card_id: str, across: int, down: int) -> None:
        """Moves a card by `across` columns to the right (negative: left) and `down` places (negative: up), among the
        cards that are shown, at most to the first or last place. Does nothing beyond the first or last column, for a
        card that is not shown, or if the board can only be read."""
        i, j = self._find(card_id)
        to = i + across
        if not self._writable or i < 0 or not 0 <= to < len(self.columns):
            return
        others = [w.card.id for w in self.columns[to].cards if w.card.id != card_id]
        at = max(0, j + down)
        before = others[at] if at < len(others) else None
        run_guarded(self, lambda: self._board.move_card(card_id, self.columns[to].column.id, before))
        self.focus_card(card_id)
        moved = self.card_widget(card_id)
        if moved is not None:
            notify_description(moved)  # it has the focus as before, and is in another place
