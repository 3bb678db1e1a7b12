# SPDX-License-Identifier: EUPL-1.2
"""A file that nobody may open, and a hand that points at widgets."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QToolTip, QWidget


class Canary:
    """A named pipe. A process that opens it to read waits until another process opens it to write, and leaves a mark.
    Not a thread of ours: Qt holds Python's lock while it waits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark = path.with_suffix(".opened")
        os.mkfifo(path)
        script = 'while :; do : > "$0"; : > "$1"; done'
        self._watch = subprocess.Popen(["/bin/sh", "-c", script, str(path), str(self._mark)])

    @property
    def html(self) -> str:
        """A picture of it, as HTML takes it."""
        return f'<img src="file://{self.path}">'

    def rest(self) -> bool:
        """Ends the pipe; returns whether it was ever opened. A process that opens it from now on does not wait, but
        finds no file."""
        self.path.unlink()
        self._watch.kill()
        self._watch.wait()
        return self._mark.exists()


@contextmanager
def canary() -> Iterator[Canary]:
    """One that must not have been opened at the end. Its path is short: a tool tip breaks words of 80 characters."""
    with TemporaryDirectory() as folder:
        bird = Canary(Path(folder) / "c")
        try:
            yield bird
        finally:
            assert not bird.rest(), "a file that a text named was opened"


def point_at(widget: QWidget, at: QPoint | None = None) -> str:
    """The text of the tool tip that comes up when one points at a widget, painted; "" if none does."""
    QToolTip.hideText()
    place = at or widget.rect().center()
    everywhere = widget.mapToGlobal(place)
    nothing, none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(
        widget,
        QMouseEvent(QEvent.Type.MouseMove, QPointF(place), QPointF(everywhere), nothing, nothing, none),
    )
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, place, everywhere))
    tips = [w for w in QApplication.topLevelWidgets() if w.metaObject().className() == "QTipLabel" and w.isVisible()]
    for shown in tips:
        shown.grab()
    return next((w.text() for w in tips if isinstance(w, QLabel)), "")
