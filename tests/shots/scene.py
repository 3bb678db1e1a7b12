# SPDX-License-Identifier: EUPL-1.2
"""What the steps to the pictures have in hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QWidget

from app.bootstrap import Office
from app.profile import Profile
from app.settings import CA_FILE
from tests.shots.story import Story
from ui.shell.room.room_view import RoomView
from ui.shell.window.main_window import MainWindow


@dataclass(slots=True)
class Scene:
    """The story, its window, and the window of the way in."""

    story: Story
    window: MainWindow
    gate: QMainWindow
    folder: Path
    code: str = ""
    ends: list[Callable[[], object]] = field(default_factory=list)
    """What puts back what the view changed, the last one first. What they return is awaited if it can be."""
    _new: Office | None = None

    def room(self, title: str, tab: str) -> RoomView:
        """Opens a room at a tab."""
        self.window.open_room(self.story.rooms[title])
        view = self.window.current_room()
        assert view is not None
        view.show_tool(tab)
        return view

    def new_office(self) -> Office:
        """A profile in which nobody is enrolled yet."""
        if self._new is None:
            profile = Profile.open(root=self.folder / "new")
            self._new = Office(profile)
            self._new.settings.set(CA_FILE, self.story.desks[0].office.settings.get(CA_FILE))
        return self._new

    def close(self) -> None:
        if self._new is not None:
            self._new.profile.close()


Step = Callable[[Scene], Awaitable[QWidget]]


def dialog(scene: Scene, made: QWidget) -> QWidget:
    """Shows a dialog over the window until the picture is taken."""
    made.show()
    scene.ends += [made.close, made.deleteLater]
    return scene.window


def close_menu(scene: Scene) -> None:
    """Closes the menu that is open, if there is one, once the picture is taken."""
    menu = QApplication.activePopupWidget()
    if isinstance(menu, QMenu):
        scene.ends.append(menu.close)
