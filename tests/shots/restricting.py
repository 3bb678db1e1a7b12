# SPDX-License-Identifier: EUPL-1.2
"""The steps to the pictures of restricted rooms: in the list and beside the members, the dialogs, the seal, and the
question about a member who was removed from the case room."""

from PySide6.QtWidgets import QWidget

from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.documents.tool import TOOL as DOCUMENTS
from app.notices.kinds import LEFT_PARENT
from app.notices.service import NoticeFilter
from tests.shots import story as told
from tests.shots.rooms import seal
from tests.shots.scene import Scene, Step, dialog
from tests.world import until
from ui.documents.moving import MoveDialog, rooms_to_move_to
from ui.shell.room.removal_dialogs import RemoveDialog
from ui.shell.room.restricted_dialogs import RestrictedRoomDialog

PROTECTED, PARTY = "Skyddade personuppgifter 🔒", "Partsinsyn"


async def _made(s: Scene) -> None:
    """Two restricted rooms in the case room, made once."""
    me, case = s.story.me, s.story.rooms[told.CASE]
    if PROTECTED not in s.story.rooms:
        people = [s.story.uid(s.story.head), s.story.uid(s.story.registrar)]
        for title, uids in ((PROTECTED, people), (PARTY, people[1:])):
            s.story.rooms[title] = (await me.nesting.make(case, title, uids)).room
        await s.story.settle()
        chat = s.story.registrar.service(CHAT)
        await until(lambda: chat.channel(s.story.rooms[PARTY]) is not None)
        chat.send(s.story.rooms[PARTY], "Ombudet vill se **aktbilaga 14**.")
        await s.story.settle()


async def making(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat")
    rooms = s.story.me.rooms
    made = RestrictedRoomDialog(s.window, rooms.room(view.room).title, rooms.members(view.room))
    made.field.setText(PROTECTED)
    return dialog(s, made)


async def within(s: Scene) -> QWidget:
    await _made(s)
    s.room(told.CASE, "chat")
    return s.window


async def inside(s: Scene) -> QWidget:
    await _made(s)
    s.room(PROTECTED, "chat")
    return s.window


async def moving(s: Scene) -> QWidget:
    await _made(s)
    view = s.room(told.CASE, "documents")
    rooms = rooms_to_move_to(s.story.me.service(DOCUMENTS), view.room)
    return dialog(s, MoveDialog(s.window, told.DRAFT, rooms))


async def seals(s: Scene) -> QWidget:
    await _made(s)
    return await seal(s, PROTECTED)


async def removing(s: Scene) -> QWidget:
    await _made(s)
    view = s.room(told.CASE, "chat")
    me, uid = s.story.me, s.story.uid(s.story.registrar)
    return dialog(s, RemoveDialog(s.window, me.people.person(uid), *me.nesting.also_in(view.room, uid)))


async def removed(s: Scene) -> QWidget:
    """The head of the unit removes the registrar from the case room."""
    await _made(s)
    me, case, uid = s.story.me, s.story.rooms[told.CASE], s.story.uid(s.story.registrar)
    wanted = NoticeFilter(kinds=frozenset({LEFT_PARENT.id}), open=True)
    if not me.notices.count(wanted):
        await me.rooms.set_role(case, s.story.uid(s.story.head), Role.ADMIN)
        await until(lambda: s.story.head.rooms.is_admin(case))
        await s.story.head.rooms.remove(case, uid)
        await until(lambda: me.notices.count(wanted) == 2)
    s.room(PARTY, "chat")
    return s.window


VIEWS: dict[str, Step] = {
    "restricted-making": making,
    "restricted-within": within,
    "restricted-inside": inside,
    "restricted-moving": moving,
    "restricted-seal": seals,
    "restricted-removing": removing,
    "restricted-removed": removed,
}
"""Taken after the views to which these rooms would be new."""
