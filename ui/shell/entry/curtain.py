# SPDX-License-Identifier: EUPL-1.2
"""The page of the curtain: Kansli is covered and still receives. It asks for PIN, passphrase, key store or card."""

import math
from collections.abc import Awaitable, Callable
from typing import Protocol

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.errors import PinSpent, PinWaits, WrongPin
from app.pins import could_be_pin
from ui.kit.buttons import TextButton
from ui.kit.tasks import run
from ui.kit.translate import tr, trn
from ui.shell.entry.card_field import CardMethod
from ui.shell.entry.card_part import CardPart
from ui.shell.entry.gate import GatePage

TICK_MS = 1000


class Tries(Protocol):
    """The tries of one curtain by PIN: app.pin.PinTries."""

    @property
    def left(self) -> int: ...
    def wait_s(self) -> float: ...
    async def check(self, pin: str) -> None: ...


class CurtainView(GatePage):
    """The page that covers Kansli while it still receives. `pin` tries a PIN, `passphrase`, `keyring` and `card` check
    theirs or raise; each is None where it does not lift this curtain. `lifted` is emitted when one of them succeeded,
    `spent` when no PIN is tried any more. It shows nothing of the account."""

    lifted = Signal()
    spent = Signal()
    """The store has to be closed."""

    def __init__(
        self,
        pin: Tries | None,
        passphrase: Callable[[str], Awaitable[object]] | None,
        keyring: Callable[[], Awaitable[object]] | None = None,
        card: CardMethod | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(tr("Kansli is locked"), tr("Messages still come in. Unlock to read them."), parent)
        self._pin, self._passphrase, self._keyring = pin, passphrase, keyring
        self._busy = False
        names = {
            (True, True): tr("PIN or passphrase"),
            (True, False): tr("PIN"),
            (False, True): tr("Passphrase"),
        }
        name = names.get((pin is not None, passphrase is not None))
        self.field = self.add_field(name, secret=True) if name is not None else None
        self.keyring_button = TextButton(tr("Use the computer's key store"), self.unlock_with_keyring, kind="quiet")
        self.card_part = self._add_card(card) if card is not None else None
        self.button = TextButton(tr("Unlock"), self.unlock, kind="primary")
        if keyring is not None:
            self.add_button(self.keyring_button)
        if self.field is not None:
            # no input method learns it, and none shows what is typed
            hidden = Qt.InputMethodHint.ImhSensitiveData | Qt.InputMethodHint.ImhHiddenText
            self.field.setInputMethodHints(hidden | Qt.InputMethodHint.ImhNoPredictiveText)
            self.field.setDragEnabled(False)
            self.add_button(self.button)
            self.field.returnPressed.connect(self.unlock)
            self.field.textChanged.connect(self._on_text)
            self._on_text()
        self._timer = QTimer(self, interval=TICK_MS)
        self._timer.timeout.connect(self._show_wait)

    def _add_card(self, card: CardMethod) -> CardPart:
        part = CardPart(card)
        part.busy_changed.connect(self._on_card_busy)
        part.failed.connect(self.show_error)
        part.unlocked.connect(lambda _: self.lifted.emit())
        self.body.addWidget(part)
        return part

    def _on_card_busy(self, busy: bool) -> None:
        if busy:
            self.clear_error()
        self._set_busy(busy)

    def _take_focus(self) -> None:
        """Focuses the first part by which the person can unlock."""
        if self.field is None and self._keyring is None and self.card_part is not None:
            self.card_part.button.setFocus()
        else:
            (self.field or self.keyring_button).setFocus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._take_focus()

    def _on_text(self) -> None:
        if self.field is not None:
            self.button.setEnabled(bool(self.field.text()))

    def refuse_to_quit(self, fault: Exception) -> None:
        """Shows that Kansli does not quit, since the disk refuses unsaved work (`fault`). ▲ The page offers no way to
        discard the work: its owner unlocks first, and is then asked in a dialog that names all of it."""
        self.text.setText(tr("Something that you wrote is not saved yet. Unlock Kansli to quit."))
        self.show_error(fault)
        self._take_focus()

    def unlock(self) -> None:
        """Tries what was typed, in the background: digits as the PIN if there is one, all else as the passphrase. Does
        nothing if nothing was typed, or while another attempt is under way."""
        typed = self.field.text() if self.field is not None else ""
        if not typed or self._busy:
            return
        if self._pin is not None and (could_be_pin(typed) or self._passphrase is None):
            self._begin(self._pin.check(typed))
        elif self._passphrase is not None:
            self._begin(self._passphrase(typed))

    def unlock_with_keyring(self) -> None:
        """Has the key store ask the person. Does nothing while another attempt is under way, or if the key store does
        not lift this curtain."""
        if self._keyring is not None and not self._busy:
            self._begin(self._keyring())

    def _begin(self, attempt: Awaitable[object]) -> None:
        self._timer.stop()
        self.clear_error()
        self._set_busy(True)
        run(self, self._try(attempt), on_error=self._failed)

    async def _try(self, attempt: Awaitable[object]) -> None:
        await attempt
        self._set_busy(False)
        if self.field is not None:
            self.field.clear()
        self.lifted.emit()

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        (self.spinner.start if busy else self.spinner.stop)()
        for part in (self.field, self.button, self.keyring_button):
            if part is not None:
                part.setEnabled(not busy)
        if not busy:
            self._on_text()
        if self.card_part is not None:
            self.card_part.set_free(not busy)

    def _failed(self, error: Exception) -> None:
        self._set_busy(False)
        if isinstance(error, PinSpent):
            self.spent.emit()
            return
        self.show_error(error)
        if isinstance(error, WrongPin) and self._pin is not None:
            left = self._pin.left
            self.error.add_sentence(trn("{n} try is left.", "{n} tries are left.", left).format(n=left))
        if isinstance(error, WrongPin | PinWaits):
            self._show_wait()
        if self.field is not None:
            self.field.selectAll()
            self.field.setFocus()

    def _show_wait(self) -> None:
        """Shows how long the PIN waits, each second until it may be tried again."""
        wait = math.ceil(self._pin.wait_s()) if self._pin is not None else 0
        if wait and not self._busy:
            text = tr("The PIN can be tried again in {time}.")
            if self._passphrase is not None:
                text = tr("The PIN can be tried again in {time}. The passphrase works now.")
            elif self.card_part is not None:
                text = tr("The PIN can be tried again in {time}. The card works now.")
            self.text.setText(text.format(time=_clock(wait)))
            self._timer.start()
        elif self._timer.isActive() or not wait:
            self._timer.stop()
            self.text.setText(tr("Messages still come in. Unlock to read them."))


def _clock(seconds: int) -> str:
    """A time that is left, as minutes and seconds."""
    return f"{seconds // 60}:{seconds % 60:02}"
