# SPDX-License-Identifier: EUPL-1.2
"""Sentences about a room's history: what cannot be verified, opened or written."""

from app.core.i18n import tr
from ui.errors.row import Row, Rows


def _unreadable() -> Row:
    return (
        tr("The server and Kansli do not understand each other."),
        tr("What could not be read was left out. What you have written is kept."),
        tr("Kansli tries again by itself. Contact IT support if it goes on."),
    )


TRUST: Rows = {
    "fork": lambda: (
        tr("The server has shown members different histories of the room."),
        tr("Nothing more is taken in. What you have is kept."),
        tr("Write nothing sensitive there, and contact IT security."),
    ),
    "rollback": lambda: (
        tr("The server no longer has what it confirmed earlier."),
        tr("Your own copy is kept and nothing is overwritten."),
        tr("Contact IT security."),
    ),
    "restored": lambda: (
        tr("The server has been restored from a backup."),
        tr("What you have is kept and is handed in again by itself."),
        tr("You need do nothing. Contact IT support if this is still shown tomorrow."),
    ),
    "closed": lambda: (
        tr("The room takes nothing new until the server has got back what it lost."),
        tr("What you write is kept and sent when the room is open again."),
        tr("You need do nothing. It opens when the members' computers have been online."),
    ),
    "old-format": lambda: (
        tr("The room was made by a version of Kansli from before the first release."),
        tr("It cannot be opened. Nothing is lost in your other rooms."),
        tr("Make a new room. IT support can tell where the old one's content is."),
    ),
    "not-seasoned": lambda: (
        tr("Whoever approves must have been an administrator for seven days."),
        tr("This computer counts the days by its own clock too. The approval stands; the history was not given."),
        tr("Try again later, or ask another administrator."),
    ),
    "too-many-rooms": lambda: (
        tr("The person is in as many rooms as Kansli can hold."),
        tr("Nobody was added. Everything else in the room is as before."),
        tr("Ask the person to leave rooms that are not used any more."),
    ),
    "unanswered": lambda: (
        tr("The person has not answered fifty of your invitations."),
        tr("Nobody was added. Earlier invitations stay open."),
        tr("Ask the person to answer them in Kansli, then add them again."),
    ),
    "unreadable": lambda: (
        tr("Kansli cannot follow this room on this computer."),
        tr("What is stored of it cannot be read, or taking in what came failed. Your other rooms go on."),
        tr("Start Kansli again. If that does not help, send the report to IT security."),
    ),
    "withheld": lambda: (
        tr("The server does not hand over everything."),
        tr("Something that the history names is missing here."),
        tr("Contact IT security."),
    ),
    "unknown-room": lambda: (
        tr("The server does not have this room."),
        tr("You may have been removed from it. What you have is readable."),
        tr("Ask one of its members."),
    ),
    "stale": lambda: (
        tr("The room changed while you wrote."),
        tr("Kansli takes in what is new and sends yours again."),
        tr("You need do nothing."),
    ),
    "conflict": lambda: (
        tr("Someone else changed the same thing at the same moment."),
        tr("Your change was not made."),
        tr("Look at what it says now and try again."),
    ),
    "rotation-owed": lambda: (
        tr("The room is getting a new key."),
        tr("What you write is sent when that is done."),
        tr("You need do nothing."),
    ),
    "seals": lambda: (
        tr("The room's key did not reach everybody."),
        tr("The change was not made."),
        tr("Try again."),
    ),
    "signature": lambda: (
        tr("Something received has a false signature."),
        tr("It is not shown."),
        tr("Contact IT security."),
    ),
    "decrypt": lambda: (
        tr("Something received cannot be opened."),
        tr("It is not shown; everything else works as usual."),
        tr("Tell IT support if something is missing."),
    ),
    "malformed": _unreadable,
    "encoding": _unreadable,
    "oversize": _unreadable,
    "other-room": _unreadable,
    "blob-missing": lambda: (
        tr("The file is not on the server."),
        tr("It cannot be fetched."),
        tr("Ask the sender to send it again."),
    ),
    "part-unreadable": lambda: (
        tr("A file that waits to be sent is damaged or gone on this computer."),
        tr("It is not sent, nor the message that it belongs to. Everything else is."),
        tr("Send the file again."),
    ),
}
