# SPDX-License-Identifier: EUPL-1.2
"""A printer, and the dialog in which a person chooses one. Import it only where something is printed: QtPrintSupport
takes 1 MB that few need."""

from PySide6.QtGui import QPageSize
from PySide6.QtPrintSupport import QAbstractPrintDialog, QPrintDialog, QPrinter
from PySide6.QtWidgets import QWidget

from ui.kit.dialogs import keep_no_places
from ui.kit.translate import tr


def new_printer() -> QPrinter:
    """A printer set to A4. ▲ The name of its jobs is "Document", not a title or a file's name: print servers list the
    names for everybody."""
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setDocName(tr("Document"))
    printer.setCreator("")
    printer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    return printer


def print_dialog(printer: QPrinter, parent: QWidget, *, may_export: bool) -> QPrintDialog:
    """The dialog that asks for a printer and for pages; open it by `show` (ui/kit/dialogs.py). `may_export`: whether
    policy lets the pages be printed into a file. ▲ A system's own dialog may offer a file all the same: check
    `printer.outputFileName` when the dialog is accepted."""
    keep_no_places()  # the dialog lets one choose a file
    dialog = QPrintDialog(printer, parent)
    dialog.setOption(QAbstractPrintDialog.PrintDialogOption.PrintToFile, may_export)
    dialog.setOption(QAbstractPrintDialog.PrintDialogOption.PrintPageRange, True)
    return dialog


def chosen_pages(printer: QPrinter, pages: int) -> range:
    """The pages, from 0, that the person chose in `printer` for something of so many `pages`; empty if it has none of
    them."""
    first = printer.fromPage() - 1 if printer.fromPage() else 0
    return range(first, min(printer.toPage() or pages, pages))
