# SPDX-License-Identifier: EUPL-1.2
"""What PresenceService needs from the rest of the program: functions that tests replace."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.core import clock
from app.core.delay import Later, on_loop
from app.core.ids import DevId, RoomId, Uid
from app.core.signal import Signal
from app.presence.audience import Audience

Send = Callable[[RoomId, bytes, DevId | None], None]
"""`send(room, payload, to)`: sends an ephemeral message to the device `to` of a member of the room, or, if `to` is
None, to the devices of all members that are online."""


class SharedChoice(Protocol):
    """The person's choice as a text that all their devices share (app/own/status.py)."""

    @property
    def changed(self) -> Signal[()]:
        """Another device has changed it."""
        ...

    def get(self) -> str: ...

    def set(self, text: str, /) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The functions that PresenceService calls.

    `me`: this person. `audience`: returns the rooms that the presence uses. `devices_of`: returns the active devices of
    a person. `is_shown`: returns whether the person shows their presence (a setting). `store`: stores the person's
    choice on this device; StoreFault if the disk refuses. `stored`: returns what `store` stored last, "" for nothing.
    `shared`: the choice that this person's devices share; None: this device has no others.
    `later`: calls a function after some seconds, and returns what cancels that. `now_ms`: this device's clock, in ms.
    `now_s`: a monotonic clock, in seconds. `chance`: returns a random number from 0 to below 1.
    """

    me: Uid
    send: Send
    audience: Callable[[], Audience]
    devices_of: Callable[[Uid], Sequence[DevId]]
    is_shown: Callable[[], bool]
    stored: Callable[[], str]
    store: Callable[[str], None]
    shared: SharedChoice | None = None
    later: Later = on_loop
    now_ms: Callable[[], int] = lambda: clock.now_ms()
    now_s: Callable[[], float] = lambda: clock.awake_s()
    chance: Callable[[], float] = random.random
