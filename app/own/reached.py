# SPDX-License-Identifier: EUPL-1.2
"""▲ Which read marks count on this device: those whose hash is that of the device's own room at the mark's position.

Nobody can know the hash of a position that does not exist yet. Without the hash a stolen device could write a mark with
a huge position, and everything that is ever written would count as read, also once that device is revoked. A mark that
is further than this device's copy of the room is kept, and counts once the copy reaches its position (`MarksAhead`).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.core.ids import ObjId, RoomId
from app.own.joining import Value, mark_from
from app.own.model import id_in
from app.store import read_positions
from app.store.connection import RowSource

MOST_DUE = 100
"""The most series that are due at once: to look at 100 takes 3 ms. A room has more only if somebody announces series by
the hundred; the others are due with the room's next items."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomCopy:
    """How far this device has received the room of a series. `room`: None if this device does not have the series.
    `head`: the last position that is stored. `hashes`: the room's hashes by position, for those positions that
    `room_copy` was asked about and that are stored."""

    room: RoomId | None
    head: int
    hashes: Mapping[int, str]

    def counts(self, value: Value) -> bool:
        """Whether a value is a read mark that counts here."""
        mark = mark_from(value)
        return mark is not None and self.hashes.get(mark.position) == mark.hash

    def lowest_ahead(self, values: Iterable[Value]) -> int | None:
        """The lowest position of those read marks in `values` that are further than the room is here; None if no mark
        is."""
        marks = (mark_from(value) for value in values)
        return min((mark.position for mark in marks if mark is not None and mark.position > self.head), default=None)


NO_COPY = RoomCopy(room=None, head=0, hashes={0: read_positions.START_HASH})


def room_copy(rows: RowSource, key: str, values: Iterable[Value]) -> RoomCopy:
    """How far this device has received the room of the series with the id `key` (hex), with the hashes that are needed
    to judge the read marks in `values`."""
    ident = id_in(key)
    found = read_positions.stream_of(rows, ObjId(ident)) if ident is not None else None
    if found is None:
        return NO_COPY
    room, head = found
    positions = {mark.position for value in values if (mark := mark_from(value)) is not None and mark.position <= head}
    return RoomCopy(room=room, head=head, hashes=read_positions.hashes(rows, room, positions))


class MarksAhead:
    """The series with read marks that are further than their rooms are here, by room, each with the lowest position of
    these marks. In memory."""

    def __init__(self) -> None:
        self.unplaced: set[str] = set()
        """The series with marks whose room this device does not know."""
        self._rooms: dict[RoomId, _MarksOfRoom] = {}

    def note(self, key: str, room: RoomId | None, lowest: int | None) -> None:
        """Replaces what is noted of the series with the id `key` (hex). `room` is its room, None if this device does
        not have the series. `lowest` is the lowest position of its marks that are ahead, None if no mark is."""
        self.unplaced.discard(key)
        if room is not None:
            self._rooms.setdefault(room, _MarksOfRoom()).note(key, lowest)
        elif lowest is not None:
            self.unplaced.add(key)

    def due(self, room: RoomId, n: int) -> list[str]:
        """The ids (hex) of the room's series whose lowest position is at most `n`, the position that the room has
        reached: at most MOST_DUE, the lowest positions first. Changes nothing."""
        return self._rooms[room].reached(n) if room in self._rooms else []

    def take(self, room: RoomId, n: int) -> list[str]:
        """Returns the same as `due`, and removes these series from here."""
        due = self.due(room, n)
        for key in due:
            self._rooms[room].note(key, None)
        return due


class _MarksOfRoom:
    """The series of one room with read marks ahead, each with the lowest position of these marks. ▲ A series has one
    entry, however often its position changes. Otherwise a stolen device could move one mark again and again, and the
    memory would grow until the program ends."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._sorted: list[tuple[int, str]] = []
        """(position, series), ascending. Replacing one of 20,000 takes 5 µs."""

    def note(self, key: str, position: int | None) -> None:
        """Replaces the position of the series `key`; None if it has no marks ahead."""
        before = self._positions.pop(key, None)
        if before is not None:
            del self._sorted[bisect_left(self._sorted, (before, key))]
        if position is not None:
            self._positions[key] = position
            insort(self._sorted, (position, key))

    def reached(self, n: int) -> list[str]:
        """The series whose position is at most `n`, the lowest positions first: at most MOST_DUE."""
        return [key for position, key in self._sorted[:MOST_DUE] if position <= n]
