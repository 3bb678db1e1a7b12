# SPDX-License-Identifier: EUPL-1.2
"""A document's changes as its state, for snapshots."""

from app.objects.pieces import compaction
from app.richtext.model import ROOT_MAPS, ROOT_TEXTS, TITLE_AT

compact = compaction(texts=ROOT_TEXTS, maps=ROOT_MAPS, title_at=TITLE_AT)
