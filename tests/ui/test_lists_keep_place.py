# SPDX-License-Identifier: EUPL-1.2
"""No list rebuilds its rows under the focus: what a person is at survives a refresh that concerns another row.

The lists are in tests/ui/shell/lists.py, tests/ui/shell/lists_of_a_room.py and tests/ui/lists_of_tools.py; the second
half of this file finds those that are missing there.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, QObject, QPoint
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLayout, QScrollArea, QTableView, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from tests.ui import lists_of_tools
from tests.ui.faces import Name, walk
from tests.ui.faces import listening as listening_
from tests.ui.lists import Shown
from tests.ui.shell import lists as lists_of_the_shell
from tests.ui.shell import lists_of_a_room
from ui.kit import theme
from ui.kit.card import scroll
from ui.kit.flow_layout import FlowLayout

LISTS = lists_of_the_shell.LISTS | lists_of_a_room.LISTS | lists_of_tools.LISTS
UI = Path(__file__).parents[2] / "ui"


@pytest.fixture(autouse=True)
def light_and_swedish(qapp: QApplication) -> None:
    """The same look and language before each test: how far a page is scrolled depends on both."""
    set_language("sv")
    if (theme.choice(), theme.current().id) != ("light", "light") or not qapp.styleSheet():
        theme.apply(qapp, "light")


@pytest.fixture(autouse=True)
def listening(light_and_swedish: None) -> Iterator[None]:
    yield from listening_()


def area_of(widget: QObject) -> QScrollArea | None:
    above = widget.parent()
    while above is not None and not isinstance(above, QScrollArea):
        above = above.parent()
    return above


def window_of(qtbot: QtBot, shown: Shown) -> QWidget:
    window = shown.view
    if shown.items is None and not shown.view.findChildren(QScrollArea) and not isinstance(shown.view, QScrollArea):
        window = scroll(shown.view, "Sida")
    qtbot.addWidget(window)
    window.resize(760, 330)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QApplication.processEvents()
    return window


def place_of(shown: Shown) -> QPoint:
    """The place of a list on the screen."""
    held = shown.held(shown.keys[-2])
    if shown.items is not None:
        return shown.items.mapToGlobal(shown.items.visualRect(row_index(shown, shown.keys[-2])).topLeft())
    if isinstance(held, QWidget):
        return held.mapToGlobal(QPoint(0, 0))
    return QAccessible.queryAccessibleInterface(held).rect().topLeft()


def face_of(shown: Shown) -> QAccessibleInterface:
    """What a screen reader holds: in a table the cell, whose object Qt makes itself."""
    found = QAccessible.queryAccessibleInterface(shown.held(shown.keys[-2]))
    if isinstance(shown.items, QTableView):
        return next(cell for cell in walk(found) if cell.text(Name) == shown.keys[-2])
    return found


def focus_on(shown: Shown, held: QObject) -> None:
    if shown.items is not None:
        items, model = shown.items, shown.items.model()
        items.setFocus()
        items.setCurrentIndex(row_index(shown, shown.keys[-2]))
        items.scrollTo(items.currentIndex(), QAbstractItemView.ScrollHint.PositionAtCenter)
        assert model.rowCount() > 1
    elif isinstance(held, QWidget):
        held.setFocus()
        area = area_of(held)
        if area is not None:
            area.ensureWidgetVisible(held)
    QApplication.processEvents()


def row_index(shown: Shown, key: str) -> QModelIndex:
    assert shown.items is not None
    model = shown.items.model()
    return next(i for i in (model.index(r, 0) for r in range(model.rowCount())) if key in str(i.data()))


def is_scrolled(shown: Shown, held: QObject) -> bool:
    area = shown.items if shown.items is not None else area_of(held)
    return area is not None and bool(area.verticalScrollBar().value() or area.horizontalScrollBar().value())


@pytest.fixture(params=LISTS)
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shown]:
    made = LISTS[request.param](tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("how", ["changes", "adds", "removes"])
async def test_focus_selection_scroll_and_accessible_object_survive(qtbot: QtBot, shown: Shown, how: str) -> None:
    window = window_of(qtbot, shown)
    other, key = shown.keys[0], shown.keys[-2]
    rest = {each: each for each in shown.keys[1:]}
    shown.show(rest if how == "adds" else {other: other, **rest})
    QApplication.processEvents()
    held = shown.held(key)
    focus_on(shown, held)
    focus, stood, scrolled = window.focusWidget(), place_of(shown), is_scrolled(shown, held)
    face = face_of(shown)
    ident = QAccessible.uniqueId(face)
    if isinstance(held, QWidget) and held.focusPolicy() and shown.items is None:
        assert focus is held

    shown.show(rest if how == "removes" else {other: other if how == "adds" else "changed", **rest})
    QApplication.processEvents()
    assert shown.held(key) is held
    assert window.focusWidget() is focus
    assert QAccessible.uniqueId(face_of(shown)) == ident
    assert face.isValid()
    if shown.items is not None and not shown.first_chosen:
        assert shown.items.currentIndex().row() == row_index(shown, key).row()
        assert {index.row() for index in shown.items.selectionModel().selectedIndexes()} == {
            row_index(shown, key).row()
        }
    if scrolled:
        now = place_of(shown)
        if isinstance(held, QWidget) and isinstance(_layout_of(held), FlowLayout):
            assert now.y() == stood.y(), "what is before it in its line moves it to the side"
        else:
            assert now == stood


def _layout_of(held: QWidget) -> QLayout | None:
    parent = held.parentWidget()
    return parent.layout() if parent is not None else None


# -- the table of lists is complete ---------------------------------------------------------------------------------

ROW_MAKERS = {"KeyedRows", "ListModel", "RowList", "RoomRows", "ItemList", "QAbstractListModel", "QAbstractTableModel"}
NOT_REFRESHED = {
    "ui/kit/list_model.py": "is the way, for painted rows",
    "ui/shell/rows.py": "RowList, which lists are made of",
    "ui/shell/window/room_rows.py": "RoomRows, of which room_list.py makes one",
    "ui/kit/pick_dialog.py": "filled once, when the dialog is made",
    "ui/shell/settings/licences_dialog.py": "another list for each search, with keyed rows and the first one chosen",
    "ui/shell/window/section_dialog.py": "filled once, when the dialog is made",
    "ui/shell/room/security_dialog.py": "filled once, when the dialog is made",
    "ui/shell/room/restricted_dialogs.py": "filled once, when the dialog is made",
    "ui/documents/moving.py": "filled once, when the dialog is made",
}
TAKES = {"deleteLater", "takeAt", "removeWidget", "removeTab", "removeItem", "takeItem", "removeRow", "removeAction"}
NEVER = {"beginResetModel", "endResetModel", "setRowCount", "clearContents"}
REFILLS = {"addItem", "addItems", "addTab", "addWidget", "addAction"}
ARGUED = {
    ("ui/kit/keyed_rows.py", "show"): "rows whose key is gone",
    ("ui/kit/keyed_rows.py", "_leave"): "rows whose key is gone",
    ("ui/kit/choices.py", "offer"): "choices whose value is gone",
    ("ui/kit/tab_bar.py", "_do"): "tabs whose id is gone",
    ("ui/kit/tab_bar.py", "_inside"): "spots of tabs that are gone",
    ("ui/kit/spoken_list.py", "_spots"): "spots of rows that are gone",
    ("ui/kit/spoken_list.py", "_drop_old"): "more spots than are kept",
    ("ui/chat/spoken.py", "_take_parts"): "spots of parts that are gone",
    ("ui/richtext/spoken.py", "inside"): "spots of paragraphs beyond the last",
    ("ui/shell/window/main_window.py", "_build"): "everything is made in another language",
    ("ui/shell/window/navigator.py", "_room_view"): "rooms that were visited long ago",
    ("ui/shell/entry/key_page.py", "show_person"): "what was asked about the person before",
    ("ui/desktop/instance.py", "_on_connection"): "no rows",
}


@cache
def parsed() -> list[tuple[str, ast.Module]]:
    return [(path.relative_to(UI.parent).as_posix(), ast.parse(path.read_text())) for path in sorted(UI.rglob("*.py"))]


def calls(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Receiver and name of each call below."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            func = each.func
            if isinstance(func, ast.Attribute):
                yield ast.unparse(func.value), func.attr
            elif isinstance(func, ast.Subscript | ast.Name):
                yield "", ast.unparse(func).split("[")[0]


def rebuilds(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it takes rows away in a loop, resets a model, or empties something that it fills again."""
    loops = (ast.For, ast.While, ast.AsyncFor, ast.ListComp, ast.GeneratorExp, ast.SetComp)
    in_loops = {name for node in ast.walk(function) if isinstance(node, loops) for _, name in calls(node)}
    done = list(calls(function))
    emptied = {receiver for receiver, name in done if name == "clear"}
    filled = {receiver for receiver, name in done if name in REFILLS}
    return bool(in_loops & TAKES or emptied & filled or {name for _, name in done} & NEVER)


