# SPDX-License-Identifier: EUPL-1.2
"""Row widgets, one per key: a refresh changes, adds, moves and removes single rows and rebuilds none.

A row whose key is still there keeps its widget. So the focus, a selected text, the scroll position and the object that
a screen reader holds survive a refresh that changes another row.
"""

import weakref
from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Any, Generic, TypeVar

import shiboken6
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QBoxLayout, QScrollArea, QScrollBar, QWidget

from app.errors import BugError
from ui.kit.flow_layout import FlowLayout

Item = TypeVar("Item")
Row = TypeVar("Row", bound=QWidget)
_IS_ROW = "keyedRow"
"""A property of each row, by which the rows of a list inside a row are found."""

_LISTS: "weakref.WeakKeyDictionary[QWidget, weakref.ref[KeyedRows[Any, Any]]]" = weakref.WeakKeyDictionary()
"""The lists, by host."""


class KeyedRows(Generic[Item, Row]):
    """Keeps one widget for each item of a sequence, in a host widget: an item with the same key keeps its widget. The
    rows are at the beginning of the host's box or flow layout; other items of the layout, for example a stretch, come
    after them. A row may hold another list of rows."""

    def __init__(
        self,
        host: QWidget,
        key: Callable[[Item], Hashable],
        make: Callable[[Item], Row],
        update: Callable[[Row, Item], object],
    ) -> None:
        """`key` returns what identifies an item. `make` builds the row of an item with a new key. `update` shows an
        item in its row, also right after `make`; it sets only what differs, and creates no widget that takes the focus.
        BugError if `host` has neither a box layout nor a flow layout."""
        layout = host.layout()
        if not isinstance(layout, QBoxLayout | FlowLayout):
            raise BugError("rows need a box layout or a flow layout")
        self._host, self._layout = host, layout
        self._key, self._make, self._update = key, make, update
        self._rows: dict[Hashable, Row] = {}
        _LISTS[host] = weakref.ref(self)

    @property
    def rows(self) -> list[Row]:
        """The rows as they are shown, from the top."""
        return list(self._rows.values())

    def row(self, key: Hashable) -> Row | None:
        """The row with that key; None if there is none."""
        return self._rows.get(key)

    def show(self, items: Sequence[Item]) -> None:
        """Shows exactly these items in this order, each in its own row. BugError if two have the same key. If the focus
        is in a row that is removed, the row that takes its place gets the focus, or the last row if there is none;
        nothing gets it if that row takes no focus."""
        wanted = {self._key(item): item for item in items}
        if len(wanted) != len(items):
            raise BugError("two rows have one key")
        place = _Place(self._host, [row for key, row in self._rows.items() if key in wanted])
        before = self._rows
        now = {key: before[key] if key in before else self._new(item) for key, item in wanted.items()}
        gone = [row for key, row in before.items() if key not in now]
        refocus = self._focused(gone)
        for row in gone:
            self._layout.removeWidget(row)
        for at, row in enumerate(now.values()):
            self._place_at(row, at)
        self._rows = now
        for key, item in wanted.items():
            self._update(now[key], item)
            if key not in before:
                now[key].show()  # Qt would show it in a later turn: until then it has no place and takes no focus
        if list(now) != list(before):
            self._order(self.rows)
        self._leave(gone, refocus)
        place.restore()

    def put(self, item: Item, at: int) -> None:
        """Shows one item, in its row or a new one, at the index `at`. The other rows are not updated."""
        key = self._key(item)
        rows = [(other, row) for other, row in self._rows.items() if other != key]
        place = _Place(self._host, [row for _, row in rows])
        known = self._rows.get(key)
        row = self._new(item) if known is None else known
        rows.insert(at, (key, row))
        self._rows = dict(rows)
        if self._place_at(row, at):
            self._order([near for _, near in rows[max(0, at - 1) : at + 2]])
        self._update(row, item)
        if known is None:
            row.show()
        place.restore()

    def add(self, items: Sequence[Item]) -> None:
        """Shows items with new keys behind all others, each in a new row. The other rows are not looked at: so a long
        list can be shown in parts. BugError if a key is not new."""
        before, at = self.rows[-1:], len(self._rows)
        for item in items:
            key, row = self._key(item), self._new(item)
            if key in self._rows:
                raise BugError("two rows have one key")
            self._layout.insertWidget(len(self._rows), row)
            self._rows[key] = row
            self._update(row, item)
            row.show()
        self._order([*before, *self.rows[at:]])

    def drop(self, key: Hashable) -> None:
        """Removes the row with this key; nothing happens if there is none. If the row has the focus, the row that takes
        its place gets it, or the last row."""
        row = self._rows.get(key)
        if row is None:
            return
        refocus = self._focused([row])
        del self._rows[key]
        place = _Place(self._host, self.rows)
        self._layout.removeWidget(row)
        self._leave([row], refocus)
        place.restore()

    def _new(self, item: Item) -> Row:
        row = self._make(item)
        row.setProperty(_IS_ROW, True)
        return row

    def _place_at(self, row: QWidget, at: int) -> bool:
        """Puts the row at the index `at` of the layout. False if it is there already."""
        if self._layout.indexOf(row) == at:
            return False
        self._layout.removeWidget(row)
        self._layout.insertWidget(at, row)
        return True

    def _leave(self, gone: Sequence[QWidget], refocus: int | None) -> None:
        rows = self.rows
        if refocus is not None and rows:
            self._focus(rows[min(refocus, len(rows) - 1)])
        for row in gone:
            row.hide()
            row.setParent(None)
            row.deleteLater()

    def _order(self, rows: Sequence[QWidget]) -> None:
        """Makes Tab stop at these rows, neighbours in the list, from the top. If the first of them is the first row of
        all, they come after the host, which has its place in the window's order. Otherwise the first of them has its
        place already."""
        policy = self._host.focusPolicy()
        self._host.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt puts nothing behind a widget that takes no focus
        start = [self._host] if rows[:1] == self.rows[:1] else []
        for before, after in pairwise([*start, *(stop for row in rows for stop in stops(row))]):
            QWidget.setTabOrder(before, after)
        self._host.setFocusPolicy(policy)

    def _focused(self, gone: Sequence[QWidget]) -> int | None:
        """The index of the row that has the focus, if it is one of the rows in `gone`, which are still in the list;
        otherwise None."""
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
    """The widgets in a row at which Tab may stop: in the order in which the row made them, rows of a list inside of it
    from the top; hidden ones too.

    ▲ Not by Qt's focus chain: a Python object for each widget of the window, Qt's own too, crashed the process later.
    """
    rows = _LISTS[row]() if row in _LISTS else None
    only = Qt.FindChildOption.FindDirectChildrenOnly
    inside = rows.rows if rows is not None else row.findChildren(QWidget, options=only)
    own = [row] if row.focusPolicy() & Qt.FocusPolicy.TabFocus else []
    return [*own, *(stop for child in inside if not child.isWindow() for stop in stops(child))]


