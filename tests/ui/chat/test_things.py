# SPDX-License-Identifier: EUPL-1.2
"""Tasks and documents that messages link to: cards below the text, chips within it, opened by mouse and by keys."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.chat.markup import parse
from app.core.i18n import set_language
from app.objects.links import Linked, ObjectLink
from tests.office import BOARD_ID, EK, HL, ROOM, Desk, desk, start_board
from tests.ui.view_parts import tool_list
from ui.chat import things
from ui.chat.message_layout import Thing
from ui.chat.view import ChatView
from ui.tasks import TOOL as TASKS
from ui.tasks.view import TasksView

LINK = ObjectLink(room=ROOM, obj=BOARD_ID, kind="board", ref=b"k")
KNOWN = Linked(title="Maska")


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    set_language("sv")
    made = desk(tmp_path, HL)
    start_board(made)
    yield made
    made.close()


@pytest.fixture
def card(hl: Desk) -> str:
    board = hl.tasks.board(ROOM)
    return board.add_card(board.columns()[0].id, "Maska [aktbilaga] 14 🖍", assignee=EK, due=date(2026, 11, 26))


@pytest.fixture
def view(hl: Desk, card: str, qapp: QApplication) -> Iterator[ChatView]:
    """Really gone before its store is closed: a later change of theme would ask it for its things."""
    link = ObjectLink(room=ROOM, obj=BOARD_ID, kind="board", ref=card.encode())
    hl.chat.send(ROOM, f"Ändrat. Skapade en uppgift: {link.to_markup('Maska [aktbilaga] 14 🖍')}")
    made = ChatView(hl.chat, ROOM, words=tool_list([TASKS], hl.folk, tasks=hl.tasks))
    made.resize(800, 700)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def shown(view: ChatView) -> list[Thing]:
    return view.list.layout_of(0).things


def test_only_what_a_text_ends_in_becomes_a_card() -> None:
    link = LINK.to_markup("Maska")
    rest, cards = things.split(parse(f"Se {link} i dag"), lambda _link: KNOWN)
    assert ("".join(run.text for run in rest), cards) == ("Se Maska i dag", [])
    rest, cards = things.split(parse(f"Se: {link} {link}\n"), lambda _link: KNOWN)
    assert ("".join(run.text for run in rest).strip(), len(cards)) == ("Se:", 2)
    rest, cards = things.split(parse(link), lambda _link: KNOWN)
    assert (rest, len(cards)) == ([], 1)


def test_what_is_not_here_stays_a_chip() -> None:
    rest, cards = things.split(parse(f"Se: {LINK.to_markup('Maska')}"), lambda _link: None)
    assert ("".join(run.text for run in rest), cards) == ("Se: Maska", [])


def test_a_task_shows_where_it_stands_and_follows_the_board(view: ChatView, hl: Desk, card: str) -> None:
    (thing,) = shown(view)
    assert (thing.title, thing.icon) == ("Maska [aktbilaga] 14 🖍", "tasks")
    assert thing.detail.startswith("Att göra · tilldelad Enhetschef · förfaller 26 nov")
    board = hl.tasks.board(ROOM)
    board.move_card(card, board.columns()[1].id)
    assert shown(view)[0].detail.startswith("Pågår · ")
    board.delete_card(card)
    assert shown(view) == []


def test_a_click_on_the_card_opens_it_and_so_does_the_menu(
    view: ChatView, hl: Desk, card: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[ObjectLink] = []
    monkeypatch.setattr("ui.chat.message_actions.follow", lambda _view, link: opened.append(link))
    rect = shown(view)[0].rect.toRect().translated(view.list.row_rect(0).topLeft())
    QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    view.list.setFocus()
    QTest.keyClick(view.list, Qt.Key.Key_Return)
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    first = menu.actions()[0]
    assert first.text() == "Öppna ”Maska (aktbilaga) 14 🖍”"
    first.trigger()
    menu.close()
    assert [link.ref for link in opened] == [card.encode()] * 2


def test_a_link_copied_from_the_board_is_one_in_a_message(hl: Desk, card: str, qtbot: QtBot) -> None:
    view = TasksView(hl.tasks, ROOM)
    qtbot.addWidget(view)
    view.show()
    view._card_menu.open(card, QPoint())
    menu = next(m for m in view.findChildren(QMenu) if m.isVisible())
    next(a for a in menu.actions() if a.text() == "Kopiera länk").trigger()
    menu.close()
    (run,) = parse(QGuiApplication.clipboard().text())
    assert run.link == ObjectLink(room=ROOM, obj=BOARD_ID, kind="board", ref=card.encode())
    assert run.text == "Maska (aktbilaga) 14 🖍"
