# SPDX-License-Identifier: EUPL-1.2
"""A dialog whose work takes long: it shows progress, can be stopped, and stays open after an error and at the end."""

import asyncio

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sync.errors import Unreachable
from tests.ui.shown import shows, words
from tests.ui.walking import check
from tests.world import until
from ui.errors import format_error
from ui.kit.stoppable_dialog import StoppableDialog
from ui.kit.translate import tr


class Counting(StoppableDialog):
    """Its work makes one step, waits for `going_on`, and raises the next of `faults`, if any is left. Work that is
    begun with `ending`, and is then stopped, ends only when that has an error or a result: with the error, or as if it
    had not been stopped."""

    def __init__(self) -> None:
        super().__init__(
            None,
            "Rensa å?",
            accept="Rensa",
            text="Allt rensas 🙂",
            doing="Rensar å",
            stopped="Stoppat. Det som hann rensas är borta.",
            width=440,
        )
        self.going_on, self.faults, self.readings = asyncio.Event(), list[Exception](), 0
        self.ending: asyncio.Future[str] | None = None
        self.steps = 0
        self.add_progress()

    def read_again(self) -> None:
        self.readings += 1
        self.accept_button.setEnabled(True)

    def accept(self) -> None:
        if self.accept_button.isEnabled():
            self.begin(self._work())

    async def _work(self) -> str:
        ending, self.steps = self.ending, self.steps + 1
        self.progress.set_progress(1, 4)
        try:
            await self.going_on.wait()
        except asyncio.CancelledError:
            if ending is None:
                raise
            return await ending
        if self.faults:
            raise self.faults.pop()
        return "Allt är rensat."


@pytest.fixture
def shown(qtbot: QtBot) -> Counting:
    made = Counting()
    qtbot.addWidget(made)
    made.open()
    return made


async def test_it_shows_the_progress_and_at_the_end_what_was_done(shown: Counting) -> None:
    assert not shown.progress.isVisible()
    shown.accept_button.click()
    await shows(shown, lambda: "25 %" in words(shown))
    assert "Rensar å" in words(shown)
    assert (shown.is_idle, shown.close_button.text()) == (False, tr("Stop"))
    assert not shown.accept_button.isEnabled()
    check(shown)
    shown.going_on.set()
    await shows(shown, lambda: "Allt är rensat." in words(shown))
    assert "Allt rensas 🙂" not in words(shown)
    assert shown.accept_button.isHidden()
    assert not shown.progress.isVisible()
    assert shown.focusWidget() is shown.close_button
    assert (shown.isVisible(), shown.close_button.text()) == (True, tr("Close"))
    shown.due()
    shown.close_button.click()
    assert (shown.isVisible(), shown.readings) == (False, 0)


async def test_esc_stops_it_first_and_closes_then(shown: Counting) -> None:
    shown.accept_button.click()
    await shows(shown, lambda: "25 %" in words(shown))
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert (shown.isVisible(), shown.is_idle, shown.readings) == (True, True, 1)
    assert "Stoppat. Det som hann rensas är borta." in words(shown)
    assert not shown.progress.isVisible()
    shown.accept_button.click()
    assert not shown.error.isVisible()
    shown.going_on.set()
    await shows(shown, lambda: "Allt är rensat." in words(shown))
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert not shown.isVisible()


async def test_an_error_is_a_sentence_and_it_can_be_tried_again(shown: Counting) -> None:
    shown.faults.append(Unreachable())
    shown.going_on.set()
    shown.accept_button.click()
    await until(shown.error.isVisible)
    assert format_error(Unreachable())[0] in shown.error.text()
    assert (shown.is_idle, shown.readings, shown.close_button.text()) == (True, 1, tr("Cancel"))
    shown.accept_button.click()
    await shows(shown, lambda: "Allt är rensat." in words(shown))


async def test_what_can_be_done_is_read_again_when_something_has_changed_but_not_while_it_works(
    shown: Counting,
) -> None:
    shown.due()
    await shows(shown, lambda: shown.readings == 1)
    shown.due()
    shown.accept_button.click()
    await shows(shown, lambda: "25 %" in words(shown))
    assert shown.readings == 1
    shown.going_on.set()
    await shows(shown, lambda: "Allt är rensat." in words(shown))
    assert shown.readings == 1


@pytest.mark.parametrize("error", [Unreachable(), None])
async def test_work_that_was_stopped_touches_nothing_of_the_work_that_is_begun_after_it(
    shown: Counting, caplog: pytest.LogCaptureFixture, error: Exception | None
) -> None:
    """It ends late: with an error, or as if it had not been stopped."""
    ending = shown.ending = asyncio.get_running_loop().create_future()
    shown.accept_button.click()
    await shows(shown, lambda: "25 %" in words(shown))
    shown.ending = None
    shown.close_button.click()
    shown.accept_button.click()
    await asyncio.sleep(0)
    assert (shown.steps, shown.is_idle) == (1, False), "the second waits for the first to end"
    if error is not None:
        ending.set_exception(error)
    else:
        ending.set_result("Det stoppade är rensat ändå.")
    await until(lambda: shown.steps == 2)
    assert (shown.is_idle, shown.close_button.text()) == (False, tr("Stop"))
    assert not shown.error.isVisible()
    assert "Det stoppade" not in words(shown)
    assert ("unreachable" in caplog.text) is (error is not None)
    shown.going_on.set()
    await shows(shown, lambda: "Allt är rensat." in words(shown))
    assert not shown.error.isVisible()


async def test_work_is_stopped_while_it_waits_for_earlier_work_to_end(shown: Counting) -> None:
    ending = shown.ending = asyncio.get_running_loop().create_future()
    shown.accept_button.click()
    await shows(shown, lambda: "25 %" in words(shown))
    for _ in range(2):
        shown.close_button.click()
        assert shown.is_idle
        shown.accept_button.click()
        await asyncio.sleep(0)
    shown.close_button.click()
    assert (shown.isVisible(), shown.steps) == (True, 1)
    ending.set_exception(Unreachable())
    shown.going_on.set()
    shown.accept_button.click()
    await shows(shown, lambda: "Allt är rensat." in words(shown))
    assert shown.steps == 2


async def test_the_error_of_work_that_was_stopped_does_not_replace_the_sentence_that_it_stopped(
    shown: Counting, caplog: pytest.LogCaptureFixture
) -> None:
    ending = shown.ending = asyncio.get_running_loop().create_future()
    shown.accept_button.click()
    await shows(shown, lambda: "25 %" in words(shown))
    shown.close_button.click()
    ending.set_exception(Unreachable())
    await until(lambda: "unreachable" in caplog.text)
    assert shown.error.text() == "Stoppat. Det som hann rensas är borta."
    assert shown.is_idle
