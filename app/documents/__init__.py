# SPDX-License-Identifier: EUPL-1.2
"""Documents: text that several people write in at once. Many in each room."""

from app.documents import projection, records, tables
from app.documents.compaction import compact
from app.objects import crdt
from app.objects.kind import Kind
from app.objects.replay import judge_of
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS
from app.store.projection import Merging

KIND = Kind(
    id=projection.KIND_ID,
    project=projection.project,
    compact=compact,
    merging=Merging(
        texts=ROOT_TEXTS, maps=ROOT_MAPS, feeder=records.Assembler, judge=judge_of(records.unpack), load=crdt.load
    ),
    tables=tables.TABLES,
    version=tables.VERSION,
)
