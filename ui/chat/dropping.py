# SPDX-License-Identifier: EUPL-1.2
"""Files that are dropped anywhere on a conversation."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from ui.kit.style import label
from ui.kit.translate import tr


class FileDrops(QObject):
    """Takes files for `view`, with a mark over it while they are above it. `take` gets their paths; `allowed` says
    whether anything can be sent now."""

    def __init__(self, view: QWidget, allowed: Callable[[], bool], take: Callable[[Sequence[Path]], object]) -> None:
        super().__init__(view)
        self._view, self._allowed, self._take = view, allowed, take
        self._mark = label(tr("Drop the files to attach them"), "drop-mark")
        self._mark.setParent(view)
        self._mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._mark.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._mark.hide()
        view.setAcceptDrops(True)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event:
            case QDragEnterEvent() if event.type() == QEvent.Type.DragEnter and self._allowed() and paths_of(event):
                event.acceptProposedAction()
                self._mark.setGeometry(self._view.rect().adjusted(12, 12, -12, -12))
                self._mark.show()
                self._mark.raise_()
                return True
            case QDropEvent() if event.type() == QEvent.Type.Drop:
                self._mark.hide()
                take_copy(event)
                self._take(paths_of(event))
                return True
            case _ if event.type() == QEvent.Type.DragLeave:
                self._mark.hide()
        return False


def take_copy(event: QDropEvent) -> None:
    """▲ Whatever was proposed: a file manager deletes the files that it is told were moved."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()


def paths_of(event: QDropEvent) -> list[Path]:
    """The files of this computer that are dragged."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
