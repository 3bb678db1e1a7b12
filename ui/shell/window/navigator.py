# SPDX-License-Identifier: EUPL-1.2
"""Where the window is and how it gets to other places: sections, rooms with their open views, history, links.

It has no menus, settings or messages. It is given the parts that it moves (`use_parts`), and again when the language
changes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.core.ids import ObjId, RoomId
from app.core.later import Later
from app.notices.kinds import ADDED, ROLE
from app.notices.service import NoticeFilter, NoticeRow
from app.objects.links import ObjectLink
from app.session import Session
from ui.kit.tasks import run_guarded
from ui.shell.notices.lines import link_of
from ui.shell.tool_list import ToolList, of_tool
from ui.shell.window.navigation import History, Place, Rail
from ui.shell.window.room_list import RoomList
from ui.shell.window.search_view import SearchView
from ui.tool_views import OWN, AnsweringView, OwnView, TabbedView

if TYPE_CHECKING:
    from ui.shell.room import invitation_view, room_view
else:
    room_view = Later("ui.shell.room.room_view", when_idle=True)

_KEPT_ROOMS = 6
"""The most rooms that keep their open views; the one that was visited the longest time ago is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The widgets of the window that its navigator shows and changes. `sections` has, by id, functions that return the
    page of a section of the rail; the rooms are not in it. `no_room` is the page that is shown where no room is open;
    `invitation` returns the page of a room that the person is invited to. `arrange` is called, without arguments,
    each time the person goes to another place: it shows list and content as the window's size requires."""

    rail: Rail
    room_list: RoomList
    stack: QStackedWidget
    sections: Mapping[str, Callable[[], QWidget]]
    search: SearchView
    no_room: QWidget
    invitation: "Callable[[], invitation_view.InvitationView]"
    arrange: Callable[[], None]
    """Shows list and content as the place and the window's size require."""


