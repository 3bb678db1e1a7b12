# SPDX-License-Identifier: EUPL-1.2
"""The dialogs that make a room, move a document, and add, change or remove a member: they stay open until that is
done."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit, QRadioButton

from app.core.enums import Role, RoomType
from app.core.ids import ObjId, RoomId, Uid
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import StoreUnwritable
from app.people.person import Person
from app.rooms.nesting import MadeRoom
from app.session import Session
from sync.errors import Unreachable
from tests.ui.finding import only, toast_of
from tests.ui.shell.in_window import room
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import join
from tests.ui.shell.restricted_room import TITLE, restricted_room
from tests.ui.shell.sample import at
from tests.ui.shell.test_people import dialog
from tests.ui.walking import check
from tests.world import until
from ui.documents.moving import MoveDialog
from ui.documents.view import DocumentsView
from ui.errors import format_error
from ui.shell.room.adding import ask_and_change_role
from ui.shell.room.member_dialogs import AddMemberDialog, NewRoomDialog, RoleDialog
from ui.shell.room.removal_dialogs import RemoveDialog
from ui.shell.room.removing import ask_and_remove
from ui.shell.room.restricted_dialogs import RestrictedRoomDialog
from ui.shell.window.main_window import MainWindow


@pytest_asyncio.fixture
async def child(session: Session) -> RoomId:
    """A restricted room of this person's in the case room."""
    return restricted_room(session)


