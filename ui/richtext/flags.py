# SPDX-License-Identifier: EUPL-1.2
"""When a colleague's name is shown at their caret: while they move or write, and while the pointer is at it. A name
that stayed would cover the words of the line above."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QTextEdit

from app.core.ids import DevId
from app.objects.crdt import REMOTE
from app.richtext.carets import Caret
from app.richtext.edits import followed, pushed
from app.richtext.model import Change

STAYS_MS = 3000
"""How long a name stays after the last movement."""
FADES_MS, STEPS = 240, 4
"""How long a name takes to disappear then, and in how many steps."""


class Flags(QObject):
    """Decides whose names are shown at colleagues' carets in one editor, and how clearly. `changed` is emitted when a
    name is to be painted more or less clearly than before."""

    changed = Signal()

    def __init__(self, edit: QTextEdit) -> None:
        super().__init__(edit)
        self._viewport = edit.viewport()
        self._places: dict[DevId, tuple[int, int]] = {}
        """Where each colleague's selection would be if the colleague had not moved."""
        self._steps: dict[DevId, int] = {}
        self._timers: dict[DevId, QTimer] = {}
        self._pointed: DevId | None = None

    def opacity(self, dev: DevId) -> float:
        """How clearly the name at a device's caret is painted, from 0 to 1."""
        return self._steps.get(dev, 0) / STEPS

    def follow(self, change: Change) -> None:
        """Moves the noted places of colleagues' carets with a change of the text (anybody's), before `show` sets where
        they are. A caret that is then elsewhere than noted has moved.

        ▲ This person's own words push a caret that is at the place where they write. A colleague who writes has their
        caret behind their words afterwards, which is a movement.
        """
        for dev, (anchor, caret) in self._places.items():
            for edit in change.edits:
                if change.origin == REMOTE:
                    anchor, caret = followed(anchor, caret, edit)
                else:
                    anchor, caret = pushed(anchor, edit), pushed(caret, edit)
            self._places[dev] = anchor, caret

    def show(self, carets: Sequence[Caret]) -> None:
        """Sets which carets there are now, and shows the names of those that have moved or are new."""
        before, self._places = self._places, {caret.dev: (caret.anchor, caret.caret) for caret in carets}
        for dev in before.keys() - self._places.keys():
            self._end(dev)
        for dev, place in self._places.items():
            if before.get(dev) != place:
                self._raise(dev)

    def point(self, dev: DevId | None) -> None:
        """Notes that the pointer is at the caret of this device, or at none. The name there is shown as long as the
        pointer stays."""
        self._pointed = dev
        if dev is not None:
            self._raise(dev)

    def _raise(self, dev: DevId) -> None:
        timer = self._timers.get(dev)
        if timer is None:
            timer = self._timers[dev] = QTimer(self, singleShot=True)
            timer.timeout.connect(lambda: self._fade(dev))
        timer.start(STAYS_MS)
        if self._steps.get(dev) != STEPS:
            self._steps[dev] = STEPS
            self.changed.emit()

    def _fade(self, dev: DevId) -> None:
        if dev == self._pointed and self._viewport.underMouse():
            self._raise(dev)
            return
        self._steps[dev] -= 1
        if self._steps[dev]:
            self._timers[dev].start(FADES_MS // STEPS)
        self.changed.emit()

    def _end(self, dev: DevId) -> None:
        self._steps.pop(dev, None)
        if (timer := self._timers.pop(dev, None)) is not None:
            timer.stop()
            timer.deleteLater()
