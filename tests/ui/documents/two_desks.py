# SPDX-License-Identifier: EUPL-1.2
"""Two people at two real editors over documents that merge, with the line between them in the test's hands."""

from PySide6.QtGui import QTextCursor
from pytestqt.qtbot import QtBot

from app.richtext.flow import Run, Style
from app.richtext.model import Document
from ui.richtext import look
from ui.richtext.editor import Editor

Shown = list[tuple[tuple[Run, ...], Style]]


class Desk:
    """A person at an editor."""

    def __init__(self, qtbot: QtBot) -> None:
        self.sent: list[bytes] = []
        self.now = 0
        self.doc = Document(self.sent.append, clock_ms=self._clock)
        self.edit = Editor(self.doc)
        qtbot.addWidget(self.edit)

    def _clock(self) -> int:
        self.now += 1000
        return self.now

    def cursor(self, pos: int, length: int = 0) -> QTextCursor:
        """A cursor that, like the editor's, is never inside a surrogate pair."""
        cursor = QTextCursor(self.edit.document())
        cursor.setPosition(self._snap(pos))
        if length:
            cursor.setPosition(self._snap(min(pos + length, self.length())), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _snap(self, pos: int) -> int:
        unit = ord(str(self.edit.document().characterAt(pos)) or "\0")
        return pos - 1 if 0xDC00 <= unit <= 0xDFFF else pos

    def length(self) -> int:
        return self.edit.document().characterCount() - 1

    def qt_shows(self) -> Shown:
        shown, block = [], self.edit.document().begin()
        while block.isValid():
            values, right = look.read_block(block)
            assert right
            assert (block.textList() is not None) == bool(values.style.list)
            shown.append((values.runs, values.style))
            block = block.next()
        return shown

    def lists(self) -> list[int]:
        """Which list each block is in, counted by first appearance: what decides the numbers."""
        seen: dict[int, int] = {}
        out, block = [], self.edit.document().begin()
        while block.isValid():
            found = block.textList()
            out.append(seen.setdefault(found.objectIndex(), len(seen)) if found is not None else -1)
            block = block.next()
        return out

    def model_shows(self) -> Shown:
        return [(block.runs, block.style) for block in self.doc.blocks()]


def sync(first: Desk, second: Desk) -> None:
    mine, theirs = first.sent[:], second.sent[:]
    first.sent.clear()
    second.sent.clear()
    second.doc.merge(mine)
    first.doc.merge(theirs)


def check(first: Desk, second: Desk, *, fresh: bool = True) -> None:
    """Both show the same, on screen and in the model; with `fresh` so does a document that is opened from the state."""
    for desk in (first, second):
        if fresh:
            opened = Document()
            opened.merge([desk.doc.snapshot()])
            assert desk.model_shows() == [(b.runs, b.style) for b in opened.blocks()]
        assert desk.qt_shows() == desk.model_shows()
    assert first.qt_shows() == second.qt_shows()
    assert first.lists() == second.lists()


def new_pair(qtbot: QtBot, text: str) -> tuple[Desk, Desk]:
    first, second = Desk(qtbot), Desk(qtbot)
    first.doc.set_up("Beslut")
    first.doc.splice(0, 0, text)
    sync(first, second)
    return first, second
