# SPDX-License-Identifier: EUPL-1.2
"""Unlocking: a passphrase, the computer's key store, or a smart card. Errors are shown in place; the typed text
is never kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.kit.buttons import TextButton
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.card_field import CardMethod
from ui.shell.entry.card_part import CardPart
from ui.shell.entry.gate import GatePage

WithPassphrase = Callable[[str], Awaitable[object]]
WithKeyring = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class WithCard:
    """How a smart card opens the session: `method` asks the card and returns the store's keys, which can be called off
    half way; `open` opens the session with them, which cannot."""

    method: CardMethod
    open: Callable[[Any], Awaitable[object]]


class UnlockView(GatePage):
    """The page that unlocks Kansli. `with_passphrase` opens the session with the typed passphrase, `with_keyring` with
    the computer's key store, `with_card` with a smart card; each returns the session or raises, which is shown here,
    and is None where the store has no such unlock method. `unlocked` is emitted with the session. `name` is the
    person's."""

    unlocked = Signal(object)
    """What the opening returned."""

    def __init__(
        self,
        with_passphrase: WithPassphrase | None,
        with_keyring: WithKeyring | None = None,
        with_card: WithCard | None = None,
        *,
        name: str = "",
        parent: QWidget | None = None,
    ) -> None:
        title = tr("Kansli is locked")
        super().__init__(
            title, tr("Unlock to go on as {name}.").format(name=name) if name else tr("Unlock to go on."), parent
        )
        self._passphrase, self._keyring = with_passphrase, with_keyring
        self._busy = False
        """▲ One attempt at a time: otherwise two sessions of one store would sign two things under one number."""
        self.field = self.add_field(tr("Passphrase"), secret=True) if with_passphrase is not None else None
        if with_keyring is not None:
            text = tr("Use the computer's key store")
            self.keyring_button = self.add_button(TextButton(text, self.unlock_with_keyring, kind="quiet"))
        self.card_part = self._add_card(with_card) if with_card is not None else None
        self.button = TextButton(tr("Unlock"), self.unlock, kind="primary")
        if self.field is not None:
            self.add_button(self.button)
            self.field.returnPressed.connect(self.unlock)
            self.field.textChanged.connect(self._on_text)
            self._on_text()

    def _add_card(self, with_card: WithCard) -> CardPart:
        part = CardPart(with_card.method)
        part.busy_changed.connect(lambda busy: self._begin() if busy else self._end())
        part.failed.connect(self.show_error)
        part.unlocked.connect(lambda keys: self._open_by_card(with_card.open(keys)))
        self.body.addWidget(part)
        return part

    def _open_by_card(self, opening: Awaitable[object]) -> None:
        self._begin()
        run(self, self._open(opening), on_error=self._failed)

    def showEvent(self, event: object) -> None:
        if self.field is not None:
            self.field.setFocus()
        elif self.card_part is not None and self._keyring is None:
            self.card_part.button.setFocus()

    def _on_text(self) -> None:
        if self.field is not None:
            self.button.setEnabled(bool(self.field.text()))

    def unlock(self) -> None:
        """Opens the session with the passphrase that was typed, in the background; `unlocked` is then emitted, or the
        error is shown. Does nothing if none was typed, or while another attempt is under way."""
        if self.field is not None and self.field.text() and self._passphrase is not None and not self._busy:
            self._begin()
            run(self, self._open(self._passphrase(self.field.text())), on_error=self._failed)

    def unlock_with_keyring(self) -> None:
        """Opens the session with the computer's key store, in the background; `unlocked` is then emitted, or the error
        is shown. Does nothing while another attempt is under way, or if the key store is no unlock method here."""
        if self._keyring is not None and not self._busy:
            self._begin()
            run(self, self._open(self._keyring()), on_error=self._failed)

    async def _open(self, opening: Awaitable[object]) -> None:
        session = await opening
        self._end()
        if self.field is not None:
            self.field.clear()
        self.unlocked.emit(session)

    def _begin(self) -> None:
        self.clear_error()
        self.spinner.start()
        self._set_busy(True)

    def _end(self) -> None:
        self.spinner.stop()
        self._set_busy(False)

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.button.setEnabled(not busy)
        if not busy:
            self._on_text()
        if self.card_part is not None:
            self.card_part.set_free(not busy)
        if self._keyring is not None:
            self.keyring_button.setEnabled(not busy)
        if self.field is not None:
            self.field.setEnabled(not busy)

    def _failed(self, error: Exception) -> None:
        self._end()
        self.show_error(error)
        if self.field is not None:
            self.field.selectAll()
            self.field.setFocus()
