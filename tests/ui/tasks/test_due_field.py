# SPDX-License-Identifier: EUPL-1.2
"""Due dates as a person types and chooses them in the panel of a card."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCalendarWidget, QTableView
from pytestqt.qtbot import QtBot

from app.core.clock import set_clock
from app.core.i18n import set_language
from tests.office import BOARD_ID, ROOM, Desk, Positions
from tests.ui.tasks.boards import CONTROL, card, named
from tests.ui.tasks.test_editor import desks, open_by_click, shown, type_in
from ui.tasks.view import TasksView

__all__ = ["desks"]

NOON_MS = int(datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp() * 1000)
"""A Friday, today in every time zone of Europe."""
FRIDAY = date(2026, 12, 4)
NOT_UNDERSTOOD = (
    "Kansli förstår inte vilken dag det är. Prova fredag, 3/12, om två veckor eller v. 50. "
    "Förfallodagen är inte ändrad."
)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    back = set_clock(lambda: NOON_MS)
    yield
    back()
    set_language("sv")


@pytest.fixture
def view(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> TasksView:
    made = shown(qtbot, desks[0])
    open_by_click(made)
    return made


def type_day(view: TasksView, text: str) -> None:
    """Types a text in place of the field's."""
    view.editor.due.field.setFocus()
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_A, CONTROL)
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Delete)
    type_in(view.editor.due.field, text)


def due(view: TasksView) -> date | None:
    return view.board.all_cards()[0].due


def test_what_is_understood_stands_beside_the_field_before_it_is_stored(view: TasksView) -> None:
    field, words = view.editor.due.field, view.editor.due.words
    type_day(view, "fredag")
    assert words.isVisible()
    assert words.text() == "fre 4 dec 2026"
    assert field.accessibleDescription() == "fre 4 dec 2026"
    assert words.mapTo(view, QPoint(0, 0)).x() > field.mapTo(view, QPoint(0, 0)).x() + field.width()
    assert due(view) is None
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert due(view) == FRIDAY
    assert field.text() == "2026-12-04"
    assert words.text() == "fre 4 dec 2026"


@pytest.mark.parametrize("leave", ["tab", "click", "close", "lock", "other room"])
def test_it_is_stored_however_one_leaves_the_field(view: TasksView, leave: str) -> None:
    type_day(view, "om två veckor")
    match leave:
        case "tab":
            QTest.keyClick(view.editor.due.field, Qt.Key.Key_Tab)
        case "click":
            view.editor.description.setFocus(Qt.FocusReason.MouseFocusReason)
        case "close":
            named(view, "Stäng uppgiften").click()
        case "lock":
            view.keep_draft()
        case _:
            view.hide()
    assert due(view) == date(2026, 12, 11)


def test_in_english_too(qtbot: QtBot, desks: tuple[Desk, Desk, Positions]) -> None:
    set_language("en")
    view = shown(qtbot, desks[0])
    open_by_click(view)
    assert view.editor.due.field.placeholderText() == "e.g. Friday, 3/12"
    type_day(view, "3/12")
    assert view.editor.due.words.text() == "Thu 3 Dec 2026"
    type_day(view, "12/24")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    assert view.editor.due.error.text() == (
        "That day does not exist. The day comes before the month, as in 24/12. The due date is not changed."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nån gång i vår", NOT_UNDERSTOOD),
        ("31/2", "Den dagen finns inte. Dagen skrivs före månaden, som i 24/12. Förfallodagen är inte ändrad."),
        ("v. 54", "Den veckan finns inte. Förfallodagen är inte ändrad."),
        ("mån 4 dec", "2026-12-04 är en fredag. Förfallodagen är inte ändrad."),
    ],
)
def test_what_is_not_understood_stays_with_a_sentence(view: TasksView, text: str, sentence: str) -> None:
    type_day(view, "fredag")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    type_day(view, text)
    assert not view.editor.due.words.isVisible()
    assert not view.editor.due.error.isVisible(), "one is still typing"
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Tab)
    assert view.editor.due.field.text() == text
    assert view.editor.due.error.isVisible()
    assert view.editor.due.error.text() == sentence
    assert due(view) == FRIDAY
    type_day(view, "idag")
    assert not view.editor.due.error.isVisible()
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    assert due(view) == date(2026, 11, 27)


def test_what_is_not_understood_is_there_when_the_card_is_opened_again(view: TasksView) -> None:
    view.board.add_card(view.board.columns()[0].id, "Annat")
    type_day(view, "snart")
    open_by_click(view, "Annat")
    assert view.editor.due.field.text() == ""
    assert not view.editor.due.error.isVisible()
    named(view, "Stäng uppgiften").click()
    open_by_click(view)
    assert view.editor.due.field.text() == "snart"
    assert view.editor.due.error.text() == NOT_UNDERSTOOD
    named(view, "Ingen förfallodag").click()
    assert view.editor.due.field.text() == ""
    named(view, "Stäng uppgiften").click()
    open_by_click(view)
    assert view.editor.due.field.text() == ""


