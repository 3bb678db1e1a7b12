# SPDX-License-Identifier: EUPL-1.2
"""Minutes: the minutes of a room's meetings, which several people write at once, and the agenda of its next meeting."""

from app.objects.kind import Kind
from app.objects.pieces import merging
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS
from tests.sample_tool.app import agenda, projection, tables

MINUTE = Kind(
    id=projection.KIND_ID,
    project=projection.project,
    merging=merging(texts=ROOT_TEXTS, maps=ROOT_MAPS),
    compact=projection.compact,
    tables=tables.MINUTES,
    version=tables.VERSION,
)
AGENDA = Kind(
    id=agenda.KIND_ID,
    project=agenda.project,
    positioned=agenda.positioned,
    tables=tables.AGENDA,
    notices=(agenda.ADDED,),
    version=tables.VERSION,
)
