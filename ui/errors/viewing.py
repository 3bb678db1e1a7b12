# SPDX-License-Identifier: EUPL-1.2
"""Sentences about files that cannot be shown in the viewer."""

from app.core.i18n import tr
from ui.errors.row import Rows


def _unchanged() -> str:
    return tr("The file itself is as it was.")


VIEWING: Rows = {
    "view-foreign": lambda: (
        tr("Files of this kind are not shown in Kansli."),
        _unchanged(),
        tr("Save a copy and open it in another program, if you trust who sent it."),
    ),
    "view-damaged": lambda: (
        tr("The file is damaged, or is not what its name says."),
        tr("Nothing of it is shown. The file itself is as it was."),
        tr("Ask the sender to send it again. If it came unasked, tell IT security."),
    ),
    "view-too-large": lambda: (
        tr("The file is too large to be shown."),
        tr("Files of at most 128 MB and pictures of at most 40 million pixels (JPEG: 80 million) are shown."),
        tr("Save a copy and open it in another program, if you trust who sent it."),
    ),
    "view-protected": lambda: (
        tr("The file is protected by a password, and is not shown in Kansli."),
        _unchanged(),
        tr("Ask the sender for a copy without a password: the room protects it already."),
    ),
    "view-ended": lambda: (
        tr("Showing the file took too long, or ended by itself."),
        tr("Nothing else was affected. The file itself is as it was."),
        tr("Try again. If it happens again, the file may be made to do harm: tell IT security."),
    ),
    "view-unavailable": lambda: (
        tr("This computer does not let Kansli start what shows files."),
        _unchanged(),
        tr("Ask IT support to allow Kansli to start itself."),
    ),
    "view-print-refused": lambda: (
        tr("The printer takes nothing."),
        tr("Not all pages were printed. The file itself is as it was."),
        tr("Check the printer and the pages that you chose, and try again."),
    ),
}
