# SPDX-License-Identifier: EUPL-1.2
"""The page after an enrolment that was cut off: the person finishes it with the keys that are on this computer, or
starts over."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.errors import ReturnWaits
from ui.kit.buttons import TextButton
from ui.kit.dialogs import confirm
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.recovery_pages import when
from ui.shell.entry.unlock import UnlockView, WithKeyring, WithPassphrase


class UnfinishedView(UnlockView):
    """The page after a first start that was cut off: it unlocks the store as `UnlockView` does, and then has the server
    confirm the account. If the store has no key at all, only `start_over` is possible, which is emitted by its
    button."""

    start_over = Signal()
    """The person has agreed that what is unfinished here is removed."""

    def __init__(
        self, with_passphrase: WithPassphrase | None, with_keyring: WithKeyring | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(with_passphrase, with_keyring, parent=parent)
        title = tr("The registration was not finished")
        self.setAccessibleName(title)
        self.heading.setText(title)
        if with_passphrase is None and with_keyring is None:
            self.text.setText(
                tr("The program ended before your keys were kept. Begin anew: with your activation code, or a new one.")
            )
        else:
            self.text.setText(
                tr(
                    "Your keys are on this computer, but the server has not confirmed the account. Unlock to finish. "
                    "If the activation code is not valid any more, begin anew with a new code."
                )
            )
        self.button.setText(tr("Unlock and finish"))
        self.start_over_button = TextButton(tr("Begin anew …"), lambda: run(self, self._ask()), kind="quiet")
        self.buttons.insertWidget(2, self.start_over_button)

    def _set_busy(self, busy: bool) -> None:
        """Shows whether the server is being asked (`busy`). ▲ Meanwhile the person cannot start over, so nothing is
        removed: the server may just have bound the account."""
        super()._set_busy(busy)
        self.start_over_button.setEnabled(not busy)

    def _failed(self, error: Exception) -> None:
        super()._failed(error)
        if isinstance(error, ReturnWaits):
            self.error.add_sentence(tr("From {when}.").format(when=when(error.ready_ms)))

    async def _ask(self) -> None:
        text = tr(
            "The keys that were made on this computer are removed; nothing has been written with them. You need a new "
            "activation code if the old one has been used."
        )
        if await confirm(self, tr("Begin anew?"), text, accept=tr("Begin anew"), danger=True):
            self.start_over.emit()
