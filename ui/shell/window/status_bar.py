# SPDX-License-Identifier: EUPL-1.2
"""The status bar: trust always in sight. Encrypted end to end · the agency's server · synced 14:03 · n not sent yet."""

from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from app.core.enums import LinkState
from app.session import SyncStatus
from ui.errors import Sentence, sentence
from ui.kit import theme
from ui.kit.card import IconLabel
from ui.kit.plain import set_tip
from ui.kit.scale import hold
from ui.kit.style import ElidedLabel, line, set_props
from ui.kit.translate import clock, tr, trn

HEIGHT = 28


def sync_text(status: SyncStatus) -> tuple[str, str]:
    """The name of the icon and the text for the state of the connection, in the language in force."""
    return {
        LinkState.OFFLINE: ("offline", tr("Offline")),
        LinkState.CONNECTING: ("syncing", tr("Connecting …")),
        LinkState.SYNCING: ("syncing", tr("Synchronising …")),
        LinkState.ONLINE: ("synced", tr("Synced")),
        LinkState.ERROR: ("warning", tr("Not synchronising")),
    }[status.state]


def reason(status: SyncStatus) -> Sentence:
    """Why it is not connected, with the address that it is about."""
    return sentence(status.code or "", address=status.about)


class StatusBar(QFrame):
    """The status bar at the foot of the window: encryption, the agency's server, the connection, and how much is not
    sent yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="status")
        hold(self, height=HEIGHT)
        self.setAccessibleName(tr("Status"))
        row = line(self, margins=(16, 0, 16, 0), spacing=7)
        self._server, self._sync, self._waiting = _text("status"), _text("status"), _text("status")
        self._sync_icon = IconLabel("synced", "muted", 14)
        row.addWidget(IconLabel("encrypted", "success", 14))
        row.addWidget(_text("success", tr("Encrypted from end to end")))
        row.addSpacing(8)
        row.addWidget(IconLabel("server", "muted", 14))
        row.addWidget(self._server)
        row.addStretch(1)
        row.addWidget(self._sync_icon)
        row.addWidget(self._sync)
        row.addSpacing(8)
        row.addWidget(self._waiting)
        theme.on_change(self, self.update)

    def show_status(self, status: SyncStatus) -> None:
        """Shows the state of the connection and how many changes are not sent yet."""
        icon, text = sync_text(status)
        self._sync_icon.set_icon(icon, "warning" if status.state is LinkState.ERROR else "muted")
        self._sync.set_text(text)
        when = status.last_synced_ms
        set_tip(self._sync, tr("Last exchange with the server: {time}").format(time=clock(when)) if when else "")
        self._server.set_text(tr("The agency's server"))
        set_tip(self._server, status.server)
        waiting = trn("{n} change not sent yet", "{n} changes not sent yet", status.waiting).format(n=status.waiting)
        self._waiting.set_text(waiting if status.waiting else tr("Everything sent"))

    def texts(self) -> list[str]:
        """All texts that are shown, from left to right."""
        return [w.accessibleName() for w in self.findChildren(ElidedLabel)]


def _text(kind: str, text: str = "") -> ElidedLabel:
    """A label for the status bar with `text`. It asks for the room of the whole text, and shortens it where the bar is
    narrow. `kind` names its look, such as "status"."""
    made = ElidedLabel(text, kind)
    made.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
    return made