async def test_the_dialog_that_makes_a_room_stays_until_the_server_has_answered(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, going_on, case = [Unreachable()], asyncio.Event(), office().case

    async def make(_parent: RoomId, title: str, people: list[Uid]) -> MadeRoom:
        assert (title, people) == (TITLE, [])
        if refused:
            raise refused.pop()
        await going_on.wait()
        return MadeRoom(room=case, left_out=())

    monkeypatch.setattr(session.nesting, "make", make)
    window.restricted.make(case)
    asked = await dialog()
    assert isinstance(asked, RestrictedRoomDialog)
    asked.field.setText(TITLE)
    asked.accept_button.click()
    await until(asked.error.isVisible)
    assert asked.error.text() == f"{format_error(Unreachable())[0]}\nKod: unreachable"
    assert asked.field.text() == TITLE
    check(asked)
    asked.accept_button.click()
    await until(lambda: asked.is_working)
    assert asked.spinner.is_turning
    assert not asked.accept_button.isEnabled()
    asked.reject()
    assert asked.isVisible()
    going_on.set()
    await until(lambda: QApplication.activeModalWidget() is None)
    assert room(window).room == case


def choice(asked: QDialog, text: str) -> QRadioButton:
    return next(button for button in asked.findChildren(QRadioButton) if button.text() == text)


async def test_the_dialog_for_a_new_room_stays_with_its_name_until_the_server_has_answered(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, going_on, wanted = [Unreachable()], asyncio.Event(), list[tuple[str, RoomType]]()

    async def create(title: str, kind: RoomType) -> RoomId:
        wanted.append((title, kind))
        if refused:
            raise refused.pop()
        await going_on.wait()
        return office().case

    monkeypatch.setattr(session.rooms, "create", create)
    window.room_requests.new_room()
    asked = await dialog()
    assert isinstance(asked, NewRoomDialog)
    assert not asked.accept_button.isEnabled()
    asked.title.setText(f" {TITLE} ")
    choice(asked, "Grupp").setChecked(True)
    asked.accept_button.click()
    await until(asked.error.isVisible)
    assert format_error(Unreachable())[0] in asked.error.text()
    assert (asked.title.text(), asked.room_type) == (f" {TITLE} ", RoomType.GROUP)
    check(asked)
    asked.accept_button.click()
    await until(lambda: len(wanted) == 2)
    assert asked.spinner.is_turning
    asked.reject()
    assert asked.isVisible()
    going_on.set()
    await until(lambda: QApplication.activeModalWidget() is None)
    assert wanted == [(TITLE, RoomType.GROUP)] * 2
    assert room(window).room == office().case


async def test_the_dialog_that_adds_a_member_stays_with_the_person_and_the_greeting_if_the_server_is_not_reached(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, going_on, archivist = [Unreachable()], asyncio.Event(), office().archivist
    wanted = list[tuple[Uid, Role, bool, str]]()

    async def nobody_else(_uid: Uid) -> list[Person]:
        return []

    async def search(_query: str) -> list[Person]:
        return [archivist]

    async def add(_room: RoomId, uid: Uid, role: Role, history_all: bool, greeting: str) -> None:
        wanted.append((uid, role, history_all, greeting))
        if refused:
            raise refused.pop()
        await going_on.wait()

    monkeypatch.setattr(session.people, "search", search)
    monkeypatch.setattr(session.people, "duplicate_accounts", nobody_else)
    monkeypatch.setattr(session.rooms, "add", add)
    window.open_room(office().case)
    room(window).panel.add()
    asked = await dialog()
    assert isinstance(asked, AddMemberDialog)
    await asked.search.look_for("arkiv")
    next(f for f in asked.findChildren(QLineEdit) if f.accessibleName() == "Hälsning").setText("Välkommen å 🙂")
    choice(asked, "Får läsa från och med nu").setChecked(True)
    asked.accept_button.click()
    await until(asked.error.isVisible)
    assert format_error(Unreachable())[0] in asked.error.text()
    assert asked.search.person() == archivist
    check(asked)
    window.go_section("home")  # as by a notification: the room's panel is out of sight
    asked.accept_button.click()
    await until(lambda: len(wanted) == 2)
    assert asked.is_working
    going_on.set()
    await until(lambda: QApplication.activeModalWidget() is None)
    assert wanted == [(archivist.uid, Role.WRITER, False, "Välkommen å 🙂")] * 2
    await until(toast_of(window).isVisible)
    assert toast_of(window).text() == f"{archivist.name} har bjudits in."


async def test_the_dialog_for_a_role_stays_with_the_chosen_one_if_the_server_is_not_reached(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, wanted, case = [Unreachable()], list[tuple[RoomId, Uid, Role]](), office().case

    async def set_role(of: RoomId, uid: Uid, role: Role) -> None:
        wanted.append((of, uid, role))
        if refused:
            raise refused.pop()

    monkeypatch.setattr(session.rooms, "set_role", set_role)
    member = next(m for m in session.rooms.members(case) if m.person.uid == office().registrar.uid)
    changing = asyncio.ensure_future(ask_and_change_role(window, session.rooms, case, member))
    asked = await dialog()
    assert isinstance(asked, RoleDialog)
    only(asked, QComboBox).setCurrentIndex(0)
    asked.accept_button.click()
    await until(asked.error.isVisible)
    assert format_error(Unreachable())[0] in asked.error.text()
    assert asked.role is Role.READER
    assert not changing.done()
    check(asked)
    asked.accept_button.click()
    await changing
    assert wanted == [(case, office().registrar.uid, Role.READER)] * 2


async def test_a_second_try_links_the_room_whose_link_the_disk_refused(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each try in the dialog would make one more room."""
    case, made, begun, refused = office().case, list[RoomId](), list[RoomId](), [StoreUnwritable()]

    async def create(title: str, kind: RoomType, also: Callable[[RoomId], None]) -> RoomId:
        if not begun:
            begun.append(join(session, office().me, title, kind, t_ms=at(9, 0)))
        with session.store.transaction():
            also(begun[0])
        made.append(begun.pop())
        return made[-1]

    append = session.store.changes.append

    def refuse_once(*change: Any, **rest: Any) -> Any:
        if refused:
            raise refused.pop()
        return append(*change, **rest)

    monkeypatch.setattr(session.rooms, "create", create)
    monkeypatch.setattr(session.store.changes, "append", refuse_once)
    with pytest.raises(StoreUnwritable):
        await session.nesting.make(case, TITLE)
    assert (session.nesting.parents(), made) == ({}, [])
    assert (await session.nesting.make(case, TITLE)).room == made[0]
    assert session.nesting.parents() == {made[0]: case}
    assert (await session.nesting.make(case, TITLE)).room == made[1], "a third one is a room of its own"


async def test_the_dialog_that_moves_a_document_stays_with_what_the_disk_refused(
    window: MainWindow, session: Session, child: RoomId, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, refused = session.service(DOCUMENTS), [StoreUnwritable()]
    moved, move = service.create(office().case, "Utredning å"), service.move

    async def refuse_once(obj: ObjId, to: RoomId) -> ObjId:
        if refused:
            raise refused.pop()
        return await move(obj, to)

    monkeypatch.setattr(service, "move", refuse_once)
    view = DocumentsView(service, office().case, parent=window)
    view.open(moved)
    view.doable()["move-restricted"]()
    asked = await dialog()
    assert isinstance(asked, MoveDialog)
    asked.accept()
    await until(asked.error.isVisible)
    assert format_error(StoreUnwritable())[0] in asked.error.text()
    assert view.document is not None
    asked.accept()
    await until(lambda: [row.title for row in service.list(child)] == ["Utredning å"])


async def test_the_dialog_that_removes_a_member_stays_with_the_reason_if_the_server_is_not_reached(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, going_on, said = [Unreachable()], asyncio.Event(), list[str]()

    async def take_out(_room: RoomId, _uid: Uid, reason: str = "") -> None:
        said.append(reason)
        if refused:
            raise refused.pop()
        await going_on.wait()

    monkeypatch.setattr(session.rooms, "remove", take_out)
    removing = asyncio.ensure_future(ask_and_remove(window, session, office().case, office().registrar))
    asked = await dialog()
    assert isinstance(asked, RemoveDialog)
    only(asked, QLineEdit).setText("Byter enhet å")
    asked.accept()
    await until(asked.error.isVisible)
    assert format_error(Unreachable())[0] in asked.error.text()
    asked.accept()
    await until(lambda: len(said) == 2)
    assert asked.is_working
    assert not removing.done()
    going_on.set()
    await removing
    assert said == ["Byter enhet å"] * 2
    assert toast_of(window).text() == "Registrator har tagits bort."
