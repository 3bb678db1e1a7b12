# SPDX-License-Identifier: EUPL-1.2
"""The parts of a tool that know no service: commands, words for what is new; and a tool joined with the
service of one session, as the window works with it. `Tool` itself is in ui/tool.py."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.core.ids import ObjId, RoomId
from app.notices.service import NoticeRow
from app.objects.links import Linked, ObjectLink
from app.people.person import Person
from app.rooms.service import ObjectSummary
from app.setting import AnySetting

Parent = QWidget | None
TabShown = Callable[[Sequence[ObjectSummary]], bool]
"""Whether the tool has a tab in a room with these objects of the tool."""
Place = tuple[ObjId, bytes]
"""An object, and the place in it that an `ObjectLink.ref` names."""
Check = Callable[[str], Awaitable[str]]
"""Tries something of an installation with sample words. Returns what works, in English for the IT department; raises
what does not."""


NoticeWords = Callable[[NoticeRow, str, str, str], tuple[str, str]]
"""`words(notice, who, room, text)`: the two lines of a notice, in the language in force. `who`: the name of the person
whose doing it is, "" if nobody's; `room`: the room's title; `text`: what is at its place now, such as the message or
the card's title, "" if that is not here."""


def always(of_tool: Sequence[ObjectSummary]) -> bool:
    """A tab in every room, so that its first object can be made there. Most tools choose this."""
    return True


def with_an_object(of_tool: Sequence[ObjectSummary]) -> bool:
    """Whether a room has the tab of a tool: only if it has an object of the tool (`of_tool` are the room's). For a tool
    whose one object comes with the room and is never made by hand; a newcomer's room has it as soon as it is read."""
    return bool(of_tool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The author of a place that a search has found. `quoted`: it is only a quotation of that person."""

    person: Person
    quoted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCommand:
    """A command of a tool in the palette, with its shortcuts. It is offered while a view is shown that can do it: one
    whose `ActingView.doable` has the id. `title` is an English msgid."""

    id: str
    title: str
    icon: str
    shortcuts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedRoomCommand:
    """A `RoomCommand` (ui/tool.py), joined with the tool's service. `may(room)`: whether the person may run it there.
    `run(room, window)` runs it, and returns when its dialogs are closed."""

    id: str
    title: str
    icon: str
    may: Callable[[RoomId], bool]
    run: Callable[[RoomId, QWidget], Coroutine[None, None, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionCommand:
    """A command of a tool's section in the palette, with its shortcuts. It is always offered: it goes to the section,
    at the tab `tab` ("": the first), and if that page is an `ActingView` whose `doable` has the id, does that there.
    `title` is an English msgid."""

    id: str
    title: str
    icon: str
    shortcuts: tuple[str, ...]
    tab: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsWords:
    """The texts by which a tool announces what is unread, to a screen reader and on the desktop. Each is a function,
    called when it is shown, in the language in force. `named_in` and `new_in` get the room's title, `new_with` the text
    that lists show of the room, `count` how much is new. `named`, without arguments, and `named_in` are for what
    mentions the person."""

    named_in: Callable[[str], str]
    """The person was named in this room."""
    new_in: Callable[[str], str]
    new_with: Callable[[str], str]
    named: Callable[[], str]
    """The person was named, with no room: this is what a locked screen shows."""
    count: Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedKind:
    """How the objects of one kind are shown, with the service of one session behind it (see `ShownKind`).
    `keeps_history`: the server keeps their changes until the change history is cleared."""

    kind: str
    icon: str
    place_icon: str
    noun: tuple[str, str]
    listed: bool
    own: str | None
    keeps_history: bool
    title: Callable[[ObjectSummary, str], str]
    line: Callable[[ObjectSummary], str] | None
    link_line: Callable[[Linked], str] | None
    origins: Callable[[Sequence[Place]], Mapping[Place, Origin]] | None
    before: Callable[[ObjId, int, Parent], QWidget] | None
    copy_question: Callable[[], str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedSection:
    """A tool's section of the rail (see `Section`), with the service of one session behind it."""

    id: str
    title: str
    icon: str
    make: Callable[[], QWidget]
    count: Callable[[], int] | None
    own: str | None
    commands: tuple[SectionCommand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedNotice:
    """How notices of one kind are shown (see `ShownNotice`), with the service of one session behind it."""

    kind: str
    icon: str
    name: str
    words: NoticeWords
    hidden: Callable[[int], str]
    linked: Callable[[ObjectLink], Linked | None] | None
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedTrial:
    """How `kansli --selftest` tests a tool (see `Trial`), with the service of one session behind it."""

    write: Callable[[RoomId, str], object]
    reads: Callable[[RoomId, str], bool]
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedTool:
    """One tool as the window works with it: a `Tool` with the service of one session behind it."""

    id: str
    title: str
    icon: str
    noun: str
    found: str
    open: Callable[[RoomId, ObjId | None, Parent], QWidget]
    tab_shown: TabShown
    shows_people: bool
    kinds: tuple[JoinedKind, ...]
    sections: tuple[JoinedSection, ...]
    cards: tuple[tuple[str, Callable[[], QWidget]], ...]
    """(msgid of the heading, maker)"""
    notices: tuple[JoinedNotice, ...]
    mark_read: Callable[[RoomId], object] | None
    commands: tuple[ToolCommand, ...]
    room_commands: tuple[JoinedRoomCommand, ...]
    news: NewsWords | None
    mark_unread: Callable[[RoomId], None] | None
    settings: tuple[AnySetting, ...]
    trial: JoinedTrial
