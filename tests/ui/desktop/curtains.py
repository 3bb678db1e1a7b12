# SPDX-License-Identifier: EUPL-1.2
"""A program under the curtain, and what is on the screen then."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from app.unlocking import SlotKind
from tests.ui.desktop.programs import Office, Running, running
from tests.ui.shell.unlock_methods import PASSPHRASE, unlock_methods
from ui.shell.entry.curtain import CurtainView


def office_with(folder: Path, methods: Collection[SlotKind] = (SlotKind.PASSPHRASE,)) -> Office:
    """An office whose store has these unlock methods."""
    made = Office(folder)
    made.unlocking = unlock_methods(folder / "methods", methods)
    return made


@asynccontextmanager
async def covered(qapp: QApplication, folder: Path, made: Office | None = None) -> AsyncIterator[Running]:
    """A program that the person has locked; the passphrase lifts its curtain."""
    async with running(qapp, made or office_with(folder)) as r:
        r.tray.lock_asked.emit()
        assert r.program.curtain.is_down
        yield r


def curtain(r: Running) -> CurtainView:
    """The page of the curtain."""
    assert isinstance(r.gate, CurtainView)
    return r.gate


async def lift(r: Running, typed: str = PASSPHRASE) -> None:
    """Types it under the curtain, and waits until the window is back."""
    page = curtain(r)
    assert page.field is not None
    page.field.setText(typed)
    page.unlock()
    await r.until(lambda: not r.program.curtain.is_down)


def visible_windows() -> list[QWidget]:
    """Every top-level widget that is visible."""
    return [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
