# SPDX-License-Identifier: EUPL-1.2
"""Sentences about the daily work in rooms: roles, messages, and records that cannot be read."""

from app.chat.records import MAX_ATTACHMENTS
from app.core.i18n import tr
from ui.errors.row import Rows

OFFICE: Rows = {
    "forbidden": lambda: (
        tr("Your role does not allow this."),
        tr("Nothing has been changed."),
        tr("Ask an administrator or the owner of the room."),
    ),
    "member": lambda: (
        tr("The person is a member of the room already."),
        tr("The role, and what the person may read, have not been changed."),
        tr("To change the role, use the person's menu among the members."),
    ),
    "may-not-write": lambda: (
        tr("You may not write in this room any more."),
        tr("What you wrote is kept on this computer, but not sent."),
        tr("Ask an administrator or the owner of the room."),
    ),
    "not-found": lambda: (
        tr("It is no longer here."),
        tr("It may have been removed, or not arrived yet."),
        tr("Try again in a while."),
    ),
    "empty-message": lambda: (
        tr("The message is empty."),
        tr("There is nothing to send."),
        tr("Write something or attach a file."),
    ),
    "message-too-long": lambda: (
        tr("The message is too long."),
        tr("It has not been sent; the text is still there."),
        tr("Divide it, or put it in a document."),
    ),
    "file-in-old-room": lambda: (
        tr("The file is in the room that this one continues."),
        tr("You cannot fetch it from there: you were no member, or the file was removed. Only the file is missing."),
        tr("Ask a colleague who has the file to send it again here."),
    ),
    "too-many-files": lambda: (
        tr("These are too many files for one message."),
        tr("Nothing has been sent; the text and the files are still there."),
        tr("Send at most {count} files at a time.").format(count=MAX_ATTACHMENTS),
    ),
    "bad-change": lambda: (
        tr("Something received could not be understood."),
        tr("It is kept, and everything else works as usual."),
        tr("Tell IT support if something is missing."),
    ),
    "format-newer": lambda: (
        tr("Something received comes from a newer version of Kansli."),
        tr("It is kept, and everything else works as usual."),
        tr("Update Kansli to see it."),
    ),
    "damaged-update": lambda: (
        tr("Something received could not be understood."),
        tr("It is kept, and everything else works as usual."),
        tr("Tell IT support if something is missing."),
    ),
    "bad-record": lambda: (
        tr("Something received could not be understood."),
        tr("It is kept, and everything else works as usual."),
        tr("Tell IT support if something is missing."),
    ),
    "bug": lambda: (
        tr("Something went wrong in Kansli."),
        tr("What you have written is saved."),
        tr("Try again. If it happens again, give IT support the code below."),
    ),
}
