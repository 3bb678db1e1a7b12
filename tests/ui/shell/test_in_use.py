# SPDX-License-Identifier: EUPL-1.2
"""A person who works in another program is not away: the system is asked for the last input anywhere."""

import asyncio
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from tests.ui.finding import timer_of
from tests.world import until
from ui.shell.window.auto_lock import AutoLock
from ui.shell.window.in_use import ASK_S, AWAY_MINUTES, InUse

AWAY_S = AWAY_MINUTES * 60


class Computer:
    """A computer with a clock that is put forward, and whose system says `says`: when there was an input anywhere last,
    or None. `asked`: how often it was asked."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.says: float | None = 1000.0
        self.asked = 0
        self._begun_s = self.now_s
        """When the timer began last."""
        self.answers = asyncio.Event()
        self.answers.set()
        self.owner = QObject()
        self.presence = InUse(self.owner, lambda: self.now_s)
        self.changes: list[bool] = []
        self.uses: list[float] = []
        self.presence.changed.connect(self.changes.append)
        self.presence.used.connect(self.uses.append)

    async def idle_s(self) -> float | None:
        self.asked += 1
        await self.answers.wait()
        return None if self.says is None else self.now_s - self.says

    @property
    def wait_s(self) -> float:
        return timer_of(self.presence).interval() / 1000

    async def pass_time(self, seconds: float) -> None:
        """So many seconds pass in which nothing is pressed in Kansli's windows. The timer is emitted as it would be."""
        end_s = self.now_s + seconds
        while self._begun_s + self.wait_s <= end_s:
            self.now_s = self._begun_s = self._begun_s + self.wait_s
            timer_of(self.presence).stop()
            timer_of(self.presence).timeout.emit()
            await until(timer_of(self.presence).isActive)
        self.now_s = end_s


@pytest.fixture
async def computer(qapp: QApplication) -> Computer:
    made = Computer()
    made.presence.ask_system(made.idle_s)
    return made


async def test_who_works_in_another_program_is_not_away(computer: Computer) -> None:
    for _ in range(12):
        computer.says = computer.now_s + 50
        await computer.pass_time(60)
    assert computer.changes == []
    assert computer.asked == 12  # once a minute, and no more
    await computer.pass_time(AWAY_S - 15)
    assert computer.changes == []
    await computer.pass_time(10)  # right when ten minutes are over
    assert computer.changes == [False]


async def test_who_comes_back_to_another_program_is_back_within_a_minute(computer: Computer) -> None:
    await computer.pass_time(AWAY_S + 1)
    assert computer.changes == [False]
    await computer.pass_time(8 * 3600)
    computer.says = computer.now_s + 10
    await computer.pass_time(ASK_S)
    assert computer.changes == [False, True]
    assert 0 <= computer.uses[-1] < ASK_S


async def test_a_system_that_says_nothing_leaves_what_kansli_sees_itself(computer: Computer) -> None:
    computer.says = None
    await computer.pass_time(AWAY_S - 1)
    assert computer.changes == []
    await computer.pass_time(2)
    assert computer.changes == [False]
    computer.presence.note_input()
    assert (computer.changes, computer.uses) == ([False, True], [0.0])


async def test_an_input_in_kansli_counts_while_the_system_is_asked(computer: Computer) -> None:
    computer.now_s += AWAY_S + 1
    computer.answers.clear()
    timer_of(computer.presence).timeout.emit()
    await until(lambda: computer.asked == 1)
    computer.presence.note_input()
    timer_of(computer.presence).stop()
    computer.answers.set()
    await until(timer_of(computer.presence).isActive)
    assert computer.changes == []


async def test_a_pause_is_not_ended_by_what_the_system_says(computer: Computer) -> None:
    computer.answers.clear()
    timer_of(computer.presence).timeout.emit()
    await until(lambda: computer.asked == 1)
    computer.presence.pause()
    computer.says = computer.now_s
    computer.answers.set()
    await until(lambda: len(asyncio.all_tasks()) == 1)
    assert computer.changes == [False]
    assert not timer_of(computer.presence).isActive()


async def test_after_a_pause_the_person_is_back_if_the_system_says_so(computer: Computer) -> None:
    computer.says = None
    computer.presence.pause()
    computer.presence.end_pause()
    await until(timer_of(computer.presence).isActive)
    assert computer.changes == [False]
    computer.presence.pause()
    computer.says = computer.now_s - 1
    computer.presence.end_pause()
    computer.presence.end_pause()
    await until(timer_of(computer.presence).isActive)
    assert (computer.changes, computer.uses, computer.asked) == ([False, True], [1.0], 2)


@pytest.fixture
def locked(qapp: QApplication) -> Iterator[tuple[AutoLock, list[float], list[bool]]]:
    now_s, found = [0.0], []
    owner = QObject()
    lock = AutoLock(15, owner, lambda: now_s[0])
    lock.idle.connect(lambda: found.append(True))
    yield lock, now_s, found
    qapp.removeEventFilter(lock)


async def test_work_in_another_program_keeps_kansli_not_open(
    qapp: QApplication, locked: tuple[AutoLock, list[float], list[bool]]
) -> None:
    lock, now_s, found = locked

    async def just_now() -> float | None:
        return 0.0

    lock.presence.ask_system(just_now)
    now_s[0] = 14 * 60.0
    timer_of(lock.presence).stop()
    timer_of(lock.presence).timeout.emit()
    await until(timer_of(lock.presence).isActive)
    now_s[0] = 15 * 60.0
    qapp.sendEvent(QObject(), QKeyEvent(QEvent.Type.KeyPress, 0x41, Qt.KeyboardModifier.NoModifier, "a"))
    assert found == [True]
