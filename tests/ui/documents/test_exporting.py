# SPDX-License-Identifier: EUPL-1.2
"""Print, export and import as a person uses them: menus, keys, dialogs, dropping, and the sentences afterwards."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import language, set_language
from app.core.ids import ObjId
from app.documents.conversion.converter import Converter
from app.documents.files import DocumentFiles
from app.richtext.flow import Style, plain_blocks
from app.richtext.formats import Taken
from tests.app.documents import made_files
from tests.app.documents.desks import Desk, World
from tests.office import EK, HL, NAMES, ROOM
from tests.ui.documents.shown_documents import show
from tests.ui.documents.test_paper import needs_pdftotext, text_of
from tests.world import until
from ui.documents import exporting, imported, preview
from ui.documents.paper import Paper, a4
from ui.documents.preview import PrintPreview
from ui.documents.view import DocumentsView
from ui.errors import code_of
from ui.kit.tasks import Again
from ui.tool_views import ActingView


class Asked(NamedTuple):
    """What a file dialog was asked to propose."""

    name: str
    filters: str
    suffix: str


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    before = language()
    set_language("sv")
    made = World(tmp_path / "world")
    yield made
    made.close()
    set_language(before)


@pytest.fixture
def hl(world: World) -> Desk:
    return world.add(HL)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Asked]:
    """A person who saves everything where it is proposed, in tmp_path."""
    found: list[Asked] = []

    async def answer(_parent: QWidget, _title: str, name: str, filters: str = "", suffix: str = "") -> Path | None:
        found.append(Asked(name, filters, suffix))
        return tmp_path / name

    monkeypatch.setattr(exporting, "save_file", answer)
    return found


def decision(desk: Desk, title: str = "Beslut: 1/2 å") -> ObjId:
    obj = desk.documents.create(ROOM, title)
    document = desk.documents.open(obj)
    document.splice(0, 0, "Skäl ö 🙂\nPunkt")
    document.set_styles(0, [Style(heading=1), Style(list="ol", indent=1)])
    desk.documents.close(obj)
    return obj


def chosen(menu: QWidget | None, text: str) -> None:
    assert isinstance(menu, QMenu)
    next(action for action in menu.actions() if action.text().replace("&", "") == text).trigger()


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def drop(view: DocumentsView, *paths: Path) -> bool:
    """Drops files on the list; whether it takes them."""
    mime, at = QMimeData(), QPointF(300, 300).toPoint()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, none, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    enter = QDragEnterEvent(at, copy, mime, left, none)
    enter.ignore()
    QApplication.sendEvent(view.list, enter)
    if enter.isAccepted():
        QApplication.sendEvent(view.list, QDropEvent(QPointF(at), copy, mime, left, none))
    return enter.isAccepted()


@pytest.mark.parametrize(
    ("text", "suffix", "begins"),
    [("Word (docx) …", "docx", b"PK"), ("PDF …", "pdf", b"%PDF"), ("Markdown …", "md", "# Skäl ö 🙂".encode())],
)
async def test_a_document_is_exported_from_its_menu_and_from_the_lists(
    qtbot: QtBot, hl: Desk, tmp_path: Path, asked: list[Asked], text: str, suffix: str, begins: bytes
) -> None:
    view = show(qtbot, hl, decision(hl))
    assert view.document is not None
    view.document.more.click()
    chosen(QApplication.activePopupWidget(), text)
    target = tmp_path / f"Beslut_ 1-2 å.{suffix}"
    await until(target.exists)
    assert target.read_bytes().startswith(begins)
    assert (asked[0].name, asked[0].suffix) == (target.name, suffix)
    assert asked[0].filters.endswith(f"(*.{suffix})")
    view.show_list()
    view.list._on_menu(view.list.documents.rows.rows[0].obj, view.list.mapToGlobal(view.list.rect().center()))
    chosen(QApplication.activePopupWidget(), text)
    await until(lambda: len(asked) == 2)


@needs_pdftotext
async def test_a_pdf_holds_no_deleted_text_and_nobodys_name(
    qtbot: QtBot, world: World, hl: Desk, tmp_path: Path, asked: list[Asked]
) -> None:
    ek, obj = world.add(EK), decision(hl, "Beslut")
    world.deliver()
    document = ek.documents.open(obj)
    document.splice(0, 0, "kanariefågel ")
    document.splice(0, len("kanariefågel "), "")
    document.splice(document.length_utf16, 0, "\nSlut")
    ek.documents.close(obj)
    world.deliver()
    show(qtbot, hl, obj).doable()["export-pdf"]()
    target = tmp_path / "Beslut.pdf"
    await until(target.exists)
    data = target.read_bytes()
    (shown,) = text_of(data)
    assert "Slut" in shown
    for word in ("kanariefågel", *NAMES.values()):
        assert word not in shown
        assert word.encode() not in data
        assert word.encode("utf-16-be") not in data


@pytest.mark.parametrize(("export", "printing"), [(False, True), (True, False)])
async def test_policy_refuses_before_anybody_is_asked_where(
    qtbot: QtBot,
    hl: Desk,
    asked: list[Asked],
    errors_shown: list[tuple[Exception, Again]],
    export: bool,
    printing: bool,
) -> None:
    view = show(qtbot, hl, decision(hl))
    files, does = hl.documents.files, view.doable()
    files.may_export, files.may_print = lambda: export, lambda: printing
    refused = "print-off" if export else "export-off"
    does["export-pdf"]()  # offered before the policy came
    await until(lambda: bool(errors_shown))
    does["print" if export else "export-docx"]()
    await until(lambda: len(errors_shown) == 2)
    assert [code_of(error) for error, _ in errors_shown] == [refused] * 2
    assert asked == []


@pytest.mark.parametrize(("export", "printing"), [(False, True), (True, False), (True, True)])
def test_menus_and_commands_offer_what_policy_allows_and_say_why_not(
    qtbot: QtBot, hl: Desk, export: bool, printing: bool
) -> None:
    view = show(qtbot, hl, decision(hl))
    hl.documents.files.may_export, hl.documents.files.may_print = lambda: export, lambda: printing
    allowed = {
        "Skriv ut …": printing,
        "Word (docx) …": export,
        "PDF …": export and printing,
        "Markdown …": export,
    }
    names = dict(zip(("print", "export-docx", "export-pdf", "export-markdown"), allowed.values(), strict=True))
    assert {name for name in names if name in view.doable()} == {name for name, is_there in names.items() if is_there}
    assert view.document is not None
    assert view.document.more.accessibleName() == "Mer om dokumentet", "it holds more than printing and exporting"
    view.document.more.click()
    for _ in range(2):
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        actions = {action.text().replace("&", ""): action.isEnabled() for action in menu.actions()}
        assert {text: actions[text] for text in allowed} == allowed
        said = "\n".join(actions)
        assert ("tillåter inte att filer sparas utanför Kansli" in said) is not export
        assert ("tillåter inte att dokument skrivs ut" in said) is not printing
        menu.close()
        view.show_list()
        view.list._on_menu(view.list.documents.rows.rows[0].obj, view.list.mapToGlobal(view.list.rect().center()))


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
    dialog = PrintPreview(show(qtbot, hl), hl.documents.files, obj)
    qtbot.addWidget(dialog)
    dialog.open()
    await until(lambda: dialog.paper is not None)
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
    dialog = PrintPreview(show(qtbot, hl), hl.documents.files, decision(hl))
    qtbot.addWidget(dialog)
    dialog.open()
    await until(lambda: dialog.paper is not None)
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
    dialog = PrintPreview(show(qtbot, hl), hl.documents.files, decision(hl))
    qtbot.addWidget(dialog)
    dialog.open()
    await until(lambda: dialog.paper is not None)
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


async def test_a_file_becomes_a_document_that_opens_with_what_it_lost(
    qtbot: QtBot, hl: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = f"<w:tc>{made_files.paragraph('a')}</w:tc><w:tc>{made_files.paragraph('b')}</w:tc>"
    inside = made_files.paragraph("Beslut å") + f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
    inside += '<w:p><w:r><w:footnoteReference w:id="2"/></w:r></w:p>'
    path = written(tmp_path, "Yttrande.docx", made_files.docx(inside))

    async def choose(_parent: QWidget, _title: str, filters: str = "") -> list[Path]:
        assert "*.docx" in filters
        return [path]

    monkeypatch.setattr("ui.documents.view.open_files", choose)
    view = show(qtbot, hl)
    assert view.list.import_button.isVisible()
    view.list.import_button.click()
    await until(lambda: view.document is not None)
    assert view.document is not None
    assert view.document.title.text() == "Yttrande"
    assert view.document.editor.toPlainText() == "Beslut å\na\tb\n"
    assert view.document.left_out_bar.text() == (
        "1 tabell och 1 fotnot kunde inte följa med. Tabellernas text finns med, med tabbar mellan cellerna."
    )
    assert not view.list.importing.isVisibleTo(view.list)


async def test_files_are_dropped_on_the_list_and_each_says_what_became_of_it(
    qtbot: QtBot, hl: Desk, tmp_path: Path
) -> None:
    view = show(qtbot, hl)
    paths = [
        written(tmp_path, "a.md", b"# Rubrik\n\n![x](y.png)\n"),
        written(tmp_path, "hemlig.docx", made_files.encrypted()),
        written(tmp_path, "b.txt", "å".encode()),
    ]
    assert drop(view, *paths)
    await until(lambda: len(hl.documents.list(ROOM)) == 2 and view.list.importing.bar.isVisible())
    shown = view.list.importing.bar.text().split("\n")
    assert shown[0] == "”a”: 1 bild kunde inte följa med."
    assert shown[1].startswith("”hemlig.docx” importerades inte. Filen är skyddad med lösenord.")
    assert view.list.importing.bar._code.text() == "Kod: import-encrypted"
    assert view.currentWidget() is view.list
    view.list.importing.bar._button.click()
    assert not view.list.importing.isVisible()


def marks(view: DocumentsView) -> list[str]:
    """The label over the list while files are dragged there."""
    return [mark.text() for mark in view.list.findChildren(QLabel) if mark.isVisible() and "Släpp" in mark.text()]


@pytest.mark.parametrize("empty", [True, False])
def test_a_mark_over_the_list_says_that_files_can_be_dropped(
    qtbot: QtBot, hl: Desk, tmp_path: Path, empty: bool
) -> None:
    if not empty:
        decision(hl)
    view = show(qtbot, hl)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(written(tmp_path, "a.md", b"# a")))])
    left, none, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    assert marks(view) == []
    QApplication.sendEvent(view.list, QDragEnterEvent(view.list.rect().center(), copy, mime, left, none))
    assert marks(view) == ["Släpp filerna för att importera dem"]
    over = view.list.childAt(view.list.rect().center())
    assert over is not None
    assert not over.acceptDrops()  # the drop goes to the list
    QApplication.sendEvent(view.list, QDragLeaveEvent())
    assert marks(view) == []


async def test_who_may_only_read_is_offered_no_import(qtbot: QtBot, hl: Desk, tmp_path: Path) -> None:
    hl.rooms.writes = False
    view = show(qtbot, hl)
    assert not view.list.import_button.isVisible()
    assert "import" not in view.doable()
    assert not drop(view, written(tmp_path, "a.txt", b"a"))


async def test_an_import_that_takes_long_shows_its_file_and_can_be_cancelled(
    qtbot: QtBot, hl: Desk, tmp_path: Path
) -> None:
    hl.documents.files = DocumentFiles(hl.documents, Converter(["sleep", "60"]))
    view = show(qtbot, hl)
    view.import_files([written(tmp_path, "a.txt", b"a")])
    await until(lambda: view.list.importing.row is not None)
    row = view.list.importing.row
    assert row is not None
    assert row._text.text() == "Importerar a.txt …" or "a.txt" in row._bar.accessibleName()
    view.import_files([written(tmp_path, "b.txt", b"b")])
    view._cancel_import()
    await until(lambda: view._importing is not None and view._importing.done())
    await asyncio.sleep(0)
    assert view.list.importing.row is None
    assert hl.documents.list(ROOM) == []


def test_the_windows_commands_do_what_is_open(qtbot: QtBot, hl: Desk) -> None:
    view = show(qtbot, hl)
    assert isinstance(view, ActingView)
    assert set(view.doable()) == {"import"}
    obj = decision(hl)
    view.open(obj)
    assert set(view.doable()) == {"print", "export-docx", "export-pdf", "export-markdown", "import"}
    view.show_list()
    assert view.list.current() == obj
    assert "print" in view.doable(), "Ctrl+P, which the row's menu shows, prints the current row"


@pytest.mark.parametrize(
    ("language_of", "sentence"),
    [
        ("sv", "2 tabeller, 3 bilder, 1 fotnot och filens makron kunde inte följa med."),
        ("en", "2 tables, 3 pictures, 1 footnote and the file's macros could not come along."),
    ],
)
def test_what_is_lost_is_shown_by_kind_and_count(language_of: str, sentence: str) -> None:
    before = language()
    set_language(language_of)
    try:
        lost = Taken(blocks=[], pictures=3, tables=2, others=(("footnotes", 1), ("macros", 1)))
        assert imported.losses(lost).startswith(sentence)
        assert imported.losses(Taken(blocks=[])) == ""
    finally:
        set_language(before)


def test_a_file_is_named_after_the_document_as_far_as_names_go() -> None:
    assert exporting.file_name("Beslut 2026/1184: å?") == "Beslut 2026-1184_ å_"
    assert exporting.file_name("") == exporting.file_name("...") != ""
    assert len(exporting.file_name("å" * 200).encode()) < 200
