# SPDX-License-Identifier: EUPL-1.2
"""What the server remembers of each room for the limits in rotation_limit.py: rotations, reports of keys that cannot be
opened, and the reserved slot. In memory alone; it outlives the room's own time in memory."""

from collections import OrderedDict
from dataclasses import dataclass, field

from sync.trust.formats.items import Role

_MOST = 10_000
"""Rooms that are remembered: some hundred bytes each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedSlot:
    """Reserves the next entry of a room for the device `dev` of the person `uid`: its removal of a member lost a race
    with another change. `role` is the person's role. Until `until_ms` no other device may append an entry, except those
    of a person with a higher role, and except while the room must get a new key first. `second`: a slot that passed
    unused was before it, less than a minute ago."""

    uid: bytes
    dev: bytes
    role: Role
    until_ms: int
    second: bool = False


@dataclass(slots=True)
class EntryLimits:
    """What the limits on a room's entries rest on, as far as this process has seen."""

    rotated_ms: int = 0
    """When a rotation was last accepted (ms)."""
    reserved_slot: ReservedSlot | None = None
    """The removal for which the room's next slot is reserved, or was reserved last without being used."""
    cannot_open: dict[int, int] = field(default_factory=dict)
    """By epoch: when a member first reported that they cannot open it (ms)."""
    forced: dict[bytes, int] = field(default_factory=dict)
    """By person: when they last rotated before the hour was over, because of a question (ms)."""

    def reset(self) -> None:
        """Forgets everything: what was noted last was not written."""
        self.rotated_ms, self.reserved_slot = 0, None
        self.cannot_open.clear()
        self.forced.clear()


class RememberedLimits:
    """The limits of the 10,000 rooms that were used last. ▲ They are kept here and not with the room in memory: a
    member can have a room dropped from memory, by a request that is refused late. A room that was never stored is
    dropped from here too. Otherwise 10,000 refused ones would take the place of every other."""

    def __init__(self) -> None:
        self._rooms: OrderedDict[bytes, EntryLimits] = OrderedDict()

    def of(self, room: bytes) -> EntryLimits:
        """The limits of the room with the id `room`: always the same object for as long as it is remembered, otherwise
        new ones, which are remembered from now on."""
        found = self._rooms.get(room) or EntryLimits()
        self.note_use(room, found)
        return found

    def note_use(self, room: bytes, limits: EntryLimits) -> None:
        """Makes `limits`, those of the room with the id `room`, the ones that were used last. If too many rooms are
        remembered then, those used longest ago are forgotten."""
        self._rooms[room] = limits
        self._rooms.move_to_end(room)
        while len(self._rooms) > _MOST:
            self._rooms.popitem(last=False)

    def drop(self, room: bytes) -> None:
        """Forgets the limits of the room with the id `room`. Nothing happens if there are none."""
        self._rooms.pop(room, None)
