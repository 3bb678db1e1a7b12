# SPDX-License-Identifier: EUPL-1.2
"""Sentences about the connection to the server, and the server's refusals."""

from app.core.i18n import tr
from ui.errors.row import Rows

CONNECTION: Rows = {
    "unreachable": lambda: (
        tr("The server does not answer."),
        tr("You can go on reading and writing; it is sent when the connection is back."),
        tr("Check the network. Kansli tries again by itself."),
    ),
    "too-slow": lambda: (
        tr("The file came to a halt: the server sends or takes too little at a time."),
        tr("Nothing is lost. What you send is kept on this computer until the server has it."),
        tr("Check the network. Kansli sends again by itself; fetch a file once more by choosing it."),
    ),
    "certificate": lambda: (
        tr("The server cannot prove who it is."),
        tr("Kansli does not connect, since someone else could be listening."),
        tr("Check the address. Contact IT support if it is right."),
    ),
    "update-needed": lambda: (
        tr("A newer version of Kansli is needed."),
        tr("What you have is readable, but cannot be synchronised."),
        tr("Update Kansli and start again."),
    ),
    "client-old": lambda: (
        tr("Your organisation asks for a newer version of Kansli."),
        tr("You can go on reading and writing; it is sent once this computer has the newer version."),
        tr("Start Kansli again. If this is still shown, ask IT support to update Kansli on this computer."),
    ),
    "bad-address": lambda: (
        tr("The server's address cannot be used."),
        tr("Kansli connects only to a named server, and only sealed (https)."),
        tr("Check the address, or paste the link from your agency."),
    ),
    "bad-ca-file": lambda: (
        tr("The agency's certificates are not where they should be."),
        tr("Kansli connects to nothing until it can check that the server is your agency's. Nothing is lost."),
        tr("Contact IT support: the file that the setting ca-file names is missing or is no certificate."),
    ),
    "version": lambda: (
        tr("The server and this Kansli do not speak the same version."),
        tr("What you have is readable, but cannot be synchronised."),
        tr("Update Kansli, or tell IT support that the server is old."),
    ),
    "clock-off": lambda: (
        tr("The computer's clock is wrong."),
        tr("Nothing can be synchronised until it is right."),
        tr("Set date and time, preferably automatically."),
    ),
    "clock": lambda: (
        tr("The computer's clock is wrong."),
        tr("Nothing can be synchronised until it is right."),
        tr("Set date and time, preferably automatically."),
    ),
    "wrong-agency": lambda: (
        tr("The server belongs to another agency."),
        tr("Kansli does not connect to it."),
        tr("Check the address and the activation code."),
    ),
    "auth": lambda: (
        tr("The server did not accept the signature of this device."),
        tr("Nothing is synchronised. What you have is readable."),
        tr("Contact IT support."),
    ),
    "unknown-user": lambda: (
        tr("The server does not know this account."),
        tr("Nothing is synchronised. What you have is readable."),
        tr("Check the server's address, or contact IT support."),
    ),
    "busy": lambda: (
        tr("The server has much to do."),
        tr("What you write is kept and sent soon."),
        tr("Wait a little. Kansli tries again by itself."),
    ),
    "internal": lambda: (
        tr("Something went wrong on the server."),
        tr("What you write is kept and sent later."),
        tr("Wait a little. Contact IT support if it goes on."),
    ),
    "full": lambda: (
        tr("The server has no room left, or its disk fails."),
        tr("What you write is kept on this computer and sent when there is room."),
        tr("Tell IT support. Kansli tries again by itself."),
    ),
    "quota": lambda: (
        tr("The server's storage for you or the room is full."),
        tr("What you write is kept on this computer but not sent."),
        tr("Contact IT support."),
    ),
    "code-unknown": lambda: (
        tr("The activation code is not right."),
        tr("Nothing has been registered."),
        tr("Check every character, or ask for a new code."),
    ),
    "code": lambda: (
        tr("The activation code is not right."),
        tr("Nothing has been registered."),
        tr("Check every character, or ask for a new code."),
    ),
    "code-used": lambda: (
        tr("The activation code has been used already."),
        tr("A code works once only."),
        tr("Ask for a new one. If it was not you who used it, tell IT security at once."),
    ),
    "code-expired": lambda: (
        tr("The activation code is too old."),
        tr("Nothing has been registered."),
        tr("Ask for a new code."),
    ),
    "code-withdrawn": lambda: (
        tr("The activation code has been withdrawn by your agency."),
        tr("It cannot be used any more. Nothing has been registered."),
        tr("Ask IT support whether there is a new code for you."),
    ),
}
