# SPDX-License-Identifier: EUPL-1.2
"""A full disk, a locked database and a closed store during each editing action of a document and of the list: the fault
is shown once, the edit stays in memory, Try again works, and locking keeps it."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.ids import ObjId
from app.errors import StoreFault
from app.richtext.flow import Block, Run, Style
from app.richtext.model import Document
from tests.office import ROOM
from tests.ui.refusing import PASSING, Fault, Place, announced, fault, place, press_again, reopened
from ui.documents.document_view import DocumentView
from ui.documents.view import DocumentsView

__all__ = ["announced", "fault", "place"]


def in_document(document: Document) -> object:
    return document.title, [(block.runs, block.style) for block in document.blocks()]


def stored(place: Place) -> object:
    return in_document(place.documents.open(place.document))


def typed(view: DocumentView) -> None:
    view.editor.setFocus()
    QTest.keyClicks(view.editor, "Enligt beslut ")


def removed(view: DocumentView) -> None:
    view.editor.select(0, 6)
    QTest.keyClick(view.editor, Qt.Key.Key_Delete)


def marked(view: DocumentView) -> None:
    view.editor.select(0, 6)
    view.editor.toggle("bold")


def linked(view: DocumentView) -> None:
    view.editor.select(0, 6)
    view.editor.set_link("https://kansli.example/å")


def replaced(view: DocumentView) -> None:
    view.find_bar.open()
    view.find_bar.field.setText("Beslut")
    view.find_bar.replacement.setText("Yttrande")
    view.find_bar.replace_all()


def titled(view: DocumentView) -> None:
    view.title.setFocus()
    QTest.keyClicks(view.title, " igen")
    QTest.keyClick(view.title, Qt.Key.Key_Return)


DOCUMENT: dict[str, Callable[[DocumentView], object]] = {
    "typed": typed,
    "removed": removed,
    "made bold": marked,
    "linked": linked,
    "a heading": lambda view: view.editor.set_style(Style(heading=1)),
    "a list": lambda view: view.editor.toggle_list("ul"),
    "pasted": lambda view: view.editor.insert_blocks([Block(runs=(Run("Bilaga å", Run("").marks),), style=Style())]),
    "replaced": replaced,
    "titled": titled,
    "undone": lambda view: view.editor.undo(),
    "redone": lambda view: view.editor.redo(),
}


def shown(qtbot: QtBot, place: Place, obj: ObjId | None) -> DocumentsView:
    view = DocumentsView(place.documents, ROOM, obj)
    qtbot.addWidget(view)
    view.resize(1100, 760)
    view.show()
    return view


@pytest.mark.parametrize("action", DOCUMENT)
def test_a_refused_edit_of_a_document_is_shown_once_kept_and_stored_later(
    qtbot: QtBot, place: Place, fault: Fault, announced: list[str], action: str
) -> None:
    document = shown(qtbot, place, place.document).document
    assert document is not None
    if action in ("undone", "redone"):
        typed(document)
    if action == "redone":
        document.editor.undo()
    model = place.documents.open(place.document)
    before = in_document(model)
    refuse, code = fault
    with refuse(place):
        DOCUMENT[action](document)
        assert in_document(model) != before, "the edit is in memory"
        bar = document.unsaved_bar
        assert bar.isVisible()
        assert code in bar.code()
        QTest.keyClicks(document.editor, "mer")
        press_again(bar)
        with pytest.raises(StoreFault):
            place.save()
        assert bar.isVisible()
        assert len(announced) == 1, "once, however often it is refused"
        kept = in_document(model)
    assert place.notified == []
    if code == "store-closed":
        assert place.documents.unsaved_changes()[place.document], "handed to who closes"
        return
    press_again(bar)
    assert not bar.isVisible()
    assert place.documents.unsaved_ids() == []
    with reopened(place) as again:
        assert stored(again) == kept


@pytest.mark.parametrize("fault", PASSING, indirect=True)
def test_what_a_closed_document_could_not_store_is_shown_in_the_list_and_stored_from_there(
    qtbot: QtBot, place: Place, fault: Fault, announced: list[str]
) -> None:
    view = shown(qtbot, place, place.document)
    assert view.document is not None
    model = view.document._document
    refuse, _ = fault
    with refuse(place):
        typed(view.document)
        kept = in_document(model)
        view.show_list()
        assert view.document is None
        assert view.list.unsaved_bar.isVisible()
        with pytest.raises(StoreFault):
            place.save()
    press_again(view.list.unsaved_bar)
    assert not view.list.unsaved_bar.isVisible()
    assert place.notified == []
    with reopened(place) as again:
        assert stored(again) == kept


@pytest.mark.parametrize("fault", PASSING, indirect=True)
async def test_a_refused_new_name_in_the_list_is_shown_and_stored_when_it_is_locked(
    qtbot: QtBot, place: Place, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_given: object, **_named: object) -> str:
        return "Beslut å"

    monkeypatch.setattr("ui.documents.view.ask", ask)
    view = shown(qtbot, place, None)
    refuse, _ = fault
    with refuse(place):
        await view._rename(place.document, "Utkast å")
        assert view.list.unsaved_bar.isVisible()
    place.save()
    assert not view.list.unsaved_bar.isVisible()
    assert place.notified == []
    with reopened(place) as again:
        assert again.documents.shown_now(place.document)[0] == "Beslut å"


def put_away(place: Place) -> bool:
    return place.documents.trash.of(place.document) is not None


@pytest.mark.parametrize("action", ["put away", "restored"])
def test_a_document_that_cannot_be_put_away_or_restored_is_where_it_was_and_try_again_does_it(
    qtbot: QtBot, place: Place, fault: Fault, action: str
) -> None:
    if action == "restored":
        place.documents.delete(place.document)
    view = shown(qtbot, place, place.document if action == "restored" else None)
    before = put_away(place)
    refuse, code = fault
    with refuse(place):
        if action == "restored":
            assert view.document is not None
            press_again(view.document.bar, "Återställ")
        else:
            view._delete(place.document)
        ((notified, again),) = place.notified
    assert notified == code
    assert again is not None
    if code == "store-closed":
        return
    assert put_away(place) is before
    again()
    assert put_away(place) is not before
    assert len(place.notified) == 1
