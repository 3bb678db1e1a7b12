# SPDX-License-Identifier: EUPL-1.2
"""Connections on which nobody has signed in: how many, for how long, how much they may hold. Who is a member of the
agency is known only after TLS, a request's head and a signature, and whoever reaches the port gets so far.

Beyond a bound the oldest of them goes: a sign-in takes milliseconds, so the oldest is the least likely to become one.
"""

import asyncio
from collections.abc import Callable, Sequence

from sync.server.config import Limits
from sync.server.load.fairness import Budget, Budgets, FairQueue, address_terms
from sync.server.load.origins import UNKNOWN, Proxies

KEEP_ALIVE_S = 30.0
"""How long a connection may wait between two requests, until the second one's head has ended."""
_ADDRESSES = 16_384
"""How many addresses' budgets are remembered."""
_TLS_S = 0.8e-3
"""Processor time of a TLS handshake (0.37 ms measured), which the address of whoever wants one pays."""


class Caller:
    """One connection, from its arrival to its end. The entrance keeps it while nobody has signed in on it."""

    def __init__(self, entrance: "Entrance", origin: "_Origin", peer: str) -> None:
        self._entrance = entrance
        self._end: Callable[[], object] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self.peer = peer
        self.origin = origin
        self.budget: Budget = origin.budget
        """Who pays: the address, once a device has signed in the device."""
        self.held_bytes = 0
        self.gone = False

    # -- what the connection's protocols say

    def connected(self, abort: Callable[[], object]) -> None:
        """From now on `abort` ends it, at once and whatever waits to be sent."""
        self._end = abort

    def awaits_head(self, within_s: float) -> None:
        """▲ The client owes the rest of its request's head within that time, and the answer must be on its way too."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(within_s, self._entrance.evict, self, "late")

    def answered(self) -> None:
        """A request has been answered: nobody is signed in, and the next one's head is awaited."""
        if not self.gone:
            self.budget = self.origin.budget
            self._entrance.keep(self)
            self.awaits_head(KEEP_ALIVE_S)

    def opened(self) -> None:
        """It is a WebSocket, which has a deadline of its own."""
        self._stop_timer()

    def forwarded(self, headers: Sequence[str]) -> None:
        """What the request says of where it comes from: counts if the other end is a trusted proxy."""
        self._entrance.forwarded(self, headers)

    def held(self, size_bytes: int) -> None:
        """So many bytes more (fewer, if negative) have come and are not answered yet."""
        self._entrance.held(self, size_bytes)

    # -- what becomes of it

    @property
    def is_unsigned(self) -> bool:
        """Whether the entrance keeps it."""
        return self in self.origin.unsigned

    def lingers(self) -> None:
        """It meets an old device in a box, which has bounds of its own."""
        self._entrance.release(self)

    def signed_in(self, budget: Budget) -> None:
        """A device has proved itself, or shown a permit for this one request."""
        self._stop_timer()
        self._entrance.release(self)
        self.budget = budget

    def end(self) -> None:
        """Ends the connection at once."""
        self._end()

    def left(self) -> None:
        """The connection has ended. Twice is once."""
        if not self.gone:
            self.gone = True
            self._stop_timer()
            self._entrance.left(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Origin:
    """One address that has connections."""

    def __init__(self, name: str, budget: Budget) -> None:
        self.name = name
        self.budget = budget
        self.connections = 0
        self.unsigned: dict[Caller, None] = {}
        """The oldest first."""


class Entrance:
    """All connections on which nobody has signed in."""

    def __init__(self, limits: Limits, queue: FairQueue, turned_away: Callable[[str], None]) -> None:
        """`turned_away` is told of each connection that is ended or not taken, with the reason."""
        self._limits = limits
        self._budgets: Budgets[str] = Budgets(queue, address_terms(limits), kept=_ADDRESSES)
        self._turned_away = turned_away
        self._origins: dict[str, _Origin] = {}
        self._unsigned: dict[Caller, None] = {}
        """The oldest first."""
        self._held_bytes = 0
        self.proxies = Proxies((), behind_proxy=False)

    @property
    def unsigned(self) -> int:
        """How many there are."""
        return len(self._unsigned)

    def admit(self, peer: str) -> Caller | None:
        """▲ A connection has arrived from this other end. None if its address has too many, or has used far more
        processor time than an address may: then it is closed, which costs less than TLS."""
        origin = self._origin(self.proxies.origin(peer))
        if self._is_full(origin) or (origin.name != UNKNOWN and origin.budget.is_spent):
            self._turned_away("address")
            self._drop_if_empty(origin)
            return None
        if origin.name != UNKNOWN:
            origin.budget.charge(_TLS_S)
        caller = Caller(self, origin, peer)
        origin.connections += 1
        self.keep(caller)
        caller.awaits_head(self._limits.head_s)
        return caller

    def keep(self, caller: Caller) -> None:
        """▲ Nobody has signed in on it: it is the newest of few; beyond that the oldest goes, of its address first."""
        own = caller.origin.unsigned
        own[caller] = self._unsigned[caller] = None
        if caller.origin.name != UNKNOWN and len(own) > self._limits.address_unsigned_connections:
            self.evict(next(iter(own)), "address")
        if len(self._unsigned) > self._limits.unsigned_connections:
            self.evict(next(iter(self._unsigned)), "oldest")

    def held(self, caller: Caller, size_bytes: int) -> None:
        """▲ All of them together hold little that is not answered; beyond that the oldest that holds something goes."""
        if caller not in self._unsigned:
            return
        size_bytes = max(size_bytes, -caller.held_bytes)
        caller.held_bytes += size_bytes
        self._held_bytes += size_bytes
        if self._held_bytes > self._limits.unsigned_bytes:
            self.evict(next(one for one in self._unsigned if one.held_bytes > 0), "bytes")

    def forwarded(self, caller: Caller, headers: Sequence[str]) -> None:
        """A trusted proxy says where the request comes from."""
        if not self.proxies.trusts(caller.peer):
            return
        was_kept, origin = caller.is_unsigned, self._origin(self.proxies.forwarded(headers))
        if origin is caller.origin:
            return
        if self._is_full(origin):
            self.evict(caller, "address")
            self._drop_if_empty(origin)
            return
        self.release(caller)
        self._forget(caller)
        caller.origin, caller.budget = origin, origin.budget
        origin.connections += 1
        if was_kept:
            self.keep(caller)

    def release(self, caller: Caller) -> None:
        """It is not counted among them any more. Nothing happens for one that is not."""
        self._unsigned.pop(caller, None)
        caller.origin.unsigned.pop(caller, None)
        self._held_bytes -= caller.held_bytes
        caller.held_bytes = 0

    def evict(self, caller: Caller, why: str) -> None:
        """Ends a connection."""
        self._turned_away(why)
        self.release(caller)
        caller.end()

    def left(self, caller: Caller) -> None:
        """A connection has ended."""
        self.release(caller)
        self._forget(caller)

    def _is_full(self, origin: _Origin) -> bool:
        return origin.name != UNKNOWN and origin.connections >= self._limits.address_connections

    def _origin(self, name: str) -> _Origin:
        found = self._origins.get(name)
        if found is None:
            found = self._origins[name] = _Origin(name, self._budgets.of(name))
        return found

    def _forget(self, caller: Caller) -> None:
        caller.origin.connections -= 1
        self._drop_if_empty(caller.origin)

    def _drop_if_empty(self, origin: _Origin) -> None:
        if not origin.connections:
            self._origins.pop(origin.name, None)
