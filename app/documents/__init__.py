# SPDX-License-Identifier: EUPL-1.2
"""Documents: text that several people write in at once. Many in each room."""

from app.documents import projection, tables
from app.documents.compaction import compact
from app.objects.kind import Kind
from app.objects.pieces import merging
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS

KIND = Kind(
    id=projection.KIND_ID,
    project=projection.project,
    compact=compact,
    merging=merging(texts=ROOT_TEXTS, maps=ROOT_MAPS),
    tables=tables.TABLES,
    version=tables.VERSION,
)
