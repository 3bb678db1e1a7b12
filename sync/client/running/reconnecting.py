# SPDX-License-Identifier: EUPL-1.2
"""Connects again and again: one session after another, how long to wait between them, and what is shown of the error
that ended one.

What happens in a session is in signed_in_session.py.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Coroutine

from sync.client.devices.own_devices import RESET, REVOKED, Devices
from sync.client.link import Link
from sync.client.restore.unknown_account import UnknownAccount
from sync.client.running.connection_state import ConnectionState
from sync.client.running.signed_in_session import SignedInSession
from sync.client.status import LinkState
from sync.client.wire.backoff import STUCK_RETRY_S, Backoff
from sync.errors import (
    AddressForbidden,
    BugError,
    CertificateRefused,
    ClockOff,
    Ended,
    NoAddress,
    NoProxyScript,
    OfServer,
    ProxyUnnamed,
    ProxyWantsName,
    Refused,
    Reject,
    TooOld,
    Unreachable,
    WrongAgency,
)
from sync.protocol.messages import ErrorCode

log = logging.getLogger("sync")

OLD_RETRY_S = 900.0
"""The longest wait between two attempts of a program that is too old. Only a newer program, or another server, ends
that state, and a newer program connects when it starts. So an office of old programs need not ask twice a minute."""
_STEADY_S = 5.0
"""A connection that lasted so long resets the back-off. If each connection fails at once, the attempts become ever
rarer."""
COMPARE_S = 600.0
"""The least time between two sign-ins that only compare the clocks."""
_FOR_IT = (ErrorCode.AUTH, ErrorCode.UNKNOWN_USER, REVOKED, RESET)
_STUCK = (
    CertificateRefused, ClockOff, WrongAgency, ProxyWantsName, ProxyUnnamed, NoProxyScript, AddressForbidden, NoAddress,
    OfServer,
)  # fmt: skip


class Reconnecting:
    """Keeps the engine connected: runs one session with the server after another, and waits between them, until `run`
    is cancelled."""

    def __init__(
        self, link: Link, devices: Devices, state: ConnectionState, session: SignedInSession, unknown: UnknownAccount
    ) -> None:
        self._link, self._devices, self._state, self._session = link, devices, state, session
        self._unknown = unknown
        self.backoff = Backoff()
        self._retry = asyncio.Event()
        self._hasty = False
        """The connection was dropped only to dial at once."""
        self._compare_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Connects, syncs until the connection ends, waits and connects again, until cancelled. The wait is partly
        random and grows with each failure up to a minute; after a connection that had lasted it is a few seconds. Where
        a person must act first it is STUCK_RETRY_S, and up to OLD_RETRY_S for a program that is too old."""
        try:
            while True:
                wait_s = await self._attempt_safely()
                if self._hasty:
                    self._hasty = False
                    continue
                self._retry.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._retry.wait()
        finally:
            self._link.connection = None
            for task in self._tasks:
                task.cancel()

    def retry_now(self) -> None:
        """Ends a wait between two attempts, so that a connection is made at once; later waits begin short again. Does
        nothing to an open connection. For a person who asks for it."""
        self.backoff.reset()
        self._retry.set()

    def hurry(self) -> None:
        """Drops the connection, if there is one, and dials at once; that this connection ended is not shown. Ends a
        wait between two attempts. An attempt that is under way is left alone. For a connection that may be dead: the
        computer woke, or has another network."""
        self.retry_now()
        connection = self._link.connection
        if connection is not None:
            self._hasty = True
            self.spawn(connection.close())

    def compare_clocks(self) -> None:
        """Drops the connection and signs in again, in the background, since a sign-in compares the server's clock with
        ours. Does nothing within COMPARE_S of the last time. Called when the server dates the newest item of a room
        more than ten minutes ahead of its own clock, as this device last measured that."""
        now = asyncio.get_running_loop().time()
        if now >= self._compare_at:
            self._compare_at = now + COMPARE_S
            log.warning("the server's time is far ahead: signing in again")
            self.hurry()

    def spawn(self, coro: Coroutine[object, object, None]) -> None:
        """Runs `coro` in a background task, which is cancelled when `run`, the loop over all connections, ends; it may
        outlive one connection. Nobody waits for the task: an error in it ends nothing else, and only asyncio logs
        it."""
        task = asyncio.ensure_future(coro)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _attempt_safely(self) -> float:
        """Runs one connection as `_attempt` does, but logs and shows every error that it raises. Returns the seconds to
        wait before the next attempt. ▲ Otherwise an error after a failed session would end syncing for good, for
        example a full disk that refuses to store a revocation."""
        try:
            return await self._attempt()
        except Exception as e:
            log.exception("the end of a session failed")
            self._state.show(LinkState.ERROR, str(getattr(e, "code", BugError.code)))
            return self.backoff.next_s()

    async def _attempt(self) -> float:
        """Runs one connection from its beginning to its end, and shows why it ended. Does not connect if this person's
        own log, as stored here, has ended this device; shows that. Returns the seconds to wait before the next
        attempt."""
        self._session.signed_in_at = None
        try:
            await self._link.open_large()
            if self._devices.ended is not None:  # our own copy of the log says so: the server is not asked again
                self._state.show(LinkState.ERROR, self._devices.ended)
                return STUCK_RETRY_S
            await self._session.run()
        except Exception as e:
            wait_s = await self._show_end(e)
            if wait_s is not None:
                return wait_s
        since = self._session.signed_in_at
        if since is not None and asyncio.get_running_loop().time() - since > _STEADY_S:
            return self.backoff.after_loss_s()
        return self.backoff.next_s()

    async def _show_end(self, error: Exception) -> float | None:
        """Shows to the person why a session ended (`error`), but not a lost connection that `hurry` dropped. Returns
        the seconds to wait before the next attempt; None if the back-off decides. Two errors do more. If the server
        does not know this device (Refused "auth"), first tries to register the account, or to upload its log again. If
        the server takes that, shows nothing and returns 0. Otherwise shows the refusal, or why the invitation of an
        enrolment that was cut off cannot be used any more. If the server says that the person's log ends this device
        (Ended), and its entries prove that, stores them: the device then does not connect any more. If they do not
        prove it, nothing is stored, and the error "auth" is shown. An error of the store is raised."""
        if isinstance(error, Ended):
            return self._believe_end(error)
        if isinstance(error, TooOld):
            self._state.show(LinkState.ERROR, error.code)
            return random.uniform(OLD_RETRY_S / 2, OLD_RETRY_S)  # noqa: S311 - spreads load, guards nothing
        if isinstance(error, _STUCK):
            self._state.show(LinkState.ERROR, error.code, error.address if isinstance(error, OfServer) else "")
            return STUCK_RETRY_S
        if isinstance(error, Refused):
            return await self._show_refusal(error.code)
        if isinstance(error, Unreachable):
            if not self._hasty:
                self._state.show(LinkState.OFFLINE, error.code)
        elif isinstance(error, Reject):
            log.error("the client refused the server: %s", error.code)
            self._state.show(LinkState.ERROR, error.code)
        else:
            # The store (a full disk) or a fault of ours: its code is shown, and the session is tried again.
            log.error("session failed", exc_info=error)
            self._state.show(LinkState.ERROR, str(getattr(error, "code", BugError.code)))
        return None

    async def _show_refusal(self, code: str) -> float | None:
        state = LinkState.ERROR if code in _FOR_IT else LinkState.OFFLINE
        if code == ErrorCode.AUTH:
            if await self._unknown.make_known():
                return 0.0
            code = self._unknown.code_spent or code
        self._state.show(state, code)
        return None

    def _believe_end(self, claim: Ended) -> float:
        """▲ Stores the entries in `claim` in this person's log, by which this device has then ended (`Devices.ended`),
        if they prove that the log revokes it or ends the account; the person is then shown "revoked" or "reset". A
        server that only claims so is not believed: nothing is stored, and the person is shown the error "auth". Erases
        nothing. Returns the seconds to wait before the next attempt, in both cases. An error of the store is raised."""
        try:
            self._devices.believe_end(claim.entries)
        except Reject as e:
            self._state.show(LinkState.ERROR, e.code)
            return self.backoff.next_s()
        log.warning("this device has ended: %s", self._devices.ended)
        self._state.show(LinkState.ERROR, self._devices.ended)
        return STUCK_RETRY_S
