# SPDX-License-Identifier: EUPL-1.2
"""Lays out a window before it is painted, so that no frame shows words that are cut.

When something in a layout has changed, Qt lays out that one, in the next turn of the event loop the one around it, and
so on outwards. It paints the window between two of these turns: a text that has got longer is painted with the height
from before.
"""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

_DEEPEST = 32
"""Layouts inside each other, at most. One call lays out one of them, and takes 0.1 µs if there is nothing to do."""


def lay_out_all() -> None:
    """Lays out everything in which something has changed, from the inside outwards, now instead of in later turns of
    the event loop."""
    for _ in range(_DEEPEST):
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)


def lay_out_first(window: QWidget) -> None:
    """Has everything laid out each time before `window` is painted. To be called once, for a window of its own (a
    QMainWindow or QDialog), which it holds for as long as that lives."""
    window.installEventFilter(_First(window))


class _First(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            lay_out_all()
        return False
