# SPDX-License-Identifier: EUPL-1.2
"""Sentences about what is stored on this computer, and what its settings allow."""

from app.core.i18n import tr
from ui.errors.row import Rows

STORAGE: Rows = {
    "store-corrupt": lambda: (
        tr("The stored data is damaged."),
        tr("Kansli has changed nothing. What others have received is still with them and on the server."),
        tr("Contact IT support; keep the computer as it is until then."),
    ),
    "store-closed": lambda: (
        tr("Kansli is being locked or ended."),
        tr("What you did just now could not be saved."),
        tr("Unlock Kansli and do it again."),
    ),
    "worker-died": lambda: (
        tr("What a colleague wrote could not be checked."),
        tr("It is kept, but not shown. Everything else is as before."),
        tr("Kansli tries again at the next start; if it remains, contact IT support."),
    ),
    "worker-unavailable": lambda: (
        tr("What colleagues write cannot be checked on this computer."),
        tr("It is kept and shown once it can be checked. What you write yourself is sent as usual."),
        tr("Contact IT support."),
    ),
    "store-older": lambda: (
        tr("The stored data comes from a trial version of Kansli."),
        tr("This version has another format and cannot read it. Nothing has been changed."),
        tr("Contact IT support: the account must be set up again on this computer."),
    ),
    "store-newer": lambda: (
        tr("The stored data comes from a newer version of Kansli."),
        tr("This version must not open it, so nothing has been changed."),
        tr("Update Kansli and start again."),
    ),
    "store-missing": lambda: (
        tr("There is no stored data for this account."),
        tr("The files may have been moved or removed."),
        tr("Contact IT support before you begin again with a new activation code."),
    ),
    "store-unwritable": lambda: (
        tr("The disk refuses to read or write."),
        tr("The last change could not be saved."),
        tr("Check that the disk works and that you may write to it, and try again."),
    ),
    "not-stored": lambda: (
        tr("Something that you wrote could not be saved because of an error in Kansli."),
        tr("It is kept until Kansli is locked or quit."),
        tr("Try again; if it remains, contact IT support."),
    ),
    "disk-full": lambda: (
        tr("The disk is full."),
        tr("The last change was not saved; everything before it is."),
        tr("Free some space and try again."),
    ),
    "no-room-offline": lambda: (
        tr("There is no room to keep this on the computer."),
        tr("Together with what is kept already it is more than the limit for received files."),
        tr("Raise the limit under Settings, Received files, or remove other files there."),
    ),
    "backup-failed": lambda: (
        tr("The copy could not be made."),
        tr("Your data is untouched."),
        tr("Choose another place and try again."),
    ),
    "file-too-large": lambda: (
        tr("The file is too large."),
        tr("It has not been sent."),
        tr("Send a file of at most 256 MB, or divide it."),
    ),
    "bad-file-name": lambda: (
        tr("The file's name cannot be used."),
        tr("It holds a path or invisible characters, and has not been sent or saved."),
        tr("Give the file another name and try again."),
    ),
    "file-unreadable": lambda: (
        tr("The file cannot be read or written."),
        tr("Nothing has been sent or saved."),
        tr("Check that the file is there and that you may open it."),
    ),
    "setting-locked": lambda: (
        tr("The setting is managed by your organisation."),
        tr("It has not been changed."),
        tr("Contact IT support if you need another value."),
    ),
    "server-not-allowed": lambda: (
        tr("This server may not be used."),
        tr("Your organisation has decided which servers Kansli may use on this computer."),
        tr("Use the server that your organisation names, or contact IT support."),
    ),
    "export-off": lambda: (
        tr("Your organisation does not let files be saved outside Kansli."),
        tr("Nothing has been saved. The file is still in the room."),
        tr("Read it in Kansli, or contact IT support."),
    ),
    "bad-setting": lambda: (
        tr("The value does not suit the setting."),
        tr("It has not been changed."),
        tr("Choose another value."),
    ),
}
