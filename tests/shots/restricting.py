# SPDX-License-Identifier: EUPL-1.2
"""The steps to the pictures of restricted rooms: in the list and beside the members, the dialogs, the seal, and the
question about a member who was removed from the case room."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.chat.tool import TOOL as CHAT
from app.core.enums import Role, RoomType
from app.core.ids import RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.notices.kinds import LEFT_PARENT
from app.notices.service import NoticeFilter
from tests.shots import story as told
from tests.shots.rooms import seal
from tests.shots.scene import Scene, Step, dialog
from tests.world import until
from ui.documents.moving import MoveDialog
from ui.shell.room.removal_dialogs import RemoveDialog
from ui.shell.room.restricted_dialogs import LinkRoomDialog, RestrictedRoomDialog

PROTECTED, PARTY = "Skyddade personuppgifter 🔒", "Partsinsyn"
ANOTHER, REVIEW = "Tillsyn 2026-1201", "Sekretessprövning"


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
    rooms, nesting = s.story.me.rooms, s.story.me.nesting
    title, members = rooms.room(view.room).title, rooms.members(view.room)
    made = RestrictedRoomDialog(s.window, title, members, lambda name, people: nesting.make(view.room, name, people))
    made.field.setText(PROTECTED)
    made.list.item(0).setCheckState(Qt.CheckState.Checked)
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
    documents = s.story.me.service(DOCUMENTS)
    obj = documents.list(view.room)[0].obj

    async def move(to: RoomId) -> None:
        await documents.move(obj, to)

    return dialog(s, MoveDialog(s.window, told.DRAFT, documents.rooms_to_move_to(view.room), move))


async def seals(s: Scene) -> QWidget:
    await _made(s)
    return await seal(s, PROTECTED)


async def belongs(s: Scene) -> QWidget:
    """The question to which case room a room is linked again."""
    await _made(s)
    nesting, room = s.story.me.nesting, s.room(PROTECTED, "chat").room
    s.ends.append(nesting.end(room))
    parents = [(each.room, each.title) for each in nesting.former_parents(room)]

    async def link(parent: RoomId) -> None:
        nesting.link_again(room, parent)

    return dialog(s, LinkRoomDialog(s.window, PROTECTED, parents, link))


async def removing(s: Scene) -> QWidget:
    await _made(s)
    view = s.room(told.CASE, "chat")
    me, uid = s.story.me, s.story.uid(s.story.registrar)
    also = me.nesting.also_in(view.room, uid)
    return dialog(
        s,
        RemoveDialog(
            s.window, me.people.person(uid), lambda asked: me.rooms.remove(view.room, uid, asked.reason), *also
        ),
    )


async def removed(s: Scene) -> QWidget:
    """In a case of its own, the head of the unit removes the registrar from the case room."""
    me, head, uid = s.story.me, s.story.head, s.story.uid(s.story.registrar)
    wanted = NoticeFilter(kinds=frozenset({LEFT_PARENT.id}), open=True)
    if REVIEW not in s.story.rooms:
        case = s.story.rooms[ANOTHER] = await me.rooms.create(ANOTHER, RoomType.CASE)
        await me.rooms.add(case, s.story.uid(head), Role.ADMIN, True)
        await me.rooms.add(case, uid, Role.WRITER, True)
        await until(lambda: any(r.room == case for r in s.story.registrar.rooms.rooms()))
        await until(lambda: any(r.room == case for r in head.rooms.rooms()))
        s.story.rooms[REVIEW] = (await me.nesting.make(case, REVIEW, [uid])).room
        await s.story.settle()
        await head.rooms.remove(case, uid)
    await until(lambda: me.notices.count(wanted) == 1)
    s.room(REVIEW, "chat")
    return s.window


VIEWS: dict[str, Step] = {
    "restricted-making": making,
    "restricted-within": within,
    "restricted-inside": inside,
    "restricted-moving": moving,
    "restricted-seal": seals,
    "restricted-belongs": belongs,
    "restricted-removing": removing,
    "restricted-removed": removed,
}
"""Taken after the views to which these rooms would be new."""
