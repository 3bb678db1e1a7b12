# SPDX-License-Identifier: EUPL-1.2
"""Find and replace, under the toolbar: Ctrl+F and Ctrl+H open, Enter goes on, Tab goes to the replacement first, Esc
closes."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QWidget

from app.core.text_units import utf16_len
from app.richtext.edits import stretch
from app.richtext.finding import MAX_FOUND, find, like
from app.richtext.flow import Block
from app.richtext.model import Document
from ui.kit.buttons import IconButton, TextButton
from ui.kit.flow_layout import FlowLayout
from ui.kit.scale import hold
from ui.kit.search_field import SearchField
from ui.kit.style import column, label, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr, trn
from ui.richtext import keys
from ui.richtext.editor import Editor


class FindBar(QFrame):
    """The bar with which a person finds and replaces words in the editor's document. Hidden until `open`."""

    def __init__(self, editor: Editor, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._editor = editor
        self._document = document
        set_props(self, frame="header")
        row = FlowLayout(gap=6)
        column(self, margins=(12, 5, 12, 5)).addLayout(row)
        self.field = SearchField(tr("Find in the document"))
        hold(self.field, width=220)
        self.field.textChanged.connect(lambda _text: self._first())
        self.field.returnPressed.connect(self.next)
        self.case = IconButton("match-case", tr("Match case"), self._first, checkable=True)
        self.whole = IconButton("whole-word", tr("Whole words"), self._first, checkable=True)
        self.count = label("", "small")
        hold(self.count, least_width=70)
        self.replacement = self._replacement_field()
        self._replace = TextButton(tr("Replace"), self.replace)
        self._replace_all = TextButton(tr("Replace all"), self.replace_all)
        parts: list[QWidget] = [
            self.field,
            self.case,
            self.whole,
            self.count,
            IconButton("up", tr("Previous match"), self.previous),
            IconButton("down", tr("Next match"), self.next),
            self.replacement,
            self._replace,
            self._replace_all,
        ]
        for part in parts:
            row.addWidget(part)
        row.addStretch()
        row.addWidget(IconButton("close", tr("Close find"), self.leave))
        self._replaced = False
        """Whether something was replaced since the last typing in a field. Undo then belongs to the document."""
        self._follow_fields(parts)
        self._follow_editor(editor)
        self.hide()

    def _follow_editor(self, editor: Editor) -> None:
        editor.find_wanted.connect(self.open)
        editor.replace_wanted.connect(self.open_replace)
        editor.find_closed.connect(self.leave)
        editor.find_closed.connect(lambda: editor.found.show(()))

    def _follow_fields(self, parts: Sequence[QWidget]) -> None:
        """Connects the two fields, for finding and for the replacement, and makes them come before the other `parts` of
        the bar in the order of Tab."""
        for field in (self.field, self.replacement):
            field.textEdited.connect(self._on_typed)
            field.installEventFilter(self)
        order = [self.field, self.replacement, *(part for part in parts if part not in (self.field, self.replacement))]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _replacement_field(self) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(tr("Replace with"))
        field.setPlaceholderText(tr("Replace with"))
        hold(field, width=180)
        field.returnPressed.connect(self.replace)
        return field

    def open(self) -> None:
        """Shows the bar, with the caret in the field for what is to be found. The text that is selected in the
        document, if it is in one paragraph, is put into the field."""
        cursor = self._editor.textCursor()
        if cursor.hasSelection() and "\u2029" not in cursor.selectedText():
            self.field.setText(cursor.selectedText())
        self.refresh()
        self.show()
        self.field.setFocus()
        self.field.selectAll()

    def open_replace(self) -> None:
        """Opens the bar as `open` does. The caret is in the field of the replacement if the find field has a text and
        the person may write, otherwise in the find field."""
        self.open()
        self._to_replacement()

    def refresh(self) -> None:
        """Shows the parts for replacing only if the person may change the text."""
        for part in (self.replacement, self._replace, self._replace_all):
            part.setVisible(not self._editor.isReadOnly())

    def leave(self) -> None:
        """Hides the bar and gives the text the focus; the caret stays at the match that was found last."""
        if self.isVisible():
            self.hide()
            self._editor.setFocus()

    def next(self) -> None:
        """Selects the next match after the selection; after the last, the first. If there is none, shows that."""
        start, length = self._editor.range()
        self._go(start + length, 1)

    def previous(self) -> None:
        """Selects the match before, round to the last."""
        self._go(self._editor.range()[0], -1)

    def replace(self) -> None:
        """Replaces the match that is selected, and selects the next one. If no match is selected, only selects. Does
        nothing in a text that can only be read."""
        if self._editor.isReadOnly():
            return
        here = self._editor.range()
        if self._is_match(*here):
            place = self._place(*here)
            if not run_guarded(self, lambda: self._document.replace([place])):
                return
            self._replaced = True
            self._editor.select(here[0] + utf16_len(place[2]))
        self.next()

    def replace_all(self) -> None:
        """Replaces all matches, in one step to undo, and shows how many there were. Does nothing in a text that can
        only be read."""
        if self._editor.isReadOnly():
            return
        found = self._found(None)
        places = [self._place(*here) for here in found]
        if not run_guarded(self, lambda: self._document.replace(places)):
            return
        if found:
            self._replaced = True
            self.count.setText(trn("{n} match replaced", "{n} matches replaced", len(found)).format(n=len(found)))
        else:
            self._show_no_match()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        name = keys.action(event)
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif name == "find":
            self.field.setFocus()
            self.field.selectAll()
        elif name == "replace":
            self._to_replacement()
        elif name in ("undo", "redo"):
            self._take_back(name)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handles undo and redo in a field: Qt undoes what was typed there. Right after a replacement, or if nothing
        was typed, the last edit of the document is undone instead. Returns True only then; any other event goes on to
        Qt."""
        if not (isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress):
            return False
        name = keys.action(event)
        if name not in ("undo", "redo") or not isinstance(watched, QLineEdit):
            return False
        typed = watched.isUndoAvailable() if name == "undo" else watched.isRedoAvailable()
        if typed and not self._replaced:
            return False
        self._take_back(name)
        return True

    def _take_back(self, name: str) -> None:
        (self._editor.undo if name == "undo" else self._editor.redo)()
        self._first()

    def _on_typed(self, _text: str) -> None:
        self._replaced = False

    def _found(self, limit: int | None) -> list[tuple[int, int]]:
        return self._find(self._document.blocks(), limit)

    def _find(self, blocks: Sequence[Block], limit: int | None) -> list[tuple[int, int]]:
        case, whole = self.case.isChecked(), self.whole.isChecked()
        return find(blocks, self.field.text(), case=case, whole=whole, limit=limit)

    def _is_match(self, start: int, length: int) -> bool:
        index, _ = self._document.find_block(start)
        begin = self._document.block_start(index)
        return (start - begin, length) in self._find([self._document.block(index)], None)

    def _place(self, start: int, length: int) -> tuple[int, int, str]:
        """A match to replace (its `start` and `length` in UTF-16 units), and its new text: (start, length, text). If
        case is ignored, a match that is all in capitals, or begins with one, gives the new text the same, unless the
        match is exactly what was sought."""
        words = self.replacement.text()
        if not self.case.isChecked():
            index, begin = self._document.find_block(start)
            [found] = stretch([self._document.block(index)], begin, begin + length)
            words = like(found.text, self.field.text(), words)
        return start, length, words

    def _to_replacement(self) -> None:
        if self.field.text() and not self._editor.isReadOnly():
            self.replacement.setFocus()
            self.replacement.selectAll()

    def _show_no_match(self) -> None:
        self.count.setText(tr("No matches") if self.field.text() else "")

    def _first(self) -> None:
        self._go(self._editor.range()[0], 1)

    def _go(self, pos: int, step: int) -> None:
        found = self._found(MAX_FOUND)
        if not found:
            self._show_no_match()
            return
        index = _next(found, pos, step)
        if len(found) == MAX_FOUND and index in (None, len(found) - 1):  # 0.3 s for 100 000 matches
            found = self._found(None)
            index = _next(found, pos, step)
        if index is None:
            index = 0 if step > 0 else len(found) - 1
        self._document.split_undo()  # a jump ends an undo step, however soon one types on
        self._editor.select(*found[index])
        self.count.setText(tr("{n} of {total}").format(n=index + 1, total=len(found)))


def _next(found: Sequence[tuple[int, int]], pos: int, step: int) -> int | None:
    """The index of the first match in `found` that begins at `pos` or after it (`step` 1), or of the last one before it
    (-1); None if there is none."""
    if step > 0:
        return next((i for i, (start, _) in enumerate(found) if start >= pos), None)
    return next((i for i in range(len(found) - 1, -1, -1) if found[i][0] < pos), None)
