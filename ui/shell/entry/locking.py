# SPDX-License-Identifier: EUPL-1.2
"""The view that covers the window while Kansli is being locked, also while unsaved work cannot be stored."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.errors import StoreFault
from ui.kit.buttons import TextButton
from ui.kit.dialogs import show
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.discarding import DiscardDialog, Proof
from ui.shell.entry.gate import GatePage

RETRY_S = 10.0
"""Between attempts to store. Each failed attempt is a line in the log."""


class LockingView(GatePage):
    """The page that covers the window while Kansli is being locked; nothing that was open can be seen. Await `settled`:
    it ends when everything is stored, or when the person discards what cannot be stored."""

    held = Signal()
    """The disk has refused for the first time: Kansli is not locked until the unsaved work is stored or discarded."""

    def __init__(
        self,
        save: Callable[[], object],
        heading: str = "",
        parent: QWidget | None = None,
        *,
        proof: Callable[[], Proof] = Proof,
    ) -> None:
        """`save` stores the unsaved work, or raises StoreFault. `heading` is shown in place of "Kansli is being
        locked", unless it is "". `proof` returns how a person proves that they may discard the unsaved work."""
        super().__init__(heading or tr("Kansli is being locked"), "", parent)
        self._save, self._proof = save, proof
        self._pressed = asyncio.Event()
        self._given_up = False
        self._asking = False
        self.is_held = False
        self.discard = self.add_button(TextButton(tr("Lock without it …"), self.ask, kind="quiet"))
        self.again = self.add_button(TextButton(tr("Try again"), self._pressed.set, kind="primary"))
        for button in (self.discard, self.again):
            button.hide()
        self.spinner.start()

    async def settled(self) -> None:
        """Stores the unsaved work. If the disk refuses, shows why and tries again every RETRY_S seconds, or when the
        person presses a button. Returns when everything is stored or the person discards the rest."""
        while not self._given_up:
            try:
                self._save()
            except StoreFault as fault:
                self._hold(fault)
            else:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY_S):
                    await self._pressed.wait()
            self._pressed.clear()

    def ask(self) -> None:
        """Asks whether to discard what cannot be stored; if its owner agrees, `settled` ends. Does nothing while the
        question is open."""
        if not self._asking:
            run(self, self._ask())

    async def _ask(self) -> None:
        self._asking = True
        try:
            if await show(DiscardDialog(self, self._proof())):
                self._given_up = True
                self._pressed.set()
        finally:
            self._asking = False

    def _hold(self, fault: StoreFault) -> None:
        self.show_error(fault)
        if self.is_held:
            return
        self.is_held = True
        text = tr(
            "Nothing of it can be read here meanwhile. Kansli tries again every few seconds and is locked as soon "
            "as it is saved. Leave the computer on until then."
        )
        self.show_message(tr("Something that you wrote is not saved yet"), text)
        self.spinner.stop()
        for button in (self.discard, self.again):
            button.show()
        self.again.setFocus()
        self.held.emit()
