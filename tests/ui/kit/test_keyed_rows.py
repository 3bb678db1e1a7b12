# SPDX-License-Identifier: EUPL-1.2
"""Rows by key: what a person does in one row survives a refresh that changes other rows."""

from collections.abc import Callable

import pytest
import shiboken6
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.errors import BugError
from ui.kit.card import scroll
from ui.kit.keyed_rows import KeyedRows

Item = tuple[str, str]
SELECTABLE = Qt.TextInteractionFlag.TextSelectableByMouse
NAMES = [f"Åtgärd {n} 🗂" for n in range(30)]


class Row(QWidget):
    """A text that can be selected, and two buttons."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        self.text = QLabel(textInteractionFlags=SELECTABLE)
        self.first, self.second = QPushButton("Byt namn"), QPushButton("Ta bort")
        for part in (self.text, self.first, self.second):
            layout.addWidget(part)

    def show_item(self, item: Item) -> None:
        self.text.setText(item[1])


class Page(QWidget):
    """A button, the rows in a scroll area, and a button."""

    def __init__(self) -> None:
        super().__init__()
        QAccessible.setActive(True)
        layout = QVBoxLayout(self)
        self.before, self.after = QPushButton("Före"), QPushButton("Efter")
        inner, host = QWidget(), QWidget()
        page = QVBoxLayout(inner)
        page.addWidget(host)
        page.addStretch(1)
        QVBoxLayout(host)
        self.area = scroll(inner, "Rader")
        self.rows: KeyedRows[Item, Row] = KeyedRows(host, lambda i: i[0], Row, Row.show_item)
        for part in (self.before, self.area, self.after):
            layout.addWidget(part)
        self.resize(500, 400)

    def show_rows(self, *names: str, **texts: str) -> None:
        self.rows.show([(name, texts.get(name, name)) for name in names])
        QApplication.processEvents()

    def row(self, name: str) -> Row:
        return next(row for row in self.rows.rows if row.text.text() == name)

    def top(self, row: Row) -> int:
        return row.mapTo(self.area.viewport(), QPoint(0, 0)).y()


@pytest.fixture
def page(qtbot: QtBot) -> Page:
    page = Page()
    qtbot.addWidget(page)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    return page


CHANGES: list[Callable[[Page], None]] = [
    lambda page: page.show_rows("a", "b", "c", a="ändrad"),
    lambda page: page.show_rows("ny", "a", "b", "c"),
    lambda page: page.show_rows("b", "c"),
    lambda page: page.show_rows("c", "b", "a"),
    lambda page: page.show_rows("b"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_focus_selected_text_and_accessible_object_survive_a_refresh_that_changes_another_row(
    page: Page, change: Callable[[Page], None]
) -> None:
    page.show_rows("a", "b", "c")
    row = page.row("b")
    row.text.setSelection(0, 1)
    row.second.setFocus()
    face = QAccessible.queryAccessibleInterface(row.second)
    ident = QAccessible.uniqueId(face)
    change(page)
    assert page.row("b") is row
    assert QApplication.focusWidget() is row.second
    assert row.text.selectedText() == "b"
    assert face.isValid()
    assert QAccessible.uniqueId(QAccessible.queryAccessibleInterface(row.second)) == ident


def test_rows_stand_in_the_order_of_the_items_and_tab_walks_them_so(page: Page) -> None:
    for names in (("a", "b"), ("c", "b", "a"), ("d", "a", "e", "c"), ("e",), ("x", "e", "y")):
        page.show_rows(*names)
        assert [row.text.text() for row in sorted(page.rows.rows, key=page.top)] == list(names)
        wanted = [page.before, *(b for n in names for b in (page.row(n).first, page.row(n).second)), page.after]
        page.before.setFocus()
        walked = []
        for _ in wanted:
            walked.append(QApplication.focusWidget())
            QTest.keyClick(page, Qt.Key.Key_Tab)
        assert walked == wanted


def test_the_row_that_takes_the_place_of_a_removed_one_gets_its_focus(page: Page) -> None:
    page.show_rows("a", "b", "c")
    gone = page.row("b")
    gone.first.setFocus()
    page.show_rows("a", "c")
    assert QApplication.focusWidget() is page.row("c").first
    assert not shiboken6.isValid(gone) or gone.parentWidget() is None
    page.show_rows("a")
    assert QApplication.focusWidget() is page.row("a").first
    page.show_rows("ny")
    assert QApplication.focusWidget() is page.row("ny").first


def test_a_refresh_takes_no_focus_from_elsewhere(page: Page) -> None:
    page.show_rows("a", "b")
    page.after.setFocus()
    page.show_rows("b", "c")
    assert QApplication.focusWidget() is page.after


@pytest.mark.parametrize("focus", [True, False])
def test_what_is_in_sight_stays_where_it_is_when_rows_above_come_and_go(page: Page, focus: bool) -> None:
    page.show_rows(*NAMES)
    bar = page.area.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    seen = [row for row in page.rows.rows if 0 <= page.top(row) < page.area.viewport().height() - row.height()]
    held = seen[1 if focus else 0]
    if focus:
        held.first.setFocus()
    stood, value = page.top(held), bar.value()
    page.show_rows("ny", "nyare", *NAMES)
    assert page.top(held) == stood
    assert bar.value() > value
    page.show_rows(*NAMES[2:], **{NAMES[-1]: "ändrad"})
    assert page.top(held) == stood


def test_a_page_that_is_scrolled_by_less_than_a_removed_row_ends_at_its_top(page: Page) -> None:
    """Nothing is above the page by which the row could be kept down."""
    page.show_rows(*NAMES)
    bar, held = page.area.verticalScrollBar(), page.row(NAMES[3])
    held.first.setFocus()
    step = page.top(held) - page.top(page.row(NAMES[2]))
    bar.setValue(step - 15)
    stood = page.top(held)
    page.show_rows(*NAMES[1:])
    assert bar.value() == 0
    assert page.top(held) == stood - 15


def test_what_is_new_at_the_top_of_a_list_that_is_not_scrolled_is_in_sight(page: Page) -> None:
    page.show_rows(*NAMES)
    page.show_rows("ny", *NAMES)
    assert page.area.verticalScrollBar().value() == 0
    assert page.top(page.row("ny")) >= 0


def test_a_refresh_makes_no_python_object_of_qts_own_widgets_beside_the_rows(page: Page) -> None:
    """▲ Following Qt's focus chain would, and the process crashed later."""
    field = QSpinBox(page)
    page.show_rows("b", "a")
    page.show_rows("a", "b", "c")
    inside = [each for each in shiboken6.getAllValidWrappers() if isinstance(each, QLineEdit)]
    assert [each for each in inside if each.parent() is field] == []


