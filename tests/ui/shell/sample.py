# SPDX-License-Identifier: EUPL-1.2
"""The pictures' sample content: people by role, rooms, and the moment in which everything is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.ids import ObjId, RoomId, Uid
from app.people.person import Person, Verified
from app.rooms.service import ObjectSummary, RoomSummary
from app.rooms.succession import Standing

NOW = datetime(2026, 11, 24, 14, 5)  # noqa: DTZ001 - local time, as the shell takes it


def at(hour: int, minute: int, day: int = 24) -> int:
    """A time in November 2026 in ms, local."""
    return int(NOW.replace(day=day, hour=hour, minute=minute).timestamp() * 1000)


def uid(n: int) -> Uid:
    """An id whose hue is n."""
    return Uid(bytes([n]) * 16)


def room_id(hue: int, n: int) -> RoomId:
    """A room's id with this hue."""
    return RoomId(bytes([hue, n]) * 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRoom(RoomSummary):
    """A RoomSummary with what most rooms have."""

    room: RoomId
    title: str
    type: str
    preview: str = ""
    unread: int = 0
    mentions: int = 0
    muted: bool = False
    left: bool = False
    replaced: bool = False
    sealed_state: str = "sealed"
    last_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeMember:
    """A MemberInfo."""

    person: Person
    role: int
    since_ms: int = 0
    history: bool = True
    invited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeObject(ObjectSummary):
    """An ObjectSummary that nobody has changed."""

    obj: ObjId
    room: RoomId
    kind: str
    title: str
    updated_ms: int
    by: Uid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeEvent:
    """A RoomEvent."""

    kind: str
    by: Uid
    subject: Uid | None
    t: int


@dataclass(slots=True, kw_only=True)
class FakeStatus:
    """A SyncStatus."""

    state: str = "online"
    code: str | None = None
    waiting: int = 0
    last_synced_ms: int | None = at(14, 3)
    server: str = "kansli.myndighet.example"
    about: str = ""


def person(n: int, name: str, initials: str, unit: str, verified: Verified, *, me: bool = False) -> Person:
    """A person by role; `n` is the hue."""
    return Person(
        uid=uid(n), name=name, title=name, unit=unit, initials=initials, colour=n, verified=verified, is_me=me
    )


ME = person(0, "Handläggare", "HL", "Enheten för tillsyn", Verified.AGENCY, me=True)
HEAD = person(1, "Enhetschef", "EK", "Enheten för tillsyn", Verified.IN_PERSON)
REGISTRAR = person(2, "Registrator", "RG", "Registratur", Verified.NONE)
LAWYER = person(6, "Jurist", "JU", "Juridiskt stöd", Verified.AGENCY)
ARCHIVIST = person(5, "Arkivarie", "AR", "Ämbetsarkivet", Verified.AGENCY)

CASE = room_id(3, 1)
PERMIT = room_id(4, 2)
COMPLAINT = room_id(5, 3)
UNIT = room_id(0, 4)
LEGAL = room_id(6, 5)
DIRECT_HEAD = room_id(1, 6)
DIRECT_REGISTRAR = room_id(2, 7)

ORDINARY = Standing(origin=None, believed=False, successors=(), refusal="not-stopped", evidence=(), head=None)
CHAT, DOCUMENT, BOARD = (ObjId(bytes([9, n]) * 8) for n in (1, 2, 3))

SAMPLE_ROOMS: tuple[dict[str, Any], ...] = (
    {"room": CASE, "title": "Tillsyn 2026-1184", "type": "case", "preview": "Utkast till beslut klart för granskning"}
    | {"unread": 3, "mentions": 1},
    {"room": PERMIT, "title": "Tillstånd 2026-1102", "type": "case", "preview": "Du: Kompletteringen kom i dag"},
    {"room": COMPLAINT, "title": "Klagomål 2026-0987", "type": "case", "preview": "Svar senast 4 december"},
    {
        "room": UNIT,
        "title": "Enheten för tillsyn",
        "type": "group",
        "preview": "Veckomöte flyttas till 10.00",
        "unread": 2,
    },
    {"room": LEGAL, "title": "Juridiskt stöd", "type": "group", "preview": "Ny vägledning om maskning"},
    {"room": DIRECT_HEAD, "title": "Enhetschef", "type": "direct", "preview": "Tack, jag läser i kväll"},
    {"room": DIRECT_REGISTRAR, "title": "Registrator", "type": "direct", "preview": "Handlingen är diarieförd"},
)
