# SPDX-License-Identifier: EUPL-1.2
"""The server for a first start or a return: typed, or chosen among those that policy names, and then never typed."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from app.setting import host_port
from ui.kit.scale import hold
from ui.kit.style import column, label
from ui.kit.translate import tr
from ui.kit.wheel import keep_still


class ServerField(QWidget):
    """A field for the server's address. If policy names servers (`servers`), the server is one of them: a single one is
    only shown, several are a choice. `changed` is emitted when the text has changed, `entered` by Enter."""

    changed = Signal()
    entered = Signal()

    def __init__(self, name: str, servers: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._servers = tuple(_bare(server) for server in servers)
        self._line: QLineEdit | None = None
        self._choice: QComboBox | None = None
        layout = column(self, spacing=6)
        caption = label(name if not servers else tr("Server address"), "label")
        layout.addWidget(caption)
        if not self._servers:
            self._line = QLineEdit()
            self._line.setPlaceholderText("kansli.myndighet.example")
            self._line.textChanged.connect(self.changed)
            self._line.returnPressed.connect(self.entered)
        elif len(self._servers) > 1:
            self._choice = keep_still(QComboBox())
            self._choice.addItems(self._servers)
            self._choice.currentIndexChanged.connect(self.changed)
        control = self._line or self._choice
        if control is not None:
            control.setAccessibleName(caption.text())
            hold(control, least_height=34)
            caption.setBuddy(control)
            self.setFocusProxy(control)
            layout.addWidget(control)
        else:
            layout.addWidget(label(self._servers[0], "strong"))
        if self._servers:
            layout.addWidget(label(tr("Managed by your organisation"), "small"))

    @property
    def to_fill(self) -> bool:
        """Whether a person has something to type here."""
        return self._line is not None and not self._line.text().strip()

    def text(self) -> str:
        """The server's address: as it was typed ("" if nothing was), or as chosen, or the only one that policy
        names."""
        if self._line is not None:
            return self._line.text().strip()
        return self._choice.currentText() if self._choice is not None else self._servers[0]

    def setText(self, server: str) -> bool:
        """Fills in the server's address. Returns True; False, and changes nothing, if policy names servers and this is
        none of them."""
        if self._line is not None:
            self._line.setText(server)
            return True
        at = [host_port(each) for each in self._servers].index(host_port(server)) if self._names(server) else -1
        if at >= 0 and self._choice is not None:
            self._choice.setCurrentIndex(at)
        return at >= 0

    def _names(self, server: str) -> bool:
        return host_port(server) in map(host_port, self._servers)


def _bare(server: str) -> str:
    return server.removeprefix("https://").rstrip("/")
