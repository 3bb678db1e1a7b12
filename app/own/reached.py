# SPDX-License-Identifier: EUPL-1.2
"""▲ Which read marks count on this device: those whose hash is that of the device's own room at the mark's position.

Nobody can know the hash of a position that does not exist yet. Without the hash a stolen device could write a mark with
a huge position, and everything that is ever written would count as read, also once that device is revoked. A mark that
is further than this device's copy of the room is kept, and counts once the copy reaches its position (`MarksAhead`).
"""

import heapq
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
    these marks."""

    def __init__(self) -> None:
        self.unplaced: set[str] = set()
        """The series with marks whose room this device does not know."""
        self._lowest: dict[str, int] = {}
        self._rooms: dict[RoomId, list[tuple[int, str]]] = {}
        """A heap of (position, series) for each room. An entry is out of date if `_lowest` has another position."""

    def note(self, key: str, room: RoomId | None, lowest: int | None) -> None:
        """Notes the lowest position of the marks of the series `key` that are ahead; None if there are none."""
        self.unplaced.discard(key)
        if lowest is None:
            self._lowest.pop(key, None)
        elif room is None:
            self.unplaced.add(key)
        elif self._lowest.get(key) != lowest:
            self._lowest[key] = lowest
            heapq.heappush(self._rooms.setdefault(room, []), (lowest, key))

    def due(self, room: RoomId, n: int) -> list[str]:
        """The series with marks whose positions the room has reached, now that it has the position `n`: at most
        MOST_DUE."""
        due = self._popped(room, n)
        for position, key in due:
            heapq.heappush(self._rooms[room], (position, key))
        return [key for _, key in due]

    def take(self, room: RoomId, n: int) -> list[str]:
        """As `due`, and removes them from here."""
        due = [key for _, key in self._popped(room, n)]
        for key in due:
            del self._lowest[key]
        return due

    def _popped(self, room: RoomId, n: int) -> list[tuple[int, str]]:
        heap, popped = self._rooms.get(room, []), dict[str, int]()
        while heap and heap[0][0] <= n and len(popped) < MOST_DUE:
            position, key = heapq.heappop(heap)
            if self._lowest.get(key) == position:
                popped[key] = position
        return [(position, key) for key, position in popped.items()]
