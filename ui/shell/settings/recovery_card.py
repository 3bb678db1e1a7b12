# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet in the settings: whether there is one, and making one."""

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.core.enums import LinkState
from app.recovery import RecoverySheetState
from app.session import Session
from app.settings import ALLOW_PRINT
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card, IconLabel
from ui.kit.dialogs import show
from ui.kit.style import column, label, line
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.settings.recovery_sheet_dialog import RecoverySheetDialog
from ui.tool_views import toast


class RecoveryCard(Card):
    """The card in the settings that shows whether the person has a recovery sheet, with a button to make one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(margin=12, spacing=10, parent=parent)
        self._session = session
        row = line(spacing=12)
        self._icon = IconLabel("warning", "warning", 18)
        row.addWidget(self._icon)
        words = column(spacing=1)
        self._title = label("", "body", wrap=True)
        self._text = label("", "small", wrap=True)
        words.addWidget(self._title)
        words.addWidget(self._text)
        row.addLayout(words, 1)
        self.button = TextButton("", self.make)
        row.addWidget(self.button)
        self.content.addLayout(row)
        bind(self, session.status_changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Reads again whether the person has a recovery sheet, and shows it."""
        state = self._session.recovery.state
        online = self._session.status.state is LinkState.ONLINE
        good = state is RecoverySheetState.STANDS
        self._icon.set_icon("verified" if good else "warning", "success" if good else "warning")
        if good:
            title = tr("You have a recovery sheet")
            text = tr("With it and a new activation code you get back when you have lost every device.")
        elif state is RecoverySheetState.NONE:
            title = tr("You have no recovery sheet")
            text = tr("If you lose every device, what you alone could read is gone. Make a sheet and put it away.")
        else:
            title = tr("You have no recovery sheet")
            text = tr("Make it on the device on which you first signed in; only that one can.")
        if not online and state is not RecoverySheetState.ELSEWHERE:
            text = f"{text} {tr('This needs a connection to the server.')}"
        self._title.setText(title)
        self._text.setText(text)
        self.button.setText(tr("Make another …") if good else tr("Make a sheet …"))
        self.button.setAccessibleName(tr("Make another recovery sheet") if good else tr("Make a recovery sheet"))
        self.button.setEnabled(online)
        self.button.setVisible(state is not RecoverySheetState.ELSEWHERE)

    def make(self) -> None:
        """Opens the dialog that makes one."""
        run(self, self._make())

    async def _make(self) -> None:
        printing = self._session.settings.get(ALLOW_PRINT)
        if await show(RecoverySheetDialog(self.window(), self._session.recovery, printing=printing)):
            self.refresh()
            toast(self, tr("The recovery sheet is in force"))

    def showEvent(self, event: QShowEvent) -> None:
        self.refresh()
        super().showEvent(event)
