# SPDX-License-Identifier: EUPL-1.2
"""One attempt to let another device in, at the device that has the account: shown, answered, over.

Three comparisons of digits that failed within an hour are followed by an hour in which there are none: whoever sits
between the two devices has one chance in a million each time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.core import clock, link_fields
from app.core.ids import DevId
from app.core.visible import one_line
from app.errors import TooManyTries
from app.store.notes import Notes
from sync.client.devices.device_pairing import Host, Offer
from sync.errors import Reject

HOUR_MS = 3_600_000
TRIES = 3
_NAME = "pairing-misses"


class Misses:
    """Comparisons that failed, kept in the store."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def _within(self, now_ms: int) -> list[int]:
        kept = [int(t) for t in self._notes.get(_NAME).split()]
        return [t for t in kept if now_ms - HOUR_MS < t <= now_ms]

    def add(self, now_ms: int) -> None:
        """One more."""
        self._notes.set(_NAME, " ".join(str(t) for t in [*self._within(now_ms), now_ms]))

    def until(self, now_ms: int) -> int | None:
        """Until when there are none, None if one may compare."""
        within = self._within(now_ms)
        return within[-1] + HOUR_MS if len(within) >= TRIES else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """Who wants to come in, by their own word; `digits` to compare, "" by code."""

    name: str
    system: str
    digits: str


class Invitation:
    """`open`, then `arrived`, then `admit` or `refuse`; `close` whenever it is given up."""

    def __init__(self, host: Host, misses: Misses, admitted: Callable[[DevId, Newcomer], None]) -> None:
        """`admitted` is told once it is in, and as which device."""
        self._host = host
        self._admitted = admitted
        self._new: Newcomer | None = None
        self._misses = misses
        self._by_code = True

    async def open(self, *, by_code: bool) -> Offer:
        """What to show. Unreachable, Refused; TooManyTries for digits after three misses."""
        if not by_code and self._misses.until(clock.now_ms()) is not None:
            raise TooManyTries
        self._by_code = by_code
        return await self._host.open(by_code=by_code)

    async def arrived(self) -> Newcomer:
        """Waits for somebody. Refused("pairing") when the time is over; Reject "enrol" for one who has not the code, or
        whose digits cannot be theirs: that is a miss."""
        try:
            new = await self._host.wait_for_guest()
        except Reject:
            self._missed()
            raise
        name, system = one_line(new.name) or "–", one_line(new.system)
        self._new = Newcomer(name=name, system=system, digits=self._host.digits)
        return self._new

    async def admit(self) -> None:
        """The person said yes. Refused("pairing") if the other one has gone, and the other errors of `Host.admit`."""
        dev = await self._host.admit()
        if self._new is not None:
            self._admitted(dev, self._new)

    async def refuse(self) -> None:
        """The person said no: by digits, that they differ."""
        self._missed()
        await self.close()

    async def close(self) -> None:
        """Gives the attempt up; the other side is told. Twice does no harm."""
        await self._host.close()

    def _missed(self) -> None:
        if not self._by_code:
            self._misses.add(clock.now_ms())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """Where a device is let in: the server and the code."""

    server: str
    code: str


def write_pointer(pointer: Pointer) -> str:
    """As a QR code holds it."""
    return link_fields.write("join", {"server": pointer.server, "code": pointer.code})


def read_pointer(text: str) -> Pointer | None:
    """What a QR code holds, or None if it is none of these."""
    fields = link_fields.read(text, "join", "server", "code")
    return Pointer(server=fields[0], code=fields[1]) if fields is not None else None
