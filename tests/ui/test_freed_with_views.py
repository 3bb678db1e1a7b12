# SPDX-License-Identifier: EUPL-1.2
"""What a view shows is freed with the view: documents, boards, and objects as they were before a change."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from tests.app.documents.desks import World
from tests.counting import crdt_docs
from tests.office import BOARD_ID, HL, ROOM, Desk, Folk, desk, start_board
from tests.ui.view_parts import view_parts
from ui import documents, tasks
from ui.documents.view import DocumentsView
from ui.richtext.editor import Editor
from ui.tasks.kanban import KanbanView
from ui.tasks.view import TasksView


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path)
    start_board(made)
    yield made
    made.close()


def gone(view: QWidget) -> None:
    view.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_a_document_as_it_was_is_freed_with_its_view(qtbot: QtBot, world: World) -> None:
    hl = world.add()
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    before = documents.TOOL.kinds[0].before
    assert before is not None
    view = before(view_parts(hl.documents, Folk(HL)), obj, 1 << 60, None)
    assert isinstance(view, Editor)
    shown = crdt_docs()
    gone(view)
    assert crdt_docs() < shown


def test_a_board_as_it_was_is_freed_with_its_view(qtbot: QtBot, hl: Desk) -> None:
    before = tasks.TOOL.kinds[0].before
    assert before is not None
    view = before(view_parts(hl.tasks, hl.folk), BOARD_ID, 1 << 60, None)
    assert isinstance(view, KanbanView)
    shown = crdt_docs()
    gone(view)
    assert crdt_docs() < shown


def test_an_open_document_is_freed_with_its_view(qtbot: QtBot, world: World) -> None:
    hl = world.add()
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    before = crdt_docs()
    for _ in range(3):
        view = DocumentsView(hl.documents, ROOM, obj)
        assert view.document is not None
        view.document.editor.insertPlainText("ö")
        assert crdt_docs() <= before + 1
        gone(view)
        del view
    assert crdt_docs() <= before


def test_an_open_board_is_freed_with_its_view(qtbot: QtBot, hl: Desk) -> None:
    """▲ Nobody closes a board that is shared by all who show it."""
    before = crdt_docs()
    for n in range(3):
        view = TasksView(hl.tasks, ROOM)
        view.board.add_card(view.board.columns()[0].id, f"Begär yttrande {n}")
        view.undo()
        assert crdt_docs() <= before + 1
        gone(view)
        del view
    assert crdt_docs() <= before
