# SPDX-License-Identifier: EUPL-1.2
"""Removes a person from a room and from the rooms within it. One room that refuses keeps no other from being done."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId, Uid
from app.people.person import Person
from app.rooms.service import RoomService
from app.session import Session
from ui.errors import format_error
from ui.kit.dialogs import Dialog, show
from ui.kit.plain import code_line
from ui.kit.translate import tr
from ui.shell.room.removal_dialogs import RemoveDialog
from ui.tool_views import toast


class NotRemovedDialog(Dialog):
    """A dialog that says from which rooms `person` was not removed and why, and from which they were. It is accepted if
    the rooms that are left are to be tried again. `left`: their titles, each with what it raised. `done`: the titles of
    the others."""

    def __init__(
        self, parent: QWidget, person: Person, left: Sequence[tuple[str, Exception]], done: Sequence[str]
    ) -> None:
        title = tr("{name} was not removed from all rooms").format(name=person.name)
        super().__init__(parent, title, accept=tr("Try again"), cancel=tr("Close"))
        for room, error in left:
            text, code = format_error(error)
            self.add_text(tr("Not removed from {room}").format(room=room), "strong")
            self.add_text("\n".join(filter(None, (text, code_line(code)))), "body")
        if done:
            self.add_text(tr("Removed from {rooms}").format(rooms=", ".join(done)), "body")


async def ask_and_remove(window: QWidget, session: Session, room: RoomId, person: Person) -> None:
    """Asks in a dialog over `window`, and removes the person from `room` and from those of its rooms that are chosen
    there. If some refuse, the others are done all the same, and a dialog names those that are left; there the person
    at the screen can try these again. Raises what a single room raises."""
    dialog = RemoveDialog(window, person, *session.nesting.also_in(room, person.uid))
    if not await show(dialog):
        return
    rooms, reason = session.rooms, dialog.reason
    titles = {each: rooms.room(each).title for each in (room, *dialog.also)}
    if len(titles) == 1:
        await rooms.remove(room, person.uid, reason)
    else:
        left = await _remove(rooms, list(titles), person.uid, reason)
        while left:
            faults = [(titles[each], error) for each, error in left.items()]
            done = [title for each, title in titles.items() if each not in left]
            if not await show(NotRemovedDialog(window, person, faults, done)):
                return
            left = await _remove(rooms, list(left), person.uid, reason)
    toast(window, tr("{name} has been removed.").format(name=person.name))


async def _remove(rooms: RoomService, wanted: Sequence[RoomId], uid: Uid, reason: str) -> dict[RoomId, Exception]:
    """Removes a person from each of the `wanted` rooms that they are still in. Returns what those raised that refused
    it, also a fault of our own: none of them keeps the others from being done."""
    left: dict[RoomId, Exception] = {}
    for room in wanted:
        try:
            if any(member.person.uid == uid for member in rooms.members(room)):
                await rooms.remove(room, uid, reason)
        except Exception as error:
            left[room] = error
    return left
