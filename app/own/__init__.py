# SPDX-License-Identifier: EUPL-1.2
"""Things of a person that follow to all their devices: how far they have read, drafts, favourites, settings. FORMAT.md
has every byte. They lie in a room of one's own (room.py), which is cleared of old changes by itself."""

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
