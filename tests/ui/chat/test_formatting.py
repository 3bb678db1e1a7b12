# SPDX-License-Identifier: EUPL-1.2
"""Bold, italic and lists in the composer, by keys and buttons as a person uses them."""

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest

from tests.demo.hands import commit
from tests.ui.chat.test_view import last, named
from tests.ui.pointing import click
from ui.chat.view import ChatView

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def keys(view: ChatView, *written: str) -> None:
    """Types letters, those outside ASCII as from dead keys; the rest are names of keys."""
    field = view.composer.field
    for part in written:
        match part:
            case "Ctrl+B":
                QTest.keyClick(field, Qt.Key.Key_B, CONTROL)
            case "Ctrl+I":
                QTest.keyClick(field, Qt.Key.Key_I, CONTROL)
            case "Ctrl+Z":
                QTest.keyClick(field, Qt.Key.Key_Z, CONTROL)
            case "Shift+Enter":
                QTest.keyClick(field, Qt.Key.Key_Return, SHIFT)
            case "Enter":
                QTest.keyClick(field, Qt.Key.Key_Return)
            case "Left":
                QTest.keyClick(field, Qt.Key.Key_Left)
            case "Backspace":
                QTest.keyClick(field, Qt.Key.Key_Backspace)
            case "Shift+Left":
                QTest.keyClick(field, Qt.Key.Key_Left, SHIFT)
            case _:
                for letter in part:
                    if letter.isascii():
                        QTest.keyClicks(field, letter)
                    else:
                        commit(field, letter)


def lit(view: ChatView) -> set[str]:
    return {name for name in ("Fet", "Kursiv", "Lista") if named(view, name).isChecked()}


def test_bold_on_and_off_leaves_nothing_behind(view: ChatView) -> None:
    keys(view, "Det är ", "Ctrl+B", "viktigt å", "Ctrl+B", " att svara", "Enter")
    assert last(view) == "Det är **viktigt å** att svara"


def test_bold_that_was_only_turned_on_and_off_writes_nothing(view: ChatView) -> None:
    keys(view, "Ctrl+B")
    assert lit(view) == {"Fet"}
    keys(view, "Ctrl+B")
    assert lit(view) == set()
    keys(view, "Ctrl+I", "Ctrl+B", "Ctrl+I", "Ctrl+B", "hej", "Enter")
    assert last(view) == "hej"


def test_the_caret_that_goes_elsewhere_takes_no_mark_along(view: ChatView) -> None:
    keys(view, "ett", "Ctrl+B", "Left", "X")
    assert view.composer.text == "etXt"
    assert lit(view) == set()


def test_the_buttons_do_the_same_and_show_what_holds(view: ChatView) -> None:
    bold, italic, field = named(view, "Fet"), named(view, "Kursiv"), view.composer.field
    click(bold)
    click(italic)
    assert lit(view) == {"Fet", "Kursiv"}
    assert field.hasFocus()
    keys(view, "å 🙂")
    assert view.composer.text == "**_å 🙂_**"
    assert lit(view) == {"Fet", "Kursiv"}
    click(italic)
    assert lit(view) == {"Fet"}
    click(bold)
    assert lit(view) == set()
    keys(view, " slut")
    assert view.composer.text == "**_å 🙂_** slut"
    keys(view, *["Left"] * 7)
    assert lit(view) == {"Fet"}


def test_a_space_before_the_end_of_bold_stands_outside(view: ChatView) -> None:
    keys(view, "Ctrl+B", "nej ", "Ctrl+B", "tack", "Enter")
    assert last(view) == "**nej** tack"
    keys(view, "Ctrl+B", "nej ", "Enter")
    assert last(view) == "**nej**"


def test_letters_that_are_deleted_take_their_marks_along(view: ChatView) -> None:
    keys(view, "Ctrl+B", "ab", "Backspace", "Backspace")
    assert view.composer.text == ""
    assert lit(view) == {"Fet"}, "it was not turned off"
    keys(view, "c", "Enter")
    assert last(view) == "**c**"


def test_a_selection_is_marked_line_by_line_and_unmarked(view: ChatView) -> None:
    field = view.composer.field
    field.setPlainText("- första å\n- andra 🙂 ")
    field.selectAll()
    keys(view, "Ctrl+B")
    assert view.composer.text == "- **första å**\n- **andra 🙂** "
    keys(view, "Ctrl+B")
    assert view.composer.text == "- första å\n- andra 🙂 "


def test_what_is_pasted_while_bold_is_on_is_bold(view: ChatView) -> None:
    pasted = QMimeData()
    pasted.setText("två rader\nav text")
    keys(view, "Ctrl+B")
    view.composer.field.insertFromMimeData(pasted)
    assert view.composer.text == "**två rader**\n**av text**"


def test_undo_takes_back_letter_and_marks_together(view: ChatView) -> None:
    keys(view, "ett ", "Ctrl+B", "t")
    assert view.composer.text == "ett **t**"
    keys(view, "Ctrl+Z")
    assert view.composer.text == "ett "
    keys(view, "Ctrl+Z")
    assert view.composer.text == ""


def test_the_list_begins_at_the_carets_line_and_goes_on(view: ChatView) -> None:
    keys(view, "Att göra:", "Shift+Enter")
    click(named(view, "Lista"))
    assert lit(view) == {"Lista"}
    keys(view, "ring å", "Shift+Enter", "skriv", "Shift+Enter", "Shift+Enter", "slut", "Enter")
    assert last(view) == "Att göra:\n- ring å\n- skriv\nslut"


def test_the_list_button_takes_the_list_away_again(view: ChatView) -> None:
    keys(view, "ett", "Shift+Enter", "två")
    click(named(view, "Lista"))
    assert view.composer.text == "ett\n- två"
    click(named(view, "Lista"))
    assert view.composer.text == "ett\ntvå"
    keys(view, "Shift+Left", "Shift+Left", "Shift+Left", "Shift+Left")
    click(named(view, "Lista"))
    assert view.composer.text == "- ett\n- två"


def test_a_line_that_came_with_a_line_separator_is_a_line(view: ChatView) -> None:
    view.composer.field.setPlainText("ett\u2028två 🙂")
    view.composer._to_end()
    click(named(view, "Lista"))
    assert view.composer.text == "ett\n- två 🙂"


def test_marks_do_not_cross_a_line(view: ChatView) -> None:
    keys(view, "Ctrl+B", "ett", "Shift+Enter", "två", "Ctrl+B", "!", "Enter")
    assert last(view) == "**ett**\n**två**!"
