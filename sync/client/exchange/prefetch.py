# SPDX-License-Identifier: EUPL-1.2
"""Pulls a room's next items while earlier ones are judged: the server reads while this device computes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sync.client.link import Link
from sync.ids import RoomId
from sync.protocol import messages as m

Asked = tuple[RoomId, int, bool]
"""A room, the position after which it is pulled, and whether only headers are pulled."""


class Prefetch:
    """Pulls a room's next items from the server before they are needed, one pull at a time. On the loop."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asked: Asked | None = None
        self._task: asyncio.Task[m.Items] | None = None

    def start(
        self,
        room: RoomId,
        after: int,
        *,
        headers_only: bool = False,
        first: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """Starts to pull the items of `room` after position `after` (without content if `headers_only`), for `pull` to
        return later. `first` is called without arguments and awaited in the same task before the pull; an error of it
        is raised by `pull`. Does nothing, and does not run `first`, if the same pull was started and not yet asked for;
        drops any other such pull."""
        if self._asked == (room, after, headers_only):
            return
        self.drop()
        self._asked = room, after, headers_only
        self._task = asyncio.create_task(self._pull(room, after, headers_only, first))
        self._task.add_done_callback(_ignore_error)

    async def pull(self, room: RoomId, after: int, *, headers_only: bool = False) -> m.Items:
        """The next items of `room` after position `after`, in the room's order, as many as one answer has; none if
        there are no newer ones. They have no content if `headers_only`. Waits for the pull that `start` began with the
        same three arguments, and begins a pull otherwise. Raises Refused if the server refuses, Reject for an answer
        that is none to this request, Unreachable; nothing is verified here."""
        if self._asked != (room, after, headers_only) or self._task is None:
            return await self._link.pull(room, after, headers_only=headers_only)
        task, self._asked, self._task = self._task, None, None
        try:
            return await task
        finally:
            task.cancel()

    def drop(self, room: RoomId | None = None) -> None:
        """Cancels the pull that was begun ahead and for which nobody waits yet; with a `room` only if it is of that
        room. A later `pull` begins a new one."""
        if self._task is not None and (room is None or (self._asked and self._asked[0] == room)):
            self._task.cancel()
            self._asked = self._task = None

    async def _pull(
        self, room: RoomId, after: int, headers_only: bool, first: Callable[[], Coroutine[Any, Any, None]] | None
    ) -> m.Items:
        if first is not None:
            await first()
        return await self._link.pull(room, after, headers_only=headers_only)


def _ignore_error(pull: "asyncio.Task[m.Items]") -> None:
    """Called when `pull` has ended: takes its error, so that asyncio does not log the error of a pull for which nobody
    waits. A caller that does wait still gets the error. Does nothing for a cancelled pull."""
    if not pull.cancelled():
        pull.exception()
