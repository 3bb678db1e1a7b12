# SPDX-License-Identifier: EUPL-1.2
"""A judge's verdicts on a slice of changes, and how a change is named to a judge. See `app.store.judges`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from app.core.ids import ChangeId, ObjId, Uid
from app.store import statements as sql
from app.store.connection import Row
from app.store.database import Database
from app.store.projection import ObjectJudge, Outcome
from sync.client.placed_changes import PLACE_BITS, PlacedChange, position_of
from sync.client.ports import OpenedChange

_PLACE = (1 << PLACE_BITS) - 1
_parts = msgspec.msgpack.Encoder()
_parts_of = msgspec.msgpack.Decoder(tuple[int, ...])


@dataclass(slots=True)
class Verdicts:
    """The judges' verdicts (does it count, wait, or break a rule) on the changes of one delivery from the server.
    `codes`: by object and position, the verdict's code, in the order of the verdicts. `merged`: by object, the changes
    that are to be merged and were not written here. `waits`: by object and position, the updates that wait or waited
    for others. `stale`: objects that must be judged later, from their first change; `deferred`: those that are merged
    in the background. `points`: (object, judge, mark) for taking a judge back."""

    codes: dict[ObjId, dict[int, str]] = field(default_factory=dict)
    merged: dict[ObjId, list[PlacedChange]] = field(default_factory=dict)
    waits: dict[ObjId, dict[int, Outcome]] = field(default_factory=dict)
    deferred: set[ObjId] = field(default_factory=set)
    """Objects in which a member began too many clients: their changes are merged in the background."""
    stale: set[ObjId] = field(default_factory=set)
    points: list[tuple[ObjId, ObjectJudge, object]] = field(default_factory=list)
    settled: bool = False
    """They are committed, and the judges were notified."""

    @property
    def count(self) -> int:
        """How many changes have a verdict, with those that waited."""
        return sum(map(len, self.codes.values()))


@dataclass(slots=True)
class Slice:
    """The part of a delivery from the server that concerns one object. `changes`: its new changes. `covers`: (position
    of a prune, position up to which it prunes). `whole`: every change of the object is on this device now."""

    changes: list[OpenedChange]
    covers: list[tuple[int, int]]
    whole: bool


class KeptRows:
    """The stored changes of one object, as its judge reads them: those that wait for others, and those at given
    positions."""

    def __init__(self, db: Database, obj: ObjId) -> None:
        self._db = db
        self._obj = obj

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        return [
            (PlacedChange(position, ChangeId(change_id), Uid(author), t, b""), clock, _parts_of.decode(parts))
            for position, clock, parts, change_id, author, t in self._db.rows(sql.WAITS, (self._obj, client, below))
        ]

    def changes(self, positions: Sequence[int]) -> list[PlacedChange]:
        return [placed_in(row) for row in self._at(positions)]

    def woken(self, position: int) -> list[PlacedChange]:
        """The stored change at a position, in a list, if a verdict keeps it out of the object so far; otherwise []."""
        return [placed_in(row) for row in self._at([position]) if row[-1] in sql.JUDGED]

    def _at(self, positions: Sequence[int]) -> Iterator[Row]:
        for position in positions:
            yield from self._db.rows(sql.AT_POSITION, key_of(self._obj, position))


def placed_of(change: OpenedChange) -> PlacedChange:
    """Converts a received change into the form that an object's judge takes, with its position as one number."""
    position = position_of(change.n, change.place)
    return PlacedChange(position, change.change_id, change.uid, change.t, change.payload)


def note(codes: dict[int, str], waits: dict[int, Outcome], outcome: Outcome) -> None:
    if outcome.missing is not None or outcome.waited:
        waits[outcome.position] = outcome
    for part in outcome.parts:
        codes.pop(part, None)
        codes[part] = outcome.code


def is_piece(outcome: Outcome) -> bool:
    """Whether this verdict is on a piece of an update whose other pieces have no position yet.

    A piece that was written on this device gets no verdict until the update is complete: the other pieces are here, in
    the outbox. Otherwise a pasted book would be taken out of its document until the server has returned the last piece,
    and the person could not undo it.
    """
    return outcome.code == sql.LATE and outcome.missing is None


def compare(parts: Sequence[int], code: str, marks: dict[int, Row], differ: dict[int, tuple[Row, str]]) -> None:
    """Compares a new verdict with stored marks. `parts`: the positions of the update's changes; `code`: its verdict;
    `marks`: (row, stored mark) by position. Changes whose mark disagrees are put into `differ` with the code; others
    are removed from it. A mark that was compared is removed from `marks`, unless the change waits."""
    for part in parts:
        differ.pop(part, None)
        found = marks.get(part) if code == sql.LATE else marks.pop(part, None)  # a waiting change is judged again
        if found is not None and not agrees(found[1], code):
            differ[part] = found, code


def agrees(mark: str | None, code: str) -> bool:
    """Whether `mark`, the stored mark of a change (None: it is merged), is the one that the verdict `code` requires.
    For a change that is to be merged, any mark is right that no verdict has set."""
    if mark == sql.BEHIND:
        return code == sql.COUNTS
    return mark == code if code in sql.JUDGED else mark not in sql.JUDGED


def placed_in(row: Row) -> PlacedChange:
    n, place, change_id, author, t, data = row[:6]
    return PlacedChange(position_of(n, place), ChangeId(change_id), Uid(author), t, data)


def at_position(position: int) -> tuple[int, int]:
    """Splits a position into (position n in the room, number of the change in its envelope)."""
    return position >> PLACE_BITS, position & _PLACE


def key_of(obj: ObjId, position: int) -> tuple[ObjId, int, int]:
    return obj, *at_position(position)


def packed(parts: Sequence[int]) -> bytes:
    """`waits.parts` of an update's positions."""
    return _parts.encode(tuple(parts))
