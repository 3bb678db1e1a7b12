# SPDX-License-Identifier: EUPL-1.2
"""Tasks: a board in each room, whose cards everybody may move at once, and a person's own tasks over all rooms."""

from app.objects.kind import Kind
from app.objects.pieces import merging
from app.tasks import noticing, projection, tables
from app.tasks.compaction import compact
from app.tasks.model import ROOT_MAPS

KIND = Kind(
    id=projection.KIND_ID,
    project=projection.project,
    merging=merging(maps=ROOT_MAPS, keep_deleted=True),
    forget=projection.forget,
    compact=compact,
    tables=tables.TABLES,
    notices=noticing.KINDS,
    version=tables.VERSION,
)
