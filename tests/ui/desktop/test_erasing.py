# SPDX-License-Identifier: EUPL-1.2
"""Everything of a revoked device is removed: also if that fails at first, and if the program is quit meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtWidgets import QApplication

from app.errors import StoreUnwritable
from app.session import Session
from tests.ui.desktop.programs import Office, Running, running
from ui.shell.entry.erasing import ErasingPage

pytestmark = pytest.mark.usefixtures("swedish_desktop")


class Eraser:
    """Removes when it may go on, or raises `fault`."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.going_on = asyncio.Event()
        self.begun = self.erased = 0

    async def erase(self, session: Session) -> None:
        self.begun += 1
        await self.going_on.wait()
        if self.fault is not None:
            raise self.fault
        await session.close()
        self.erased += 1


@pytest_asyncio.fixture
async def eraser() -> Eraser:
    return Eraser()


@pytest_asyncio.fixture
async def revoked(
    qapp: QApplication, tmp_path: Path, eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    """A program on a device that its person has revoked, where the removal has begun."""
    office = Office(tmp_path)
    monkeypatch.setattr(office, "erase", eraser.erase, raising=False)
    monkeypatch.setattr(type(office.session.devices), "ended", "revoked")
    async with running(qapp, office) as r:
        r.program.ending.erase()
        await r.until(lambda: eraser.begun == 1)
        yield r


async def test_quitting_while_everything_is_removed_waits_for_it(revoked: Running, eraser: Eraser) -> None:
    revoked.program.ending.quit()
    await asyncio.sleep(0)
    assert not revoked.task.done()
    eraser.going_on.set()
    await revoked.until(revoked.task.done)
    assert eraser.erased == 1
    assert revoked.program.restart is None


@pytest.mark.parametrize("fault", [StoreUnwritable(), RuntimeError("of ours")])
async def test_a_removal_that_fails_says_why_and_is_tried_again(
    revoked: Running, eraser: Eraser, fault: Exception
) -> None:
    page = revoked.gate
    assert isinstance(page, ErasingPage)
    eraser.fault = fault
    eraser.going_on.set()
    await revoked.until(page.again.isVisible)
    assert page.error.isVisible()
    eraser.fault = None
    page.again.click()
    await revoked.until(revoked.task.done)
    assert (eraser.begun, eraser.erased) == (2, 1)
    restart = revoked.program.restart
    assert restart is not None
    assert not restart.locked


async def test_after_a_removal_that_failed_one_can_quit(revoked: Running, eraser: Eraser) -> None:
    page = revoked.gate
    assert isinstance(page, ErasingPage)
    eraser.fault = StoreUnwritable()
    eraser.going_on.set()
    await revoked.until(page.again.isVisible)
    revoked.program.ending.quit()
    await revoked.until(revoked.task.done)
    assert revoked.program.restart is None


async def test_an_error_of_what_ends_the_session_is_reported(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing() -> None:
        raise StoreUnwritable

    reported: list[object] = []
    monkeypatch.setattr("ui.ending.report", lambda owner, error: reported.append(error))
    async with running(qapp, Office(tmp_path)) as r:
        r.program.ending.begin(failing)
        await r.until(lambda: len(reported) == 1)
