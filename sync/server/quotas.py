# SPDX-License-Identifier: EUPL-1.2
"""How much a room may hold and a device may send in a day."""

from sync.protocol.messages import ErrorCode
from sync.server.auth import Who, now_ms
from sync.server.config import Limits
from sync.server.live import LiveRoom
from sync.server.refusal import Refusal
from sync.server.store.base import Store

_DAY_MS = 86_400_000


def today() -> int:
    """The number of the day (UTC) that a use counts for."""
    return now_ms() // _DAY_MS


class Quotas:
    """What each device has sent today, read from the store once a day."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._used: dict[bytes, tuple[int, int]] = {}

    async def check(self, live: LiveRoom, who: Who, size: int, *, ends: bool = False) -> None:
        """Refusal "quota" if so many bytes more are too many. ▲ What `ends` somebody's membership, or the dirt that it
        left, finds room in a full room too: else whoever filled it could not be removed."""
        if not ends and live.size_bytes + size > self._limits.room_bytes:
            raise Refusal(ErrorCode.QUOTA, "room")
        await self.check_device(who, size)

    async def check_device(self, who: Who, size: int) -> None:
        """Refusal "quota" if the device may not send so many bytes more today."""
        day = today()
        at, used = self._used.get(who.dev, (-1, 0))
        if at != day:
            used = await self._store.device_bytes(who.dev, day)
            self._used[who.dev] = (day, used)
        if used + size > self._limits.device_bytes_a_day:
            raise Refusal(ErrorCode.QUOTA, "device")

    def note(self, who: Who, size: int) -> None:
        """Counts bytes that a `check` before let pass."""
        day, used = self._used[who.dev]
        self._used[who.dev] = (day, used + size)
