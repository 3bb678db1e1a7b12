# SPDX-License-Identifier: EUPL-1.2
"""The tool as a person uses it: list, new document, writing together, names for screen readers."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListView, QMenu, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.richtext.flow import Style
from tests.app.documents.desks import Desk, World
from tests.office import EK, HL, ROOM
from tests.ui.documents.shown_documents import opened, show
from tests.ui.pointing import click, wheel
from ui.documents.view import DocumentsView
from ui.richtext.link_dialog import LinkDialog
from ui.tool_views import PlacedView, ViewPlace


def test_an_empty_room_says_what_belongs_there_and_offers_the_first_step(qtbot: QtBot, world: World) -> None:
    view = show(qtbot, world.add(HL))
    assert view.list.empty.isVisible()
    assert view.list.empty.step is not None
    view.list.empty.step.click()
    document = opened(view)
    assert document.title.selectedText() == "Nytt dokument"
    document.title.setText("Beslut å")
    QTest.keyClick(document.title, Qt.Key.Key_Return)
    view.show_list()
    assert [row.title for row in view.list.documents.rows.rows] == ["Beslut å"]


def test_a_new_document_is_made_when_something_is_written_or_a_title_is_given(qtbot: QtBot, world: World) -> None:
    hl, ek = world.add(HL), world.add(EK)
    hl.documents.create(ROOM, "Beslut å")
    view = show(qtbot, hl)

    def listed(desk: Desk) -> list[str]:
        world.deliver()
        return sorted(row.title for row in desk.documents.list(ROOM))

    click(view.list.new)
    QTest.keyClick(opened(view).title, Qt.Key.Key_Return)  # the title that it has, and nothing written
    view.show_list()
    assert listed(hl) == listed(ek) == ["Beslut å"]
    assert not hl.documents.open_ids()

    click(view.list.new)
    QTest.keyClicks(opened(view).editor, "Beslut, sida å")
    assert listed(ek) == ["Beslut å", "Nytt dokument"]
    view.show_list()
    (made,) = [row for row in ek.documents.list(ROOM) if row.title == "Nytt dokument"]
    assert ek.documents.open(made.obj).plain_text() == "Beslut, sida å"
    ek.documents.close(made.obj)

    click(view.list.new)
    QTest.keyClicks(opened(view).title, "Yttrande å")
    view.show_list()
    assert listed(hl) == listed(ek) == ["Beslut å", "Nytt dokument", "Yttrande å"]


@pytest.mark.parametrize("leave", [QWidget.hide, DocumentsView.show_list, DocumentsView.keep_draft])
def test_a_title_that_is_being_typed_is_kept_whatever_comes(
    qtbot: QtBot, world: World, leave: Callable[[DocumentsView], object]
) -> None:
    """Another room, the list, or a lock."""
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    view = show(qtbot, hl, obj)
    qtbot.waitUntil(view.isActiveWindow)
    title = opened(view).title
    title.setFocus()
    title.end(False)
    QTest.keyClicks(title, " igen")
    leave(view)
    hl.documents.index_now()
    row = hl.documents.row(obj)
    assert row is not None
    assert row.title == "Beslut å 🙂 igen"


def test_enter_in_the_list_opens_the_document(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    view = show(qtbot, hl)
    view.list.documents.setFocus()
    QTest.keyClick(view.list.documents, Qt.Key.Key_Return)
    assert opened(view).obj == obj


def test_what_could_not_be_pasted_is_shown_above_the_text_until_it_is_read(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    document = opened(show(qtbot, hl, hl.documents.create(ROOM, "Beslut")))
    mime = QMimeData()
    mime.setHtml("<p>å</p><img src=x><img src=y>")
    QApplication.clipboard().setMimeData(mime)
    QTest.keyClick(document.editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    bar = document.left_out_bar
    assert bar.isVisible()
    assert bar.text() == "2 bilder kunde inte följa med."
    close = bar.findChild(QAbstractButton)
    assert close is not None
    assert close.text() == "Stäng meddelandet"
    QTest.keyClick(close, Qt.Key.Key_Space)
    assert not bar.isVisible()
    assert document.window().focusWidget() is document.editor
    QTest.keyClick(document.editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert bar.isVisible()
    QApplication.clipboard().setText("allt")
    QTest.keyClick(document.editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert not bar.isVisible()


def test_two_people_write_at_once_and_see_each_other(qtbot: QtBot, world: World) -> None:
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut")
    world.deliver()
    mine, theirs = opened(show(qtbot, hl, obj)), opened(show(qtbot, ek, obj))
    mine.editor.textCursor().insertText("Bakgrund\nÅ 🙂")
    hl.documents.open(obj).set_block(0, 0, mine.editor.style_here()._replace(heading=1))
    world.deliver()
    theirs.editor.select(theirs.editor.document().characterCount() - 1)
    theirs.editor.textCursor().insertText(" slut")
    for desk in (hl, ek):
        desk.timers.ring(0.2)
    world.deliver()
    assert mine.editor.toPlainText() == theirs.editor.toPlainText() == "Bakgrund\nÅ 🙂 slut"
    assert mine.panel.names() == ["Du", "Enhetschef · Bakgrund"]
    mine.grab()
    hl.documents.close(obj)


@pytest.mark.parametrize("kind", ["ul", "ol"])
def test_what_a_colleague_selects_has_a_ground_and_keeps_its_bullets_and_numbers(
    qtbot: QtBot, world: World, kind: str
) -> None:
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut")
    written = hl.documents.open(obj)
    written.splice(0, 0, "Bakgrund å\nSkäl 🙂\n\nBeslut")
    for block in range(4):
        written.set_block(block, block, Style(list=kind, indent=1))
    world.deliver()
    mine, theirs = opened(show(qtbot, hl, obj)), opened(show(qtbot, ek, obj))

    def settle() -> None:
        for desk in (hl, ek):
            desk.timers.ring(0.2)
        world.deliver()

    def parts() -> tuple[QImage, QImage]:
        """The column of the markers, and the letters."""
        first = mine.editor.document().begin().layout()
        edge = round(first.position().x() + first.lineAt(0).x())
        picture = mine.editor.viewport().grab().toImage()
        height = round(mine.editor.document().lastBlock().layout().position().y()) + 20
        return picture.copy(edge - 26, 101, 22, height - 101), picture.copy(edge, 101, 120, height - 101)

    QTest.keyClick(theirs.editor, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    settle()
    markers, letters = parts()
    QTest.keyClick(theirs.editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    settle()
    assert parts()[1] != letters
    assert parts()[0] == markers
    hl.documents.close(obj)


def test_a_change_that_cannot_be_read_is_counted_and_the_rest_is_shown(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    hl.documents.open(obj).splice(0, 0, "åäö")
    hl.documents.close(obj)
    world.arrive(hl, EK, obj, b"\x01nonsense")
    document = opened(show(qtbot, hl, obj))
    assert document.editor.toPlainText() == "åäö"
    assert "damaged-update" in document.bar.text()
    assert "1 ändring kunde inte läsas" in document.bar.text()


def test_the_toolbar_shows_what_holds_at_the_caret_and_counts_words(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    document = opened(show(qtbot, hl, hl.documents.create(ROOM, "Beslut")))
    bar = document.toolbar
    document.editor.textCursor().insertText("ett två å")
    assert bar.words.text() == "3 ord"
    document.editor.select(0, 3)
    bar.marks["bold"].click()
    assert bar.marks["bold"].isChecked()
    bar.numbers.click()
    assert bar.numbers.isChecked()
    assert bar.style_button.text() == "Numrerad lista"
    assert bar.undo.isEnabled()
    bar.undo.click()
    bar.undo.click()
    assert bar.style_button.text() == "Brödtext"
    assert not bar.marks["bold"].isChecked()


def test_a_link_is_made_in_the_dialog_and_a_bad_address_is_explained(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    document = opened(show(qtbot, hl, hl.documents.create(ROOM, "Beslut")))
    dialog = LinkDialog(document, document.editor)
    qtbot.addWidget(dialog)
    assert dialog.text is not None
    dialog.text.setText("lagen å")
    dialog.address.setText("javascript:x()")
    dialog.accept()
    assert dialog.error.text()
    assert dialog.result() == 0
    dialog.address.setText("lagen.nu/1962:700")
    dialog.accept()
    run = hl.documents.open(document.obj).block(0).runs[0]
    assert (run.text, run.marks.link) == ("lagen å", "https://lagen.nu/1962:700")
    hl.documents.close(document.obj)


def test_a_reader_sees_that_they_cannot_write(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    hl.rooms.writes = False
    document = opened(show(qtbot, hl, obj))
    assert document.editor.isReadOnly()
    assert document.bar.text() == "Du kan läsa dokumentet men inte skriva i det."
    assert not document.toolbar.marks["bold"].isEnabled()


def test_a_document_is_only_read_from_when_the_room_closes_and_written_in_when_one_may_again(
    qtbot: QtBot, world: World
) -> None:
    hl = world.add(HL)
    view = show(qtbot, hl, hl.documents.create(ROOM, "Beslut"))
    document = opened(view)
    document.find_bar.open()
    hl.rooms.writes = False
    view.set_writable(False)
    QTest.keyClicks(document.editor, "x")
    assert hl.documents.list(ROOM)[0].title == "Beslut"
    assert (document.editor.toPlainText(), document.title.isReadOnly()) == ("", True)
    assert document.bar.isVisible()
    assert not document.find_bar.replacement.isVisible()
    view.show_list()
    assert not view.list.new.isVisible()
    hl.rooms.writes = True
    view.set_writable(True)
    assert view.list.new.isVisible()
    view.open(document.obj)
    QTest.keyClicks(opened(view).editor, "x")
    assert opened(view).editor.toPlainText() == "x"


def test_a_long_beginning_of_a_document_ends_in_dots(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    hl.documents.open(obj).splice(0, 0, "Enligt 5 § " * 40)
    hl.documents.close(obj)
    hl.timers.ring(60)
    view = show(qtbot, hl)
    assert view.list.documents.rows.rows[0].excerpt.endswith("…")


def test_every_control_has_a_name_of_its_own(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    view = show(qtbot, hl, hl.documents.create(ROOM, "Beslut"))
    opened(view).find_bar.open()
    for root in (opened(view), view.list):
        names = [
            widget.accessibleName()
            for widget in root.findChildren(QWidget)
            if isinstance(widget, QAbstractButton | QLineEdit | QTextEdit | QListView)
            and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
            and not widget.objectName().startswith("qt_")
        ]
        assert [name for name in names if not isinstance(name, str)] == []
        assert len(names) == len(set(names))


def test_a_view_that_is_thrown_away_lets_go_of_its_document(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    view = DocumentsView(hl.documents, ROOM, obj)
    view.show()
    view.deleteLater()
    with qtbot.waitSignal(view.destroyed):
        pass
    assert not hl.documents.unsaved(obj)
    assert hl.documents.presence(obj) == []
    assert obj not in hl.documents.open_ids()


def test_the_menu_of_a_row_opens_at_the_pointer_for_what_is_under_it(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    for title in ("Beslut", "Tjänsteanteckning"):
        hl.documents.create(ROOM, title)
    view = show(qtbot, hl)
    rows = view.list.documents
    other = next(i for i in range(2) if rows.rows.index(i) != rows.currentIndex())
    at = rows.visualRect(rows.rows.index(other)).topLeft() + QPoint(60, 12)
    click(rows.viewport(), at, right=True)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert (menu.pos() - rows.viewport().mapToGlobal(at)).manhattanLength() < 4
    menu.actions()[0].trigger()
    assert opened(view).title.text() == rows.rows.rows[other].title
    menu.close()


def test_the_menu_key_opens_the_menu_of_the_current_row(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    hl.documents.create(ROOM, "Beslut")
    view = show(qtbot, hl)
    rows = view.list.documents
    by_key = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 400), QPoint(5, 400))
    QApplication.sendEvent(rows.viewport(), by_key)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    middle = rows.viewport().mapToGlobal(rows.visualRect(rows.currentIndex()).center())
    assert (menu.pos() - middle).manhattanLength() < 4
    menu.close()


def test_one_comes_back_to_the_open_document_its_caret_and_the_line_at_the_top(qtbot: QtBot, world: World) -> None:
    hl = world.add(HL)
    obj = hl.documents.create(ROOM, "Beslut")
    view = show(qtbot, hl, obj)
    editor = opened(view).editor
    QApplication.clipboard().setText("\n".join(f"Stycke {n} med några ord å 🙂" for n in range(2000)))
    QTest.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    editor.select(40_000, 0)
    QTest.keyClick(editor, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    wheel(editor, -3)
    selection, place = editor.selection(), editor.cursorRect()
    assert editor.verticalScrollBar().value()
    assert isinstance(view, PlacedView)
    left = view.view_place()
    view.show_list()
    again = show(qtbot, hl)
    again.restore_place(left)
    editor = opened(again).editor
    assert editor.selection() == selection
    assert editor.cursorRect() == place
    again.show_list()
    assert again.view_place() == ViewPlace()
    hl.documents.delete(obj)
    again.restore_place(replace(left, opened=bytes(16)))
    assert again.document is None
