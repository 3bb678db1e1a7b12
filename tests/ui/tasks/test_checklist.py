# SPDX-License-Identifier: EUPL-1.2
"""A card's checklist as a person writes in it, alone and while a colleague changes it: nothing typed is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from tests.office import EK, HL, ROOM, Desk, Positions, desk, start_board
from tests.ui.tasks.test_editor import open_by_click, shown, type_in
from ui.tasks.view import TasksView


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[tuple[Desk, Desk, Positions]]:
    set_language("sv")
    hl, ek = desk(tmp_path / "hl", HL), desk(tmp_path / "ek", EK)
    start_board(hl)
    server = Positions([hl, ek])
    board = hl.tasks.board(ROOM)
    first = board.add_card(board.columns()[0].id, "Beslut")
    board.add_card(board.columns()[0].id, "Brev")
    for text in ("Ring å", "Läs"):
        board.add_check_item(first, text)
    server.deliver()
    yield hl, ek, server
    hl.close()
    ek.close()


def card_of(at: Desk, title: str = "Beslut") -> str:
    return next(card.id for card in at.tasks.board(ROOM).all_cards() if card.title == title)


def texts(at: Desk, title: str = "Beslut") -> list[str]:
    found = at.tasks.board(ROOM).card(card_of(at, title))
    assert found is not None
    return [item.text for item in found.checklist]


def fields(view: TasksView) -> list[QLineEdit]:
    """The lines that are shown, from the top."""
    found = [
        each
        for each in view.editor.checklist.findChildren(QLineEdit)
        if each is not view.editor.checklist.new and each.isVisible()
    ]
    return sorted(found, key=lambda each: each.mapTo(view, each.rect().topLeft()).y())


def at_line(view: TasksView, number: int) -> QLineEdit:
    """A line with the caret at its end."""
    line = fields(view)[number]
    line.setFocus()
    line.end(False)
    return line


def test_a_line_that_is_typed_stays_when_a_colleague_adds_and_takes_away_others(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    line = at_line(view, 0)
    type_in(line, " 🙂")
    theirs = ek.tasks.board(ROOM)
    found = theirs.card(card_of(ek))
    assert found is not None
    theirs.delete_check_item(found.id, found.checklist[1].id)
    theirs.add_check_item(found.id, "Skriv")
    server.deliver()
    assert [each.text() for each in fields(view)] == ["Ring å 🙂", "Skriv"]
    assert line.hasFocus()
    type_in(line, "!")
    view.editor.close_card()
    assert texts(hl) == ["Ring å 🙂!", "Skriv"]


def type_somewhere(view: TasksView, *, new: bool) -> list[str]:
    """Types in the field for a new line, or at the end of the second line. Returns the checklist that is expected."""
    if new:
        view.editor.checklist.new.setFocus()
        type_in(view.editor.checklist.new, "Skicka 🙂")
        return ["Ring å", "Läs", "Skicka 🙂"]
    type_in(at_line(view, 1), " akten")
    return ["Ring å", "Läs akten"]


@pytest.mark.parametrize("new", [False, True])
def test_what_is_typed_is_kept_in_its_own_card_when_another_is_opened(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions], new: bool
) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    expected = type_somewhere(view, new=new)
    view.editor.open_card(card_of(hl, "Brev"))
    assert texts(hl) == expected
    assert texts(hl, "Brev") == []
    assert view.editor.checklist.new.text() == ""


@pytest.mark.parametrize("new", [False, True])
def test_what_is_typed_is_kept_when_kansli_is_locked(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions], new: bool
) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    expected = type_somewhere(view, new=new)
    view.keep_draft()
    assert texts(hl) == expected


def test_a_line_that_a_colleague_took_away_while_it_was_typed_is_there_again(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    type_in(at_line(view, 1), " akten")
    theirs = ek.tasks.board(ROOM)
    found = theirs.card(card_of(ek))
    assert found is not None
    theirs.delete_check_item(found.id, found.checklist[1].id)
    server.deliver()
    view.editor.close_card()
    assert texts(hl) == ["Ring å", "Läs akten"]


def test_a_line_that_is_only_looked_at_shows_what_a_colleague_writes_and_is_not_written_over(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    line = at_line(view, 1)
    theirs = ek.tasks.board(ROOM)
    found = theirs.card(card_of(ek))
    assert found is not None
    theirs.edit_check_item(found.id, found.checklist[1].id, "Läs allt")
    server.deliver()
    assert line.text() == "Läs allt"
    view.editor.close_card()
    assert texts(hl) == ["Ring å", "Läs allt"]


def test_enter_adds_a_line_and_the_next_one_can_be_typed(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    new = view.editor.checklist.new
    new.setFocus()
    for text in ("Ett", "Två"):
        type_in(new, text)
        QTest.keyClick(new, Qt.Key.Key_Return)
    assert texts(hl) == ["Ring å", "Läs", "Ett", "Två"]
    assert new.hasFocus()


def test_a_card_that_a_colleague_archives_is_closed_once_and_keeps_the_new_line(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek, server = desks
    view = shown(qtbot, hl)
    open_by_click(view)
    view.editor.checklist.new.setFocus()
    type_in(view.editor.checklist.new, "Skicka 🙂")
    view.kanban.focus_card(card_of(hl, "Brev"))
    card, closed = card_of(hl), list[str]()
    view.editor.closed.connect(closed.append)
    ek.tasks.board(ROOM).archive_card(card)
    server.deliver()
    assert not view.editor.isVisible()
    assert closed == [""]
    (archived,) = hl.tasks.board(ROOM).archived()
    assert [item.text for item in archived.checklist] == ["Ring å", "Läs", "Skicka 🙂"]


@pytest.mark.parametrize("leave", [Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_an_emptied_line_gets_its_text_back_when_it_is_left(
    qtbot: QtBot, desks: tuple[Desk, Desk, Positions], leave: Qt.Key
) -> None:
    view = shown(qtbot, desks[0])
    open_by_click(view)
    line = at_line(view, 0)
    line.selectAll()
    QTest.keyClick(line, Qt.Key.Key_Delete)
    assert line.text() == ""
    QTest.keyClick(line, leave)
    assert line.text() == "Ring å"
    assert texts(desks[0]) == ["Ring å", "Läs"]
