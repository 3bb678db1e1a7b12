# SPDX-License-Identifier: EUPL-1.2
"""What needs an answer on Home: conversations of two with their text, and no sentence that denies what is above it."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication

from app.recovery import RecoverySheetState
from sync.client.ports import RoomEvent
from tests.ui.pointing import click
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, DIRECT_HEAD, DIRECT_REGISTRAR, HEAD, ME, at
from tests.ui.shell.test_window import texts
from ui.shell.window.main_window import MainWindow

NOTHING = "Inget kräver ditt svar just nu."


@pytest.fixture
def quiet(session: FakeSession) -> None:
    """Nobody mentioned or added the person."""
    session.chat.mentions = lambda limit=50, **_: []  # type: ignore[method-assign] # nothing to answer
    session.rooms.events = lambda room: []  # type: ignore[method-assign] # nothing to answer


def rows(window: MainWindow) -> list[str]:
    window.go_section("home")
    window.content.home.refresh()
    QApplication.processEvents()
    names = [button.accessibleName() for button in window.content.home.findChildren(QAbstractButton)]
    return [name for name in names if name.startswith("Meddelande från")]


def row(window: MainWindow, name: str) -> QAbstractButton:
    return next(b for b in window.content.home.findChildren(QAbstractButton) if b.accessibleName().startswith(name))


def test_an_unread_direct_message_shows_its_text_and_who_wrote_it_and_opens(
    window: MainWindow, session: FakeSession, quiet: None, tmp_path: Path
) -> None:
    assert rows(window) == []
    assert NOTHING in texts(window.content.home)
    session.rooms.change(DIRECT_HEAD, unread=2, last_ms=at(13, 40))
    session.rooms.change(DIRECT_REGISTRAR, unread=1, last_ms=at(13, 50))
    assert rows(window) == [
        "Meddelande från Registrator, Handlingen är diarieförd, 13:50",
        "Meddelande från Enhetschef, Tack, jag läser i kväll, 13:40",
    ]
    assert NOTHING not in texts(window.content.home)
    click(row(window, "Meddelande från Enhetschef"))
    view = window.current_room()
    assert view is not None
    assert view.room == DIRECT_HEAD
    session.rooms.set_unread(DIRECT_HEAD, 0)
    assert [name.split(",")[0] for name in rows(window)] == ["Meddelande från Registrator"]


def test_a_new_conversation_is_no_room_that_one_was_added_to(
    window: MainWindow, session: FakeSession, quiet: None
) -> None:
    added = RoomEvent(n=7, t=at(8, 15), kind="add", by=HEAD.uid, subject=ME.uid)
    session.rooms.events = lambda room: [added] if room == DIRECT_HEAD else []  # type: ignore[method-assign]
    session.rooms.change(DIRECT_HEAD, last_ms=at(9, 15))
    assert rows(window) == ["Meddelande från Enhetschef, Tack, jag läser i kväll, 09:15"]
    assert not [text for text in texts(window.content.home) if "lagts till i Enhetschef" in text]
    session.rooms.change(DIRECT_HEAD, preview="")
    assert rows(window) == []
    QTest.keyClick(row(window, "Ny konversation med Enhetschef"), Qt.Key.Key_Space)
    assert window.current_room() is not None


@pytest.mark.parametrize("state", ["muted", "left", "replaced"])
def test_a_conversation_that_wants_nothing_is_not_on_home(
    window: MainWindow, session: FakeSession, quiet: None, state: str
) -> None:
    session.rooms.change(DIRECT_HEAD, unread=2, **{state: True})
    assert rows(window) == []


def test_a_mention_in_a_conversation_of_two_stands_there_once(window: MainWindow, session: FakeSession) -> None:
    session.rooms.list = [r for r in session.rooms.list if r.room != CASE]
    mention = session.chat.mentions()[0]
    session.chat.mentions = lambda limit=50, **_: [replace(mention, room=DIRECT_HEAD)]  # type: ignore[method-assign]
    session.rooms.change(DIRECT_HEAD, unread=2, mentions=1)
    assert rows(window) == []
    assert "Du nämndes i Enhetschef" in texts(window.content.home)


def test_nothing_needs_an_answer_is_not_shown_under_the_reminder_of_the_sheet(
    window: MainWindow, session: FakeSession, quiet: None, tmp_path: Path
) -> None:
    assert rows(window) == []
    assert NOTHING in texts(window.content.home)
    session.give_sheet(tmp_path, RecoverySheetState.NONE)
    session.status_changed.emit()
    window.content.home.refresh()
    shown = texts(window.content.home)
    assert "Du har inget återställningsblad" in shown
    assert NOTHING not in shown
