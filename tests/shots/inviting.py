# SPDX-License-Identifier: EUPL-1.2
"""Invitations, and members who were removed, as tests/shots/views.py. Taken late: somebody unknown invites from then
on.
"""

from dataclasses import replace
from functools import partial
from unittest.mock import patch

from PySide6.QtWidgets import QWidget

from app.core.clock import now_ms
from app.core.enums import Role, RoomType
from app.core.ids import RoomId, Uid
from app.core.visible import one_line
from app.rooms.removals import Removal
from tests.shots import story as told
from tests.shots.camera import quiet
from tests.shots.scene import Scene, Step, dialog
from tests.world import until
from ui.shell.room.member_dialogs import AddMemberDialog
from ui.shell.room.removal_dialogs import RemovalsDialog, RemoveDialog

INVITER, UNIT = "Jurist", "Juridiskt stöd"
GREETING = "Hej! Vi samordnar svaren på länsstyrelsens remiss och behöver någon från tillsynen 🙂"
ROOMS = ("Remiss 2026-0412", "Nätverket för dataskydd")


async def _rooms(s: Scene) -> list[RoomId]:
    """Rooms to which a person unknown to the case handler has invited them. Calling it twice does no harm."""
    kept = [s.story.rooms[title] for title in ROOMS if title in s.story.rooms]
    if kept:
        await until(lambda: all(_has(s, room) for room in kept))  # read again after they were declined
        return kept
    (desk,) = await s.story.offices.hire(INVITER, unit=UNIT)
    s.story.desks.append(desk)
    me = s.story.uid(s.story.me)
    await desk.session.people.search(told.HANDLER)
    for title in ROOMS:
        room = s.story.rooms[title] = await desk.session.rooms.create(title, RoomType.CASE)
        await desk.session.rooms.add(room, me, Role.WRITER, True, GREETING)
        await until(partial(_has, s, room))
    return [s.story.rooms[title] for title in ROOMS]


def _has(s: Scene, room: RoomId) -> bool:
    return any(i.room == room and i.greeting == one_line(GREETING) for i in s.story.me.invitations.all())


async def invitation(s: Scene) -> QWidget:
    s.window.open_room((await _rooms(s))[0])
    return s.window


async def long_room(s: Scene) -> QWidget:
    """An invitation to a room with so much in it that it cannot be said who invites."""
    room = (await _rooms(s))[0]
    invitations = s.story.me.invitations
    shown = replace(invitations.get(room), long=True, by=None, title="", greeting="", role=None)
    long = patch.object(invitations, "get", lambda asked: shown)
    long.start()
    s.ends.append(long.stop)
    s.window.open_room(room)
    s.window.content.invitation.refresh()
    return s.window


async def settings(s: Scene) -> QWidget:
    """One person is blocked and one room declined."""
    rooms, me, jurist = await _rooms(s), s.story.me, s.story.uid(s.story.desks[3].session)
    await me.invitations.decline(rooms[1])
    await me.invitations.block(jurist)
    s.window.go_section("settings")
    again = s.window.settings_view.invitations.again
    await until(again.isVisible)
    await quiet()
    again.setFocus()  # which scrolls to it
    s.ends.append(partial(_undo, s, rooms[1], jurist))
    return s.window


async def _undo(s: Scene, room: RoomId, uid: Uid) -> None:
    await s.story.me.invitations.unblock(uid)
    await s.story.me.invitations.ask_again(room)


async def greeting(s: Scene) -> QWidget:
    view, me = s.room(told.EMPTY, "chat"), s.story.me
    made = AddMemberDialog(
        s.window,
        me.people,
        {me.people.me.uid},
        Role.OWNER,
        lambda asked, person: me.rooms.add(view.room, person.uid, asked.role, asked.history_all, asked.greeting),
    )
    made.search.field.setText(told.HEAD)
    await made.search.look_for(told.HEAD)
    made._greeting.setText(GREETING)
    return dialog(s, made)


async def remove(s: Scene) -> QWidget:
    view, me, uid = s.room(told.CASE, "chat"), s.story.me, s.story.uid(s.story.registrar)
    made = RemoveDialog(s.window, me.people.person(uid), lambda asked: me.rooms.remove(view.room, uid, asked.reason))
    made._reason.setText("Ärendet är registrerat och klart 🙂")
    return dialog(s, made)


async def removed(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    me, people = s.story.me, s.story.me.people
    head, registrar = people.person(s.story.uid(s.story.head)), people.person(s.story.uid(s.story.registrar))
    t = now_ms()
    shown = (
        Removal(person=registrar, by=people.me, t_ms=t, reason="Ärendet är registrerat och klart 🙂"),
        Removal(person=head, by=people.me, t_ms=t, reason=""),
        Removal(person=me.people.me, by=head, t_ms=t, reason=None),
    )
    return dialog(s, RemovalsDialog(s.window, shown))


VIEWS: dict[str, Step] = {
    "invitation": invitation,
    "invitation-long": long_room,
    "invitations-settings": settings,
    "add-member-greeting": greeting,
    "remove-member": remove,
    "removed": removed,
}
