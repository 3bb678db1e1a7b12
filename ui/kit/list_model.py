# SPDX-License-Identifier: EUPL-1.2
"""A Qt item model over a plain sequence of frozen rows, which is never reset: it changes, inserts, moves and removes
single rows. So the current row, the selection and the objects that a screen reader holds survive a refresh.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractItemModel,
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from ui.kit.edits import Edit, Inserted, Moved, Removed, edits

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex

ROW = Qt.ItemDataRole.UserRole + 1
"""The role under which the row object itself is found; delegates read it."""
FOLDED = Qt.ItemDataRole.UserRole + 2
"""The role under which a heading has whether its rows are folded up; None for what cannot be folded."""


class ListModel(QAbstractListModel, Generic[Row]):
    """A Qt item model of rows, by key: `key(row)` identifies a row between two `set_rows`. `roles` has, for each Qt
    role, the function that returns a row's value. Give at least DisplayRole and AccessibleTextRole, the text that a
    screen reader reads out for a row. `selectable` returns whether a row can be chosen; all can by default.
    `reachable` returns whether a row that cannot can be the current one all the same; none can by default."""

    refreshing = Signal()
    """Emitted before rows are changed."""
    refreshed = Signal()
    """Emitted after rows were changed."""

    def __init__(
        self,
        key: Callable[[Row], Hashable],
        roles: dict[int, Callable[[Row], Any]] | None = None,
        parent: QObject | None = None,
        *,
        selectable: Callable[[Row], bool] | None = None,
        reachable: Callable[[Row], bool] | None = None,
    ) -> None:
        super().__init__(parent)
        self._key = key
        self._roles = roles or {}
        self._rows: list[Row] = []
        self._selectable = selectable
        self._reachable = reachable

    @property
    def rows(self) -> Sequence[Row]:
        """The rows as they are."""
        return self._rows

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Replaces the rows. It inserts, removes and moves rows by their keys, and emits `dataChanged` for each other
        row that differs. Only if rows were inserted, removed or moved does it emit `refreshing` before and `refreshed`
        after."""
        new = list(rows)
        old_keys = [self._key(r) for r in self._rows]
        new_keys = [self._key(r) for r in new]
        if old_keys != new_keys:
            self.refreshing.emit()
            for edit in edits(old_keys, new_keys):
                do_edit(self, edit, self._rows, new)
        changed = [i for i, (a, b) in enumerate(zip(self._rows, new, strict=True)) if a != b]
        self._rows = new
        for i in changed:
            self.dataChanged.emit(self.index(i), self.index(i))
        if old_keys != new_keys:
            self.refreshed.emit()

    def insert_rows(self, at: int, rows: Sequence[Row]) -> None:
        """Inserts `rows` before the row with the index `at`; behind the last one if `at` is their number. Their keys
        must be new. Unlike `set_rows` it costs no more in a long list."""
        if rows:
            self.refreshing.emit()
            self.beginInsertRows(QModelIndex(), at, at + len(rows) - 1)
            self._rows[at:at] = rows
            self.endInsertRows()
            self.refreshed.emit()

    def cut(self, count: int) -> None:
        """Removes the rows behind the first `count`; none if there are no more than that."""
        if len(self._rows) > count:
            self.beginRemoveRows(QModelIndex(), count, len(self._rows) - 1)
            del self._rows[count:]
            self.endRemoveRows()

    def change_rows(self, at: int, rows: Sequence[Row]) -> None:
        """Replaces the rows from the index `at` on by `rows`, which have the same keys."""
        if rows:
            self._rows[at : at + len(rows)] = rows
            self.dataChanged.emit(self.index(at), self.index(at + len(rows) - 1))

    def row(self, index: Index) -> Row | None:
        """The row at an index, or None."""
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def index_of(self, key: Hashable) -> QModelIndex:
        """The index of the row with that key; an invalid index if there is none."""
        for i, row in enumerate(self._rows):
            if self._key(row) == key:
                return self.index(i)
        return QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index)
        if row is None:
            return None
        if role == ROW:
            return row
        value = self._roles.get(role)
        return value(row) if value is not None else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.row(index)
        if row is None or (self._selectable is not None and not self._selectable(row)):
            is_reachable = row is not None and self._reachable is not None and self._reachable(row)
            return Qt.ItemFlag.ItemIsEnabled if is_reachable else Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


def do_edit(model: QAbstractItemModel, edit: Edit, rows: list[Row], new: Sequence[Row]) -> None:
    """Makes one edit in `rows`, the list that the model shows, and notifies the model's views. `new` is the list that
    the edits lead to."""
    top = QModelIndex()
    match edit:
        case Removed(first, count):
            model.beginRemoveRows(top, first, first + count - 1)
            del rows[first : first + count]
            model.endRemoveRows()
        case Moved(first, to):
            model.beginMoveRows(top, first, first, top, edit.before)
            rows.insert(to, rows.pop(first))
            model.endMoveRows()
        case Inserted(first, count):
            model.beginInsertRows(top, first, first + count - 1)
            rows[first:first] = new[first : first + count]
            model.endInsertRows()
