# SPDX-License-Identifier: EUPL-1.2
"""`kansli --selftest`: whether this installation works, on this computer, without a screen, a network or an account.

A throw-away office (app/trial.py) is founded, every view is drawn in every theme and both languages, and the store is
closed and opened again by its passphrase. Anything missing from an installation fails here rather than at a person.
"""

import asyncio
import gc
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QGuiApplication, QImageReader
from PySide6.QtWidgets import QApplication, QWidget

from app.bootstrap import Office
from app.core.enums import LinkState, RoomType
from app.core.ids import RoomId
from app.installed import Installed, version_file
from app.licences import PROGRAM
from app.objects.crdt import CrdtDoc
from app.session import Session
from app.store.keyring_slot import system_keyring, usable
from app.trial import trial
from app.worker.client import Worker
from resources import path
from ui.kit import qr, theme
from ui.kit.fonts import FAMILY
from ui.kit.translate import change_language, local_now
from ui.shell.entry.unlock import UnlockView
from ui.shell.entry.welcome import WelcomeView
from ui.shell.tool_list import ToolList
from ui.shell.window.main_window import MainWindow
from ui.shell.window.sections import ROOMS
from ui.tool import AnyTool
from ui.tools import TOOLS

PASSPHRASE = "fyra vanliga ord, å ä ö 🔒"  # noqa: S105 - of a store that is thrown away
WORDS = "Beslut i ärendet: åtgärd, ägare, över 🗂"
SIZE = QSize(1440, 900)
REMOVAL_S = 5.0
"""How long the folder of the test is tried to be removed."""
PATIENCE_S = 60.0
FORMATS = {b"png", b"jpeg", b"svg"}
"""Formats of pictures that a message may show, or that the program draws itself with."""
UNUSED_FORMATS = {b"gif", b"icns", b"ico", b"pdf", b"tga", b"tiff", b"wbmp", b"webp"}
"""Formats of Qt's plugins that an installed program does not contain (packaging/kansli.spec)."""


class Failed(Exception):
    """The error of a step of the self-test that did not do what it should. The message is for the IT department."""


