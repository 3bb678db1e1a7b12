# SPDX-License-Identifier: EUPL-1.2
"""Files that are dropped anywhere on a view."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from ui.kit.style import label


class FileDrops(QObject):
    """Lets a person drop files on `view`. While files are dragged over it, a label with `text` covers it. `take` is
    called with the paths of dropped files. While `allowed` returns False, no label is shown and drops are refused."""

    def __init__(
        self, view: QWidget, text: str, allowed: Callable[[], bool], take: Callable[[Sequence[Path]], object]
    ) -> None:
        super().__init__(view)
        self._view, self._allowed, self._take = view, allowed, take
        self.mark = label(text, "drop-mark")
        self.mark.setParent(view)
        self.mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.mark.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.mark.hide()
        view.setAcceptDrops(True)
        view.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        match event:
            case QDragEnterEvent() if event.type() == QEvent.Type.DragEnter and self._allowed() and paths_of(event):
                event.acceptProposedAction()
                self.mark.setGeometry(self._view.rect().adjusted(12, 12, -12, -12))
                self.mark.show()
                self.mark.raise_()
                return True
            case QDropEvent() if event.type() == QEvent.Type.Drop:
                self.mark.hide()
                event.ignore()
                if (paths := paths_of(event)) and self._allowed():
                    take_copy(event)
                    self._take(paths)
                return True
            case _ if event.type() == QEvent.Type.DragLeave:
                self.mark.hide()
        return False


def take_copy(event: QDropEvent) -> None:
    """▲ Accepts dropped files as a copy: after a move, a file manager would delete its file. Where the source offers no
    copy, it is notified that nothing was done with its files."""
    copies = event.possibleActions() & Qt.DropAction.CopyAction
    event.setDropAction(Qt.DropAction.CopyAction if copies else Qt.DropAction.IgnoreAction)
    event.accept()


def paths_of(event: QDropEvent) -> list[Path]:
    """The files of this computer that are dragged."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
