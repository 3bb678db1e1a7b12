# SPDX-License-Identifier: EUPL-1.2
"""The changes of minutes as their state, for snapshots."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from app.errors import BadChange
from app.objects.compaction import UNNAMED, Compacted, Making, state_at
from app.objects.object import MAX_DATA_BYTES
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS, TITLE_AT, title_in
from sync.client.placed_changes import PlacedChange
from tests.sample_tool.app.records import encode, unpack


def compact(
    changes: Sequence[PlacedChange],
    n: int,
    making: Making = state_at,
    named: AbstractContextManager[None] = UNNAMED,
) -> Compacted | None:
    """See `Compact`. Minutes that no longer fit into one change have none."""
    try:
        found = making(changes, n, unpack, texts=ROOT_TEXTS, maps=ROOT_MAPS, text_keys=(TITLE_AT,), named=named)
    except BadChange:  # the bytes that it begins with are no state
        return None
    data = encode(found.update, title_in(found.held) or None, found.begun) if found is not None else b""
    if found is None or len(data) > MAX_DATA_BYTES:
        return None
    return Compacted(changes=(data,), digest=found.digest, waits=found.waits)
