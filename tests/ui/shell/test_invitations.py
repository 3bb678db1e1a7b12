# SPDX-License-Identifier: EUPL-1.2
"""Invitations in the window: the list, the view with its answers, who is invited, and undoing in the settings; a real
session, and a stranger's rooms at a real server."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton

from app.core.enums import Role, RoomType
from app.core.ids import ObjId, RoomId
from app.errors import DiskFull
from app.notification_settings import NOTIFICATION_CONTENT, NOTIFICATIONS
from app.rooms.records import PersonInvited, RoomNamed, encode
from app.session import Session
from sync.client.exchange import preview
from tests.journeys.desks import Offices, offices
from tests.ui.finding import toast_of
from tests.ui.shell.sample import LAWYER
from tests.ui.shell.toasts import watch
from tests.ui.soon import caught_up
from tests.ui.walking import check, check_tab
from tests.world import Client, until
from ui.kit import theme
from ui.kit.dialogs import Dialog
from ui.shell.room.invitation_view import InvitationView
from ui.shell.room.member_dialogs import AddMemberDialog
from ui.shell.window.main_window import MainWindow

TITLE = "Överklagande 2026-2201 🙂"
GREETING = "Hej! Kan du läsa igenom det här före fredag? <b>Å</b>"


@pytest_asyncio.fixture
async def o(tmp_path: Path) -> AsyncIterator[Offices]:
    async with offices(tmp_path) as running:
        yield running


@pytest_asyncio.fixture
async def session(o: Offices) -> Session:
    """Of a person who is online and whose answers can be kept."""
    (desk,) = await o.hire("Handläggare")
    await until(lambda: desk.session.personal.ready and desk.session.status.waiting == 0)
    return desk.session


@pytest_asyncio.fixture
async def lawyer(o: Offices) -> Client:
    """Somebody of another unit."""
    (found,) = await o.w.hire(LAWYER.name, unit=LAWYER.unit)
    return found


async def invite(lawyer: Client, session: Session) -> RoomId:
    """The lawyer puts the person into a new room."""
    room, me = await lawyer.engine.operations.create_room(), session.people.me.uid
    lawyer.say(room, ObjId(room), encode(RoomNamed(title=TITLE, type="case")))
    await lawyer.engine.learn([me])
    await lawyer.engine.operations.add(room, me, Role.WRITER, history=True)
    lawyer.say(room, ObjId(room), encode(PersonInvited(uid=me, title=TITLE, type="case", text=GREETING)))
    return room


@pytest_asyncio.fixture
async def invited(window: MainWindow, session: Session, lawyer: Client) -> InvitationView:
    """A window that shows an invitation."""
    room = await invite(lawyer, session)
    await until(lambda: [i.greeting for i in session.invitations.all()] == [GREETING])
    window.room_list.refresh()
    window.open_room(room)
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


async def test_home_shows_who_invites_to_what_and_opens_it(
    window: MainWindow, session: Session, invited: InvitationView
) -> None:
    window.go_section("home")
    assert not window.content.invitation.isVisible()
    home = window.content.home
    await shows(window, lambda: any(TITLE in b.accessibleName() for b in home.findChildren(QAbstractButton)))
    row = next(b for b in window.content.home.findChildren(QAbstractButton) if TITLE in b.accessibleName())
    assert row.accessibleName().startswith(f"{LAWYER.name} har bjudit in dig till {TITLE}, {GREETING}")
    row.click()
    assert window.content.invitation.isVisible()


async def test_invitations_stand_above_the_rooms_with_their_count(window: MainWindow, invited: InvitationView) -> None:
    assert titles(window)[:2] == ["Inbjudningar (1)", TITLE]
    row = window.room_list.list.current_row()
    assert row is not None
    assert row.detail == f"{LAWYER.name} bjuder in dig"


async def test_attack_the_view_says_who_invites_and_quotes_the_greeting_as_plain_text(invited: InvitationView) -> None:
    assert (invited._name.text(), invited._title.text()) == (LAWYER.name, TITLE)
    assert LAWYER.unit in invited._post.text()
    assert invited._quotation.text() == f"”{GREETING}”"
    assert invited._quotation.textFormat() == Qt.TextFormat.PlainText
    assert "Ärenderum" in invited._about.text()


@pytest.mark.parametrize("look", ["light", "dark", "contrast", "contrast-dark"])
async def test_every_control_has_a_name_in_every_theme(
    window: MainWindow, invited: InvitationView, qapp: QApplication, look: str
) -> None:
    theme.apply(qapp, look)
    check(window)
    check_tab(window)


async def test_accepting_by_keyboard_waits_for_the_room_and_enters_it(
    window: MainWindow, session: Session, invited: InvitationView
) -> None:
    [shown] = session.invitations.all()
    invited.accept.setFocus()
    QTest.keyClick(invited.accept, Qt.Key.Key_Space)
    assert invited._meaning.text().startswith("Rummet öppnas")
    assert not invited.accept.isEnabled()
    await shows(window, lambda: (view := window.current_room()) is not None and view.room == shown.room)


async def test_what_is_declined_is_gone_and_can_be_undone(
    window: MainWindow, session: Session, invited: InvitationView
) -> None:
    invited.decline.click()
    await shows(window, lambda: invited.gone.isVisible())
    assert session.invitations.declined == 1
    assert TITLE not in titles(window)
    await shows(window, lambda: toast_of(window).isVisible())
    undo = next(b for b in toast_of(window).findChildren(QPushButton) if b.text() == "Ångra")
    undo.click()
    await shows(window, lambda: invited.card.isVisible())
    assert session.invitations.declined == 0


async def test_a_blocked_person_is_listed_in_the_settings_and_unblocked_there(
    window: MainWindow, session: Session, invited: InvitationView
) -> None:
    invited.block.click()
    await confirmed(window)
    await until(lambda: [p.name for p in session.invitations.blocked()] == [LAWYER.name])
    window.go_section("settings")
    card = window.settings_view.invitations
    await shows(window, lambda: len(card.rows.rows) == 1)
    check(window)
    card.rows.rows[0].button.click()
    await shows(window, lambda: not card.rows.rows)
    assert session.invitations.blocked() == []
    assert card._none.isVisible()


async def test_what_cannot_be_kept_is_shown_in_place(
    session: Session, invited: InvitationView, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_given: object) -> None:
        raise DiskFull

    with monkeypatch.context() as disk:
        disk.setattr(session.store.changes, "append", full)
        invited.accept.click()
        await until(lambda: invited.error.isVisible())
    assert invited.accept.isEnabled()
    assert DiskFull.code in invited.error.text()


async def test_an_answer_and_its_error_belong_to_the_invitation_that_they_are_for(
    session: Session, lawyer: Client, invited: InvitationView, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = session.invitations.all()
    second = await invite(lawyer, session)
    await until(lambda: len(session.invitations.all()) == 2)
    going_on, failed = asyncio.Event(), list[RoomId]()

    async def late(room: RoomId) -> None:
        await going_on.wait()
        try:
            raise DiskFull
        finally:
            failed.append(room)

    monkeypatch.setattr(session.invitations, "accept", late)
    invited.accept.click()
    assert not invited.accept.isEnabled()
    assert invited.show_room(second)
    assert invited.accept.isEnabled()
    assert invited.show_room(first.room)
    assert invited._meaning.text().startswith("Rummet öppnas")
    assert invited.show_room(second)
    going_on.set()
    await until(lambda: failed == [first.room])
    assert not invited.error.isVisible()
    await until(lambda: invited.show_room(first.room) and invited.error.isVisible())
    assert DiskFull.code in invited.error.text()
    assert invited.accept.isEnabled()


async def test_too_many_of_one_person_are_one_line_that_declines_them_all(
    window: MainWindow, session: Session, lawyer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rooms.invitations.MAX_AN_ADDER", 0)
    for _ in range(5):
        await invite(lawyer, session)
    await shows(window, lambda: titles(window)[:2] == ["Inbjudningar (5)", "5 inbjudningar till"])
    window.room_list._on_index(window.room_list.list.rows.index(1))
    await confirmed(window)
    await until(lambda: session.invitations.declined == 5)


async def test_a_long_room_says_only_that_it_is_long(
    window: MainWindow, session: Session, lawyer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MAX_POSITIONS", 0)  # what adds the person is not among the newest
    room = await invite(lawyer, session)
    await until(lambda: [(i.long, i.by) for i in session.invitations.all()] == [(True, None)])
    window.open_room(room)
    shown = window.content.invitation
    assert shown._title.text() == "Ett långt rum"
    assert "Vem som bjöd in dig går inte att säga" in shown._about.text()
    assert not shown._quotation.isVisible()
    assert not shown.block.isVisible()


async def test_a_member_of_whom_nothing_is_in_the_room_is_shown_as_invited(
    window: MainWindow, session: Session, lawyer: Client
) -> None:
    room = await session.rooms.create("Tillsyn å", RoomType.CASE)
    (person,) = await session.people.search(LAWYER.name)
    await session.rooms.add(room, person.uid, Role.ADMIN, history_all=True)
    await until(lambda: [m.invited for m in session.rooms.members(room) if m.person == person] == [True])
    window.open_room(room)
    view = window.current_room()
    assert view is not None
    [row] = [r for r in view.panel._rows.rows if r._member.person.uid == person.uid]
    assert row._chip.text() == "inbjuden"
    assert "Inbjuden" in row.accessibleName()


async def test_the_greeting_of_an_addition_is_bounded(window: MainWindow, session: Session) -> None:
    add, room = session.rooms.add, RoomId(b"r" * 32)
    dialog = AddMemberDialog(
        window, session.people, set(), Role.OWNER, lambda asked, person: add(room, person.uid, asked.role, True)
    )
    dialog._greeting.setText("å" * 400)
    assert dialog.greeting == "å" * 280


async def test_a_notice_names_who_invites_only_by_the_setting(window: MainWindow, session: Session) -> None:
    watching, desktop = watch(window, session, window.tools)
    window.hide()
    watching.invited(LAWYER)
    session.settings.set(NOTIFICATION_CONTENT, "shown")
    watching.invited(LAWYER)
    assert desktop.texts == ["Du har blivit inbjuden till ett rum.", f"{LAWYER.name} har bjudit in dig till ett rum."]


@pytest.mark.parametrize(("wanted", "count"), [("all", 1), ("mentions", 1), ("none", 0)])
async def test_an_invitation_is_meant_for_the_person_and_shown_also_where_only_mentions_are(
    window: MainWindow, session: Session, wanted: str, count: int
) -> None:
    session.settings.set(NOTIFICATIONS, wanted)
    watching, desktop = watch(window, session, window.tools)
    window.hide()
    watching.invited(LAWYER)
    assert len(desktop.shown) == count
