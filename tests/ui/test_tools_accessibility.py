# SPDX-License-Identifier: EUPL-1.2
"""Every control of the tools' views has a name and a role, and Tab reaches and leaves it."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from tests.app.documents.desks import World
from tests.office import EK, HL, ROOM, Desk, desk, start_board
from tests.ui.walking import check, check_tab
from ui.chat.emoji import EmojiPanel
from ui.chat.view import ChatView
from ui.documents.view import DocumentsView
from ui.richtext.link_dialog import LinkDialog
from ui.tasks.archive import ArchiveDialog
from ui.tasks.view import TasksView


@pytest.fixture(params=["sv", "en"])
def hl(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    set_language(request.param)
    made = desk(tmp_path, HL)
    start_board(made)
    yield made
    made.close()
    set_language("sv")


@pytest.fixture(params=["sv", "en"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    set_language(request.param)
    made = World(tmp_path)
    yield made
    made.close()
    set_language("sv")


def shown(view: QWidget) -> None:
    view.resize(1100, 760)
    view.show()
    view.activateWindow()
    QApplication.processEvents()


def walk(view: QWidget) -> None:
    shown(view)
    check(view)
    check_tab(view)


def chat(hl: Desk) -> ChatView:
    hl.chat.send(ROOM, "Ändrat 👍 @Enhetschef")
    return ChatView(hl.chat, ROOM)


def write(view: ChatView) -> None:
    view.composer.field.insertPlainText("Å")


def reply(view: ChatView) -> None:
    write(view)
    view.composer.reply(view.model.timeline.message(0), "Handläggare")


CHATS: dict[str, Callable[[ChatView], None]] = {
    "read": lambda view: None,
    "write": write,
    "reply": reply,
    "only read": lambda view: view.set_writable(False),
}


@pytest.mark.parametrize("state", CHATS)
def test_the_chat(qtbot: QtBot, hl: Desk, state: str) -> None:
    view = chat(hl)
    qtbot.addWidget(view)
    CHATS[state](view)
    walk(view)


def documents(qtbot: QtBot, world: World) -> DocumentsView:
    service = world.add(HL).documents
    obj = service.create(ROOM, "Utkast till beslut åäö")
    service.open(obj).splice(0, 0, "Enligt 5 § 👍")
    service.close(obj)
    view = DocumentsView(service, ROOM)
    qtbot.addWidget(view, before_close_func=lambda widget: widget.show_list())
    return view


def test_no_documents(qtbot: QtBot, world: World) -> None:
    view = DocumentsView(world.add(HL).documents, ROOM)
    qtbot.addWidget(view)
    walk(view)


def test_the_list_of_documents(qtbot: QtBot, world: World) -> None:
    walk(documents(qtbot, world))


@pytest.mark.parametrize("finding", [False, True])
def test_the_editor(qtbot: QtBot, world: World, finding: bool) -> None:
    view = documents(qtbot, world)
    view.open(view._service.list(ROOM)[0].obj)
    if finding:
        assert view.document is not None
        view.document.find_bar.open()
    walk(view)


def board(hl: Desk) -> TasksView:
    made = hl.tasks.board(ROOM)
    first, second, *_ = made.columns()
    due = date(2026, 11, 26)
    card = made.add_card(
        first.id, "Maska aktbilaga 14", assignee=EK, due=due, labels=[made.add_label("Bråttom", "danger")]
    )
    made.add_check_item(card, "Sidan 3")
    made.add_check_item(card, "Sidan 5")
    made.add_card(second.id, "Begär yttrande")
    return TasksView(hl.tasks, ROOM)


def test_the_board(qtbot: QtBot, hl: Desk) -> None:
    view = board(hl)
    qtbot.addWidget(view)
    walk(view)


def test_a_card_beside_the_board(qtbot: QtBot, hl: Desk) -> None:
    view = board(hl)
    qtbot.addWidget(view)
    view.editor.open_card(view.board.all_cards()[0].id)
    walk(view)


def test_an_empty_board(qtbot: QtBot, hl: Desk) -> None:
    view = TasksView(hl.tasks, ROOM)
    qtbot.addWidget(view)
    walk(view)


@pytest.mark.parametrize("opened", [False, True])
def test_a_board_that_is_only_read(qtbot: QtBot, hl: Desk, opened: bool) -> None:
    view = board(hl)
    qtbot.addWidget(view)
    view.set_writable(False)
    if opened:
        view.editor.open_card(view.board.all_cards()[0].id)
    walk(view)


def test_a_document_that_is_only_read(qtbot: QtBot, world: World) -> None:
    view = documents(qtbot, world)
    view.open(view._service.list(ROOM)[0].obj)
    view.set_writable(False)
    walk(view)


def test_the_archive(qtbot: QtBot, hl: Desk) -> None:
    view = board(hl)
    qtbot.addWidget(view)
    view.board.archive_card(view.board.all_cards()[0].id)
    dialog = ArchiveDialog(view, view.board)
    walk(dialog)
    dialog.close()


def test_the_link_dialog(qtbot: QtBot, world: World) -> None:
    view = documents(qtbot, world)
    view.open(view._service.list(ROOM)[0].obj)
    assert view.document is not None
    dialog = LinkDialog(view, view.document.editor)
    walk(dialog)
    dialog.close()


def test_the_emoji_panel(qtbot: QtBot, hl: Desk) -> None:
    view = chat(hl)
    qtbot.addWidget(view)
    panel = EmojiPanel(view, lambda emoji: None)
    panel.open_at(QPoint(40, 40))
    check(panel)
    panel.close()


def test_the_table(qtbot: QtBot, hl: Desk) -> None:
    view = board(hl)
    qtbot.addWidget(view)
    view._views.setCurrentIndex(1)
    walk(view)
