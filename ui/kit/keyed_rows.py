# SPDX-License-Identifier: EUPL-1.2
"""Row widgets, one per key: a refresh changes, adds, moves and removes single rows and rebuilds none.

A row whose key is still there keeps its widget. So the focus, a selected text, the scroll position and the object that
a screen reader holds survive a refresh that changes another row.
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Generic, TypeVar

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QBoxLayout, QScrollArea, QWidget

from app.errors import BugError

Item = TypeVar("Item")
Row = TypeVar("Row", bound=QWidget)


class KeyedRows(Generic[Item, Row]):
    """Shows a sequence of items in a host widget, whose box layout holds these rows and nothing else."""

    def __init__(
        self,
        host: QWidget,
        key: Callable[[Item], Hashable],
        make: Callable[[Item], Row],
        update: Callable[[Row, Item], object],
    ) -> None:
        """`make` builds the row of a new key. `update` shows an item in its row, also right after `make`; it sets only
        what differs, and creates no widget that takes the focus."""
        layout = host.layout()
        if not isinstance(layout, QBoxLayout):
            raise BugError("rows need a box layout")
        self._host, self._layout = host, layout
        self._key, self._make, self._update = key, make, update
        self._rows: dict[Hashable, Row] = {}

    @property
    def rows(self) -> list[Row]:
        """The rows as they are shown, from the top."""
        return list(self._rows.values())

    def show(self, items: Sequence[Item]) -> None:
        """Shows exactly these items in this order. BugError if two have the same key.

        If the focus is in a row that goes, the row that takes its place gets it, or else the last row.
        """
        wanted = {self._key(item): item for item in items}
        if len(wanted) != len(items):
            raise BugError("two rows have one key")
        place = _Place(self._host, [row for key, row in self._rows.items() if key in wanted])
        before = self._rows
        now = {key: before[key] if key in before else self._make(item) for key, item in wanted.items()}
        gone = [row for key, row in before.items() if key not in now]
        refocus = self._focused(gone)
        for row in gone:
            self._layout.removeWidget(row)
        for at, row in enumerate(now.values()):
            if self._layout.indexOf(row) != at:
                self._layout.removeWidget(row)
                self._layout.insertWidget(at, row)
        for key, item in wanted.items():
            self._update(now[key], item)
            if key not in before:
                now[key].show()  # Qt would show it in a later turn: until then it has no place and takes no focus
        self._rows = now
        if list(now) != list(before):
            self._order()
        if refocus is not None and now:
            self._focus(list(now.values())[min(refocus, len(now) - 1)])
        for row in gone:
            row.hide()
            row.setParent(None)
            row.deleteLater()
        place.restore()

    def _order(self) -> None:
        """Tab walks the rows from the top, where the host stands in the window's order."""
        policy = self._host.focusPolicy()
        self._host.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt puts nothing behind a widget that takes no focus
        for before, after in pairwise([self._host, *(stop for row in self.rows for stop in stops(row))]):
            QWidget.setTabOrder(before, after)
        self._host.setFocusPolicy(policy)

    def _focused(self, gone: Sequence[QWidget]) -> int | None:
        """The index of the row that has the focus, if it is one of these."""
        focus = self._host.window().focusWidget()
        for at, row in enumerate(self.rows):
            if focus is not None and row in gone and (row is focus or row.isAncestorOf(focus)):
                return at
        return None

    def _focus(self, row: QWidget) -> None:
        for stop in stops(row):
            if stop.isVisibleTo(row) and stop.isEnabled():
                stop.setFocus(Qt.FocusReason.OtherFocusReason)
                return


def stops(row: QWidget) -> list[QWidget]:
    """Where Tab may stop in a row, in the order in which the row made them; hidden ones too."""
    inside = [row, *row.findChildren(QWidget)]
    return [widget for widget in inside if widget.focusPolicy() & Qt.FocusPolicy.TabFocus]


class _Place:
    """What a person looks at, which stays where it is on the screen while rows above it come and go.

    That is the row with the focus if it is in sight, else the first row in sight. Nothing is held in a list that is not
    scrolled: what is new at its top is to be seen.
    """

    def __init__(self, host: QWidget, kept: Sequence[QWidget]) -> None:
        self._host, self._area = host, _scroll_area(host)
        self._row: QWidget | None = None
        self._y = 0
        area = self._area
        if area is not None and area.isVisible() and area.verticalScrollBar().value() > 0:
            seen = [row for row in kept if row.isVisible() and _in_sight(area, row)]
            focus = host.window().focusWidget()
            held = (row for row in seen if focus is not None and (row is focus or row.isAncestorOf(focus)))
            self._row = next(held, seen[0] if seen else None)
            self._y = _top(area, self._row) if self._row is not None else 0

    def restore(self) -> None:
        """Lays the page out and scrolls by as much as the row has moved."""
        if self._area is None or self._row is None:
            return
        _lay_out(self._host, self._area)
        bar = self._area.verticalScrollBar()
        bar.setValue(bar.value() + _top(self._area, self._row) - self._y)


def _scroll_area(widget: QWidget) -> QScrollArea | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    return parent


def _lay_out(host: QWidget, area: QScrollArea) -> None:
    """Gives everything in the scroll area its place now, from the rows outwards; Qt would do it in later turns."""
    widget: QWidget | None = host
    while widget is not None and widget is not area.viewport():
        layout = widget.layout()
        if layout is not None:
            layout.activate()
        widget = widget.parentWidget()
    QApplication.sendEvent(area, QEvent(QEvent.Type.LayoutRequest))


def _top(area: QScrollArea, row: QWidget) -> int:
    return row.mapTo(area.viewport(), QPoint(0, 0)).y()


def _in_sight(area: QScrollArea, row: QWidget) -> bool:
    return _top(area, row) + row.height() > 0 and _top(area, row) < area.viewport().height()
