# SPDX-License-Identifier: EUPL-1.2
"""Disposing of messages from the window: who is offered it, in the room's menu and in the palette."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.core.enums import Role
from app.core.ids import RoomId, Uid
from app.session import Session
from sync.client.ports import MemberRow
from sync.client.received import ReceivedSlice
from tests.ui.shell.devices import asked
from tests.ui.shell.in_window import press, room_menu
from tests.ui.shell.kept_office import office
from tests.ui.shell.test_people import choose
from ui.chat.destroy_dialog import DestroyDialog
from ui.shell.window.main_window import MainWindow

ENTRY = "Gallra samtal …"


def offered_in_palette(window: MainWindow) -> bool:
    return ENTRY in [command.text for command in window.commands.shown()]


def become(session: Session, room: RoomId, role: Role) -> None:
    me = Uid(session.people.me.uid)
    members = [MemberRow(uid=me, role=role, since_n=0, history=True)]
    session.store.receive(ReceivedSlice(room=room, members=members))


async def test_the_rooms_menu_opens_it_for_an_administrator(window: MainWindow, session: Session) -> None:
    become(session, office().case, Role.ADMIN)
    choose(room_menu(window, office().case), ENTRY)
    found = await asked(window)
    assert isinstance(found, DestroyDialog)
    assert found.rows.rows != []
    assert not found.accept_button.isEnabled()
    found.reject()


async def test_the_palette_opens_it_by_keys_alone_while_a_room_is_shown(window: MainWindow, session: Session) -> None:
    become(session, office().case, Role.ADMIN)
    window.go_section("home")
    assert not offered_in_palette(window)
    window.open_room(office().case)
    assert offered_in_palette(window)
    press(window, "Ctrl+K")
    palette = window.palette_view
    palette.field.insert("gallra")
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    found = await asked(window)
    assert isinstance(found, DestroyDialog)
    QTest.keyClick(found, Qt.Key.Key_Escape)


@pytest.mark.parametrize("role", [Role.WRITER, Role.READER])
def test_a_member_who_is_no_administrator_is_offered_it_nowhere(
    window: MainWindow, session: Session, role: Role
) -> None:
    become(session, office().case, role)
    found = room_menu(window, office().case)
    texts = [action.text() for action in found.actions()]
    found.close()
    assert ENTRY not in texts
    assert not offered_in_palette(window)
