# SPDX-License-Identifier: EUPL-1.2
"""Sentences about a person's devices: adding, comparing and revoking them."""

from app.core.i18n import tr
from ui.errors.row import Rows

DEVICES: Rows = {
    "pairing": lambda: (
        tr("The other device is not there any more."),
        tr("Nothing has been added."),
        tr("Begin again on the device that you already use."),
    ),
    "enrol": lambda: (
        tr("The two devices do not have the same code."),
        tr("Nothing has been added. Perhaps somebody tried to get in between."),
        tr("Begin again with a new code. If it happens again, tell IT security."),
    ),
    "ended": lambda: (
        tr("The server says that this device is no longer yours."),
        tr("Kansli believes it only when your own account says so. Nothing has been removed."),
        tr("Contact IT support."),
    ),
    "revoked": lambda: (
        tr("This device has been revoked."),
        tr("It gets no new content and can send nothing. What is on it is still here."),
        tr("Use another device, or contact IT support."),
    ),
    "reset": lambda: (
        tr("Your account has been ended by the agency."),
        tr("Nothing is synchronised. What you have is readable."),
        tr(
            "If you still work here, ask IT support for a new activation code. If you have left, hand in the "
            "computer: IT support removes what is on it."
        ),
    ),
    "too-many-tries": lambda: (
        tr("The digits have differed three times within an hour."),
        tr("For an hour no digits are compared."),
        tr("Use a code instead, or wait."),
    ),
    "not-revoked": lambda: (
        tr("This device has not been revoked."),
        tr("Nothing has been removed."),
        tr("You need do nothing."),
    ),
    "export-other-person": lambda: (
        tr("The file is not yours."),
        tr("It was written for somebody else, or by a device that is not yours. Nothing was taken in."),
        tr("Tell IT security if somebody gave it to you."),
    ),
    "keys": lambda: (
        tr("This device does not have the key to the file yet."),
        tr("It comes with the next connection to the server. A device that was revoked never gets it."),
        tr("Connect, and try again on a device that is in use."),
    ),
    "older": lambda: (
        tr("A device cannot revoke one that is older than itself."),
        tr("Nothing has been changed."),
        tr("Do it on an older device, or ask the agency to revoke it."),
    ),
    "device": lambda: (
        tr("The device is not in use any more."),
        tr("Nothing has been changed."),
        tr("You need do nothing."),
    ),
    "join-code": lambda: (
        tr("The code is not right."),
        tr("Nothing has been made on this computer."),
        tr("Check every character against the other device."),
    ),
    "join-code-unknown": lambda: (
        tr("No device waits under this code or number."),
        tr("It may be mistyped, or the five minutes are over. Nothing has been made on this computer."),
        tr("Check it, also the server's address, or show a new one on the other device."),
    ),
    "join-code-used": lambda: (
        tr("The code or number has been used already."),
        tr("It works once only. Nothing has been made on this computer."),
        tr("Show a new one on the other device. If it was not you who used it, tell IT security at once."),
    ),
    "join-conflict": lambda: (
        tr("Your devices changed at the same moment."),
        tr("The new device was not added."),
        tr("Begin again with a new code."),
    ),
    "no-qr": lambda: (
        tr("There is no such QR code."),
        tr("Nothing has been made on this computer."),
        tr("Show the whole code, larger or sharper, or type it in."),
    ),
}
