# SPDX-License-Identifier: EUPL-1.2
"""Two editors over two documents that merge: what both show is what both hold, whatever is done in whichever."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.richtext.flow import BODY, Run, Style
from app.richtext.formats import from_html
from tests.ui.documents.two_desks import Desk, check, new_pair, sync
from ui.richtext.editor import Editor

FORMATS: list[dict[str, Any]] = [
    {"bold": True},
    {"bold": None},
    {"italic": True},
    {"underline": True},
    {"strike": True},
    {"link": "https://ö.se"},
    {"link": None},
]
STYLES = [
    BODY,
    Style(heading=1),
    Style(heading=2),
    Style(quote=True),
    Style(list="ul", indent=1),
    Style(list="ol", indent=1),
    Style(list="ol", indent=2),
]
PASTES = [
    "<h1>Å</h1><p>text <b>fet 🙂</b></p>",
    "<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>",
    "<blockquote>citat</blockquote><p>x</p>",
    "ord <i>kursiva</i>",
]
KEYS: list[Callable[[Editor], object]] = [
    lambda edit: QTest.keyClick(edit, Qt.Key.Key_Return),
    lambda edit: QTest.keyClick(edit, Qt.Key.Key_Backspace),
    lambda edit: QTest.keyClick(edit, Qt.Key.Key_Delete),
    lambda edit: edit.toggle("bold"),
    lambda edit: edit.toggle_list("ol"),
    lambda edit: edit.indent(1),
    lambda edit: edit.indent(-1),
    lambda edit: edit.set_link("https://å.se", "länk"),
]


def act(desk: Desk, rng: random.Random) -> None:
    doc, pos, what = desk.doc, rng.randint(0, desk.length()), rng.random()
    blocks = len(doc.blocks())
    if what < 0.3:
        desk.cursor(pos).insertText(rng.choice(["å", "x", "hej ", "ö", "öl 🙂", "👩‍👧"]))
    elif what < 0.38:
        desk.cursor(pos).insertBlock()
    elif what < 0.5:
        desk.cursor(pos, rng.randint(1, 9)).removeSelectedText()
    elif what < 0.53:
        desk.cursor(pos).deletePreviousChar()
    elif what < 0.56:
        desk.edit.setTextCursor(desk.cursor(pos, rng.choice([0, 0, 5])))
        rng.choice(KEYS)(desk.edit)
    elif what < 0.59:
        desk.edit.setTextCursor(desk.cursor(pos, rng.choice([0, 0, 7])))
        desk.edit.insert_blocks(from_html(rng.choice(PASTES)))
    elif what < 0.62:
        doc.splice(pos, rng.randint(0, 9), rng.choice(["A\nB ", "ett\ntvå\ntre\n", "§ 🙂"]))
    elif what < 0.72:
        doc.format(pos, rng.randint(1, 15), rng.choice(FORMATS))
    elif what < 0.86:
        first = rng.randrange(blocks)
        doc.set_block(first, min(first + rng.randint(0, 3), blocks - 1), rng.choice(STYLES))
    elif what < 0.95:
        doc.undo()
    else:
        doc.redo()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6))])
def test_two_editors_show_the_same_after_anything(qtbot: QtBot, seed: int) -> None:
    rng = random.Random(seed)
    first, second = Desk(qtbot), Desk(qtbot)
    first.doc.set_up("Beslut")
    first.doc.splice(0, 0, "Rubrik ärende\nFörsta stycket med text å–ä 🙂.\npunkt ett\npunkt två\nSlut")
    sync(first, second)
    for count in range(1, 101):
        for desk in (first, second):
            for _ in range(rng.randint(1, 4)):
                act(desk, rng)
        sync(first, second)
        check(first, second, fresh=count % 10 == 0)  # reading the whole state is most of the work


def typed(desk: Desk, text: str) -> None:
    desk.edit.textCursor().insertText(text)


def test_my_caret_and_selection_stay_at_their_words_while_a_colleague_writes(qtbot: QtBot) -> None:
    first, second = new_pair(qtbot, "Myndigheten avslutar ärendet 🙂 med kritik")
    first.edit.setTextCursor(first.cursor(12, 8))
    second.doc.splice(0, 0, "Å 🙂\nnytt stycke\n")
    second.doc.splice(second.doc.length_utf16, 0, " i slutet")
    second.doc.format(0, 20, {"bold": True})
    sync(first, second)
    assert first.edit.textCursor().selectedText() == "avslutar"
    check(first, second)


def test_a_colleague_who_writes_exactly_at_my_caret_does_not_push_it(qtbot: QtBot) -> None:
    first, second = new_pair(qtbot, "åäö")
    first.edit.setTextCursor(first.cursor(2))
    second.doc.splice(2, 0, "HEJ")
    sync(first, second)
    assert first.edit.textCursor().position() == 2


def test_typing_the_same_letter_again_lands_where_it_was_typed(qtbot: QtBot) -> None:
    first, second = new_pair(qtbot, "aaaa")
    second.doc.format(0, 2, {"bold": True})
    first.edit.setTextCursor(first.cursor(1))
    typed(first, "a")
    sync(first, second)
    check(first, second)
    assert [len(run.text) for run in first.doc.block(0).runs] in ([3, 2], [1, 1, 1, 2])


def test_text_moved_into_a_heading_takes_its_looks(qtbot: QtBot) -> None:
    first, second = new_pair(qtbot, "Rubrik\nbrödtext å")
    first.doc.set_block(0, 0, Style(heading=1))
    first.cursor(7).deletePreviousChar()
    sync(first, second)
    check(first, second)
    assert first.model_shows() == [((Run("Rubrikbrödtext å"),), Style(heading=1))]


def test_numbers_run_on_past_nested_items_and_begin_again_after_a_paragraph(qtbot: QtBot) -> None:
    first, _ = new_pair(qtbot, "ett\na\ntvå\ntext\nett")
    top, nested = Style(list="ol", indent=1), Style(list="ol", indent=2)
    first.doc.set_styles(0, [top, nested, top, BODY, top])
    assert first.lists() == [0, 1, 0, -1, 2]
    first.doc.set_block(3, 3, top)
    assert first.lists() == [0, 1, 0, 0, 0]
    first.doc.set_block(0, 4, BODY)
    assert first.lists() == [-1] * 5


def test_the_theme_changes_nothing_but_looks(qtbot: QtBot) -> None:
    first, _ = new_pair(qtbot, "Rubrik\npunkt å")
    first.doc.set_styles(0, [Style(heading=2), Style(list="ul", indent=1)])
    first.doc.format(0, 3, {"link": "https://å.se"})
    first.sent.clear()
    first.edit.restyle()
    assert first.sent == []
    assert first.qt_shows() == first.model_shows()


def test_characters_that_qt_uses_itself_do_not_break_the_paragraphs(qtbot: QtBot) -> None:
    first, second = new_pair(qtbot, "åäö")
    second.doc.splice(1, 0, "x\u2029y\ufdd0z\u2028\0")
    sync(first, second)
    assert first.edit.document().blockCount() == len(first.doc.blocks()) == 1
    first.cursor(0).insertText("ny ")
    sync(first, second)
    check(first, second)


def test_a_lone_half_of_a_surrogate_pair_never_reaches_the_document(qtbot: QtBot) -> None:
    first, second = new_pair(qtbot, "åäö")
    first.cursor(1).insertText("\ud83d")
    sync(first, second)
    assert "\ud83d" not in first.doc.plain_text()
    check(first, second)
