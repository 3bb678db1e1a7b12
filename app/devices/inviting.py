# SPDX-License-Identifier: EUPL-1.2
"""One attempt to let another device in, on the device that has the account: from the code or the digits to the person's
answer.

After three failed comparisons of digits within an hour, none is possible for an hour: an attacker between the two
devices has one chance in a million each time. ▲ Digits that are shown count as failed until the person says yes.
Otherwise the attacker could try again as often as a person who sees other digits closes the dialog, or the program,
without an answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core import clock, link_fields
from app.core.ids import DevId
from app.core.visible import one_line
from app.errors import TooManyTries
from app.store.notes import Notes
from sync.client.devices.device_pairing import Host, Offer
from sync.errors import Reject

__all__ = ["Invitation", "Misses", "Newcomer", "Offer", "Pointer", "read_pointer", "write_pointer"]

HOUR_MS = 3_600_000
TRIES = 3
FAILED = "pairing-misses"


class Misses:
    """The times of failed comparisons of digits between two devices, kept in the store; one that waits for its answer
    is among them. After TRIES (3) of them within an hour, none is possible for an hour."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def _kept(self, now_ms: int) -> list[int]:
        """The times (ms) of the failed comparisons in the two hours before `now_ms`, oldest first: those of the first
        hour may have begun a pause that still lasts."""
        kept = [int(t) for t in self._notes.get(FAILED).split()]
        return [t for t in kept if now_ms - 2 * HOUR_MS < t <= now_ms]

    def add(self, now_ms: int) -> None:
        """Adds a failed comparison at `now_ms`."""
        self._set([*self._kept(now_ms), now_ms])

    def take_back(self, at_ms: int) -> None:
        """Removes the failed comparison that was added at `at_ms`, since it has not failed. A second call may remove
        another one of the same millisecond."""
        kept = self._kept(clock.now_ms())
        if at_ms in kept:
            kept.remove(at_ms)
            self._set(kept)

    def _set(self, kept: Sequence[int]) -> None:
        self._notes.set(FAILED, " ".join(map(str, kept)))

    def until(self, now_ms: int) -> int | None:
        """The time (ms, of the same clock as `now_ms`) from which digits may be compared again: an hour after the third
        failure within an hour. None if they may be compared at `now_ms`."""
        kept = self._kept(now_ms)
        thirds = [last for first, last in zip(kept, kept[TRIES - 1 :], strict=False) if last - first < HOUR_MS]
        ends = thirds[-1] + HOUR_MS if thirds else 0
        return ends if ends > now_ms else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A device that asks to be let into the account, as it describes itself: its `name` ("–" if it gave none) and
    `system`. `digits`: for the person to compare, "" if a code was used."""

    name: str
    system: str
    digits: str


class Invitation:
    """One attempt to let another device into the account. Call `open`, then `arrived`, then `admit`;
    `close` when the person says no, or whenever else the attempt is given up."""

    def __init__(self, host: Host, misses: Misses, admitted: Callable[[DevId, Newcomer], None]) -> None:
        """`host`: the attempt's connection through the server. `misses`: the failed comparisons. `admitted` is called
        with the new device's id and its description once it has been let in."""
        self._host = host
        self._admitted = admitted
        self._new: Newcomer | None = None
        self._misses = misses
        self._by_code = True
        self._unanswered_ms: int | None = None
        """When the digits were shown that count as failed until the person says yes."""

    async def open(self, *, by_code: bool) -> Offer:
        """Begins the attempt. Returns what the person must show or type on the other device. `by_code`: with a code;
        otherwise by comparing digits. Raises Unreachable, Refused; TooManyTries for digits in the hour after
        three failed comparisons."""
        if not by_code and self._misses.until(clock.now_ms()) is not None:
            raise TooManyTries
        self._by_code = by_code
        return await self._host.open(by_code=by_code)

    async def arrived(self) -> Newcomer:
        """Waits until a device connects, and returns its description. Raises Refused "pairing" when the time is over,
        the device has left, the connection is lost, or this side has closed; Unreachable while offline; Reject "enrol"
        for a device that does not have the code, or whose digits cannot be right, "signature" for one that does not
        prove its keys, and others for a malformed message. With digits, a Reject counts as a failed comparison; so does
        a device that connects, until `admit`."""
        try:
            new = await self._host.wait_for_guest()
        except Reject:
            self._missed()
            raise
        name, system = one_line(new.name) or "–", one_line(new.system)
        self._unanswered_ms = self._missed()
        self._new = Newcomer(name=name, system=system, digits=self._host.digits)
        return self._new

    async def admit(self) -> None:
        """Lets the device in, after the person agreed. Raises Refused "pairing" if the other device has ended the
        attempt, "revoked" or "reset" if this device itself is out of the account, and other SyncErrors such as
        Unreachable. An error may also mean that the device is in, and only the message to it could not be sent."""
        if self._unanswered_ms is not None:
            self._misses.take_back(self._unanswered_ms)
            self._unanswered_ms = None
        dev = await self._host.admit()
        if self._new is not None:
            self._admitted(dev, self._new)

    async def close(self) -> None:
        """Ends the attempt and notifies the other device; no error while offline. A second call does nothing."""
        await self._host.close()

    def _missed(self) -> int | None:
        """With digits, counts a failed comparison and returns when (ms); otherwise returns None."""
        if self._by_code:
            return None
        now_ms = clock.now_ms()
        self._misses.add(now_ms)
        return now_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """The content of the QR code by which a new device finds the attempt to let it in: the server and the code."""

    server: str
    code: str


def write_pointer(pointer: Pointer) -> str:
    """The text that the QR code holds."""
    return link_fields.write("join", {"server": pointer.server, "code": pointer.code})


def read_pointer(text: str) -> Pointer | None:
    """Reads the text of a QR code that lets a new device into an account; None if the text is none of those."""
    fields = link_fields.read(text, "join", "server", "code")
    return Pointer(server=fields[0], code=fields[1]) if fields is not None else None
