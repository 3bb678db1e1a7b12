# SPDX-License-Identifier: EUPL-1.2
"""Documents: text that several people write in at once. Many in each room."""

from app.documents import projection, tables
from app.objects.kind import Kind

KIND = Kind(
    id=projection.KIND_ID,
    title="Documents",
    icon="document",
    crdt=True,
    project=projection.project,
    tables=tables.TABLES,
    version=tables.VERSION,
)