class _Place:
    """Keeps what a person sees in a scroll area in its place, while rows above or left of it are added and removed: the
    widget with the focus if it is in sight, otherwise the first row in sight. Nothing is kept in an area that is not
    scrolled, so that new rows at its top are seen."""

    def __init__(self, host: QWidget, kept: Sequence[QWidget]) -> None:
        self._host, self._area = host, _scroll_area(host)
        self._held: list[tuple[QWidget, QPoint]] = []
        area = self._area
        if area is None or not area.isVisible() or not any(bar.value() for bar in _bars(area)):
            return
        seen = _innermost([row for row in _rows_in(kept) if row.isVisible() and _in_sight(area, row)])
        focus, page = host.window().focusWidget(), area.widget()
        if focus is not None and page is not None and page.isAncestorOf(focus) and self._stays(focus, kept):
            seen = [*([focus] if _in_sight(area, focus) else []), *seen]
        self._held = [(widget, _corner(area, widget)) for widget in seen]

    def _stays(self, focus: QWidget, kept: Sequence[QWidget]) -> bool:
        inside = focus is not self._host and self._host.isAncestorOf(focus)
        return not inside or any(row is focus or row.isAncestorOf(focus) for row in kept)

    def restore(self) -> None:
        """Lays the page out and scrolls it, so that the first noted widget that still exists is where it was."""
        area = self._area
        for widget, stood in self._held:
            if area is not None and shiboken6.isValid(widget) and area.isAncestorOf(widget):
                _lay_out(self._host, area)
                moved = _corner(area, widget) - stood
                for bar, by in zip(_bars(area), (moved.x(), moved.y()), strict=True):
                    if bar.value() > 0:
                        bar.setValue(bar.value() + by)
                return


def _rows_in(rows: Sequence[QWidget]) -> list[QWidget]:
    """The rows, and those of lists inside of them."""
    return [w for row in rows for w in (row, *row.findChildren(QWidget)) if w.property(_IS_ROW)]


def _innermost(rows: Sequence[QWidget]) -> list[QWidget]:
    """Those of the widgets that contain none of the others."""
    return [row for row in rows if not any(row is not other and row.isAncestorOf(other) for other in rows)]


def _bars(area: QScrollArea) -> tuple[QScrollBar, QScrollBar]:
    return area.horizontalScrollBar(), area.verticalScrollBar()


def _scroll_area(widget: QWidget) -> QScrollArea | None:
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QScrollArea):
        parent = parent.parentWidget()
    return parent


def _lay_out(host: QWidget, area: QScrollArea) -> None:
    """Lays out everything in the scroll area `area` at once, from `host`, a widget in it, outwards. Qt would do it in
    later turns of the event loop."""
    widget: QWidget | None = host
    while widget is not None and widget is not area.viewport():
        layout = widget.layout()
        if layout is not None:
            layout.activate()
        widget = widget.parentWidget()
    QApplication.sendEvent(area, QEvent(QEvent.Type.LayoutRequest))


def _corner(area: QScrollArea, widget: QWidget) -> QPoint:
    return widget.mapTo(area.viewport(), QPoint(0, 0))


def _in_sight(area: QScrollArea, widget: QWidget) -> bool:
    return area.viewport().rect().intersects(widget.rect().translated(_corner(area, widget)))
