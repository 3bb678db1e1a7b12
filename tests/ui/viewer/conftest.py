# SPDX-License-Identifier: EUPL-1.2
"""A desk whose chat seals files as the program does, and a conversation with files of each kind."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.room_files import RoomFiles
from app.core.i18n import set_language
from app.objects.files import Pasted, SealedFiles
from sync.client.exchange.blob_transfer import Blobs as Transfers
from tests.app.viewing import samples
from tests.office import HL, ROOM, Desk, desk
from tests.world import until
from ui.chat.view import ChatView
from ui.viewer.viewer import Viewer

PICTURE, PDF, TEXT, OTHER, BROKEN = "Plan å.png", "Beslut ö.pdf", "Anteckning 🙂.txt", "Avtal.docx", "Trasig.png"
CANARY = "kanariefågel i gruvan"


class Offline:
    """Uploads nothing."""

    def wake(self) -> None:
        """Does nothing: there is no server."""


@pytest.fixture
def hl(tmp_path: Path, qapp: QApplication) -> Iterator[Desk]:
    set_language("sv")
    made = desk(tmp_path / "profile", HL)
    sealed = SealedFiles(made.store.blobs, cast("Transfers", Offline()))
    made.chat.files._blobs = RoomFiles(sealed, made.store.objects, lambda room: None)
    yield made
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # the processes of open files end
    made.close()


async def send_all(at: Desk) -> None:
    """Sends a picture, and then a PDF, a text, a document and a damaged picture in one message."""
    await at.chat.send_file(ROOM, [Pasted(PICTURE, samples.picture())], "Planen å")
    lines = "".join(f"BT /F 18 Tf 20 {y} Td (Rad {y}) Tj ET " for y in range(40, 380, 40))
    files = {
        PDF: samples.pdf(5, content=lines),
        TEXT: f"Första raden å\n{CANARY}\nTredje raden 🙂".encode(),
        OTHER: b"PK\x03\x04" + bytes(400),
        BROKEN: samples.picture()[:-40],
    }
    await at.chat.send_file(ROOM, [Pasted(name, data) for name, data in files.items()], "Handlingarna")


def chat_of(at: Desk, qtbot: QtBot) -> ChatView:
    view = ChatView(at.chat, ROOM)
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    view.activateWindow()
    QApplication.processEvents()
    view.composer.field.setFocus()
    return view


async def open_named(view: ChatView, at: Desk, name: str) -> Viewer:
    """Opens a file of the conversation in the viewer, and waits until it is shown or cannot be."""
    file = next(file for file in await at.chat.attached.all(ROOM) if file.name == name)
    view.files.open(file.message, file.number)
    viewer = view.files.viewer
    await until(lambda: viewer.opened is not None or viewer.problem.isVisible())
    QApplication.processEvents()
    return viewer


async def painted(viewer: Viewer) -> None:
    """Waits until all that is in sight is painted."""
    await until(lambda: viewer.canvas.is_painted)


def never_fetched(at: Desk, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Has the fetching of files never end. Returns the event that is set when it is cancelled."""
    cancelled = asyncio.Event()

    async def wait(*_: object) -> bytes:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    monkeypatch.setattr(at.chat.files, "read", wait)
    return cancelled
