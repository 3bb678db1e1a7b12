# SPDX-License-Identifier: EUPL-1.2
"""Screenshots of every view: `python -m tests.shots`, into build/shots/<look>/<view>.png. A tool, not a test.

A real server and three real sessions in this process; nothing leaves the machine.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Before the first import of Qt or keyring.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["QT_SCALE_FACTOR"] = "1"
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["TZ"] = "Europe/Stockholm"
time.tzset()

from PySide6.QtWidgets import QApplication, QMainWindow  # noqa: E402

from app.settings import AUTO_LOCK_MINUTES, LANGUAGE, NOTIFICATIONS, SHEET_REMINDER, THEME  # noqa: E402
from tests.journeys.desks import offices  # noqa: E402
from tests.shots.camera import Camera, quiet  # noqa: E402
from tests.shots.scene import Scene, Step  # noqa: E402
from tests.shots.story import StoryTime, fill  # noqa: E402
from tests.shots.views import OFFLINE, STOPPED, VIEWS, leave  # noqa: E402
from ui.kit import theme  # noqa: E402
from ui.kit.translate import change_language  # noqa: E402
from ui.shell.window import MainWindow  # noqa: E402
from ui.tools import TOOLS  # noqa: E402

OUT = Path("build/shots")


@dataclass(frozen=True, slots=True)
class Look:
    """Theme, language and size of one set of pictures."""

    theme: str
    language: str = "sv"
    size: tuple[int, int] = (1440, 900)


LOOKS = {
    "light": Look("light"),
    "dark": Look("dark"),
    "contrast": Look("contrast"),
    "contrast-dark": Look("contrast-dark"),
    "small": Look("light", size=(1000, 650)),
    "english": Look("light", "en"),
}


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.shots", description=__doc__)
    parser.add_argument("--looks", default=",".join(LOOKS), help="which of " + ", ".join(LOOKS))
    parser.add_argument(
        "--views", default=",".join((*VIEWS, *STOPPED, *OFFLINE)), help="which of the views; default: all"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args(argv)
    began = time.monotonic()
    looks = {name: LOOKS[name] for name in arguments.looks.split(",")}
    views = arguments.views.split(",")
    if arguments.out == OUT:
        shutil.rmtree(OUT, ignore_errors=True)
    application = QApplication(["kansli"])
    change_language("sv")
    theme.apply(application, "light")
    camera = Camera(arguments.out)
    try:
        asyncio.run(_take_all(camera, looks, views))
    finally:
        camera.close()
    print(f"{len(camera.taken)} pictures in {arguments.out}/, {time.monotonic() - began:.1f} s")
    return 0


async def _pump() -> None:
    """Qt's events within asyncio's own loop: nobody is at the keyboard, so a few milliseconds do not matter."""
    while True:
        QApplication.processEvents()
        await asyncio.sleep(0.004)


async def _take_all(camera: Camera, looks: dict[str, Look], views: list[str]) -> None:
    with StoryTime() as clock, tempfile.TemporaryDirectory(prefix="kansli-shots-") as place:
        folder = Path(place)
        async with offices(folder) as o:
            story = await fill(o, clock, folder)
            settings = story.me.settings
            settings.set(AUTO_LOCK_MINUTES, 0)
            settings.set(NOTIFICATIONS, "none")
            settings.set(SHEET_REMINDER, False)
            settings.set(THEME, "light")
            window, gate = (
                MainWindow(story.me, TOOLS, keys=story.desks[0].office.unlocking, now=clock.now),
                QMainWindow(),
            )
            scene = Scene(story, window, gate, folder, await o.w.invite("Verksjurist"))
            for shown in (window, gate):
                shown.resize(1440, 900)
                shown.show()
            pump = asyncio.ensure_future(_pump())
            try:
                for steps in (VIEWS, STOPPED, OFFLINE):
                    wanted = {name: step for name, step in steps.items() if name in views}
                    if steps is OFFLINE and wanted:
                        await o.w.stop_server()
                    for name, look in looks.items():
                        await _take(camera, scene, name, look, wanted)
            finally:
                await _end(scene)
                pump.cancel()


async def _take(camera: Camera, scene: Scene, name: str, look: Look, steps: dict[str, Step]) -> None:
    settings = scene.story.me.settings
    settings.set(THEME, look.theme)
    settings.set(LANGUAGE, look.language)
    for shown in (scene.window, scene.gate):
        shown.resize(*look.size)
    await quiet()
    for view, step in steps.items():
        target = await step(scene)
        target.activateWindow()
        await quiet()
        camera.take(target, f"{name}/{view}")
        await leave(scene)


async def _end(scene: Scene) -> None:
    for shown in (scene.window, scene.gate):
        shown.hide()
        shown.deleteLater()
    scene.close()
    await quiet()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
