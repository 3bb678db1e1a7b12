# SPDX-License-Identifier: EUPL-1.2
"""The same cards as a table that can be sorted: for many cards, and for those who prefer rows."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from app.core.collation import swedish_key
from app.core.ids import Uid
from app.people.person import Person
from app.tasks.model import Board, Card, Column
from ui.kit import theme
from ui.kit.bind import bind
from ui.kit.edits import Edit, Moved, Removed, edits
from ui.kit.list_model import Index, do_edit
from ui.kit.list_place import ListPlace
from ui.kit.scale import px, row
from ui.kit.translate import local_now, short_day, tr
from ui.tasks.filter import Filter, urgency

_KEEP = QItemSelectionModel.SelectionFlag.NoUpdate
SORT = Qt.ItemDataRole.UserRole + 2
_WIDTHS = (330, 130, 150, 110, 190, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of the table: a card, and its text in each column of the table. `done`: the card is finished."""

    card: Card
    cells: tuple[str, ...]
    done: bool


class CardTableModel(QAbstractTableModel):
    """A Qt item model with a row for each card: title, column of the board, assigned to, due, labels, checklist."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[Line] = []

    def show_lines(self, lines: Sequence[Line], held: Collection[str]) -> None:
        """Replaces the rows: cards that are new are inserted, missing ones removed, others moved and changed.

        Only the cards in `held`, which are chosen, are moved as such. Others are removed and inserted again: at a move
        Qt's sorting model reports a new layout, and Qt then replaces the accessible objects of all cells.
        """
        new = list(lines)
        for edit in edits([line.card.id for line in self._lines], [line.card.id for line in new]):
            self._do(edit, new, held)
        changed = [at for at, (old, line) in enumerate(zip(self._lines, new, strict=True)) if old != line]
        self._lines = new
        for at in changed:
            self.dataChanged.emit(self.index(at, 0), self.index(at, self.columnCount() - 1))

    def _do(self, edit: Edit, new: Sequence[Line], held: Collection[str]) -> None:
        if not isinstance(edit, Moved) or self._lines[edit.first].card.id in held:
            do_edit(self, edit, self._lines, new)
            return
        line = self._lines[edit.first]
        do_edit(self, Removed(edit.first, 1), self._lines, new)
        self.beginInsertRows(QModelIndex(), edit.to, edit.to)
        self._lines.insert(edit.to, line)
        self.endInsertRows()

    def line(self, row: int) -> Line:
        """One row."""
        return self._lines[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(_headings())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _headings()[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line = self._lines[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return line.cells[index.column()]
        if role == SORT:
            return _sort_key(line, index.column())
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == 3:
            today = local_now().date()
            return theme.current().colour(urgency(line.card.due, today, done=line.done))
        return None


class CardTable(QTableView):
    """Shows a board as a table of cards that can be sorted. Enter or a double click opens a card: `card_opened` is
    emitted with its id, as `delete_asked` is by Del. The menu key or a right click emits `card_menu_asked` with the id
    and a global point. `people` returns the members, and is called each time."""

    card_opened = Signal(str)
    card_menu_asked = Signal(str, QPoint)
    delete_asked = Signal(str)

    def __init__(self, board: Board, people: Callable[[], Sequence[Person]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self._people = people
        self._filter = Filter()
        self.setAccessibleName(tr("Tasks as a table"))
        self._model = CardTableModel(self)
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(self._model)
        self._sorted.setSortRole(SORT)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self._sorted.sort(-1)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self._measure()
        theme.on_change(self, self._measure)
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.doubleClicked.connect(lambda index: self.card_opened.emit(self._card(index)))
        self._stale = False
        self._place = ListPlace(self)
        self._left = QPersistentModelIndex()
        bind(self, board.changed, lambda _ids: self.refresh())
        bind(self, board.columns_changed, self.refresh)
        self.refresh()
        self.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _measure(self) -> None:
        self.verticalHeader().setDefaultSectionSize(row(36))
        for section, width in enumerate(_WIDTHS):
            self.setColumnWidth(section, px(width))

    def hide_assignees(self) -> None:
        """Shows no column of people: on the person's own board nobody else is there."""
        self.setColumnHidden(2, True)

    def set_filter(self, chosen: Filter) -> None:
        """Shows only the cards that the filter shows."""
        self._filter = chosen
        self.refresh()

    def refresh(self) -> None:
        """Shows the cards of the board again; the chosen one stays chosen. While the table is hidden, this waits until
        it is shown."""
        if not self.isVisible():
            self._stale = True
            return
        self._stale = False
        today = local_now().date()
        labels = {label.id: label.name for label in self._board.labels()}
        people = {person.uid: person.name for person in self._people()}
        chosen: list[Index] = [self.currentIndex(), self._left, *self.selectionModel().selectedRows()]
        self._place.take()
        self._model.show_lines(
            [
                self._line(card, column, labels, people)
                for column in self._board.columns()
                for card in self._board.cards(column.id)
                if self._filter.shows(card, today)
            ],
            {self._card(index) for index in chosen},
        )
        self._place.restore()

    @staticmethod
    def _line(card: Card, column: Column, labels: Mapping[str, str], people: Mapping[Uid, str]) -> Line:
        cells = (
            card.title,
            column.title,
            people.get(card.assignee, "") if card.assignee else "",
            short_day(card.due) if card.due else "",
            ", ".join(labels[label] for label in card.labels if label in labels),
            f"{card.checked}/{len(card.checklist)}" if card.checklist else "",
        )
        return Line(card=card, cells=cells, done=column.done)

    def _card(self, index: Index) -> str:
        if not index.isValid():
            return ""
        return self._model.line(self._sorted.mapToSource(index).row()).card.id

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def focusInEvent(self, event: QFocusEvent) -> None:
        if not self.currentIndex().isValid() and self._left.isValid():
            self.selectionModel().setCurrentIndex(self._left, _KEEP)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Clears the current cell when the table loses the focus, until it gets it again. Otherwise Qt reports to
        screen readers that the cell still has it. A menu or another program takes the focus only for a while: the cell
        stays."""
        super().focusOutEvent(event)
        if event.reason() not in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason):
            self._left = QPersistentModelIndex(self.currentIndex())
            self.selectionModel().clearCurrentIndex()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        card = self._card(self.currentIndex())
        if card and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.card_opened.emit(card)
        elif card and event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit(card)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        card = self._card(self.indexAt(event.pos()) if event.reason() == event.Reason.Mouse else self.currentIndex())
        if card:
            self.card_menu_asked.emit(card, event.globalPos())


def _sort_key(line: Line, column: int) -> str:
    """The text by which `line` is sorted in the column with the number `column`. Days and numbers are in their own
    order, not in that of their letters: a card without a day is after the others, one without a checklist before
    them."""
    card = line.card
    if column == 3:
        return card.due.isoformat() if card.due else "\uffff"
    if column == 5:
        return f"{card.checked:09}/{len(card.checklist):09}" if card.checklist else ""
    return swedish_key(line.cells[column])[0]


def _headings() -> tuple[str, ...]:
    return (tr("Title"), tr("Column"), tr("Assigned to"), tr("Due"), tr("Labels"), tr("Checklist"))
