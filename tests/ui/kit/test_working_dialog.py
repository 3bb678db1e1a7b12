# SPDX-License-Identifier: EUPL-1.2
"""A dialog that does what it asks for: it stays open while it works and after an error."""

import asyncio

from pytestqt.qtbot import QtBot

from sync.errors import Unreachable
from tests.world import until
from ui.errors import format_error
from ui.kit.working_dialog import WorkingDialog


async def test_it_stays_while_it_works_and_after_an_error_and_closes_when_it_is_done(qtbot: QtBot) -> None:
    going_on, tries, closed = asyncio.Event(), list[int](), list[int]()

    async def work() -> None:
        tries.append(1)
        await going_on.wait()
        if len(tries) == 1:
            raise Unreachable

    dialog = WorkingDialog(None, "Flytta å 🙂", accept="Flytta", work=work)
    qtbot.addWidget(dialog)
    field = dialog.add_field("Skäl")
    dialog.finished.connect(closed.append)
    dialog.show()
    field.setText("Nytt ärende å")
    dialog.accept_button.setFocus()
    dialog.accept_button.click()
    assert dialog.is_working
    assert dialog.spinner.is_turning
    dialog.accept()
    dialog.reject()
    dialog.close()
    assert not any(button.isEnabled() for button in dialog.buttons.buttons())
    going_on.set()
    await until(dialog.error.isVisible)
    assert len(tries) == 1
    assert dialog.error.text().startswith(format_error(Unreachable())[0])
    assert (field.text(), closed, dialog.is_working) == ("Nytt ärende å", [], False)
    assert dialog.focusWidget() is dialog.accept_button
    dialog.accept()
    assert not dialog.error.isVisible()
    await until(lambda: closed == [1])
    assert len(tries) == 2


async def test_it_stays_without_an_error_if_the_work_was_called_off(qtbot: QtBot) -> None:
    answers, closed = [True, False], list[int]()

    async def work() -> bool:
        return answers.pop()

    dialog = WorkingDialog(None, "Lägg till", accept="Lägg till", work=work)
    qtbot.addWidget(dialog)
    field = dialog.add_field("Hälsning")
    dialog.finished.connect(closed.append)
    dialog.show()
    field.setText("Välkommen å 🙂")
    dialog.accept_button.setFocus()
    dialog.accept()
    await until(lambda: len(answers) == 1 and not dialog.is_working)
    assert (field.text(), closed, dialog.error.isVisible()) == ("Välkommen å 🙂", [], False)
    assert dialog.focusWidget() is dialog.accept_button
    dialog.accept()
    await until(lambda: closed == [1])


async def test_it_can_be_closed_again_if_the_work_was_cancelled(qtbot: QtBot) -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    dialog = WorkingDialog(None, "Flytta", accept="Flytta", work=work)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.accept()
    await until(lambda: not dialog.is_working)
    dialog.reject()
    assert not dialog.isVisible()
