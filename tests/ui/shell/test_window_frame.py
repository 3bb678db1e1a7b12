# SPDX-License-Identifier: EUPL-1.2
"""What is around the views: the counts of what is unread, the status bar, the look, and the sizes of the parts."""

import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.enums import LinkState
from app.session import Session
from app.settings import AUTO_LOCK_MINUTES, LANGUAGE, THEME, WINDOW_GEOMETRY
from app.store.rows import MAX_UNREAD
from tests.ui.finding import toast_of
from tests.ui.shell.in_window import press, room
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import change_status, chat_of, say, show_status
from tests.ui.shell.tool_views import TOOLS, FakeView
from tests.ui.soon import caught_up
from ui.kit import theme
from ui.kit.plain import Label
from ui.shell.window.main_window import MainWindow


def test_the_rail_counts_what_is_unread(window: MainWindow, session: Session) -> None:
    assert window.rail.items["rooms"].count() == 5
    chat_of(session).mark_all_read(office().unit)
    caught_up(window)
    assert window.rail.items["rooms"].count() == 3
    assert window.windowTitle() == "(3) Kansli"


def test_the_title_says_that_more_is_unread_than_was_counted(window: MainWindow, session: Session) -> None:
    say(session, office().unit, office().head, *(f"å {n}" for n in range(MAX_UNREAD - 3)))
    caught_up(window)
    assert window.windowTitle() == f"({MAX_UNREAD + 2}) Kansli"
    say(session, office().unit, office().head, "ö")
    caught_up(window)
    assert window.windowTitle() == f"({MAX_UNREAD + 3}+) Kansli"


async def test_offline_is_a_quiet_bar_and_a_word_in_the_status_bar(window: MainWindow, session: Session) -> None:
    assert window.content.status.texts() == [
        "Krypterat från ände till ände",
        "Myndighetens server",
        "Synkat",
        "Allt är skickat",
    ]
    for text in ("Ett å", "Två ä", "Tre ö"):
        chat_of(session).send(office().unit, text)
    show_status(session, LinkState.OFFLINE)
    assert "3 ändringar väntar." in window.content.bar.text()
    assert window.content.status.texts()[2:] == ["Frånkopplad", "3 ändringar inte skickade än"]
    show_status(session, LinkState.OFFLINE, "proxy-failed")
    assert "proxy släpper inte igenom Kansli" in window.content.bar.text()
    show_status(session, LinkState.ERROR, "certificate")
    assert "Servern kan inte visa vem den är." in window.content.bar.text()
    assert "certificate" not in window.content.bar.text()
    assert "Kod: certificate" in [label.text() for label in window.content.bar.findChildren(Label) if label.isVisible()]


async def test_the_content_stays_where_it_is_while_kansli_tries_to_connect(
    window: MainWindow, session: Session, qtbot: QtBot
) -> None:
    """What one is about to click on must not jump by the height of the bar at each attempt."""

    def top() -> int:
        QApplication.processEvents()
        return window.content.stack.mapTo(window, QPoint()).y()

    alone = top()
    for state in (LinkState.CONNECTING, LinkState.SYNCING, LinkState.CONNECTING, LinkState.ONLINE):
        show_status(session, state)
        assert (top(), window.content.bar.isVisible()) == (alone, False)
    show_status(session, LinkState.OFFLINE, "proxy-failed")
    below = top()
    assert below > alone
    for text in ("Ett å", "Två ä", "Tre ö"):
        chat_of(session).send(office().unit, text)
    show_status(session, LinkState.CONNECTING)
    assert top() == below
    assert "proxy släpper inte igenom Kansli" in window.content.bar.text()
    assert "3 ändringar väntar." in window.content.bar.text()
    show_status(session, LinkState.ONLINE)
    assert top() == alone


