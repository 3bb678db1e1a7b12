# SPDX-License-Identifier: EUPL-1.2
"""The field in which a card's title is written while a colleague may write it too.

A title is one value, and the board keeps one of two that are written at once. The two are not merged as descriptions
are: two names for a task joined word by word are a name that nobody gave it. The field never changes under the hands of
a person who is typing. The other title is shown below it, with a button that takes it:

- While the person types, the field keeps their own title, and the colleague's is shown below. The title that the person
  leaves in the field is the card's.
- While the person does not type, the field shows the colleague's title, and the person's own is shown below, also when
  the card is opened again later.

The field stores nothing itself: `pause` is emitted when it is time to, and `take` brings in the board's title.
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
    """The field for a card's title, which a colleague may write at the same time. It shows one card at a time and
    stores nothing itself: `pause` is emitted when its text should be stored."""

    pause = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Title"))
        self.setPlaceholderText(tr("New task"))
        self.other = OtherTitle(self._take_other)
        """A widget that the panel puts below the field."""
        self._card = ""
        self._base = ""
        """The board's title when it was last shown or stored here."""
        self._kept = False
        """The text was stored, a colleague's title replaced it on the board, and nothing was typed since."""
        self._mine: dict[str, str] = {}
        """The titles that were written here, by card."""
        self._showing = False
        self._timer = QTimer(self, singleShot=True, interval=STORE_AFTER_MS)
        self._timer.timeout.connect(self.pause)
        self._hands = QTimer(self, singleShot=True, interval=HANDS_MS)
        self._hands.timeout.connect(self.show_board_title)
        self.textChanged.connect(lambda _text: self._on_text())

    @property
    def unstored(self) -> str | None:
        """The title in the field if it has to be stored; None if the board has the same, or if the field is empty."""
        title = self._title()
        return title if title and title != self._base else None

    def open_text(self, card_id: str, title: str, colleague: str = "") -> None:
        """Shows `title`, that of another card with the id `card_id` (both "" for a new one). `colleague` is the name of
        the person who wrote it last, "" if it was written here. In the former case a title that was written here before
        is offered below the field."""
        self._timer.stop()
        self._hands.stop()
        self._card = card_id
        self._show(title)
        self.other.hide()
        self._offer_mine(colleague)

    def take(self, title: str, colleague: str) -> None:
        """Takes in `title`, the board's new title of the card, which `colleague` wrote ("": written here), and shows it
        in the field. But while the person types, the field keeps their own, and the other title is shown below it."""
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
        """Notes that the text in the field is being stored as the title of the card `card_id`."""
        self._card, self._base, self._kept = card_id, self._title(), False
        self._mine[card_id] = self._base
        self._timer.stop()

    def leave(self) -> None:
        """Call it when the person leaves the field, after its text was stored. From then on they do not count as
        typing: a title that a colleague writes is shown in the field at once. If the field is empty, the card's title
        is shown again."""
        self._hands.stop()
        if not self._title():
            self._show(self._base)

    def show_board_title(self) -> None:
        """Shows the colleague's title that was received while the person was typing, if there is one, and offers the
        person's own below it. A typed text that is not stored stays."""
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
        """Leaves the keys for undo and redo to the board if nothing in this field can be undone or redone: such a key
        is ignored here, and True returned. Qt handles every other event."""
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
        """Shows the colleague's title, if there is one, when the person goes to another program: that is no choice
        between two titles."""
        if event.reason() == Qt.FocusReason.ActiveWindowFocusReason:
            self.show_board_title()
        super().focusOutEvent(event)


class OtherTitle(QWidget):
    """A line below the field with a title that is not in the field, and a button that calls `take` with it. Hidden if
    there is none."""

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
        """Shows `title`, which is not in the field, with `text`, which says whose it is; the button takes it. Announced
        once, also if a colleague goes on typing the title."""
        was_shown, self._title = not self.isHidden(), title
        self._text.setText(text)
        self.button.setAccessibleDescription(text)
        self.show()
        if not was_shown:
            announce(self, text)

    def text(self) -> str:
        """The text that is shown; "" without another title."""
        return "" if self.isHidden() else self._text.text()
