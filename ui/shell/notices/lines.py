# SPDX-License-Identifier: EUPL-1.2
"""The words of notices, read from the places that they lead to when they are shown. Those of a tool's kinds are the
tool's own; those of rooms, people and the account are here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.core.enums import Role, RoomState, RoomType
from app.core.ids import ObjId, RoomId, Uid
from app.core.visible import one_line
from app.errors import NotFound
from app.notices import kinds
from app.notices.service import NoticeRow, NoticeState
from app.objects.links import ObjectLink
from app.session import Session
from ui.errors import sentence
from ui.kit.translate import tr, trn
from ui.shell.tool_list import ToolList
from ui.shell.words import role_name, security_chip
from ui.tool_parts import JoinedNotice

_MAX_TEXT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """A notice as a row shows it: what happened (`title`), and below it who did it and what is there (`detail`).
    `who`: the name of the person, "" if nobody is named; `text`: what is at its place, "" if that is not here."""

    row: NoticeRow
    icon: str
    title: str
    detail: str
    who: str
    text: str
    room: str

    @property
    def is_unread(self) -> bool:
        """Whether the person has not seen it."""
        return self.row.state is NoticeState.NEW


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnKind:
    """How notices of a kind that belongs to no tool are shown."""

    icon: str
    name: str
    words: Callable[["NoticeLines", NoticeRow, str, str], tuple[str, str]]
    hidden: Callable[[], str]


class NoticeLines:
    """Makes the lines of notices, in the language in force, for one session."""

    def __init__(self, session: Session, tools: ToolList) -> None:
        self._session, self._tools = session, tools
        self._of_tools: Mapping[str, JoinedNotice] = {each.kind: each for tool in tools.all for each in tool.notices}
        self.counted = frozenset(each.kind for each in self._of_tools.values() if each.counted)
        """The kinds about what is counted among the unread of its room."""

    def line(self, row: NoticeRow) -> NoticeLine:
        """The line of a notice."""
        who = self._session.people.person(row.by).name if row.by is not None else ""
        room, text = self._tools.own_title(row.room, row.object_kind) or self.room_title(row.room), ""
        shown = self._of_tools.get(row.kind)
        if shown is not None:
            found = shown.linked(_link(row)) if shown.linked is not None and row.object_kind else None
            text = one_line(found.title, _MAX_TEXT) if found is not None else ""
            title, detail = shown.words(row, who, room, text)
        else:
            own = _OWN.get(row.kind, _UNKNOWN)
            title, detail = own.words(self, row, who, room)
        return NoticeLine(row=row, icon=self.icon(row.kind), title=title, detail=detail, who=who, text=text, room=room)

    def icon(self, kind: str) -> str:
        """The name of the icon of a kind."""
        shown = self._of_tools.get(kind)
        return shown.icon if shown is not None else _OWN.get(kind, _UNKNOWN).icon

    def hidden(self, kind: str, count: int) -> str:
        """A sentence about notices of a kind, without names or content."""
        shown = self._of_tools.get(kind)
        return shown.hidden(count) if shown is not None else _OWN.get(kind, _UNKNOWN).hidden()

    def names(self) -> list[tuple[str, str]]:
        """The kinds that a list can be narrowed to, each as (name, id)."""
        of_tools = [(tr(each.name), each.kind) for each in self._of_tools.values()]
        return [*of_tools, *((tr(own.name), kind) for kind, own in _OWN.items())]

    def is_direct(self, room: RoomId) -> bool:
        """Whether a room is a conversation of two, which is called as the other person."""
        try:
            return self._session.rooms.room(room).type is RoomType.DIRECT
        except NotFound:
            return False

    def reminder(self, row: NoticeRow, room: str) -> tuple[str, str]:
        """The title and the text of a reminder's line: what it is about, and `room`, the room's title."""
        found = self._session.linked(_link(row)) if row.object_kind else None
        text = one_line(found.title, _MAX_TEXT) if found is not None else ""
        return tr("Reminder: {text}").format(text=text or tr("something that is no longer here")), room

    def name(self, uid: bytes) -> str:
        """The name of the person with this id."""
        return self._session.people.person(Uid(uid)).name

    def room_title(self, room: RoomId) -> str:
        """The title of a room; "" if it is not here."""
        try:
            return self._session.rooms.room(room).title if room else ""
        except NotFound:
            return ""

    def invitation(self, row: NoticeRow) -> tuple[str, str]:
        """The words of an invitation: who invites to which room, and the greeting."""
        found = next((i for i in self._session.invitations.all() if i.room == row.room), None)
        name = found.by.name if found is not None and found.by is not None else tr("Somebody")
        title = found.title if found is not None else ""
        title = title or (tr("A long room") if found is not None and found.long else tr("A room"))
        greeting = found.greeting if found is not None else ""
        return tr("{name} invites you to {room}").format(name=name, room=title), greeting


def link_of(row: NoticeRow) -> ObjectLink | None:
    """The link to the place of a notice; None if it leads to a room as a whole, or to no room."""
    return _link(row) if row.object_kind and row.room and row.obj != ObjId(row.room) else None


def _link(row: NoticeRow) -> ObjectLink:
    return ObjectLink(room=row.room, obj=row.obj, kind=row.object_kind, ref=row.ref)


def _by(who: str) -> str:
    return tr("by {name}").format(name=who) if who else ""


def _added(lines: NoticeLines, row: NoticeRow, who: str, room: str) -> tuple[str, str]:
    if lines.is_direct(row.room):
        return tr("New conversation with {name}").format(name=who or room), ""
    return tr("You were added to {room}").format(room=room), _by(who)


def _role(_lines: NoticeLines, row: NoticeRow, who: str, room: str) -> tuple[str, str]:
    role = next((role_name(role) for role in Role if role.name.lower() == row.detail), "")
    return tr("Your role in {room} is now {role}").format(room=room, role=role.lower()), _by(who)


def _history(_lines: NoticeLines, _row: NoticeRow, who: str, room: str) -> tuple[str, str]:
    detail = tr("{name} proposes that a member may read the whole history.").format(name=who)
    return tr("A proposal in {room} waits for you").format(room=room), detail


def _keys(_lines: NoticeLines, row: NoticeRow, who: str, _room: str) -> tuple[str, str]:
    texts = {
        "device-added": tr("{name} has added a device."),
        "device-recovered": tr("{name} has come back on a new device with the recovery sheet."),
        "device-revoked": tr("One of {name}'s devices has been revoked."),
        "reset": tr("The agency has reset {name}'s account."),
        "duplicate": tr("There are two accounts for {name}."),
    }
    detail = texts.get(row.detail, "").format(name=who)
    return tr("Something happened to {name}'s keys").format(name=who), detail


def _waits(_lines: NoticeLines, row: NoticeRow, _who: str, room: str) -> tuple[str, str]:
    room = room or tr("What your devices share")
    held = {
        "held": tr("A change there could not be read safely. It is kept."),
        "large": tr("It takes too long to put together on this computer. It is kept."),
    }
    if row.detail in held:
        return tr("Something in {room} waits on this computer").format(room=room), held[row.detail]
    if row.detail in list(RoomState):
        return tr("{room} has stopped").format(room=room), security_chip(row.detail)[3]
    return tr("What you have written in {room} waits").format(room=room), sentence(row.detail).text


def _left_parent(lines: NoticeLines, row: NoticeRow, who: str, room: str) -> tuple[str, str]:
    name = lines.name(row.ref)
    detail = tr("{by} removed {name} from the case room.").format(by=who or tr("Somebody"), name=name)
    return tr("Is {name} to stay in {room}?").format(name=name, room=room), detail


_OWN: Mapping[str, _OwnKind] = {
    kinds.REMINDER.id: _OwnKind(
        icon="clock",
        name="Reminders",
        words=lambda lines, row, _who, room: lines.reminder(row, room),
        hidden=lambda: tr("You have a reminder."),
    ),
    kinds.INVITATION.id: _OwnKind(
        icon="invite",
        name="Invitations",
        words=lambda lines, row, _who, _room: lines.invitation(row),
        hidden=lambda: tr("You have been invited to a room."),
    ),
    kinds.ADDED.id: _OwnKind(
        icon="room", name="New rooms", words=_added, hidden=lambda: tr("You were added to a room.")
    ),
    kinds.ROLE.id: _OwnKind(
        icon="role", name="Roles", words=_role, hidden=lambda: tr("You have a new role in a room.")
    ),
    kinds.HISTORY.id: _OwnKind(
        icon="history", name="Proposals", words=_history, hidden=lambda: tr("A proposal waits for you.")
    ),
    kinds.KEYS.id: _OwnKind(
        icon="key", name="Colleagues' keys", words=_keys, hidden=lambda: tr("Something happened to a colleague's keys.")
    ),
    kinds.LEFT_PARENT.id: _OwnKind(
        icon="remove",
        name="Removed from the case room",
        words=_left_parent,
        hidden=lambda: tr("Somebody was removed from a case room."),
    ),
    kinds.WAITS.id: _OwnKind(
        icon="waiting", name="What waits", words=_waits, hidden=lambda: tr("Something waits in a room.")
    ),
}
_UNKNOWN = _OwnKind(
    icon="notifications",
    name="Others",
    words=lambda _lines, _row, who, room: (tr("Something new in {room}").format(room=room), who),
    hidden=lambda: trn("{n} new notice", "{n} new notices", 1).format(n=1),
)
"""A kind that only a newer program knows."""