def test_a_lost_connection_is_shown_although_the_next_attempt_began_before_that(
    window: MainWindow, session: Session
) -> None:
    change_status(session, LinkState.OFFLINE)
    change_status(session, LinkState.CONNECTING)
    assert not window.content.bar.isVisible()
    caught_up(window.connection)
    assert window.content.bar.text().startswith("Du är frånkopplad.")
    assert window.content.status.texts()[2] == "Ansluter …"


def test_another_language_is_shown_at_once(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    window.open_room(office().case)
    session.settings.set(LANGUAGE, "en")
    qtbot.waitUntil(lambda: window.rail.items["home"].accessibleName() == "Home")
    assert window.content.status.texts()[0] == "Encrypted from end to end"
    assert room(window).room == office().case
    press(window, "Ctrl+K")
    assert window.palette_view.isVisible()
    session.settings.set(LANGUAGE, "sv")
    qtbot.waitUntil(lambda: window.rail.items["home"].accessibleName() == "Hem")


def test_a_language_chosen_on_another_device_is_shown_at_once_and_what_is_being_written_is_stored(
    window: MainWindow, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[FakeView] = []
    monkeypatch.setattr(FakeView, "keep_draft", lambda view: stored.append(view), raising=False)
    window.open_room(office().case)
    session.settings.follow(LANGUAGE, "en")
    qtbot.waitUntil(lambda: window.rail.items["home"].accessibleName() == "Home")
    assert len(stored) == 1
    assert room(window).room == office().case
    session.settings.follow(LANGUAGE, "sv")
    qtbot.waitUntil(lambda: window.rail.items["home"].accessibleName() == "Hem")


def test_theme_and_auto_lock_follow_the_settings(window: MainWindow, session: Session, qtbot: QtBot) -> None:
    session.settings.set(THEME, "dark")
    assert theme.current().id == "dark"
    session.settings.set(AUTO_LOCK_MINUTES, 5)
    assert window.auto_lock.minutes() == 5
    with qtbot.waitSignal(window.lock_requested, timeout=1000):
        press(window, "Ctrl+Shift+L")


def test_the_windows_place_is_kept(window: MainWindow, session: Session) -> None:
    window.close()
    assert session.settings.get(WINDOW_GEOMETRY)


def test_the_side_list_keeps_its_width_through_a_small_window(window: MainWindow) -> None:
    window.open_room(office().case)
    QApplication.processEvents()
    assert window.room_list.width() == 272
    window.resize(900, 600)
    QApplication.processEvents()
    window.go_section("home")
    window.resize(1440, 900)
    window.go_section("rooms")
    QApplication.processEvents()
    assert window.room_list.width() == 272


def test_a_wide_tool_that_is_hidden_does_not_narrow_the_side_list(window: MainWindow) -> None:
    window.open_room(office().case)
    press(window, "Alt+3")
    board = room(window).current_view()
    assert board is not None
    board.setMinimumWidth(1050)
    press(window, "Alt+1")
    QApplication.processEvents()
    assert room(window).panel.isVisible()
    assert window.room_list.width() == 272


def test_a_message_of_the_window_never_covers_the_field_where_one_writes(window: MainWindow) -> None:
    window.toast("Komplettering.pdf är sparad 👍")
    window.open_room(office().case)
    QApplication.processEvents()
    view = room(window).current_view()
    assert isinstance(view, FakeView)

    def covers() -> bool:
        toast, field = toast_of(window), view.field
        return QRect(toast.mapToGlobal(QPoint()), toast.size()).intersects(
            QRect(field.mapToGlobal(QPoint()), field.size())
        )

    assert toast_of(window).isVisible()
    assert not covers()
    view.field.setFixedHeight(200)
    QApplication.processEvents()
    assert not covers()


def test_a_second_window_can_be_made_and_closed(qapp: QApplication, session: Session) -> None:
    one = MainWindow(session, TOOLS)
    one.show()
    one.open_room(office().case)
    one.close()
    one.deleteLater()
    QApplication.sendPostedEvents(None, 52)
    session.rooms.changed.emit()
    session.status_changed.emit()
    session.people.mark_verified(office().head.uid, True)
