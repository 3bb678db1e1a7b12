# SPDX-License-Identifier: EUPL-1.2
"""Values of the pictures' sample content, for widgets that are shown without a session: people by role, and the moment
in which everything is. The office itself is in kept_office.py."""

from datetime import datetime

from app.core.enums import Role
from app.core.ids import DevId, ObjId, RoomId, Uid
from app.people.person import Person, Verified
from app.rooms.formats import OldDevice
from app.rooms.security_status import Reader, SecurityReport
from app.rooms.service import ObjectSummary
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


def listed(obj: ObjId, room: RoomId, kind: str, title: str, updated_ms: int, by: Uid | None = None) -> ObjectSummary:
    """An object in a list."""
    return ObjectSummary(obj=obj, room=room, kind=kind, title=title, updated_ms=updated_ms, by=by)


def person(n: int, name: str, initials: str, unit: str, verified: Verified, *, me: bool = False) -> Person:
    """A person by role; `n` is the hue."""
    return Person(
        uid=uid(n), name=name, title=name, unit=unit, initials=initials, colour=n, verified=verified, is_me=me
    )


ME = person(0, "Handläggare", "HL", "Enheten för tillsyn", Verified.AGENCY, me=True)
HEAD = person(1, "Enhetschef", "EK", "Enheten för tillsyn", Verified.IN_PERSON)
REGISTRAR = person(2, "Registrator", "RG", "Registratur", Verified.NONE)
LAWYER = person(6, "Jurist", "JU", "Juridiskt stöd", Verified.AGENCY)
CASE = room_id(3, 1)
DOCUMENT, BOARD = (ObjId(bytes([9, n]) * 8) for n in (2, 3))
ORDINARY = Standing(origin=None, believed=False, successors=(), refusal="not-stopped", evidence=(), head=None)
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
    old_devices=(
        OldDevice(person=HEAD, dev=DevId(b"d" * 16), added_ms=at(9, 0, 2), kinds=("document",), features=("ext 2",)),
    ),
    silent_devices=1,
)
