# SPDX-License-Identifier: EUPL-1.2
"""What the palette offers for what is typed: rooms, objects, people, commands, places with the words."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from app.core.collation import swedish_key
from app.core.ids import ObjId, RoomId
from app.core.later import Later
from app.core.words import words_of
from app.objects.links import ObjectLink
from app.people.person import Person
from app.rooms.service import RoomSummary
from app.session import Session
from ui.kit.translate import tr
from ui.shell.rows import Row
from ui.shell.tool_list import ToolList
from ui.shell.window.commands import Commands
from ui.shell.window.palette import Choice, Group, matches
from ui.shell.window.room_list import room_picture
from ui.shell.window.search_view import hit_rows
from ui.shell.words import type_word

if TYPE_CHECKING:
    from ui.shell.room import member_dialogs
else:
    member_dialogs = Later("ui.shell.room.member_dialogs", when_idle=True)

_ROOMS, _OBJECTS, _PEOPLE, _COMMANDS, _HITS = 6, 6, 5, 6, 6
_EVER = 100


class Finder:
    """Finds what the palette offers for a typed text. When a choice is made, one of these is called: `open_room` with
    the room, `open_link` with a link to an object or a place in it, `write_to` with the person, `search` with the typed
    text."""

    def __init__(
        self,
        session: Session,
        commands: Commands,
        tools: ToolList,
        *,
        open_room: Callable[[RoomId], object],
        open_link: Callable[[ObjectLink], object],
        write_to: Callable[[Person], object],
        search: Callable[[str], object],
    ) -> None:
        self._session, self._commands, self._tools = session, commands, tools
        self._open_room, self._open_link, self._write_to, self._search = open_room, open_link, write_to, search

    def at_once(self, query: str, places: Sequence[Choice]) -> list[Group]:
        """The choices for `query` in groups, each with its heading: rooms, objects, people and commands, which need no
        search, at most six of each; then `places`, which a search has found already, and a line that opens the search
        page. For an empty `query` the objects are those that were opened last, and the last group and the people are
        left out."""
        rooms = [r for r in self._session.rooms.rooms() if matches(r.title, query)]
        groups: list[Group] = [
            (tr("Rooms"), [self._room(r) for r in rooms[:_ROOMS]]),
            (tr("In the rooms"), self._objects(query)),
            (tr("Persons"), self._people(query) if query else []),
            (tr("Commands"), self._commanding(query)),
        ]
        if query:
            groups.append((tr("Found in the text"), [*places, self._whole_search(query)]))
        return groups

    def _room(self, room: RoomSummary) -> Choice:
        row = Row(
            key=("room", room.room),
            title=room.title,
            detail="",
            picture=room_picture(self._session.rooms, room),
            right=type_word(room.type),
            count=room.unread,
        )
        return Choice(row=row, run=lambda: self._open_room(room.room))

    def _objects(self, query: str) -> list[Choice]:
        titles = {r.room: r.title for r in self._session.rooms.rooms()}
        if query:
            found = [o for room in titles for o in self._session.rooms.objects(room) if matches(o.title, query)]
        else:
            found = self._tools.listed(self._session.rooms.recent(_EVER))
        return [
            Choice(
                row=Row(
                    key=("object", o.obj),
                    title=self._tools.own_title(o.room, o.kind) or o.title,
                    icon=self._tools.icon(o.kind),
                    right=titles.get(o.room, ""),
                ),
                run=partial(self._open_link, ObjectLink(room=o.room, obj=o.obj, kind=o.kind)),
            )
            for o in found[:_OBJECTS]
        ]

    def _people(self, query: str) -> list[Choice]:
        known = {
            m.person.uid: m.person
            for r in self._session.rooms.rooms()
            for m in self._session.rooms.members(r.room)
            if not m.person.is_me and matches(f"{m.person.name} {m.person.title}", query)
        }
        people = sorted(known.values(), key=lambda p: swedish_key(p.name))[:_PEOPLE]
        return [Choice(row=member_dialogs.person_row(p), run=partial(self._write_to, p)) for p in people]

    def _commanding(self, query: str) -> list[Choice]:
        found = [c for c in self._commands.shown() if matches(c.text, query)]
        return [
            Choice(row=Row(key=("command", c.id), title=c.text, icon=c.icon, right=c.shortcut), run=c.run)
            for c in found[:_COMMANDS]
        ]

    async def places(self, query: str) -> list[Choice]:
        """Searches all texts on this device for the words of `query` and returns a choice for each place that has them,
        in the order of the search, at most six."""
        found = await self._session.search.find(query, limit=_HITS)
        hits = [hit for hit in found if hit.obj != ObjId(hit.room)]  # a room's name is found among the rooms
        titles = {r.room: r.title for r in self._session.rooms.rooms()}
        words = words_of(query)
        rows = hit_rows(self._tools, hits, titles, words)
        links = [ObjectLink(room=hit.room, obj=hit.obj, kind=hit.kind, ref=hit.ref, words=words) for hit in hits]
        return [Choice(row=row, run=partial(self._open_link, link)) for row, link in zip(rows, links, strict=True)]

    def _whole_search(self, query: str) -> Choice:
        text = tr("Search everything for “{words}”").format(words=query)
        row = Row(key="search", title=text, icon="search")
        return Choice(row=row, run=lambda: self._search(query))
