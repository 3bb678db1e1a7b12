# SPDX-License-Identifier: EUPL-1.2
"""A long text is pasted: it is sent in pieces, and stays one's own edit meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.objects.crdt import LOCAL, SETUP
from app.richtext.model import Change
from tests.app.documents.desks import Desk, World
from tests.office import HL, ROOM
from ui.documents.view import DocumentsView

LINES = "".join(f"Rad nummer {n} å 🙂 i en lång text om registerkontroll\n" for n in range(8_000))
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


async def positioned(world: World, desk: Desk, limit: int) -> int:
    """The server gives positions to the next changes of the outbox; how many there were."""
    slice_ = world.coming(desk, limit)
    await desk.store.receive_apart(slice_)
    return len(slice_.changes)


async def test_a_text_that_is_sent_in_pieces_stays_as_it_was_pasted(qtbot: QtBot, world: World) -> None:
    """The first pieces got their positions before the last ones: the text was taken out of the document, and read again
    as somebody else's. The caret was lost, and the paste could not be undone."""
    hl = world.add(HL)
    view = DocumentsView(hl.documents, ROOM, hl.documents.create(ROOM, "Yttrande å"))
    view.show()
    assert view.document is not None
    qtbot.addWidget(view, before_close_func=lambda _: document.shut())
    document, editor = view.document, view.document.editor
    model = hl.documents.open(document.obj)
    await positioned(world, hl, 2)
    QApplication.clipboard().setText(LINES)
    QTest.keyClick(editor, Qt.Key.Key_V, CONTROL)
    shown: list[Change] = []
    model.changed.connect(shown.append)
    end = editor.document().characterCount() - 1
    while await positioned(world, hl, 1):
        assert editor.selection() == (end, end)
        assert editor.toPlainText() == LINES
    assert shown == []
    QTest.keyClick(editor, Qt.Key.Key_Z, CONTROL)
    assert editor.toPlainText() == ""
    QTest.keyClick(editor, Qt.Key.Key_Y, CONTROL)
    assert editor.toPlainText() == LINES
    assert {change.origin for change in shown}.isdisjoint((LOCAL, SETUP))
    hl.documents.close(document.obj)
