# SPDX-License-Identifier: EUPL-1.2
"""Two people who write at one place of a document lose nothing that nobody deleted on purpose, and neither is moved by
what the other writes."""

import random

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QTextCharFormat, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.text_units import point_from_utf16, utf16_from_point
from app.richtext.flow import Marks, Run, Style, plain_blocks
from tests.ui.documents.two_desks import Desk, check, new_pair, sync

Key, Mod = Qt.Key, Qt.KeyboardModifier
PARAGRAPH = "\u2029"


class Person:
    """Works an editor by keys, and remembers which letters they deleted on purpose. Every letter is there once."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.chosen = ""
        """The letters that the person selected, and those that arrived between them."""
        self.deleted: set[str] = set()
        self.typed: list[str] = []

    @property
    def screen(self) -> str:
        return self.desk.edit.toPlainText()

    @property
    def caret(self) -> int:
        """In letters, not in units."""
        return point_from_utf16(self.screen, self.desk.edit.textCursor().position())

    def place(self, pos: int, length: int, *, backwards: bool) -> None:
        """Puts the caret somewhere and selects letters of one paragraph from there by Shift and arrows."""
        edit = self.desk.edit
        pos = max(0, min(pos, len(self.screen)))
        line = self.screen[:pos].rpartition("\n")[2] if backwards else self.screen[pos:].partition("\n")[0]
        edit.select(utf16_from_point(self.screen, pos))
        for _ in range(min(length, len(line))):
            QTest.keyClick(edit, Key.Key_Left if backwards else Key.Key_Right, Mod.ShiftModifier)
        self.chosen = edit.textCursor().selectedText()

    def type(self, text: str) -> None:
        self._delete_chosen()
        self.typed += text
        for letter in text:
            self._key(Key.Key_unknown, text=letter)

    def compose(self, text: str) -> None:
        """By an input method, or a dead key: a draft first."""
        self._delete_chosen()
        self.typed += text
        QApplication.sendEvent(self.desk.edit, QInputMethodEvent("´", []))
        commit = QInputMethodEvent("", [])
        commit.setCommitString(text)
        QApplication.sendEvent(self.desk.edit, commit)

    def rub_out(self, *, forward: bool) -> None:
        if not self.chosen:
            pos = self.caret - (0 if forward else 1)
            self.deleted |= set(self.screen[pos : pos + 1] if pos >= 0 else "")
        self._delete_chosen()
        self._key(Key.Key_Delete if forward else Key.Key_Backspace)

    def enter(self) -> None:
        self._key(Key.Key_Return)

    def bold(self) -> None:
        self._key(Key.Key_B, Mod.ControlModifier)

    def receive(self, updates: list[bytes]) -> None:
        """One update after the other. What arrives between selected letters is selected; nothing else is."""
        for update in updates:
            self.desk.doc.merge([update])
            left = [at for at, letter in enumerate(self.screen) if letter in self.chosen]
            self.chosen = self.screen[left[0] : left[-1] + 1] if left else ""
            assert self.desk.edit.textCursor().selectedText() == self.chosen

    def _delete_chosen(self) -> None:
        assert self.desk.edit.textCursor().selectedText() == self.chosen
        self.deleted |= set(self.chosen)
        self.chosen = ""

    def _key(self, code: Qt.Key, modifiers: Qt.KeyboardModifier = Mod.NoModifier, text: str = "") -> None:
        for kind in (QKeyEvent.Type.KeyPress, QKeyEvent.Type.KeyRelease):
            QApplication.sendEvent(self.desk.edit, QKeyEvent(kind, code.value, modifiers, text))


def act(me: Person, other: Person, rng: random.Random, letters: list[str]) -> None:
    what = rng.random()
    if what < 0.3:
        near = other.caret + rng.choice([-2, -1, 0, 0, 0, 1, 2])
        me.place(near, rng.choice([0, 0, 1, 2, 4]), backwards=rng.random() < 0.5)
    elif what < 0.75:
        me.type("".join(letters.pop() for _ in range(rng.randint(1, 3))))
    elif what < 0.85:
        me.compose(letters.pop())
    elif what < 0.93:
        me.rub_out(forward=rng.random() < 0.5)
    elif what < 0.96:
        me.bold()
    elif not me.chosen and not other.chosen:
        me.enter()
        deliver(me, other)


def deliver(me: Person, other: Person) -> None:
    """What both sent so far."""
    mine, theirs = taken(me), taken(other)
    other.receive(mine)
    me.receive(theirs)


def taken(person: Person) -> list[bytes]:
    """What the person sent and nobody has received."""
    sent = person.desk.sent[:]
    person.desk.sent.clear()
    return sent


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(n, marks=pytest.mark.slow) for n in range(6, 40))])
def test_every_letter_that_nobody_deleted_on_purpose_is_at_both(qtbot: QtBot, seed: int) -> None:
    rng = random.Random(seed)
    letters = [chr(0x4E00 + n) for n in range(1000)]
    rng.shuffle(letters)
    start = "abcdåäö🙂\nefghij\nklmnop"
    first, second = (Person(desk) for desk in new_pair(qtbot, start))
    for _ in range(60):
        for me, other in ((first, second), (second, first)):
            for _ in range(rng.randint(0, 3)):
                act(me, other, rng, letters)
        if rng.random() < 0.5:
            deliver(first, second)
        elif rng.random() < 0.4:
            second.receive(taken(first))
    deliver(first, second)
    check(first.desk, second.desk)
    left = set(start + "".join(first.typed + second.typed)) - first.deleted - second.deleted - {"\n"}
    assert sorted(first.screen.replace("\n", "")) == sorted(left)


def shown(qtbot: QtBot, text: str) -> tuple[Desk, Desk]:
    """Two desks, of which the first is on screen and so high that a part of a long text is seen."""
    first, second = new_pair(qtbot, text)
    first.edit.resize(900, 400)
    first.edit.show()
    first.edit.document().size()  # Qt lays all of it out now, not later
    return first, second


def write(desk: Desk, text: str) -> None:
    for letter in text:
        QApplication.sendEvent(desk.edit, QKeyEvent(QKeyEvent.Type.KeyPress, Key.Key_unknown, Mod.NoModifier, letter))


def test_what_a_colleague_writes_at_my_caret_is_not_selected_and_my_next_key_leaves_it(qtbot: QtBot) -> None:
    first, second = shown(qtbot, "åäö")
    for desk, text in ((first, " H"), (second, " Chefen skriver.")):
        QTest.keyClick(desk.edit, Key.Key_End)
        write(desk, text)
        sync(first, second)
        assert not first.edit.textCursor().hasSelection()
    write(first, "S")
    write(second, "x")
    sync(first, second)
    check(first, second)
    assert first.edit.toPlainText() in ("åäö HS Chefen skriver.x", "åäö Chefen skriver.x HS")


@pytest.mark.parametrize("backwards", [False, True])
def test_what_arrives_at_the_edges_of_my_selection_stays_outside_and_inside_it_belongs(
    qtbot: QtBot, backwards: bool
) -> None:
    first, second = shown(qtbot, "abcd 🙂")
    first.edit.select(3 if backwards else 1)
    for _ in range(2):
        QTest.keyClick(first.edit, Key.Key_Left if backwards else Key.Key_Right, Mod.ShiftModifier)
    for pos, text, selected in ((3, "å", "bc"), (1, "ä", "bc"), (3, "ö", "böc")):
        second.edit.select(pos)
        write(second, text)
        sync(first, second)
        assert first.edit.textCursor().selectedText() == selected
    assert first.edit.selection() == ((5, 2) if backwards else (2, 5))
    write(first, "x")
    sync(first, second)
    check(first, second)
    assert first.edit.toPlainText() == "aäxåd 🙂"


def test_what_replaces_the_end_of_my_selection_stays_outside_it(qtbot: QtBot) -> None:
    first, second = shown(qtbot, "abcd")
    first.edit.select(0, 3)
    second.edit.select(2, 2)
    write(second, "å")
    sync(first, second)
    assert first.edit.textCursor().selectedText() == "ab"
    second.edit.select(0, 3)
    write(second, "ö")
    sync(first, second)
    assert not first.edit.textCursor().hasSelection()


def test_a_letter_typed_over_its_like_outlives_a_colleagues_deletion_of_the_old_one(qtbot: QtBot) -> None:
    first, second = shown(qtbot, "före bla efter")
    first.edit.select(5, 3)
    write(first, "a")
    second.edit.select(5, 3)
    QTest.keyClick(second.edit, Key.Key_Delete)
    sync(first, second)
    check(first, second)
    assert first.edit.toPlainText() == "före a efter"


def test_two_input_methods_in_one_paragraph_write_one_letter_each(qtbot: QtBot) -> None:
    first, second = shown(qtbot, "stycket börjar\nslut")
    for desk, letter in ((first, "é"), (second, "日")):
        desk.edit.select(len("stycket börjar"))
        QApplication.sendEvent(desk.edit, QInputMethodEvent("´", []))
        commit = QInputMethodEvent("", [])
        commit.setCommitString(letter)
        QApplication.sendEvent(desk.edit, commit)
    sync(first, second)
    check(first, second)
    assert first.edit.toPlainText() in ("stycket börjaré日\nslut", "stycket börjar日é\nslut")


def lines_of(desk: Desk) -> list[str]:
    """The text with an input method's draft in brackets."""
    found, block = [], desk.edit.document().begin()
    while block.isValid():
        layout, text = block.layout(), block.text()
        if draft := layout.preeditAreaText():
            at = layout.preeditAreaPosition()
            assert [look.start for look in layout.formats()] == [at]
            text = f"{text[:at]}[{draft}]{text[at:]}"
        found.append(text)
        block = block.next()
    return found


