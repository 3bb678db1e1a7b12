# SPDX-License-Identifier: EUPL-1.2
"""What a connection needs from the rest of the server."""

from collections.abc import Sequence
from typing import Protocol

from sync.protocol.messages import Auth, Authed, ClientFrame, Ephemeral, Frame, Revoked
from sync.server.load.fairness import Budget
from sync.server.load.fanout import Hub, Listener
from sync.server.load.meters import Meters
from sync.server.load.outbox import Outbox
from sync.server.rules.handshake import Handshake, Who
from sync.trust.room.ephemeral import EphemeralHeader


class Socket(Protocol):
    """An interface: one WebSocket, as the code that serves it sees it. `receive` returns the next binary message, b""
    for a text message, None when the other end has gone. `write` sends binary messages and `close` ends the WebSocket
    with a close code; both raise ConnectionError if the other end has gone."""

    async def receive(self) -> bytes | None:
        """The next binary message, b"" for a text message, None when the other end has gone."""
        ...

    def write(self, messages: Sequence[bytes]) -> None:
        """Sends binary messages in their order, without waiting: what the other end does not read yet is kept in
        memory. ConnectionError if the other end has gone."""
        ...

    @property
    def writable(self) -> bool:
        """False while much that was written is still in memory. The caller then waits for `drained` before it writes
        the next messages."""
        ...

    async def drained(self) -> None:
        """Waits until `writable` is true. It also becomes true when the other end has gone."""
        ...

    async def close(self, code: int) -> None: ...


class Rules(Protocol):
    """What the code that serves one connection needs from the rest of the server: it checks a device's sign-in, answers
    requests, and is notified when the connection ends. `Service` implements it."""

    hub: Hub
    meters: Meters

    def handshake(self) -> Handshake: ...

    async def prove(self, handshake: Handshake, frame: Auth) -> Who | Revoked: ...

    async def sign_in(self, who: Who, agent: str, frame: Auth) -> Authed | Revoked: ...

    async def before_sign_in(self, peer: Outbox, frame: ClientFrame) -> Frame: ...

    def may_linger(self, peer: Outbox) -> bool: ...

    def gone(self, peer: Outbox) -> None: ...

    async def answer(self, listener: Listener, frame: ClientFrame) -> Frame: ...

    def ephemeral(self, listener: Listener, frame: Ephemeral, header: EphemeralHeader) -> None: ...


class Caller(Protocol):
    """An interface: one client's connection, as the code that serves it sees the entrance (the part of the server that
    limits connections on which nobody has signed in). `budget`: the processor time that is charged. `lingers`: lets the
    connection stay without a sign-in, for pairing. `signed_in`: notes that a device has signed in, whose budget is
    charged from then on."""

    @property
    def budget(self) -> Budget:
        """The budget that is charged until a device signs in."""
        ...

    def lingers(self) -> None:
        """Lets the connection stay though nobody has signed in."""
        ...

    def signed_in(self, budget: Budget) -> None:
        """Notes that a device has signed in; `budget` is charged from now on."""
        ...
