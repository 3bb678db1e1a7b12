# SPDX-License-Identifier: EUPL-1.2
"""A document's changes as its state, for snapshots."""

from collections.abc import Sequence

from app.core.ids import Uid
from app.documents.model import ROOT_MAPS, ROOT_TEXTS, title_in
from app.documents.records import Assembler, encode
from app.objects.compaction import Compacted, state_of


def compact(changes: Sequence[tuple[Uid, bytes]]) -> Compacted | None:
    """See `Compact`: all ids kept, and what was deleted only as ranges without content."""
    assembler = Assembler()
    updates = assembler.feed_data(changes)
    if assembler.waiting:
        return None
    found = state_of(updates, texts=ROOT_TEXTS, maps=ROOT_MAPS)
    if found is None:
        return None
    update, digest, held = found
    return Compacted(changes=tuple(encode(update, title_in(held) or None)), digest=digest)
