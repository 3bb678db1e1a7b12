# SPDX-License-Identifier: EUPL-1.2
"""Removes a person from a room and from the rooms within it. If one room refuses, the person is still removed from the
others."""

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId, Uid
from app.people.person import Person
from app.rooms.service import RoomService
from app.session import Session
from ui.errors import format_error
from ui.kit.dialogs import show
from ui.kit.plain import code_line
from ui.kit.translate import tr
from ui.kit.working_dialog import WorkingDialog
from ui.shell.room.removal_dialogs import RemoveDialog
from ui.tool_views import toast


class NotRemovedDialog(WorkingDialog):
    """A dialog that says from which rooms `person` was not removed and why, and from which they were. `left`: the
    title of each of the first, with its error. `done`: the titles of the others. For another try with the rooms that
    are left, `again` is called and awaited."""

    def __init__(
        self,
        parent: QWidget,
        person: Person,
        left: Sequence[tuple[str, Exception]],
        done: Sequence[str],
        again: Callable[[], Awaitable[object]],
    ) -> None:
        title = tr("{name} was not removed from all rooms").format(name=person.name)
        super().__init__(parent, title, accept=tr("Try again"), work=again, cancel=tr("Close"))
        for room, error in left:
            text, code = format_error(error)
            self.add_text(tr("Not removed from {room}").format(room=room), "strong")
            self.add_text("\n".join(filter(None, (text, code_line(code)))), "body")
        if done:
            self.add_text(tr("Removed from {rooms}").format(rooms=", ".join(done)), "body")


async def ask_and_remove(window: QWidget, session: Session, room: RoomId, person: Person) -> None:
    """Asks in a dialog over `window`, which removes the person from `room` and from those of its rooms that are chosen
    there. If the room is the only one and refuses, the dialog stays open with the error. If some of several
    refuse, the person is still removed from the others, and a second dialog names the rooms that are left; there the
    user can try these again."""
    rooms, titles, left = session.rooms, dict[RoomId, str](), dict[RoomId, Exception]()
    reason = ""

    async def remove(dialog: RemoveDialog) -> None:
        nonlocal titles, left, reason
        titles, reason = {each: rooms.room(each).title for each in (room, *dialog.also)}, dialog.reason
        if len(titles) == 1:
            await rooms.remove(room, person.uid, reason)
        else:
            left = await _remove(rooms, list(titles), person.uid, reason)

    async def again() -> None:
        nonlocal left
        left = await _remove(rooms, list(left), person.uid, reason)

    if not await show(RemoveDialog(window, person, remove, *session.nesting.also_in(room, person.uid))):
        return
    while left:
        faults = [(titles[each], error) for each, error in left.items()]
        done = [title for each, title in titles.items() if each not in left]
        if not await show(NotRemovedDialog(window, person, faults, done, again)):
            return
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
