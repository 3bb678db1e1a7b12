# SPDX-License-Identifier: EUPL-1.2
"""Which of the changes that the server sends are stored already.

A change is identified by its position, not by its id. Two changes of one author with the same id at two positions are
both stored: the key of the first may be received late, so that this device can read the second one first. In an object
that merges the judge decides about each of them. Of records the one at the lower position counts, and the other one
changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.store import statements as sql
from sync.client.ports import OpenedChange

Place = tuple[ObjId, Uid, ChangeId, int, int]
"""Object, author, change id, and the position: n and the number in the envelope."""
Name = tuple[ObjId, Uid, ChangeId]
Rows = Callable[[str, Sequence[Any]], Iterable[Any]]


@dataclass(slots=True)
class Known:
    """Which of some received changes the store has already.

    `rows`, by place (see `Place`): None for a change that is stored at that place; a row id for a change that was
    written on this device, is stored without a position, and gets its position now. A change whose place is not in
    `rows` is new. `doubles`: names (object, author, change id) that will have several rows once the changes are stored,
    of which only one counts.
    """

    rows: dict[Place, int | None] = field(default_factory=dict)
    doubles: set[Name] = field(default_factory=set)

    def is_stored(self, change: OpenedChange) -> bool:
        """Whether the store has this change at its position."""
        return self.rows.get(place_of(change), 0) is None

    def written_here(self, change: OpenedChange) -> int | None:
        """The row of a change that was written here and gets its position now; None for any other change."""
        return self.rows.get(place_of(change))


def place_of(change: OpenedChange) -> Place:
    return change.obj, change.uid, change.change_id, change.n, change.place


def known_of(rows: Rows, room: RoomId, changes: Sequence[OpenedChange]) -> Known:
    """Finds out which of `changes`, received for `room`, are stored already. `rows` is given SQL and its parameters,
    and returns all rows of the query. ▲ A change that was written on this device and has no position takes that of a
    received one only if both have the same bytes. Another device of the same person may have used the same change id
    for other bytes; then both are stored."""
    stored, unplaced = set[Place](), dict[tuple[Name, bytes], int]()
    names: dict[Name, int] = {}
    ids = list(dict.fromkeys(change.change_id for change in changes))
    for at in range(0, len(ids), sql.CHUNK):
        chunk = ids[at : at + sql.CHUNK]
        for row, its, obj, author, change_id, n, place, data in rows(sql.known_changes(len(chunk)), chunk):
            if its != room:
                continue
            name = ObjId(obj), Uid(author), ChangeId(change_id)
            names[name] = names.get(name, 0) + 1
            if n is None:
                unplaced[name, data] = row
            else:
                stored.add((*name, n, place))
    known = Known()
    for change in changes:
        place, name = place_of(change), (change.obj, change.uid, change.change_id)
        if place in stored:
            known.rows.setdefault(place, None)
        elif (row := unplaced.pop((name, change.payload), None)) is not None:
            known.rows[place] = row
        else:
            names[name] = names.get(name, 0) + 1
        stored.add(place)
        if names[name] > 1:
            known.doubles.add(name)
    return known
