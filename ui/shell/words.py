# SPDX-License-Identifier: EUPL-1.2
"""The shell's words for states: roles, verification, security status, room types; and the text on a room's tile."""

import re
from collections.abc import Callable, Mapping, Sequence

from app.core.enums import Role, RoomType
from app.people.person import Person, Verified, initials
from app.rooms.service import RoomService, RoomSummary
from ui.kit.translate import tr

SEAL_KINDS = {
    "sealed": "success",
    "verified": "success",
    "warned": "warning",
    "origin": "warning",
    "time": "warning",
    "seeking": "accent",
    "waiting": "accent",
    "update-needed": "warning",
    "owes-rotation": "warning",
    "restored": "warning",
}
"""The kind of chip for a room's sealed_state; every state that is not here is "danger"."""


def role_name(role: Role) -> str:
    """The name of a member's role, in the language in force."""
    return {
        Role.READER: tr("Reader"),
        Role.WRITER: tr("Writer"),
        Role.ADMIN: tr("Administrator"),
        Role.OWNER: tr("Owner"),
    }[role]


def role_meaning(role: Role) -> str:
    """A sentence about what a member with this role may do."""
    return {
        Role.READER: tr("Reads everything, writes nothing."),
        Role.WRITER: tr("Reads and writes."),
        Role.ADMIN: tr("Reads and writes, adds and removes members."),
        Role.OWNER: tr("May do everything, also appoint administrators and owners."),
    }[role]


def history_name(history: bool) -> str:
    """How much a member may read."""
    return tr("Reads everything since the beginning") if history else tr("Reads from when they were added")


def history_refusal(code: str) -> str:
    """The sentence for `code`: why a person cannot propose or approve that a member gets the whole history. An unknown
    code gets the sentence that administrators decide."""
    return {
        "one-admin": tr("Needs two administrators, and this room has one."),
        "proposed": tr("It has been proposed already."),
        "own": tr("Another administrator must approve."),
        "not-seasoned": tr("Whoever approves must have been an administrator for seven days."),
        "proposer-gone": tr("Whoever proposed it is no longer an administrator."),
        "no-history": tr("Only who may read everything can give it."),
    }.get(code, tr("Administrators decide about this."))


def type_name(room_type: RoomType) -> str:
    """The heading of a type's section in the room list."""
    return {RoomType.CASE: tr("Case rooms"), RoomType.GROUP: tr("Groups"), RoomType.DIRECT: tr("Direct")}[room_type]


def type_word(room_type: RoomType) -> str:
    """The word for one room of a type."""
    return {RoomType.CASE: tr("Case room"), RoomType.GROUP: tr("Group"), RoomType.DIRECT: tr("Direct")}[room_type]


def verified_chip(person: Person) -> tuple[str, str, str | None, str]:
    """How a person's verification is shown: (word, kind, name of the icon or None, sentence that explains it). The kind
    is the look: "success", "muted", "warning" or "danger"."""
    if person.warning == "reset" or (person.warning and person.verified == Verified.NONE):
        return tr("reset"), "danger", "warning", tr("The agency has reset the account: its keys count no more")
    if person.warning:
        return tr("two accounts"), "warning", "warning", tr("There are two accounts in this name")
    if person.verified == Verified.IN_PERSON:
        return tr("in person"), "success", "encrypted", tr("Verified in person")
    if person.verified == Verified.AGENCY:
        return tr("by the agency"), "success", "verified", tr("Verified by the agency")
    if person.is_sought:
        return tr("looking up …"), "muted", None, tr("Kansli is looking up who this is.")
    return tr("not verified"), "muted", None, tr("Not verified")


