# SPDX-License-Identifier: EUPL-1.2
"""A change that is held back: the room says whose it is, and what can be done is done."""

import asyncio
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from app.rooms.held import LeftOutChange, VoidChanges, WaitingChanges
from tests.ui.shell.fake_held import HELD
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, HEAD, REGISTRAR, at
from tests.ui.shell.test_people import dialog
from tests.ui.soon import caught_up
from ui.kit.dialogs import Dialog
from ui.shell.room.held_dialog import HeldDialog
from ui.shell.window.main_window import MainWindow


def bar(window: MainWindow) -> tuple[bool, str]:
    window.open_room(CASE)
    view = window.current_room()
    assert view is not None
    return not view.held.isHidden(), view.held.text()


def button(of: Dialog, text: str) -> QPushButton:
    return next(b for b in of.findChildren(QPushButton) if b.text() == text)


async def opened(window: MainWindow) -> HeldDialog:
    view = window.current_room()
    assert view is not None
    view.held._act()
    found = await dialog()
    assert isinstance(found, HeldDialog)
    return found


async def test_nothing_is_shown_where_nothing_is_held_back(window: MainWindow, session: FakeSession) -> None:
    assert bar(window) == (False, "")


async def test_a_held_change_is_named_with_who_wrote_it_and_where(window: MainWindow, session: FakeSession) -> None:
    bar(window)
    session.held.changes = (HELD,)
    session.held.changed.emit(CASE)
    caught_up(window)
    shown, text = bar(window)
    assert shown
    assert REGISTRAR.name in text
    assert "Utkast till beslut" in text
    found = await opened(window)
    words = " ".join(x.text() for x in found.findChildren(QLabel))
    assert "avslutade processen" in words
    found.reject()


async def test_what_is_shown_is_copied_as_a_new_object(window: MainWindow, session: FakeSession) -> None:
    session.held.changes = (HELD,)
    bar(window)
    found = await opened(window)
    button(found, "Kopiera det som visas").click()
    await asyncio.sleep(0.05)
    assert session.held.done == ["copy"]


async def test_an_administrator_leaves_a_change_out_after_a_question(window: MainWindow, session: FakeSession) -> None:
    session.held.changes = (HELD,)
    bar(window)
    found = await opened(window)
    button(found, "Lämna utanför för alla …").click()
    question = await dialog()
    assert REGISTRAR.name in question.windowTitle()
    assert session.held.done == []
    question.accept()
    await asyncio.sleep(0.05)
    assert session.held.done == [f"leave-out {HELD.change.hex()}"]


async def test_who_is_no_administrator_is_not_offered_it(window: MainWindow, session: FakeSession) -> None:
    session.held.changes, session.held.admin = (HELD,), False
    bar(window)
    found = await opened(window)
    assert not [b for b in found.findChildren(QPushButton) if b.text() == "Lämna utanför för alla …"]
    found.reject()


async def test_leaving_the_room_is_asked_as_elsewhere(window: MainWindow, session: FakeSession) -> None:
    session.held.changes = (HELD,)
    bar(window)
    found = await opened(window)
    button(found, "Lämna rummet …").click()
    question = await dialog()
    assert question.windowTitle() == "Lämna rummet?"
    question.reject()
    await asyncio.sleep(0.05)


async def test_everybody_sees_that_something_was_left_out(window: MainWindow, session: FakeSession) -> None:
    session.held.gone = (LeftOutChange(title="Beslut å", author=REGISTRAR, by=REGISTRAR, t=at(9, 0)),)
    shown, text = bar(window)
    assert shown
    assert text.count(REGISTRAR.name) == 2
    session.held.gone = (*session.held.gone, LeftOutChange(title="Plan ö 🙂", author=HEAD, by=REGISTRAR, t=at(9, 0)))
    session.held.changed.emit(CASE)
    caught_up(window)
    _, text = bar(window)
    assert text.startswith("2 ändringar av ")
    assert "“Beslut å”, “Plan ö 🙂”" in text


async def test_it_is_shown_when_nothing_can_be_tried_here(window: MainWindow, session: FakeSession) -> None:
    session.held.waits = True
    shown, text = bar(window)
    assert shown
    assert "Kontakta it-supporten." in text


async def test_what_takes_too_long_to_merge_is_named(window: MainWindow, session: FakeSession) -> None:
    session.held.titles = ("Beslut å 🙂", "")
    shown, text = bar(window)
    assert shown
    assert text.startswith("“Beslut å 🙂”, “Utan titel” tar för lång tid att sätta samman på den här datorn.")
    session.held.changes = (replace(HELD, why="slow"),)
    session.held.changed.emit(CASE)
    caught_up(window)
    found = await opened(window)
    words = " ".join(x.text() for x in found.findChildren(QLabel))
    assert "tar för lång tid att ta in på den här datorn" in words
    found.reject()


@pytest.mark.parametrize("count", [1, 9])
async def test_many_held_changes_are_counted(window: MainWindow, session: FakeSession, count: int) -> None:
    session.held.changes = tuple(replace(HELD, row=row) for row in range(count))
    bar(window)
    found = await opened(window)
    more = [x.text() for x in found.findChildren(QLabel) if x.text().startswith("och ")]
    assert more == (["och 3 till"] if count == 9 else [])
    found.reject()


async def test_what_is_void_is_counted_beside_what_is_held_back(window: MainWindow, session: FakeSession) -> None:
    void = replace(HELD, why="damaged-update", void=True)
    session.held.changes = (HELD, void)
    session.held.counted = (VoidChanges(title="Beslut å", author=HEAD, count=8),)
    bar(window)
    found = await opened(window)
    sentence = [x.text() for x in found.findChildren(QLabel)]
    assert "Andra bryter mot formatets regler och förs inte in hos någon i rummet." in sentence
    assert "och 8 till" in sentence
    found.reject()
    session.held.changes = (void,)
    session.held.changed.emit(CASE)
    caught_up(window)
    shown, text = bar(window)
    assert shown
    assert text.startswith("9 ändringar av Enhetschef, Registrator i")


async def test_a_void_change_is_named_and_not_offered_to_be_left_out(window: MainWindow, session: FakeSession) -> None:
    session.held.changes = (replace(HELD, why="damaged-update", void=True),)
    shown, text = bar(window)
    assert shown
    assert "räknas inte hos någon" in text
    found = await opened(window)
    assert found.windowTitle() == "Ändringar som inte räknas hos någon"
    assert not [b for b in found.findChildren(QPushButton) if b.text() == "Lämna utanför för alla …"]
    found.reject()


async def test_what_waits_for_other_changes_is_shown(window: MainWindow, session: FakeSession) -> None:
    session.held.late = (WaitingChanges(title="Utkast till beslut", author=HELD.author, count=2),)
    shown, text = bar(window)
    assert shown
    assert f"2 ändringar av {HELD.author.name} i “Utkast till beslut” väntar på andra ändringar" in text
