# SPDX-License-Identifier: EUPL-1.2
"""Received files that a person keeps on this computer: one by its menu, all of a room by the button above the list."""

from typing import cast

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.keeping import Keeping
from app.chat.room_files import RoomFiles
from app.errors import NoRoomOffline
from app.objects.files import Pasted, SealedFiles
from app.store.cache_upkeep import CacheLimit
from tests.app.chat.test_file_parts import message, parts_of_a_file
from tests.office import CHANNEL, EK, ROOM, Desk, from_others
from tests.ui.viewer.conftest import chat_of
from tests.world import until
from ui.chat.view import ChatView
from ui.kit.tasks import set_error_hook

KEEP = "Behåll Beslut å.docx på den här datorn"


@pytest.fixture
def at(hl: Desk) -> Desk:
    """The desk with two files of a colleague's and one of its own."""
    sealed = cast("RoomFiles", hl.chat.files._blobs)._files
    assert isinstance(sealed, SealedFiles)
    hl.chat.keeping = Keeping(hl.store.db, sealed, hl.chat.channel)
    hl.store.cache_upkeep.chosen = lambda: CacheLimit(most=10_000_000, is_automatic=False)
    from_others(hl, EK, CHANNEL, [message(*parts_of_a_file()) for _ in range(2)], n=2, t=2000)
    return hl


def entry(view: ChatView, row: int) -> QAction | None:
    view.message_actions.open_menu(view.model.timeline.message(row), view.list.mapToGlobal(QPoint(9, 9)))
    menu = QApplication.activePopupWidget()
    assert menu is not None
    found = next((action for action in menu.actions() if action.text() == KEEP), None)
    menu.close()
    return found


async def test_a_file_is_kept_and_no_more_by_its_menu(at: Desk, qtbot: QtBot) -> None:
    view, keeping = chat_of(at, qtbot), at.chat.keeping
    assert keeping is not None
    first, second = (view.model.timeline.message(row) for row in range(2))
    action = entry(view, 0)
    assert action is not None
    assert not action.isChecked()
    action.trigger()
    assert keeping.is_kept(first, 0)
    assert not keeping.is_kept(second, 0)
    action = entry(view, 0)
    assert action is not None
    assert action.isChecked()
    action.trigger()
    assert not keeping.is_kept(first, 0)


async def test_an_own_file_stays_anyway_and_offers_nothing(at: Desk, qtbot: QtBot) -> None:
    await at.chat.send_file(ROOM, [Pasted("Beslut å.docx", b"own")], "Min")
    assert entry(chat_of(at, qtbot), 2) is None


async def test_all_files_of_a_room_are_kept_by_the_button(at: Desk, qtbot: QtBot) -> None:
    view, keeping = chat_of(at, qtbot), at.chat.keeping
    assert keeping is not None
    view.files.show_list()
    button = view.files.keep_all
    assert button.isVisible()
    button.click()
    await until(lambda: keeping.is_room_kept(ROOM))
    assert all(keeping.is_kept(view.model.timeline.message(row), 0) for row in range(2))
    assert button.isChecked()
    button.click()
    await until(lambda: not keeping.is_room_kept(ROOM))
    assert not any(keeping.is_kept(view.model.timeline.message(row), 0) for row in range(2))


async def test_where_space_is_too_small_for_all_files_none_is_kept_and_the_button_says_so(
    at: Desk, qtbot: QtBot
) -> None:
    view, keeping = chat_of(at, qtbot), at.chat.keeping
    assert keeping is not None
    at.store.cache_upkeep.chosen = lambda: CacheLimit(most=3000, is_automatic=False)
    shown = list[Exception]()
    set_error_hook(lambda owner, error, again: shown.append(error))
    try:
        view.files.show_list()
        view.files.keep_all.click()
        await until(lambda: bool(shown))
    finally:
        set_error_hook(None)
    assert isinstance(shown[0], NoRoomOffline)
    assert not view.files.keep_all.isChecked()
    assert not any(keeping.is_kept(view.model.timeline.message(row), 0) for row in range(2))
