# SPDX-License-Identifier: EUPL-1.2
"""Makes restricted rooms within case rooms, and ends and restores the links between them, as a person asks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId, Uid
from app.core.later import Later
from app.rooms.nesting import MadeRoom
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
    """Makes rooms within case rooms, ends the links between them, and links them again; a dialog asks first. `window`
    is the parent of the dialogs; `open_room` is called with a room that was made."""

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

    def may_link(self, room: RoomId) -> bool:
        """Whether this person can link `room` to a case room that it once belonged to."""
        return bool(self._session.nesting.former_parents(room))

    def link(self, room: RoomId) -> None:
        """Asks to which of its former case rooms `room` is to belong again, and links the two. Undo is offered."""
        run(self._window, self._link(room))

    def entries(self, room: RoomId) -> list[Entry]:
        """The entries of a room's menu for what this person may do: make a room within it, end its link, link it
        again."""
        nesting, found = self._session.nesting, list[Entry]()
        if nesting.may_make(room):
            found.append(Entry(text=tr("Restricted room …"), icon="lock", run=lambda: self.make(room)))
        if nesting.may_end(room):
            found.append(Entry(text=tr("End the link to the case room …"), icon="outdent", run=lambda: self.end(room)))
        if self.may_link(room):
            found.append(Entry(text=tr("Link to the case room …"), icon="indent", run=lambda: self.link(room)))
        return found

    async def _make(self, room: RoomId) -> None:
        rooms, nesting, done = self._session.rooms, self._session.nesting, list[MadeRoom]()

        async def make(title: str, people: list[Uid]) -> None:
            done.append(await nesting.make(room, title, people))

        case, members = rooms.room(room).title, rooms.members(room)
        if not await show(restricted_dialogs.RestrictedRoomDialog(self._window, case, members, make)):
            return
        made = done[0]
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

    async def _link(self, room: RoomId) -> None:
        nesting, title, window = self._session.nesting, self._session.rooms.room(room).title, self._window
        parents = {each.room: each.title for each in nesting.former_parents(room)}
        if not parents:
            return
        undo: list[tuple[str, Callable[[], None]]] = []

        async def link_again(parent: RoomId) -> None:
            undo.append((parents[parent], nesting.link_again(room, parent)))

        if not await show(restricted_dialogs.LinkRoomDialog(window, title, list(parents.items()), link_again)):
            return
        [(parent, take_back)] = undo
        text = tr("{room} belongs to {parent}")
        if nesting.parent(room) is None:
            text = tr("Your part of the link between {room} and {parent} is saved. It takes effect once an "
                      "administrator of {parent} or an owner of {room} links them too.")  # fmt: skip
        toast(window, text.format(room=title, parent=parent), lambda: run_guarded(window, take_back))
