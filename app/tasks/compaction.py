# SPDX-License-Identifier: EUPL-1.2
"""A board's changes as its state, for snapshots."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from app.errors import BadChange
from app.objects.compaction import UNNAMED, Compacted, Making, state_at
from app.objects.object import MAX_DATA_BYTES
from app.tasks.model import ROOT_MAPS
from app.tasks.records import encode, unpack
from sync.client.placed_changes import PlacedChange


def compact(
    changes: Sequence[PlacedChange],
    n: int,
    making: Making = state_at,
    named: AbstractContextManager[None] = UNNAMED,
) -> Compacted | None:
    """See `Compact`. A board that no longer fits into one change has none."""
    try:
        found = making(changes, n, unpack, maps=ROOT_MAPS, named=named)
    except BadChange:  # the bytes that it begins with are no state
        return None
    data = encode(found.update, found.begun) if found is not None else b""
    if found is None or len(data) > MAX_DATA_BYTES:
        return None
    return Compacted(changes=(data,), digest=found.digest, waits=found.waits)
