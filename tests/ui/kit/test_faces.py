# SPDX-License-Identifier: EUPL-1.2
"""Roles, levels, states and one focus, as Qt's bridges read them. The real bus is in tests/ui/test_on_a_real_bus.py."""

import ast
import gc
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from tests.ui.faces import Description, Name, Role, child, face, focused, listening, press, walk
from tests.ui.shell.sample import ME
from ui.kit.buttons import IconButton, SegmentButton, Segments, TextButton
from ui.kit.card import SectionHeader
from ui.kit.faces import FOREIGN, Face, Spoken, leave_focus
from ui.kit.forgetting import Mute
from ui.kit.plain import Label
from ui.kit.spoken_list import ROWS_KEPT, ItemList
from ui.kit.style import ElidedLabel, label
from ui.kit.tab_bar import Tab, TabBar
from ui.shell.rows import Row, RowList
from ui.shell.window.navigation import Rail, RailButton


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    set_language("sv")
    yield from listening()


@pytest.fixture
def window(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(600, 500)
    made.setLayout(QVBoxLayout())
    made.show()
    qtbot.waitUntil(lambda: made.isActiveWindow())
    return made


def put(window: QWidget, *parts: QWidget) -> None:
    layout = window.layout()
    assert layout is not None
    for part in parts:
        layout.addWidget(part)
        part.show()
    QApplication.processEvents()


def level(of: QWidget) -> object:
    attributes = face(of).attributesInterface()
    return attributes.attributeValue(QAccessible.Attribute.Level) if attributes is not None else None


@pytest.mark.parametrize(
    ("kind", "expected"), [("home", 1), ("title", 1), ("heading", 2), ("side-title", 2), ("section", 3)]
)
def test_what_looks_like_a_heading_is_one_with_its_level(window: QWidget, kind: str, expected: int) -> None:
    made, elided = label("Åtgärder 🙂", kind), ElidedLabel("Tillsyn 2026-1184", kind)
    put(window, made, elided)
    for one, name in ((made, "Åtgärder 🙂"), (elided, "Tillsyn 2026-1184")):
        assert (face(one).role(), face(one).text(Name), level(one)) == (Role.Heading, name, expected)
    made.setText("Åter")
    assert face(made).text(Name) == "Åter"


def test_a_section_header_is_a_heading_and_digits_and_other_labels_are_none(window: QWidget) -> None:
    header, digits, small = SectionHeader("I rummet", caps=True), label("12 34", "title", heading=False), Label("å")
    put(window, header, digits, small)
    assert (face(header).role(), face(header).text(Name), level(header)) == (Role.Heading, "I rummet", 3)
    assert face(digits).role() == face(small).role() == Role.StaticText


@pytest.mark.parametrize("kind", ["icon", "text"])
def test_a_button_that_stays_pressed_is_a_button_that_says_whether_it_is(
    window: QWidget, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed: list[bool] = []
    made = (
        IconButton("bold", "Fet", lambda: pressed.append(True), shortcut="Ctrl+B", checkable=True)
        if kind == "icon"
        else TextButton("Fet", lambda: pressed.append(True), checkable=True)
    )
    put(window, made)
    found = face(made)
    assert (found.role(), found.text(Name)) == (Role.Button, "Fet")
    for on in (False, True, False):
        made.setChecked(on)
        state = found.state()
        assert (bool(state.checkable), bool(state.checked), bool(state.pressed)) == (True, on, on)
        monkeypatch.setattr("ui.kit.faces._STATE_IN_DESCRIPTION", True)
        spoken = "Fet (Ctrl+B)" if kind == "icon" else ""
        assert found.text(Description) == ", ".join(part for part in ("På" if on else "Av", spoken) if part)
        monkeypatch.setattr("ui.kit.faces._STATE_IN_DESCRIPTION", False)
        assert found.text(Description) == spoken
    press(found)
    assert pressed == [True]
    assert found.state().checked


def test_an_ordinary_button_keeps_what_qt_reports(window: QWidget) -> None:
    made = TextButton("Skicka")
    put(window, made)
    assert face(made).role() == Role.Button
    assert not face(made).state().checkable


def test_the_rail_is_a_list_of_tabs_of_which_one_is_selected(window: QWidget) -> None:
    rail, went = Rail(), list[str]()
    for word in ("home", "rooms"):
        rail.add(word, RailButton("home", word, lambda word=word: went.append(word)))  # type: ignore[misc]
    account = RailButton("", "Mitt konto", lambda: None)
    account.set_person(ME)
    rail.add("account", account)
    put(window, rail)
    rail.select("rooms")
    assert face(rail).role() == Role.PageTabList
    tabs = {f.text(Name): f for f in walk(face(rail)) if f.role() == Role.PageTab}
    assert {name: bool(f.state().selected) for name, f in tabs.items()} == {"home": False, "rooms": True}
    assert face(rail.items["account"]).role() == Role.Button
    press(tabs["home"])
    assert went == ["home"]


def test_a_row_of_segments_is_a_list_of_tabs(window: QWidget) -> None:
    segments = Segments("Hur uppgifterna visas")
    for word in ("Tavla", "Tabell"):
        segments.add(SegmentButton(word))
    put(window, segments)
    found = face(segments)
    assert (found.role(), found.text(Name)) == (Role.PageTabList, "Hur uppgifterna visas")
    assert [(f.role(), f.text(Name)) for f in list(walk(found))[1:]] == [
        (Role.PageTab, "Tavla"),
        (Role.PageTab, "Tabell"),
    ]


def test_only_the_tab_that_has_the_focus_says_so(window: QWidget) -> None:
    bar, field = TabBar("Rummets verktyg"), QLineEdit()
    field.setAccessibleName("Fält")
    put(window, bar, field)
    bar.set_tabs([Tab(name, name.title(), "chat") for name in ("chatt", "dokument", "uppgifter")])
    bar.choose("dokument")
    field.setFocus()
    found = face(bar)
    assert (found.role(), found.childCount()) == (Role.PageTabList, 3)
    names = [(f.text(Name), bool(f.state().selected)) for f in list(walk(found))[1:]]
    assert names == [("Chatt", False), ("Dokument", True), ("Uppgifter", False)]
    assert focused(window) == ["EditableText Fält"]
    bar.setFocus()
    assert focused(window) == ["PageTab Dokument"]
    assert found.indexOfChild(child(found, 2)) == 2
    press(child(found, 2))
    assert bar.current() == "uppgifter"
    bar.set_tabs([Tab("chatt", "Chatt", "chat")])
    assert [f.text(Name) for f in list(walk(found))[1:]] == ["Chatt"]
    assert child(found, 0).rect() == bar.tabRect(0).translated(bar.mapToGlobal(QPoint(0, 0)))


def row(number: int) -> Row:
    return Row(key=number, title=f"Rad {number} å", detail="🙂")


def test_one_row_of_a_list_has_the_focus_and_none_while_the_list_has_not(window: QWidget) -> None:
    made, field = RowList("Lista över rum"), QLineEdit()
    field.setAccessibleName("Fält")
    put(window, made, field)
    made.rows.set_rows([Row(key="s", title="Ärenderum", section=True), *map(row, range(1, 6))])
    made.choose(3)
    field.setFocus()
    assert focused(window) == ["EditableText Fält"]
    made.setFocus()
    assert focused(window) == ["ListItem Rad 3 å, 🙂"]
    QTest.keyClick(made, Qt.Key.Key_Down)
    assert focused(window) == ["ListItem Rad 4 å, 🙂"]
    found = face(made)
    assert (found.role(), found.childCount(), child(found, 0).role()) == (Role.List, 6, Role.Heading)
    four = child(found, 4)
    assert (found.indexOfChild(four), bool(four.state().selected)) == (4, True)
    made.rows.set_rows([Row(key="s", title="Ärenderum", section=True), row(0), *map(row, range(1, 6))])
    assert found.indexOfChild(four) == 5
    assert four.text(Name) == "Rad 4 å, 🙂"
    made.rows.set_rows([row(9)])
    assert found.childCount() == 1
    assert not four.isValid() or four.text(Name) == ""


def test_who_looks_at_every_row_of_a_long_list_leaves_the_first_behind(window: QWidget) -> None:
    made = RowList("Träffar")
    put(window, made)
    made.rows.set_rows([row(number) for number in range(2 * ROWS_KEPT)])
    names = [child(face(made), number).text(Name) for number in range(2 * ROWS_KEPT)]
    assert names == [f"Rad {number} å, 🙂" for number in range(2 * ROWS_KEPT)]
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert len(made.findChildren(QObject, options=Qt.FindChildOption.FindDirectChildrenOnly)) < ROWS_KEPT + 50
    assert child(face(made), 0).text(Name) == "Rad 0 å, 🙂"


@pytest.mark.parametrize("kind", [QPlainTextEdit, QTextEdit])
def test_the_inside_of_a_text_field_has_no_focus_of_its_own(
    window: QWidget, kind: type[QPlainTextEdit] | type[QTextEdit]
) -> None:
    made, frame = kind(), QWidget()
    leave_focus(made)
    made.setAccessibleName("Beskrivning")
    frame.setFocusProxy(made)
    put(window, frame, made)
    frame.setFocus()
    assert focused(window) == ["EditableText Beskrivning"]


def test_what_qt_owns_goes_with_its_widget_and_holds_nothing(window: QWidget) -> None:
    """▲ Qt deletes an interface with its object. One that Python deletes too, or that Python has already deleted, ends
    the process."""
    for _ in range(20):
        rail, bar, rows = Rail(), TabBar("Verktyg"), RowList("Rader")
        rail.add("home", RailButton("home", "Hem", lambda: None))
        heading, toggle = label("Rubrik", "heading"), IconButton("bold", "Fet", checkable=True)
        parts = [rail, bar, rows, heading, toggle, QPushButton("å")]
        put(window, *parts)
        bar.set_tabs([Tab("a", "A", "chat"), Tab("b", "B", "chat")])
        rows.rows.set_rows([row(1), row(2)])
        list(walk(face(window)))
        gone = [weakref.ref(part) for part in parts]
        for part in parts:
            part.setParent(None)
            part.deleteLater()
        del rail, bar, rows, heading, toggle, parts, part
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()
        assert [ref() for ref in gone] == [None] * len(gone)
        list(walk(face(window)))


@pytest.mark.parametrize("kind", ["heading", "toggle", "mute"])
def test_what_an_object_has_not_is_answered_by_a_pointer_to_nothing_and_never_by_none(
    window: QWidget, kind: str
) -> None:
    """▲ PySide6 ends the process for None (test_6_a_cast_to_nothing_ends_the_process)."""
    heading, toggle = label("Rubrik å", "heading"), IconButton("bold", "Fet", checkable=True)
    put(window, heading, toggle)
    assert isinstance(heading, Spoken)
    asked: dict[str, Spoken] = {"heading": heading, "toggle": toggle, "mute": Mute(window)}
    answers = [Face(asked[kind]).interface_cast(one) for one in QAccessible.InterfaceType]
    assert {type(answer) for answer in answers} == {shiboken6.VoidPtr}


@pytest.mark.slow
def test_no_class_that_python_makes_is_answered_for_in_the_place_of_a_foreign_one() -> None:
    """▲ Qt asks in the constructor of some; the second Python object that it gets then would end the process."""
    made = {
        node.func.id
        for path in (Path(__file__).parents[3] / "ui").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "QWidget" in made
    assert FOREIGN
    assert {kind.__name__ for kind in FOREIGN} & (made | {"QListWidget"}) == set()


def test_what_python_lets_go_of_is_still_there_for_qt(window: QWidget) -> None:
    heading = label("Rubrik å", "heading")
    put(window, heading)
    before = sys.getrefcount(None)
    for _ in range(500):
        found = face(heading)
        assert (found.text(Name), found.childCount()) == ("Rubrik å", 0)
        del found
        gc.collect(0)
    assert abs(sys.getrefcount(None) - before) < 100


def test_a_list_of_items_is_one_too_and_goes_with_its_window(qtbot: QtBot) -> None:
    """▲ Qt looks at it in its constructor."""
    for _ in range(5):
        window, field = QWidget(), QLineEdit()
        layout = QVBoxLayout(window)
        items, plain, choice = ItemList(), QListWidget(), QComboBox()
        for part in (field, items, plain, choice):
            layout.addWidget(part)
        for part in (items, plain, choice):
            part.addItems(["Åtgärd", "Övrigt 🙂"])
        items.setCurrentRow(1)
        window.show()
        qtbot.waitUntil(window.isActiveWindow)
        field.setFocus()
        assert focused(window) == ["EditableText "]
        items.setFocus()
        assert focused(window) == ["ListItem Övrigt 🙂"]
        choice.setFocus()
        assert len(focused(window)) == 1
        window.deleteLater()
        del items, plain, choice, part, field, layout
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()
