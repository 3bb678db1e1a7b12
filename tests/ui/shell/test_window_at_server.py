# SPDX-License-Identifier: EUPL-1.2
"""What the window asks the server for: a new room, and an action that is refused."""

import asyncio

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from app.session import Session
from tests.ui.finding import toast_of
from tests.ui.shell.in_window import press, room
from tests.ui.shell.kept_office import office
from tests.world import until
from ui.kit.plain import Label
from ui.kit.tasks import run
from ui.shell.window.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("connected")


async def dialog_of(window: MainWindow) -> QWidget:
    """The dialog that just opened."""
    await asyncio.sleep(0)
    found = QApplication.activeModalWidget()
    assert found is not None
    return found


async def test_a_new_room_is_made_and_opened(window: MainWindow, session: Session) -> None:
    press(window, "Ctrl+N")
    dialog = await dialog_of(window)
    dialog.title.setText("Remiss å ä ö 👍")  # type: ignore[attr-defined] # a NewRoomDialog
    dialog.accept()  # type: ignore[attr-defined] # as above
    await until(lambda: window.current_room() is not None)
    made = session.rooms.rooms()[0]
    assert made.title == "Remiss å ä ö 👍"
    assert room(window).room == made.room
    row = window.room_list.list.current_row()
    assert row is not None
    assert row.key == made.room


async def test_a_refused_action_is_shown_in_a_sentence_with_its_code(window: MainWindow, session: Session) -> None:
    window.open_room(office().legal)
    run(window, session.rooms.remove(office().legal, office().head.uid))
    await until(lambda: toast_of(window).isVisible())
    assert "Din roll tillåter inte det här." in toast_of(window).text()
    assert "Kod: forbidden" in [label.text() for label in toast_of(window).findChildren(Label)]
