# SPDX-License-Identifier: EUPL-1.2
"""Find and replace by keys and pointer: where Tab goes, and what undo takes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import language, set_language
from tests.app.documents.desks import World
from tests.office import HL, ROOM
from tests.ui.pointing import click
from ui.documents.document_view import DocumentView
from ui.documents.view import DocumentsView

CONTROL = Qt.KeyboardModifier.ControlModifier
WRITTEN = "Verksamheten åt. verksamheten 🙂 verksamheten"


@pytest.fixture
def document(qtbot: QtBot, tmp_path: Path) -> Iterator[DocumentView]:
    """A document in a window that has the keys."""
    before = language()
    set_language("sv")
    world = World(tmp_path)
    hl = world.add(HL)
    view = DocumentsView(hl.documents, ROOM, hl.documents.create(ROOM, "Beslut"))
    qtbot.addWidget(view, before_close_func=lambda _: view.show_list())
    view.resize(1100, 760)
    view.show()
    qtbot.waitUntil(view.isActiveWindow)
    assert view.document is not None
    view.document.editor.textCursor().insertText(WRITTEN)
    view.document.editor.setFocus()
    yield view.document
    view.show_list()
    world.close()
    set_language(before)


def focused(document: DocumentView) -> QWidget:
    found = document.window().focusWidget()
    assert found is not None
    return found


def press(document: DocumentView, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Presses a key where the focus is."""
    QTest.keyClick(focused(document), key, held)


def test_tab_goes_from_what_to_find_to_what_to_write_and_then_round_the_bar(document: DocumentView) -> None:
    """A word for the replacement was typed at the button for capitals, and a space in it pressed the button."""
    press(document, Qt.Key.Key_F, CONTROL)
    QTest.keyClicks(focused(document), "verksamheten")
    names = []
    for _ in range(8):
        press(document, Qt.Key.Key_Tab)
        names.append(focused(document).accessibleName())
    assert names == [
        "Ersätt med",
        "Skilj på stora och små bokstäver",
        "Bara hela ord",
        "Föregående träff",
        "Nästa träff",
        "Ersätt",
        "Ersätt alla",
        "Stäng sökningen",
    ]
    assert not document.find_bar.case.isChecked()


def test_undo_right_after_replacing_takes_it_back_wherever_the_focus_is(document: DocumentView) -> None:
    press(document, Qt.Key.Key_H, CONTROL)
    QTest.keyClicks(focused(document), "verksamheten")
    press(document, Qt.Key.Key_Tab)
    QTest.keyClicks(focused(document), "bolaget")
    bar = document.find_bar
    (every,) = [b for b in bar.findChildren(QAbstractButton) if b.accessibleName() == "Ersätt alla"]
    click(every)
    replaced = "Bolaget åt. bolaget 🙂 bolaget"
    for place in (every, bar.replacement, bar.field):
        if place is not every:
            click(place)
        assert focused(document) is place
        assert document.editor.toPlainText() == replaced
        press(document, Qt.Key.Key_Z, CONTROL)
        assert (document.editor.toPlainText(), bar.replacement.text()) == (WRITTEN, "bolaget")
        assert bar.count.text() == "1 av 3"
        press(document, Qt.Key.Key_Y, CONTROL)
    click(bar.replacement)
    QTest.keyClicks(bar.replacement, "s")
    press(document, Qt.Key.Key_Z, CONTROL)
    assert document.editor.toPlainText() == replaced, "what is typed goes first"
    assert bar.replacement.text() != "bolagets"


def test_a_replacement_that_is_refused_leaves_the_match_selected(
    document: DocumentView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.richtext.find_bar.run_guarded", lambda owner, action: False)
    document.editor.select(0, len("Verksamheten"))
    press(document, Qt.Key.Key_H, CONTROL)
    QTest.keyClicks(focused(document), "bolaget")
    press(document, Qt.Key.Key_Return)
    assert document.editor.range() == (0, len("Verksamheten"))


def test_matches_behind_the_limit_are_reached_and_replaced(
    document: DocumentView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.richtext.find_bar.MAX_FOUND", 2)
    starts = [match.start() for match in re.finditer("verksamheten", WRITTEN.replace("🙂", "..").lower())]
    bar = document.find_bar
    bar.open()
    bar.field.setText("verksamheten")
    reached = []
    for go in (bar.next, bar.next, bar.next, bar.previous, bar.previous):
        go()
        reached.append(starts.index(document.editor.range()[0]))
    assert reached == [1, 2, 0, 2, 1]
    bar.next()
    bar.replacement.setText("x")
    bar.replace()
    assert document.editor.toPlainText().endswith("verksamheten 🙂 x")


def test_each_single_replacement_is_taken_back_by_itself(document: DocumentView) -> None:
    document.editor.select(0, len("Verksamheten"))
    press(document, Qt.Key.Key_H, CONTROL)
    assert focused(document) is document.find_bar.replacement
    QTest.keyClicks(focused(document), "bolaget")
    for _ in range(2):
        press(document, Qt.Key.Key_Return)
    assert document.editor.toPlainText() == "bolaget åt. bolaget 🙂 verksamheten"
    press(document, Qt.Key.Key_Z, CONTROL)
    assert document.editor.toPlainText() == "bolaget åt. verksamheten 🙂 verksamheten"
    press(document, Qt.Key.Key_Z, CONTROL)
    assert document.editor.toPlainText() == WRITTEN