@pytest.mark.parametrize("typed", ["3 mars 2027", "snart", ""])
def test_escape_puts_the_date_back_and_then_closes_and_stores_nothing(
    view: TasksView, desks: tuple[Desk, Desk, Positions], typed: str
) -> None:
    field = view.editor.due.field
    type_day(view, "fredag")
    QTest.keyClick(field, Qt.Key.Key_Return)
    before = desks[0].store.changes.of(BOARD_ID)
    type_day(view, typed)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "2026-12-04"
    assert view.editor.due.words.text() == "fre 4 dec 2026"
    assert not view.editor.due.error.isVisible()
    assert view.editor.isVisible()
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert not view.editor.isVisible()
    assert due(view) == FRIDAY
    assert desks[0].store.changes.of(BOARD_ID) == before
    open_by_click(view)
    assert field.text() == "2026-12-04"


def test_an_empty_field_takes_the_date_away_and_undo_brings_it_back(view: TasksView) -> None:
    type_day(view, "fredag")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    type_day(view, "")
    assert not view.editor.due.words.isVisible()
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    assert due(view) is None
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Z, CONTROL)
    assert due(view) == FRIDAY
    assert view.editor.due.field.text() == "2026-12-04"


def test_a_pause_in_the_texts_takes_no_half_typed_date(view: TasksView) -> None:
    view.editor.title.setFocus()
    type_in(view.editor.title, "å")
    type_day(view, "fre")
    view.editor.title.pause.emit()
    assert view.board.all_cards()[0].title == "Beslutå"
    assert due(view) is None
    assert view.editor.due.field.text() == "fre"


def test_a_colleagues_date_does_not_take_away_what_i_type(view: TasksView, desks: tuple[Desk, Desk, Positions]) -> None:
    _, ek, server = desks
    type_day(view, "snar")
    theirs = ek.tasks.board(ROOM)
    theirs.set_due(theirs.all_cards()[0].id, FRIDAY)
    server.deliver()
    assert view.editor.due.field.text() == "snar"
    type_in(view.editor.due.field, "t")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Tab)
    assert view.editor.due.field.text() == "snart"
    assert due(view) == FRIDAY


def test_the_same_date_again_writes_nothing(view: TasksView, desks: tuple[Desk, Desk, Positions]) -> None:
    type_day(view, "fredag")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    before = desks[0].store.changes.of(BOARD_ID)
    type_day(view, "4 dec")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    assert desks[0].store.changes.of(BOARD_ID) == before
    assert view.editor.due.field.text() == "2026-12-04"


def test_a_day_is_chosen_in_the_calendar_by_keys(view: TasksView) -> None:
    type_day(view, "v. 50")
    named(view, "Välj en dag").click()
    popup = QApplication.activePopupWidget()
    assert popup is not None
    calendar = popup.findChild(QCalendarWidget)
    assert calendar is not None
    assert calendar.selectedDate().toString(Qt.DateFormat.ISODate) == "2026-12-11", "what is typed and understood"
    table = calendar.findChild(QTableView)
    assert table is not None
    QTest.keyClick(table, Qt.Key.Key_Left)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert due(view) == date(2026, 12, 10)
    assert view.editor.due.field.text() == "2026-12-10"
    assert view.editor.due.words.text() == "tor 10 dec 2026"


def test_escape_closes_the_calendar_and_nothing_else(view: TasksView) -> None:
    type_day(view, "snart")
    named(view, "Välj en dag").click()
    popup = QApplication.activePopupWidget()
    assert popup is not None
    table = popup.findChild(QTableView)
    assert table is not None
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert not popup.isVisible()
    assert view.editor.isVisible()
    assert view.editor.due.field.text() == "snart"
    assert due(view) is None


def test_who_may_only_read_sees_the_day_in_words(view: TasksView, desks: tuple[Desk, Desk, Positions]) -> None:
    type_day(view, "fredag")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    type_day(view, "v. 50")
    view.set_writable(False)
    assert view.editor.due.field.text() == "2026-12-04"
    assert view.editor.due.words.text() == "fre 4 dec 2026"
    assert not any(b.isVisible() for b in (named(view, "Välj en dag"), named(view, "Ingen förfallodag")))
    view.editor.description.setFocus()
    named(view, "Stäng uppgiften").click()
    assert due(view) == FRIDAY


def test_a_date_given_through_accessibility_counts_as_typed(view: TasksView) -> None:
    face = QAccessible.queryAccessibleInterface(view.editor.due.field)
    assert face is not None
    face.setText(QAccessible.Text.Value, "3/12")
    assert view.editor.due.words.text() == "tor 3 dec 2026"
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    assert due(view) == date(2026, 12, 3)
    assert view.editor.due.field.text() == "2026-12-03"


def test_what_was_understood_and_what_was_not_is_announced(view: TasksView, monkeypatch: pytest.MonkeyPatch) -> None:
    announced: list[str] = []
    monkeypatch.setattr("ui.tasks.due_field.announce", lambda _widget, text: announced.append(text))
    type_day(view, "fredag")
    QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    type_day(view, "snart")
    for _ in range(2):
        QTest.keyClick(view.editor.due.field, Qt.Key.Key_Return)
    assert announced == ["förfaller fre 4 dec 2026", NOT_UNDERSTOOD]
    face = QAccessible.queryAccessibleInterface(view.editor.due.field)
    assert face is not None
    assert face.text(QAccessible.Text.Name) == "Förfallodag"
    assert card(view, "Beslut").card.due == FRIDAY
