# SPDX-License-Identifier: EUPL-1.2
"""A title that is cut to the room that it has."""

import re

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF

_NUMBER = re.compile(r"\(?(?=\S*\d{2})[\w./:–-]{3,24}\)?")
"""A case number: 2026-1184, KS/2026:17, (dnr-4711)."""


def elided(title: str, metrics: QFontMetricsF, width: float) -> str:
    """Cuts `title`, with "…" at the end, to `width` pixels; returned as it is if it fits. A number at its end is kept,
    because it distinguishes the titles of cases, unless less than a quarter of the width is left for the rest."""
    head, _, number = title.rpartition(" ")
    elide = Qt.TextElideMode.ElideRight
    behind = f" {number}"
    if not _NUMBER.fullmatch(number) or metrics.horizontalAdvance(title) <= width:
        return metrics.elidedText(title, elide, width)
    left = width - metrics.horizontalAdvance(behind)
    if left < width / 4:
        return metrics.elidedText(title, elide, width)
    return metrics.elidedText(head, elide, left) + behind
