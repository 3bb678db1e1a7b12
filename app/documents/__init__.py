# SPDX-License-Identifier: EUPL-1.2
"""Documents: text that several people write in at once. Many in each room."""

from app.documents import projection, tables
from app.documents.compaction import compact
from app.objects.kind import Kind

KIND = Kind(
    id=projection.KIND_ID,
    title="Documents",
    icon="document",
    crdt=True,
    project=projection.project,
    compact=compact,
    tables=tables.TABLES,
    version=tables.VERSION,
)
