# SPDX-License-Identifier: EUPL-1.2
"""Works in the real window and says on stdout how long each piece took, as one JSON line of lists of ms: `keys`, a
letter typed in a document until its commit, everything that follows and its painting are over; `frames`, a step of
scrolling in a long chat.

Ten rooms have been opened before, as on a working day: what a change makes the window do is part of it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from functools import partial

import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.bootstrap import Office
from app.documents.tool import TOOL as DOCUMENTS
from app.objects.links import ObjectLink
from app.profile import DEFAULT, Profile
from app.session import Session
from app.settings import THEME
from ui.chat.timeline import TimelineView
from ui.kit import theme
from ui.richtext.editor import Editor
from ui.shell.window.main_window import MainWindow
from ui.tools import TOOLS

KEYS = 120
FRAMES = 200
STEP_PX = 120
PAUSE_S = 0.12
"""Between two keys, as of a quick writer: each one is shown in the lists too."""


async def work(session: Session) -> dict[str, list[float]]:
    window = MainWindow(session, TOOLS)
    window.show()
    rooms = session.rooms.rooms()
    for room in rooms:
        window.open_room(room.room)
        await _settled()
    frames = await _scroll(window)
    document = session.service(DOCUMENTS).create(rooms[0].room, "Beslut")
    window.open_link(ObjectLink(room=rooms[0].room, obj=document, kind="document"))
    await _settled()
    keys = await _type(window)
    window.hide()
    window.deleteLater()
    await _settled()
    return {"keys": keys, "frames": frames}


async def _type(window: MainWindow) -> list[float]:
    editor = next(e for e in window.findChildren(Editor) if e.isVisible())
    editor.setFocus()
    samples = []
    for n in range(KEYS):
        key = Qt.Key.Key_A if n % 8 else Qt.Key.Key_Space
        samples.append(await _ms(partial(QTest.keyClick, editor, key), QApplication.processEvents))
        await asyncio.sleep(PAUSE_S)
    return samples[KEYS // 10 :]


async def _scroll(window: MainWindow) -> list[float]:
    view = next(v for v in window.findChildren(TimelineView) if v.isVisible())
    bar = view.verticalScrollBar()
    samples = [await _ms(partial(bar.setValue, bar.value() - STEP_PX), view.viewport().repaint) for _ in range(FRAMES)]
    return samples[FRAMES // 10 :]


async def _ms(*actions: Callable[[], object]) -> float:
    """How long they take, outside of any task: what they lead to may run other tasks."""
    took: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def timed() -> None:
        began = time.perf_counter()
        for action in actions:
            action()
        took.set_result((time.perf_counter() - began) * 1e3)

    asyncio.get_running_loop().call_soon(timed)
    return await took


async def _settled() -> None:
    """What came of the last action is shown."""
    await asyncio.sleep(0.3)


async def run() -> None:
    profile = Profile.open(DEFAULT)
    office = Office(profile)
    session = await office.unlock_raw()
    if session is None:
        raise SystemExit("no raw key")
    print(json.dumps(await work(session)), flush=True)
    await session.close()
    profile.close()


if __name__ == "__main__":
    application = QApplication(["kansli"])
    theme.apply(application, THEME.default)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(run())
    sys.exit(0)
