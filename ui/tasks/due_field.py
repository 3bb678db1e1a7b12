# SPDX-License-Identifier: EUPL-1.2
"""A date that may be missing: typed as people say it, or chosen in a calendar. While the person types, the day that is
understood is shown beside the field in words.

The date is stored by Enter, or when the person leaves the field. Text that is not understood stays in the field with a
sentence, and the stored date stays too. Esc stores nothing: it puts the stored date back.
"""

from datetime import date

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from app.core.typed_days import MAX_TYPED, Unread, read_day
from ui.kit.announcing import announce
from ui.kit.buttons import IconButton
from ui.kit.day_field import unread_sentence
from ui.kit.day_picker import pick_day
from ui.kit.error_line import ErrorLine
from ui.kit.style import column, label, line
from ui.kit.translate import full_day, local_now, tr


class DueField(QWidget):
    """The field for a card's due date, with a calendar. It shows one card at a time. `changed` is emitted with the
    date, or None, when a complete date is given that differs from the stored one."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value: date | None = None
        self._card = ""
        self._typed = self._showing = False
        """Whether somebody changed the text, by keys or through accessibility; whether the text is being set here."""
        self._unread: dict[str, str] = {}
        """Texts that were not understood, by card. A text is dropped when it is understood or the field is emptied."""
        self.field = QLineEdit()
        self.field.setAccessibleName(tr("Due date"))
        self.field.setPlaceholderText(tr("e.g. Friday, 3/12"))
        self.field.setMaxLength(2 * MAX_TYPED)
        self.field.textChanged.connect(lambda _text: self._on_text())
        self.field.editingFinished.connect(self.keep)
        self.field.installEventFilter(self)
        self.words = label("", "small")
        """The day in words: fre 4 dec 2026."""
        self.error = ErrorLine()
        self._calendar = IconButton("calendar", tr("Choose a day"), self._open, size=16)
        self._clear = IconButton("close", tr("No due date"), lambda: self._set(None), size=14)
        row = line(spacing=4)
        row.addWidget(self.field, 1)
        for part in (self.words, self._calendar, self._clear):
            row.addWidget(part)
        rows = column(self, spacing=4)
        rows.addLayout(row)
        rows.addWidget(self.error)
        self._show_words()

    def open_card(self, card: str, value: date | None) -> None:
        """Shows the card `card` in place of the former one: `value`, its due date, or the text that was typed there
        before and was not understood as a date."""
        self._card = card
        self.error.hide()
        self._typed = False
        self.show_date(value)
        if card in self._unread and not self.field.isReadOnly():
            self.field.setText(self._unread[card])
            self.keep()

    def show_date(self, value: date | None) -> None:
        """Takes a date, or None, as the stored one and shows it, without emitting `changed`. Text that is being typed
        stays in the field."""
        self._value = value
        if not self._typed and self.field.text() != _iso(value):
            self._write(_iso(value))
        self._show_words()

    def _write(self, text: str) -> None:
        """Sets the field's text, without taking it for typed text. The field's own undo steps are lost."""
        self._showing = True
        self.field.setText(text)
        self._showing = False

    def set_writable(self, writable: bool) -> None:
        """Sets whether the date can be changed (`writable`), or only read. In the latter case a half typed text is
        replaced by the stored date."""
        self.field.setReadOnly(not writable)
        self._calendar.setVisible(writable)
        if not writable:
            self._typed = False
            self.error.hide()
        self.show_date(self._value)

    def keep(self) -> None:
        """Takes the typed text as the card's date, if it is understood (no text: no date), and emits `changed` if the
        date differs. Otherwise shows a sentence that says why not, and keeps the text. Does nothing if nothing was
        typed."""
        if not self._typed:
            return
        text = self.field.text().strip()
        reading = read_day(text, local_now().date()) if text else None
        if not isinstance(reading, Unread):
            self._set(reading)
            return
        self._unread[self._card] = text
        sentence = _sentence(reading)
        if sentence != self.error.text() or self.error.isHidden():
            self.error.show_text(sentence)
            announce(self.field, sentence)

    def _set(self, value: date | None) -> None:
        self._unread.pop(self._card, None)
        self.error.hide()
        self._typed = False
        same = value == self._value
        self._write(_iso(value))
        self.show_date(value)
        if not same:
            self.changed.emit(value)
            announce(self.field, self._format_date())

    def _format_date(self) -> str:
        return tr("due {day}").format(day=full_day(self._value)) if self._value else tr("No due date")

    def _on_text(self) -> None:
        if self._showing:
            return
        self._typed = True
        self.error.hide()
        self._show_words()

    def _show_words(self) -> None:
        """Shows in words which day the typed text, or if nothing is typed, the stored date means. No words if it is not
        understood or there is no date."""
        day, typed = self._value, self.field.text().strip()
        if self._typed:
            reading = read_day(typed, local_now().date()) if typed else None
            day = None if isinstance(reading, Unread) else reading
        self.words.setText(full_day(day) if day else "")
        self.words.setVisible(day is not None)
        self.field.setAccessibleDescription(self.words.text())
        self._clear.setVisible(not self.field.isReadOnly() and bool(self._value or typed))

    def _open(self) -> None:
        reading = read_day(self.field.text(), local_now().date())
        pick_day(self._calendar, self._value if isinstance(reading, Unread) else reading, self._set)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handles Esc, which puts the stored date in place of typed text (a second Esc closes the card), and leaves the
        keys for undo and redo to the board if nothing in the field can be undone or redone. Returns True for such a
        key: the field does no more with it."""
        if not isinstance(event, QKeyEvent):
            return False
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape and self._typed:
            return self._take_back()
        if event.type() == QEvent.Type.ShortcutOverride:
            undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
            idle = (event.matches(undo) and not self.field.isUndoAvailable()) or (
                event.matches(redo) and not self.field.isRedoAvailable()
            )
            if idle:
                event.ignore()
                return True
        return False

    def _take_back(self) -> bool:
        """Shows the stored date in place of what is typed. Returns False if the field showed it already."""
        other = self.field.text().strip() != _iso(self._value)
        self._set(self._value)
        return other


def _iso(value: date | None) -> str:
    return value.isoformat() if value else ""


def _sentence(reading: Unread) -> str:
    return tr("{why} The due date is not changed.").format(why=unread_sentence(reading))
