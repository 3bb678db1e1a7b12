# SPDX-License-Identifier: EUPL-1.2
"""The pictures' sample content: people by role, rooms, and the moment in which everything is."""

from datetime import datetime

from app.core.enums import LinkState, Role, RoomState, RoomType
from app.core.ids import ObjId, RoomId, Uid
from app.people.person import Person, Verified
from app.rooms.security_status import Reader, SecurityReport
from app.rooms.service import MemberInfo, ObjectSummary, RoomSummary
from app.rooms.succession import Standing
from app.session import SyncStatus

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


def summary(
    room: RoomId, title: str, type_: RoomType, preview: str = "", unread: int = 0, mentions: int = 0
) -> RoomSummary:
    """A room that is sealed, and that this person is in."""
    return RoomSummary(
        room=room,
        title=title,
        type=type_,
        preview=preview,
        unread=unread,
        mentions=mentions,
        muted=False,
        left=False,
        replaced=False,
        sealed_state=RoomState.SEALED,
        last_ms=0,
    )


def member(person: Person, role: Role, *, invited: bool = False) -> MemberInfo:
    """A member who may read everything."""
    return MemberInfo(person=person, role=role, since_ms=0, invited=invited)


def listed(obj: ObjId, room: RoomId, kind: str, title: str, updated_ms: int, by: Uid | None = None) -> ObjectSummary:
    """An object in a list."""
    return ObjectSummary(obj=obj, room=room, kind=kind, title=title, updated_ms=updated_ms, by=by)


ONLINE = SyncStatus(
    state=LinkState.ONLINE, code=None, waiting=0, last_synced_ms=at(14, 3), server="kansli.myndighet.example"
)


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

SAMPLE_ROOMS = (
    summary(CASE, "Tillsyn 2026-1184", RoomType.CASE, "Utkast till beslut klart för granskning", unread=3, mentions=1),
    summary(PERMIT, "Tillstånd 2026-1102", RoomType.CASE, "Du: Kompletteringen kom i dag"),
    summary(COMPLAINT, "Klagomål 2026-0987", RoomType.CASE, "Svar senast 4 december"),
    summary(UNIT, "Enheten för tillsyn", RoomType.GROUP, "Veckomöte flyttas till 10.00", unread=2),
    summary(LEGAL, "Juridiskt stöd", RoomType.GROUP, "Ny vägledning om maskning"),
    summary(DIRECT_HEAD, "Enhetschef", RoomType.DIRECT, "Tack, jag läser i kväll"),
    summary(DIRECT_REGISTRAR, "Registrator", RoomType.DIRECT, "Handlingen är diarieförd"),
)

SEAL = SecurityReport(
    level="warned",
    readers=(
        Reader(person=ME, role=Role.OWNER, since_ms=at(9, 12, 3), history=True, keyless=False),
        Reader(
            person=HEAD,
            role=Role.ADMIN,
            since_ms=at(9, 14, 3),
            history=True,
            keyless=False,
            silent=1,
            silent_ms=at(8, 0, 1),
        ),
        Reader(person=REGISTRAR, role=Role.WRITER, since_ms=at(15, 0, 9), history=False, keyless=True),
    ),
    recovery=(),
    generation=7,
    made_ms=at(14, 3, 2),
    made_by=HEAD,
    due_ms=at(14, 3, 25),
)
