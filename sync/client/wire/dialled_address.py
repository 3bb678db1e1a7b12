# SPDX-License-Identifier: EUPL-1.2
"""Decides at which address the account's server is dialled: the stored address, or another one to which the account
moves. `egress` opens the connections. This module reads no policy: the application passes the other addresses.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from sync.client.ports import KeptServer, ServerPort
from sync.client.wire.connection import Connection
from sync.client.wire.transport import Answer, Dialer, ServerAddress, Transport
from sync.errors import (
    AddressForbidden,
    CertificateRefused,
    NoAddress,
    Reject,
    ServerNotNamed,
    ServerUnproven,
    SyncError,
    Unreachable,
    WrongAgency,
)

log = logging.getLogger("sync")

MOVE_AFTER_S = 10.0
"""For so long the stored address must have failed to answer before others are asked. A server that is started again is
back in three seconds. Otherwise an office with two names for one server would change between them at each restart."""
MOST_OTHERS = 16

_NOT_OURS = (CertificateRefused, WrongAgency, ServerUnproven, Reject)
"""Errors that mean: what answers at the address is not the account's server, or cannot show that it is."""


class Nowhere:
    """The dialer of an account that has no usable address (none is known, or it is invalid): `open` and `request`
    always raise NoAddress. So the program can run, without a server."""

    address = ServerAddress("", 0)

    async def open(self) -> Transport:
        """Raises NoAddress."""
        raise NoAddress("no address is stored")

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """Raises NoAddress."""
        raise NoAddress("no address is stored")

    async def close(self) -> None:
        """Nothing is open."""


class ServerLine:
    """The Dialer of one account: opens connections to the account's server. It dials the stored address; `connect` may
    replace that by another address of the same server."""

    def __init__(
        self, store: ServerPort, dialer: Dialer, others: Callable[[], Sequence[Dialer]], agency: bytes
    ) -> None:
        """`store` has the address and key of the server as it last proved itself. `dialer` dials the stored address.
        `others` is called when that address fails, and returns the dialers of all servers that policy names then, in
        its order; it must not fail. `agency`: the fingerprint of the agency's key, 32 B; a server of another agency is
        refused."""
        self._store, self._dialer, self._others, self._agency = store, dialer, others, agency
        self._kept = store.kept_server()
        self._silent_since: float | None = None

    @property
    def address(self) -> ServerAddress:
        """The stored address."""
        return self._dialer.address

    async def open(self) -> Transport:
        """As `Dialer.open`."""
        return await self._dialer.open()

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        """As `Dialer.request`."""
        return await self._dialer.request(method, path, headers, content)

    async def close(self) -> None:
        """As `Dialer.close`."""
        await self._dialer.close()

    async def connect(self, now_ms: Callable[[], int]) -> Connection:
        """A connection to the account's server, which has proved itself; `now_ms` returns this device's time in ms.
        Dials the stored address first. If that fails, dials the others in their order, and stores the first address
        where the same server answers.

        The others are dialled at once if policy forbids the stored address, if there is none, or if what answers there
        does not prove to be the account's server; they are dialled if nothing has answered there for MOVE_AFTER_S. At
        most MOST_OTHERS are.

        Otherwise, and if there are no others, raises what `Connection.connect` did at the stored address. If all others
        were dialled in vain: ServerUnproven if one of them answered and did not prove to be the account's server (the
        error names the first such). Otherwise ServerNotNamed if policy forbids the stored address, and the error of the
        stored address if not.
        """
        try:
            connection = await Connection.connect(self._dialer, now_ms=now_ms, agency_pin=self._agency)
        except (Unreachable, AddressForbidden, NoAddress, *_NOT_OURS) as e:
            others = [o for o in self._others() if o.address != self.address][:MOST_OTHERS]
            if not others or (isinstance(e, Unreachable) and not self._silent_for_long()):
                raise
            return await self._elsewhere(others, now_ms, e)
        self._keep(self._dialer, connection.identity.server_pk)
        return connection

    def _silent_for_long(self) -> bool:
        now = asyncio.get_running_loop().time()
        if self._silent_since is None:
            self._silent_since = now
        return now - self._silent_since >= MOVE_AFTER_S

    async def _elsewhere(self, others: Sequence[Dialer], now_ms: Callable[[], int], failed: SyncError) -> Connection:
        """Dials `others`, the other servers that policy names, in turn, after the stored address failed with `failed`;
        `now_ms` returns this device's time in ms. Returns the first connection where the account's own server answers,
        and stores that address from now on. An error of one of them is logged, and the next is dialled. If all fail:
        ServerUnproven if one of them was not proved to be that server. Otherwise ServerNotNamed if policy forbids the
        stored address, and `failed` if not."""
        stranger = ""
        for dialer in others:
            try:
                connection = await self._proved(dialer, now_ms)
            except _NOT_OURS as e:
                log.warning("another server of policy is not the account's: %s", e.code)
                stranger = stranger or dialer.address.name
            except SyncError as e:
                log.info("another server of policy: %s", e.code)
            else:
                log.warning("the account's server has another address from now on")
                before = self._dialer
                self._keep(dialer, connection.identity.server_pk)
                await before.close()
                return connection
        if stranger:
            raise ServerUnproven(stranger) from failed
        if isinstance(failed, AddressForbidden):
            raise ServerNotNamed(self.address.name) from failed
        raise failed

    async def _proved(self, dialer: Dialer, now_ms: Callable[[], int]) -> Connection:
        """▲ Connects by `dialer`, and returns the connection if the server there is the account's: it must have the key
        that the server at the stored address proved to have, when this device last connected there. ServerUnproven
        otherwise, also if no key is stored yet; the connection is then closed. WrongAgency if the server belongs to
        another agency than the account. Also raises what else `Connection.connect` does, which compares the server's
        clock with `now_ms()`, this device's. Without this check the author of a policy, or the owner of a name in it,
        could move the account to another server."""
        connection = await Connection.connect(dialer, now_ms=now_ms, agency_pin=self._agency)
        if self._kept is None or connection.identity.server_pk != self._kept.key:
            await connection.close()
            raise ServerUnproven(dialer.address.name)
        return connection

    def _keep(self, dialer: Dialer, key: bytes) -> None:
        """Uses `dialer` from now on, and stores its address and the server's `key`. If the write fails (the disk is
        full), that is only logged: the connection still counts, and the next connection stores them."""
        self._dialer, self._silent_since = dialer, None
        server = KeptServer(address=dialer.address.name, key=key)
        if server == self._kept:
            return
        try:
            self._store.keep_server(server)
        except Exception as e:
            code = getattr(e, "code", None)  # without a code it is our fault, and the log says where
            log.warning("the server's address is not stored: %s", code or type(e).__name__, exc_info=code is None)
            return
        self._kept = server
