# SPDX-License-Identifier: EUPL-1.2
"""The paragraphs of a document for a screen reader, as far as Qt lets it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from app.richtext.flow import BODY, Style
from tests.app.documents.desks import World
from tests.office import HL, ROOM
from tests.ui.faces import Description, Name, Role, face, focused, listening, press, walk
from ui.documents.document_view import DocumentView
from ui.documents.view import DocumentsView
from ui.richtext.spoken import MOST

TEXT = "Beslut å\nBakgrund 🙂\nett\ntvå\nCitat\nSlut"
STYLES = [Style(heading=1), BODY, Style(list="ul", indent=1), Style(list="ul", indent=2), Style(quote=True), BODY]


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    set_language("sv")
    yield from listening()


@pytest.fixture
def view(qtbot: QtBot, tmp_path: Path) -> Iterator[DocumentView]:
    world = World(tmp_path)
    service = world.add(HL).documents
    obj = service.create(ROOM, "Utkast")
    model = service.open(obj)
    model.splice(0, 0, TEXT)
    model.set_styles(0, STYLES)
    service.close(obj)
    made = DocumentsView(service, ROOM)
    qtbot.addWidget(made, before_close_func=lambda widget: widget.show_list())
    made.resize(1000, 700)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    made.open(obj)
    assert made.document is not None
    yield made.document
    made.show_list()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    world.close()


def announced(view: DocumentView) -> list[tuple[Role, str, object]]:
    """Role, text and level of each paragraph that is described."""
    found = []
    for one in walk(face(view.editor)):
        attributes = one.attributesInterface()
        if one.role() in (Role.Heading, Role.ListItem, Role.BlockQuote, Role.Paragraph):
            level = attributes.attributeValue(QAccessible.Attribute.Level) if attributes is not None else None
            found.append((one.role(), one.text(Name), level))
    return found


def test_headings_list_items_and_quotations_stand_in_the_text(view: DocumentView) -> None:
    assert announced(view) == [
        (Role.Heading, "Beslut å", 1),
        (Role.ListItem, "ett", 1),
        (Role.ListItem, "två", 2),
        (Role.BlockQuote, "Citat", None),
    ]


def test_they_have_their_places_in_it(view: DocumentView) -> None:
    found = [one for one in walk(face(view.editor)) if one.role() in (Role.Heading, Role.ListItem, Role.BlockQuote)]
    above = found[0].parent()
    assert above is not None
    assert [above.indexOfChild(one) for one in found] == [0, 1, 2, 3]
    assert above.parent().object() is view.editor


def test_they_follow_what_is_written(view: DocumentView) -> None:
    announced(view)
    view.editor.select(0)
    view.editor.set_style(BODY)
    assert [text for _, text, _ in announced(view)] == ["ett", "två", "Citat"]
    view._document.splice(0, 0, "Först\n")
    view._document.set_block(0, 0, Style(heading=2))
    assert announced(view)[0] == (Role.Heading, "Först", 2)


def test_one_is_gone_to_by_pressing_it(view: DocumentView) -> None:
    (quote,) = [one for one in walk(face(view.editor)) if one.role() == Role.BlockQuote]
    press(quote)
    assert view.editor.textCursor().block().text() == "Citat"
    assert view.editor.hasFocus()


def test_the_text_is_described_by_what_the_caret_comes_into(view: DocumentView) -> None:
    editor = view.editor
    editor.select(0)
    view.title.setFocus()
    editor.setFocus()
    hint = "Tryck Esc och sedan Tabb för att lämna texten."
    assert face(editor).text(Description) == f"Rubrik 1. {hint}"
    shown = []
    for _ in range(5):
        QTest.keyClick(editor, Qt.Key.Key_Down)
        shown.append(face(editor).text(Description))
    assert shown == ["Brödtext", "Punktlista, 1 av 1", "Punktlista, 1 av 1", "Citat", "Brödtext"]


def test_the_text_alone_has_the_focus(view: DocumentView) -> None:
    view.editor.setFocus()
    assert focused(view.window()) == ["EditableText Dokumentets text"]


def test_a_long_document_describes_so_many_paragraphs_and_no_more(view: DocumentView) -> None:
    view._document.splice(0, 0, "Rubrik\n" * (MOST + 50))
    view._document.set_styles(0, [Style(heading=2)] * (MOST + 50))
    assert len(announced(view)) == MOST
