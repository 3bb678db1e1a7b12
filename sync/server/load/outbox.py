# SPDX-License-Identifier: EUPL-1.2
"""A bounded queue of the frames on their way to one connection.

A slow reader costs at most its queue: frames that do not fit become one `Behind` per room, sent when the queue has
drained.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from sync.protocol.codec import encode
from sync.protocol.messages import Behind


def _do_nothing() -> None:
    """Does nothing: no part of the server sends the frames yet."""


class Outbox:
    """The queue of frames on their way to one connection, oldest first. `limit_bytes`: how many bytes may wait before
    news of rooms are no longer queued and no new request is read."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._queue: deque[bytes] = deque()
        self._behind: dict[bytes, int] = {}
        self.queued: Callable[[], None] = _do_nothing
        """Called, without arguments, each time something is queued that `take` returns, and by `finish`. The part that
        sends the frames sets it."""
        self.write: Callable[[], None] = _do_nothing
        """Writes what is queued at once, as far as the client reads. Raises nothing. Set by the same part."""
        self._room_for_more = asyncio.Event()
        self._room_for_more.set()
        self._last = False
        self._held: list[bytes] | None = None
        self.size_bytes = 0

    def finish(self) -> None:
        """Lets this queue of frames to one connection end (`has_ended`) as soon as nothing is queued any more. What is
        queued is sent first. A second call does nothing."""
        self._last = True
        self.queued()

    def reply(self, data: bytes) -> None:
        """Queues `data`, an encoded answer of any size, also beyond the limit; `space` then keeps the connection from
        reading more requests."""
        self._queue.append(data)
        self.size_bytes += len(data)
        if self.size_bytes > self._limit:
            self._room_for_more.clear()
        self.queued()

    def must(self, data: bytes) -> bool:
        """Queues `data`, an encoded frame that must not be lost. False, and nothing is queued, if more than twice the
        limit waits already; the connection should then end."""
        if self.size_bytes > 2 * self._limit:
            return False
        if self._held is None:
            self.reply(data)
        else:
            self._held.append(data)
            self.size_bytes += len(data)
        return True

    def hold(self) -> None:
        """Makes `must` collect its frames until `release`. Answers are still queued at once."""
        self._held = []

    def discard(self) -> None:
        """Ends what `hold` began, and drops the frames that `must` has collected since. Nothing happens without a
        `hold`, or after a `release`."""
        self.size_bytes -= sum(map(len, self._held or ()))
        self._held = None

    def release(self) -> None:
        """Ends what `hold` began (that `must` only collects its frames): queues the collected frames behind those that
        are queued already. So notifications that come during a sign-in follow the answer to it. Does nothing without
        `hold`."""
        held, self._held = self._held or [], None
        for data in held:
            self.size_bytes -= len(data)
            self.reply(data)

    def news(self, room: bytes, n: int, data: bytes) -> None:
        """Queues `data`, an encoded Fresh frame with the items of `room` up to position `n`. If it does not fit, or is
        empty, or the room is behind already, it is dropped: a Behind frame with the newest `n` is sent when the queue
        is empty, and the client pulls the items."""
        if not data or room in self._behind or self.size_bytes + len(data) > self._limit:
            self._behind[room] = n
            self.queued()
        else:
            self.reply(data)

    def passing(self, data: bytes) -> None:
        """Queues `data`, an encoded frame that may be lost, such as a notice that somebody types. Drops it if more than
        a quarter of the limit would then be queued."""
        if self.size_bytes + len(data) <= self._limit // 4:
            self.reply(data)

    def take(self, most_bytes: int) -> list[bytes]:
        """Removes the oldest frames from the queue and returns them, in their order, until they have `most_bytes` or
        more together: the last one may go beyond that. Answers and news come first. When none is left, the notices of
        all rooms that are behind follow. [] if there is nothing to send."""
        frames: list[bytes] = []
        size = 0
        while self._queue and size < most_bytes:
            data = self._queue.popleft()
            size += len(data)
            frames.append(data)
        self.size_bytes -= size
        if self.size_bytes <= self._limit:
            self._room_for_more.set()
        if not self._queue:
            frames += [encode(Behind(room, n)) for room, n in self._behind.items()]
            self._behind.clear()
        return frames

    @property
    def has_ended(self) -> bool:
        """Whether `finish` was called and nothing is queued any more."""
        return self._last and not self._queue and not self._behind

    async def space(self) -> None:
        """Waits until the queue is within its limit. The connection reads no new request before."""
        await self._room_for_more.wait()