def test_two_rows_with_one_key_are_a_bug(page: Page) -> None:
    with pytest.raises(BugError):
        page.show_rows("a", "a")


def test_a_single_row_is_put_in_its_place_and_taken_away(page: Page) -> None:
    page.show_rows("a", "b", "c")
    row = page.row("b")
    row.second.setFocus()
    page.rows.put(("d", "d"), 1)
    page.rows.put(("a", "ändrad"), 3)
    QApplication.processEvents()
    assert [each.text.text() for each in sorted(page.rows.rows, key=page.top)] == ["d", "b", "c", "ändrad"]
    assert QApplication.focusWidget() is row.second
    page.before.setFocus()
    for name in ("d", "b", "c", "ändrad"):
        for stop in (page.row(name).first, page.row(name).second):
            QTest.keyClick(page, Qt.Key.Key_Tab)
            assert QApplication.focusWidget() is stop
    row.first.setFocus()
    page.rows.drop("b")
    page.rows.drop("nowhere")
    assert QApplication.focusWidget() is page.row("c").first
    assert page.rows.row("b") is None


def test_rows_are_added_in_parts_and_no_other_row_is_looked_at(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.show_rows(*NAMES[:2])
    updated = list[str]()

    def update(row: Row, item: Item) -> None:
        updated.append(item[0])
        row.show_item(item)

    monkeypatch.setattr(page.rows, "_update", update)
    for some in (NAMES[2:4], [], NAMES[4:6]):
        page.rows.add([(name, name) for name in some])
    QApplication.processEvents()
    assert updated == NAMES[2:6]
    assert [row.text.text() for row in page.rows.rows] == NAMES[:6]
    assert [page.top(row) for row in page.rows.rows] == sorted(page.top(row) for row in page.rows.rows)
    page.before.setFocus()
    for row in page.rows.rows:
        for button in (row.first, row.second):
            QTest.keyClick(page.window(), Qt.Key.Key_Tab)
            while not isinstance(page.focusWidget(), QPushButton):
                QTest.keyClick(page.window(), Qt.Key.Key_Tab)
            assert page.focusWidget() is button
    with pytest.raises(BugError):
        page.rows.add([("Åtgärd 0 🗂", "")])


class Group(QWidget):
    """A row that holds a list of rows."""

    def __init__(self) -> None:
        super().__init__()
        QVBoxLayout(self)
        self.rows: KeyedRows[Item, Row] = KeyedRows(self, lambda i: i[0], Row, Row.show_item)


def test_tab_walks_rows_inside_of_rows_and_what_is_in_sight_there_stays(qtbot: QtBot) -> None:
    host = QWidget()
    QVBoxLayout(host)
    groups: KeyedRows[tuple[str, list[str]], Group] = KeyedRows(
        host, lambda g: g[0], lambda _: Group(), lambda row, g: row.rows.show([(name, name) for name in g[1]])
    )
    area = scroll(host, "Grupper")
    qtbot.addWidget(area)
    area.resize(400, 300)
    area.show()
    area.activateWindow()
    qtbot.waitUntil(area.isActiveWindow)
    groups.show([("x", ["2", "1"]), ("y", NAMES)])
    groups.show([("w", ["0"]), ("x", ["1", "2"]), ("y", NAMES)])
    QApplication.processEvents()
    rows = [row for group in groups.rows for row in group.rows.rows]
    rows[0].first.setFocus()
    for row in rows[:4]:
        assert QApplication.focusWidget() is row.first
        QTest.keyClick(area, Qt.Key.Key_Tab)
        QTest.keyClick(area, Qt.Key.Key_Tab)
    area.setFocus()
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum() // 2)
    seen = next(row for row in rows if row.mapTo(area.viewport(), QPoint(0, 0)).y() >= 0)
    stood = seen.mapTo(area.viewport(), QPoint(0, 0))
    groups.show([("w", []), ("x", ["1", "2"]), ("y", ["ny", *NAMES])])
    assert seen.mapTo(area.viewport(), QPoint(0, 0)) == stood
