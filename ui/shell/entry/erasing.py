# SPDX-License-Identifier: EUPL-1.2
"""The page that covers the window while everything of a revoked device is removed from this computer."""

import asyncio

from PySide6.QtWidgets import QWidget

from ui.kit.buttons import TextButton
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage


class ErasingPage(GatePage):
    """The page that covers the window while everything of a revoked device is removed. It removes nothing itself."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(tr("Everything is being removed from this computer"), "", parent)
        self._pressed = asyncio.Event()
        self.again = self.add_button(TextButton(tr("Try again"), self._pressed.set, kind="primary"))
        self.again.hide()
        self.spinner.start()

    async def asked_again(self, fault: Exception) -> None:
        """Shows why the removal failed, and waits until the person wants to try again."""
        self.spinner.stop()
        self.show_error(fault)
        self.again.show()
        self.again.setFocus()
        self._pressed.clear()
        await self._pressed.wait()
        self.again.hide()
        self.clear_error()
        self.spinner.start()
