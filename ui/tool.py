# SPDX-License-Identifier: EUPL-1.2
"""What a tool shows, typed, and what its views may ask of the window. The recipe for a new tool is in ARCHITECTURE.md
("A new tool").

A tool exports one `Tool`, named TOOL, in `ui/<tool>/__init__.py`. `ui/tools.py` lists them; the list is an argument of
the window, whose rail, tabs, Home, palette, search and notifications are made from it (ui/shell/tool_list.py). Nothing
here names a tool. No field has a default: None and () are answers. A part that is left out is an error of types, and a
TypeError or BugError that names the part.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Generic, Protocol

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.errors import BugError
from app.objects.links import Linked, ObjectLink
from app.rooms.service import ObjectSummary, RoomSummary
from app.setting import AnySetting
from app.settings import Settings
from app.tool import AppTool, NoSnapshot, Offer, People, S
from ui.kit.presence_in_view import KnownPresence
from ui.reminding import Reminders
from ui.tool_parts import (
    Check,
    JoinedKind,
    JoinedNotice,
    JoinedRoomCommand,
    JoinedSection,
    JoinedTool,
    JoinedTrial,
    NewsWords,
    NoticeWords,
    Origin,
    Parent,
    Place,
    SectionCommand,
    TabShown,
    ToolCommand,
)

# ---- what the window gives a tool


class Rooms(Protocol):
    """The person's rooms, as far as the views of a tool need them: which there are, when that changes, and in which the
    person may write."""

    @property
    def changed(self) -> Signal[()]:
        """A room's entry in lists changed."""
        ...

    def rooms(self) -> Sequence[RoomSummary]:
        """All rooms."""
        ...

    def may_write(self, room: RoomId, /) -> bool:
        """Whether this account may write there."""
        ...


