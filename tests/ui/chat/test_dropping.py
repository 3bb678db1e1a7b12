# SPDX-License-Identifier: EUPL-1.2
"""Files that are dropped on the messages are attached, as those that are dropped on the field."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from tests.office import ROOM, Desk
from ui.chat.view import ChatView

COPY, MOVE = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def dragged(*files: Path) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    return mime


def enter(view: ChatView, mime: QMimeData) -> bool:
    """Whether it may be dropped there."""
    event = QDragEnterEvent(QPoint(200, 200), COPY, mime, LEFT, NO_KEY)
    event.ignore()
    QApplication.sendEvent(view, event)
    return event.isAccepted()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "aktbilaga å.txt"
    made.write_text("å")
    return made


def test_files_dropped_on_the_messages_are_attached(view: ChatView, hl: Desk, file: Path) -> None:
    hl.chat.send(ROOM, "Hej å")
    mime = dragged(file)
    assert not view.list.acceptDrops()
    assert not view.list.viewport().acceptDrops()
    assert enter(view, mime)
    assert view.drops.mark.isVisible()
    QApplication.sendEvent(view, QDropEvent(QPointF(200, 200), COPY, mime, LEFT, NO_KEY))
    assert view.composer.files == [file]
    assert not view.drops.mark.isVisible()


def test_nothing_else_is_taken_and_the_mark_goes_with_what_is_dragged(view: ChatView, file: Path) -> None:
    text = QMimeData()
    text.setText("Hej å")
    assert not enter(view, text)
    assert enter(view, dragged(file))
    QApplication.sendEvent(view, QDragLeaveEvent())
    assert not view.drops.mark.isVisible()
    view.set_writable(False)
    assert not enter(view, dragged(file))


def test_a_file_that_is_dropped_is_never_reported_as_moved(view: ChatView, file: Path) -> None:
    """▲ With Shift a file manager proposes to move it, and deletes its own."""
    mime = dragged(file)
    for target in (view, view.composer.field.viewport()):
        assert target.acceptDrops()
        both, shift = COPY | MOVE, Qt.KeyboardModifier.ShiftModifier
        QApplication.sendEvent(target, QDragEnterEvent(QPoint(2, 2), both, mime, LEFT, shift))
        drop = QDropEvent(QPointF(2, 2), both, mime, LEFT, shift)
        assert drop.proposedAction() == MOVE
        QApplication.sendEvent(target, drop)
        assert (drop.isAccepted(), drop.dropAction()) == (True, COPY)
        assert view.composer.files == [file]
        view.composer.files.clear()


def test_attack_what_no_message_can_be_is_not_pasted_as_one(view: ChatView) -> None:
    """▲ Another program offers it: 50 MB would hold the window, and letters that reorder others hide what is sent."""
    field = view.composer.field
    mime = QMimeData()
    mime.setData("application/x-kansli-message", "**å** \u202efdp.exe".encode())
    field.insertFromMimeData(mime)
    assert field.toPlainText() == "**å** fdp.exe"
    field.clear()
    mime.setData("application/x-kansli-message", b"a" * 20_001)
    mime.setText("kort å")
    field.insertFromMimeData(mime)
    assert field.toPlainText() == "kort å"
