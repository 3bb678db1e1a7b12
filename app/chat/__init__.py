# SPDX-License-Identifier: EUPL-1.2
"""Chat: one conversation in each room, as immutable records that edits, deletions and reactions refer to."""

from app.chat import file_parts, noticing, projection, tables
from app.objects.kind import Kind

KIND = Kind(
    id=projection.KIND_ID,
    project=projection.project,
    positioned=projection.positioned,
    release_files=file_parts.release_parts,
    tables=tables.TABLES,
    notices=noticing.KINDS,
    version=tables.VERSION,
)
