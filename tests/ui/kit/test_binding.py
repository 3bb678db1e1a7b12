# SPDX-License-Identifier: EUPL-1.2
"""bind, run and dialogs: nothing outlives its widget, and nothing blocks the loop."""

import asyncio
import sys

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.core.signal import Signal
from ui.kit import dialogs, tasks
from ui.kit.bind import Soon, bind
from ui.kit.tasks import run


def destroy(qapp: QApplication, thing: QObject) -> None:
    """Deletes a QObject now."""
    thing.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


class Listener(QObject):
    """Counts."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[int] = []

    def on_number(self, number: int) -> None:
        """Keeps it."""
        self.heard.append(number)


class View(QObject):
    """Counts how often it is made new."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def refresh(self) -> None:
        self.times += 1


def test_many_changes_are_shown_once_and_the_last_one_is_never_missed(qtbot: QtBot) -> None:
    numbers: Signal[int] = Signal()
    view = View()
    bind(view, numbers, Soon(view, view.refresh).due)
    for n in range(100):
        numbers.emit(n)
    assert view.times == 0  # not on the turn of who tells
    qtbot.waitUntil(lambda: view.times == 1)
    for n in range(100):
        numbers.emit(n)
        QApplication.processEvents()
    qtbot.waitUntil(lambda: view.times >= 2)
    assert view.times < 50


def test_what_is_due_soon_dies_with_its_view(qapp: QApplication) -> None:
    numbers: Signal[int] = Signal()
    view = View()
    bind(view, numbers, Soon(view, view.refresh).due)
    numbers.emit(1)
    destroy(qapp, view)
    numbers.emit(2)
    qapp.processEvents()
    assert view.times == 0


def test_a_bound_slot_is_called_until_its_owner_is_destroyed(qapp: QApplication) -> None:
    signal: Signal[int] = Signal()
    listener = Listener()
    bind(listener, signal, listener.on_number)
    signal.emit(1)
    destroy(qapp, listener)
    signal.emit(2)
    assert listener.heard == [1]


def test_a_widget_that_fails_stops_neither_the_emitter_nor_the_others(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: caught.append(error))
    signal: Signal[int] = Signal()
    listener = Listener()
    failed = RuntimeError("å")

    def fail(_number: int) -> None:
        raise failed

    bind(listener, signal, fail)
    bind(listener, signal, listener.on_number)
    signal.emit(1)
    assert listener.heard == [1]
    assert caught == [failed]


def test_a_bound_slot_can_be_disconnected(qapp: QApplication) -> None:
    signal: Signal[int] = Signal()
    listener = Listener()
    end = bind(listener, signal, listener.on_number)
    end()
    end()
    signal.emit(1)
    assert listener.heard == []


async def test_a_task_ends_with_its_widget(
    qapp: QApplication, errors_shown: list[tuple[Exception, tasks.Again]]
) -> None:
    owner = QWidget()
    task = run(owner, asyncio.sleep(60))
    await asyncio.sleep(0)
    destroy(qapp, owner)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert errors_shown == []


async def test_an_error_in_a_task_reaches_the_hook(
    qapp: QApplication, errors_shown: list[tuple[Exception, tasks.Again]]
) -> None:
    owner = QWidget()

    async def fail() -> None:
        raise ValueError("å")

    with pytest.raises(ValueError, match="å"):
        await run(owner, fail())
    await asyncio.sleep(0)
    assert [str(e) for e, _ in errors_shown] == ["å"]


async def test_an_error_can_be_taken_by_the_caller_instead(
    qapp: QApplication, errors_shown: list[tuple[Exception, tasks.Again]]
) -> None:
    owner = QWidget()
    taken: list[Exception] = []

    async def fail() -> None:
        raise ValueError("å")

    with pytest.raises(ValueError, match="å"):
        await run(owner, fail(), on_error=taken.append)
    await asyncio.sleep(0)
    assert len(taken) == 1
    assert errors_shown == []


async def turn() -> QDialog:
    """Lets the question open and returns it."""
    await asyncio.sleep(0)
    found = QApplication.activeModalWidget()
    assert isinstance(found, QDialog)
    return found


async def test_a_question_is_answered_while_other_tasks_run(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    asked = asyncio.ensure_future(dialogs.ask(parent, "Byt namn", "Namn", value="Tillsyn 👍"))
    (await turn()).accept()
    assert await asked == "Tillsyn 👍"


async def test_a_refused_question_gives_nothing(qtbot: QtBot) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.show()
    asked = asyncio.ensure_future(dialogs.ask(parent, "Byt namn", "Namn", value="x"))
    (await turn()).reject()
    assert await asked is None
    sure = asyncio.ensure_future(dialogs.confirm(parent, "Ta bort?", "Det går inte att ångra.", accept="Ta bort"))
    (await turn()).reject()
    assert await sure is False
