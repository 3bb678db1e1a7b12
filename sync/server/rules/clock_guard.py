# SPDX-License-Identifier: EUPL-1.2
"""▲ Notices that somebody or something set this machine's clock. Until the old or the new time is known to be right,
the server gives no position and ends no veto.

Every position of a room gets a time, and no later one is below it. So a clock that runs ahead for a minute would leave
its time in all rooms, and end what waits for days: a veto, the seven days of a new administrator.

The clock is compared with the time since the machine started, which nobody sets. After a jump of more than ten minutes
the server places nothing until the clock is back, for an hour at most: then the new time counts. After a jump of more
than a day it waits until the operator confirms the time (`kansli-server confirm-clock`). Clients send again what is
refused meanwhile; reading and signing in continue.

The last comparison is kept in the data folder, so that a server which is started again after a jump notices it too.
After a start of the machine only a clock that went back can be noticed.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from sync.protocol.messages import ErrorCode
from sync.server.rules.handshake import now_ms
from sync.server.rules.refusal import Refusal
from sync.trust.room.restore_notice import CLOCK_AHEAD_MS

log = logging.getLogger("sync.server")

JUMP_MS = 10 * 60_000
"""The largest change that is no jump: more than a working time service sets a clock by, and less than any wait in the
protocol."""
HOLD_MS = 3_600_000
FAR_MS = CLOCK_AHEAD_MS
"""The largest jump that counts by itself after HOLD_MS. A longer one waits for the operator."""
KEEP_MS = 60_000
"""How often the comparison is stored. A crash loses at most this much of it."""
FOLLOW_MS = 86_400_000
"""How often small corrections are accepted. If it were more often, many small ones could add up to a jump unnoticed."""
CONFIRMED = "clock-confirmed"
_KEPT = "clock"


@dataclass(frozen=True, slots=True)
class Reading:
    """Two clocks of the machine, read at the same moment: `clock_ms`, the time since 1970, which can be set, and
    `up_ms`, the time since the machine started, which cannot. Both in ms. `boot` names that start."""

    boot: str
    clock_ms: int
    up_ms: int

    def ahead_of(self, before: "Reading") -> int:
        """How many ms the clock was set ahead since another reading of the same start; negative: back."""
        return (self.clock_ms - before.clock_ms) - (self.up_ms - before.up_ms)


def up_ms() -> int:
    """The time since the machine started, sleep included, in ms."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    # Windows has no `clock_gettime`; its monotonic clock counts sleep too
    return (time.monotonic_ns() if clock is None else time.clock_gettime_ns(clock)) // 1_000_000


def boot_id() -> str:
    """An id of the machine's present start, another one after each boot; "" if the system has none."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


class ClockGuard:
    """Notices that the machine's clock was set, by comparing it with the time since the machine started. Call `check`
    before anything gets a time: it refuses that until the right time is known. `data`: the folder in which the last
    comparison is stored; None stores it nowhere. `clock` and `up` return both times in ms. `boot`: an id of the
    machine's present start; None asks the system."""

    def __init__(
        self,
        data: Path | None = None,
        clock: Callable[[], int] = now_ms,
        up: Callable[[], int] = up_ms,
        boot: str | None = None,
    ) -> None:
        self._data = data
        self._clock = clock
        self._up = up
        self._boot = boot_id() if boot is None else boot
        self._noticed: Reading | None = None
        """When the jump was noticed because of which nothing is placed now; None for no jump."""
        self._kept_up_ms = 0
        self._right = self._begin()

    def _begin(self) -> Reading:
        now, kept = self._read(), self._stored(_KEPT)
        if kept is None:
            return now
        if kept.boot == now.boot and kept.up_ms <= now.up_ms:
            return kept
        # another start of the machine: only that the clock cannot have gone back is known
        return Reading(now.boot, max(now.clock_ms, kept.clock_ms), now.up_ms)

    def _read(self) -> Reading:
        return Reading(self._boot, self._clock(), self._up())

    @property
    def jump_ms(self) -> int:
        """How far the clock is from the right time in ms (negative: behind) while new items are refused because it was
        set; an operator's figure. 0 otherwise, also after a change until the first item is refused."""
        ahead = self._read().ahead_of(self._right)
        return ahead if self._noticed is not None else 0

    def check(self) -> None:
        """▲ Refusal "busy" if the clock was set by more than ten minutes and it is not yet known which time is right:
        then no item may get a time. Clients send the same again later. A new time counts an hour after the first
        refusal, if the clock was set by at most a day, or when the operator confirms it. Passes while the clock is
        right, and when it is back."""
        now = self._read()
        ahead = now.ahead_of(self._right)
        if abs(ahead) <= JUMP_MS:
            self._fine(now)
            return
        if self._noticed is None:
            self._noticed = now
            log.error("the clock was set by %+d s; nothing is placed: %s", ahead // 1000, _what_next(ahead))
        if self._counts(now, ahead):
            log.warning("the clock's new time counts from now on")
            self._right, self._noticed, self._kept_up_ms = now, None, 0
            self._fine(now)
            return
        raise Refusal(ErrorCode.BUSY, "clock")

    def _counts(self, now: Reading, ahead: int) -> bool:
        confirmed = self._stored(CONFIRMED)
        if confirmed is not None and confirmed.boot == now.boot and abs(now.ahead_of(confirmed)) <= JUMP_MS:
            return True
        assert self._noticed is not None  # noqa: S101 - the caller has set it
        return abs(ahead) <= FAR_MS and now.up_ms - self._noticed.up_ms >= HOLD_MS

    def _fine(self, now: Reading) -> None:
        if self._noticed is not None:
            log.warning("the clock is right again")
            self._noticed = None
        if now.up_ms - self._right.up_ms >= FOLLOW_MS:
            self._right = now
        if not self._kept_up_ms or now.up_ms - self._kept_up_ms >= KEEP_MS:
            self._kept_up_ms = now.up_ms
            right = Reading(now.boot, self._right.clock_ms + now.up_ms - self._right.up_ms, now.up_ms)
            self._keep(right)

    def _keep(self, right: Reading) -> None:
        """Stores `right`: the time since the machine started, and the right time of day at that moment, so that a
        server which is started again notices a change too. In a thread that is not awaited, so that a slow disk does
        not block the event loop; at once if no loop runs. A failure to write is ignored."""
        try:
            asyncio.get_running_loop().run_in_executor(None, _keep, self._data, right)
        except RuntimeError:  # no loop: a test, or a command
            _keep(self._data, right)

    def _stored(self, name: str) -> Reading | None:
        if self._data is None:
            return None
        try:
            found = json.loads((self._data / name).read_text(encoding="ascii"))
            return Reading(str(found["boot"]), int(found["clock_ms"]), int(found["up_ms"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def confirm(data: Path) -> None:
    """Stores in the data folder `data` that the clock's present time is right, by an operator's command. A running
    server that refuses items because the clock was set reads this when the next item is sent. OSError if it cannot be
    written."""
    _write(data, CONFIRMED, Reading(boot_id(), now_ms(), up_ms()))


def _keep(data: Path | None, right: Reading) -> None:
    with suppress(OSError):  # a full disk: noticed elsewhere
        _write(data, _KEPT, right)


def _write(data: Path | None, name: str, reading: Reading) -> None:
    if data is not None:
        new = data / f"{name}.new"
        new.write_text(json.dumps(asdict(reading)), encoding="ascii")
        new.replace(data / name)


def _what_next(ahead: int) -> str:
    if abs(ahead) > FAR_MS:
        return "until the clock is back, or `kansli-server confirm-clock` says that it is right"
    return "until the clock is back, for an hour at most"