class Navigator(QObject):
    """Goes from place to place in the window: sections, rooms with their open views, history, links. Call `use_parts`
    first, and again when the language has changed."""

    moved = Signal()
    """Something else is shown."""
    write_to = Signal(object)
    """A room's people panel asks to write to a person."""

    def __init__(self, session: Session, tools: ToolList, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._tools = session, tools
        self._parts: Parts
        self.history = History()
        self.place = Place(section="home")
        self._rooms: dict[RoomId, room_view.RoomView] = {}
        self._moving = False

    def use_parts(self, parts: Parts) -> None:
        """Uses these widgets from now on. The views of rooms are closed, and made again when they are next shown."""
        self._rooms.clear()
        self._parts = parts

    def show_again(self) -> None:
        """Shows the present place again, after `use_parts`."""
        self._show(self.place)

    def go(self, place: Place) -> None:
        """Shows `place`, and adds it to the history of visited places."""
        self._show(place)
        self.history.visit(self.place)

    def go_section(self, section: str, tab: str = "") -> None:
        """Goes to the section of the rail with this id, at its tab `tab` ("": the first). For "rooms" it goes to the
        room that was open last, or to the first room; if there is no room, to a page that says so. KeyError for an
        unknown id."""
        if section == "rooms" and self._rooms:
            room = next(reversed(self._rooms))
            self.go(Place(section="rooms", room=room, tab=self._rooms[room].tabs.current()))
        elif section == "rooms":
            known = self._session.rooms.rooms()
            self.go(Place(section="rooms", room=known[0].room if known else None))
        else:
            self.go(Place(section=section, tab=tab))

    def back(self) -> None:
        """Goes to the place that was visited before this one, if there is one."""
        self._step(-1)

    def forward(self) -> None:
        """Goes to the place that was left by going back, if there is one."""
        self._step(1)

    def _step(self, by: int) -> None:
        place = self.history.step(by)
        if place is None:
            return
        self._show(place)
        view = self.current_room()
        if view is not None and place.obj is not None:
            view.show_tool(place.tab, place.obj)

    def open_room(self, room: RoomId, *, answers: bool = False) -> None:
        """Goes to `room`, at the tool's tab that was open there last. If this device does not have the room, shows the
        invitation to it, or the page that is shown while no room is open. For a room of one's own, which is never shown
        itself, goes to Home. `answers`: the field for answers gets the focus, where the view has one."""
        if self._tools.is_own(room):
            self.go_section("home")
            return
        view = self._rooms.get(room)
        self.go(Place(section="rooms", room=room, tab=view.tabs.current() if view else ""))
        if answers:
            self._begin_answer(ObjId(b""), b"")

    def open_link(self, link: ObjectLink) -> None:
        """Goes to the object that the link names, in its room, at the place in it, and records that the object was
        opened. An object of the person's own is opened in its tool's section. If no tool knows its kind, goes to the
        room only."""
        own = self._tools.own_section(link.kind) if self._tools.is_own(link.room) else None
        if own is not None:
            self._open_own(own.id, link)
            return
        tool = self._tools.of_kind(link.kind)
        if tool is None:
            self.open_room(link.room)
            return
        self.go(Place(section="rooms", room=link.room, tab=tool.id, obj=link.obj))
        view = self._rooms.get(link.room)
        if view is not None:
            view.show_tool(tool.id, link.obj, link.ref, link.words)
        self._session.rooms.opened(link.room, link.obj)

    def _open_own(self, section: str, link: ObjectLink) -> None:
        self.go(Place(section=section, tab=OWN))
        page = self._parts.sections[section]()
        if isinstance(page, OwnView):
            page.open_own(link.ref, link.words)
        self._session.rooms.opened(link.room, link.obj)

    def open_notice(self, row: NoticeRow, *, answers: bool = False) -> None:
        """Goes to the place of a notice, or to its room; to Home for one about no room. `answers`: begins an answer
        there, where the view can do that."""
        link = link_of(row)
        if link is not None:
            self.open_link(link)
        elif row.room:
            self.open_room(row.room)
        else:
            self.go_section("home")
        if answers:
            self._begin_answer(row.obj, row.ref)

    def _begin_answer(self, obj: ObjId, ref: bytes) -> None:
        room = self.current_room()
        view = room.current_view() if room is not None else None
        if isinstance(view, AnsweringView):
            view.answer(obj, ref)

    def search_for(self, text: str) -> None:
        """Goes to the search page and searches for `text`."""
        self.go_section("search")
        self._parts.search.search(text)

    def _show(self, place: Place) -> None:
        self._moving = True
        try:
            self._show_place(place)
        finally:
            self._moving = False
        view = self.current_room()
        if view is not None:  # the tab that the room chose itself
            self.place = Place(section="rooms", room=view.room, tab=view.tabs.current(), obj=place.obj)
        self.moved.emit()

    def _show_place(self, place: Place) -> None:
        self.place = place
        self._parts.rail.select(place.section)
        self._parts.arrange()
        if place.section == "rooms":
            self._show_room(place)
            return
        page = self._parts.sections[place.section]()
        if isinstance(page, TabbedView):
            page.show_tab(place.tab)
        self._parts.stack.setCurrentWidget(page)
        if place.section == "search":
            self._parts.search.field.setFocus()
        elif isinstance(page, TabbedView) and place.tab:
            page.setFocus()
        else:
            self._parts.stack.setFocus()

    def _show_room(self, place: Place) -> None:
        known = {r.room for r in self._session.rooms.rooms()}
        if place.room is not None and place.room not in known and self._parts.invitation().show_room(place.room):
            self._parts.room_list.choose(place.room)
            self._parts.stack.setCurrentWidget(self._parts.invitation())
            self._parts.invitation().setFocus()
            return
        if place.room is None or place.room not in known:
            self._parts.stack.setCurrentWidget(self._parts.no_room)
            return
        view = self._room_view(place.room)
        if place.tab:
            view.show_tool(place.tab)
        self._parts.room_list.choose(place.room)
        self._note_opened(view)
        self._note_seen(place.room)
        self._parts.stack.setCurrentWidget(view)
        (view.current_view() or view).setFocus()  # in some views one writes at once

    def _room_view(self, room: RoomId) -> "room_view.RoomView":
        view = self._rooms.pop(room, None)
        if view is None:
            view = room_view.RoomView(self._session, self._tools, room)
            view.object_chosen.connect(lambda o: self.open_link(ObjectLink(room=o.room, obj=o.obj, kind=o.kind)))
            view.write_to.connect(self.write_to)
            view.room_chosen.connect(self.open_room)
            view.tab_changed.connect(lambda tab: self._on_tab(room, tab))
            self._parts.stack.addWidget(view)
        self._rooms[room] = view  # last = visited last
        while len(self._rooms) > _KEPT_ROOMS:
            old = self._rooms.pop(next(iter(self._rooms)))
            self._parts.stack.removeWidget(old)
            old.deleteLater()
        return view

    def _note_opened(self, view: "room_view.RoomView") -> None:
        """Records, for the list of recent objects, that the object of the room's open tool was opened, if the tool has
        exactly one there. A tool with several records it itself, one by one."""
        tool = self._tools.by_id(view.tabs.current())
        found = of_tool(tool, self._session.rooms.objects(view.room)) if tool is not None else []
        if len(found) == 1:
            self._session.rooms.opened(view.room, found[0].obj)

    def _note_seen(self, room: RoomId) -> None:
        """Marks the notices about the room itself as seen: that the person was added, and their role."""
        notices, kinds = self._session.notices, frozenset({ADDED.id, ROLE.id})
        found = notices.list(NoticeFilter(kinds=kinds, room=room, unseen=True))
        if found:
            run_guarded(self, lambda: notices.mark_seen([row.id for row in found]))

    def _on_tab(self, room: RoomId, tab: str) -> None:
        if self.place.room == room and not self._moving:
            self.place = Place(section="rooms", room=room, tab=tab)
            self.history.visit(self.place)
            self.moved.emit()

    def current_room(self) -> "room_view.RoomView | None":
        """The view of the room that is shown now; None if another page is shown."""
        shown = self._parts.stack.currentWidget()
        return next((view for view in self._rooms.values() if view is shown), None)

    def current_view(self) -> QWidget | None:
        """The view of the tool that is shown in the open room, or the page that is shown instead of a room."""
        room = self.current_room()
        return room.current_view() if room is not None else self._parts.stack.currentWidget()

    def open_tab(self, number: int) -> None:
        """Opens the tab with this number, from 1, in the room that is shown. Does nothing if there is none."""
        view = self.current_room()
        if view is not None and number <= view.tabs.count():
            view.tabs.setCurrentIndex(number - 1)

    def step_room(self, by: int, *, unread: bool = False) -> None:
        """Goes to another room, `by` rows further down in the list (up, if negative), around the ends. `unread`: rooms
        with nothing unread are skipped. If the present room is itself not among those, goes to the first of them (up:
        the last). Does nothing if there is none."""
        listed = self._parts.room_list.list.rows.rows
        rows = [r for r in listed if isinstance(r.key, bytes) and not r.section and (r.count or not unread)]
        keys = [r.key for r in rows]
        if not keys:
            return
        at = keys.index(self.place.room) + by if self.place.room in keys else (0 if by > 0 else -1)
        key = keys[at % len(keys)]
        self.open_room(RoomId(key) if isinstance(key, bytes) else key)  # type: ignore[arg-type] # keys of rooms are ids
