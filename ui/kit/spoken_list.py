# SPDX-License-Identifier: EUPL-1.2
"""Lists for screen readers: one focus, each row a list item with its place, and parts inside of a row.

Qt's own interface of a list reports that the list and its current row both have the focus, also while neither has it,
and its rows contain nothing.
"""

from PySide6.QtCore import QObject, QPersistentModelIndex, QRect, Qt, QTimer
from PySide6.QtGui import QAccessible, QFocusEvent
from PySide6.QtWidgets import QListView, QListWidget, QWidget

from ui.kit.faces import FOREIGN, ForeignSpoken, Role, Spoken, Spot, State, look_again, notify_focus
from ui.kit.list_model import FOLDED, Index

SECTION_LEVEL = 3
ROWS_KEPT = 300
"""Rows that a screen reader asked for; one that walks through 100,000 leaves the first of them behind."""


class RowSpot(Spot):
    """Represents one row of a list view for screen readers. It stays with its row when rows are inserted, and is gone
    with it."""

    def __init__(self, view: QListView, index: Index) -> None:
        super().__init__(view)
        self.view = view
        self.index = QPersistentModelIndex(index)

    def spoken_role(self) -> Role:
        return Role.ListItem if self.index.flags() & Qt.ItemFlag.ItemIsSelectable else Role.Heading

    def spoken_level(self) -> int:
        return SECTION_LEVEL if self.spoken_role() == Role.Heading else 0

    def spoken_name(self) -> str:
        spoken = self.index.data(Qt.ItemDataRole.AccessibleTextRole)
        return str(spoken or self.index.data(Qt.ItemDataRole.DisplayRole) or "")

    def spoken_state(self) -> State:
        state, view = State(), self.view
        known = self.index.isValid()
        state.invisible = not (view.isVisible() and self._rect().intersects(view.viewport().rect()))
        state.selectable = state.focusable = known
        state.selected = known and view.selectionModel().isSelected(self.index)
        state.focused = known and self.has_focus()
        folded = self.index.data(FOLDED)
        state.expandable = folded is not None
        state.expanded, state.collapsed = folded is False, folded is True
        ticked = self.index.data(Qt.ItemDataRole.CheckStateRole)
        state.checkable = ticked is not None
        state.checked = ticked is not None and Qt.CheckState(ticked) == Qt.CheckState.Checked
        return state

    def has_focus(self) -> bool:
        """Whether this row is where the person is."""
        return self.view.hasFocus() and self.view.currentIndex() == self.index

    def spoken_rect(self) -> QRect:
        rect = self._rect()
        return QRect(self.view.viewport().mapToGlobal(rect.topLeft()), rect.size())

    def _rect(self) -> QRect:
        return self.view.visualRect(self.index) if self.index.isValid() else QRect()

    @property
    def presses(self) -> bool:
        return True

    def press(self) -> None:
        if self.index.isValid():
            self.view.setCurrentIndex(self.index)
            self.view.activated.emit(self.index)


class SpokenList(Spoken):
    """A base class of list views that screen readers report rightly: one focus, and rows as items. It comes before Qt's
    class. `make_spot` makes the object for a row; override it for rows of another kind."""

    def make_spot(self, index: Index) -> RowSpot:
        """A new spot for a row."""
        return RowSpot(self._list(), index)

    def spoken_role(self) -> Role | None:
        return Role.List

    def spoken_state(self) -> State:
        state = super().spoken_state()
        state.focused = state.focused and not self._list().currentIndex().isValid()
        return state

    def spoken_count(self) -> int:
        model = self._list().model()
        return model.rowCount() if model is not None else 0

    def spoken_child(self, number: int) -> QObject | None:
        if not 0 <= number < self.spoken_count():
            return None
        spots = self._spots()
        found = next((spot for spot in reversed(spots) if spot.index.row() == number), None)
        if found is None:
            found = self.make_spot(self._list().model().index(number, 0))
            spots.append(found)
            self._drop_old(spots)
        return found

    def spoken_number(self, child: QObject | None) -> int:
        return child.index.row() if isinstance(child, RowSpot) else -1

    def spoken_focus(self) -> QObject | None:
        view = self._list()
        return self.spoken_child(view.currentIndex().row()) if view.hasFocus() else None

    def notify_row(self) -> None:
        """Notifies screen readers that the focus is on the current row of the list. Does nothing while the list has no
        focus or no current row, or no screen reader runs."""
        focused = self.spoken_focus() if QAccessible.isActive() else None
        if focused is not None:
            notify_focus(focused)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)  # type: ignore[misc] # Qt's class comes after this one
        QTimer.singleShot(0, self._list(), self.notify_row)  # after Qt has notified of the list itself

    def _list(self) -> QListView:
        view = self._widget()
        assert isinstance(view, QListView)  # noqa: S101 - narrows the type
        return view

    def _spots(self) -> list[RowSpot]:
        spots: list[RowSpot] = self.__dict__.setdefault("_row_spots", [])
        gone = [spot for spot in spots if not spot.index.isValid()]
        for spot in gone:
            spots.remove(spot)
            spot.deleteLater()
        return spots

    def _drop_old(self, spots: list[RowSpot]) -> None:
        while len(spots) > ROWS_KEPT:
            spots.pop(0).deleteLater()


class ForeignList(SpokenList, ForeignSpoken):
    """Gives screen readers the answers for the list of a combo box. Qt reports that it has the focus while it is
    closed."""


FOREIGN[QListView] = ForeignList


class ItemList(SpokenList, QListWidget):
    """A list view of items that are texts, which screen readers report rightly."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look_again(self)
