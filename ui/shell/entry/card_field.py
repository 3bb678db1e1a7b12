# SPDX-License-Identifier: EUPL-1.2
"""A part of a page or dialog that finds the smart card in the reader and asks for its PIN, in a field or at a PIN
pad."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from app.unlocking import CardPin, Token
from ui.errors import format_error
from ui.kit.announcing import announce
from ui.kit.buttons import TextButton
from ui.kit.error_line import ErrorLine
from ui.kit.gathering import Kind
from ui.kit.scale import hold
from ui.kit.style import column, label
from ui.kit.tasks import run
from ui.kit.translate import tr

Look = Callable[[], Awaitable[Token]]
"""Returns the card that is in the reader, or raises a CardFault. Asks for no PIN."""


@dataclass(frozen=True, slots=True)
class CardMethod:
    """The smart card as an unlock method. `look`: see `Look`. `use` gives the card its PIN once and returns what the
    page needs, such as the store's keys; CardFault or another error of `Unlocking.unlock_card`."""

    look: Look
    use: Callable[[CardPin], Awaitable[object]]


class CardField(QWidget):
    """Shows the card that is in the reader, and a field for its PIN. If the reader has a PIN pad there is no field: the
    person types the PIN there. Empty until `begin` is called, which awaits `look`. An error of `look` is shown with a
    button that tries again. `changed` is emitted when `ready` may have changed, `entered` when Enter was pressed in the
    field. It gives the PIN to nobody: its owner does, with `proof`."""

    changed = Signal()
    entered = Signal()

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._task: asyncio.Task[None] | None = None
        self.token: Token | None = None
        """The card that was found."""
        layout = column(self, spacing=6)
        self.state = label("", "label", wrap=True)
        self.note = label("", "small", wrap=True)
        self._caption = label(tr("The card's PIN"), "label")
        self.field = _pin_field()
        self._caption.setBuddy(self.field)
        self.error = ErrorLine()
        self.again = TextButton(tr("Look again"), self.begin, kind="quiet")
        for part in (self.state, self._caption, self.field, self.note, self.error, self.again):
            layout.addWidget(part)
        self.field.textChanged.connect(self.changed)
        self.field.returnPressed.connect(self.entered)
        self._show_token()

    @property
    def ready(self) -> bool:
        """Whether a card was found and its PIN was typed, or is typed at the PIN pad."""
        return self.token is not None and (self.token.pin_pad or bool(self.field.text()))

    @property
    def proof(self) -> CardPin:
        """The PIN that was typed, for `Unlocking`; with a PIN pad `CardPin(None)`. Valid only while `ready`."""
        is_at_pad = self.token is not None and self.token.pin_pad
        return CardPin(None if is_at_pad else self.field.text())

    def begin(self) -> None:
        """Finds the card that is in the reader, in the background. A second call meanwhile does nothing."""
        if self._task is None or self._task.done():
            self.token = None
            self.error.clear()
            self._show_token()
            self.state.setText(tr("Looking for the card …"))
            self._task = run(self, self._find(), on_error=self._failed)

    def stop(self) -> None:
        """Stops finding the card, and clears the card, the PIN and the error. `begin` starts again."""
        if self._task is not None:
            self._task.cancel()
        self.token = None
        self.field.clear()
        self.error.clear()
        self._show_token()

    async def _find(self) -> None:
        self.token = await self._look()
        self._show_token()
        announce(self, " ".join(filter(None, (self.state.text(), self.note.text()))), Kind.KEPT)
        if self.field.isVisible():
            self.field.setFocus()

    def _failed(self, error: Exception) -> None:
        self._show_token()
        self.error.show_text(*format_error(error))
        self.again.show()
        self.again.setFocus()

    def show_token(self, token: Token) -> None:
        """Shows the card `token`, and asks for its PIN. Clears what was typed."""
        self.token = token
        self.field.clear()
        self._show_token()

    def _show_token(self) -> None:
        token = self.token
        self.state.setText(tr("Card: {name}").format(name=token.name) if token is not None else "")
        note = _note(token) if token is not None else ""
        self.note.setText(note)
        self.note.setVisible(bool(note))
        for part in (self._caption, self.field):
            part.setVisible(token is not None and not token.pin_pad)
        self.again.hide()
        self.changed.emit()


def _pin_field() -> QLineEdit:
    """▲ What is typed is not shown, not learnt by an input method, and cannot be copied."""
    field = QLineEdit()
    field.setAccessibleName(tr("The card's PIN"))
    hold(field, least_height=34)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    hidden = Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhHiddenText
    field.setInputMethodHints(hidden | Qt.InputMethodHint.ImhNoPredictiveText)
    field.setDragEnabled(False)
    return field


def _note(token: Token) -> str:
    if token.last:
        tries = tr("One try is left before this card locks itself.")
    elif token.few:
        tries = tr("Wrong PINs were given to this card before. Few tries are left before it locks itself.")
    else:
        tries = ""
    pad = tr("Enter the PIN at the card reader when it asks for it.") if token.pin_pad else ""
    return " ".join(filter(None, (tries, pad)))