def test_an_input_methods_draft_stays_at_my_caret_whatever_a_colleague_writes(qtbot: QtBot) -> None:
    first, second = shown(qtbot, "åäö")
    first.edit.setFocus()
    first.edit.select(2)
    underlined = QTextCharFormat()
    underlined.setFontUnderline(True)
    look = QInputMethodEvent.Attribute(QInputMethodEvent.AttributeType.TextFormat, 0, 2, underlined)
    QApplication.sendEvent(first.edit, QInputMethodEvent("にほ", [look]))
    second.edit.select(2)
    write(second, "x")
    sync(first, second)
    assert lines_of(first) == ["åä[にほ]xö"]
    second.edit.select(0)
    write(second, "yz")
    sync(first, second)
    assert lines_of(first) == ["yzåä[にほ]xö"]
    second.edit.select(1)
    QTest.keyClick(second.edit, Key.Key_Return)
    sync(first, second)
    assert lines_of(first) == ["y", "zåä[にほ]xö"]
    commit = QInputMethodEvent("", [])
    commit.setCommitString("日本")
    QApplication.sendEvent(first.edit, commit)
    assert lines_of(first) == ["y", "zåä日本xö"]
    sync(first, second)
    check(first, second)


@pytest.mark.parametrize("pos", [0, 1, 2])
def test_bold_before_a_letter_outlives_what_a_colleague_writes(qtbot: QtBot, pos: int) -> None:
    first, second = shown(qtbot, "åä")
    first.edit.select(1)
    QTest.keyClick(first.edit, Key.Key_B, Mod.ControlModifier)
    second.edit.select(pos)
    write(second, "x")
    sync(first, second)
    assert first.edit.marks_here().bold
    write(first, "F")
    assert Run("F", Marks(bold=True)) in first.doc.block(0).runs


