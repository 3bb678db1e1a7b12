# SPDX-License-Identifier: EUPL-1.2
"""Asking while somebody types: no queue, and no stale answer is shown."""

import asyncio

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.errors import StoreFault
from tests.world import until
from ui.kit.latest import Latest
from ui.kit.tasks import Again


class Slow:
    """Answers when the test asks it to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: list[asyncio.Future[str]] = []

    async def __call__(self, question: str) -> str:
        self.asked.append(question)
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


async def test_only_the_newest_question_is_asked_and_shown(qapp: QApplication) -> None:
    owner, slow, shown = QObject(), Slow(), list[tuple[str, str]]()
    latest = Latest(owner, slow, lambda question, answer: shown.append((question, answer)))
    for question in ("å", "år", "års"):
        latest.ask(question)
    await until(lambda: slow.asked == ["års"])
    latest.ask("ärende")
    latest.ask("ärenden")
    slow.answers[0].set_result("gammalt")
    await until(lambda: slow.asked == ["års", "ärenden"])
    assert shown == []
    slow.answers[1].set_result("nytt")
    await until(lambda: bool(shown))
    assert shown == [("ärenden", "nytt")]


async def test_what_is_forgotten_is_not_shown_and_it_goes_on_after_an_error(
    qapp: QApplication, errors_shown: list[tuple[Exception, Again]]
) -> None:
    owner, slow, shown = QObject(), Slow(), list[str]()
    latest = Latest(owner, slow, lambda question, answer: shown.append(answer))
    latest.ask("a")
    await until(lambda: len(slow.answers) == 1)
    latest.forget()
    slow.answers[0].set_result("sent")
    latest.ask("b")
    await until(lambda: len(slow.answers) == 2)
    slow.answers[1].set_exception(OSError())
    await until(lambda: bool(errors_shown))
    latest.ask("c")
    await until(lambda: len(slow.answers) == 3)
    slow.answers[2].set_result("till sist")
    await until(lambda: shown == ["till sist"])


async def test_a_newer_question_is_asked_though_the_older_one_was_refused(
    qapp: QApplication, errors_shown: list[tuple[Exception, Again]]
) -> None:
    owner, slow, shown, over = QObject(), Slow(), list[str](), list[int]()
    latest = Latest(owner, slow, lambda question, answer: shown.append(answer), lambda: over.append(len(errors_shown)))
    latest.ask("å")
    await until(lambda: slow.asked == ["å"])
    latest.ask("år")
    slow.answers[0].set_exception(StoreFault())
    await until(lambda: slow.asked == ["å", "år"])
    failed = [type(error) for error, _ in errors_shown]
    assert (failed, over) == ([StoreFault], []), "the newer one may still be answered"
    slow.answers[1].set_result("svar")
    await until(lambda: shown == ["svar"])
    latest.ask("års")
    await until(lambda: len(slow.answers) == 3)
    slow.answers[2].set_exception(StoreFault())
    await until(lambda: bool(over))
    assert over == [2], "the error is shown before the question counts as failed"
    assert not latest.asking
    assert len(errors_shown) == 2


async def test_a_question_just_after_an_error_is_asked_once_and_counts_as_not_failed(
    qapp: QApplication, errors_shown: list[tuple[Exception, Again]]
) -> None:
    """The error reaches its handler a turn of the loop after it was raised."""
    owner, slow, shown, over = QObject(), Slow(), list[str](), list[str]()
    latest = Latest(owner, slow, lambda question, answer: shown.append(answer), lambda: over.append("failed"))
    latest.ask("å")
    await until(lambda: slow.asked == ["å"])
    slow.answers[0].set_exception(StoreFault())
    asyncio.get_running_loop().call_soon(latest.ask, "år")
    await until(lambda: slow.asked == ["å", "år"] and bool(errors_shown))
    slow.answers[1].set_result("svar")
    await until(lambda: shown == ["svar"])
    assert (slow.asked, over) == (["å", "år"], [])


async def test_it_can_be_asked_again_after_a_question_was_cancelled(qapp: QApplication) -> None:
    owner, slow, shown = QObject(), Slow(), list[str]()
    latest = Latest(owner, slow, lambda question, answer: shown.append(answer))
    latest.ask("å")
    await until(lambda: slow.asked == ["å"])
    slow.answers[0].cancel()
    await until(lambda: not latest.asking)
    latest.ask("år")
    await until(lambda: slow.asked == ["å", "år"])
    slow.answers[1].set_result("svar")
    await until(lambda: shown == ["svar"])
