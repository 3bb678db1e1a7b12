# SPDX-License-Identifier: EUPL-1.2
"""Asks while somebody types: one question at a time, and only the answer to the last question is shown."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject

from ui.kit.tasks import report, run

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Latest(Generic[Question, Answer]):
    """Answers questions that come faster than they can be answered, as while somebody types. It awaits `ask` with the
    question, in a task of `owner`, and calls `show` with question and answer, never with the answer to an older
    question. While an answer is waited for, only the newest question waits: a slow answer never makes a queue. If `ask`
    raises, the error is logged and shown, and a question that waits then is asked; if none waits, `failed` is called,
    without arguments (not for a question that was dropped by `forget`)."""

    def __init__(
        self,
        owner: QObject,
        ask: Callable[[Question], Awaitable[Answer]],
        show: Callable[[Question, Answer], object],
        failed: Callable[[], object] = lambda: None,
    ) -> None:
        self._owner, self._ask, self._show, self._failed = owner, ask, show, failed
        self._wanted: list[Question] = []
        """The newest question, until it is answered: each call of `ask` makes a new list."""
        self._asked = self._wanted
        self._running = False

    @property
    def asking(self) -> bool:
        """Whether an answer is waited for."""
        return self._running

    def ask(self, question: Question) -> None:
        """Asks a question, in place of any that was asked before and is not answered. On the running loop."""
        self._wanted = [question]
        if not self._running:
            self._start()

    def forget(self) -> None:
        """Drops the question: nothing is shown for it any more."""
        self._wanted = []

    def _start(self) -> None:
        self._running = True
        run(self._owner, self._go(), on_error=self._on_error)

    async def _go(self) -> None:
        try:
            while self._wanted:
                self._asked = self._wanted
                answer = await self._ask(self._asked[0])
                if self._asked is self._wanted:
                    self._wanted = []
                    self._show(self._asked[0], answer)
        finally:
            self._running = False

    def _on_error(self, error: Exception) -> None:
        """Shows the error. If the question is still wanted, drops it and calls `failed`; if a newer one waits, asks
        that. It is called a turn of the loop after the error: if a question that was asked in between runs already,
        only the error is shown."""
        report(self._owner, error)
        if self._running:
            return
        if self._asked is self._wanted:
            self._wanted = []
            self._failed()
        elif self._wanted:
            self._start()