def test_escape_before_tab_outlives_what_a_colleague_writes(qtbot: QtBot) -> None:
    first, second = shown(qtbot, "åä")
    first.edit.select(1)
    QTest.keyClick(first.edit, Key.Key_Escape)
    second.edit.select(0)
    write(second, "x")
    sync(first, second)
    QTest.keyClick(first.edit, Key.Key_Tab)
    assert first.edit.toPlainText() == "xåä"


def top_line(desk: Desk) -> tuple[str, int]:
    """The word at the top of the view, and how far above or below its edge it is."""
    cursor = desk.edit.cursorForPosition(QPoint(0, 0))
    cursor.select(cursor.SelectionType.WordUnderCursor)
    return cursor.selectedText(), desk.edit.cursorRect(cursor).top()


LONG = "\n".join(f"stycke{n} " + "med ord som fyller raden och lite till å " * 4 for n in range(60))


def wheel(desk: Desk, turns: int) -> None:
    """Turns the wheel down over the text."""
    middle = desk.edit.viewport().rect().center()
    for _ in range(turns):
        turn = QWheelEvent(
            middle, desk.edit.viewport().mapToGlobal(middle), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
            Mod.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(desk.edit.viewport(), turn)


@pytest.mark.parametrize("where", ["start", "top", "end"])
@pytest.mark.parametrize("turns", [0, 7])
@pytest.mark.parametrize("selected", [0, 4])
def test_what_a_colleague_writes_moves_neither_scroll_nor_the_line_at_the_top(
    qtbot: QtBot, where: str, turns: int, selected: int
) -> None:
    first, second = shown(qtbot, LONG)
    caret = {"start": 2, "top": 0, "end": first.doc.length_utf16 - 9}[where]
    first.edit.select(caret, selected)
    bar = first.edit.verticalScrollBar()
    bar.setValue(0)
    wheel(first, turns)
    assert bool(bar.value()) is bool(turns)
    before, seen = bar.value(), top_line(first)
    for pos, text in ((len(LONG) - 3, "x"), (len(LONG) // 2, "y"), (len(LONG), "ö")):
        second.edit.select(pos)
        write(second, text)
        sync(first, second)
        assert (bar.value(), top_line(first)) == (before, seen)
    if not turns:
        return
    inserted = 0
    for text in ("å", "rad\n" * 40, "x" * 3000):
        second.edit.select(3)
        QTest.keyClick(second.edit, Key.Key_Return)
        second.edit.insert_blocks(plain_blocks(text))
        sync(first, second)
        assert top_line(first) == seen
        assert bar.value() > before + inserted
        inserted = bar.value() - before
    second.edit.select(1, 150)
    QTest.keyClick(second.edit, Key.Key_Delete)
    second.doc.set_block(0, 3, Style(heading=1))
    sync(first, second)
    assert top_line(first) == seen
    check(first, second)


def test_where_nothing_is_above_what_a_colleague_writes_first_is_seen(qtbot: QtBot) -> None:
    first, second = shown(qtbot, "")
    write(second, "Beslut")
    QTest.keyClick(second.edit, Key.Key_Return)
    second.edit.insert_blocks(plain_blocks(LONG))
    sync(first, second)
    assert first.edit.verticalScrollBar().value() == 0
    assert top_line(first)[0] == "Beslut"


def test_my_own_undo_still_shows_where_it_happened(qtbot: QtBot) -> None:
    first, _ = shown(qtbot, LONG)
    first.doc.split_undo()
    first.edit.select(5)
    write(first, "x")
    wheel(first, 30)
    QTest.keyClick(first.edit, Key.Key_Z, Mod.ControlModifier)
    assert first.edit.verticalScrollBar().value() < 100
