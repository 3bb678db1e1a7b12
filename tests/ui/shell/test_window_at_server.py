# SPDX-License-Identifier: EUPL-1.2
"""What the window asks the server for: a new room, and an action that is refused."""

import asyncio

import pytest
from PySide6.QtWidgets import QApplication, QWidget

from app.core.enums import Role
from app.core.ids import ObjId, RoomId, Uid
from app.rooms.records import PersonInvited, decode
from app.session import Session
from app.settings import THEME
from sync.errors import Unreachable
from tests.refused_record import refuse_once
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


def people(session: Session, room: RoomId) -> set[Uid]:
    return {person.uid for person in session.rooms.people_in(room)}


async def test_writing_to_a_person_whose_room_was_left_makes_a_new_one(window: MainWindow, session: Session) -> None:
    old, registrar = office().direct_registrar, office().registrar
    await session.rooms.leave(old)
    await until(lambda: session.rooms.room(old).left)
    assert registrar.uid in people(session, old)
    window.room_requests.write_to(registrar)
    await until(lambda: window.current_room() is not None)
    assert room(window).room != old
    await until(lambda: people(session, room(window).room) == {office().me.uid, registrar.uid})


async def test_a_direct_room_with_a_third_member_is_no_room_to_write_to_one_of_them(
    window: MainWindow, session: Session
) -> None:
    three, registrar = office().direct_registrar, office().registrar
    await session.rooms.add(three, office().head.uid, Role.WRITER, False)
    await until(lambda: len(people(session, three)) == 3)
    window.room_requests.write_to(registrar)
    await until(lambda: window.current_room() is not None)
    assert room(window).room != three
    await until(lambda: people(session, room(window).room) == {office().me.uid, registrar.uid})


async def test_the_room_for_a_person_who_could_not_be_added_is_used_by_the_next_attempt(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, lawyer, add = {r.room for r in session.rooms.rooms()}, office().lawyer, session.rooms.add

    async def cut(*_of: object) -> None:
        raise Unreachable

    for broken in (cut, cut, add):
        monkeypatch.setattr(session.rooms, "add", broken)
        window.room_requests.write_to(lawyer)
        if broken is cut:
            await until(lambda: toast_of(window).isVisible())
            toast_of(window).hide()
    await until(lambda: window.current_room() is not None)
    assert {r.room for r in session.rooms.rooms()} - before == {room(window).room}
    await until(lambda: people(session, room(window).room) == {office().me.uid, lawyer.uid})


async def test_the_next_attempt_to_write_to_a_person_invites_them_if_the_disk_refused_that(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are a member of the room by then, and it is the room of the two."""
    before, lawyer = {r.room for r in session.rooms.rooms()}, office().lawyer
    refuse_once(session.store, monkeypatch, PersonInvited)
    window.room_requests.write_to(lawyer)
    await until(lambda: toast_of(window).isVisible())
    [made] = {r.room for r in session.rooms.rooms()} - before
    assert session.direct_rooms.find(lawyer.uid) == made
    window.room_requests.write_to(lawyer)
    await until(lambda: window.current_room() is not None)
    assert room(window).room == made
    records = [decode(change.data) for change in session.store.changes.of(ObjId(made))]
    assert [record.uid for record in records if isinstance(record, PersonInvited)] == [lawyer.uid]


async def test_a_person_who_was_added_in_the_room_itself_is_written_to_there(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, lawyer = {r.room for r in session.rooms.rooms()}, office().lawyer
    refuse_once(session.store, monkeypatch, PersonInvited)
    window.room_requests.write_to(lawyer)
    await until(lambda: toast_of(window).isVisible())
    [made] = {r.room for r in session.rooms.rooms()} - before
    await session.rooms.add(made, lawyer.uid, Role.OWNER, True)
    window.room_requests.write_to(lawyer)
    await until(lambda: window.current_room() is not None)
    assert room(window).room == made


async def test_attack_a_room_that_lacks_its_person_and_has_somebody_else_is_no_room_to_write_to_them(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one would read what is written to that person."""
    before, lawyer, add = {r.room for r in session.rooms.rooms()}, office().lawyer, session.rooms.add

    async def cut(*_of: object) -> None:
        raise Unreachable

    monkeypatch.setattr(session.rooms, "add", cut)
    window.room_requests.write_to(lawyer)
    await until(lambda: toast_of(window).isVisible())
    monkeypatch.setattr(session.rooms, "add", add)
    [made] = {r.room for r in session.rooms.rooms()} - before
    await add(made, office().head.uid, Role.WRITER, False)
    await until(lambda: office().head.uid in people(session, made))
    window.room_requests.write_to(lawyer)
    await until(lambda: window.current_room() is not None)
    assert room(window).room != made
    await until(lambda: people(session, room(window).room) == {office().me.uid, lawyer.uid})


async def test_what_the_persons_other_devices_are_to_know_is_written_when_they_lock(session: Session) -> None:
    await until(lambda: session.own_room.find() is not None)
    session.save()
    session.settings.set(THEME, "dark")
    assert session.own.waits, "for its minute"
    session.save()
    assert not session.own.waits
