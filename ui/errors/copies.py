# SPDX-License-Identifier: EUPL-1.2
"""Sentences about files that are not opened in another program."""

from app.core.i18n import tr
from ui.errors.row import Rows


def _not_opened() -> str:
    return tr("It is not opened from Kansli.")


def _save() -> str:
    return tr("Save it only if you know what it is and trust who sent it. If it came unasked, tell IT security.")


COPIES: Rows = {
    "opens-program": lambda: (
        tr("The file is a program or a script, or holds one."),
        _not_opened(),
        _save(),
    ),
    "opens-macros": lambda: (
        tr("The file holds macros, which are programs."),
        _not_opened(),
        _save(),
    ),
    "opens-remote": lambda: (
        tr("When the file is opened, it fetches something from another computer."),
        tr("It is not opened from Kansli: that computer would see who opens it and when, and could send macros."),
        _save(),
    ),
    "opens-old-office": lambda: (
        tr("The file is in one of Office's old formats, which may hold macros."),
        _not_opened(),
        tr("Ask the sender for a copy in a newer format, such as docx. Save this one only if you trust who sent it."),
    ),
    "opens-unchecked": lambda: (
        tr("Kansli cannot see whether the file holds macros."),
        tr("It is damaged, too large, or protected by a password, and is not opened from Kansli."),
        _save(),
    ),
    "copy-in-use": lambda: (
        tr("Kansli is open twice with the same content on this computer."),
        tr("Files are opened in other programs only from the first one."),
        tr("Quit the other one, and try again."),
    ),
    "no-program": lambda: (
        tr("No program on this computer opened the file."),
        tr("The file itself is as it was."),
        tr("Save a copy, or ask IT support for a program that opens this kind of file."),
    ),
}
