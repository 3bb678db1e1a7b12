# SPDX-License-Identifier: EUPL-1.2
"""What the person is shown of the connection, and what is announced: in status bar, bar and a screen reader.

It includes that this device was revoked, and how far a new device has come in reading its rooms.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.copies.service import changed_names
from app.core.enums import LinkState
from app.core.later import Later
from app.session import Session
from ui.errors import sentence
from ui.kit.announcing import Announcer
from ui.kit.bind import Soon, bind
from ui.kit.dialogs import confirm, show
from ui.kit.gathering import Kind
from ui.kit.tasks import run
from ui.kit.toast import InfoBar
from ui.kit.translate import tr, trn
from ui.shell.window.status_bar import StatusBar

if TYPE_CHECKING:
    from ui.shell.window import revoked
else:
    revoked = Later("ui.shell.window.revoked", when_idle=True)

FEW_ROOMS = 3
"""So few rooms are read before a person has read a sentence about it."""


class ConnectionNotices(QObject):
    """Shows the state of the connection to the server in the window's bar and status bar, and announces changes to a
    screen reader. It follows the session's status by itself; call `use_parts` first. `erase_requested` is emitted when
    the person of a revoked device wants everything removed."""

    erase_requested = Signal()
    """The person wants everything of a device that was revoked removed from this computer."""

    def __init__(self, window: QWidget, session: Session, announcer: Announcer) -> None:
        super().__init__(window)
        self._window, self._session, self._announcer = window, session, announcer
        self._bar: InfoBar
        self._status_bar: StatusBar
        self._announced = ""
        self._known: tuple[LinkState, str | None, str] = LinkState.CONNECTING, None, ""
        """State and code of the connection when no attempt was under way."""
        self._soon = Soon(self, self.refresh)
        bind(self, session.status_changed, self._on_status)

    def use_parts(self, bar: InfoBar, status_bar: StatusBar) -> None:
        """Shows the state of the connection in these widgets from now on. Nothing is announced for that."""
        self._bar, self._status_bar = bar, status_bar
        self._show()

    def refresh(self) -> None:
        """Reads the state of the connection again, shows it, and announces what is new in it."""
        self._show()
        self._announce()

    def _on_status(self) -> None:
        """▲ Notes a state at once, and shows it soon. One word makes the status change three times, and an attempt to
        connect often follows a lost connection before that was shown."""
        self._note_known()
        self._soon.due()

    async def ask_erase(self) -> None:
        """Shows the dialog on a revoked device, which offers to keep unsent work. If the person wants everything
        removed and confirms it once more, emits `erase_requested`. Returns when the dialogs are closed."""
        session = self._session
        changed = await changed_names(session.copies)
        if await show(revoked.RevokedDialog(self._window, session.unsent, changed, revoked.rescue_of(session))):
            title, text = tr("Remove everything?"), tr("It cannot be undone.")
            if await confirm(self._window, title, text, accept=tr("Remove everything"), danger=True):
                self.erase_requested.emit()

    def _announce(self) -> None:
        """Announces the text of the bar, if there is one, when its subject has changed, and that the connection is
        back. It announces neither each attempt to connect nor a new number of waiting changes."""
        (state, code, _), before = self._known, self._announced
        if self._session.devices.ended == "revoked":
            self._announced = "revoked"
        elif state in (LinkState.OFFLINE, LinkState.ERROR):
            self._announced = f"{state} {code}"
        elif state is not LinkState.CONNECTING:
            self._announced = ""
        if self._announced and self._announced != before:
            if not self._bar.isHidden():
                self._announcer.announce(Kind.KEPT, self._bar.text())
        elif before not in ("", "revoked") and not self._announced:
            self._announcer.announce(Kind.KEPT, tr("You are online again"))

    def _show(self) -> None:
        """Shows the state of the connection. While Kansli tries to connect, the bar keeps the last known state.
        Otherwise the bar, and all below it, would come and go at each attempt."""
        self._status_bar.show_status(self._session.status)
        self._note_known()
        if self._session.devices.ended == "revoked":
            text, action = sentence("revoked").text, tr("What can I do?")
            self._bar.show_state("danger", "warning", text, action, lambda: run(self._window, self.ask_erase()))
        else:
            self._show_known(*self._known)

    def _note_known(self) -> None:
        status = self._session.status
        if status.state is not LinkState.CONNECTING:
            self._known = status.state, status.code, status.about

    def _show_known(self, state: LinkState, code: str | None, about: str) -> None:
        if state is LinkState.ERROR and code:
            self._bar.show_state("warning", "warning", sentence(code, address=about).text, code=code)
        elif state is LinkState.OFFLINE:
            self._bar.show_state("info", "offline", _format_offline(code, self._session.status.waiting))
        elif state is LinkState.SYNCING and (reading := self._format_reading()):
            self._bar.show_state("info", "syncing", reading)
        else:
            self._bar.hide()

    def _format_reading(self) -> str:
        """Text: how many of its rooms a new device has read; "" if there are only few left."""
        done, rooms = self._session.reading
        if rooms - done < FEW_ROOMS:
            return ""
        return tr("Your rooms are being read: {n} of {all}.").format(n=done, all=rooms)


def _format_offline(code: str | None, waiting: int) -> str:
    text = tr("You are offline. Everything can be read and changed; it is sent when the connection is back.")
    if code == "proxy-failed":
        text = f"{sentence(code).title} {text}"
    if waiting:
        text += " " + trn("{n} change is waiting.", "{n} changes are waiting.", waiting).format(n=waiting)
    return text
