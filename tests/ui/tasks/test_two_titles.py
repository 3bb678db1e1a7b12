# SPDX-License-Identifier: EUPL-1.2
"""Two people write the title of one card at once: nothing changes under one's hands, and neither text is lost."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.tasks.model import Board
from tests.office import ROOM, Desk, Positions
from tests.ui.tasks.boards import CONTROL
from tests.ui.tasks.test_editor import desks, open_by_click, shown, type_in
from ui.tasks.view import TasksView

__all__ = ["desks"]


@pytest.fixture
def both(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> tuple[TasksView, TasksView]:
    """The case handler's window and the head of unit's, both with the card open."""
    views = shown(qtbot, desks[0]), shown(qtbot, desks[1])
    for view in views:
        open_by_click(view)
        view.editor.title.setFocus()
        view.editor.title.end(False)
    return views


def title(at: Desk) -> str:
    return at.tasks.board(ROOM).all_cards()[0].title


def write(view: TasksView, text: str) -> None:
    """Types, and the pause passes in which it is stored."""
    type_in(view.editor.title, text)
    view.editor.title._timer.timeout.emit()


def sit_at(view: TasksView, qtbot: QtBot) -> None:
    """Keys that move the focus go to one of the two windows, as each has a desk of its own."""
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)


def offer(view: TasksView) -> str:
    return view.editor.title.other.text()


def at_once(both: tuple[TasksView, TasksView], server: Positions) -> tuple[TasksView, TasksView]:
    """Both write a title that is stored before the other's comes. The first of the result is the one whose title the
    board did not keep."""
    hl, ek = both
    write(hl, " H å")
    write(ek, " E 🙂")
    server.deliver()
    server.deliver()
    assert hl.board.all_cards()[0].title == ek.board.all_cards()[0].title
    return (ek, hl) if hl.board.all_cards()[0].title == "Beslut H å" else (hl, ek)


NAMES = {"Beslut H å": "Handläggare", "Beslut E 🙂": "Enhetschef"}


def test_a_title_does_not_change_under_ones_hands(
    both: tuple[TasksView, TasksView], desks: tuple[Desk, Desk, Positions]
) -> None:
    lost, kept = at_once(both, desks[2])
    mine, theirs = lost.editor.title.text(), kept.editor.title.text()
    assert {mine, theirs} == set(NAMES)
    assert offer(lost) == f"{NAMES[theirs]} skrev ”{theirs}”"
    type_in(lost.editor.title, "x")
    assert lost.editor.title.text() == f"{mine}x", "the caret stayed too"


@pytest.mark.parametrize("leave", [Qt.Key.Key_Tab, Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_the_title_that_one_leaves_in_the_field_is_the_cards_and_the_other_can_take_theirs_back(
    both: tuple[TasksView, TasksView], desks: tuple[Desk, Desk, Positions], qtbot: QtBot, leave: Qt.Key
) -> None:
    lost, kept = at_once(both, desks[2])
    mine, theirs = lost.editor.title.text(), kept.editor.title.text()
    QTest.keyClick(kept.editor.title, Qt.Key.Key_Return)
    sit_at(lost, qtbot)
    QTest.keyClick(lost.editor.title, leave)
    desks[2].deliver()
    assert title(desks[0]) == title(desks[1]) == mine
    assert kept.editor.title.text() == mine
    assert offer(kept) == f"Du skrev ”{theirs}”"
    QTest.mouseClick(kept.editor.title.other.button, Qt.MouseButton.LeftButton)
    desks[2].deliver()
    assert title(desks[0]) == title(desks[1]) == theirs
    assert offer(kept) == ""


def test_the_colleagues_title_is_taken_by_its_button(
    both: tuple[TasksView, TasksView], desks: tuple[Desk, Desk, Positions], qtbot: QtBot
) -> None:
    lost, kept = at_once(both, desks[2])
    theirs = kept.editor.title.text()
    sit_at(lost, qtbot)
    button = lost.editor.title.other.button
    button.setFocus()
    assert lost.board.all_cards()[0].title != theirs, "what stood in the field was the card's when one left it"
    assert offer(lost) == f"{NAMES[theirs]} skrev ”{theirs}”"
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert lost.editor.title.text() == theirs
    desks[2].deliver()
    assert title(desks[0]) == title(desks[1]) == theirs


def test_one_who_types_no_more_sees_the_colleagues_title_and_gets_ones_own_back(
    both: tuple[TasksView, TasksView], desks: tuple[Desk, Desk, Positions]
) -> None:
    """After a while, when Kansli is locked, or when one goes to another program."""
    for way in ("while", "lock", "program"):
        lost, kept = at_once(both, desks[2])
        mine, theirs = lost.editor.title.text(), kept.editor.title.text()
        if way == "while":
            lost.editor.title._hands.timeout.emit()
        elif way == "lock":
            lost.keep_draft()
        else:
            away = QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.ActiveWindowFocusReason)
            QApplication.sendEvent(lost.editor.title, away)
        assert lost.editor.title.text() == theirs
        assert offer(lost) == f"Du skrev ”{mine}”"
        for view, desk in zip(both, desks[:2], strict=True):
            view.editor.close_card()
            board = desk.tasks.board(ROOM)
            board.edit_card(board.all_cards()[0].id, title="Beslut")
            desks[2].deliver()
        for view in both:
            open_by_click(view)
            view.editor.title.setFocus()
            view.editor.title.end(False)


def test_a_title_that_was_replaced_when_the_card_was_closed_stands_there_when_it_is_opened(
    both: tuple[TasksView, TasksView], desks: tuple[Desk, Desk, Positions]
) -> None:
    hl, ek = both
    for view, text in ((hl, " H å"), (ek, " E 🙂")):
        type_in(view.editor.title, text)
        QTest.keyClick(view.editor.title, Qt.Key.Key_Escape)
    desks[2].deliver()
    lost = ek if title(desks[0]) == "Beslut H å" else hl
    mine = "Beslut E 🙂" if lost is ek else "Beslut H å"
    open_by_click(lost, title(desks[0]))
    assert offer(lost) == f"Du skrev ”{mine}”"
    lost.editor.close_card()
    open_by_click(lost, title(desks[0]))
    assert offer(lost) == "", "it has been seen"


def test_what_i_undo_is_not_a_colleagues(both: tuple[TasksView, TasksView]) -> None:
    hl, _ = both
    write(hl, " H å")
    hl.undo()
    assert hl.editor.title.text() == "Beslut"
    assert offer(hl) == ""


def test_a_space_at_the_end_is_not_taken_away_by_the_pause(both: tuple[TasksView, TasksView]) -> None:
    hl, _ = both
    write(hl, " om ")
    type_in(hl.editor.title, "avslag")
    assert hl.editor.title.text() == "Beslut om avslag"


def test_a_title_that_is_emptied_comes_back_when_one_leaves_it(both: tuple[TasksView, TasksView], qtbot: QtBot) -> None:
    hl, _ = both
    sit_at(hl, qtbot)
    QTest.keyClick(hl.editor.title, Qt.Key.Key_A, CONTROL)
    QTest.keyClick(hl.editor.title, Qt.Key.Key_Delete)
    QTest.keyClick(hl.editor.title, Qt.Key.Key_Tab)
    assert hl.editor.title.text() == "Beslut"


def test_who_wrote_is_not_guessed(desks: tuple[Desk, Desk, Positions]) -> None:
    """▲ Updates of several people that come together say no name."""
    mine = Board()
    card_id = mine.add_card(mine.add_column("Att göra"), "Beslut")
    theirs = Board()
    theirs.merge([mine.diff()])
    theirs.edit_card(card_id, title="Delbeslut å")
    mine.merge([theirs.diff()])
    assert mine.replaced.retitled == {card_id: None}
    mine.edit_card(card_id, title="Slutbeslut")
    assert mine.replaced.retitled == {}