class LinkWords(Protocol):
    """How things of any tool (a document, a card …) are shown where a view of another tool links to them: the name of
    an icon, and one line of text."""

    def icon_of(self, link: ObjectLink | None) -> str:
        """The icon's name."""
        ...

    def line_of(self, link: ObjectLink, linked: Linked) -> str:
        """One line about the thing as it is now: its state, or who changed it and when."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewParts(Generic[S]):
    """What the views of one tool work with, for as long as a window is open. `service` is the tool's own. `people`
    looks persons up, `rooms` the rooms; `settings` has the person's settings and policy's. `links` says how things of
    other tools are shown. `reminders` are the person's own. `presence` knows whether people can be reached; a view that
    shows it asks for it (`PresenceInView`). `now` returns the local time, which tests can set."""

    service: S
    people: People
    rooms: Rooms
    settings: Settings
    links: LinkWords
    reminders: Reminders
    presence: KnownPresence
    now: Callable[[], datetime]


Open = Callable[[ViewParts[S], RoomId, ObjId | None, Parent], QWidget]
"""`open(parts, room, obj, parent)`: the view of a room's tab. obj None: what the view begins with is the tool's choice
(the room's chat, the list of documents)."""
Before = Callable[[ViewParts[S], ObjId, int, Parent], QWidget]
"""`before(parts, obj, row, parent)`: an object, to read, as the changes below a row of the store make it."""
# ---- what a tool gives the window


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKind(Generic[S]):
    """How the objects of one kind (documents, boards …) are shown. Names of icons are files of resources/icons; `noun`
    is an English msgid for one object and one for several ("document", "documents").

    `icon` is that of the kind, `place_icon` that of a place in an object, to which a link leads. `listed`: whether
    lists of what was changed or opened have it; False for the one object that is called as its room. `own`: an English
    msgid for the object of this kind that a person has for themselves alone ("My own board"), None if there is none; a
    section whose `own` is this kind shows it. `title(object, room's title)`: the object's name outside its room.
    `line`: one line about an object in lists; None: who changed it, and when. `link_line`: the same about what a link
    leads to. `origins`: who wrote what a search has found at these places; None: nobody is named. `before` makes a view
    of an object as it was before a row of the store; only for a kind that merges (whose changes are computed to one
    state), otherwise None. `copy_question`: the question whether a copy of the person's own changes is put into the
    successor, the room that continues a stopped one; only for a kind whose rule for that is an `Offer` (app/tool.py),
    otherwise None.
    """

    kind: str
    icon: str
    place_icon: str
    noun: tuple[str, str]
    listed: bool
    own: str | None
    title: Callable[[ObjectSummary, str], str]
    line: Callable[[ViewParts[S], ObjectSummary], str] | None
    link_line: Callable[[ViewParts[S], Linked], str] | None
    origins: Callable[[ViewParts[S], Sequence[Place]], Mapping[Place, Origin]] | None
    before: Before[S] | None
    copy_question: Callable[[], str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Generic[S]):
    """How `kansli --selftest` tests a tool. `write(service, room, words)` writes these words in a room, as a person
    does; `reads(service, room, words)` returns whether a service that was opened later reads them. `checks` test what
    an installation needs for this tool alone: each gets sample words and returns what works, for IT, or raises."""

    write: Callable[[S, RoomId, str], object]
    reads: Callable[[S, RoomId, str], bool]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Generic[S]):
    """A section of the rail (the window's left edge) that one tool has, over all rooms. `title` is an English msgid.
    `make` gets the tool's `ViewParts` and makes the section's view, which follows the tool's service by itself.
    `count`: how much is new in it, read when rooms change; None: no count is shown. `own`: the kind of which the
    section shows the person's own object; its view is an `OwnView` then, and a `TabbedView` with the tab OWN
    (ui/tool_views.py). None if it shows none. `commands`: what the palette offers of it."""

    id: str
    title: str
    icon: str
    make: Callable[[ViewParts[S]], QWidget]
    count: Callable[[ViewParts[S]], int] | None
    own: str | None
    commands: tuple[SectionCommand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomCommand(Generic[S]):
    """A command of a tool that is about a whole room. If `may(service, room)` is true, it is in the room's menu, and in
    the palette while the room is shown; otherwise it is shown nowhere. `title` is an English msgid. `run(parts, room,
    window)` runs it, and returns when its dialogs are closed."""

    id: str
    title: str
    icon: str
    may: Callable[[S, RoomId], bool]
    run: Callable[[ViewParts[S], RoomId, QWidget], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeCard(Generic[S]):
    """A card of one tool on the Home page, under a heading, over all rooms. `title` is an English msgid. `make` gets
    the tool's `ViewParts` and makes the card, which follows the tool's service by itself, and shows a sentence when it
    has nothing else to show."""

    title: str
    make: Callable[[ViewParts[S]], QWidget]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownNotice(Generic[S]):
    """How notices of one kind are shown: on Home, under Activity, on the desktop. `kind` is the id of its `NoticeKind`,
    `icon` a file of resources/icons, `name` an English msgid for several of them ("Mentions"). `hidden` gets how many
    there are, and returns a sentence about them without a name or anything that was written: a locked screen shows it.
    `linked` returns what is at the place of a notice now, None if that is not here; None: it has no words of its own.
    `counted`: what it is about is counted among what is unread in its room, as messages are."""

    kind: str
    icon: str
    name: str
    words: NoticeWords
    hidden: Callable[[int], str]
    linked: Callable[[S, ObjectLink], Linked | None] | None
    counted: bool


class OwnRooms(Protocol):
    """The rooms in which only the person's own devices are members. No list of rooms shows them."""

    def rooms(self) -> Sequence[RoomId]: ...


class Office(Protocol):
    """The parts of a session that the tools of a window work with: the people, the rooms, the settings, and the service
    of each tool."""

    @property
    def people(self) -> People: ...
    @property
    def rooms(self) -> Rooms: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def presence(self) -> KnownPresence: ...
    @property
    def reminders(self) -> Reminders: ...
    @property
    def own_room(self) -> OwnRooms: ...
    def service(self, tool: AppTool[S], /) -> S: ...


class AnyTool(Protocol):
    """A tool whose service may be of any type, for lists of tools."""

    @property
    def id(self) -> str: ...

    def join(self, office: Office, links: LinkWords, now: Callable[[], datetime]) -> JoinedTool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Generic[S]):
    """One tool (chat, documents …) as the window shows it: with a tab in each room, and what it has elsewhere.

    `app`: the app's half, whose service the views get. `title` (the tab's), `noun` (what a room holds of it, within a
    sentence: "tasks") and `found` (what a search finds of it: "messages") are English msgids. `open(parts, room, obj,
    parent)` makes the view of a room's tab, at the object `obj`, or where the tool chooses if that is None.
    `tab_shown` gets a room's objects of the tool and returns whether the room has the tab (`always`: every room).
    `shows_people`: whether the room's people panel is shown beside it; False for a tool with its own panel, or a wide
    one. `kinds`: one for each kind of `app`. `notices`: one for each kind of notices that those make. `room_commands`:
    what it can do with a whole room. `news`: for a tool that counts something as unread, or None; `mark_read(service,
    room)` of such a tool marks all of that in a room as read, `mark_unread(service, room)` makes the newest thing of
    others there unread again. `settings`: the settings (app/settings.py) that the settings view shows under the tool's
    title. `trial`: how an installation is tried.
    """

    app: AppTool[S]
    title: str
    icon: str
    noun: str
    found: str
    open: Open[S]
    tab_shown: TabShown
    shows_people: bool
    kinds: tuple[ShownKind[S], ...]
    sections: tuple[Section[S], ...]
    cards: tuple[HomeCard[S], ...]
    notices: tuple[ShownNotice[S], ...]
    mark_read: Callable[[S, RoomId], object] | None
    commands: tuple[ToolCommand, ...]
    room_commands: tuple[RoomCommand[S], ...]
    news: NewsWords | None
    mark_unread: Callable[[S, RoomId], None] | None
    settings: tuple[AnySetting, ...]
    trial: Trial[S]

    def __post_init__(self) -> None:
        """Raises BugError if the tool does not fit together with its half in `app`: a kind there has no `ShownKind`
        here, or two, or the reverse; or a `ShownKind` lacks a `before` or `copy_question` that its kind needs, or has
        one that it must not have."""
        fault = self._fault()
        if fault:
            raise BugError(f"The tool {self.id!r}: {fault}.")

    @property
    def id(self) -> str:
        """The app tool's id."""
        return self.app.id

    def _fault(self) -> str:
        shown = [each.kind for each in self.kinds]
        known = {each.kind.id: each for each in self.app.kinds}
        for kind in known:
            if kind not in shown:
                return f"its kind {kind!r} has no ShownKind"
        for each in self.kinds:
            if each.kind not in known:
                return f"its app half has no kind {each.kind!r}"
            if shown.count(each.kind) > 1:
                return f"its kind {each.kind!r} has two ShownKinds"
            merges = known[each.kind].kind.merging is not None
            if merges != (each.before is not None):
                return f"its kind {each.kind!r} " + ("merges, and has no `before`" if merges else "does not merge, so "
                                                     "`before` is None")  # fmt: skip
            offers = isinstance(known[each.kind].successor, Offer)
            if offers != (each.copy_question is not None):
                return f"its kind {each.kind!r} " + ("is offered to a successor, and has no `copy_question`" if offers
                                                     else "is carried over, so `copy_question` is None")  # fmt: skip
        for section in self.sections:
            if section.own is not None and not any(k.kind == section.own and k.own is not None for k in self.kinds):
                return f"its section {section.id!r} shows own objects of a kind that has none"
        made = sorted(notice.id for kind in self.app.kinds for notice in kind.kind.notices)
        if made != sorted(notice.kind for notice in self.notices):
            return f"its kinds make the notices {made}, and it shows {sorted(each.kind for each in self.notices)}"
        return ""

    def join(self, office: Office, links: LinkWords, now: Callable[[], datetime]) -> JoinedTool:
        """Joins the tool with its service in the session, `office`. BugError if the session does not have the tool.
        `links` says how things of other tools are shown, `now` returns the local time."""
        parts = ViewParts(
            service=office.service(self.app),
            people=office.people,
            rooms=office.rooms,
            settings=office.settings,
            links=links,
            reminders=office.reminders,
            presence=office.presence,
            now=now,
        )
        cleared = {each.kind.id for each in self.app.kinds if not isinstance(each.snapshot, NoSnapshot)}
        return JoinedTool(
            id=self.id,
            title=self.title,
            icon=self.icon,
            noun=self.noun,
            found=self.found,
            open=partial(self.open, parts),
            tab_shown=self.tab_shown,
            shows_people=self.shows_people,
            kinds=tuple(_join_kind(each, parts, each.kind in cleared) for each in self.kinds),
            sections=tuple(_join_section(each, parts) for each in self.sections),
            cards=tuple((each.title, partial(each.make, parts)) for each in self.cards),
            notices=tuple(_join_notice(each, parts.service) for each in self.notices),
            mark_read=None if self.mark_read is None else partial(self.mark_read, parts.service),
            commands=self.commands,
            room_commands=tuple(_join_room_command(each, parts) for each in self.room_commands),
            news=self.news,
            mark_unread=None if self.mark_unread is None else partial(self.mark_unread, parts.service),
            settings=self.settings,
            trial=JoinedTrial(
                write=partial(self.trial.write, parts.service),
                reads=partial(self.trial.reads, parts.service),
                checks=self.trial.checks,
            ),
        )


def _join_kind(shown: ShownKind[S], parts: ViewParts[S], keeps_history: bool) -> JoinedKind:
    return JoinedKind(
        kind=shown.kind,
        icon=shown.icon,
        place_icon=shown.place_icon,
        noun=shown.noun,
        listed=shown.listed,
        own=shown.own,
        keeps_history=keeps_history,
        title=shown.title,
        line=None if shown.line is None else partial(shown.line, parts),
        link_line=None if shown.link_line is None else partial(shown.link_line, parts),
        origins=None if shown.origins is None else partial(shown.origins, parts),
        before=None if shown.before is None else partial(shown.before, parts),
        copy_question=shown.copy_question,
    )


def _join_room_command(command: RoomCommand[S], parts: ViewParts[S]) -> JoinedRoomCommand:
    return JoinedRoomCommand(
        id=command.id,
        title=command.title,
        icon=command.icon,
        may=partial(command.may, parts.service),
        run=partial(command.run, parts),
    )


def _join_notice(shown: ShownNotice[S], service: S) -> JoinedNotice:
    return JoinedNotice(
        kind=shown.kind,
        icon=shown.icon,
        name=shown.name,
        words=shown.words,
        hidden=shown.hidden,
        linked=None if shown.linked is None else partial(shown.linked, service),
        counted=shown.counted,
    )


def _join_section(section: Section[S], parts: ViewParts[S]) -> JoinedSection:
    return JoinedSection(
        id=section.id,
        title=section.title,
        icon=section.icon,
        make=partial(section.make, parts),
        count=None if section.count is None else partial(section.count, parts),
        own=section.own,
        commands=section.commands,
    )