class SelfTest:
    """Tests whether this installation works, without a screen, a network or an account. Call `run` once."""

    def __init__(
        self, application: QApplication, report: Callable[[str], None], tools: Sequence[AnyTool] = TOOLS
    ) -> None:
        """`report` is called with each line of the result. `tools` are the tools that are tested."""
        self._application, self._tools = application, tools
        self._report = report
        self._at = time.monotonic()

    async def run(self) -> int:
        """Does all steps of the test. Returns the exit status: 0 if everything works, 1 at the first step that
        fails."""
        try:
            folder = Path(tempfile.mkdtemp(prefix="kansli-selftest-"))
            try:
                async with asyncio.timeout(PATIENCE_S * 4):
                    await self._steps(folder)
            finally:
                await asyncio.to_thread(_remove, folder)
        except Exception as e:
            reason = str(e) if isinstance(e, Failed) else "".join(traceback.format_exception(e))
            self._report(f"FAILED  {reason}")
            return 1
        self._report("Everything works.")
        return 0

    async def _steps(self, folder: Path) -> None:
        self._pictures()
        self._qr()
        self._key_store()
        self._version()
        await self._worker()
        async with trial(folder, "Handläggare", PASSPHRASE) as (office, session):
            await _until(lambda: session.status.state is LinkState.ONLINE, "the account did not come online")
            self._done("store: made, encrypted, and signed in to a server in memory")
            room = await self._write(session)
            await self._check_tools(session)
            await self._window(session, room)
            await self._close(session)
            await self._again(office, room)

    def _done(self, what: str) -> None:
        now = time.monotonic()
        self._report(f"ok  {(now - self._at) * 1000:6.0f} ms  {what}")
        self._at = now

    def _pictures(self) -> None:
        known = {bytes(name.data()) for name in QImageReader.supportedImageFormats()}
        _check(known >= FORMATS, f"Qt has no plugin for {b', '.join(sorted(FORMATS - known)).decode()}")
        extra = known & UNUSED_FORMATS if getattr(sys, "frozen", False) else set()
        _check(not extra, f"Qt has plugins that nothing needs: {b', '.join(sorted(extra)).decode()}")
        _check(self._application.font().family() == FAMILY, "the program's font is not there")
        licences = [*path("icons").glob("*.svg"), *path("themes").glob("*.toml")]
        _check(len(licences) > 50, "icons or themes are missing")
        self._done(f"Qt on {QGuiApplication.platformName()}: pictures, font, icons, themes")

    def _qr(self) -> None:
        _check(qr.read(qr.image(WORDS)) == [WORDS], "a QR code was not read back")
        self._done("QR code: drawn and read")

    def _key_store(self) -> None:
        """Reports which key store the computer has. Failed on Windows, which always has its own, if that is not the one
        found. Nowhere else is it a fault to have none."""
        found = type(system_keyring()).__module__.removeprefix("keyring.backends.") if usable() else "none"
        _check(found == "Windows" or sys.platform != "win32", f"Windows' key store is not found, but {found}")
        self._done(f"key store of the computer: {found}")

    def _version(self) -> None:
        """Checks that the file which names the installed release is in its place and names this one, otherwise Failed;
        nothing to check where Kansli runs from source. A running program compares itself with the file after an
        upgrade."""
        file = version_file()
        _check(
            file is None or Installed(file).installed() == PROGRAM, "version.txt is not there or names another release"
        )
        self._done(f"version: {PROGRAM}{'' if file is not None else ', from source'}")

    async def _write(self, session: Session) -> RoomId:
        """Makes a new room, has each tool write something in it, and waits until all is sent. Returns the room. Failed
        if that takes more than a minute."""
        room = await session.rooms.create(WORDS, RoomType.CASE)
        for tool in self._joined(session).all:
            tool.trial.write(room, WORDS)
        await _until(lambda: session.status.waiting == 0, "what was written was not sent")
        self._done("crypto: a room with something of each tool, sealed, signed and sent")
        return room

    async def _check_tools(self, session: Session) -> None:
        """Does the checks of each tool for what it alone needs of an installation, and reports each. An error of a
        check is raised."""
        for tool in self._joined(session).all:
            for check in tool.trial.checks:
                self._done(await check(WORDS))

    def _joined(self, session: Session) -> ToolList:
        return ToolList(self._tools, session, local_now)

    async def _worker(self) -> None:
        """Checks that the separate process which tries what colleagues send can be started, merges an update, and can
        be ended; otherwise Failed, or the error of starting it."""
        writer, worker = CrdtDoc(texts=("text",)), Worker()
        with writer.transact():
            writer.text("text").insert(0, WORDS)
        try:
            await asyncio.to_thread(worker.load, b"selftest", ("text",), (), [])
            tried = await asyncio.to_thread(worker.try_, b"selftest", [writer.diff()], thorough=True)
        finally:
            writer.close()
            await asyncio.to_thread(worker.close)
        _check(tried.merged == (True,) and tried.is_read, "the worker did not merge an update")
        self._done("worker: started, merged an update")

    async def _window(self, session: Session, room: RoomId) -> None:
        window = MainWindow(session, self._tools)
        window.resize(SIZE)
        window.show()
        drawn = 0
        for language, name in [*(("sv", name) for name in theme.CHOICES), ("en", "light")]:
            change_language(language)
            theme.apply(self._application, name)
            for section in window.sections:
                if section.id != ROOMS:
                    window.go_section(section.id)
                    drawn += await self._draw(window, section.id)
            window.open_room(room)
            view = window.current_room()
            if view is None:
                raise Failed("the room did not open")
            for tool in window.tools.all:
                view.show_tool(tool.id)
                drawn += await self._draw(window, tool.id)
        window.close()
        self._gone(window)
        self._done(f"views: {drawn} drawn, in {len(theme.CHOICES)} themes and two languages")

    async def _draw(self, window: QWidget, name: str) -> int:
        await asyncio.sleep(0)
        image = window.grab().toImage()
        colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
        _check(len(colours) > 3, f"{name} is empty")
        return 1

    def _gone(self, widget: QWidget) -> None:
        widget.deleteLater()
        self._application.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        gc.collect()

    async def _close(self, session: Session) -> None:
        await session.close()
        self._done("closed in order")

    async def _again(self, office: Office, room: RoomId) -> None:
        for view in (UnlockView(office.unlock), WelcomeView(office)):
            view.resize(SIZE)
            view.show()
            await self._draw(view, type(view).__name__)
            view.hide()
            self._gone(view)
        session = await office.unlock(PASSPHRASE)
        try:
            _check(session.rooms.room(room).title == WORDS, "the room's title was not read back")
            for tool in self._joined(session).all:
                _check(tool.trial.reads(room, WORDS), f"what was written with {tool.id} was not read back")
            _check(bool(await session.search.find("åtgärd")), "search does not find what was written")
        finally:
            await session.close()
        self._done("unlocked by passphrase (Argon2id), and everything read back")


def _remove(folder: Path) -> None:
    """Removes the folder, in a thread. What another program has open for a moment, as a virus scanner of Windows has,
    is tried again for REMOVAL_S, and then stays: it says nothing about this installation."""
    end = time.monotonic() + REMOVAL_S
    while folder.exists() and time.monotonic() < end:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.1)


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


async def _until(holds: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        _check(time.monotonic() < end, otherwise)
        await asyncio.sleep(0.02)
