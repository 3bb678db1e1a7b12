# SPDX-License-Identifier: EUPL-1.2
"""The tools of a window, joined with its session. All that the shell asks of tools, it asks here; it names none."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.errors import BugError
from app.objects.kind import ROOM
from app.objects.links import Linked, ObjectLink
from app.rooms.service import ObjectSummary
from app.store.rows import SearchHit
from ui.kit.translate import day_or_time, tr
from ui.shell.words import both, either
from ui.tool import AnyTool, Office
from ui.tool_parts import JoinedKind, JoinedRoomCommand, JoinedSection, JoinedTool, NewsWords, Origin, Place


class ToolList:
    """The tools (chat, documents, tasks …) of one window, joined with its session, in the order of a room's tabs
    (`all`). The shell asks all that it needs of a tool here; it names none."""

    def __init__(self, tools: Sequence[AnyTool], office: Office, now: Callable[[], datetime]) -> None:
        """Joins the tools with the session, `office`. `now` returns the local time. BugError if the session lacks what
        a tool needs, or if two tools own the same id, kind, section or command."""
        self._people, self._own_room = office.people, office.own_room
        self.all: tuple[JoinedTool, ...] = tuple(tool.join(office, self, now) for tool in tools)
        self.kinds: dict[str, JoinedKind] = {kind.kind: kind for tool in self.all for kind in tool.kinds}
        _unique("id", [tool.id for tool in self.all])
        _unique("kind", [kind.kind for tool in self.all for kind in tool.kinds])
        _unique("section", [section.id for tool in self.all for section in tool.sections])
        _unique("command", [command.id for tool in self.all for command in tool.commands]
                + [command.id for tool in self.all for command in tool.room_commands]
                + [command.id for section in self.sections for command in section.commands])  # fmt: skip

    def of_kind(self, kind: str) -> JoinedTool | None:
        """The tool that opens objects of a kind; None if no tool does."""
        return next((tool for tool in self.all if any(each.kind == kind for each in tool.kinds)), None)

    def by_id(self, ident: str) -> JoinedTool | None:
        """The tool with this id; None if there is none."""
        return next((tool for tool in self.all if tool.id == ident), None)

    def in_room(self, objects: Sequence[ObjectSummary]) -> list[JoinedTool]:
        """The tools that have a tab in a room with these objects."""
        return [tool for tool in self.all if tool.tab_shown(of_tool(tool, objects))]

    @property
    def sections(self) -> list[JoinedSection]:
        """The tools' sections of the rail."""
        return [section for tool in self.all for section in tool.sections]

    def news(self, objects: Sequence[ObjectSummary]) -> NewsWords | None:
        """The words for what is unread in a room with these `objects`, from one of the tools that count something as
        unread (as chat does): the one whose object there was changed last; the first such tool if none has an object
        there. None if no tool of the window counts anything."""
        counting = [tool for tool in self.all if tool.news is not None]
        newest = {tool.id: max((o.updated_ms for o in of_tool(tool, objects)), default=-1) for tool in counting}
        return max(counting, key=lambda tool: newest[tool.id]).news if counting else None

    def room_commands(self, room: RoomId) -> list[JoinedRoomCommand]:
        """The commands of the tools about the whole room that this person may run there now."""
        return [command for tool in self.all for command in tool.room_commands if command.may(room)]

    def mark_unread(self, room: RoomId) -> None:
        """Makes the newest thing of others in a room unread again, in each tool that counts something as unread. Does
        nothing if there is none. StoreFault."""
        for tool in self.all:
            if tool.mark_unread is not None:
                tool.mark_unread(room)

    # -- objects in lists -----------------------------------------------------------------------------------------

    def icon(self, kind: str) -> str:
        """The name of the icon for objects of `kind`; that of a file if no tool has the kind."""
        found = self.kinds.get(kind)
        return found.icon if found is not None else "file"

    def listed(self, objects: Sequence[ObjectSummary]) -> list[ObjectSummary]:
        """Without the objects that are called as their rooms."""
        return [each for each in objects if (kind := self.kinds.get(each.kind)) is None or kind.listed]

    def title(self, item: ObjectSummary, room_title: str) -> str:
        """The title of an object where it is shown outside its room, as its tool names it; if no tool has its kind, its
        own title. `room_title` is the title of that room."""
        if own := self.own_title(item.room, item.kind):
            return own
        found = self.kinds.get(item.kind)
        return found.title(item, room_title) if found is not None else item.title or tr("Untitled")

    def line(self, item: ObjectSummary) -> str:
        """The line under an object's title in lists, as its tool writes it; if it writes none, who changed the object
        and when."""
        found = self.kinds.get(item.kind)
        if found is not None and found.line is not None:
            return found.line(item)
        when = day_or_time(item.updated_ms)
        if item.by is None:
            return when
        return tr("{name} · {when}").format(name=self._people.person(item.by).name, when=when)

    # -- the person's own -----------------------------------------------------------------------------------------

    def is_own(self, room: RoomId) -> bool:
        """Whether a room is one of the person's own. No list shows such a room, and it has no title."""
        return room in self._own_room.rooms()

    def own_section(self, kind: str) -> JoinedSection | None:
        """The section that shows the person's own object of a kind; None if no section does."""
        return next((section for section in self.sections if section.own == kind), None)

    def own_title(self, room: RoomId, kind: str) -> str:
        """What the person's own object of a kind is called ("My own board"), for one in their own `room`; "" for any
        other room or kind."""
        found = self.kinds.get(kind)
        return tr(found.own) if found is not None and found.own is not None and self.is_own(room) else ""

    def where(self, room: RoomId, kind: str, titles: Mapping[RoomId, str]) -> str:
        """Says in which room an object of a kind is: the room's title, taken from `titles`. For the person's own object
        it says what that object is called. "" if neither is known."""
        return self.own_title(room, kind) or titles.get(room, "")

    def origins(self, hits: Sequence[SearchHit]) -> dict[Place, Origin]:
        """The author of each place that a search has found, by place. A place of which its tool names nobody is left
        out."""
        found: dict[Place, Origin] = {}
        for kind in {hit.kind for hit in hits}:
            shown = self.kinds.get(kind)
            if shown is not None and shown.origins is not None:
                found |= shown.origins([(hit.obj, hit.ref) for hit in hits if hit.kind == kind])
        return found

    def before(self, kind: str) -> Callable[[ObjId, int, QWidget | None], QWidget] | None:
        """The function that makes a view, only to read, of an object as it was before a change: it takes the object,
        the change's row in the store, and the view's parent. None for a kind whose objects have no earlier states, and
        if no tool has the kind."""
        found = self.kinds.get(kind)
        return found.before if found is not None else None

    def copy_question(self, kind: str) -> str:
        """The text of the question whether a copy of the person's own changes to an object of `kind` is put into a room
        that continues another. A general question if no tool has the kind, or if its tool has no question of its own
        for it."""
        found = self.kinds.get(kind)
        asks = found.copy_question if found is not None else None
        return asks() if asks is not None else tr("Do you want to put a copy here?")

    # -- the tools in sentences -----------------------------------------------------------------------------------

    def things(self) -> str:
        """What rooms hold, within a sentence: "chat, documents and tasks"."""
        return both([tr(tool.noun) for tool in self.all])

    def found(self) -> str:
        """Text: what a search looks through, at the beginning of a sentence, such as "Messages, documents and
        tasks"."""
        text = both([tr(tool.found) for tool in self.all])
        return text[:1].upper() + text[1:]

    def with_history(self) -> str:
        """The objects whose changes the server keeps until they are cleared: "documents and boards"."""
        return both([tr(kind.noun[1]) for kind in self.kinds.values() if kind.keeps_history])

    def without_history(self) -> str:
        """What clearing does not touch: "chat and files"."""
        return both([*(tr(kind.noun[1]) for kind in self.kinds.values() if not kind.keeps_history), tr("files")])

    def contents(self, kinds: Sequence[str]) -> str:
        """Objects of these kinds, within a sentence: "documents and boards". The room's own records and kinds that no
        tool has are named too."""
        words = [tr(self.kinds[kind].noun[1]) for kind in kinds if kind in self.kinds]
        own = [tr("the room's own entries")] if ROOM in kinds else []
        others = [tr("other content")] if any(kind not in self.kinds and kind != ROOM for kind in kinds) else []
        return both([*words, *own, *others])

    def count(self, number: int) -> str:
        """Text: a number of objects whose change history the server keeps, such as "3 documents and boards"."""
        kept = [kind.noun for kind in self.kinds.values() if kind.keeps_history]
        words = either([tr(one) for one, _ in kept]) if number == 1 else both([tr(several) for _, several in kept])
        return f"{number} {words}"

    # -- ui.tool.LinkWords ----------------------------------------------------------------------------------------

    def icon_of(self, link: ObjectLink | None) -> str:
        """The name of the icon for what a link leads to, the kind of object or of a place in it; "link" if the link is
        None or no tool knows its kind."""
        found = self.kinds.get(link.kind) if link is not None else None
        if link is None or found is None:
            return "link"
        return found.place_icon if link.ref else found.icon

    def line_of(self, link: ObjectLink, linked: Linked) -> str:
        """The line about what a link leads to, as its tool writes it; if it writes none, who changed it and when, as
        far as known ("" if neither is). `linked` is the object or the place in it."""
        found = self.kinds.get(link.kind)
        text = found.link_line(linked) if found is not None and found.link_line is not None else ""
        return text or self._changed(linked)

    def _changed(self, linked: Linked) -> str:
        parts = []
        if linked.by is not None:
            parts.append(tr("changed by {name}").format(name=self._people.person(linked.by).name))
        if linked.updated:
            parts.append(day_or_time(linked.updated))
        text = " · ".join(parts)
        return text[:1].upper() + text[1:]


def of_tool(tool: JoinedTool, objects: Sequence[ObjectSummary]) -> list[ObjectSummary]:
    """Those of the `objects` whose kind belongs to `tool`."""
    kinds = {each.kind for each in tool.kinds}
    return [each for each in objects if each.kind in kinds]


def _unique(what: str, owned: Sequence[str]) -> None:
    for each in owned:
        if owned.count(each) > 1:
            raise BugError(f"Two tools on screen own the {what} {each!r}.")
