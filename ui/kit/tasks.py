# SPDX-License-Identifier: EUPL-1.2
"""Coroutines started by a widget: they end with it, and no error is silent."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject

from app.core import log
from app.errors import BugError, StoreFault, WorldError, is_ours
from ui.errors import code_of

T = TypeVar("T")
Again = Callable[[], object] | None
"""Tries once more what the disk refused; None if that is not possible."""
ErrorHook = Callable[[QObject, Exception, Again], None]

_running: set[asyncio.Task[Any]] = set()
_hooks: list[ErrorHook] = []


def set_error_hook(hook: ErrorHook | None) -> None:
    """Sets what shows errors to the person: the window that is open does. None: they are only logged."""
    _hooks[:] = [hook] if hook else []


def report(owner: QObject, error: Exception, again: Again = None) -> None:
    """Writes an error that was caught in a slot or a task of `owner` to the log, as `note` does, and has it shown by
    the open window; without one it is only logged. `again` is called, without arguments, by the button Try again; None:
    there is no button."""
    note(owner, error)
    show(owner, error, again)


def note(owner: QObject, error: Exception) -> None:
    """Writes an error that was caught in a slot or a task of `owner` to the log, with the class of `owner`. For an
    error of our own code the log also has where it happened. Use it for work that the person has stopped; use `report`,
    which also shows the error, for all other work."""
    if is_ours(error):
        log.ui.exception("failed", error, owner=type(owner).__name__, shown=code_of(error))
    else:
        log.ui.error("failed", owner=type(owner).__name__, code=code_of(error))


def show(owner: QObject, error: Exception, again: Again = None) -> None:
    """Has an error that is in the log already shown by the open window; does nothing without one. `owner` is the object
    in whose slot or task it was caught. `again` is called, without arguments, by the button Try again; None: there is
    no button."""
    for hook in _hooks:
        hook(owner, error, again)


def as_exception(error: BaseException) -> Exception:
    """Returns the error itself if it is an Exception, otherwise a BugError in its place: a panic of native code is no
    Exception."""
    if isinstance(error, Exception):
        return error
    return BugError(type(error).__name__).with_traceback(error.__traceback__)


def run_guarded(owner: QObject, action: Callable[[], object], *, again: Again = None) -> bool:
    """Calls `action` at once, for a slot of `owner`. Every slot that changes a model or calls a service does it in here
    (tests/ui/test_guarded.py). Returns False after an error of app/, which is logged and shown; a fault of our own code
    goes on to kit/errors.py. `again` is called by the button Try again, which is offered if the disk refused."""
    try:
        action()
    except WorldError as error:
        report(owner, error, again if isinstance(error, StoreFault) else None)
        return False
    return True


class Recurring:
    """Calls actions that are repeated without being asked for, such as storing a draft, and shows errors once: the
    first one, and the next one only after an action has succeeded."""

    def __init__(self, owner: QObject) -> None:
        self._owner = owner
        self._reported = False

    def run_guarded(self, action: Callable[[], object]) -> bool:
        """Calls `action` at once. An error of app/ is logged and shown, for a refusal of the disk with a button Try
        again; but if the last action failed too, it is neither logged nor shown. A fault of our own code goes on to
        kit/errors.py. Returns whether `action` succeeded. After the button, an error is shown again."""
        if self._reported:
            with suppress(WorldError):
                action()
                self._reported = False
        else:
            self._reported = not run_guarded(self._owner, action, again=lambda: self._run_again(action))
        return not self._reported

    def _run_again(self, action: Callable[[], object]) -> None:
        self._reported = False
        self.run_guarded(action)


def run(
    owner: QObject, coro: Coroutine[Any, Any, T], *, on_error: Callable[[Exception], None] | None = None
) -> asyncio.Task[T]:
    """Starts a coroutine on the running event loop; it is cancelled when the Qt object `owner` is destroyed.

    An error in it is passed to `on_error`, or if that is None, logged and shown. If `owner` is gone by then, it is only
    logged.
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
        if error is not None and alive:
            (on_error or partial(report, owner))(as_exception(error))
        elif error is not None:
            log.ui.exception("owner-gone", error, owner=type(owner).__name__)

    task.add_done_callback(done)
    return task
