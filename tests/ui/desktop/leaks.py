# SPDX-License-Identifier: EUPL-1.2
"""What of an account can be read from outside a program: on the screen, in the desktop, and by a screen reader."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtGui import QAccessible, QAccessibleInterface, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QLineEdit, QWidget

from app.notification_settings import NOTIFICATION_CONTENT
from tests.ui.desktop.curtains import office_with, visible_windows
from tests.ui.desktop.programs import Running, running
from tests.ui.faces import child, face
from tests.ui.shell.kept_office import office
from tests.ui.shell.tool_views import FakeView
from tests.ui.soon import caught_up
from ui.shell.window.main_window import MainWindow

SECRET = "Kvittensnyckeln å 🙂"
"""What the person was writing."""
ROOM = "Tillsyn 2026-1184"
"""The room that is open, whose name the window, its title and its lists have."""


@asynccontextmanager
async def working(qapp: QApplication, folder: Path) -> AsyncIterator[tuple[Running, MainWindow, FakeView]]:
    """A person who writes in a room, with notifications that show who wrote what. A test locks it when it wants to."""
    made = office_with(folder)
    made.settings.set(NOTIFICATION_CONTENT, "shown")
    async with running(qapp, made) as r:
        window = r.program.stage.window
        assert window is not None
        window.open_room(office().case)
        room = window.current_room()
        assert room is not None
        view = room.current_view()
        assert isinstance(view, FakeView)
        view.field.setText(SECRET)
        view.field.setFocus()
        window.activateWindow()
        caught_up(window)
        assert {SECRET, ROOM} <= leaked(r), "without the curtain it can be seen"
        yield r, window, view
        assert not r.task.done()


def lock(r: Running) -> None:
    r.tray.lock_asked.emit()
    assert r.program.curtain.is_down


def leaked(r: Running) -> set[str]:
    """What of the account the screen, the desktop or a screen reader can read."""
    texts = "\n".join((*on_screen(), *in_the_desktop(), *spoken(), r.tray.tip_text()))
    people = (office().me, office().head, office().registrar)
    names = {SECRET, ROOM, *(person.name for person in people)}
    return {name for name in names if name in texts}


def on_screen() -> Iterator[str]:
    """The texts of every visible widget of every visible window."""
    for window in visible_windows():
        for widget in (window, *window.findChildren(QWidget)):
            if not widget.isVisible():
                continue
            yield from (widget.windowTitle(), widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
            if isinstance(widget, QLabel | QAbstractButton):
                yield widget.text()
            elif isinstance(widget, QLineEdit):
                yield widget.displayText()
            elif isinstance(widget, QComboBox):
                yield widget.currentText()


def in_the_desktop() -> Iterator[str]:
    """The titles of all windows that the desktop knows, shown or not: a taskbar has those."""
    for window in QGuiApplication.topLevelWindows():
        yield window.title()


def spoken() -> Iterator[str]:
    """Names, descriptions and values of everything that a screen reader can reach from the program, also of what says
    that it cannot be seen."""
    application = QApplication.instance()
    assert application is not None
    top = face(application)
    for number in range(top.childCount()):
        yield from _all_of(child(top, number))


def _all_of(found: QAccessibleInterface) -> Iterator[str]:
    for kind in (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value):
        yield found.text(kind)
    for number in range(found.childCount()):
        inside = found.child(number)
        if inside is not None:
            yield from _all_of(inside)


def nothing_gets_out(r: Running) -> None:
    r.qapp.processEvents()
    assert r.program.curtain.is_down
    assert visible_windows() in ([r.shown], [])
    assert leaked(r) == set()
