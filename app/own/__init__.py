# SPDX-License-Identifier: EUPL-1.2
"""Synchronises a person's own things between their devices: how far they have read, drafts, favourites, settings.

They are stored in the person's own room (room.py), whose only member is the person. Its old changes are deleted on the
server automatically (pruning.py). FORMAT.md gives every byte.
"""

from app.objects.kind import Kind
from app.objects.pieces import compaction, merging
from app.own.model import ROOT_MAPS
from app.own.projection import KIND_ID, project

KIND = Kind(
    id=KIND_ID,
    project=project,
    merging=merging(maps=ROOT_MAPS),
    compact=compaction(maps=ROOT_MAPS),
)
