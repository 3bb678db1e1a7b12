# SPDX-License-Identifier: EUPL-1.2
"""The time that locks goes on while the computer sleeps, which no timer does."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit

from app.core.clock import awake_s
from ui.shell.window.auto_lock import AutoLock


class Slept:
    """A clock that is put forward."""

    def __init__(self) -> None:
        self.s = 1000.0
        self.owner = QObject()
        self.locked: list[bool] = []
        self.lock = AutoLock(15, self.owner, lambda: self.s)
        self.lock.idle.connect(lambda: self.locked.append(True))


@pytest.fixture
def slept(qapp: QApplication) -> Iterator[Slept]:
    found = Slept()
    yield found
    qapp.removeEventFilter(found.lock)


def press(qapp: QApplication, target: QObject) -> None:
    qapp.sendEvent(target, QKeyEvent(QEvent.Type.KeyPress, 0x41, Qt.KeyboardModifier.NoModifier, "a"))


def test_a_computer_that_slept_longer_is_locked_when_it_wakes(slept: Slept) -> None:
    slept.s += 14 * 60
    assert not slept.lock.look()
    slept.s += 61
    assert slept.lock.look()
    assert slept.locked == [True]
    assert not slept.lock.look()  # told once


def test_the_key_that_wakes_locks_and_is_not_written(qapp: QApplication, slept: Slept) -> None:
    field = QLineEdit()
    slept.s += 14 * 60
    press(qapp, field)
    assert (field.text(), slept.locked) == ("a", [])
    slept.s += 15 * 60
    press(qapp, field)
    assert (field.text(), slept.locked) == ("a", [True])


def test_never_is_never(qapp: QApplication, slept: Slept) -> None:
    slept.lock.set_minutes(0)
    slept.s += 1e9
    assert not slept.lock.look()
    press(qapp, QLineEdit())
    assert slept.locked == []


def test_the_clock_goes_on() -> None:
    first = awake_s()
    assert first <= awake_s() < first + 5
