# SPDX-License-Identifier: EUPL-1.2
"""A document's changes as its state, for snapshots."""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from app.documents.records import encode, unpack
from app.errors import BadChange
from app.objects.compaction import UNNAMED, Compacted, Making, state_at
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS, TITLE_AT, title_in
from sync.client.placed_changes import PlacedChange


def compact(
    changes: Sequence[PlacedChange],
    n: int,
    making: Making = state_at,
    named: AbstractContextManager[None] = UNNAMED,
) -> Compacted | None:
    """See `Compact`: all ids are kept, and deleted content only as ranges without content."""
    try:
        found = making(changes, n, unpack, texts=ROOT_TEXTS, maps=ROOT_MAPS, text_keys=(TITLE_AT,), named=named)
    except BadChange:  # the bytes that it begins with are no state
        return None
    if found is None:
        return None
    data = encode(found.update, title_in(found.held) or None, found.begun)
    return Compacted(changes=tuple(data), digest=found.digest, waits=found.waits)
