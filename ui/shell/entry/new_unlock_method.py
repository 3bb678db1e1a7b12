# SPDX-License-Identifier: EUPL-1.2
"""Unlocking by a method that policy has forbidden since: for the last time, and with another method in its place."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.passphrases import PassphraseRules
from app.unlocking import SlotKind
from ui.kit.buttons import TextButton
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage
from ui.shell.entry.passphrase import NewPassphrase

Replace = Callable[[str | None, str | None], Awaitable[object]]
"""Called with the passphrase, or None; and with the new one, or None for the key store. Returns the session."""


class NewUnlockMethodView(GatePage):
    """A page for a person whose unlock method policy has forbidden since: it asks for another one, and unlocks.
    `forbidden` is the method that the store has. `replace` gets the present passphrase (None: the key store) and the
    new one (None: the key store), sets the new method, opens the session and returns it; an error is shown here.
    `rules` are those of a new passphrase. `unlocked` is emitted with the session."""

    unlocked = Signal(object)

    def __init__(
        self, forbidden: SlotKind, replace: Replace, rules: PassphraseRules, parent: QWidget | None = None
    ) -> None:
        by_keyring = forbidden == SlotKind.KEYRING
        text = (
            tr("Your organisation does not allow the computer's key store any more. Choose a passphrase instead.")
            if by_keyring
            else tr(
                "Your organisation does not allow passphrases any more. Enter yours once more; from then on the "
                "computer's key store opens Kansli."
            )
        )
        super().__init__(tr("Another way of unlocking"), text, parent)
        self._replace = replace
        self.current = None if by_keyring else self.add_field(tr("Passphrase now"), secret=True)
        self.new = self.add_field(tr("New passphrase"), secret=True) if by_keyring else None
        self.again = self.add_field(tr("The passphrase once more"), secret=True) if by_keyring else None
        self._typed: NewPassphrase | None = None
        if self.new is not None and self.again is not None:
            self._typed = NewPassphrase(self.new, self.again, rules, self)
            self.body.addWidget(self._typed.words)
            self._typed.changed.connect(self._on_text)
        self.go_on = self.add_button(TextButton(tr("Continue"), self._go_on, kind="primary"))
        self._fields = [field for field in (self.current, self.new, self.again) if field is not None]
        for field in self._fields:
            if self._typed is None:
                field.textChanged.connect(self._on_text)
            field.returnPressed.connect(self._go_on)
        self._on_text()

    def showEvent(self, event: object) -> None:
        self._fields[0].setFocus()

    def _on_text(self) -> None:
        typed = self._typed
        self.go_on.setEnabled(typed.ready if typed is not None else all(field.text() for field in self._fields))

    def _go_on(self) -> None:
        if self.go_on.isEnabled():
            self.clear_error()
            self._set_busy(True)
            run(self, self._open(), on_error=self._failed)

    async def _open(self) -> None:
        current = self.current.text() if self.current is not None else None
        session = await self._replace(current, self.new.text() if self.new is not None else None)
        self._set_busy(False)
        for field in self._fields:
            field.clear()
        self.unlocked.emit(session)

    def _set_busy(self, busy: bool) -> None:
        """Shows whether the unlock method is being changed (`busy`). ▲ Meanwhile the fields are disabled, so that the
        button cannot be pressed again: a store has one change of keys at a time."""
        (self.spinner.start if busy else self.spinner.stop)()
        for field in self._fields:
            field.setEnabled(not busy)
        self._on_text()
        if busy:
            self.go_on.setEnabled(False)

    def _failed(self, error: Exception) -> None:
        self._set_busy(False)
        self.show_error(error)
        self._fields[0].selectAll()
        self._fields[0].setFocus()
