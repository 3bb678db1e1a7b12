# SPDX-License-Identifier: EUPL-1.2
"""Invitations in the window: the list, the view with its answers, who is invited, and undoing in the settings."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton

from app.core.enums import Role, RoomType
from app.rooms.invitations import MoreInvitations
from app.session import Session
from app.settings import NOTIFICATION_CONTENT
from sync.errors import Unreachable
from tests.ui.finding import toast_of
from tests.ui.shell.fake_invitations import INVITED, FakeInvitations
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import join, open_session, set_role
from tests.ui.shell.sample import LAWYER, at, room_id
from tests.ui.soon import caught_up
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit import theme
from ui.kit.dialogs import Dialog
from ui.shell.room.invitation_view import InvitationView
from ui.shell.room.member_dialogs import AddMemberDialog
from ui.shell.window.main_window import MainWindow
from ui.shell.window.notifications import Notifications


class InvitedSession(Session):
    """Its invitations are in memory."""

    invitations: FakeInvitations


@pytest.fixture
def session(tmp_path: Path) -> InvitedSession:
    made = open_session(tmp_path, kind=InvitedSession)
    assert isinstance(made, InvitedSession)
    made.invitations = FakeInvitations()
    return made


@pytest.fixture
def invited(window: MainWindow, session: InvitedSession) -> InvitationView:
    """A window that shows an invitation."""
    session.invitations.open_ones = [INVITED]
    window.room_list.refresh()
    window.open_room(INVITED.room)
    return window.content.invitation


def titles(window: MainWindow) -> list[str]:
    return [row.title for row in window.room_list.list.rows.rows]


async def shows(window: MainWindow, look: Callable[[], bool]) -> None:
    """Until something is so, with what the views show `Soon` shown."""

    def now() -> bool:
        caught_up(window)
        return look()

    await until(now)


async def confirmed(window: MainWindow) -> None:
    """The question that is open is answered with yes."""
    await until(lambda: any(d.isVisible() for d in window.findChildren(Dialog)))
    [dialog] = [d for d in window.findChildren(Dialog) if d.isVisible()]
    dialog.accept_button.click()


def test_home_shows_who_invites_to_what_and_opens_it(window: MainWindow, session: InvitedSession) -> None:
    session.invitations.open_ones = [INVITED]
    session.invitations.changed.emit()
    caught_up(window)
    row = next(b for b in window.content.home.findChildren(QAbstractButton) if INVITED.title in b.accessibleName())
    sentence = f"{LAWYER.name} har bjudit in dig till {INVITED.title}, {INVITED.greeting}"
    assert row.accessibleName().startswith(sentence)
    row.click()
    assert window.content.invitation.isVisible()


def test_invitations_stand_above_the_rooms_with_their_count(window: MainWindow, invited: InvitationView) -> None:
    assert titles(window)[:2] == ["Inbjudningar (1)", INVITED.title]
    row = window.room_list.list.current_row()
    assert row is not None
    assert row.detail == f"{LAWYER.name} bjuder in dig"


def test_attack_the_view_says_who_invites_and_quotes_the_greeting_as_plain_text(invited: InvitationView) -> None:
    assert (invited._name.text(), invited._title.text()) == (LAWYER.name, INVITED.title)
    assert LAWYER.unit in invited._post.text()
    assert invited._quotation.text() == f"”{INVITED.greeting}”"
    assert invited._quotation.textFormat() == Qt.TextFormat.PlainText
    assert "Ärenderum" in invited._about.text()


@pytest.mark.parametrize("look", ["light", "dark", "contrast", "contrast-dark"])
def test_every_control_has_a_name_in_every_theme(
    window: MainWindow, invited: InvitationView, qapp: QApplication, look: str
) -> None:
    theme.apply(qapp, look)
    check(window)
    check_tab(window)


async def test_accepting_by_keyboard_waits_for_the_room_and_enters_it(
    window: MainWindow, session: InvitedSession, invited: InvitationView
) -> None:
    invited.accept.setFocus()
    QTest.keyClick(invited.accept, Qt.Key.Key_Space)
    await until(lambda: session.invitations.done == ["accept"])
    await shows(window, lambda: invited._meaning.text().startswith("Rummet öppnas"))
    assert not invited.accept.isEnabled()
    join(session, office().head, INVITED.title, RoomType.CASE, t_ms=at(9, 42), room=INVITED.room)
    await shows(window, lambda: (view := window.current_room()) is not None and view.room == INVITED.room)


async def test_what_is_declined_is_gone_and_can_be_undone(
    window: MainWindow, session: InvitedSession, invited: InvitationView
) -> None:
    invited.decline.click()
    await shows(window, lambda: invited.gone.isVisible())
    assert INVITED.title not in titles(window)
    await shows(window, lambda: toast_of(window).isVisible())
    undo = next(b for b in toast_of(window).findChildren(QPushButton) if b.text() == "Ångra")
    undo.click()
    await until(lambda: session.invitations.done == ["decline", "ask-again"])
    await shows(window, lambda: invited.card.isVisible())


async def test_a_blocked_person_is_listed_in_the_settings_and_unblocked_there(
    window: MainWindow, session: InvitedSession, invited: InvitationView
) -> None:
    invited.block.click()
    await confirmed(window)
    await until(lambda: session.invitations.done == ["block"])
    window.go_section("settings")
    card = window.settings_view.invitations
    await shows(window, lambda: len(card.rows.rows) == 1)
    check(window)
    card.rows.rows[0].button.click()
    await until(lambda: session.invitations.done == ["block", "unblock"])
    await shows(window, lambda: not card.rows.rows)
    assert card._none.isVisible()


async def test_what_cannot_be_kept_is_shown_in_place(session: InvitedSession, invited: InvitationView) -> None:
    session.invitations.error = Unreachable("offline")
    invited.accept.click()
    await until(lambda: invited.error.isVisible())
    assert invited.accept.isEnabled()
    assert "unreachable" in invited.error.text()


async def test_too_many_of_one_person_are_one_line_that_declines_them_all(
    window: MainWindow, session: InvitedSession
) -> None:
    rooms = tuple(room_id(3, n) for n in range(91, 96))
    session.invitations.others = [MoreInvitations(by=LAWYER, rooms=rooms)]
    window.room_list.refresh()
    assert titles(window)[:2] == ["Inbjudningar (5)", "5 inbjudningar till"]
    window.room_list._on_index(window.room_list.list.rows.index(1))
    await confirmed(window)
    await until(lambda: session.invitations.declined == 5)


def test_a_long_room_says_only_that_it_is_long(
    window: MainWindow, session: InvitedSession, invited: InvitationView
) -> None:
    session.invitations.open_ones = [replace(INVITED, long=True, title="", greeting="", by=None)]
    invited.refresh()
    assert invited._title.text() == "Ett långt rum"
    assert "Vem som bjöd in dig går inte att säga" in invited._about.text()
    assert not invited._quotation.isVisible()
    assert not invited.block.isVisible()


def test_a_member_of_whom_nothing_is_in_the_room_is_shown_as_invited(
    window: MainWindow, session: InvitedSession
) -> None:
    set_role(session, office().case, (office().archivist, Role.WRITER))  # nothing of theirs is in the room
    window.open_room(office().case)
    view = window.current_room()
    assert view is not None
    [row] = [r for r in view.panel._rows.rows if r._member.person.uid == office().archivist.uid]
    assert row._chip.text() == "inbjuden"
    assert "Inbjuden" in row.accessibleName()


def test_the_greeting_of_an_addition_is_bounded(window: MainWindow, session: InvitedSession) -> None:
    dialog = AddMemberDialog(window, session.people, set(), Role.OWNER)
    dialog._greeting.setText("å" * 400)
    assert dialog.greeting == "å" * 280


def test_a_notice_names_who_invites_only_by_the_setting(window: MainWindow, session: InvitedSession) -> None:
    notified: list[str] = []
    watch = Notifications(
        window, session.rooms, window.tools, session.settings, lambda title, text: notified.append(text)
    )
    window.hide()
    watch.invited(LAWYER)
    session.settings.set(NOTIFICATION_CONTENT, "shown")
    watch.invited(LAWYER)
    assert notified == ["Du har blivit inbjuden till ett rum.", f"{LAWYER.name} har bjudit in dig till ett rum."]