def test_no_function_empties_a_list_to_fill_it_again() -> None:
    found = {
        (file, node.name)
        for file, module in parsed()
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and rebuilds(node)
    }
    assert found - set(ARGUED) == set(), "use ui/kit/keyed_rows.py or ui/kit/list_model.py"
    assert set(ARGUED) - found == set(), "argued, and not there any more"


def test_every_list_is_in_the_table() -> None:
    made = {
        file
        for file, module in parsed()
        if {name for _, name in calls(module)} & ROW_MAKERS or any(_derives(node) for node in ast.walk(module))
    }
    assert made - {name.split(":")[0] for name in LISTS} == set(NOT_REFRESHED), "add it to tests/ui/…/lists*.py"


def _derives(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(ast.unparse(b).split("[")[0] in ROW_MAKERS for b in node.bases)


BAD = (
    "def show(self):\n    while self.box.count():\n        self.box.takeAt(0)",
    "def show(self):\n    for row in self.rows:\n        row.deleteLater()",
    "def show(self):\n    self.list.clear()\n    for each in self.all:\n        self.list.addItem(each)",
    "def show(self):\n    self.beginResetModel()",
)


@pytest.mark.parametrize("text", BAD)
def test_a_refresh_that_rebuilds_is_found(text: str) -> None:
    (function,) = ast.parse(text).body
    assert isinstance(function, ast.FunctionDef)
    assert rebuilds(function)
