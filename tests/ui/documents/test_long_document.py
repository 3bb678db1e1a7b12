# SPDX-License-Identifier: EUPL-1.2
"""A long document is read in parts before it is shown, and the window answers meanwhile."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.core.ids import ObjId
from app.documents import service
from app.errors import StoreCorrupt
from app.objects import loading
from app.richtext import flow
from tests.app.documents import made_files
from tests.app.documents.desks import Desk
from tests.counting import crdt_docs
from tests.office import ROOM
from tests.ui.documents.shown_documents import opened, show
from tests.ui.tasks.boards import named
from tests.ui.walking import check
from tests.world import until
from ui.documents.document_view import DocumentView
from ui.documents.view import DocumentsView
from ui.tool_views import ViewPlace

LINES = [f"Stycke {n} å 🙂" for n in range(60)]


@pytest.fixture
def obj(hl: Desk, monkeypatch: pytest.MonkeyPatch) -> ObjId:
    """A document that counts as long."""
    monkeypatch.setattr(service, "_LONG_CHANGES", 20)
    monkeypatch.setattr(loading, "LOADED_AT_ONCE", 5)
    monkeypatch.setattr(flow, "BLOCKS_AT_ONCE", 10)
    made = hl.documents.create(ROOM, "Beslut å")
    document = hl.documents.open(made)
    for line in LINES:
        document.splice(document.length_utf16, 0, f"{line}\n")
    hl.documents.close(made)
    return made


def is_shown(view: DocumentsView) -> Callable[[], bool]:
    return lambda: view.document is not None


async def test_a_long_document_is_read_in_parts_and_then_shown(qtbot: QtBot, hl: Desk, obj: ObjId) -> None:
    view = show(qtbot, hl)
    view.open(obj)
    assert view.currentWidget() is view.opening
    assert "print" not in view.doable(), "nothing that is shown can be printed"
    check(view)
    turns = 0
    while view.document is None:
        turns += 1
        await asyncio.sleep(0)
    assert turns > len(LINES) / 5 + len(LINES) / 10
    assert opened(view).editor.toPlainText().split("\n")[: len(LINES)] == LINES
    assert view.currentWidget() is opened(view)
    assert view.window().focusWidget() is opened(view).editor


async def test_what_is_asked_of_a_long_document_is_done_when_it_is_shown(
    qtbot: QtBot, hl: Desk, obj: ObjId, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = show(qtbot, hl, obj)
    await until(is_shown(view))
    opened(view).editor.select(30, 40)
    left = view.view_place()
    view.show_list()
    view.restore_place(left)
    assert view.view_place().opened == obj
    view.open(obj)  # it is being opened
    await until(is_shown(view))
    assert opened(view).editor.selection() == (30, 70)
    marked = list[Sequence[str]]()
    monkeypatch.setattr(DocumentView, "mark_words", lambda _view, words: marked.append(words))
    view.show_list()
    view.open_ref(obj, b"")
    view.mark_words(["stycke"])
    assert marked == []
    await until(is_shown(view))
    assert marked == [["stycke"]]


async def test_the_place_in_a_document_is_kept_while_it_is_being_opened(qtbot: QtBot, hl: Desk, obj: ObjId) -> None:
    """The program may be locked or closed meanwhile."""
    view = show(qtbot, hl, obj)
    await until(is_shown(view))
    opened(view).editor.select(30, 40)
    left = view.view_place()
    view.show_list()
    view.restore_place(left)
    assert view.view_place() == left
    view.show_list()
    assert view.view_place() == ViewPlace()
    view.open(obj)
    assert view.view_place() == ViewPlace(opened=obj)


async def test_what_a_long_imported_file_lost_is_shown_when_it_is_open(
    qtbot: QtBot, hl: Desk, obj: ObjId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_LONG_CHANGES", 0)
    path = tmp_path / "Yttrande.docx"
    path.write_bytes(
        made_files.docx(f'{made_files.paragraph("Beslut å")}<w:p><w:r><w:footnoteReference w:id="2"/></w:r></w:p>')
    )
    view = show(qtbot, hl)
    view.import_files([path])
    await until(is_shown(view))
    assert "fotnot" in opened(view).left_out_bar.text().lower()


async def test_one_who_goes_back_to_the_list_stays_there(qtbot: QtBot, hl: Desk, obj: ObjId) -> None:
    before, view = crdt_docs(), show(qtbot, hl)
    view.open(obj)
    await asyncio.sleep(0)
    named(view.opening, "Tillbaka till dokumenten").click()
    assert view.currentWidget() is view.list
    for _ in range(50):
        await asyncio.sleep(0)
    assert view.currentWidget() is view.list
    assert crdt_docs() <= before


async def test_a_document_that_cannot_be_read_leads_back_to_the_list(
    qtbot: QtBot, hl: Desk, obj: ObjId, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_args: Any) -> None:
        raise StoreCorrupt

    monkeypatch.setattr(hl.documents, "in_parts", refuse)
    view = show(qtbot, hl)
    view.open(obj)
    await until(lambda: view.currentWidget() is view.list)
    assert view.document is None
