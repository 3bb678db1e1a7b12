# SPDX-License-Identifier: EUPL-1.2
"""An object's changes in the order of their room, and the state that they make.

Beside ports.py, since the worker's processes use these too: all of ports.py would be a quarter of their start.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sync.ids import ChangeId, Uid


@dataclass(frozen=True, slots=True)
class PlacedChange:
    """A change of one object in the room's order. `position`: n ‖ its number in the envelope in 20 bits, so that each
    change has one of its own. `covers`: it is no change but a prune at that position, which covers up to this one."""

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
    """An object as it stands, as changes that make it so by themselves. `digest`: what others attest, 32 B. `waits`:
    positions n of changes that wait for others and are not in it."""

    changes: tuple[bytes, ...] = field(repr=False)
    digest: bytes
    waits: tuple[int, ...] = ()


Compact = Callable[[Sequence[PlacedChange], int], Compacted | None]
"""(an object's changes in the room's order, the position n up to which they reach) as its state; None where that cannot
be said. The first changes may be a state up to an earlier position. Pure: it may run in any thread."""
