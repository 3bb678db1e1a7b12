# SPDX-License-Identifier: EUPL-1.2
"""A desk with its real window, offscreen: what desk.py does, and a document that is typed in and painted.

`python -m tests.bench.window_desk` obeys the same lines as desk.py; `Desk` is the other end of it too.
"""

import asyncio
import sys
import time

import qasync
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.bootstrap import Office
from app.core import garbage
from app.core.ids import ObjId, RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.objects.links import ObjectLink
from app.profile import DEFAULT, Profile
from app.session import Session
from app.settings import THEME
from tests.bench.desk import SWITCH_INTERVAL_S, Doing, do_all, until
from tests.bench.turns import Turns
from ui.kit import theme
from ui.richtext.editor import Editor
from ui.shell.window.main_window import MainWindow
from ui.tools import TOOLS

PAINTED = QEvent.Type(QEvent.registerEventType())


class Painted(QObject):
    """Notes each painting of an editor: when, and with how many characters."""

    def __init__(self, editor: Editor) -> None:
        super().__init__(editor)
        self.editor = editor
        self.seen: list[tuple[int, int]] = []
        """(time in ns, characters) of each paint."""
        editor.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:  # comes back when the window is painted and given to the screen
            QApplication.postEvent(self, QEvent(PAINTED), Qt.EventPriority.HighEventPriority.value)
        return False

    def customEvent(self, event: QEvent) -> None:
        self.seen.append((time.monotonic_ns(), self.editor.document().characterCount()))


class WindowDoing(Doing):
    """The further commands of a desk with a window."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, Turns(), time.monotonic_ns())
        self.window = MainWindow(session, TOOLS)
        self.window.show()
        self.painted: Painted | None = None

    async def do_look(self, room: str, obj: str) -> None:
        """Opens a document in the window as a click on it does, and waits until a colleague's caret is in it."""
        found = ObjId(bytes.fromhex(obj))
        await until(lambda: any(row.obj == found for row in self.session.store.objects.all(kind="document")))
        self.window.open_link(ObjectLink(room=RoomId(bytes.fromhex(room)), obj=found, kind="document"))
        await until(lambda: any(each.isVisible() for each in self.window.findChildren(Editor)))
        editor = next(each for each in self.window.findChildren(Editor) if each.isVisible())
        editor.setFocus()
        self.painted = Painted(editor)
        await until(lambda: bool(self.session.service(DOCUMENTS).presence(found)))

    async def do_press(self, count: int, gap_s: float) -> list[int]:
        """Presses `count` keys in the open document. Returns when each was pressed, in ns."""
        assert self.painted is not None
        pressed = []
        for _ in range(count):
            await asyncio.sleep(gap_s)
            pressed.append(time.monotonic_ns())
            asyncio.get_running_loop().call_soon(QTest.keyClick, self.painted.editor, Qt.Key.Key_A)
        return pressed

    async def do_shown(self, count: int) -> list[int]:
        """Waits until the open document has been painted with `count` more letters. Returns when each was, in ns."""
        assert self.painted is not None
        seen = self.painted.seen
        first = seen[0][1] if seen else 1
        await until(lambda: bool(seen) and seen[-1][1] >= first + count)
        return [next(at for at, length in seen if length > first + n) for n in range(count)]


async def obey() -> None:
    profile = Profile.open(DEFAULT)
    session = await Office(profile).unlock_raw()
    assert session is not None
    doing = WindowDoing(session)
    await do_all(doing)
    doing.window.hide()
    doing.window.deleteLater()
    await asyncio.sleep(0.1)
    await session.close()
    profile.close()
    print("null", flush=True)


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    garbage.begin()
    application = QApplication(["kansli"])
    theme.apply(application, THEME.default)
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(obey())
