# SPDX-License-Identifier: EUPL-1.2
"""Sentences about a room's change history that cannot be cleared yet."""

from app.core.i18n import tr
from ui.errors.row import Rows

PRUNING: Rows = {
    "snapshot": lambda: (
        tr("Colleagues have not checked the state of this yet."),
        tr("Nothing of it was merged."),
        tr("Two others who may read the whole history must have Kansli open for a while. Then try again."),
    ),
    "early": lambda: (
        tr("What would stand in for the changes is not a month old yet."),
        tr("Nothing of it was merged."),
        tr("Try again later."),
    ),
    "baseline": lambda: (
        tr("Someone who reads from when they came has not been given the present state yet."),
        tr("Nothing of it was merged."),
        tr("Try again."),
    ),
    "gap": lambda: (
        tr("A document or board here may lack what was written while this computer was away."),
        tr("Its older changes have been merged, and the server has not given what stands in their place."),
        tr("Kansli asks again by itself. Contact IT support if this is still shown tomorrow."),
    ),
    "reading": lambda: (
        tr("This computer has not read all of the room yet."),
        tr("Nothing can be merged from here before it has."),
        tr("Wait a little, with Kansli open."),
    ),
}
