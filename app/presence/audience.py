# SPDX-License-Identifier: EUPL-1.2
"""In which rooms a person's presence is sent, so that each colleague gets it once. Pure: both ends compute the same.

For two people it is the smallest room that both have accepted; of several equal ones, that with the lowest id. A room
of more than MOST members is not sent to: its members ask each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.core.ids import RoomId, Uid

MOST = 100
"""The most members of a room to which presence is sent unasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonRoom:
    """A room that this person has accepted: its `members`, and those of them that have accepted it, as far as is known
    here."""

    room: RoomId
    members: frozenset[Uid]
    accepted: frozenset[Uid]


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeRoom:
    """A room whose members ask each other: how many they are, and this person's place among them in the order of their
    ids, as a fraction from 0 to 1."""

    members: int
    place: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """`rooms`: those to which presence is sent. `shared`: for each colleague, and for this person themselves, the
    smallest room that both have accepted. `large`: those of these rooms that have more than MOST members."""

    rooms: tuple[RoomId, ...] = ()
    shared: Mapping[Uid, RoomId] = field(default_factory=dict)
    large: Mapping[RoomId, LargeRoom] = field(default_factory=dict)

    def has_to_ask(self, uid: Uid) -> bool:
        """Whether the presence of `uid` is not sent to this person unasked."""
        return self.shared.get(uid) in self.large


def audience(me: Uid, rooms: Iterable[CommonRoom]) -> Audience:
    """The rooms for the person `me`, from those that they have accepted."""
    shared: dict[Uid, RoomId] = {}
    by_id: dict[RoomId, CommonRoom] = {}
    for each in sorted(rooms, key=lambda each: (len(each.members), each.room)):
        by_id[each.room] = each
        for uid in (each.accepted | {me}) & each.members:
            shared.setdefault(uid, each.room)
    used = sorted(set(shared.values()))
    large = {room: _large(me, by_id[room].members) for room in used if len(by_id[room].members) > MOST}
    return Audience(rooms=tuple(room for room in used if room not in large), shared=shared, large=large)


def _large(me: Uid, members: frozenset[Uid]) -> LargeRoom:
    before = sum(uid < me for uid in members)
    return LargeRoom(members=len(members), place=before / len(members))
