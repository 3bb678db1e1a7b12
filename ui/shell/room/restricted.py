# SPDX-License-Identifier: EUPL-1.2
"""What a person asks for about rooms that belong to others: a restricted room within a case room, and the end of such a
link."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId, Uid
from app.core.later import Later
from app.session import Session
from ui.kit.dialogs import confirm, show
from ui.kit.menu import Entry
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.tool_views import toast

if TYPE_CHECKING:
    from ui.shell.room import restricted_dialogs
else:
    restricted_dialogs = Later("ui.shell.room.restricted_dialogs", when_idle=True)


class RestrictedRooms:
    """Makes rooms within case rooms, and ends such links; a dialog asks first. `window` is the window that they are
    shown in; `open_room` is called with a room that was made."""

    def __init__(self, window: QWidget, session: Session, open_room: Callable[[RoomId], object]) -> None:
        self._window, self._session, self._open_room = window, session, open_room

    def may_make(self, room: RoomId) -> bool:
        """Whether this person may make a room within `room`."""
        return self._session.nesting.may_make(room)

    def make(self, room: RoomId) -> None:
        """Asks for a name and for people, and makes a room within `room`."""
        run(self._window, self._make(room))

    def end(self, room: RoomId) -> None:
        """Asks whether `room` is no longer to belong to its case room, and ends the link. Undo is offered."""
        run(self._window, self._end(room))

    def entries(self, room: RoomId) -> list[Entry]:
        """The entries of a room's menu for what this person may do: to make a room within it, to end its link."""
        nesting, found = self._session.nesting, list[Entry]()
        if nesting.may_make(room):
            found.append(Entry(text=tr("Restricted room …"), icon="lock", run=lambda: self.make(room)))
        if nesting.may_end(room):
            found.append(Entry(text=tr("End the link to the case room …"), icon="outdent", run=lambda: self.end(room)))
        return found

    async def _make(self, room: RoomId) -> None:
        rooms = self._session.rooms
        dialog = restricted_dialogs.RestrictedRoomDialog(self._window, rooms.room(room).title, rooms.members(room))
        answer: list[tuple[str, list[Uid]]] = []
        dialog.accepted.connect(lambda: answer.append((dialog.name, dialog.people)))
        if not await show(dialog) or not answer:
            return
        made = await self._session.nesting.make(room, *answer[0])
        self._open_room(made.room)
        if made.left_out:
            names = ", ".join(self._session.people.person(uid).name for uid in made.left_out)
            text = tr("Could not be added: {names}. Add them later, beside the room's members.")
            toast(self._window, text.format(names=names))

    async def _end(self, room: RoomId) -> None:
        nesting, parent = self._session.nesting, self._session.nesting.parent(room)
        if parent is None:
            return
        title = self._session.rooms.room(room).title
        text = tr("{room} is then shown by itself. Nobody's membership changes, and nothing is removed.")
        heading = tr("Shall the room no longer belong to {parent}?").format(parent=parent.title)
        if not await confirm(self._window, heading, text.format(room=title), accept=tr("End the link")):
            return
        undo: list[Callable[[], None]] = []
        run_guarded(self._window, lambda: undo.append(nesting.end(room)))
        if undo:
            text = tr("{room} no longer belongs to {parent}").format(room=title, parent=parent.title)
            toast(self._window, text, lambda: run_guarded(self._window, undo[0]))
