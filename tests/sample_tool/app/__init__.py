# SPDX-License-Identifier: EUPL-1.2
"""Minutes: the minutes of a room's meetings, which several people write at once, and the agenda of its next meeting."""

from app.objects.kind import Kind
from tests.sample_tool.app import agenda, projection, tables
from tests.sample_tool.app.compaction import compact

MINUTE = Kind(
    id=projection.KIND_ID,
    project=projection.project,
    merging=projection.MERGING,
    compact=compact,
    tables=tables.MINUTES,
    version=tables.VERSION,
)
AGENDA = Kind(
    id=agenda.KIND_ID,
    project=agenda.project,
    positioned=agenda.positioned,
    tables=tables.AGENDA,
    version=tables.VERSION,
)
