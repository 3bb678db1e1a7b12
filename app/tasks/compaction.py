# SPDX-License-Identifier: EUPL-1.2
"""A board's changes as its state, for snapshots."""

from collections.abc import Sequence

from app.core.ids import Uid
from app.objects.compaction import Compacted, state_of
from app.objects.object import MAX_DATA_BYTES
from app.tasks.model import ROOT_MAPS
from app.tasks.records import Updates, encode


def compact(changes: Sequence[tuple[Uid, bytes]]) -> Compacted | None:
    """See `Compact`. A board that no longer fits into one change has none."""
    found = state_of(Updates().feed_data(changes), maps=ROOT_MAPS)
    data = encode(found[0]) if found is not None else b""
    if found is None or len(data) > MAX_DATA_BYTES:
        return None
    return Compacted(changes=(data,), digest=found[1])
