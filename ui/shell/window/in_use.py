# SPDX-License-Identifier: EUPL-1.2
"""Whether the person uses the program: what their presence follows."""

from PySide6.QtCore import QObject, QTimer, Signal

AWAY_MINUTES = 10
"""Minutes without input after which the person counts as away."""


class InUse(QObject):
    """Emits `changed` with False after AWAY_MINUTES without input, and with True at the next input."""

    changed = Signal(bool)
    used = Signal()
    """The person has used the program: at each input."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_used = True
        self._timer = QTimer(self, singleShot=True, interval=AWAY_MINUTES * 60_000)
        self._timer.timeout.connect(lambda: self._set(False))
        self._timer.start()

    def note_input(self) -> None:
        """Call it at each input: the person uses the program now."""
        self._timer.start()
        self._set(True)
        self.used.emit()

    def pause(self) -> None:
        """The person counts as away from now on, until the next `note_input`."""
        self._timer.stop()
        self._set(False)

    def _set(self, used: bool) -> None:
        if used != self._is_used:
            self._is_used = used
            self.changed.emit(used)
