# SPDX-License-Identifier: EUPL-1.2
"""Sentences for what happened in a room. A kind of event that has no sentence here is not shown: a newer program wrote
it."""

from collections.abc import Callable, Sequence

from app.core.enums import Role
from app.core.ids import Uid
from app.people.person import Person
from app.store.room_lines import RoomLine
from ui.kit.translate import month_text, tr, trn

Folk = Callable[[Uid], Person]
"""Returns the person with an id."""

ICONS = {
    "genesis": "room",
    "add": "invite",
    "joined": "person",
    "leave": "leave",
    "rm": "remove",
    "reset": "warning",
    "heir": "role",
    "role": "role",
    "title": "rename",
    "hist": "eye",
    "destroy": "delete",
    "prune": "history",
    "leave-out": "hide",
    "recovery_use": "agency",
    "restored": "history",
    "continued": "forward",
    "epoch": "key",
    "pin": "device",
    "policy": "settings",
    "propose": "waiting",
    "approve": "check",
    "cannot_open": "key",
    "note": "comment",
}
"""The icon of each kind of event that is shown."""
NAMED = 3
"""Up to so many people are named in one line; more are counted."""


def line_text(line: RoomLine, person: Folk) -> str:
    """The sentence for one event; "" for a kind that is not known here. `person` gives the people's names."""
    text = _SENTENCES.get(line.kind)
    if text is None:
        return ""
    return text(line).format(
        by=_name(person(line.by)),
        who=_named(person(line.subject)) if line.subject is not None else "",
        role=role_word(line.role),
        was=role_word(line.was),
        old=line.old or "",
        title=line.title or "",
        what=what_text(line) if line.obj is not None else "",
    )


def lines_text(lines: Sequence[RoomLine], person: Folk, *, count: int, mixed: bool) -> str:
    """The sentence for `count` events that are shown as one line; `lines` are the first of them, at least one. `mixed`:
    they are of several kinds."""
    first = lines[0]
    if count == 1:
        return line_text(first, person)
    if mixed:
        return trn("{n} event in the room", "{n} events in the room", count).format(n=number(count))
    if first.kind == "destroy" and names_all(lines, count):
        return _disposed(first).format(by=_name(person(first.by)), what=_months(lines))
    if names_all(lines, count):
        people = [line.by if line.kind in ("joined", "leave") else line.subject or line.by for line in lines]
        names = [(_named if first.kind in ("add", "rm") else _name)(person(uid)) for uid in people]
        listed = tr("{names} and {last}").format(names=", ".join(names[:-1]), last=names[-1])
        return _NAMING[first.kind]().format(by=_name(person(first.by)), names=listed)
    counted = _COUNTED.get(first.kind)
    return counted(count).format(by=_name(person(first.by)), n=number(count)) if counted else ""


def names_all(lines: Sequence[RoomLine], count: int) -> bool:
    """Whether the sentence for these events names everybody, so that nothing more can be unfolded."""
    kinds = {line.kind for line in lines}
    if kinds == {"destroy"}:
        months = {line.period for line in lines}
        return count == len(lines) and None not in months and len(months) <= NAMED
    return count == len(lines) <= NAMED and len(kinds) == 1 and kinds <= set(_NAMING)


def what_text(line: RoomLine) -> str:
    """The object that an event is about: its title; the month, for a destroyed part of a conversation; or a general
    word, if this device knows neither."""
    if line.period is not None and line.kind == "destroy":
        return month_text(line.period)
    if line.obj_title:
        return tr("“{title}”").format(title=line.obj_title)
    return tr("a part of the conversation") if line.obj_kind == "chat" else tr("an object without a title here")


def _disposed(line: RoomLine) -> str:
    if line.period is not None:
        return tr("{by} had the messages of {what} disposed of")
    return tr("{by} had {what} disposed of")


def _months(lines: Sequence[RoomLine]) -> str:
    """The months that these events are about, each once: "oktober 2026 och november 2026"."""
    names = [month_text(month) for month in sorted({line.period for line in lines if line.period is not None})]
    return tr("{names} and {last}").format(names=", ".join(names[:-1]), last=names[-1]) if names[1:] else names[0]


def role_word(role: Role | None) -> str:
    """The name of a role within a sentence; "" for None."""
    match role:
        case Role.READER:
            return tr("reader")
        case Role.WRITER:
            return tr("writer")
        case Role.ADMIN:
            return tr("administrator")
        case Role.OWNER:
            return tr("owner")
        case _:
            return ""


