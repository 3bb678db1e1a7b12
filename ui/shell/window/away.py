# SPDX-License-Identifier: EUPL-1.2
"""Unlocked, but too long without the server: nothing is shown until it has let this device in. Nothing is removed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.copies.service import changed_names
from app.core.enums import LinkState
from app.core.later import Later
from app.session import Session
from ui.errors import sentence
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.dialogs import confirm, show
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.gate import GatePage
from ui.shell.window.status_bar import reason

if TYPE_CHECKING:
    from ui.shell.window import revoked
else:
    revoked = Later("ui.shell.window.revoked", when_idle=True)

LOOK_MS = 10 * 60_000


class AwayView(GatePage):
    """The page that hides everything when this device was too long without the server, as policy wants it. It emits
    `let_in` once the server has let the device in again, `lock` and `erase` (remove everything) when the person asks
    for it."""

    let_in = Signal()
    lock = Signal()
    erase = Signal()

    def __init__(self, session: Session, retry: Callable[[], object], parent: QWidget | None = None) -> None:
        """`retry` is called when the person wants to connect at once."""
        text = tr(
            "It is a long time since this computer was in touch with the server. Your organisation wants it to be let "
            "in there before anything is shown. Everything is still here, and what you have not sent is kept."
        )
        super().__init__(tr("Connect to the server to go on"), text, parent)
        self._session, self._retry = session, retry
        self.lock_button = self.add_button(TextButton(tr("Lock"), self.lock.emit, kind="quiet"))
        self.again = self.add_button(TextButton(tr("Try again"), self._again, kind="primary"))
        self.what = self.add_button(TextButton(tr("What can I do?"), lambda: run(self, self._ask()), kind="primary"))
        bind(self, session.status_changed, self._on_status)
        self._on_status()

    def showEvent(self, event: object) -> None:
        (self.again if self.again.isVisibleTo(self) else self.what).setFocus()

    def _again(self) -> None:
        self.clear_error()
        self._retry()

    def _on_status(self) -> None:
        if not self._session.overdue:
            QTimer.singleShot(0, self, self.let_in.emit)  # the session is in the middle of emitting
            return
        status, revoked = self._session.status, self._session.devices.ended == "revoked"
        self.again.setVisible(not revoked)
        self.what.setVisible(revoked)
        trying = status.state is LinkState.CONNECTING
        (self.spinner.start if trying else self.spinner.stop)()
        if revoked:
            self.error.show_text(sentence("revoked").text)
        elif status.code and not trying:
            self.error.show_text(reason(status).title, status.code)

    async def _ask(self) -> None:
        changed = await changed_names(self._session.copies)
        if await show(revoked.RevokedDialog(self, self._session.unsent, changed, revoked.Rescue.NONE)):
            title, text = tr("Remove everything?"), tr("It cannot be undone.")
            if await confirm(self, title, text, accept=tr("Remove everything"), danger=True):
                self.erase.emit()


def watch(owner: QWidget, overdue: Callable[[], bool], then: Callable[[], object]) -> QTimer:
    """Checks every ten minutes, while `owner` exists, whether this device was too long without the server (`overdue`);
    each time that it was, calls `then`. Returns the timer, which runs already."""
    timer = QTimer(owner)
    timer.timeout.connect(lambda: then() if overdue() else None)
    timer.start(LOOK_MS)
    return timer
