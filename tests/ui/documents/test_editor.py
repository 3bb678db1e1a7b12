# SPDX-License-Identifier: EUPL-1.2
"""The editor by keyboard: what keys do, what undo takes back, what a reader can do."""

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QAction, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.richtext.flow import BODY, Marks, Run, Style
from app.richtext.model import Document
from tests.ui.documents.editors import ALT, CTRL, SHIFT, Key, Mod, key, new_editor, shown, write
from tests.ui.pointing import click
from ui.kit.keys import REDO
from ui.kit.translate import tr
from ui.richtext import link_notes
from ui.richtext.editor import Editor


def test_what_is_typed_is_in_the_document(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot)
    write(editor, "Åtgärder 🙂\nnästa")
    assert document.plain_text() == "Åtgärder 🙂\nnästa"


def test_bold_is_typed_bold_and_toggles_a_selection(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot)
    write(editor, "a ")
    key(editor, Key.Key_B, CTRL)
    write(editor, "åä")
    key(editor, Key.Key_B, CTRL)
    write(editor, "ö")
    assert document.block(0).runs == (Run("a "), Run("åä", Marks(bold=True)), Run("ö"))
    editor.select(2, 2)
    assert editor.marks_here().bold
    key(editor, Key.Key_B, CTRL)
    assert document.block(0).runs == (Run("a åäö"),)


def test_every_mark_and_style_has_its_key(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "åäö")
    editor.select(0, 3)
    for code, modifiers in ((Key.Key_I, CTRL), (Key.Key_U, CTRL), (Key.Key_X, CTRL | SHIFT)):
        key(editor, code, modifiers)
    assert document.block(0).runs[0].marks == Marks(italic=True, underline=True, strike=True)
    for code, modifiers, style in (
        (Key.Key_1, CTRL | ALT, Style(heading=1)),
        (Key.Key_2, CTRL | ALT, Style(heading=2)),
        (Key.Key_3, CTRL | ALT, Style(heading=3)),
        (Key.Key_0, CTRL | ALT, BODY),
        (Key.Key_7, CTRL | SHIFT, Style(list="ol", indent=1)),
        (Key.Key_8, CTRL | SHIFT, Style(list="ul", indent=1)),
        (Key.Key_9, CTRL | SHIFT, Style(quote=True)),
    ):
        key(editor, code, modifiers)
        assert document.block(0).style == style


def test_enter_after_a_heading_begins_body_text(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "Rubrik")
    document.set_block(0, 0, Style(heading=1))
    editor.select(6)
    write(editor, "\ntext å")
    assert shown(document) == [("Rubrik", Style(heading=1)), ("text å", BODY)]
    editor.select(0)
    write(editor, "\n")
    assert shown(document)[:2] == [("", BODY), ("Rubrik", Style(heading=1))]


def test_lists_go_on_indent_and_end_by_keys_alone(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot)
    key(editor, Key.Key_8, CTRL | SHIFT)
    write(editor, "ett\ntvå")
    key(editor, Key.Key_Tab)
    write(editor, "\n")
    key(editor, Key.Key_Backtab, SHIFT)
    write(editor, "tre\n\nslut å")
    item = Style(list="ul", indent=1)
    assert shown(document) == [
        ("ett", item),
        ("två", Style(list="ul", indent=2)),
        ("tre", item),
        ("slut å", BODY),
    ]
    editor.select(0)
    key(editor, Key.Key_Backspace)
    assert document.block(0).style == BODY


def test_undo_is_mine_alone_and_puts_the_caret_where_it_happened(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "början ")
    colleague = Document()
    colleague.merge([document.snapshot()])
    document.split_undo()
    editor.select(7)
    write(editor, "mitt")
    colleague.splice(0, 0, "DITT ")
    document.merge([colleague.snapshot()])
    key(editor, Key.Key_Z, CTRL)
    assert document.plain_text() == "DITT början "
    assert editor.selection() == (12, 12)
    key(editor, Key.Key_Y, CTRL)
    assert document.plain_text() == "DITT början mitt"


def test_a_link_is_set_on_a_selection_and_typing_after_it_is_not_linked(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "se lagen")
    editor.select(3, 5)
    editor.set_link("https://lagen.nu")
    editor.select(8)
    write(editor, " å")
    assert document.block(0).runs == (Run("se "), Run("lagen", Marks(link="https://lagen.nu")), Run(" å"))
    editor.select(5)
    assert editor.link_range() == (3, 5)
    editor.set_link("")
    assert document.block(0).runs == (Run("se lagen å"),)


