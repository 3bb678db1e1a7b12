# SPDX-License-Identifier: EUPL-1.2
"""Sentences about documents that are made from files, and files that are made from documents."""

from app.core.i18n import tr
from ui.errors.row import Rows


def _no_document() -> str:
    return tr("No document was made of it.")


def _no_file() -> str:
    return tr("No file was written. The document is as it was.")


CONVERSION: Rows = {
    "import-too-large": lambda: (
        tr("The file is too large."),
        _no_document(),
        tr("Files of at most 25 MB are read: remove large pictures from it, or divide it."),
    ),
    "import-bomb": lambda: (
        tr("The file unpacks to far more than a document holds."),
        tr("Such files are made to fill a computer. No document was made of it."),
        tr("Ask the sender what it is. If it came unasked, tell IT security."),
    ),
    "import-encrypted": lambda: (
        tr("The file is protected by a password."),
        _no_document(),
        tr("Open it in the program that it comes from, save it without a password, and import it then."),
    ),
    "import-damaged": lambda: (
        tr("The file is damaged, or is no Word document although its name says so."),
        _no_document(),
        tr("Open it in the program that it comes from, save it again as docx, and import that."),
    ),
    "import-doctype": lambda: (
        tr("The file declares things that no Word document declares."),
        tr("Such declarations can fill a computer or read its files. No document was made of it."),
        tr("Ask the sender to save it again in Word. If it came unasked, tell IT security."),
    ),
    "import-foreign": lambda: (
        tr("Files of this kind cannot be imported."),
        _no_document(),
        tr("Save it as docx, Markdown or plain text, and import that."),
    ),
    "import-empty": lambda: (
        tr("There is no text in the file."),
        _no_document(),
        tr("Check that it is the right file."),
    ),
    "conversion-died": lambda: (
        tr("The conversion broke off, or took too long."),
        tr("Nothing was made, and what was there before is as it was."),
        tr("Try again. If it happens again, save the file anew in the program that it comes from."),
    ),
    "conversion-unavailable": lambda: (
        tr("This computer does not let Kansli start the conversion."),
        tr("Nothing was made, and what was there before is as it was."),
        tr("Contact IT support."),
    ),
    "export-full": lambda: (
        tr("There is no room for the file."),
        _no_file(),
        tr("Free some space there, or choose another folder."),
    ),
    "export-failed": lambda: (
        tr("The file cannot be written there."),
        _no_file(),
        tr("Check that you may write in the folder and that no other program has the file open."),
    ),
    "print-off": lambda: (
        tr("Your organisation does not let documents be printed or saved as PDF."),
        tr("Nothing was printed or saved. The document is as it was."),
        tr("Read it in Kansli, or contact IT support."),
    ),
    "printer-refused": lambda: (
        tr("The printer takes nothing."),
        tr("Not all pages were printed. The document is as it was."),
        tr("Check that it is on and has paper, or choose another printer."),
    ),
}
