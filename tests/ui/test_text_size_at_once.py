# SPDX-License-Identifier: EUPL-1.2
"""Another text size or density, while one reads: what is painted follows at once, what is at the top stays there, and
nothing is written."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.model import Timeline
from app.chat.transfers import Transfers
from app.core.i18n import set_language
from app.richtext.flow import Style
from app.richtext.model import Document
from tests.office import HL, ROOM, Desk, Folk, desk, start_board
from tests.ui.chat.test_timeline import ManyRows
from ui.chat.composer import Composer
from ui.chat.item_model import TimelineModel
from ui.chat.timeline import TimelineView
from ui.kit import theme
from ui.richtext import staying
from ui.richtext.editor import Editor
from ui.shell.rows import Row, RowList
from ui.tasks.view import TasksView

LARGER = [(150, "normal"), (200, "normal"), (100, "airy")]


@pytest.fixture(autouse=True)
def light(qapp: QApplication) -> None:
    theme.apply(qapp, "light")
    set_language("sv")


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    start_board(made)
    yield made
    made.close()


def timeline(qtbot: QtBot, count: int = 500) -> TimelineView:
    view = TimelineView(TimelineModel(Timeline(ManyRows(count)), Folk(HL)), Transfers())
    qtbot.addWidget(view)
    view.resize(800, 600)
    view.show()
    return view


@pytest.mark.parametrize(("size", "density"), [*LARGER, (80, "compact")])
def test_the_message_at_the_top_stays_at_the_top(qapp: QApplication, qtbot: QtBot, size: int, density: str) -> None:
    view = timeline(qtbot)
    view.scroll_to_row(200, 12)
    before = {row: view.row_rect(row).height() for row in range(200, 203)}
    theme.resize(qapp, size, density)
    top = view.top_row()
    assert top is not None
    assert top[0] == 200
    assert 0 < top[1] < view.row_rect(200).height()
    after = {row: view.row_rect(row).height() for row in range(200, 203)}
    grown = size > 100 or density == "airy"
    assert all((after[row] > before[row]) is grown for row in before)
    theme.resize(qapp, 100, "normal")
    assert {row: view.row_rect(row).height() for row in range(200, 203)} == before


def test_the_end_of_the_conversation_stays_in_sight(qapp: QApplication, qtbot: QtBot) -> None:
    view = timeline(qtbot)
    assert view.at_end
    theme.resize(qapp, 200, "airy")
    assert view.at_end
    last = view.row_rect(499)
    assert last.top() < view.viewport().height() <= last.bottom() + 20


def test_the_field_where_one_writes_grows_with_its_text(qapp: QApplication, qtbot: QtBot) -> None:
    composer = Composer("Skriv", list)
    qtbot.addWidget(composer)
    composer.resize(600, 200)
    composer.show()
    composer.field.setPlainText("Handlingen är inkommen")
    before = composer.field.height()
    theme.resize(qapp, 200, "normal")
    QApplication.processEvents()
    assert composer.field.height() > 1.5 * before
    assert composer.text == "Handlingen är inkommen"


def test_cards_and_columns_grow_and_keep_the_open_card(qapp: QApplication, qtbot: QtBot, hl: Desk) -> None:
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Maska aktbilaga 14 före utlämnande till den som har begärt den")
    view = TasksView(hl.tasks, ROOM)
    qtbot.addWidget(view)
    view.resize(1400, 800)
    view.show()
    widget = view.kanban.card_widget(card)
    assert widget is not None
    column, before = view.kanban.columns[0], (widget.height(), view.kanban.columns[0].minimumWidth())
    view.editor.open_card(card)
    theme.resize(qapp, 200, "normal")
    QApplication.processEvents()
    assert view.kanban.card_widget(card) is widget
    assert widget.heightForWidth(widget.width()) > 1.5 * before[0]
    assert column.minimumWidth() == 2 * before[1]
    assert view.editor.card_id == card


@pytest.mark.parametrize(("size", "density"), LARGER[:2])
def test_a_document_looks_larger_and_says_the_same(qapp: QApplication, qtbot: QtBot, size: int, density: str) -> None:
    sent: list[bytes] = []
    document = Document(sent.append)
    document.set_up("Beslut")
    document.splice(0, 0, "\n".join(f"Stycke {n} om åäö 🙂 och vad myndigheten har funnit." for n in range(80)))
    document.set_styles(3, [Style(heading=1)])
    editor = Editor(document)
    qtbot.addWidget(editor)
    editor.resize(900, 600)
    editor.show()
    cursor = editor.textCursor()
    cursor.setPosition(document.plain_text().index("Stycke 40"))
    cursor.movePosition(QTextCursor.MoveOperation.NextWord, QTextCursor.MoveMode.KeepAnchor)
    editor.setTextCursor(cursor)
    editor.verticalScrollBar().setValue(700)
    before, shown, top = len(sent), document.blocks(), staying.top_line(editor)[0]
    chosen, height = editor.selection(), editor.document().size().height()
    theme.resize(qapp, size, density)
    QApplication.processEvents()
    assert editor.document().size().height() > 1.3 * height
    assert (len(sent), document.blocks(), editor.selection()) == (before, shown, chosen)
    assert staying.top_line(editor)[0] == top
    theme.resize(qapp, 100, "normal")
    QApplication.processEvents()
    assert editor.document().size().height() == height


def test_a_list_of_rows_follows(qapp: QApplication, qtbot: QtBot) -> None:
    made = RowList("Rum")
    made.rows.set_rows([Row(key=n, title=f"Tillsyn 2026-{n}", detail="Inkommen 🙂") for n in range(3)])
    qtbot.addWidget(made)
    made.resize(300, 400)
    made.show()
    index = made.model().index(0, 0)
    before = made.visualRect(index).height()
    theme.resize(qapp, 200, "normal")
    QApplication.processEvents()
    assert made.visualRect(index).height() == 2 * before
