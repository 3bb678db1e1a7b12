# SPDX-License-Identifier: EUPL-1.2
"""The part of a page by which a smart card unlocks: a button at first, then the card, its PIN and a cancel button."""

import asyncio

import shiboken6
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.unlocking import CardPin
from ui.kit.buttons import TextButton
from ui.kit.style import column, line
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.card_field import CardField, CardMethod


class CardPart(QWidget):
    """The part of a page by which a smart card unlocks. `busy_changed` is emitted with whether `method.use` is under
    way, `unlocked` with what it returned, `failed` with its error, which the page shows. ▲ One press of a button or of
    Enter gives the card its PIN once at most. Otherwise a card could lock itself: it does so after a few wrong PINs."""

    busy_changed = Signal(bool)
    unlocked = Signal(object)
    failed = Signal(object)

    def __init__(self, method: CardMethod, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._method = method
        self._task: asyncio.Task[None] | None = None
        self._is_free = True
        layout = column(self, spacing=6)
        self.button = TextButton(tr("Use the smart card"), self.open, kind="quiet")
        self.card = CardField(method.look)
        self.use_button = TextButton(tr("Unlock with the card"), self.use, kind="primary")
        self.cancel_button = TextButton(tr("Cancel"), self.cancel, kind="quiet")
        buttons = line(spacing=8)
        buttons.addStretch(1)
        for each in (self.button, self.cancel_button, self.use_button):
            buttons.addWidget(each)
        layout.addWidget(self.card)
        layout.addLayout(buttons)
        self.card.changed.connect(self._refresh)
        self.card.entered.connect(self.use)
        self.card.hide()
        self._refresh()

    @property
    def is_busy(self) -> bool:
        """Whether the card was given its PIN and `method.use` is under way."""
        return self._task is not None

    def set_free(self, is_free: bool) -> None:
        """Sets whether the card may be used (`is_free`): not while the page tries another unlock method."""
        self._is_free = is_free
        self._refresh()

    def open(self) -> None:
        """Shows the card that is in the reader and asks for its PIN. Does nothing during another attempt."""
        if self._is_free and not self.is_busy:
            self.card.show()
            self._refresh()
            self.card.begin()

    def use(self) -> None:
        """Gives the card the PIN that was typed, in the background. Does nothing without one, or during another
        attempt."""
        if self.card.ready and self._is_free and not self.is_busy:
            proof = self.card.proof
            self.card.field.clear()
            self._task = run(self, self._use(proof), on_error=self._failed)
            self._show_busy(True)

    def cancel(self) -> None:
        """Cancels the attempt that is under way, which ends the process that uses the card. If there is none, hides the
        card."""
        if self._task is not None:
            self._task.cancel()
        else:
            self.card.stop()
            self.card.hide()
            self._refresh()
            self.button.setFocus()

    async def _use(self, proof: CardPin) -> None:
        try:
            found = await self._method.use(proof)
        finally:
            if shiboken6.isValid(self):
                self._task = None
                self._show_busy(False)
        self.unlocked.emit(found)

    def _failed(self, error: Exception) -> None:
        self.failed.emit(error)
        if self.card.field.isVisible():
            self.card.field.setFocus()

    def _show_busy(self, is_busy: bool) -> None:
        self.busy_changed.emit(is_busy)
        self._refresh()

    def _refresh(self) -> None:
        is_open = not self.card.isHidden()
        self.card.setEnabled(not self.is_busy)
        self.button.setVisible(not is_open)
        self.button.setEnabled(self._is_free)
        self.cancel_button.setVisible(is_open)
        self.use_button.setVisible(is_open)
        self.use_button.setEnabled(self._is_free and self.card.ready and not self.is_busy)
