# SPDX-License-Identifier: EUPL-1.2
"""What a person asks for from outside a room: a new room, the direct room with somebody, no more invitations."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from app.core.enums import RoomType
from app.core.ids import RoomId
from app.core.later import Later
from app.people.person import Person
from app.rooms.invitations import MoreInvitations
from app.session import Session
from ui.kit.dialogs import confirm, show
from ui.kit.tasks import run
from ui.kit.translate import tr, trn
from ui.shell.room.duplicate_accounts import may_add
from ui.shell.tool_list import ToolList
from ui.tool_views import toast

if TYPE_CHECKING:
    from ui.shell.room import member_dialogs
else:
    member_dialogs = Later("ui.shell.room.member_dialogs", when_idle=True)


class RoomRequests:
    """Does what a person asks for from outside a room: makes a new room, opens the direct room with somebody, declines
    invitations. A dialog asks first; but a direct room is opened, or made if there is none, at once, unless its person
    has a second account in the same name. `open_room` is called with the id of a room that is to be opened."""

    def __init__(
        self, window: QWidget, session: Session, tools: ToolList, open_room: Callable[[RoomId], object]
    ) -> None:
        self._window, self._session, self._tools, self._open_room = window, session, tools, open_room

    def new_room(self) -> None:
        """Asks for a name and makes a room."""
        run(self._window, self._new_room())

    def write_to(self, person: Person) -> None:
        """Opens the direct room with a person; makes it if there is none."""
        run(self._window, self._write_to(person))

    def decline_all(self, more: MoreInvitations) -> None:
        """Shows how many more invitations there are by one person, and declines them if the person wants it."""
        run(self._window, self._decline_all(more))

    async def _new_room(self) -> None:
        made: list[RoomId] = []

        async def make(title: str, kind: RoomType) -> None:
            made.append(await self._session.rooms.create(title, kind))

        if await show(member_dialogs.NewRoomDialog(self._window, self._tools.things(), make)):
            self._open_room(made[0])

    async def _write_to(self, person: Person) -> None:
        direct = self._session.direct_rooms
        if direct.find(person.uid) is None and not await may_add(self._window, self._session.people, person):
            return
        self._open_room(await direct.open(person))

    async def _decline_all(self, more: MoreInvitations) -> None:
        name = more.by.name if more.by is not None else tr("Somebody")
        text = tr(
            "There are so many that they are not shown one by one. When you have answered some of the others, the next "
            "ones are shown. Nobody is told if you decline."
        )
        title = trn("{n} more invitation by {name}", "{n} more invitations by {name}", len(more.rooms))
        title = title.format(n=len(more.rooms), name=name)
        if await confirm(self._window, title, text, accept=tr("Decline all"), danger=True):
            invitations = self._session.invitations
            await invitations.decline(*more.rooms)
            undo = invitations.ask_again
            toast(self._window, tr("The invitations are declined."), lambda: run(self._window, undo(*more.rooms)))
