# SPDX-License-Identifier: EUPL-1.2
"""Sentences about recovery sheets and the activation codes that belong to them."""

from app.core.i18n import tr
from ui.errors.row import Rows

RECOVERY: Rows = {
    "recovery-sheet-unknown": lambda: (
        tr("Nobody here has this recovery sheet."),
        tr("Nothing has been changed. A sheet does not work any more once a newer one is made."),
        tr("Check that it is your newest sheet and the right server."),
    ),
    "recovery-sheet-code": lambda: (
        tr("The code of the recovery sheet is mistyped."),
        tr("Nothing has been changed."),
        tr("Check every character: seven groups of four."),
    ),
    "recovery-sheet": lambda: (
        tr("This is not the recovery sheet in force."),
        tr("Nothing has been changed."),
        tr("Take the sheet that was made last. If you have none, contact IT support."),
    ),
    "recovery-sheet-format": lambda: (
        tr("This recovery sheet was made by an earlier version of Kansli."),
        tr("Nothing has been changed. A sheet of that kind opens nothing any more."),
        tr("Take the sheet that was made last. If you have none, contact IT support."),
    ),
    "share": lambda: (
        tr("The second line of the activation code belongs to another recovery sheet."),
        tr("Nothing has been changed, and the code is still good."),
        tr("Check that it is your newest sheet. If it is, ask IT support for a new code in your name."),
    ),
    "share-code": lambda: (
        tr("The second line of the activation code is mistyped."),
        tr("Nothing has been changed."),
        tr("Check every character: seven groups of four."),
    ),
    "share-missing": lambda: (
        tr("The activation code lacks its second line."),
        tr("Nothing has been changed. A recovery sheet opens only together with that line."),
        tr("Enter both lines. If you have one only, ask IT support for the other."),
    ),
    "escrow": lambda: (
        tr("The key to which recovery sheets are sealed is not the agency's."),
        tr("The sheet is not in force. The server may be giving out a false key."),
        tr("Tell IT security. Do not try again until they have looked at it."),
    ),
    "other-person": lambda: (
        tr("The activation code and the recovery sheet are of different people."),
        tr("Nothing has been changed."),
        tr("Ask IT support for an activation code with exactly your name, title and unit."),
    ),
    "vetoed": lambda: (
        tr("One of your devices has said no."),
        tr("Nothing has been changed."),
        tr("If it is not you who has that device, have IT support revoke it. Then try again."),
    ),
    "waits": lambda: (
        tr("Your other devices have a day to say no."),
        tr("Nothing more is needed of you until then."),
        tr("Open Kansli again when the time is over."),
    ),
}
