# SPDX-License-Identifier: EUPL-1.2
"""How the window's parts share a small window: the rail loses its words, and list and room take turns.

What counts is how much text there is room for: a large window with large text folds as a small one does.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtWidgets import QWidget

from ui.kit import theme
from ui.kit.scale import px
from ui.shell.window.navigation import Place, Rail
from ui.shell.window.room_list import RoomList

_LIST_AND_ROOM_PX = 600
"""The least width in which rail, list and room are beside each other, at 100 %."""
_WORDS_PX = 560
"""The least width of a window whose rail has words, at 100 %."""


class Folding(QObject):
    """Decides which parts of the window are visible, from the window's size and the place that is shown (`place`
    returns it): in a small window the rail loses its words, and only one of room list and content is visible. `changed`
    is emitted each time it has decided."""

    changed = Signal()
    """Other parts are visible than before."""

    def __init__(self, rail: Rail, rooms: RoomList, content: QWidget, place: Callable[[], Place]) -> None:
        super().__init__(content)
        self._rail, self._rooms, self._content, self._place = rail, rooms, content, place
        self._size = QSize()
        self._list_wanted = False
        self.folded = False
        """Whether list and room take turns."""
        theme.on_change(self, self._arrange)

    def set_size(self, size: QSize) -> None:
        """Sets the window's size, and decides again which of its parts are visible."""
        self._size = size
        self._arrange()

    def show_place(self) -> None:
        """Notes that the window shows another place: in a small window the content is shown then, not the list of
        rooms."""
        self._list_wanted = False
        self._arrange()

    def turn(self) -> bool:
        """In a small window that shows the rooms: shows the list of rooms in place of the open room, or the room again.
        Returns False, and does nothing, otherwise."""
        if not self.folded or self._place().section != "rooms":
            return False
        self._list_wanted = not self._list_wanted
        self._arrange()
        (self._rooms.list if self._list_wanted else self._content).setFocus()
        return True

    def _arrange(self) -> None:
        width, height = self._size.width(), self._size.height()
        place = self._place()
        self.folded = width < px(_LIST_AND_ROOM_PX)
        self._rail.set_slim(width < px(_WORDS_PX) or height < self._rail.full_height())
        in_rooms = place.section == "rooms"
        alone = self.folded and in_rooms and (self._list_wanted or place.room is None)
        self._rooms.set_alone(alone)
        self._rooms.setVisible(in_rooms and (alone or not self.folded))
        self._content.setVisible(not alone)
        self.changed.emit()
