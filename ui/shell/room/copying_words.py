# SPDX-License-Identifier: EUPL-1.2
"""The words of a copy that is being made, in the bars over a room."""

from app.core.visible import one_line
from app.rooms.copying import CopyProgress
from ui.kit.translate import tr


def format_copying(copy: CopyProgress) -> str:
    """Text: which object is being copied, and how far that is."""
    title = one_line(copy.title) or tr("Untitled")
    if copy.percent is None:
        return tr("“{title}” is being copied …").format(title=title)
    return tr("“{title}” is being copied: {n} %").format(title=title, n=copy.percent)