def test_an_input_methods_draft_is_not_in_the_document_until_it_is_committed(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "å")
    editor.select(1)
    QApplication.sendEvent(editor, QInputMethodEvent("にほ", []))
    assert document.plain_text() == "å"
    commit = QInputMethodEvent("", [])
    commit.setCommitString("日本")
    QApplication.sendEvent(editor, commit)
    assert document.plain_text() == "å日本"


def test_a_reader_can_select_and_copy_but_change_nothing(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "läs mig å", read_only=True)
    editor.select(0, 3)
    for code, modifiers in ((Key.Key_B, CTRL), (Key.Key_1, CTRL | ALT), (Key.Key_Delete, Mod.NoModifier)):
        key(editor, code, modifiers)
    write(editor, "x\n")
    mime = QMimeData()
    mime.setText("inklistrat")
    editor.insertFromMimeData(mime)
    assert document.plain_text() == "läs mig å"
    assert editor.createMimeDataFromSelection().text() == "läs"


def test_altgr_signs_are_typed_and_are_no_shortcuts(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot)
    for code, sign in ((Key.Key_At, "@"), (Key.Key_BraceLeft, "{")):
        key(editor, code, CTRL | ALT, sign)
    assert document.block(0).style == BODY


def test_the_host_beside_a_link_follows_undo_colleagues_and_the_theme(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "Läs skatteverket.se👨\u200d👩 nu")
    document.format(4, 15 + 5, {"link": "https://evil.example"})
    first = [(4 + 15, 5, "evil.example")]
    assert noted(editor) == first == link_notes.wanted(document.block(0))
    colleague = Document()
    colleague.merge([document.snapshot()])
    colleague.splice(0, 0, "🙂 ")
    document.merge([colleague.diff(document.state())])
    assert noted(editor) == [(22, 5, "evil.example")]
    editor.restyle()
    assert noted(editor) == [(22, 5, "evil.example")]
    editor.undo()
    assert noted(editor) == []
    assert document.plain_text() == "🙂 Läs skatteverket.se👨\u200d👩 nu"
    editor.redo()
    document.set_block(0, 0, Style(list="ul", indent=1))
    assert noted(editor) == [(22, 5, "evil.example")]
    editor.grab()


def noted(editor: Editor) -> list[link_notes.Note]:
    """The notes that the first block carries."""
    block, found = editor.document().begin(), list[link_notes.Note]()
    fragments = block.begin()
    while not fragments.atEnd():
        fragment = fragments.fragment()
        if host := link_notes.note_of(fragment.charFormat()):
            found.append((fragment.position() - block.position(), fragment.length(), host))
        fragments += 1
    return found


def test_the_menu_of_the_text_undoes_and_redoes_by_line_and_by_the_keys_that_it_shows(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot)

    def menu() -> QMenu:
        click(editor.viewport(), editor.cursorRect().center(), right=True)
        found = QApplication.activePopupWidget()
        assert isinstance(found, QMenu)
        return found

    def action(shown: QMenu, text: str) -> QAction:
        return next(a for a in shown.actions() if a.text() == text)

    first = menu()
    assert not action(first, tr("Undo")).isEnabled()
    first.close()
    write(editor, "åäö 🙂")
    second = menu()
    assert not action(second, tr("Redo")).isEnabled()
    click(second, second.actionGeometry(action(second, tr("Undo"))).center())
    assert document.plain_text() == ""
    third = menu()
    redo = action(third, tr("Redo"))
    assert redo.shortcut().toString() == REDO
    QTest.keyClick(third, Key.Key_Z, CTRL | SHIFT)
    assert document.plain_text() == "åäö 🙂"
    fourth = menu()
    QTest.keyClick(fourth, Key.Key_A, CTRL)
    assert editor.range() == (0, 6)


def test_the_menu_of_a_text_that_is_only_read_offers_nothing_that_changes_it(qtbot: QtBot) -> None:
    editor, _ = new_editor(qtbot, "åäö", read_only=True)
    click(editor.viewport(), editor.cursorRect().center(), right=True)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert [a.text() for a in menu.actions() if not a.isSeparator()] == [tr("Copy"), tr("Select all")]
    menu.close()


@pytest.mark.parametrize(("code", "held"), [(Key.Key_Z, CTRL | SHIFT), (Key.Key_Y, CTRL)])
def test_both_keys_of_redo_work(qtbot: QtBot, code: Qt.Key, held: Qt.KeyboardModifier) -> None:
    editor, document = new_editor(qtbot)
    write(editor, "å")
    key(editor, Key.Key_Z, CTRL)
    assert document.plain_text() == ""
    key(editor, code, held)
    assert document.plain_text() == "å"
