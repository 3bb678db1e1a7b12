# SPDX-License-Identifier: EUPL-1.2
"""An object's changes in the order of their room, and the state that they make.

This is a file beside ports.py because the worker's processes use it too: importing all of ports.py would take a quarter
of their start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sync.ids import ChangeId, Uid


@dataclass(frozen=True, slots=True)
class PlacedChange:
    """A change of one object at its place in the room's order: person `uid` wrote `data` at time `t` (the server's,
    ms). `position` is the room's position n in the upper bits, and the change's number in its envelope in the lower 20
    bits, so that each change has a position of its own; it is 0 for the changes of a state from which a computation
    begins. `covers`: if not 0 this is no change but a prune at that position (the entry by which the server deletes
    older changes, since a snapshot replaces them), which covers the object's changes up to and at `covers`, a number of
    the same form; all other fields are then empty."""

    position: int
    change_id: ChangeId
    uid: Uid
    t: int
    data: bytes = field(repr=False)
    covers: int = 0


PLACE_BITS = 20


def position_of(n: int, place: int = (1 << PLACE_BITS) - 1) -> int:
    """`PlacedChange.position`; without a place the last of n."""
    return n << PLACE_BITS | place


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """The state of an object at some position of its room: `changes` that produce it by themselves, in place of its
    whole history. `digest` is the state's hash, 32 B, which other members confirm if they compute the same. `waits`:
    positions n of changes that wait for other changes and are not in the state."""

    changes: tuple[bytes, ...] = field(repr=False)
    digest: bytes
    waits: tuple[int, ...] = ()


Compact = Callable[[Sequence[PlacedChange], int], Compacted | None]
"""(an object's changes in the room's order, the position n up to which they reach) → its state; None if the state
cannot be computed. The first changes may be a state up to an earlier position. Pure: it may run in any thread."""
