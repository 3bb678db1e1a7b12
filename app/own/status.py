# SPDX-License-Identifier: EUPL-1.2
"""What the person has chosen to show of themselves (app/presence/), as all their devices share it. A presence message
reaches a device only while both are online; this reaches one that is started days later."""

from app.core.signal import Signal
from app.own.registers import Registers
from app.own.service import Own

_NAME = "status"


class OwnStatus:
    """The choice as a text, whose form is the caller's."""

    def __init__(self, own: Own) -> None:
        self.changed: Signal[()] = Signal()
        """Another device has changed it."""
        self._registers = Registers(own, "settings")
        self._end = self._registers.changed.connect(self._on_changed)

    def close(self) -> None:
        """Stops following the devices. A second call does nothing."""
        self._end()
        self._registers.close()

    def get(self) -> str:
        """What was chosen last on any device; "" for nothing."""
        text = self._registers.get(_NAME)
        return text if isinstance(text, str) else ""

    def set(self, text: str) -> None:
        """Shares what was chosen here. A disk that refuses is handled as in `Own.put`."""
        self._registers.set(_NAME, text)

    def _on_changed(self, names: frozenset[str]) -> None:
        if _NAME in names:
            self.changed.emit()
