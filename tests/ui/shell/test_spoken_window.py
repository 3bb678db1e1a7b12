# SPDX-License-Identifier: EUPL-1.2
"""The window for a screen reader: its name, what has the focus, and announcements of what happens outside the focus."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from app.core.enums import LinkState
from app.core.i18n import set_language
from app.errors import StoreUnwritable
from app.settings import ANNOUNCE, ROOM_IN_TITLE
from tests.ui.faces import Name, Role, announced, face, focused, listening, walk
from tests.ui.shell.fake_session import TOOLS, FakeSession
from tests.ui.shell.sample import CASE, NOW, UNIT
from tests.ui.soon import caught_up
from ui.kit import tasks
from ui.kit.gathering import PAUSE_S
from ui.shell.window.main_window import MainWindow
from ui.shell.window.navigation import Place
from ui.stage import Stage


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    set_language("sv")
    yield from listening()


@pytest.fixture
def received(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return announced(monkeypatch)


def pause(window: MainWindow) -> None:
    """As if five quiet seconds had passed."""
    window.announcer._gathering.quiet_until -= PAUSE_S
    window.announcer.look()


def test_the_title_has_the_rooms_name_unless_it_is_hidden(window: MainWindow, session: FakeSession) -> None:
    assert window.windowTitle() == "(5) Kansli"
    window.open_room(CASE)
    assert window.windowTitle() == "(5) Tillsyn 2026-1184 – Kansli"
    assert face(window).text(Name) == "(5) Tillsyn 2026-1184 – Kansli"
    session.rooms.rename(CASE, "Tillsyn å 🙂")
    caught_up(window)
    assert window.windowTitle() == "(5) Tillsyn å 🙂 – Kansli"
    session.settings.set(ROOM_IN_TITLE, False)
    assert window.windowTitle() == "(5) Kansli"
    session.settings.set(ROOM_IN_TITLE, True)
    window.go(Place(section="tasks"))
    assert window.windowTitle() == "(5) Kansli"


@pytest.mark.parametrize("section", ["home", "rooms", "tasks", "search", "settings"])
def test_one_object_has_the_focus(window: MainWindow, section: str) -> None:
    window.open_room(CASE)
    window.go_section(section)
    QApplication.processEvents()
    for _ in range(40):
        found = focused(window)
        assert len(found) <= 1, found
        widget = window.focusWidget()
        if widget is not None and widget.accessibleName():
            assert len(found) == 1, widget.accessibleName()
        window.focusNextChild()


def test_the_rail_is_tabs_and_sections_are_headings(window: MainWindow) -> None:
    found = list(walk(face(window)))
    tabs = {f.text(Name): bool(f.state().selected) for f in found if f.role() == Role.PageTab}
    assert tabs.items() >= {"Hem": True, "Rum": False, "Sök": False, "Inställningar": False}.items()
    headings = {f.text(Name) for f in found if f.role() == Role.Heading}
    assert headings >= {"God eftermiddag", "Kräver svar", "Senast öppnat", "Mina uppgifter"}
    assert not [f.text(Name) for f in found if f.role() == Role.CheckBox and not f.text(Name).startswith("Klar: ")]


def test_that_one_is_offline_is_announced_once_and_that_one_is_back(
    window: MainWindow, session: FakeSession, received: list[str]
) -> None:
    for state, waiting in (
        (LinkState.OFFLINE, 0),
        (LinkState.CONNECTING, 0),
        (LinkState.OFFLINE, 1),
        (LinkState.CONNECTING, 1),
        (LinkState.OFFLINE, 2),
    ):
        session.set_status(state=state, waiting=waiting)
        session.status_changed.emit()
        pause(window)
    (spoken,) = received
    assert spoken.startswith("Du är frånkopplad.")
    for state in (LinkState.CONNECTING, LinkState.SYNCING, LinkState.ONLINE):
        session.set_status(state=state, waiting=0)
        session.status_changed.emit()
        pause(window)
    assert received == [spoken, "Du är ansluten igen"]


def test_a_fault_of_the_connection_is_announced_by_its_kind(
    window: MainWindow, session: FakeSession, received: list[str]
) -> None:
    for code in ("certificate", "certificate", "update-required"):
        session.set_status(state=LinkState.ERROR, code=code)
        session.status_changed.emit()
        pause(window)
    assert len(received) == 2


def test_messages_that_come_together_are_counted(window: MainWindow, session: FakeSession, received: list[str]) -> None:
    window.activateWindow()
    session.rooms.set_unread(UNIT, 4)
    caught_up(window)
    session.rooms.set_unread(CASE, 4)
    caught_up(window)
    assert received == []
    pause(window)
    assert received == ["3 nya meddelanden"]


def test_one_message_says_where_and_in_the_open_room_what(
    window: MainWindow, session: FakeSession, received: list[str]
) -> None:
    session.rooms.set_unread(UNIT, 3)
    caught_up(window)
    pause(window)
    session.rooms.set_unread(CASE, 4, 2)
    caught_up(window)
    pause(window)
    window.open_room(UNIT)
    session.rooms.set_unread(UNIT, 4)
    caught_up(window)
    pause(window)
    room = session.rooms.room(UNIT)
    assert received == [
        f"Nytt meddelande i {room.title}",
        "Du nämndes i Tillsyn 2026-1184",
        f"Nytt meddelande: {room.preview}",
    ]


def test_a_muted_room_is_read_out_only_when_it_names_one(
    window: MainWindow, session: FakeSession, received: list[str]
) -> None:
    session.rooms.set_muted(UNIT, True)
    caught_up(window)
    session.rooms.set_unread(UNIT, 9)
    caught_up(window)
    pause(window)
    assert received == []
    session.rooms.set_unread(UNIT, 10, 1)
    caught_up(window)
    pause(window)
    assert received == [f"Du nämndes i {session.rooms.room(UNIT).title}"]


def test_an_error_is_never_left_out(window: MainWindow, received: list[str]) -> None:
    window.toast("Texten är kopierad")
    window.toast("Länken är kopierad")
    tasks.report(window, StoreUnwritable())
    window.toast("Filen är sparad")
    pause(window)
    assert received[0] == "Texten är kopierad"
    assert len(received) == 2
    assert "disk-full" in received[1] or "store-unwritable" in received[1]
    assert "Filen är sparad" in received[1]
    assert "Länken är kopierad" not in received[1]


def test_nothing_is_announced_by_setting(window: MainWindow, session: FakeSession, received: list[str]) -> None:
    session.settings.set(ANNOUNCE, False)
    window.toast("Kortet är borttaget", lambda: None)
    session.rooms.set_unread(UNIT, 9)
    caught_up(window)
    session.set_status(state=LinkState.OFFLINE)
    session.status_changed.emit()
    pause(window)
    assert received == []


def test_nothing_is_announced_under_a_lock(session: FakeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    received = announced(monkeypatch)
    stage = Stage(session.settings, lambda: True, background=False, report=dict)
    stage.window = window = MainWindow(session, TOOLS, now=lambda: NOW)
    window.toast("Texten är kopierad")
    window.toast("Kortet är borttaget", lambda: None)
    stage.drop_window()
    pause(window)  # Qt deletes it when control is back in the event loop
    window.toast("Fel å 🙂", lambda: None)
    assert received == ["Texten är kopierad"]
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
