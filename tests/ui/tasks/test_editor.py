# SPDX-License-Identifier: EUPL-1.2
"""The panel of a card as a person writes in it, alone and with a colleague in the same description."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible, QKeyEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from app.tasks.descriptions import MAX_DESCRIPTION
from tests.office import BOARD_ID, EK, HL, ROOM, Desk, Positions, desk, start_board
from tests.ui.tasks.boards import CONTROL, card, named, titles
from ui.kit import theme
from ui.tasks.view import TasksView

BASE = "Ring sökanden å.\nSkriv beslutet 🙂."


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[tuple[Desk, Desk, Positions]]:
    set_language("sv")
    hl, ek = desk(tmp_path / "hl", HL), desk(tmp_path / "ek", EK)
    start_board(hl)
    server = Positions([hl, ek])
    board = hl.tasks.board(ROOM)
    board.add_card(board.columns()[0].id, "Beslut", description=BASE)
    server.deliver()
    yield hl, ek, server
    hl.close()
    ek.close()


def shown(qtbot: QtBot, at: Desk) -> TasksView:
    view = TasksView(at.tasks, ROOM)
    qtbot.addWidget(view)
    view.resize(1100, 700)
    view.show()
    qtbot.waitUntil(view.isActiveWindow)
    return view


def type_in(widget: QWidget, text: str) -> None:
    """Key by key; QTest's own keyClicks aborts at letters that are not ASCII."""
    for char in text:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(widget, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, char))


def open_by_click(view: TasksView, title: str = "Beslut") -> None:
    QTest.mouseClick(card(view, title), Qt.MouseButton.LeftButton)


def put_caret(view: TasksView, move: QTextCursor.MoveOperation) -> None:
    view.editor.description.setFocus()
    view.editor.description.moveCursor(move)


def stored(at: Desk) -> str:
    return at.tasks.board(ROOM).all_cards()[0].description


