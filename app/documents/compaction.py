# SPDX-License-Identifier: EUPL-1.2
"""A document's changes as its state, for snapshots."""

from collections.abc import Sequence

from app.documents.model import ROOT_MAPS, ROOT_TEXTS, title_in
from app.documents.records import encode, unpack
from app.errors import BadChange
from app.objects.compaction import Compacted, state_at
from sync.client.ports import PlacedChange


def compact(changes: Sequence[PlacedChange], n: int) -> Compacted | None:
    """See `Compact`: all ids kept, and what was deleted only as ranges without content."""
    try:
        found = state_at(changes, n, unpack, texts=ROOT_TEXTS, maps=ROOT_MAPS)
    except BadChange:  # what it is to begin with is no state
        return None
    if found is None:
        return None
    data = encode(found.update, title_in(found.held) or None, found.begun)
    return Compacted(changes=tuple(data), digest=found.digest, waits=found.waits)
