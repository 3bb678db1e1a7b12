# SPDX-License-Identifier: EUPL-1.2
"""The editor and what is around it: which keys leave the text, and which reach another view."""

from collections.abc import Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.richtext.flow import BODY, Marks, Run, Style
from app.richtext.model import Document
from tests.ui.documents.editors import ALT, CTRL, SHIFT, Key, Mod, key, new_editor, shown, write
from ui.richtext.editor import Editor


class Around(QWidget):
    """A view with a control before and after an editor, and a shortcut on every key; notes what reaches it."""

    def __init__(self, editor: Editor, shortcuts: Sequence[Qt.Key] = ()) -> None:
        super().__init__()
        self.reached: list[int] = []
        self.before, self.editor, self.after = QLineEdit(), editor, QLineEdit()
        layout = QVBoxLayout(self)
        for part in (self.before, editor, self.after):
            layout.addWidget(part)
        for code in shortcuts:
            QShortcut(QKeySequence(code), self, lambda code=code: self.reached.append(code.value))
        self.show()
        self.activateWindow()
        editor.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.reached.append(event.key())


def around(qtbot: QtBot, text: str = "", shortcuts: Sequence[Qt.Key] = ()) -> tuple[Around, Document]:
    document = Document()
    document.set_up("Beslut")
    document.splice(0, 0, text)
    frame = Around(Editor(document), shortcuts)
    qtbot.addWidget(frame)
    qtbot.waitUntil(frame.editor.hasFocus)
    return frame, document


def test_tab_moves_list_items_and_is_typed_elsewhere(qtbot: QtBot) -> None:
    frame, document = around(qtbot, "Hälsningar")
    editor = frame.editor
    QTest.keyClick(editor, Key.Key_End)
    QTest.keyClick(editor, Key.Key_Tab)
    write(editor, "med hälsning ")
    QTest.keyClick(editor, Key.Key_Backtab, SHIFT)
    assert shown(document) == [("Hälsningar\tmed hälsning ", BODY)]
    for code, style in ((Key.Key_1, Style(heading=1)), (Key.Key_9, Style(quote=True))):
        key(editor, code, CTRL | (ALT if style.heading else SHIFT))
        QTest.keyClick(editor, Key.Key_Tab)
        assert document.block(0).style == style
    assert document.plain_text().endswith(" \t\t")
    key(editor, Key.Key_8, CTRL | SHIFT)
    QTest.keyClick(editor, Key.Key_Tab)
    assert document.block(0).style == Style(list="ul", indent=2)
    QTest.keyClick(editor, Key.Key_Backtab, SHIFT)
    assert document.block(0).style == Style(list="ul", indent=1)
    assert frame.focusWidget() is editor


def test_a_typed_tab_is_shown_kept_and_undone_like_any_letter(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "a")
    key(editor, Key.Key_B, CTRL)
    QTest.keyClick(editor, Key.Key_Tab)
    assert document.block(0).runs == (Run("\t", Marks(bold=True)), Run("a"))
    mime = editor.document().toPlainText()
    assert mime == "\ta"
    opened = Document()
    opened.merge([document.snapshot()])
    assert opened.plain_text() == "\ta"
    key(editor, Key.Key_Z, CTRL)
    assert document.plain_text() == "a"


def test_the_text_is_left_only_by_escape_and_then_tab(qtbot: QtBot) -> None:
    frame, document = around(qtbot, "å")
    editor = frame.editor
    for list_ in (False, True):
        if list_:
            editor.toggle_list("ul")
        QTest.keyClick(editor, Key.Key_Tab, CTRL)
        for code, then, wanted in (
            (Key.Key_Tab, Mod.NoModifier, frame.after),
            (Key.Key_Backtab, SHIFT, frame.before),
        ):
            QTest.keyClick(editor, code, then)
            assert frame.focusWidget() is editor
            QTest.keyClick(editor, Key.Key_Escape)
            QTest.keyClick(editor, Key.Key_Shift)
            QTest.keyClick(editor, code, then)
            assert frame.focusWidget() is wanted
            editor.setFocus()
    assert document.plain_text() == "\tå"
    assert "Esc" in editor.accessibleDescription()
    assert "Ctrl" not in editor.accessibleDescription()


def test_escape_counts_only_until_something_else_is_done(qtbot: QtBot) -> None:
    frame, document = around(qtbot)
    editor = frame.editor
    QTest.keyClick(editor, Key.Key_Escape)
    key(editor, Key.Key_B, CTRL)
    QTest.keyClick(editor, Key.Key_Tab)
    QTest.keyClick(editor, Key.Key_Escape)
    frame.after.setFocus()
    editor.setFocus()
    QTest.keyClick(editor, Key.Key_Tab)
    assert frame.focusWidget() is editor
    assert document.plain_text() == "\t\t"


IN_FLOW = [
    Key.Key_Tab, Key.Key_Backtab, Key.Key_Space, Key.Key_Return, Key.Key_Enter, Key.Key_Backspace, Key.Key_Delete,
    Key.Key_Insert, Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down, Key.Key_Home, Key.Key_End, Key.Key_PageUp,
    Key.Key_PageDown, Key.Key_A, Key.Key_E, Key.Key_R, Key.Key_7, Key.Key_Aring, Key.Key_Period, Key.Key_At,
]  # fmt: skip


@pytest.mark.parametrize("list_", [False, True])
def test_no_key_that_one_types_in_flow_reaches_another_view(qtbot: QtBot, list_: bool) -> None:
    frame, _ = around(qtbot, "ett\ntvå", IN_FLOW)
    if list_:
        frame.editor.toggle_list("ol")
    for place in (0, 2, 7):
        for modifiers in (Mod.NoModifier, SHIFT, Mod.KeypadModifier):
            for code in IN_FLOW:
                frame.editor.select(place)
                QTest.keyClick(frame.editor, code, modifiers)
                assert frame.focusWidget() is frame.editor
                assert frame.reached == [], (code, modifiers, place)
