# SPDX-License-Identifier: EUPL-1.2
"""Finding and replacing in a document."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.app.documents.desks import World
from tests.office import HL
from tests.ui.documents.shown_documents import CTRL, written


def fill(field: QLineEdit, text: str) -> None:
    """Replaces the text of a field."""
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    for letter in text:
        QApplication.sendEvent(field, QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter))


def test_find_goes_round_and_replace_all_is_one_step_to_undo(qtbot: QtBot, world: World) -> None:
    document = written(qtbot, world.add(HL), "Ö 🙂 öl\nÖ o")
    QTest.keyClick(document.editor, Qt.Key.Key_F, CTRL)
    bar = document.find_bar
    assert bar.isVisible()
    fill(bar.field, "ö")
    assert document.editor.range() == (0, 1)
    QTest.keyClick(bar.field, Qt.Key.Key_Return)
    assert (document.editor.range(), bar.count.text()) == ((5, 1), "2 av 3")
    bar.next()
    bar.next()
    assert document.editor.range() == (0, 1)
    bar.previous()
    assert document.editor.range() == (8, 1)
    fill(bar.replacement, "åå")
    button(bar, "Ersätt alla").click()
    assert document.editor.toPlainText() == "Åå 🙂 åål\nÅå o"
    assert bar.count.text() == "3 träffar ersatta"
    document.editor.undo()
    assert document.editor.toPlainText() == "Ö 🙂 öl\nÖ o"
    QTest.keyClick(bar.field, Qt.Key.Key_Escape)
    assert not bar.isVisible()


def button(bar: QWidget, name: str) -> QAbstractButton:
    return next(found for found in bar.findChildren(QAbstractButton) if found.accessibleName() == name)


def test_replacing_keeps_the_capital_and_goes_by_case_and_whole_words_where_one_asks(
    qtbot: QtBot, world: World
) -> None:
    text = "Verksamheten har. verksamheten, VERKSAMHETEN, verksamhetens\nVerksamheten"
    document = written(qtbot, world.add(HL), text)
    QTest.keyClick(document.editor, Qt.Key.Key_H, CTRL)
    bar = document.find_bar
    fill(bar.field, "verksamheten")
    assert bar.count.text() == "1 av 5"
    fill(bar.replacement, "bolaget")
    whole, case = button(bar, "Bara hela ord"), button(bar, "Skilj på stora och små bokstäver")
    for choice, left, after in (
        ((), "Bolaget har. bolaget, BOLAGET, bolagets\nBolaget", "5 träffar ersatta"),
        ((whole,), "Bolaget har. bolaget, BOLAGET, verksamhetens\nBolaget", "4 träffar ersatta"),
        ((case,), "Verksamheten har. bolaget, VERKSAMHETEN, bolagets\nVerksamheten", "2 träffar ersatta"),
        ((case, whole), "Verksamheten har. bolaget, VERKSAMHETEN, verksamhetens\nVerksamheten", "1 träff ersatt"),
    ):
        for part in choice:
            QTest.keyClick(part, Qt.Key.Key_Space)
        button(bar, "Ersätt alla").click()
        assert (document.editor.toPlainText(), bar.count.text()) == (left, after)
        document.editor.undo()
        assert document.editor.toPlainText() == text
        for part in choice:
            QTest.keyClick(part, Qt.Key.Key_Space)
    fill(bar.field, "finns ej")
    button(bar, "Ersätt alla").click()
    assert bar.count.text() == "Inga träffar"


def test_replacing_one_match_keeps_its_capital_and_its_look_and_goes_on(qtbot: QtBot, world: World) -> None:
    document = written(qtbot, world.add(HL), "Ärendet och ärendet")
    document.editor.select(12, 7)
    QTest.keyClick(document.editor, Qt.Key.Key_B, CTRL)
    document.editor.select(12, 7)
    QTest.keyClick(document.editor, Qt.Key.Key_H, CTRL)
    bar = document.find_bar
    assert (bar.field.text(), bar.window().focusWidget()) == ("ärendet", bar.replacement)
    bar.next()
    fill(bar.replacement, "saken")
    for _ in range(2):
        QTest.keyClick(bar.replacement, Qt.Key.Key_Return)
    assert document.editor.toPlainText() == "Saken och saken"
    document.editor.select(11)
    assert document.editor.marks_here().bold


def test_ctrl_h_asks_what_to_find_first_and_a_reader_is_offered_no_replacing(qtbot: QtBot, world: World) -> None:
    document = written(qtbot, world.add(HL), "å")
    bar = document.find_bar
    QTest.keyClick(document.editor, Qt.Key.Key_H, CTRL)
    assert bar.window().focusWidget() is bar.field
    fill(bar.field, "å")
    QTest.keyClick(bar.field, Qt.Key.Key_H, CTRL)
    assert bar.window().focusWidget() is bar.replacement
    QTest.keyClick(bar.replacement, Qt.Key.Key_F, CTRL)
    assert bar.window().focusWidget() is bar.field
    QTest.keyClick(bar.field, Qt.Key.Key_Escape)
    document.set_writable(False)
    QTest.keyClick(document.editor, Qt.Key.Key_H, CTRL)
    assert bar.window().focusWidget() is bar.field
    assert not bar.replacement.isVisible()
    assert document.editor.toPlainText() == "å"
