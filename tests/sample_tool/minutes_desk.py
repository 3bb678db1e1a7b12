# SPDX-License-Identifier: EUPL-1.2
"""What a person does with the sample tool: at a desk of a real office, in its whole window."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app.core.ids import ObjId, RoomId
from tests.journeys.desks import Desk
from tests.patience import PATIENCE_S
from tests.sample_tool.app.service import MinutesService
from tests.sample_tool.app.tool import TOOL
from tests.sample_tool.ui import TOOL as ON_SCREEN
from tests.sample_tool.ui.minute_view import MinuteView
from tests.sample_tool.ui.view import MinutesView
from tests.world import until
from ui.shell.window import window_place
from ui.shell.window.main_window import MainWindow
from ui.tools import TOOLS

TEXT = "Vi beslutade om tillsynen å 🙂"
T = TypeVar("T", bound=QWidget)


def minutes(desk: Desk) -> MinutesService:
    """The tool's service at a desk, by its type."""
    return desk.session.service(TOOL)


def text_of(desk: Desk, obj: ObjId) -> str:
    """What minutes hold at a desk."""
    document = minutes(desk).open(obj)
    try:
        return document.plain_text().strip()
    finally:
        minutes(desk).close(obj)


def write(desk: Desk, obj: ObjId, text: str) -> None:
    """Writes at the end of minutes."""
    document = minutes(desk).open(obj)
    document.splice(len(document.plain_text().rstrip("\n").encode("utf-16-le")) // 2, 0, text)
    minutes(desk).close(obj)


async def reads(desk: Desk, room: RoomId, obj: ObjId, text: str) -> None:
    """Waits until a desk lists the minutes, and they hold this."""
    await until(lambda: any(row.obj == obj for row in minutes(desk).minutes(room)))
    await until(lambda: text_of(desk, obj) == text)


@contextmanager
def window_of(desk: Desk) -> Iterator[MainWindow]:
    """The window of an unlocked session, with the product's tools and the sample."""
    window = MainWindow(desk.session, (*TOOLS, ON_SCREEN))
    window_place.go_back(window, desk.session)
    window.resize(1280, 860)
    window.show()
    window.activateWindow()
    QApplication.processEvents()
    try:
        yield window
    finally:
        window.hide()
        window.deleteLater()
        QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)


def tab(window: MainWindow, room: RoomId) -> MinutesView:
    """The tool's view in a room, shown by its tab."""
    window.open_room(room)
    view = window.current_room()
    assert view is not None
    view.show_tool(ON_SCREEN.id)
    shown = view.current_view()
    assert isinstance(shown, MinutesView)
    return shown


def opened(view: MinutesView) -> MinuteView:
    """The minutes that are open in it."""
    assert view.open_view is not None
    return view.open_view


def button(root: QWidget, name: str) -> QAbstractButton:
    """The visible button with an accessible name."""
    found = [b for b in root.findChildren(QAbstractButton) if b.accessibleName() == name and b.isVisible()]
    assert len(found) == 1, [b.accessibleName() for b in root.findChildren(QAbstractButton) if b.isVisible()]
    return found[0]


async def shown(look: Callable[[], bool]) -> None:
    """Waits for the window to show something: its timers run meanwhile."""

    def looked() -> bool:
        QApplication.processEvents()
        return look()

    await until(looked, PATIENCE_S)
