# SPDX-License-Identifier: EUPL-1.2
"""The list of rooms beside the content, and the list's width.

`folding.py` decides which of the two are visible.
"""

from contextlib import suppress

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from app.errors import StoreUnwritable
from app.settings import SIDEBAR_WIDTH, Settings
from ui.kit import scale
from ui.kit.scale import px
from ui.shell.window.folding import Folding
from ui.shell.window.room_list import RoomList


class ListAndContent(QSplitter):
    """A splitter with the list of rooms beside the content. The list keeps the width that the person chose, whatever
    size the window has in between."""

    def __init__(self, rooms: RoomList, content: QWidget, folding: Folding, settings: Settings) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._rooms, self._folding, self._settings = rooms, folding, settings
        self._width = settings.get(SIDEBAR_WIDTH)
        """Of the list, at 100 %."""
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self.addWidget(rooms)
        self.addWidget(content)
        self.setStretchFactor(1, 1)
        self.splitterMoved.connect(self._on_moved)
        folding.changed.connect(self.restore_width)

    def restore_width(self) -> None:
        """Gives the list of rooms the width that the person chose, if it is visible beside the content."""
        if not self._rooms.isHidden() and not self._folding.folded:
            side = px(self._width)
            self.setSizes([side, max(self.width() - side, 1)])

    def store_width(self) -> None:
        """Stores the width of the list of rooms. If the disk refuses, it is not stored."""
        with suppress(StoreUnwritable):
            self._settings.set(SIDEBAR_WIDTH, self._width)

    def _on_moved(self) -> None:
        if not self._folding.folded:
            self._width = round(self.sizes()[0] / scale.ratio())
