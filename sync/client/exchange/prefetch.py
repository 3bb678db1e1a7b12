# SPDX-License-Identifier: EUPL-1.2
"""Pulls that are under way while something else is judged: the server reads while this device computes."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sync.client.link import Link
from sync.ids import RoomId
from sync.protocol import messages as m

Asked = tuple[RoomId, int, bool]
"""A room, the position after which it is pulled, and whether only headers are."""


class Ahead:
    """One pull at a time. On the loop."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asked: Asked | None = None
        self._under_way: asyncio.Task[m.Items] | None = None

    def start(
        self,
        room: RoomId,
        after: int,
        *,
        bare: bool = False,
        first: Callable[[], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        """Pulls what follows a position, unless that is under way; drops any other. `first` runs before it."""
        if self._asked == (room, after, bare):
            return
        self.drop()
        self._asked = room, after, bare
        self._under_way = asyncio.create_task(self._pull(room, after, bare, first))
        self._under_way.add_done_callback(_heard)

    async def pull(self, room: RoomId, after: int, *, bare: bool = False) -> m.Items:
        """The items after a position. Waits for the pull that `start` began if it is the same one, and begins one if
        not. Raises what `Link.pull` raises."""
        if self._asked != (room, after, bare) or self._under_way is None:
            return await self._link.pull(room, after, bare=bare)
        under_way, self._asked, self._under_way = self._under_way, None, None
        try:
            return await under_way
        finally:
            under_way.cancel()

    def drop(self, room: RoomId | None = None) -> None:
        """Forgets the pull that is under way; with a `room` only if it is of that room."""
        if self._under_way is not None and (room is None or (self._asked and self._asked[0] == room)):
            self._under_way.cancel()
            self._asked = self._under_way = None

    async def _pull(
        self, room: RoomId, after: int, bare: bool, first: Callable[[], Coroutine[Any, Any, None]] | None
    ) -> m.Items:
        if first is not None:
            await first()
        return await self._link.pull(room, after, bare=bare)


def _heard(pull: "asyncio.Task[m.Items]") -> None:
    """A pull that nobody waits for any more may fail in silence."""
    if not pull.cancelled():
        pull.exception()
