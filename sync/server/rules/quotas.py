# SPDX-License-Identifier: EUPL-1.2
"""How much a room may hold, and how much a device and a person may send in a day."""

from collections.abc import Iterable

from sync.protocol.messages import ErrorCode
from sync.server.config import Limits
from sync.server.load.fanout import DEVICES
from sync.server.rules.handshake import Who, now_ms
from sync.server.rules.live_rooms import LiveRoom
from sync.server.rules.refusal import Refusal
from sync.server.store.base import Store, Tally

_DAY_MS = 86_400_000
SURE_PART = 16
"""▲ A device may always use 1/SURE_PART of its limit, whatever the person's other devices use. Otherwise a stolen
device could keep the others from sending anything."""


def today() -> int:
    """The number of the day (UTC) that a use counts for."""
    return now_ms() // _DAY_MS


def senders(who: Who) -> tuple[Tally, Tally]:
    """The two counts to which the bytes that a device sends are added: the device's and its person's."""
    return Tally("device", who.dev), Tally("person", who.uid)


def is_within(own: int, together: int, limit: int) -> bool:
    """Whether a device may have `own` of something (bytes in a day, uploads) while all devices of its person have
    `together`; both include what is asked for now. `limit` is what one device may have. ▲ All of them together have
    what three devices (DEVICES) may have. Otherwise a person with ten devices, or a thief who adds ten, would have ten
    times as much as others. When that is used up, each device may still have `limit` / 16 (SURE_PART), but at least
    one."""
    return own <= limit and (together <= DEVICES * limit or own <= max(1, limit // SURE_PART))


class Quotas:
    """Limits the bytes that a room may hold, and that a device and all devices of its person may send in a day (UTC).
    Keeps today's counts in memory; each is read from the store once a day."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self._day = today()
        self._used: dict[Tally, int] = {}
        """The counts of `_day`."""

    async def check(self, live: LiveRoom, who: Who, size: int, *, ends: bool = False) -> None:
        """Refusal "quota" if `size` more bytes pass the limit of the room `live`, or the day's limit of the device
        `who` or its person. ▲ With `ends` (a removal, or the new keys that a removal makes necessary) nothing is
        refused. Otherwise a member who filled the room could not be removed, and nobody could be removed on a day that
        is used up."""
        if ends:
            return
        if live.size_bytes + size > self._limits.room_bytes:
            raise Refusal(ErrorCode.QUOTA, "room")
        await self.check_device(who, size)

    async def check_device(self, who: Who, size: int) -> None:
        """Refusal "quota" if the device `who`, or all devices of its person together, may not send `size` more bytes
        today (UTC). Counts nothing; `note` does."""
        own, together = [await self._today(tally) + size for tally in senders(who)]
        if not is_within(own, together, self._limits.device_bytes_a_day):
            raise Refusal(ErrorCode.QUOTA, "device" if own > self._limits.device_bytes_a_day else "person")

    async def _today(self, tally: Tally) -> int:
        day = today()
        if day != self._day:
            self._day = day
            self._used.clear()
        if tally in self._used:
            return self._used[tally]
        used = await self._store.counted(tally, day)
        # another request may have read the count meanwhile, and added to it what is not on the disk yet
        return self._used.setdefault(tally, used) if day == self._day else used

    def note(self, who: Who, size: int) -> None:
        """Adds `size` bytes that the device `who` sends to the counts in memory, by which `check` refuses. Called when
        they are accepted, which may be before they are on the disk. Writes nothing: the store counts the same bytes
        itself."""
        self._add(senders(who), size)

    def take_back(self, by: Iterable[Tally], size: int, day: int) -> None:
        """Takes `size` bytes that could not be written out of the counts `by`, to which `note` added them on the day
        with the number `day`. Does nothing if that day is over: the counts are of another day then."""
        if day == self._day:
            self._add(by, -size)

    def _add(self, tallies: Iterable[Tally], size: int) -> None:
        for tally in tallies:
            if tally in self._used:  # otherwise the next check reads the store's count, which includes them
                self._used[tally] += size
