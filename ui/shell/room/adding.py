# SPDX-License-Identifier: EUPL-1.2
"""Asks in a dialog whom to add to a room, or which role a member is to have, and does it."""

from PySide6.QtWidgets import QWidget

from app.core.enums import Role
from app.core.ids import RoomId
from app.people.person import Person
from app.rooms.service import MemberInfo, RoomService
from app.session import Session
from ui.kit.dialogs import show
from ui.kit.translate import tr
from ui.shell.room.duplicate_accounts import may_add
from ui.shell.room.member_dialogs import AddMemberDialog, RoleDialog
from ui.tool_views import toast


async def ask_and_add(window: QWidget, session: Session, room: RoomId) -> None:
    """Asks in a dialog over `window` whom to add to `room`, adds that person, and returns when the dialog is closed. It
    stays open after an error. If the chosen person has duplicate accounts, a question asks whether that one is meant;
    after a no the dialog stays open too."""
    rooms, people, added = session.rooms, session.people, list[Person]()

    async def add(dialog: AddMemberDialog, person: Person) -> bool:
        role, history_all, greeting = dialog.role, dialog.history_all, dialog.greeting
        if not await may_add(dialog, people, person):
            return False
        await rooms.add(room, person.uid, role, history_all, greeting)
        added.append(person)
        return True

    already = {member.person.uid for member in rooms.members(room)}
    if await show(AddMemberDialog(window, people, already, rooms.my_role(room), add)):
        toast(window, tr("{name} has been invited.").format(name=added[0].name))


async def ask_and_change_role(window: QWidget, rooms: RoomService, room: RoomId, member: MemberInfo) -> None:
    """Asks in a dialog over `window` for the new role of a member of `room`, gives it to them, and returns when the
    dialog is closed. It stays open after an error."""

    async def change(role: Role) -> None:
        await rooms.set_role(room, member.person.uid, role)

    await show(RoleDialog(window, member.person, member.role, rooms.my_role(room), change))
