# SPDX-License-Identifier: EUPL-1.2
"""The people in a document, as colleagues see them: only those who have it on screen."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabWidget, QTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.core.ids import DevId, Uid
from app.objects.crdt import LOCAL, REMOTE, Origin
from app.richtext.carets import Caret
from app.richtext.flow import Edit
from app.richtext.model import Change, Document
from tests.app.documents.desks import World
from tests.office import EK, HL, ROOM, Folk
from tests.ui.pointing import click, point
from ui.documents.presence_panel import PresencePanel
from ui.documents.view import DocumentsView
from ui.kit import painting, theme
from ui.richtext.flags import Flags


def test_who_goes_to_another_tab_is_no_longer_in_the_document_and_is_when_back(qtbot: QtBot, world: World) -> None:
    """A colleague who had gone to the tasks, and then to Home, was shown as writing for the rest of the day."""
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    world.deliver()
    mine, theirs, tabs = DocumentsView(hl.documents, ROOM, obj), DocumentsView(ek.documents, ROOM, obj), QTabWidget()
    tabs.addTab(theirs, "Dokument")
    tabs.addTab(QWidget(), "Uppgifter")
    qtbot.addWidget(mine, before_close_func=lambda _: mine.show_list())
    qtbot.addWidget(tabs, before_close_func=lambda _: theirs.show_list())
    for window in (mine, tabs):
        window.resize(1100, 760)
        window.show()
    assert mine.document is not None
    assert theirs.document is not None

    def go(tab: int) -> None:
        click(tabs.tabBar(), tabs.tabBar().tabRect(tab).center())
        for desk in (hl, ek):
            desk.timers.ring(0.2)
        world.deliver()
        for desk in (hl, ek):
            desk.timers.ring(0.2)
        world.deliver()

    go(0)
    assert mine.document.panel.names() == ["Du", "Enhetschef"]
    go(1)
    assert mine.document.panel.names() == ["Du"]
    mine.document.editor.textCursor().insertText("Skrivet medan ingen såg det. ")
    go(1)
    assert [caret.person.uid for caret in hl.documents.presence(obj)] == []
    go(0)
    assert mine.document.panel.names() == ["Du", "Enhetschef"]
    assert theirs.document.panel.names() == ["Du", "Handläggare"]
    theirs.show_list()
    world.deliver()
    assert mine.document.panel.names() == ["Du"]


class Paints(QObject):
    """Counts how often a widget is painted."""

    def __init__(self, watched: QWidget) -> None:
        super().__init__(watched)
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_colleagues_letter_is_painted_before_anything_else_happens_but_not_each_of_many(
    qtbot: QtBot, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    world.deliver()
    theirs, mine = hl.documents.open(obj), DocumentsView(ek.documents, ROOM, obj)
    qtbot.addWidget(mine, before_close_func=lambda _: mine.show_list())
    mine.resize(1100, 760)
    mine.show()
    assert mine.document is not None
    editor = mine.document.editor
    qtbot.waitUntil(lambda: editor.window().windowHandle() is not None and editor.window().windowHandle().isExposed())
    QApplication.processEvents()
    paints = Paints(editor.viewport())
    theirs.splice(0, 0, "å")
    world.deliver()
    assert (editor.toPlainText(), paints.count) == ("å", 1)
    monkeypatch.setattr(painting, "FRAME_S", 60.0)
    for letter in "äö🙂":
        theirs.splice(0, 0, letter)
        world.deliver()
    assert paints.count == 1
    QApplication.processEvents()
    assert editor.toPlainText() == "🙂öäå"


def test_who_is_in_a_document_stands_in_swedish_order(qtbot: QtBot) -> None:
    document, me = Document(), Folk(HL).me
    document.set_up("Beslut")
    panel = PresencePanel(document, me)
    qtbot.addWidget(panel)
    names = ["Ärendechef", "Åklagare", "Zoolog", "arkivarie"]
    panel.show_carets([
        Caret(person=replace(me, uid=Uid(bytes([9]) * 15 + bytes([i])), name=name, is_me=False), dev=DevId(bytes([i])),
              anchor=0, caret=0)
        for i, name in enumerate(names)
    ])  # fmt: skip
    assert panel.names() == ["Du", "arkivarie", "Zoolog", "Åklagare", "Ärendechef"]


def test_a_name_at_a_resting_caret_goes_and_comes_back_when_its_person_moves_or_the_pointer_is_there(
    qtbot: QtBot, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It covered the words of the line above for as long as the colleague rested."""
    monkeypatch.setattr("ui.richtext.flags.STAYS_MS", 600_000)
    hl, ek = world.add(HL), world.add(EK)
    obj = hl.documents.create(ROOM, "Beslut å 🙂")
    mine = DocumentsView(hl.documents, ROOM, obj)
    qtbot.addWidget(mine, before_close_func=lambda _: mine.show_list())
    mine.resize(1100, 760)
    mine.show()
    assert mine.document is not None
    editor = mine.document.editor
    editor.textCursor().insertText("Bakgrund 🙂\nVerksamheten har sökt.\nSkäl.\n")
    world.deliver()
    theirs = DocumentsView(ek.documents, ROOM, obj)
    qtbot.addWidget(theirs, before_close_func=lambda _: theirs.show_list())
    theirs.show()
    assert theirs.document is not None
    other, place = theirs.document.editor, QTextCursor(editor.document())

    def is_named() -> bool:
        """Whether the ground of a name is painted above their caret."""
        (caret,) = hl.documents.presence(obj)
        place.setPosition(caret.caret)
        at = editor.cursorRect(place).topLeft() + QPoint(3, -15)
        colour = QColor(theme.current().person(caret.person.colour))
        return bool(QColor(editor.viewport().grab().toImage().pixel(at)) == colour)

    def carry() -> None:
        for desk in (hl, ek):
            desk.timers.ring(0.2)
        world.deliver()

    def timer() -> QTimer:
        flags = editor.findChild(Flags)
        assert flags is not None
        (made,) = flags.findChildren(QTimer)
        return made

    def rest() -> None:
        timer().start(0)
        qtbot.waitUntil(lambda: not is_named())

    QTest.keyClick(other, Qt.Key.Key_Down)
    carry()
    assert is_named()
    rest()
    QTest.keyClick(other, Qt.Key.Key_Right)
    carry()
    assert is_named()
    rest()
    QTest.keyClicks(other, "Av")
    carry()
    assert is_named(), "who writes moves"
    rest()
    QTest.keyClicks(editor, "Till. ")
    carry()
    assert not is_named(), "whose caret is pushed along has not moved"
    point(editor.viewport(), editor.cursorRect(place).center())
    assert is_named()
    with qtbot.waitSignal(timer().timeout):
        timer().start(0)
    assert is_named(), "the pointer is still there"
    point(editor.viewport(), QPoint(300, 300))
    rest()


def test_a_caret_that_only_this_persons_words_push_has_not_moved_and_one_that_writes_there_has(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for pause in ("STAYS_MS", "FADES_MS"):
        monkeypatch.setattr(f"ui.richtext.flags.{pause}", 0)
    edit = QTextEdit()
    qtbot.addWidget(edit)
    flags, dev = Flags(edit), DevId(b"d")

    def stands(place: int) -> float:
        flags.show([Caret(person=Folk(EK).me, dev=dev, anchor=place, caret=place)])
        return flags.opacity(dev)

    def written(origin: Origin, place: int, text: str) -> Change:
        return Change(first=0, removed=0, blocks=(), edits=(Edit(place, 0, text),), origin=origin)

    assert stands(5) == 1.0
    qtbot.waitUntil(lambda: flags.opacity(dev) == 0.0)
    flags.follow(written(LOCAL, 5, "å 🙂"))
    assert stands(9) == 0.0
    flags.follow(written(REMOTE, 9, "Av"))
    assert stands(11) == 1.0
