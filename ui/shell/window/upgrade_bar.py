# SPDX-License-Identifier: EUPL-1.2
"""The quiet bar about a newer release that is installed on this computer. Its button starts Kansli again."""

from PySide6.QtCore import Signal

from ui.kit.toast import InfoBar
from ui.kit.translate import tr


class UpgradeBar(InfoBar):
    """The bar about a newer release of Kansli that is installed on this computer. Hidden until `show_release`.
    `restart_requested` is emitted by its button."""

    restart_requested = Signal()

    def show_release(self, version: str, *, needs_computer: bool) -> None:
        """Shows that the release `version` is installed and not started yet. `needs_computer`: Kansli alone cannot
        complete the installation, so there is no button, only the advice to restart the computer. A second call
        replaces the first."""
        if needs_computer:
            text = tr("Kansli {version} is installed, but its files are not in place yet. Restart the computer.")
            self.show_state("info", "info", text.format(version=version))
        else:
            text = tr("Kansli {version} is installed and takes over at the next start. What you have written is kept.")
            action = tr("Restart Kansli")
            self.show_state("info", "info", text.format(version=version), action, self.restart_requested.emit)