_SECURITY: Mapping[str, Callable[[], tuple[str, str, str]]] = {
    "verified": lambda: (
        tr("Sealed · in person"),
        "encrypted",
        tr("Everything in the room is encrypted. You have verified every other member in person."),
    ),
    "sealed": lambda: (
        tr("Sealed"),
        "sealed",
        tr("Everything in the room is encrypted; only its members can read it. The agency vouches for them."),
    ),
    "warned": lambda: (
        tr("Sealed · look here"),
        "unverified",
        tr("Everything in the room is encrypted, but it is not certain of every member who it is."),
    ),
    "seeking": lambda: (
        tr("Sealed · looking up …"),
        "clock",
        tr("Everything in the room is encrypted. Kansli is looking up who a new member is."),
    ),
    "time": lambda: (
        tr("Sealed · look here"),
        "clock",
        tr("Everything in the room is encrypted, but the server's time in the room is far ahead."),
    ),
    "origin": lambda: (
        tr("Sealed · look here"),
        "unverified",
        tr("Everything in the room is encrypted, but it is not certain that it continues the room that it names."),
    ),
    "waiting": lambda: (
        tr("Waiting for keys"),
        "clock",
        tr("Some content cannot be opened yet. It appears by itself when a member with the keys is online."),
    ),
    "owes-rotation": lambda: (
        tr("Key change under way"),
        "key",
        tr("Someone has been removed. What you write is sent when the room has got a new key."),
    ),
    "update-needed": lambda: (
        tr("Update needed"),
        "download",
        tr("The room holds content from a newer version of Kansli. Update to see everything."),
    ),
    "old-format": lambda: (
        tr("Too old"),
        "warning",
        tr("The room was made by a version of Kansli from before the first release. It cannot be opened."),
    ),
    "fork": lambda: (
        tr("Divided history"),
        "fork",
        tr("The server has shown members different histories. Write nothing sensitive; contact IT security."),
    ),
    "rollback": lambda: (
        tr("The server has lost content"),
        "warning",
        tr("The server no longer has what it confirmed. Your own copy is kept; contact IT security."),
    ),
    "restored": lambda: (
        tr("Server restored"),
        "warning",
        tr("The server has been restored from a backup. What you have is kept and is handed in again."),
    ),
    "unreadable": lambda: (
        tr("Cannot be read here"),
        "warning",
        tr("Kansli cannot follow this room on this computer. Your other rooms go on. Contact IT security."),
    ),
    "withheld": lambda: (
        tr("Content withheld"),
        "warning",
        tr("The server does not hand over everything that the room's history names. Contact IT security."),
    ),
}
"""(word, icon, what it means) of each security status, in the language in force."""


def security_chip(state: str) -> tuple[str, str, str, str]:
    """How a room's security status `state` is shown: (word, kind, name of the icon, sentence that explains it). The
    kind is the look: "success", "accent", "muted", "warning" or "danger". "left" is for a room that the person has
    left. An unknown status is shown as "withheld"."""
    if state == "left":
        return tr("Left"), "muted", "leave", tr("You are no longer a member. What you have is readable.")
    word, icon, meaning = _SECURITY.get(state, _SECURITY["withheld"])()
    return word, SEAL_KINDS.get(state, "danger"), icon, meaning


def tile_text(title: str, room_type: RoomType) -> str:
    """The text on a room's tile: the last four digits of the last number in the title of a case, the initials of the
    title in a direct room, otherwise the first three letters or digits of the title; "?" if it has none."""
    numbers: list[str] = re.findall(r"\d+", title)
    if room_type is RoomType.CASE and numbers:
        return numbers[-1][-4:]
    if room_type is RoomType.DIRECT:
        return initials(title)
    return "".join(c for c in title if c.isalnum())[:3] or "?"


def one_owner(owner: Person) -> str:
    """The sentence about a room with one owner: what that means for the people in it. It differs if the owner is
    oneself."""
    if owner.is_me:
        return tr(
            "You are the room's only owner. Make a colleague an owner too: while you are away nobody else can name one."
        )
    return tr(
        "The room has one owner, {name}. Ask for a second one: while {name} is away nobody else can name one."
    ).format(name=owner.name)


def both(words: Sequence[str]) -> str:
    """Joins words to a text with "and" before the last: "chat, documents and tasks". One word stays as it is; none give
    ""."""
    if len(words) < 2:
        return "".join(words)
    return tr("{some} and {last}").format(some=", ".join(words[:-1]), last=words[-1])


def either(words: Sequence[str]) -> str:
    """Joins words to a text with "or" before the last: "chat, document or board". One word stays as it is; none give
    ""."""
    if len(words) < 2:
        return "".join(words)
    return tr("{some} or {last}").format(some=", ".join(words[:-1]), last=words[-1])


def the_other(rooms: RoomService, room: RoomSummary) -> Person | None:
    """The other person of a direct room; None for other rooms, and where nobody else is left."""
    if room.type is not RoomType.DIRECT:
        return None
    return next((person for person in rooms.people_in(room.room) if not person.is_me), None)
