# SPDX-License-Identifier: EUPL-1.2
"""Files that become documents: chosen or dropped, what each of them lost, and an import that is cancelled."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import language, set_language
from app.documents.conversion.converter import Converter
from app.documents.files import DocumentFiles
from app.richtext.formats import Taken
from tests.app.documents import made_files
from tests.app.documents.desks import Desk
from tests.office import ROOM
from tests.ui.documents.shown_documents import decision, show
from tests.world import until
from ui.documents import imported
from ui.documents.view import DocumentsView


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
    hl.documents.files = DocumentFiles(hl.store.db, hl.documents, Converter(["sleep", "60"]))
    view = show(qtbot, hl)
    view.import_files([written(tmp_path, "a.txt", b"a")])
    await until(lambda: view.list.importing.row is not None)
    row = view.list.importing.row
    assert row is not None
    assert row._bar.accessibleName() == "Importerar a.txt …"
    view.import_files([written(tmp_path, "b.txt", b"b")])
    view._cancel_import()
    await until(lambda: view._importing is not None and view._importing.done())
    await asyncio.sleep(0)
    assert view.list.importing.row is None
    assert hl.documents.list(ROOM) == []


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