def number(n: int) -> str:
    """The number with a no-break space between thousands."""
    return f"{n:,}".replace(",", "\N{NO-BREAK SPACE}")


def _name(person: Person) -> str:
    return tr("You") if person.is_me else person.name


def _named(person: Person) -> str:
    return tr("you") if person.is_me else person.name


def _made(line: RoomLine) -> str:
    return tr("{by} made the room, which continues an earlier one") if line.why else tr("{by} made the room")


def _added(line: RoomLine) -> str:
    if line.history is False:
        return tr("{by} added {who}, who reads what is written from then on")
    return tr("{by} added {who}")


def _key(line: RoomLine) -> str:
    return {
        "leave": tr("{by} renewed the key, since somebody had left"),
        "role": tr("{by} renewed the key, since somebody had got a lower role"),
        "pin": tr("{by} renewed the key, since a device was revoked or somebody's keys changed"),
        "reset": tr("{by} renewed the key, since an account had ended"),
    }.get(line.why or "", tr("{by} renewed the key"))


_SENTENCES: dict[str, Callable[[RoomLine], str]] = {
    "genesis": _made,
    "add": _added,
    "joined": lambda _: tr("{by} joined the room"),
    "leave": lambda _: tr("{by} left the room"),
    "rm": lambda _: tr("{by} removed {who}"),
    "reset": lambda _: tr("The account of {by} has ended"),
    "heir": lambda _: tr("{by} became owner, since the last owner's account has ended"),
    "role": lambda _: tr("{by} changed the role of {who}: {was} → {role}"),
    "title": lambda _: tr("{by} renamed the room: “{old}” → “{title}”"),
    "hist": lambda _: tr("{by} let {who} read everything since the beginning"),
    "destroy": _disposed,
    "prune": lambda _: tr("{by} merged older changes in {what}"),
    "leave-out": lambda _: tr("{by} had a change by {who} left out of {what}"),
    "recovery_use": lambda _: tr("{by} noted that the agency opens the room with its recovery key"),
    "restored": lambda _: tr("The server was restored from a backup. The members' devices upload again what it lost"),
    "continued": lambda _: tr("{by} opened “{title}”, which continues this room"),
    "epoch": _key,
    "pin": lambda _: tr("{by} noted news of members' devices and keys"),
    "policy": lambda _: tr("{by} changed the room's rules"),
    "propose": lambda _: tr("{by} proposed what a second administrator must approve"),
    "approve": lambda _: tr("{by} approved a proposal"),
    "cannot_open": lambda _: tr("{by} asked the members for a key"),
    "note": lambda _: tr("{by} left an encrypted note"),
}

_NAMING: dict[str, Callable[[], str]] = {
    "add": lambda: tr("{by} added {names}"),
    "joined": lambda: tr("{names} joined the room"),
    "leave": lambda: tr("{names} left the room"),
    "rm": lambda: tr("{by} removed {names}"),
}

_COUNTED: dict[str, Callable[[int], str]] = {
    "add": lambda n: trn("{by} added {n} person", "{by} added {n} people", n),
    "joined": lambda n: trn("{n} person joined the room", "{n} people joined the room", n),
    "leave": lambda n: trn("{n} person left the room", "{n} people left the room", n),
    "rm": lambda n: trn("{by} removed {n} person", "{by} removed {n} people", n),
    "reset": lambda n: trn("{n} account has ended", "{n} accounts have ended", n),
    "heir": lambda n: trn("{by} became owner {n} time", "{by} became owner {n} times", n),
    "role": lambda n: trn("{by} changed {n} role", "{by} changed {n} roles", n),
    "title": lambda n: trn("{by} renamed the room {n} time", "{by} renamed the room {n} times", n),
    "hist": lambda n: trn("{by} let {n} person read everything", "{by} let {n} people read everything", n),
    "destroy": lambda n: trn("{by} had {n} object disposed of", "{by} had {n} objects disposed of", n),
    "prune": lambda n: trn("{by} merged older changes in {n} place", "{by} merged older changes in {n} places", n),
    "leave-out": lambda n: trn("{by} had {n} change left out", "{by} had {n} changes left out", n),
    "epoch": lambda n: trn("{by} renewed the key {n} time", "{by} renewed the key {n} times", n),
    "restored": lambda n: trn("The server was restored {n} time", "The server was restored {n} times", n),
    "continued": lambda n: trn(
        "{by} opened {n} room that continues this one", "{by} opened {n} rooms that continue this one", n
    ),
    "recovery_use": lambda n: trn("The agency opened the room {n} time", "The agency opened the room {n} times", n),
}
