# SPDX-License-Identifier: EUPL-1.2
"""The field in which a card's title is written while a colleague may write it too.

A title is one value, and the board keeps one of two that are written at once. The two are not merged as descriptions
are: two names for a task joined word by word are a name that nobody gave it. The field never changes under the hands of
a person who is typing. The other title stands below it with a button that takes it:

- While one types, the field keeps one's own title, and the colleague's stands below. The title that one leaves in the
  field is the card's.
- Where one is not typing, the field shows the colleague's title, and one's own stands below, also when the card is
  opened again later.

It stores nothing itself: `pause` says when it is time to, and `take` brings in what the board says now.
"""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from app.core.visible import one_line
from app.tasks.cards import MAX_TITLE
from ui.kit.announcing import announce
from ui.kit.buttons import TextButton
from ui.kit.style import column, label
from ui.kit.translate import tr
from ui.tasks.description_field import STORE_AFTER_MS

HANDS_MS = 20_000
"""How long after the last key a person still counts as typing."""


class TitleField(QLineEdit):
    """Shows the title of one card at a time."""

    pause = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Title"))
        self.setPlaceholderText(tr("New task"))
        self.other = OtherTitle(self._take_other)
        """For the panel to put below the field."""
        self._card = ""
        self._base = ""
        """What the board said when it was last shown or stored here."""
        self._kept = False
        """The text was stored, a colleague's title replaced it on the board, and nothing was typed since."""
        self._mine: dict[str, str] = {}
        """The titles that were written here, by card."""
        self._showing = False
        self._timer = QTimer(self, singleShot=True, interval=STORE_AFTER_MS)
        self._timer.timeout.connect(self.pause)
        self._hands = QTimer(self, singleShot=True, interval=HANDS_MS)
        self._hands.timeout.connect(self.show_kept_title)
        self.textChanged.connect(lambda _text: self._on_text())

    @property
    def unstored(self) -> str | None:
        """The title as it is to be stored; None if the board says the same, or if there is none."""
        title = self._title()
        return title if title and title != self._base else None

    def open_text(self, card_id: str, title: str, colleague: str = "") -> None:
        """Shows the title of another card ("" for a new one). `colleague`: the name of the person who wrote it last, ""
        if that was done here."""
        self._timer.stop()
        self._hands.stop()
        self._card = card_id
        self._show(title)
        self.other.hide()
        self._offer_mine(colleague)

    def take(self, title: str, colleague: str) -> None:
        """The board says this title now. `colleague`: as for `open_text`."""
        if title == self._base:
            return
        unstored = self._title() != self._base and not self._kept
        typing = self._timer.isActive() or unstored or (bool(colleague) and self._hands.isActive())
        if not typing:
            self._show(title)
            self._offer_mine(colleague)
            return
        self._base, self._kept = title, not unstored
        if self._title() == title:
            self.other.hide()
        elif colleague:
            self.other.show_title(tr("{name} wrote “{title}”").format(name=colleague, title=title), title)

    def stored(self, card_id: str) -> None:
        """What is written here is being stored as it stands."""
        self._card, self._base, self._kept = card_id, self._title(), False
        self._mine[card_id] = self._base
        self._timer.stop()

    def leave(self) -> None:
        """The person has left the field, and what is in it is stored. Without a title, the card's is shown again."""
        self._hands.stop()
        if not self._title():
            self._show(self._base)

    def show_kept_title(self) -> None:
        """The person types no more: shows a colleague's title that came meanwhile. What is not stored yet stays."""
        self._hands.stop()
        if self._kept:
            mine = self._title()
            self._show(self._base)
            self._offer(mine)

    def _title(self) -> str:
        return one_line(self.text(), MAX_TITLE)

    def _show(self, title: str) -> None:
        self._base, self._kept = title, False
        if self.text() != title:
            self._showing = True
            self.setText(title)
            self._showing = False

    def _offer_mine(self, colleague: str) -> None:
        mine = self._mine.pop(self._card, "")
        if colleague and mine and mine != self._base:
            self._offer(mine)
        else:
            self.other.hide()

    def _offer(self, mine: str) -> None:
        self.other.show_title(tr("You wrote “{title}”").format(title=mine), mine)

    def _take_other(self, title: str) -> None:
        self.other.hide()
        self.setFocus()
        self.setText(title)
        self.pause.emit()

    def _on_text(self) -> None:
        if self._showing:
            return
        self._kept = False
        self._timer.start()
        self._hands.start()

    def event(self, event: QEvent) -> bool:
        """Without anything to undo here, the board's undo has the key."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undo, redo = QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo
            idle = (event.matches(undo) and not self.isUndoAvailable()) or (
                event.matches(redo) and not self.isRedoAvailable()
            )
            if idle:
                event.ignore()
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """A person who goes to another program has not chosen between two titles."""
        if event.reason() == Qt.FocusReason.ActiveWindowFocusReason:
            self.show_kept_title()
        super().focusOutEvent(event)


class OtherTitle(QWidget):
    """A title that is not in the field, and a button that takes it. Hidden without one."""

    def __init__(self, take: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._text = label("", "small", wrap=True)
        self.button = TextButton(tr("Use that title"), lambda: take(self._title), kind="link")
        rows = column(self, spacing=2)
        rows.addWidget(self._text)
        rows.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self.hide()

    def show_title(self, text: str, title: str) -> None:
        """Shows whose the title is. Announced once, while a colleague goes on typing it."""
        was_shown, self._title = not self.isHidden(), title
        self._text.setText(text)
        self.button.setAccessibleDescription(text)
        self.show()
        if not was_shown:
            announce(self, text)

    def text(self) -> str:
        """What it says; "" without another title."""
        return "" if self.isHidden() else self._text.text()
