# SPDX-License-Identifier: EUPL-1.2
"""The page for an activation code of somebody who has an account already. The person returns to it by the recovery
sheet or another computer, or agrees to a second account after a question that names what is lost. The page makes no
account and does not use the code."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.kit.buttons import TextButton
from ui.kit.dialogs import confirm
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage
from ui.shell.entry.key_page import Named, PersonCard


class SecondAccountPage(GatePage):
    """A page for a person who has an account already and typed an activation code: it asks how they want to go on.

    It emits `recovery_sheet` for a return with their recovery sheet, `other` with another computer of theirs that has
    Kansli, `start_over` after they agreed to a second account and to lose what they had, and `left` for back to the
    code.
    """

    recovery_sheet = Signal()
    other = Signal()
    start_over = Signal()
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        text = tr(
            "With the sheet everything that you could read comes back to this computer. The code is not used yet."
        )
        super().__init__(tr("You already have an account. Do you have your recovery sheet?"), text, parent)
        self.who = PersonCard()
        self.body.addWidget(self.who)
        self.body.addSpacing(6)
        self.other_button = TextButton(tr("I already have Kansli on another computer"), self.other.emit, kind="link")
        self.body.addWidget(self.other_button)
        self.back_button = self.add_button(TextButton(tr("Back"), self.left.emit, kind="quiet"))
        self.start_over_button = self.add_button(TextButton(tr("No, begin empty …"), self._on_start_over, kind="quiet"))
        self.recovery_sheet_button = self.add_button(TextButton(tr("Yes"), self.recovery_sheet.emit, kind="primary"))

    def show_person(self, person: Named) -> None:
        """Shows the person whom the code is for."""
        self.who.show_person(person)

    def _on_start_over(self) -> None:
        run(self, self._ask())

    async def _ask(self) -> None:
        text = tr(
            "You get a second account without your rooms and all that is in them. Nothing that you wrote before "
            "comes along, colleagues see somebody new, and administrators must add you to each room again. The code "
            "can then not be used to come back with the sheet."
        )
        if await confirm(self, tr("Begin empty?"), text, accept=tr("Begin empty"), danger=True):
            self.start_over.emit()
