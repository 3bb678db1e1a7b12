# SPDX-License-Identifier: EUPL-1.2
"""The program as a test with a screen reader starts it: `python -m tests.ui.spoken_office FOLDER`.

A real server, three real sessions, and the case handler's real window. What colleagues do comes line by line on
standard input; each line is answered when it is done.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["TZ"] = "Europe/Stockholm"
time.tzset()

import qasync  # noqa: E402
from PySide6.QtCore import QEvent  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.chat.tool import TOOL as CHAT  # noqa: E402
from app.core.ids import RoomId  # noqa: E402
from app.notification_settings import NOTIFICATIONS  # noqa: E402
from app.settings import RECOVERY_SHEET_REMINDER  # noqa: E402
from sync.crypto.passphrase import MIN_MEMORY_KIB, Argon2Params  # noqa: E402
from tests.journeys.desks import Desk, Offices, offices  # noqa: E402
from tests.world import until  # noqa: E402
from ui.desktop.closing import Gate  # noqa: E402
from ui.kit import faces, theme  # noqa: E402
from ui.kit.covering import Cover  # noqa: E402
from ui.kit.front import to_front  # noqa: E402
from ui.kit.gathering import PAUSE_S  # noqa: E402
from ui.kit.translate import change_language  # noqa: E402
from ui.shell.window.main_window import MainWindow  # noqa: E402
from ui.tools import TOOLS  # noqa: E402

NAMES = ("Handläggare", "Enhetschef", "Registrator")
LINK = "https://example.org/lagrum"


def cheap(cls: type[Argon2Params]) -> Argon2Params:
    """The lowest cost of a passphrase, as in every test."""
    return cls(salt=os.urandom(16), memory_kib=MIN_MEMORY_KIB, passes=1)


class Acts:
    """What the colleagues do, by the first word of a line."""

    def __init__(self, o: Offices, desks: list[Desk], window: MainWindow, folder: Path) -> None:
        self._o, self._window, self._folder = o, window, folder
        self._now = 0.0
        """The announcer's clock, which only the test moves: however slow this machine is, what is done between two
        pauses is said together."""
        window.announcer._clock = lambda: self._now
        self._me, self._head = desks[0].session, desks[1].session
        self._covers: list[tuple[Gate, Cover]] = []

    async def do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        match word:
            case "fill":
                await self._fill()
            case "say":
                await self._say(rest.split("|"))
            case "pause":  # five seconds have passed; given a number, with so many new messages in them
                waiting = self._window.announcer._gathering
                await until(lambda: waiting._messages == int(rest) if rest else waiting.waits)
                self._now += PAUSE_S
                self._window.announcer.look()
            case "read":  # all that is on screen has been there for a second
                await until(lambda: not any(room.unread for room in self._me.rooms.rooms()))
            case "type":
                self._head.service(CHAT).typing.send(self._room())
            case "stop-server":
                await self._o.w.stop_server()
            case "lock":  # what the stage does before anything else of it
                self._window.announcer.silence()
            case "cover":
                gate = Gate(lambda: True)
                gate.show()
                self._covers.append((gate, Cover(gate)))
                self._covers[-1][1].fall()
            case "lift":
                gate, cover = self._covers.pop()
                cover.lift()
                gate.deleteLater()
                await until(self._window.isActiveWindow)  # before that, keys go nowhere
            case "error":
                self._window.toast("Något gick fel å 🙂", lambda: None)
            case _:
                raise ValueError(line)

    def _room(self) -> RoomId:
        """The room that was made last."""
        return max(self._me.rooms.rooms(), key=lambda r: r.last_ms).room

    async def _fill(self) -> None:
        """The head writes with a link, a file and a reaction, once she is in the room."""
        room = self._room()
        await until(lambda: any(r.room == room for r in self._head.rooms.rooms()))
        await until(lambda: self._head.service(CHAT).channel(room) is not None)
        self._head.service(CHAT).send(room, f"Se [lagrummet]({LINK}) å 🙂")
        file = self._folder / "Yttrande.pdf"
        file.write_bytes(b"%PDF-1.4 " + bytes(2000))
        await self._head.service(CHAT).send_file(room, [file], "Bilagan")
        target = self._head.service(CHAT).timeline(room).message(0).change_id
        self._head.service(CHAT).react(room, target, "👍")
        await self._settled(room, 2)
        await until(lambda: bool(self._me.service(CHAT).timeline(room).message(0).reactions))

    async def _say(self, texts: list[str]) -> None:
        room = self._room()
        count = len(self._me.service(CHAT).timeline(room)) + len(texts)
        for text in texts:
            self._head.service(CHAT).send(room, text)
        await self._settled(room, count)

    async def _settled(self, room: RoomId, count: int) -> None:
        await until(lambda: len(self._me.service(CHAT).timeline(room)) >= count)


async def main(folder: Path) -> None:
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line.strip())

    reading = loop.run_in_executor(None, read)
    async with offices(folder) as o:
        desks = await o.hire(*NAMES)
        me = desks[0].session
        me.settings.set(RECOVERY_SHEET_REMINDER, False)
        me.settings.set(NOTIFICATIONS, "none")
        window = MainWindow(me, TOOLS, keys=desks[0].office.unlocking)
        window.resize(1300, 860)
        window.show()
        to_front(window)
        acts = Acts(o, desks, window, folder)
        await until(window.isActiveWindow)
        print("ready", flush=True)
        while (line := await lines.get()) != "quit":
            await acts.do(line)
            print(line, flush=True)
        window.close()
        window.deleteLater()
        QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)  # before the session is closed
    print("quit", flush=True)
    await reading


if __name__ == "__main__":
    Argon2Params.fresh = classmethod(cheap)  # type: ignore[method-assign, assignment]
    application = QApplication(["kansli"])
    application.setQuitOnLastWindowClosed(False)
    faces.install()
    change_language("sv")
    theme.apply(application, "light")
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(application)) as runner:
        runner.run(main(Path(sys.argv[1])))
