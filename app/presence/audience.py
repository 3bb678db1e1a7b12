# SPDX-License-Identifier: EUPL-1.2
"""Computes in which rooms a person's presence is sent, so that each colleague receives it once.

Two people use the smallest room that both have accepted; of several equally small ones, the one with the lowest id.
Both ends compute the same room if they know the same members. In a room of more than MOST members nothing is sent to
all: its members ask each other (asking.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.core.ids import RoomId, Uid

MOST = 100
"""The most members of a room to which presence is sent unasked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonRoom:
    """A room that this person has accepted. `members`: all its members. `accepted`: those of them of whom this device
    knows that they have accepted it."""

    room: RoomId
    members: frozenset[Uid]
    accepted: frozenset[Uid]


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeRoom:
    """A room of more than MOST members. `members`: how many they are. `place`: the part of the members whose ids are
    lower than this person's, from 0 to below 1."""

    members: int
    place: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The rooms that a person's presence uses. `shared`: for each colleague, the smallest room that both have accepted;
    for this person, the smallest room of all. `rooms`: the rooms of `shared` with at most MOST members, where presence
    is sent to all. `large`: the rooms of `shared` with more members."""

    rooms: tuple[RoomId, ...] = ()
    shared: Mapping[Uid, RoomId] = field(default_factory=dict)
    large: Mapping[RoomId, LargeRoom] = field(default_factory=dict)

    def has_to_ask(self, uid: Uid) -> bool:
        """Whether this person's device has to ask for the presence of `uid`: their smallest common room is large."""
        return self.shared.get(uid) in self.large


def audience(me: Uid, rooms: Iterable[CommonRoom]) -> Audience:
    """Computes the audience of the person `me` from `rooms`, all rooms that they have accepted."""
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
