# SPDX-License-Identifier: EUPL-1.2
"""The page on which a large board is opened in parts."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QProgressBar
from pytestqt.qtbot import QtBot

from app.errors import StoreCorrupt
from app.tasks import service
from tests.counting import crdt_docs
from tests.office import ROOM, Desk
from tests.ui.tasks.boards import focused, named, titles
from tests.ui.view_parts import view_parts
from tests.ui.walking import check
from tests.world import until
from ui.tasks import TOOL
from ui.tasks.board_page import BoardPage
from ui.tasks.kanban import FILLED_AT_ONCE
from ui.tasks.view import TasksView
from ui.tool_views import ViewPlace

CARDS = 3 * FILLED_AT_ONCE


@pytest.fixture
def page(hl: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> BoardPage:
    """The page of a board with many cards, which is not shown yet."""
    monkeypatch.setattr(service, "_LONG_CHANGES", 20)
    board = hl.tasks.board(ROOM)
    for n in range(CARDS):
        board.add_card(board.columns()[n % 2].id, f"Begär yttrande å {n} 🙂")
    del board
    made = TOOL.open(view_parts(hl.tasks, hl.folk), ROOM, None, None)
    assert isinstance(made, BoardPage)
    qtbot.addWidget(made)
    made.resize(1100, 700)
    return made


async def opened(page: BoardPage) -> TasksView:
    await until(lambda: page.view is not None)
    assert page.view is not None
    return page.view


async def turn_until(happened: Callable[[], object]) -> None:
    """Lets the loop run turn by turn, so that nothing more than that has happened."""
    for _ in range(1000):
        if happened():
            return
        await asyncio.sleep(0)
    pytest.fail("it never happened")


def made_so_far(page: BoardPage) -> int:
    """How many cards have a widget in the view that is being filled."""
    views = page.findChildren(TasksView)
    return sum(len(column.cards) for view in views for column in view.kanban.columns)


def cards_of(hl: Desk) -> list[list[str]]:
    board = hl.tasks.board(ROOM)
    return [[card.title for card in board.cards(column.id)] for column in board.columns()]


def test_a_small_board_has_no_such_page(hl: Desk, qtbot: QtBot) -> None:
    view = TOOL.open(view_parts(hl.tasks, hl.folk), ROOM, None, None)
    qtbot.addWidget(view)
    assert isinstance(view, TasksView)


async def test_a_large_board_is_shown_when_all_of_it_is_there(page: BoardPage, hl: Desk) -> None:
    """Half a board would look like a whole one. The widgets of few cards are made in one turn of the loop."""
    page.show()
    made, shown = [0], list[bool]()
    while page.view is None:
        await asyncio.sleep(0)
        made.append(made_so_far(page))
        shown.append(any(view.isVisible() for view in page.findChildren(TasksView)))
    assert shown == [False] * (len(shown) - 1) + [True]
    assert max(b - a for a, b in pairwise(made)) == FILLED_AT_ONCE
    assert titles(page.view) == cards_of(hl)
    assert [column._count.text() for column in page.view.kanban.columns] == ["18", "18", "0", "0"]


async def test_the_page_says_how_far_it_is(page: BoardPage, hl: Desk) -> None:
    page.show()
    (bar,) = page.findChildren(QProgressBar)
    assert (bar.isVisible(), bar.accessibleName(), bar.maximum()) == (True, "Tavlan öppnas", 0)
    await turn_until(lambda: made_so_far(page) > FILLED_AT_ONCE)
    assert (bar.value(), bar.maximum()) == (made_so_far(page), CARDS)
    await opened(page)
    assert not bar.isVisible()


async def test_what_changes_while_a_board_is_opened_is_shown(page: BoardPage, hl: Desk) -> None:
    page.show()
    await turn_until(lambda: made_so_far(page))
    board = hl.tasks.board(ROOM)
    first, second = board.cards(board.columns()[0].id)[:2]
    board.edit_card(first.id, title="Ändrad å")
    board.move_card(second.id, board.columns()[3].id)
    await asyncio.sleep(0)
    board.delete_card(board.cards(board.columns()[1].id)[0].id)
    assert titles(await opened(page)) == cards_of(hl)
    board.add_card(board.columns()[2].id, "Ny 🙂")
    assert page.view is not None
    assert titles(page.view) == cards_of(hl)


async def test_a_column_that_changes_while_a_board_is_opened_is_shown(page: BoardPage, hl: Desk) -> None:
    page.show()
    await turn_until(lambda: made_so_far(page))
    board = hl.tasks.board(ROOM)
    board.rename_column(board.columns()[1].id, "Nytt ä")
    board.move_column(board.columns()[0].id, None)
    view = await opened(page)
    assert titles(view) == cards_of(hl)
    assert [column.column.title for column in view.kanban.columns] == [column.title for column in board.columns()]


async def test_what_is_asked_of_a_board_before_it_is_there_is_done_then(page: BoardPage, hl: Desk) -> None:
    obj, card = hl.tasks.board_id(ROOM), hl.tasks.board(ROOM).all_cards()[7]
    assert obj is not None
    page.show()
    page.activateWindow()
    page.setFocus()
    page.restore_place(ViewPlace(page=1))
    assert (page.view_place(), dict(page.doable())) == (ViewPlace(page=1), {})
    page.open_ref(obj, card.id.encode())
    page.mark_words(["yttrande"])
    page.keep_draft()
    view = await opened(page)
    assert view.editor.card_id == card.id
    assert view.view_place().page == 1
    assert page.view_place() == view.view_place()
    page.open_ref(obj, hl.tasks.board(ROOM).all_cards()[8].id.encode())
    assert view.editor.card_id != card.id


async def test_the_focus_goes_on_to_the_board(page: BoardPage, qtbot: QtBot) -> None:
    page.show()
    qtbot.waitUntil(page.isActiveWindow)
    page.setFocus()
    view = await opened(page)
    assert view.hasFocus()
    assert view.kanban.enter()
    assert focused(view)


async def test_a_page_that_is_left_stops_and_begins_again(page: BoardPage, hl: Desk) -> None:
    before = crdt_docs()
    page.show()
    await turn_until(lambda: made_so_far(page))
    page.hide()
    for _ in range(10):
        await asyncio.sleep(0)
    assert page.view is None
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert page.findChildren(TasksView) == []
    assert crdt_docs() <= before
    page.show()
    assert titles(await opened(page)) == cards_of(hl)


async def test_a_board_that_becomes_readable_only_meanwhile_is_so(page: BoardPage, hl: Desk) -> None:
    page.show()
    await turn_until(lambda: made_so_far(page))
    hl.folk.writer = False
    page.set_writable(False)
    view = await opened(page)
    assert not view.new_button.isVisible()
    page.set_writable(True)
    assert view.new_button.isVisible()


async def test_a_board_that_the_disk_does_not_give_is_tried_again(
    page: BoardPage, hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        async def refuse(*_args: Any) -> None:
            raise StoreCorrupt

        patch.setattr(hl.tasks, "board_in_parts", refuse)
        page.show()
        await until(page.failed.isVisible)
        check(page)
    named(page, "Försök igen").click()
    assert titles(await opened(page)) == cards_of(hl)
