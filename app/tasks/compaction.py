# SPDX-License-Identifier: EUPL-1.2
"""A board's changes as its state, for snapshots."""

import contextlib
from collections.abc import Sequence

from app.core.ids import Uid
from app.errors import BadChange
from app.objects.compaction import Compacted, state_of
from app.objects.object import MAX_DATA_BYTES
from app.tasks.model import ROOT_MAPS
from app.tasks.records import decode, encode


def compact(changes: Sequence[tuple[Uid, bytes]]) -> Compacted | None:
    """See `Compact`. A board that no longer fits into one change has none."""
    updates = []
    for _, data in changes:
        with contextlib.suppress(BadChange):
            updates.append(decode(data))
    found = state_of(updates, maps=ROOT_MAPS)
    data = encode(found[0]) if found is not None else b""
    if found is None or len(data) > MAX_DATA_BYTES:
        return None
    return Compacted(changes=(data,), digest=found[1])
