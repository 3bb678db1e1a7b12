# SPDX-License-Identifier: EUPL-1.2
"""Limits on connections on which nobody has signed in: how many, for how long, and how many unanswered bytes they may
hold. Whether a client belongs to the agency is known only after TLS, a request's head and a signature, and everybody
who reaches the port gets that far.

Beyond a limit the oldest such connection is ended: a sign-in takes milliseconds, so the oldest is the least likely to
become one.
"""

import asyncio
from collections.abc import Callable, Sequence

from sync.server.config import Limits
from sync.server.load.fairness import Budget, Budgets, FairQueue, address_terms
from sync.server.load.origins import UNKNOWN, Proxies

KEEP_ALIVE_S = 30.0
"""How long a connection may take from an answer to the end of the next request's head."""
_ADDRESSES = 16_384
"""How many addresses' budgets are remembered."""
_TLS_S = 0.8e-3
"""Processor time of a TLS handshake (0.37 ms measured), charged to the address that connects."""


class Caller:
    """One connection, from its beginning to its end. The entrance counts and limits it while nobody has signed in on
    it. `peer`: the address of the other end, which may be a proxy. `origin`: where the connection comes from."""

    def __init__(self, entrance: "Entrance", origin: "_Origin", peer: str) -> None:
        self._entrance = entrance
        self._end: Callable[[], object] = lambda: None
        self._timer: asyncio.TimerHandle | None = None
        self.peer = peer
        self.origin = origin
        self.budget: Budget = origin.budget
        """The budget that is charged: the address's, and the device's once it has signed in."""
        self.held_bytes = 0
        """How many bytes were received on this connection and are not answered yet; 0 once a device has signed in."""
        self.gone = False
        self.ended = False
        """Whether the server has ended the connection. `gone` follows when its transport is closed."""

    # -- what the connection's protocols say

    def connected(self, abort: Callable[[], object]) -> None:
        """Sets `abort`, which ends the connection at once, whatever waits to be sent."""
        self._end = abort

    def awaits_head(self, within_s: float) -> None:
        """▲ Ends the connection after `within_s` seconds, unless by then its request was answered, opened a WebSocket
        or showed a device's bearer token. To have sent the request's head is not enough. So a slow client cannot keep a
        connection. Another call replaces the deadline. The reason that is counted is "late"."""
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(within_s, self._entrance.evict, self, "late")

    def answered(self) -> None:
        """Called when an HTTP request was answered: counts the connection as not signed in again, and charges its
        address again instead of the device. The connection is ended if its next request is not answered within
        KEEP_ALIVE_S (30 s), opens no WebSocket and shows no bearer token. Does nothing for a connection that has
        ended, or that the server has begun to end."""
        if not self.gone and not self.ended:
            self.budget = self.origin.budget
            self._entrance.keep(self)
            self.awaits_head(KEEP_ALIVE_S)

    def opened(self) -> None:
        """Stops the deadline: the connection is now a WebSocket, which has its own."""
        self._stop_timer()

    def forwarded(self, headers: Sequence[str]) -> bool:
        """Takes the request's X-Forwarded-For headers; they count only if the other end is a trusted proxy. False if
        the connection has ended, also because of them: the request must then not be served."""
        self._entrance.forwarded(self, headers)
        return not self.ended

    def held(self, size_bytes: int) -> None:
        """Adds received bytes that are not answered yet; a negative number subtracts answered ones."""
        self._entrance.held(self, size_bytes)

    # -- what becomes of it

    @property
    def is_unsigned(self) -> bool:
        """Whether the entrance counts it as unsigned."""
        return self in self.origin.unsigned

    def lingers(self) -> None:
        """Stops counting it as unsigned: it is pairing with an old device through a box, which has its own limits."""
        self._entrance.release(self)

    def signed_in(self, budget: Budget) -> None:
        """Stops counting the connection as not signed in, and stops its deadline: a device has signed in, or shown a
        bearer token for this one request. `budget`, the device's, is charged from now on."""
        self._stop_timer()
        self._entrance.release(self)
        self.budget = budget

    def end(self) -> None:
        """Ends the connection at once."""
        self.ended = True
        self._stop_timer()
        self._end()

    def left(self) -> None:
        """Removes a connection that has ended from all counts. A second call does nothing."""
        if not self.gone:
            self.gone = True
            self._stop_timer()
            self._entrance.left(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Origin:
    """An address from which connections come: its budget of processor time, how many connections it has, and those on
    which nobody has signed in."""

    def __init__(self, name: str, budget: Budget) -> None:
        self.name = name
        self.budget = budget
        self.connections = 0
        self.unsigned: dict[Caller, None] = {}
        """The oldest first."""


class Entrance:
    """Counts connections and limits those on which nobody has signed in: how many there are, altogether and by address,
    how long each may take, and how many unanswered bytes they hold. Beyond a limit the oldest is ended. One address may
    also have only so many connections, signed in or not: a further one is refused."""

    def __init__(self, limits: Limits, queue: FairQueue, turned_away: Callable[[str], None]) -> None:
        """`limits`: how many connections there may be before sign-in, for how long and with how many bytes. `queue`:
        decides when the requests of an address begin. `turned_away` is called for each connection that is ended or
        refused, with the reason: "address", "bytes", "late" or "oldest"."""
        self._limits = limits
        self._budgets: Budgets[str] = Budgets(queue, address_terms(limits), kept=_ADDRESSES)
        self._turned_away = turned_away
        self._origins: dict[str, _Origin] = {}
        self._unsigned: dict[Caller, None] = {}
        """The oldest first."""
        self.held_bytes = 0
        """The unanswered bytes of all connections on which nobody has signed in."""
        self.proxies = Proxies((), behind_proxy=False)

    @property
    def unsigned(self) -> int:
        """The number of connections on which nobody has signed in."""
        return len(self._unsigned)

    def admit(self, peer: str) -> Caller | None:
        """Counts a new connection whose other end is `peer` (an IP address, or UNIX), charges its address for TLS, and
        begins the deadline for its request. If too many have not signed in, an older one is ended. ▲ None if its
        address has too many connections, or has used far more processor time than an address may: the caller then
        closes it, which costs less than TLS. A proxy's connection is not limited so: its address is known later."""
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
        """Counts a connection as not signed in. ▲ Beyond the limit of its address (if that is known) the oldest such
        connection of the address is ended; beyond the server's limit the oldest of all."""
        own = caller.origin.unsigned
        own[caller] = self._unsigned[caller] = None
        if caller.origin.name != UNKNOWN and len(own) > self._limits.address_unsigned_connections:
            self.evict(next(iter(own)), "address")
        if len(self._unsigned) > self._limits.unsigned_connections:
            self.evict(next(iter(self._unsigned)), "oldest")

    def held(self, caller: Caller, size_bytes: int) -> None:
        """Adds `size_bytes` (negative: subtracts) to the unanswered bytes of a connection that has not signed in. ▲
        Beyond the limit for all of them together, the oldest that holds any is ended. Nothing happens for a signed-in
        one."""
        if caller not in self._unsigned:
            return
        size_bytes = max(size_bytes, -caller.held_bytes)
        caller.held_bytes += size_bytes
        self.held_bytes += size_bytes
        if self.held_bytes > self._limits.unsigned_bytes:
            self.evict(next(one for one in self._unsigned if one.held_bytes > 0), "bytes")

    def forwarded(self, caller: Caller, headers: Sequence[str]) -> None:
        """Counts a connection from now on for the address that a trusted proxy names in its X-Forwarded-For `headers`,
        and charges that address; or ends the connection if that address has too many. Does nothing unless the other end
        is a trusted proxy, and nothing if the address is the same as before."""
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
        """Stops counting a connection, and its unanswered bytes, as not signed in. Nothing happens if it is not counted
        so."""
        self._unsigned.pop(caller, None)
        caller.origin.unsigned.pop(caller, None)
        self.held_bytes -= caller.held_bytes
        caller.held_bytes = 0

    def evict(self, caller: Caller, why: str) -> None:
        """Ends a connection and reports the reason `why`: "address", "bytes", "late" or "oldest"."""
        self._turned_away(why)
        self.release(caller)
        caller.end()

    def left(self, caller: Caller) -> None:
        """Removes a connection that has ended from all counts. Must be called only once for it: a second call would
        take one more from the connections of its address."""
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
