# SPDX-License-Identifier: EUPL-1.2
"""The menus of the list of rooms: of a room, and of a section."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId
from app.core.later import Later
from app.own.room_order import MAX_TITLE, RoomOrder
from app.rooms.service import RoomService, RoomSummary
from ui.kit.dialogs import ask, show
from ui.kit.menu import Entry, popup
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.shell.room.levels import level_entries
from ui.shell.room.restricted import RestrictedRooms
from ui.shell.window.room_groups import RoomGroup
from ui.shell.words import type_name
from ui.tool_views import toast

if TYPE_CHECKING:
    from ui.shell.window import section_dialog
else:
    section_dialog = Later("ui.shell.window.section_dialog", when_idle=True)


class RoomMenu:
    """Opens the menus of rooms and of sections, and does what is chosen there. `owner` is the list that they belong to;
    `move(room, by)` moves a room in its section; `mark_unread(room)` makes the newest message of others in it unread
    again; `restricted` does what concerns rooms within others."""

    def __init__(
        self,
        owner: QWidget,
        rooms: RoomService,
        order: RoomOrder,
        move: Callable[[RoomId, int], object],
        mark_unread: Callable[[RoomId], object],
        restricted: RestrictedRooms,
    ) -> None:
        self._owner, self._rooms, self._order = owner, rooms, order
        self._move, self._mark_unread, self._restricted = move, mark_unread, restricted

    def open_of_room(self, room: RoomSummary, group: RoomGroup, at: QPoint) -> None:
        """Opens the menu of a room, which is in `group`, at a point of the screen."""
        text = tr("Remove from favourites") if room.favourite else tr("Favourite")
        favourite = Entry(text=text, icon="star", run=lambda: self._set_favourite(room.room, not room.favourite))
        unread = Entry(
            text=tr("Mark as unread"),
            icon="notifications",
            run=lambda: run_guarded(self._owner, lambda: self._mark_unread(room.room)),
            enabled=not room.unread and bool(room.preview),
        )
        section = Entry(
            text=tr("Move to section …"), icon="move", run=lambda: run(self._owner, self._choose_section(room))
        )
        beside = group.beside(room.room)
        entries = [
            favourite,
            unread,
            None,
            *level_entries(self._owner, self._rooms, room),
            None,
            *self._section(section, room, group),
            *self._moves(beside.index(room.room), len(beside), room.room),
        ]
        popup(self._owner, tr("Room menu"), entries, at)

    def _section(self, section: Entry, room: RoomSummary, group: RoomGroup) -> list[Entry | None]:
        """The entries that say where a room is shown. One that is shown below another is in that one's section."""
        is_below = all(each.room != room.room for each in group.rooms)
        return [*self._restricted.entries(room.room), *([] if is_below else [section])]

    def open_of_section(self, group: RoomGroup, at: QPoint) -> None:
        """Opens the menu of a section at a point of the screen."""
        fold = partial(self._order.set_folded, group.ident, not group.is_folded)
        text = tr("Unfold") if group.is_folded else tr("Fold up")
        entries: list[Entry | None] = [Entry(text=text, icon="down" if group.is_folded else "up", run=fold)]
        placed = [room.room for room in group.rooms if self._order.place_of(room.room) is not None]
        if placed:
            entries.append(Entry(text=tr("Latest first"), icon="sort", run=partial(self._forget_places, placed)))
        entries.append(Entry(text=tr("New section …"), icon="add", run=lambda: run(self._owner, self._make())))
        if group.is_own:
            idents = [each.ident for each in self._order.sections()]
            at_number = idents.index(group.ident)
            entries += [
                None,
                Entry(text=tr("Rename …"), icon="rename", run=lambda: run(self._owner, self._rename(group))),
                *_moves(at_number, len(idents), partial(self._order.move, group.ident)),
                None,
                Entry(text=tr("Remove the section"), icon="delete", danger=True, run=partial(self._remove, group)),
            ]
        popup(self._owner, tr("Section menu"), entries, at)

    def _moves(self, number: int, count: int, room: RoomId) -> list[Entry]:
        return _moves(number, count, partial(self._move, room))

    async def _choose_section(self, room: RoomSummary) -> None:
        choices = [(None, type_name(room.type)), *((each.ident, each.title) for each in self._order.sections())]
        dialog = section_dialog.SectionDialog(
            self._owner.window(), room.title, choices, self._order.section_of(room.room)
        )
        if await show(dialog):
            self._put(room, self._order.make(dialog.title) if dialog.title else dialog.section)

    def _put(self, room: RoomSummary, section: str | None) -> None:
        before = self._order.section_of(room.room)
        place = self._order.place_of(room.room)
        if before != section:
            self._order.put(room.room, section)
            self._toast_moved(room, partial(self._order.put_back, room.room, before, place))

    def _toast_moved(self, room: RoomSummary, undo: Callable[[], object]) -> None:
        section = self._order.section_of(room.room)
        titles = {each.ident: each.title for each in self._order.sections()}
        title = titles.get(section or "", type_name(room.type))
        toast(self._owner, tr("{room} is in the section {section}").format(room=room.title, section=title), undo)

    async def _make(self) -> None:
        window = self._owner.window()
        title = await ask(window, tr("New section"), tr("Name of the section"), accept=tr("Make the section"))
        if title is not None:
            self._order.make(title)

    async def _rename(self, group: RoomGroup) -> None:
        window, name = self._owner.window(), tr("Name of the section")
        title = await ask(window, tr("Rename the section"), name, value=group.title[:MAX_TITLE], accept=tr("Rename"))
        if title is not None:
            self._order.rename(group.ident, title)

    def _remove(self, group: RoomGroup) -> None:
        self._order.remove(group.ident)
        text = tr("The section {section} is removed. Its rooms are under their types.").format(section=group.title)
        toast(self._owner, text, partial(self._order.rename, group.ident, group.title))

    def _forget_places(self, rooms: list[RoomId]) -> None:
        undo = self._order.forget_places(rooms)
        toast(self._owner, tr("The rooms are in the order of their latest activity"), undo)

    def _set_favourite(self, room: RoomId, favourite: bool) -> None:
        run_guarded(self._owner, lambda: self._rooms.set_favourite(room, favourite))


def _moves(number: int, count: int, move: Callable[[int], object]) -> list[Entry]:
    """The entries that move something by one place; those that cannot are disabled."""
    return [
        Entry(text=tr("Move up"), icon="up", shortcut="Alt+Up", run=lambda: move(-1), enabled=number > 0),
        Entry(text=tr("Move down"), icon="down", shortcut="Alt+Down", run=lambda: move(1), enabled=number < count - 1),
    ]
