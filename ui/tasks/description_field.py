# SPDX-License-Identifier: EUPL-1.2
"""The field in which a card's description is written while others may write it too. It stores nothing itself: `pause`
is emitted when it is time to, and `take` brings in the board's text."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app.core import three_way
from app.core.text_units import utf16_from_point, utf16_len
from app.core.words import places_of
from app.tasks.descriptions import MAX_DESCRIPTION, cleaned
from ui.kit.error_line import ErrorLine
from ui.kit.faces import leave_focus
from ui.kit.marked import selections
from ui.kit.scale import hold
from ui.kit.translate import tr

STORE_AFTER_MS = 1000
"""The time between the first letter and storing, also while the person types on. A long text is stored less often: the
whole text is stored and sent each time, and so it is at most 2,000 characters a second."""
_CHARS_PER_MS = 2
_HEIGHT = 120


class DescriptionField(QPlainTextEdit):
    """The field for a card's description, which colleagues may write at the same time. It shows one card at a time and
    stores nothing itself: `pause` is emitted when its text should be stored."""

    pause = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        leave_focus(self)
        self.setAccessibleName(tr("Description"))
        self.setPlaceholderText(tr("What is to be done, and why"))
        self.setTabChangesFocus(True)
        hold(self, height=_HEIGHT)
        self.too_long = ErrorLine()
        """A line that the panel puts below the field."""
        self._base = ""
        """The board's text when it was last shown or stored here."""
        self._typed = False
        self._showing = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.pause)
        self.textChanged.connect(self._on_text)

    @property
    def unstored(self) -> str | None:
        """What was written since `open_text` or `stored`; None if nothing was."""
        return self.toPlainText() if self._typed else None

    def open_text(self, text: str) -> None:
        """Shows `text`, the description of another card, with the caret before it. What was typed for the former card
        and is not stored is dropped."""
        self._showing = True
        self.setExtraSelections([])
        self.setPlainText(text)
        self._showing = False
        self._base, self._typed = text, False
        self._timer.stop()
        self._check_length()

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search in the description, and brings the first into sight, with the caret before it. No
        words remove the marks."""
        text = self.toPlainText()
        places = [(utf16_from_point(text, start), utf16_len(text[start:end])) for start, end in places_of(text, words)]
        self.setExtraSelections(selections(self, places))
        if places:
            cursor = self.textCursor()
            cursor.setPosition(places[0][0])
            self.setTextCursor(cursor)
            self.ensureCursorVisible()

    def take(self, text: str) -> None:
        """Shows `text`, the board's new description of the card, merged with what was typed here and is not stored. The
        caret keeps its place. What could be undone in the field is forgotten, so that undo removes nothing that others
        wrote."""
        if text == self._base:
            return
        here = self.toPlainText()
        merged = three_way.merge(self._base, here, text) if self._typed else text
        self._base, self._typed = text, merged != text
        if merged != here:
            self._change(here, merged)
        if self._typed:
            self._wait()

    def stored(self) -> None:
        """Notes that the text in the field is being stored, so it is no longer typed text that is not stored."""
        self._base, self._typed = cleaned(self.toPlainText()), False
        self._timer.stop()

    def _change(self, here: str, merged: str) -> None:
        bar, at = self.verticalScrollBar(), self.verticalScrollBar().value()
        self._showing = True
        for start, end, text in reversed(three_way.edits(here, merged)):
            cursor = QTextCursor(self.document())
            cursor.setPosition(utf16_from_point(here, start))
            cursor.setPosition(utf16_from_point(here, end), QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(text)
        self._showing = False
        self.document().clearUndoRedoStacks()
        bar.setValue(at)
        self._check_length()

    def _on_text(self) -> None:
        if self._showing:
            return
        self._typed = True
        self._check_length()
        self._wait()

    def _wait(self) -> None:
        if not self._timer.isActive():
            self._timer.start(max(STORE_AFTER_MS, self.document().characterCount() // _CHARS_PER_MS))

    def _check_length(self) -> None:
        """Shows an error while the description is too long: only its first MAX_DESCRIPTION characters are stored. ▲ A
        longer text would not fit into one change."""
        if self.document().characterCount() > MAX_DESCRIPTION and len(self.toPlainText()) > MAX_DESCRIPTION:
            text = tr("The description is too long: only its first {n} characters are kept.")
            self.too_long.show_text(text.format(n=MAX_DESCRIPTION))
        else:
            self.too_long.hide()

    def event(self, event: QEvent) -> bool:
        """Leaves the keys for undo and redo to the board if nothing in this field can be undone or redone: such a key
        is ignored here, and True returned. Qt handles every other event."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            document = self.document()
            undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
            idle = (event.matches(undo) and not document.isUndoAvailable()) or (
                event.matches(redo) and not document.isRedoAvailable()
            )
            if idle:
                event.ignore()
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()
