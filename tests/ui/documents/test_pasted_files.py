# SPDX-License-Identifier: EUPL-1.2
"""Files that are pasted into a document or dropped on it: nothing is written, and a sentence shows that."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.i18n import language, set_language
from tests.app.documents.desks import World
from tests.office import HL, ROOM
from ui.documents.document_view import DocumentView
from ui.documents.view import DocumentsView

COPY, MOVE, LEFT = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction, Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def document(qtbot: QtBot, tmp_path: Path) -> Iterator[DocumentView]:
    """A document that is written in, with the caret after "å"."""
    before = language()
    set_language("sv")
    world = World(tmp_path / "world")
    hl = world.add(HL)
    view = DocumentsView(hl.documents, ROOM, hl.documents.create(ROOM, "Beslut"))
    qtbot.addWidget(view, before_close_func=lambda widget: widget.show_list())
    view.resize(1100, 760)
    view.show()
    assert view.document is not None
    view.document.editor.setFocus()
    QTest.keyClicks(view.document.editor, "å")
    yield view.document
    view.show_list()
    world.close()
    set_language(before)


def copied(*files: str) -> QMimeData:
    """As a file manager offers files: their addresses, as such and as text."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(f"/home/handläggare/{file}") for file in files])
    mime.setText("\n".join(f"/home/handläggare/{file}" for file in files))
    return mime


def shown(document: DocumentView) -> str:
    bar = document.left_out_bar
    return bar.text() if bar.isVisible() else ""


@pytest.mark.parametrize("modifiers", [CTRL, CTRL | SHIFT])
def test_pasted_files_are_not_written_as_addresses(document: DocumentView, modifiers: Qt.KeyboardModifier) -> None:
    QApplication.clipboard().setMimeData(copied("Yttrande å.pdf", "bild.png"))
    QTest.keyClick(document.editor, Qt.Key.Key_V, modifiers)
    assert document.editor.toPlainText() == "å"
    assert shown(document) == "2 filer kunde inte följa med. Skicka dem i chatten."
    QApplication.clipboard().setText(" och ö")
    QTest.keyClick(document.editor, Qt.Key.Key_V, modifiers)
    assert document.editor.toPlainText() == "å och ö"
    assert shown(document) == ""


@pytest.mark.parametrize(("offered", "done"), [(COPY | MOVE, COPY), (MOVE, Qt.DropAction.IgnoreAction)])
def test_dropped_files_are_neither_written_nor_taken_from_their_folder(
    document: DocumentView, offered: Qt.DropAction, done: Qt.DropAction
) -> None:
    """With Shift, which asks for a move."""
    mime, page = copied("Yttrande å.pdf"), document.editor.viewport()
    entered = QDragEnterEvent(QPoint(100, 20), offered, mime, LEFT, SHIFT)
    QApplication.sendEvent(page, entered)
    assert entered.isAccepted()
    dropped = QDropEvent(QPointF(100, 20), offered, mime, LEFT, SHIFT)
    QApplication.sendEvent(page, dropped)
    assert dropped.dropAction() == done
    assert document.editor.toPlainText() == "å"
    assert shown(document) == "1 fil kunde inte följa med. Skicka den i chatten."


def test_an_address_of_the_web_is_pasted_as_text(document: DocumentView) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://lagen.nu")])
    mime.setText(" https://lagen.nu")
    QApplication.clipboard().setMimeData(mime)
    QTest.keyClick(document.editor, Qt.Key.Key_V, CTRL)
    assert document.editor.toPlainText() == "å https://lagen.nu"
