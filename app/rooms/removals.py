# SPDX-License-Identifier: EUPL-1.2
"""The removals from a room: the person, who removed them, and why, as far as this device can decrypt it."""

from dataclasses import dataclass

from app.core.ids import RoomId
from app.core.visible import one_line
from app.people.person import Person
from app.people.service import PeopleService
from app.store.store import Store
from sync.client.engine import Engine
from sync.trust.room.removal_notes import MAX_REASON

MOST = 200
"""How many removals are listed: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The removal of a `person` from a room by another, at `t_ms` (the server's time). `reason` is "" if none was
    given, and None if this device cannot decrypt it. The removed person cannot, nor can a member who was added later
    without the history."""

    person: Person
    by: Person
    t_ms: int
    reason: str | None


def count(store: Store, room: RoomId) -> int:
    """How many removals `read` returns: at most `MOST`."""
    return len(store.rooms_list.removals(room, limit=MOST))


def read(store: Store, engine: Engine, people: PeopleService, room: RoomId) -> list[Removal]:
    """The newest removals from a room, at most MOST, newest first. The reasons are decrypted by this call and never
    stored."""
    found = []
    for event in store.rooms_list.removals(room, limit=MOST):
        reason = engine.removal_reason(room, event.note) if event.note is not None else ""
        if event.subject is not None:
            found.append(
                Removal(
                    person=people.person(event.subject),
                    by=people.person(event.by),
                    t_ms=event.t,
                    reason=None if reason is None else one_line(reason, MAX_REASON),
                )
            )
    return found
