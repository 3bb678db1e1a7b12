# SPDX-License-Identifier: EUPL-1.2
"""A document on paper: its preview, the printer that takes it, and the pages that a person asks for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QPainter
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from app.core.ids import ObjId
from app.richtext.flow import plain_blocks
from tests.app.documents.desks import Desk
from tests.ui.documents.shown_documents import decision, show
from tests.world import until
from ui.documents import preview
from ui.documents.paper import Paper, a4
from ui.documents.preview import PrintPreview


async def previewed(qtbot: QtBot, hl: Desk, obj: ObjId) -> PrintPreview:
    """The preview of a document, with its pages."""
    dialog = PrintPreview(show(qtbot, hl), hl.documents.files, obj)
    qtbot.addWidget(dialog)
    dialog.open()
    await until(lambda: dialog.paper is not None)
    return dialog


async def test_the_preview_shows_numbered_pages_that_the_keys_scroll(qtbot: QtBot, hl: Desk) -> None:
    obj = decision(hl)
    document = hl.documents.open(obj)
    document.splice(document.length_utf16, 0, "\nrad" * 150)
    hl.documents.close(obj)
    parent = show(qtbot, hl)
    dialog = PrintPreview(parent, hl.documents.files, obj)
    qtbot.addWidget(dialog)
    dialog.open()
    assert dialog.accessibleName() == "Skriv ut ”Beslut: 1/2 å”"
    assert not dialog.accept_button.isEnabled()
    await until(lambda: dialog.paper is not None)
    assert dialog.accept_button.isEnabled()
    assert dialog.count.text() == "Sida 1 av 5"
    assert dialog.focusWidget() is dialog.pages
    QTest.keyClick(dialog.pages, Qt.Key.Key_End)
    assert dialog.count.text() == "Sida 5 av 5"
    assert dialog.pages.accessibleName() == "Förhandsgranskning"
    assert dialog.pages.accessibleDescription() == "Sida 5 av 5"
    QTest.keyClick(dialog.pages, Qt.Key.Key_Home)
    picture = dialog.pages.viewport().grab().toImage()
    colours = {picture.pixel(x, y) for x in range(0, picture.width(), 3) for y in range(0, picture.height(), 3)}
    assert 0xFFFFFFFF in colours
    assert len(colours) > 10
    dialog.reject()


@pytest.mark.parametrize("export", [True, False])
async def test_the_pages_go_to_the_printer_that_is_chosen(
    qtbot: QtBot, hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, export: bool
) -> None:
    """And a printer that is a file is offered only where files may be saved."""
    obj, offered = decision(hl), list[bool]()

    async def answer(dialog: QDialog) -> bool:
        assert isinstance(dialog, QPrintDialog)
        offered.append(dialog.testOption(QPrintDialog.PrintDialogOption.PrintToFile))
        printer = dialog.printer()
        assert printer.docName() == "Dokument", "print servers show the names of jobs to everybody"
        printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        printer.setOutputFileName(str(tmp_path / "ut.pdf"))
        return True

    monkeypatch.setattr(preview, "show", answer)
    hl.documents.files.may_export = lambda: export
    dialog = await previewed(qtbot, hl, obj)
    dialog.accept()
    if export:
        await until(lambda: dialog.result() == QDialog.DialogCode.Accepted.value)
        assert (tmp_path / "ut.pdf").read_bytes().startswith(b"%PDF")
    else:
        await until(lambda: "export-off" in dialog.error.text())
        assert not (tmp_path / "ut.pdf").exists()
    assert offered == [export]
    assert QSettings().fileName().startswith(os.devnull), "where Qt's own file dialog would keep the folders"


async def test_a_printer_that_takes_nothing_is_shown_in_the_preview(
    qtbot: QtBot, hl: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(dialog: QDialog) -> bool:
        assert isinstance(dialog, QPrintDialog)
        dialog.printer().setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        dialog.printer().setOutputFileName("/proc/none/ut.pdf")
        return True

    monkeypatch.setattr(preview, "show", answer)
    dialog = await previewed(qtbot, hl, decision(hl))
    dialog.accept()
    await until(lambda: "printer-refused" in dialog.error.text())
    assert dialog.accept_button.isEnabled()


async def test_pages_that_the_document_does_not_have_are_not_printed(
    qtbot: QtBot, hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(dialog: QDialog) -> bool:
        assert isinstance(dialog, QPrintDialog)
        dialog.printer().setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        dialog.printer().setOutputFileName(str(tmp_path / "ut.pdf"))
        dialog.printer().setFromTo(7, 8)
        return True

    monkeypatch.setattr(preview, "show", answer)
    dialog = await previewed(qtbot, hl, decision(hl))
    dialog.accept()
    await until(dialog.error.isVisible)
    assert dialog.error.text() == "Dokumentet har 1 sida."
    assert dialog.accept_button.isEnabled()
    assert not (tmp_path / "ut.pdf").exists()


async def test_only_the_pages_that_are_asked_for_are_printed(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper = Paper("å", plain_blocks("rad\n" * 300), a4())
    await paper.lay_out()
    printer, painted = preview.new_printer(), list[int]()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "ut.pdf"))
    printer.setFromTo(2, 3)
    painting = paper.painting

    def noted(painter: QPainter, page: int) -> Iterator[None]:
        painted.append(page)
        return painting(painter, page)

    monkeypatch.setattr(paper, "painting", noted)
    await preview.send(paper, printer, lambda _n, _count: None)
    assert painted == [1, 2]
