# SPDX-License-Identifier: EUPL-1.2
"""The loop of a process that reads untrusted bytes: it loads its modules, gives up its rights, and answers until the
program has ended."""

import os
import sys
from collections.abc import Callable
from typing import IO

from app.worker.confine import confine
from app.worker.frames import Answer, Question, read_question, write


def run(load: Callable[[], Callable[[Question], Answer]]) -> int:
    """Runs a process that answers on standard input and output until the program closes them. Returns the exit code.
    `load` imports what answering needs and returns the function that gets each question and returns its answer: after
    `load` no file can be opened. An error of either ends the process."""
    questions, answers = _streams()
    answer = load()
    confine()
    while (question := read_question(questions)) is not None:
        write(answers, answer(question))
    return 0


def _streams() -> tuple[IO[bytes], IO[bytes]]:
    """(questions, answers): standard input and output, moved to other descriptors, so that other code that writes to
    the standard ones does no harm."""
    answers = os.fdopen(os.dup(sys.__stdout__.fileno()), "wb")  # type: ignore[union-attr]  # the client gave it one
    questions = os.fdopen(os.dup(sys.__stdin__.fileno()), "rb")  # type: ignore[union-attr]
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return questions, answers
