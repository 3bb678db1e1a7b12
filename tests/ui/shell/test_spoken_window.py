# SPDX-License-Identifier: EUPL-1.2
"""The window for a screen reader: its name, what has the focus, and announcements of what happens outside the focus."""

from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication

from app.core.enums import Level, LinkState
from app.core.i18n import set_language
from app.errors import StoreUnwritable
from app.session import Session
from app.settings import ANNOUNCE, ROOM_IN_TITLE
from tests.ui.faces import Name, Role, announced, face, focused, listening, walk
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import change_status, chat_of, read_everything, say, show_status
from tests.ui.shell.tool_views import TOOLS
from tests.ui.soon import caught_up
from ui.kit import tasks
from ui.kit.gathering import PAUSE_S, Kind
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


async def test_the_title_has_the_rooms_name_unless_it_is_hidden(window: MainWindow, session: Session) -> None:
    assert window.windowTitle() == "(5) Kansli"
    window.open_room(office().case)
    assert window.windowTitle() == "(5) Tillsyn 2026-1184 – Kansli"
    assert face(window).text(Name) == "(5) Tillsyn 2026-1184 – Kansli"
    session.rooms.rename(office().case, "Tillsyn å 🙂")
    caught_up(window)
    assert window.windowTitle() == "(5) Tillsyn å 🙂 – Kansli"
    session.settings.set(ROOM_IN_TITLE, False)
    assert window.windowTitle() == "(5) Kansli"
    session.settings.set(ROOM_IN_TITLE, True)
    window.go(Place(section="tasks"))
    assert window.windowTitle() == "(5) Kansli"


@pytest.mark.parametrize("section", ["home", "rooms", "tasks", "search", "settings"])
def test_one_object_has_the_focus(window: MainWindow, section: str) -> None:
    window.open_room(office().case)
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


async def test_that_one_is_offline_is_announced_once_and_that_one_is_back(
    window: MainWindow, session: Session, received: list[str]
) -> None:
    for state, writes in (
        (LinkState.OFFLINE, False),
        (LinkState.CONNECTING, False),
        (LinkState.OFFLINE, True),
        (LinkState.CONNECTING, False),
        (LinkState.OFFLINE, True),
    ):
        if writes:
            chat_of(session).send(office().permit, "Ett å 🙂")
        show_status(session, state)
        pause(window)
    assert session.status.waiting == 2
    (spoken,) = received
    assert spoken.startswith("Du är frånkopplad.")
    for state in (LinkState.CONNECTING, LinkState.SYNCING, LinkState.ONLINE):
        show_status(session, state)
        pause(window)
    assert received == [spoken, "Du är ansluten igen"]


def test_a_lost_connection_is_announced_although_the_next_attempt_began_before_it_was_shown(
    window: MainWindow, session: Session, received: list[str]
) -> None:
    change_status(session, LinkState.OFFLINE)
    change_status(session, LinkState.CONNECTING)
    caught_up(window.connection)
    pause(window)
    (spoken,) = received
    assert spoken.startswith("Du är frånkopplad.")
    show_status(session, LinkState.ONLINE)
    pause(window)
    assert received == [spoken, "Du är ansluten igen"]


def test_a_fault_of_the_connection_is_announced_by_its_kind(
    window: MainWindow, session: Session, received: list[str]
) -> None:
    for code in ("certificate", "certificate", "update-required"):
        show_status(session, LinkState.ERROR, code)
        pause(window)
    assert len(received) == 2


def test_after_a_fault_one_is_told_to_be_back_and_a_fault_without_a_sentence_tells_no_old_one(
    window: MainWindow, session: Session, received: list[str]
) -> None:
    for state, code in ((LinkState.ERROR, "certificate"), (LinkState.ERROR, None), (LinkState.ONLINE, None)):
        show_status(session, state, code)
        pause(window)
    assert received[1:] == ["Du är ansluten igen"]


def test_messages_that_come_together_are_counted(window: MainWindow, session: Session, received: list[str]) -> None:
    window.activateWindow()
    say(session, office().unit, office().head, "Ett å", "Två ä")
    caught_up(window)
    say(session, office().case, office().head, "Tre ö")
    caught_up(window)
    assert received == []
    pause(window)
    assert received == ["3 nya meddelanden"]


def test_one_message_says_where_and_in_the_open_room_what(
    window: MainWindow, session: Session, received: list[str]
) -> None:
    say(session, office().unit, office().head, "Ett å")
    caught_up(window)
    pause(window)
    say(session, office().case, office().head, "@Handläggare två ä")
    caught_up(window)
    pause(window)
    window.open_room(office().unit)
    say(session, office().unit, office().head, "Tre ö 🙂")
    caught_up(window)
    pause(window)
    room = session.rooms.room(office().unit)
    assert received == [
        f"Nytt meddelande i {room.title}",
        "Du nämndes i Tillsyn 2026-1184",
        "Nytt meddelande: Tre ö 🙂",
    ]


async def test_a_muted_room_is_read_out_only_when_it_names_one(
    window: MainWindow, session: Session, received: list[str]
) -> None:
    session.rooms.set_level(office().unit, Level.MENTIONS)
    caught_up(window)
    say(session, office().unit, office().head, "Ett å", "Två ä")
    caught_up(window)
    pause(window)
    assert received == []
    say(session, office().unit, office().head, "@Handläggare tre ö")
    caught_up(window)
    pause(window)
    assert received == [f"Du nämndes i {session.rooms.room(office().unit).title}"]


def test_what_is_marked_as_unread_is_not_read_out_as_new(
    window: MainWindow, session: Session, received: list[str]
) -> None:
    window.activateWindow()
    read_everything(session)
    caught_up(window)
    chat_of(session).mark_room_unread(office().case)
    caught_up(window)
    pause(window)
    assert session.rooms.room(office().case).unread == 1
    assert received == []


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


def test_nothing_is_announced_by_setting(window: MainWindow, session: Session, received: list[str]) -> None:
    session.settings.set(ANNOUNCE, False)
    window.toast("Kortet är borttaget", lambda: None)
    say(session, office().unit, office().head, "Ett å", "Två ä")
    caught_up(window)
    show_status(session, LinkState.OFFLINE)
    pause(window)
    assert received == []


def test_nothing_is_announced_under_a_lock(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    received = announced(monkeypatch)
    stage = Stage(session.settings, lambda: True, background=False, report=dict)
    stage.window = window = MainWindow(session, TOOLS)
    window.show()
    window.installEventFilter(SpeaksAtHide(window))
    stage.drop_window()
    assert not shiboken6.isValid(window)
    assert received == []


class SpeaksAtHide(QObject):
    """Has the window announce something urgent when it is hidden, as an editor whose text the disk refuses then."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Hide and isinstance(watched, MainWindow):
            watched.announcer.announce(Kind.KEPT, "Fel å 🙂")
        return False