def test_a_description_is_stored_while_one_types(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    put_caret(view, QTextCursor.MoveOperation.End)
    type_in(view.editor.description, " Skicka")
    qtbot.waitUntil(lambda: stored(hl) == BASE + " Skicka")
    assert view.editor.isVisible()
    type_in(view.editor.description, " det.")
    qtbot.waitUntil(lambda: stored(hl) == BASE + " Skicka det.")
    put_caret(view, QTextCursor.MoveOperation.End)
    QTest.keyClick(view.editor.description, Qt.Key.Key_Escape)
    view.undo()
    assert stored(hl) == BASE, "all that was typed is one step"


def test_what_a_colleague_writes_shows_up_beside_what_i_write(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek, server = desks
    view, theirs = shown(qtbot, hl), shown(qtbot, ek)
    for each in (view, theirs):
        open_by_click(each)
    put_caret(view, QTextCursor.MoveOperation.End)
    put_caret(theirs, QTextCursor.MoveOperation.Start)
    field = view.editor.description
    type_in(theirs.editor.description, "Läs akten. ")
    type_in(field, " Skicka")
    theirs.editor.keep_draft()
    server.deliver()
    assert field.toPlainText() == "Läs akten. " + BASE + " Skicka"
    assert field.textCursor().position() == len(field.toPlainText().encode("utf-16-le")) // 2
    type_in(field, " det.")
    view.editor.keep_draft()
    server.deliver()
    server.deliver()
    both = "Läs akten. " + BASE + " Skicka det."
    assert stored(hl) == stored(ek) == field.toPlainText() == theirs.editor.description.toPlainText() == both
    assert theirs.editor.description.textCursor().position() == len("Läs akten. ")


def test_two_who_store_at_once_lose_nothing_and_undo_takes_only_mine(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek, server = desks
    view, theirs = shown(qtbot, hl), shown(qtbot, ek)
    for each, words in ((view, " Mitt."), (theirs, " Ditt.")):
        open_by_click(each)
        put_caret(each, QTextCursor.MoveOperation.End)
        type_in(each.editor.description, words)
        each.editor.keep_draft()
    for each in (view, theirs):
        type_in(each.editor.description, " Mer.")  # and nobody has stopped
    for _ in range(3):
        server.deliver()
        for each in (view, theirs):
            each.editor.keep_draft()
    assert stored(hl) == stored(ek)
    assert {"Mitt.", "Ditt.", "Mer."} <= set(stored(hl).split())
    assert stored(hl).startswith(BASE)
    for each in (view, theirs):
        assert each.editor.description.toPlainText() == stored(hl)
        qtbot.waitUntil(each.isActiveWindow) if each is theirs else None
    QTest.keyClick(theirs.editor.description, Qt.Key.Key_Z, CONTROL)
    assert "Mitt." in theirs.editor.description.toPlainText()


def test_a_text_that_is_selected_stays_so_when_a_colleague_writes_before_it(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    put_caret(view, QTextCursor.MoveOperation.Start)
    QTest.keyClick(view.editor.description, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert view.editor.description.textCursor().selectedText() == "Ring sökanden å."
    theirs = ek.tasks.board(ROOM)
    theirs.edit_card(theirs.all_cards()[0].id, description="Läs akten.\n" + BASE)
    server.deliver()
    assert view.editor.description.toPlainText() == "Läs akten.\n" + BASE
    assert view.editor.description.textCursor().selectedText() == "Ring sökanden å."


@pytest.mark.parametrize("key", [Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_keys_on_an_open_card_change_nothing_until_one_goes_to_its_title(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions], key: Qt.Key
) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    found = card(view, "Beslut")
    view.kanban.focus_card(found.card.id)
    QTest.keyClick(found, Qt.Key.Key_Space)
    for _ in "abc":
        focus = view.focusWidget()
        assert focus is not None
        type_in(focus, "a")
    QTest.keyClick(view.editor, Qt.Key.Key_Delete)
    view.editor.keep_draft()
    assert [each.title for each in hl.tasks.board(ROOM).all_cards()] == ["Beslut"]
    assert view.focusWidget() is view.editor
    QTest.keyClick(view.editor, key)
    assert view.editor.title.hasFocus()
    assert not view.editor.title.hasSelectedText()
    type_in(view.editor.title, "x")
    assert view.editor.title.text() == "Beslutx"


def test_an_open_card_shows_and_says_that_it_has_the_focus(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> None:
    view = shown(qtbot, desks[0])
    view.setStyleSheet(theme.style_sheet(theme.current().id))
    open_by_click(view)
    qtbot.waitUntil(view.editor.hasFocus)
    inside = view.editor.title.geometry()
    corner = view.editor.grab().toImage().pixelColor(1, 1)
    assert corner == theme.current().colour("focus")
    face = QAccessible.queryAccessibleInterface(view.editor)
    assert face is not None
    assert face.text(QAccessible.Text.Name) == "Uppgift"
    assert face.text(QAccessible.Text.Description) == "Beslut"
    assert face.role() == QAccessible.Role.Grouping
    state = face.state()
    assert state.focusable
    assert state.focused
    QTest.keyClick(view.editor, Qt.Key.Key_Tab)
    assert view.editor.title.geometry() == inside, "the frame takes no room"
    assert view.editor.grab().toImage().pixelColor(1, 1) != theme.current().colour("focus")
    view.editor.setFocus()
    QTest.keyClick(view.editor, Qt.Key.Key_Escape)
    assert not view.editor.isVisible()


def test_one_comes_back_to_an_open_card_without_a_caret_in_it(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    view = shown(qtbot, desks[0])
    open_by_click(view)
    left = view.view_place()
    again = shown(qtbot, desks[0])
    again.restore_place(left)
    assert again.editor.card_id == view.editor.card_id
    assert again.focusWidget() is again.editor


def test_a_title_that_i_did_not_touch_is_the_colleagues(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    theirs = ek.tasks.board(ROOM)
    theirs.edit_card(theirs.all_cards()[0].id, title="Delbeslut")
    server.deliver()
    assert view.editor.title.text() == "Delbeslut"
    QTest.keyClick(view.editor.title, Qt.Key.Key_Escape)
    assert [each.title for each in hl.tasks.board(ROOM).all_cards()] == ["Delbeslut"]


def test_a_new_task_is_on_the_board_when_it_has_a_title(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    before = hl.store.changes.of(BOARD_ID)
    named(view, "Ny uppgift i Pågår").click()
    editor = view.editor
    assert editor.title.hasFocus()
    assert editor.title.placeholderText() == "Ny uppgift"
    assert not any(
        field.isVisible() for field in (editor.description, editor.due, editor.labels.button, editor.assignee)
    )
    type_in(editor.title, "   ")
    QTest.keyClick(editor.title, Qt.Key.Key_Escape)
    assert not editor.isVisible()
    assert hl.store.changes.of(BOARD_ID) == before, "nobody heard of a task without a title"
    named(view, "Ny uppgift i Pågår").click()
    assert editor.title.text() == ""
    type_in(editor.title, "Skriv skälen å")
    QTest.keyClick(editor.title, Qt.Key.Key_Tab)
    assert titles(view)[1] == ["Skriv skälen å"]
    assert editor.column.hasFocus()
    assert editor.column.currentText() == "Pågår"
    assert editor.description.isVisible()
    assert editor.labels.button.isVisible()
    server.deliver()
    assert "Skriv skälen å" in [row.title for row in ek.tasks.tasks(ROOM)]
    view.undo()
    assert titles(view)[1] == []


@pytest.mark.parametrize("way", ["pause", "close", "lock", "other"])
def test_a_new_task_with_a_title_is_kept_however_one_leaves_it(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions], way: str
) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    view.new_button.click()
    type_in(view.editor.title, "Skriv skälen å")
    if way == "close":
        named(view, "Stäng uppgiften").click()
    elif way == "lock":
        view.keep_draft()
    elif way == "other":
        open_by_click(view)
        assert view.editor.description.isVisible()
        assert view.editor.description.toPlainText() == BASE
    qtbot.waitUntil(lambda: titles(view)[0] == ["Beslut", "Skriv skälen å"])
    assert len(hl.tasks.tasks(ROOM)) == 2


def test_a_text_that_is_too_long_says_so(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    put_caret(view, QTextCursor.MoveOperation.End)
    view.editor.description.insertPlainText("å" * MAX_DESCRIPTION)
    line = view.editor.description.too_long
    assert line.isVisible()
    assert line.text() == f"Beskrivningen är för lång: bara de första {MAX_DESCRIPTION} tecknen sparas."
    view.editor.keep_draft()
    assert len(stored(hl)) == MAX_DESCRIPTION
    view.editor.description.selectAll()
    QTest.keyClick(view.editor.description, Qt.Key.Key_Delete)
    assert not line.isVisible()


def test_control_z_in_the_field_takes_back_typing_and_then_the_board(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    qtbot.waitUntil(view.isActiveWindow)
    view.kanban.focus_card(card(view, "Beslut").card.id)
    QTest.keyClick(card(view, "Beslut"), Qt.Key.Key_Right, CONTROL)
    open_by_click(view)
    put_caret(view, QTextCursor.MoveOperation.End)
    type_in(view.editor.description, " Mitt.")
    QTest.keyClick(view.editor.description, Qt.Key.Key_Z, CONTROL)
    assert view.editor.description.toPlainText() == BASE
    view.editor.keep_draft()
    assert titles(view)[1] == ["Beslut"]
    QTest.keyClick(view.editor.description, Qt.Key.Key_Z, CONTROL)
    assert titles(view)[0] == ["Beslut"]
    assert stored(hl) == BASE
