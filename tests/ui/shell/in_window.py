# SPDX-License-Identifier: EUPL-1.2
"""What tests of the window press, and what they read in it."""

from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QWidget

from app.core.ids import RoomId
from tests.ui.finding import open_menu
from ui.shell.room.room_view import RoomView
from ui.shell.window.main_window import MainWindow


def texts(widget: QWidget) -> list[str]:
    """Every word a person sees in labels and buttons."""
    QApplication.processEvents()
    labels = [x.text() for x in widget.findChildren(QLabel) if x.isVisible()]
    return labels + [x.accessibleName() for x in widget.findChildren(QAbstractButton) if x.isVisible()]


def press(window: MainWindow, keys: str) -> None:
    """A shortcut, as its command is bound to it."""
    found = [a for a in window.actions() if keys in [s.toString() for s in a.shortcuts()]]
    assert len(found) == 1, keys
    found[0].trigger()


def room(window: MainWindow) -> RoomView:
    """The room that is shown."""
    view = window.current_room()
    assert view is not None
    return view


def room_menu(window: MainWindow, shown: RoomId) -> QMenu:
    """Opens a room, and the menu behind the three dots in its header."""
    window.open_room(shown)
    room(window)._more.click()
    return open_menu()
