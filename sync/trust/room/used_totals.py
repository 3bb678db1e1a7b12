# SPDX-License-Identifier: EUPL-1.2
"""Each person's use of a room's totals, and the share of a total that a person may use (protocol §5, "Totals")."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from typing import TypeVar

from sync.ids import Uid

EVERYBODY = Uid(bytes(16))
"""The row with the sums of all persons' rows, except objects, heartbeats and purged. Nobody has this uid: it is the
first half of a hash."""
_ROW = struct.Struct(">16s10I")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """How much one person has used of what a room may hold altogether (its totals): `objects` begun, `devices` that
    wrote, `epochs` (key generations) made, `people` added, `entries` posted, and by how many epochs the links in
    theirs, which hold older keys, reach farther back than they must (`links`). An entry that ends a membership, a role,
    a device or an owed rotation counts only for its link. `heartbeats` and `purged` count envelopes of these kinds on
    `day` alone (days of the server's time since 1970). Of the others only `snapshots` can fall: it counts those that
    the room remembers now."""

    objects: int = 0
    devices: int = 0
    epochs: int = 0
    links: int = 0
    """By how many epochs, summed, the person's links to older epochs reach farther back than they must."""
    people: int = 0
    entries: int = 0
    snapshots: int = 0
    day: int = 0
    """The day (of the server's time, from 1970) of the two counts below."""
    heartbeats: int = 0
    purged: int = 0


NOTHING = Used()


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """A bound on how much a room holds of one kind. A person may hold one part in `part` of what is left of `most`
    after what all persons hold, this person included, and in any case `least`: the room therefore never holds more than
    `most`, and `least` for each person."""

    most: int
    part: int
    least: int = 0

    def has_room(self, own: int, everybody: int, more: int = 1) -> bool:
        """Whether a person who holds `own` of the `everybody` that the room holds may have `more` in addition."""
        return own + more <= max(self.least, (self.most - everybody) // self.part)

    def bound(self, people: int) -> int:
        """What a room of this many people never exceeds."""
        return self.most + self.least * people


def pack_used(uid: bytes, used: Used) -> bytes:
    return _ROW.pack(uid, *astuple(used))


def read_used(packed: bytes) -> Iterator[tuple[Uid, Used]]:
    """Reads packed rows, as `pack_used` makes them: yields each person and how much of the totals they have used.
    struct.error if they are no whole rows."""
    names = tuple(Used.__dataclass_fields__)
    for u, *row in _ROW.iter_unpack(packed):
        yield Uid(u), Used(**dict(zip(names, row, strict=True)))


class Rows:
    """The encoding of a dict that is changed in place, as rows of one length: after a change only the changed rows are
    packed again."""

    def __init__(self) -> None:
        self._packed = bytearray()
        self._at: dict[bytes, int] = {}

    def begin(self, packed: bytes, held: Mapping[Uid, T] | Mapping[bytes, T]) -> None:
        """Begins with `packed`, the rows that were packed before, for example those read at a start, so that they are
        not packed again. They have one length and are in the order of the keys of `held`, the dict that they encode."""
        size = len(packed) // len(held) if held else 0
        self._packed = bytearray(packed)
        self._at = {key: at * size for at, key in enumerate(held)}

    def pack(
        self, held: Mapping[Uid, T] | Mapping[bytes, T], touched: Iterable[bytes], row: Callable[[bytes, T], bytes]
    ) -> bytes:
        """Packs the dict `held` to its rows, and returns all of them. `touched` are the keys whose values may have
        changed since the last call, in the order of these changes; a new key's row is appended. `row` is given a key
        and its value, and returns its bytes, always of one length. At the first call, and if `held` has fewer keys than
        rows were packed, all of it is packed. KeyError for a touched key that `held` does not have."""
        values: Mapping[bytes, T] = held  # type: ignore[assignment]  # a Uid is bytes
        if len(self._at) > len(values) or not self._at:
            self._packed, self._at, touched = bytearray(), {}, values
        for key in touched:
            made = row(key, values[key])
            at = self._at.setdefault(key, len(self._packed))
            self._packed[at : at + len(made)] = made
        return bytes(self._packed)
