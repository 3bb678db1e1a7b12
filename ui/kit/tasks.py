# SPDX-License-Identifier: EUPL-1.2
"""Coroutines started by a widget: they end with it, and no error is silent."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject

from app.errors import AppError

T = TypeVar("T")
ErrorHook = Callable[[QObject, Exception], None]

_log = logging.getLogger("ui")
_running: set[asyncio.Task[Any]] = set()


def _log_error(owner: QObject, error: Exception) -> None:
    _log.error("task of %s failed: %s", type(owner).__name__, getattr(error, "code", type(error).__name__))


_hooks: list[ErrorHook] = []


def set_error_hook(hook: ErrorHook | None) -> None:
    """Who hears of errors in tasks beside the log: the shell shows their sentence. None restores logging only."""
    _hooks[:] = [hook] if hook else []


def report(owner: QObject, error: Exception) -> None:
    """Tells an error that was caught in a slot, as `run` tells those of coroutines."""
    _log_error(owner, error)
    for hook in _hooks:
        hook(owner, error)


def done_now(owner: QObject, deed: Callable[[], object]) -> bool:
    """Does something at once; an error of app/ is told, and False says that it was not done."""
    try:
        deed()
    except AppError as error:
        report(owner, error)
        return False
    return True


def run(
    owner: QObject, coro: Coroutine[Any, Any, T], *, on_error: Callable[[Exception], None] | None = None
) -> asyncio.Task[T]:
    """Starts a coroutine that is cancelled when the owner's Qt object is destroyed.

    An error goes to `on_error` if given, else to the hook. Must be called on the running loop.
    """
    task = asyncio.get_running_loop().create_task(coro)
    _running.add(task)
    connection = owner.destroyed.connect(lambda: task.cancel())

    def done(finished: asyncio.Task[T]) -> None:
        _running.discard(finished)
        alive = shiboken6.isValid(owner)
        if alive:
            QObject.disconnect(connection)
        if finished.cancelled():
            return
        error = finished.exception()
        if isinstance(error, Exception) and alive:
            (on_error or partial(report, owner))(error)

    task.add_done_callback(done)
    return task
