# SPDX-License-Identifier: EUPL-1.2
"""Unlocking by a method that policy has forbidden since: for the last time, and with another method in its place."""

from collections.abc import Awaitable, Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.passphrases import PassphraseRules
from app.unlocking import Proof, SlotKind
from ui.kit.buttons import TextButton
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.card_field import CardField, Look
from ui.shell.entry.gate import GatePage
from ui.shell.entry.passphrase import NewPassphrase

Replace = Callable[[Proof, str | None], Awaitable[object]]
"""Called with the passphrase, the PIN of the card, or None; and with the new passphrase, or None for the key store.
Returns the session."""


class NewUnlockMethodView(GatePage):
    """A page for a person whose unlock method policy has forbidden since: it asks for another one, and unlocks.
    `forbidden` is the method that the store has. `replace` gets the present passphrase or card (None: the key store)
    and the new passphrase (None: the key store), sets the new method, opens the session and returns it; an error is
    shown here. `rules` are those of a new passphrase. `look` returns the card in the reader, where the card is
    forbidden; `to_keyring`: the key store takes the card's place, not a passphrase. `unlocked` is emitted with the
    session."""

    unlocked = Signal(object)

    def __init__(
        self,
        forbidden: SlotKind,
        replace: Replace,
        rules: PassphraseRules,
        parent: QWidget | None = None,
        *,
        look: Look | None = None,
        to_keyring: bool = False,
    ) -> None:
        super().__init__(tr("Another way of unlocking"), _reason(forbidden, to_keyring=to_keyring), parent)
        self._replace = replace
        is_passphrase = forbidden == SlotKind.PASSPHRASE
        asks_new = not is_passphrase and not (forbidden == SlotKind.CARD and to_keyring)
        self.current = self.add_field(tr("Passphrase now"), secret=True) if is_passphrase else None
        self.card = self._add_card(look) if look is not None and forbidden == SlotKind.CARD else None
        self.new = self.add_field(tr("New passphrase"), secret=True) if asks_new else None
        self.again = self.add_field(tr("The passphrase once more"), secret=True) if asks_new else None
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
        if self.card is not None:
            self.card.changed.connect(self._on_text)
            self.card.entered.connect(self._go_on)
        self._on_text()

    def _add_card(self, look: Look) -> CardField:
        card = CardField(look)
        self.body.addWidget(card)
        return card

    def showEvent(self, event: object) -> None:
        if self.card is not None:
            self.card.begin()
        else:
            self._fields[0].setFocus()

    def _on_text(self) -> None:
        typed = self._typed
        is_typed = typed.ready if typed is not None else all(field.text() for field in self._fields)
        self.go_on.setEnabled(is_typed and (self.card is None or self.card.ready))

    def _go_on(self) -> None:
        if self.go_on.isEnabled():
            self.clear_error()
            self._set_busy(True)
            run(self, self._open(), on_error=self._failed)

    async def _open(self) -> None:
        current: Proof = self.current.text() if self.current is not None else None
        if self.card is not None:
            current = self.card.proof
            self.card.field.clear()
        session = await self._replace(current, self.new.text() if self.new is not None else None)
        self._set_busy(False)
        for field in self._fields:
            field.clear()
        self.unlocked.emit(session)

    def _set_busy(self, busy: bool) -> None:
        """Shows whether the unlock method is being changed (`busy`). ▲ Meanwhile the fields are disabled, so that the
        button cannot be pressed again: a store has one change of keys at a time."""
        (self.spinner.start if busy else self.spinner.stop)()
        for field in (*self._fields, *filter(None, [self.card])):
            field.setEnabled(not busy)
        self._on_text()
        if busy:
            self.go_on.setEnabled(False)

    def _failed(self, error: Exception) -> None:
        self._set_busy(False)
        self.show_error(error)
        first = self.card.field if self.card is not None else self._fields[0]
        first.selectAll()
        first.setFocus()


def _reason(forbidden: SlotKind, *, to_keyring: bool) -> str:
    """Why the page is shown, and what it asks for."""
    if forbidden == SlotKind.KEYRING:
        return tr("Your organisation does not allow the computer's key store any more. Choose a passphrase instead.")
    if forbidden == SlotKind.PASSPHRASE:
        return tr(
            "Your organisation does not allow passphrases any more. Enter yours once more; from then on the "
            "computer's key store opens Kansli."
        )
    if to_keyring:
        return tr(
            "Your organisation does not allow smart cards any more. Unlock with yours once more; from then on the "
            "computer's key store opens Kansli."
        )
    return tr(
        "Your organisation does not allow smart cards any more. Unlock with yours once more, and choose a passphrase."
    )
