# SPDX-License-Identifier: EUPL-1.2
"""The editor by keyboard and clipboard: what keys do, what may be pasted, what undo takes back."""

from collections.abc import Sequence

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QAction, QInputMethodEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.richtext.flow import BODY, Marks, Run, Style
from app.richtext.model import Document
from tests.ui.pointing import click
from ui.kit.keys import REDO
from ui.kit.translate import tr
from ui.richtext import link_notes
from ui.richtext.editor import Editor

Key, Mod = Qt.Key, Qt.KeyboardModifier
CTRL, SHIFT, ALT = Mod.ControlModifier, Mod.ShiftModifier, Mod.AltModifier


def new_editor(qtbot: QtBot, text: str = "", *, read_only: bool = False) -> tuple[Editor, Document]:
    document = Document()
    document.set_up("Beslut")
    if text:
        document.splice(0, 0, text)
    editor = Editor(document, read_only=read_only)
    qtbot.addWidget(editor)
    editor.resize(900, 600)
    editor.show()
    return editor, document


def key(editor: Editor, code: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier, text: str = "") -> None:
    for kind in (QKeyEvent.Type.KeyPress, QKeyEvent.Type.KeyRelease):
        QApplication.sendEvent(editor, QKeyEvent(kind, code.value, modifiers, text))


def write(editor: Editor, text: str) -> None:
    for char in text:
        if char == "\n":
            key(editor, Key.Key_Return)
        else:
            key(editor, Key.Key_unknown, text=char)


def shown(document: Document) -> list[tuple[str, Style]]:
    return [(block.text, block.style) for block in document.blocks()]


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


def test_pasted_html_keeps_what_a_document_holds_and_nothing_else(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "före efter")
    editor.select(5)
    mime = QMimeData()
    mime.setHtml(
        "<style>p{color:red}</style><script>x()</script><h1>Rubrik å</h1><p>ett <b>två</b> "
        '<a href="javascript:x()">tre</a> <a href="https://å.se">fyra</a><img src="file:///etc/passwd"></p>'
        "<ul><li>punkt<ul><li>inre 🙂</li></ul></li></ul>"
    )
    editor.insertFromMimeData(mime)
    assert document.plain_text() == "före Rubrik å\nett två tre fyra\npunkt\ninre 🙂efter"
    assert document.block(1).runs == (
        Run("ett "),
        Run("två", Marks(bold=True)),
        Run(" tre "),
        Run("fyra", Marks(link="https://å.se")),
    )
    assert [block.style.indent for block in document.blocks()] == [0, 0, 1, 2]
    assert document.undo()
    assert document.plain_text() == "före efter"


def test_pasting_says_what_could_not_be_taken(qtbot: QtBot) -> None:
    words: list[str] = []
    editor, document = new_editor(qtbot)
    editor.pasted.connect(words.append)
    for html, sentence in (
        (
            "<p>a<img src=x><img src=y><img src=z></p><table><tr><td>1</td><td>2</td></tr></table>",
            "3 bilder och 1 tabell kunde inte följa med. Tabellens text finns här, med tabbar mellan cellerna.",
        ),
        (
            "<table><tr><td>1<td>2</table><table><tr><td>1<td>2</table>",
            "2 tabeller kunde inte följa med. Tabellernas text finns här, med tabbar mellan cellerna.",
        ),
        ("<p>a<img src=x></p>", "1 bild kunde inte följa med."),
        ("<p>allt</p>", ""),
    ):
        mime = QMimeData()
        mime.setHtml(html)
        QApplication.clipboard().setMimeData(mime)
        key(editor, Key.Key_V, CTRL)
        assert words.pop() == sentence
    assert "1\t2" in document.plain_text()


def test_pasting_what_has_no_text_says_so_and_leaves_the_selection(qtbot: QtBot) -> None:
    words: list[str] = []
    editor, document = new_editor(qtbot, "kvar å")
    editor.pasted.connect(words.append)
    editor.selectAll()
    for form, data, sentence in (
        ("text/html", b"<img src=x>", "1 bild kunde inte följa med."),
        ("text/html", b"<div><br></div>", "Det fanns ingen text att klistra in."),
        ("image/png", b"x", "1 bild kunde inte följa med."),
        ("application/pdf", b"x", "Det fanns ingen text att klistra in."),
    ):
        mime = QMimeData()
        mime.setData(form, data)
        QApplication.clipboard().setMimeData(mime)
        key(editor, Key.Key_V, CTRL)
        assert words.pop() == sentence
    key(editor, Key.Key_V, CTRL | SHIFT)
    assert words.pop() == "Det fanns ingen text att klistra in."
    assert document.plain_text() == "kvar å"


def test_a_spreadsheet_is_pasted_as_text_though_it_offers_a_picture(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot)
    mime = QMimeData()
    mime.setData("image/png", b"x")
    mime.setText("å\t2\n")
    mime.setHtml("<table><tr><td>å</td><td>2</td></tr></table>")
    editor.insertFromMimeData(mime)
    assert document.plain_text() == "å\t2"


def test_what_is_copied_here_is_pasted_here_as_it_was(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "Rubrik\npunkt ett å\nslut")
    document.set_styles(0, [Style(heading=2), Style(list="ol", indent=2), BODY])
    document.format(7, 5, {"bold": True})
    editor.select(0, 18)
    mime = editor.createMimeDataFromSelection()
    other, target = new_editor(qtbot)
    other.insertFromMimeData(mime)
    assert [(b.runs, b.style) for b in target.blocks()] == [(b.runs, b.style) for b in document.blocks()][:2]
    assert "<h2>Rubrik</h2>" in mime.html()
    assert mime.text() == "Rubrik\npunkt ett å"


def test_plain_paste_takes_the_style_of_where_it_lands(qtbot: QtBot) -> None:
    editor, document = new_editor(qtbot, "x")
    document.set_block(0, 0, Style(list="ul", indent=1))
    mime = QMimeData()
    mime.setHtml("<h1>Å</h1><p>b</p>")
    mime.setText("Å\nb")
    QApplication.clipboard().setMimeData(mime)
    editor.select(1)
    key(editor, Key.Key_V, CTRL | SHIFT)
    item = Style(list="ul", indent=1)
    assert shown(document) == [("xÅ", item), ("b", item)]


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
