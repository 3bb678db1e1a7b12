# SPDX-License-Identifier: EUPL-1.2
"""The question on the locking page whether what cannot be stored is discarded. Only its owner may answer it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from ui.kit.translate import tr
from ui.kit.working_dialog import WorkingDialog
from ui.shell.entry.card_field import CardField, CardMethod


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How a person proves that they may unlock this Kansli: `passphrase`, `keyring` and `card` return if the proof is
    right, and raise if not. Each is None if there is no such unlock method. If all are None, no proof is needed: the
    store opens without asking."""

    passphrase: Callable[[str], Awaitable[object]] | None = None
    keyring: Callable[[], Awaitable[object]] | None = None
    card: CardMethod | None = None


class DiscardDialog(WorkingDialog):
    """A dialog that asks whether what cannot be stored is discarded. ▲ It is accepted only with the `proof`. Otherwise
    a person who sits down at a locked computer whose disk is full could discard its owner's work."""

    def __init__(self, parent: QWidget, proof: Proof) -> None:
        super().__init__(
            parent,
            tr("Discard what is not saved?"),
            accept=tr("Discard and lock"),
            work=lambda: self._prove(),
            danger=True,
        )
        self._proof = proof
        self.card: CardField | None = None
        self.add_text(
            tr("What you wrote last and is not saved is lost for good. Everything that was saved is kept."), "body"
        )
        self.field = self.add_field(tr("Passphrase"), secret=True) if proof.passphrase is not None else None
        if self.field is not None:
            self.field.textChanged.connect(self.refresh_button)
            self.field.setFocus()
        elif proof.card is not None:
            self.card = CardField(proof.card.look)
            self.body.addWidget(self.card)
            self.card.changed.connect(self.refresh_button)
            self.card.begin()
        elif proof.keyring is not None:
            self.add_text(tr("The computer's key store asks who you are."), "small")
        self.refresh_button()

    def may_accept(self) -> bool:
        return self.card.ready if self.card is not None else self.field is None or bool(self.field.text())

    def on_failed(self) -> None:
        if self.field is not None:
            self.field.selectAll()
            self.field.setFocus()

    async def _prove(self) -> None:
        if self._proof.passphrase is not None and self.field is not None:
            await self._proof.passphrase(self.field.text())
        elif self._proof.card is not None and self.card is not None:
            await self._proof.card.use(self.card.proof)
        elif self._proof.keyring is not None:
            await self._proof.keyring()
