# SPDX-License-Identifier: EUPL-1.2
"""Nested scopes with names: parts that are opened one after the other, and closed in the reverse order."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import Protocol, TypeVar

from app.core import log
from app.errors import StoreFault, is_ours

AGAIN_S = 30.0
"""Seconds until a part of the session that an error has ended begins again."""


class Closing(Protocol):
    """Anything that has a `close` without arguments, which ends it and may return an awaitable."""

    def close(self) -> object: ...


P = TypeVar("P", bound=Closing)


class Scopes:
    """The open scopes of one session. A scope is an opened part, such as the store, and the function that closes it.

    Open the parts within `async with`. If the block raises, every part that was opened is closed again, and the error
    is raised on. If it does not, they stay open until `close`, which closes the last one first.

    ▲ If closing one part fails, is cancelled, or ends in a panic of native code, the others are closed all the same.
    Otherwise one fault could leave the store open, and its key in memory.
    """

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._names: list[str] = []
        self._faults: list[StoreFault] = []

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the open scopes, the outermost first."""
        return tuple(self._names)

    def add(self, name: str, close: Callable[[], object]) -> None:
        """Adds a scope with this name inside all others. `close` ends it; if it returns an awaitable, that is
        awaited."""
        self._names.append(name)
        self._stack.push_async_callback(self._end, name, close)

    def enter(self, name: str, part: P) -> P:
        """Adds a scope with this name for the opened `part`, which its `close` ends. Returns the part."""
        self.add(name, part.close)
        return part

    async def close(self) -> None:
        """Closes every scope, the innermost first. A second call does nothing. When all are closed, raises the first
        StoreFault that closing raised. Any other error is logged, and one of ours is shown to the person. A
        cancellation or a panic of native code is raised on, in place of a StoreFault, once the others are closed."""
        await self._stack.aclose()
        faults, self._faults = self._faults, []
        for further in faults[1:]:
            log.store.exception("session-close", further)
        if faults:
            raise faults[0]

    async def __aenter__(self) -> "Scopes":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        try:
            await self.close()
        except StoreFault as fault:  # the error of the opening is the one to show
            log.store.exception("session-close", fault)

    async def _end(self, name: str, close: Callable[[], object]) -> None:
        self._names.pop()
        try:
            ended = close()
            if inspect.isawaitable(ended):
                await ended
        except StoreFault as fault:
            self._faults.append(fault)
        except Exception as fault:
            report(fault, "session-close", scope=name)


def report(fault: Exception, event: str, **about: str) -> None:
    """Logs an error that ends neither the session nor the program, as `event` with the fields `about`. If it is a fault
    of this program, it also goes to the loop's exception handler, so that the person sees it."""
    log.store.exception(event, fault, **about)
    if is_ours(fault):
        with suppress(RuntimeError):  # no loop runs
            asyncio.get_running_loop().call_exception_handler({"message": event, "exception": fault})


async def lasting(part: Callable[[], Awaitable[None]]) -> None:
    """Runs a part of the session until it ends by itself or is cancelled. ▲ An error is reported, and the part begins
    again in AGAIN_S (30 s). Otherwise one fault of this program would end, for example, syncing until the next start.
    If the part fails while it is being cancelled, the error is raised and the part does not begin again, since
    `Session.close` would wait for it for ever."""
    task = asyncio.current_task()
    while True:
        try:
            return await part()
        except Exception as fault:
            if task is not None and task.cancelling():
                raise
            report(fault, "session-part")
        await asyncio.sleep(AGAIN_S)
