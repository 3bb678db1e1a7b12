# SPDX-License-Identifier: EUPL-1.2
"""Shown pictures and PDFs are printed, where policy lets them be; into a real file, which is read again."""

from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.errors import ExportOff
from app.objects.files import Pasted
from app.viewing.errors import PrintRefused
from app.viewing.limits import MAX_PAGES
from tests.app.viewing import samples
from tests.office import ROOM, Desk
from tests.ui.viewer.conftest import PDF, PICTURE, TEXT, chat_of, open_named, send_all
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.viewer import printing
from ui.viewer.printing import print_pages

pytestmark = pytest.mark.slow  # each test starts processes


def into(path: Path) -> QPrinter:
    printer = QPrinter(QPrinter.PrinterMode.HighResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(path))
    return printer


def dark(path: Path, page: int = 0) -> int:
    """How many pixels of a printed page are not white, at 72 dots an inch."""
    with pdfium.PdfDocument(path) as found:
        pixels = bytes(found[page].render().buffer)
    return sum(1 for value in pixels if value < 250)


async def test_a_pdf_s_pages_and_a_picture_are_printed(hl: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    viewer = await open_named(view, hl, PDF)
    assert viewer.opened is not None
    told = list[tuple[int, int]]()
    await print_pages(viewer.opened, into(tmp_path / "a.pdf"), lambda done, pages: told.append((done, pages)))
    assert told == [(n, 5) for n in range(1, 6)]
    with pdfium.PdfDocument(tmp_path / "a.pdf") as found:
        assert len(found) == 5
    assert dark(tmp_path / "a.pdf", 4) > 500
    viewer = await open_named(view, hl, PICTURE)
    assert viewer.opened is not None
    await print_pages(viewer.opened, into(tmp_path / "b.pdf"), lambda done, pages: None)
    assert dark(tmp_path / "b.pdf") > 10_000


async def test_only_the_pages_that_were_chosen_are_printed(hl: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    await send_all(hl)
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    assert viewer.opened is not None
    printer = into(tmp_path / "a.pdf")
    printer.setFromTo(2, 3)
    await print_pages(viewer.opened, printer, lambda done, pages: None)
    with pdfium.PdfDocument(tmp_path / "a.pdf") as found:
        assert len(found) == 2
    printer.setFromTo(9, 9)
    with pytest.raises(PrintRefused):
        await print_pages(viewer.opened, printer, lambda done, pages: None)


async def test_a_wide_page_is_turned_to_fit_the_paper(hl: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    await hl.chat.send_file(ROOM, [Pasted(PDF, samples.pdf(size="0 0 800 400"))], "Ritning")
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    assert viewer.opened is not None
    await print_pages(viewer.opened, into(tmp_path / "a.pdf"), lambda done, pages: None)
    with pdfium.PdfDocument(tmp_path / "a.pdf") as found:
        assert found[0].get_height() > found[0].get_width()
    assert dark(tmp_path / "a.pdf") > 50


async def test_the_button_follows_the_policy_and_the_kind(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    viewer = await open_named(view, hl, PDF)
    assert viewer.tools.print.isVisible()
    assert (await open_named(view, hl, TEXT)).tools.print.isVisible() is False
    hl.chat.may_print = lambda: False
    viewer = await open_named(view, hl, PICTURE)
    assert not viewer.tools.print.isVisible()
    QTest.keyClick(viewer, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    assert viewer.findChildren(QPrintDialog) == []


@pytest.mark.parametrize("may_export", [True, False])
async def test_before_a_part_of_a_file_is_printed_it_is_said_how_many_pages(
    hl: Desk, qtbot: QtBot, may_export: bool
) -> None:
    hl.chat.may_export = lambda: may_export
    await hl.chat.send_file(ROOM, [Pasted(PDF, samples.pdf(MAX_PAGES + 1))], "Handlingarna å 🙂")
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    for prints in (False, True):
        QTest.keyClick(viewer, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: bool(viewer.findChildren(Dialog)))
        (question,) = viewer.findChildren(Dialog)
        assert question.windowTitle() == "Bara de första 10000 sidorna skrivs ut"
        said = " ".join(each.text() for each in question.findChildren(QLabel))
        assert PDF in said
        assert "Filen har fler sidor." in said
        assert ("Spara en kopia" in said) is may_export
        assert viewer.findChildren(QPrintDialog) == []
        question.done(prints)
        if prints:
            await until(lambda: bool(viewer.findChildren(QPrintDialog)))
            viewer.findChildren(QPrintDialog)[0].reject()
        await until(lambda: viewer._printing is not None and viewer._printing.done())
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert viewer.findChildren(QPrintDialog) == []


async def test_control_p_asks_for_a_printer_and_not_for_a_file_without_export(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    hl.chat.may_export = lambda: False
    viewer = await open_named(chat_of(hl, qtbot), hl, PDF)
    QTest.keyClick(viewer, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
    await until(lambda: bool(viewer.findChildren(QPrintDialog)))
    (dialog,) = viewer.findChildren(QPrintDialog)
    assert not dialog.testOption(QPrintDialog.PrintDialogOption.PrintToFile)
    assert dialog.printer().docName() == "Dokument"
    dialog.reject()
    await until(lambda: viewer._printing is not None and viewer._printing.done())
    assert viewer.tools.print.isEnabled()


async def test_attack_a_file_that_a_systems_own_dialog_offers_is_refused_without_export(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(dialog: QDialog) -> bool:
        assert isinstance(dialog, QPrintDialog)
        dialog.printer().setOutputFormat(QPrinter.OutputFormat.PdfFormat)
        dialog.printer().setOutputFileName(str(tmp_path / "ut å.pdf"))
        return True

    monkeypatch.setattr(printing, "show", answer)
    parent = QWidget()
    qtbot.addWidget(parent)
    assert await printing.choose_printer(parent, may_export=True) is not None
    with pytest.raises(ExportOff):
        await printing.choose_printer(parent, may_export=False)
