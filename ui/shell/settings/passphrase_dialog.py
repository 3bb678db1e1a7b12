# SPDX-License-Identifier: EUPL-1.2
"""The dialog that asks for the present passphrase or the smart card, for a new passphrase, or for both."""

from collections.abc import Awaitable, Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from app.passphrases import PassphraseRules
from app.unlocking import KeyChange, Proof, SlotKind, StoreKeys
from ui.kit.translate import tr
from ui.kit.working_dialog import WorkingDialog
from ui.shell.entry.card_field import CardField, Look
from ui.shell.entry.passphrase import NewPassphrase


class PassphraseDialog(WorkingDialog):
    """A dialog that asks for the present passphrase (if `current`), or for the smart card and its PIN (if `look` is
    given, which returns the card that is in the reader); for a new passphrase twice (by the rules `new`, if they are
    given); or for both. When the person accepts, `verify` is awaited with this dialog, whose fields it reads: it checks
    what was typed, or does what the dialog is for."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        text: str,
        *,
        accept: str,
        verify: Callable[["PassphraseDialog"], Awaitable[object]],
        current: bool,
        look: Look | None = None,
        new: PassphraseRules | None = None,
        danger: bool = False,
    ) -> None:
        super().__init__(parent, title, accept=accept, work=lambda: verify(self), danger=danger)
        self.add_text(text)
        self.current = self.add_field(tr("Passphrase now"), secret=True) if current else None
        self.asked_card = self._add_card(look) if look is not None else None
        self.keys: StoreKeys | None = None
        """The store's keys, if the card has given them."""
        self.new = self.add_field(tr("New passphrase"), secret=True) if new else None
        self.again = self.add_field(tr("The passphrase once more"), secret=True) if new else None
        self._typed: NewPassphrase | None = None
        if self.new is not None and self.again is not None and new is not None:
            self._typed = NewPassphrase(self.new, self.again, new, self)
            self.body.addWidget(self._typed.words)
            self._typed.changed.connect(self.refresh_button)
        if self.current is not None:
            self.current.textChanged.connect(self.refresh_button)
        first = self.current or self.new
        if first is not None:
            first.setFocus()
        if self.asked_card is not None:
            self.asked_card.begin()
        self.refresh_button()

    def _add_card(self, look: Look) -> CardField:
        field = CardField(look)
        self.body.addWidget(field)
        field.changed.connect(self.refresh_button)
        return field

    def _proof(self) -> Proof:
        return self.keys if self.keys is not None else text_of(self.current)

    def change(self, *, remove: SlotKind | None = None) -> KeyChange:
        """The change that was asked for. The program carries it out."""
        return KeyChange(current=self._proof(), new=text_of(self.new) if self.new else None, remove=remove)

    def may_accept(self) -> bool:
        good = self.current is None or bool(self.current.text())
        good = good and (self.asked_card is None or self.asked_card.ready)
        return good and (self._typed is None or self._typed.ready)

    def on_failed(self) -> None:
        if self.current is not None:
            self.current.selectAll()
            self.current.setFocus()
        elif self.asked_card is not None:
            self.asked_card.field.clear()
            self.asked_card.field.setFocus()


def text_of(field: QLineEdit | None) -> str:
    """What was typed in a field; "" without one."""
    return field.text() if field is not None else ""
