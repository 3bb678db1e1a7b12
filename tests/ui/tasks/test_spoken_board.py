# SPDX-License-Identifier: EUPL-1.2
"""Cards as items of their column's list, with column and place; one focus on the board, in a card and in the table."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import set_language
from tests.office import HL, Desk, desk, start_board
from tests.ui.faces import Description, Name, Role, child, face, focused, listening, press, walk
from tests.ui.tasks.boards import CONTROL, board_view, card
from ui.kit import faces
from ui.tasks.filter import Due, Filter
from ui.tasks.view import TasksView


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    set_language("sv")
    yield from listening()


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    start_board(made)
    yield made
    made.close()


@pytest.fixture
def view(hl: Desk, qtbot: QtBot) -> TasksView:
    return board_view(qtbot, hl, "Åtgärd", "Begäran 🙂", "Delgivning")


def places(view: TasksView, column: str) -> list[tuple[str, str]]:
    (cards,) = [f for f in walk(face(view.kanban)) if f.text(Name) == f"Uppgifter i {column}"]
    assert cards.role() == Role.List
    inside = [child(cards, number) for number in range(cards.childCount())]
    assert all(one.role() == Role.ListItem for one in inside)
    assert [cards.indexOfChild(one) for one in inside] == list(range(len(inside)))
    return [(one.text(Name), one.text(Description)) for one in inside]


def test_a_card_says_its_column_and_which_of_how_many_it_is(view: TasksView) -> None:
    assert places(view, "Att göra") == [
        ("Åtgärd", "Att göra, 1 av 3"),
        ("Begäran 🙂", "Att göra, 2 av 3"),
        ("Delgivning", "Att göra, 3 av 3"),
    ]
    view.kanban.focus_card(card(view, "Delgivning").card.id)
    assert focused(view) == ["ListItem Delgivning"]
    QTest.keyClick(card(view, "Delgivning"), Qt.Key.Key_Up, CONTROL)
    assert [title for title, _ in places(view, "Att göra")] == ["Åtgärd", "Delgivning", "Begäran 🙂"]
    QTest.keyClick(card(view, "Delgivning"), Qt.Key.Key_Right, CONTROL)
    assert places(view, "Pågår") == [("Delgivning", "Pågår, 1 av 1")]
    assert places(view, "Att göra")[1] == ("Begäran 🙂", "Att göra, 2 av 2")


def test_a_card_that_is_moved_by_key_is_described_again(view: TasksView, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: list[str] = []
    monkeypatch.setattr(
        "ui.tasks.kanban.notify_description", lambda moved: announced.append(moved.spoken_description())
    )
    for title, key in (("Åtgärd", Qt.Key.Key_Down), ("Åtgärd", Qt.Key.Key_Right)):
        QTest.keyClick(card(view, title), key, CONTROL)
    assert announced == ["Att göra, 2 av 3", "Pågår, 1 av 1"]


def test_a_card_is_opened_by_pressing_its_object(view: TasksView) -> None:
    press(face(card(view, "Begäran 🙂")))
    assert view.editor.card_id == card(view, "Begäran 🙂").card.id
    assert len(focused(view)) == 1


def test_the_choices_of_an_open_card_do_not_say_that_they_have_the_focus(view: TasksView) -> None:
    view.editor.open_card(card(view, "Åtgärd").card.id)
    for part in (view.editor.title, view.editor.description):
        part.setFocus()
        assert len(focused(view)) == 1, focused(view)


def test_the_table_says_where_one_is_only_while_it_has_the_focus(view: TasksView) -> None:
    view._segment.buttons()[1].click()
    table = view.table
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Down)
    row = table.currentIndex().row()
    assert [spoken.partition(" ")[0] for spoken in focused(view)] in (["Cell"], ["Table", "Cell"])
    view.filter_line.button.setFocus()
    assert focused(view) == ["Button Filter"]
    table.refresh()
    assert focused(view) == ["Button Filter"]
    table.setFocus()
    assert table.currentIndex().row() == row
    opened: list[str] = []
    table.card_opened.connect(opened.append)
    here = table._card(table.currentIndex())
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert opened == [here]


def test_the_filter_says_how_much_it_shows(view: TasksView, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: list[str] = []
    monkeypatch.setattr("ui.tasks.view.announce", lambda _widget, text: announced.append(text))
    view._set_filter(Filter(due=Due.OVERDUE))
    view._set_filter(Filter())
    assert announced == ["0 av 3 uppgifter visas", "3 av 3 uppgifter visas"]


def test_board_and_table_are_tabs_and_mine_is_a_toggle(view: TasksView) -> None:
    tabs = {f.text(Name): bool(f.state().selected) for f in walk(face(view)) if f.role() == Role.PageTab}
    assert tabs == {"Visa som tavla": True, "Tabell": False}
    mine: QWidget = view.filter_line.mine
    assert (face(mine).role(), bool(face(mine).state().checkable)) == (Role.Button, True)
    announced: list[object] = []
    pressed = QAccessible.Event.DescriptionChanged
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faces, "_STATE_IN_DESCRIPTION", True)
        patch.setattr(faces, "notify_description", lambda thing: announced.append((thing, pressed)))
        view.filter_line.mine.click()
    assert announced == [(mine, pressed)]
