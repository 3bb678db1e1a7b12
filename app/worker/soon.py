# SPDX-License-Identifier: EUPL-1.2
"""Asks the worker on the event loop and awaits the answer there.

A thread that waits for an answer has to be woken, and has to wake the loop. On a slow machine that takes half a
millisecond, and a colleague's key would pay it.
"""

import asyncio
import os
import sys
from typing import IO

from app.worker.frames import Answer, Question, encode, whole_answer

QUICK_BYTES = 32 * 1024
"""Most bytes of updates in a question. An empty pipe takes 64 KiB at once, so that the loop never waits for it."""
PIECE = 64 * 1024


def may_ask(size: int) -> bool:
    """Whether updates of `size` bytes together can be asked about on the event loop: at most QUICK_BYTES (32 KiB), and
    never on Windows, where the loop cannot watch a pipe."""
    return sys.platform != "win32" and size <= QUICK_BYTES


async def ask(questions: IO[bytes], answers: IO[bytes], question: Question) -> Answer | None:
    """Asks a process a question by its two pipes (`questions` to it, `answers` from it) on the event loop, and returns
    its answer; None if the process ended. The question before must be answered. Has no time limit. ValueError if the
    bytes are no answer or a pipe is closed, OSError."""
    # A copy: `Worker.stop` closes the pipe itself, perhaps while the answer is awaited.
    answer = os.dup(answers.fileno())
    try:
        questions.write(encode(question))
        questions.flush()
        return await _answer(answer)
    finally:
        os.close(answer)


async def _answer(pipe: int) -> Answer | None:
    loop, data = asyncio.get_running_loop(), bytearray()
    came: asyncio.Future[Answer | None] = loop.create_future()

    def on_readable() -> None:
        if came.done():  # the pipe may be closed already
            return
        try:
            piece = os.read(pipe, PIECE)
            data.extend(piece)
            answer = whole_answer(data)
        except (OSError, ValueError) as e:
            came.set_exception(e)
            return
        if answer is not None or not piece:
            came.set_result(answer)

    loop.add_reader(pipe, on_readable)
    try:
        return await came
    finally:
        loop.remove_reader(pipe)
