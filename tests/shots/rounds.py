# SPDX-License-Identifier: EUPL-1.2
"""The round through every view, in one look after the other: for the pictures, and for tests of all views.

A real server and three real sessions in this process; nothing leaves the machine.
"""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from app.notification_settings import NOTIFICATIONS
from app.settings import AUTO_LOCK_MINUTES, DENSITY, LANGUAGE, RECOVERY_SHEET_REMINDER, TEXT_SIZE, THEME
from tests.journeys.desks import offices
from tests.shots.camera import quiet
from tests.shots.scene import Scene, Step
from tests.shots.story import Story, StoryTime, fill
from tests.shots.views import OFFLINE, STOPPED, VIEWS, leave
from tests.ui.soon import settle
from ui.desktop.closing import Gate
from ui.kit import theme
from ui.kit.translate import change_language
from ui.shell.window.main_window import MainWindow
from ui.tools import TOOLS

Visit = Callable[[QWidget, str], object]
"""Called for every view with the window in which it is shown and its name: the look's and the view's, with a slash
between."""


_DELETED = QEvent.Type.DeferredDelete.value
"""Qt sends such events only from its own loop, which does not run here."""


@dataclass(frozen=True, slots=True)
class Look:
    """Theme, language, size, text size in per cent and density of one set of pictures."""

    theme: str
    language: str = "sv"
    size: tuple[int, int] = (1440, 900)
    text_size: int = 100
    density: str = "normal"


LOOKS = {
    "light": Look("light"),
    "dark": Look("dark"),
    "contrast": Look("contrast"),
    "contrast-dark": Look("contrast-dark"),
    "small": Look("light", size=(1000, 650)),
    "english": Look("light", "en"),
    "large": Look("light", text_size=200),
    "large-dark": Look("dark", "en", text_size=200),
    "tiny": Look("light", size=(800, 500)),
    "compact": Look("light", density="compact"),
}


async def _pump() -> None:
    """Qt's events within asyncio's own loop: nobody is at the keyboard, so a few milliseconds do not matter."""
    while True:
        QApplication.processEvents()
        await asyncio.sleep(0.004)


async def walk(visit: Visit, looks: dict[str, Look], views: list[str], *, painted: bool = True) -> None:
    """Visits these views in these looks. What only looks at places and sizes needs nothing painted, and is faster."""
    with StoryTime() as clock, tempfile.TemporaryDirectory(prefix="kansli-shots-") as place:
        folder = Path(place)
        async with offices(folder) as o:
            story = await fill(o, clock, folder)
            settings = story.me.settings
            settings.set(AUTO_LOCK_MINUTES, 0)
            settings.set(NOTIFICATIONS, "none")
            settings.set(RECOVERY_SHEET_REMINDER, False)
            settings.set(THEME, "light")
            window, gate = _new_window(story), Gate(lambda: True)
            scene = Scene(story, window, gate, folder, await o.w.invite("Verksjurist"))
            gate.setUpdatesEnabled(painted)
            gate.show()
            pump = asyncio.ensure_future(_pump())
            try:
                for steps in (VIEWS, STOPPED, OFFLINE):
                    wanted = {name: step for name, step in steps.items() if name in views}
                    if steps is OFFLINE and wanted:
                        await o.w.stop_server()
                    for name, look in looks.items() if wanted else ():
                        _renew(scene, look, painted=painted)
                        await _visit(visit, scene, name, look, wanted)
            finally:
                await _end(scene)
                pump.cancel()


def _application() -> QApplication:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    return application


def _new_window(story: Story) -> MainWindow:
    return MainWindow(story.me, TOOLS, keys=story.desks[0].office.unlocking)


def _renew(scene: Scene, look: Look, *, painted: bool) -> None:
    """Puts a new window, in this look, in place of the scene's. A window that has made every view takes ten times as
    long to change its theme or text size. `painted`: whether it is to be drawn."""
    _delete(scene.window)
    settings = scene.story.me.settings
    settings.set(THEME, look.theme)
    settings.set(LANGUAGE, look.language)
    settings.set(TEXT_SIZE, look.text_size)
    settings.set(DENSITY, look.density)
    change_language(look.language)  # as ui/main.py does before there is a window
    theme.resize(_application(), look.text_size, look.density)
    theme.apply(_application(), look.theme)
    scene.window = _new_window(scene.story)
    scene.window.setUpdatesEnabled(painted)
    scene.window.show()


async def _visit(visit: Visit, scene: Scene, name: str, look: Look, steps: dict[str, Step]) -> None:
    for shown in (scene.window, scene.gate):
        shown.resize(*look.size)
    await quiet()
    for view, step in steps.items():
        target = await step(scene)
        target.activateWindow()
        await quiet()
        settle(target)  # and nothing else runs before the visit
        visit(target, f"{name}/{view}")
        await leave(scene)
        QApplication.sendPostedEvents(None, _DELETED)  # a theme would dress what nobody sees any more


async def _end(scene: Scene) -> None:
    for shown in (scene.window, scene.gate):
        _delete(shown)  # none reads a store that is closed
    scene.close()
    await quiet()


def _delete(window: QMainWindow) -> None:
    window.hide()
    window.deleteLater()
    QApplication.sendPostedEvents(window, _DELETED)
