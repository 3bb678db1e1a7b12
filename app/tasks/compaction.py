# SPDX-License-Identifier: EUPL-1.2
"""A board's changes as its state, for snapshots."""

from app.objects.pieces import compaction
from app.tasks.model import ROOT_MAPS

compact = compaction(maps=ROOT_MAPS)
