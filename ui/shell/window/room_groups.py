# SPDX-License-Identifier: EUPL-1.2
"""The rooms of the side list in their sections and in order: the person's own, then one for each type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from app.core.enums import RoomType
from app.core.ids import RoomId
from app.own.room_order import RoomOrder
from app.rooms.service import RoomSummary
from ui.shell.words import type_name


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomGroup:
    """A section of the list with its rooms in order. `ident`: the section's id if the person made it (`is_own`),
    otherwise the name of the type of its rooms. `within`: by room, those that belong to it, which are shown below it;
    they are not among `rooms`."""

    ident: str
    title: str
    rooms: tuple[RoomSummary, ...]
    is_own: bool
    is_folded: bool
    within: Mapping[RoomId, tuple[RoomSummary, ...]] = field(default_factory=dict)

    def all(self) -> list[RoomSummary]:
        """The section's rooms and those that belong to them, in the order in which they are shown unfolded."""
        return [shown for each in self.rooms for shown in (each, *self.within.get(each.room, ()))]

    def beside(self, room: RoomId) -> list[RoomId]:
        """The rooms among which `room` can be moved, itself included, in the section's order. They belong to the same
        room, or to none, and they equal `room` in three respects: whether the person has left the room, whether another
        room has replaced it, and whether it is a favourite. [] for a room of another section."""
        among = next(
            (each for each in (self.rooms, *self.within.values()) if any(one.room == room for one in each)), ()
        )
        ranks = {each.room: _rank(each) for each in among}
        return [each for each, rank in ranks.items() if rank == ranks[room]] if room in ranks else []


def groups(
    rooms: Sequence[RoomSummary], order: RoomOrder, parents: Mapping[RoomId, RoomId] = MappingProxyType({})
) -> list[RoomGroup]:
    """The sections with their rooms: the person's own, also empty ones, then those of types that have rooms. Within a
    section favourites come first; then what has a place, in its order; then the latest activity. `parents`: by room,
    the room that it belongs to and below which it is shown. If the person has left one of the two, or does not have the
    other, it is shown by itself."""
    here = {room.room for room in rooms if not room.left}
    below: dict[RoomId, list[RoomSummary]] = {}
    for room in rooms:
        parent = parents.get(room.room)
        if parent in here and room.room in here and parent is not None:
            below.setdefault(parent, []).append(room)
    nested = {room.room for found in below.values() for room in found}
    rooms = [room for room in rooms if room.room not in nested]
    own = order.sections()
    held: dict[str, list[RoomSummary]] = {each.ident: [] for each in own}
    titles = {each.ident: each.title for each in own}
    by_type: dict[str, list[RoomSummary]] = {room_type: [] for room_type in RoomType}
    for room in rooms:
        section = order.section_of(room.room)
        (held[section] if section in held else by_type[room.type]).append(room)
    titles |= {room_type: type_name(room_type) for room_type in RoomType}
    shown = held | {ident: found for ident, found in by_type.items() if found}
    return [
        RoomGroup(
            ident=str(ident),
            title=titles[ident],
            rooms=tuple(_ordered(found, order)),
            is_own=ident in held,
            is_folded=order.is_folded(ident),
            within={room.room: tuple(_ordered(below[room.room], order)) for room in found if room.room in below},
        )
        for ident, found in shown.items()
    ]


def _ordered(rooms: Sequence[RoomSummary], order: RoomOrder) -> list[RoomSummary]:
    def place(room: RoomSummary) -> tuple[bool, bool, bool, bool, int]:
        found = order.place_of(room.room)
        return (*_rank(room), found is None, found or 0)

    return sorted(rooms, key=place)


def _rank(room: RoomSummary) -> tuple[bool, bool, bool]:
    return room.left, room.replaced, not room.favourite
