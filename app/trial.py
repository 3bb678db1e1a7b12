# SPDX-License-Identifier: EUPL-1.2
"""A whole office for a moment: an agency, its server and one account in this process. `--selftest` works with it.

The server is the real one with its store in memory; the connection to it is two queues. No data leaves the process, and
nothing is left of it but files in the folder that it was given.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from app.bootstrap import Office
from app.core import clock
from app.kinds import TOOLS
from app.policy import Policy
from app.profile import Profile
from app.session import Session
from app.tool import AnyTool
from sync.client.wire.transport import Answer, ServerAddress, Transport
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Unreachable
from sync.protocol.messages import Signed
from sync.server.config import Limits
from sync.server.host.identity import Identity
from sync.server.objects.filesystem import FilesystemObjects
from sync.server.process.websocket import Connection
from sync.server.rules.service import Service
from sync.server.store.base import InviteRow
from sync.server.store.memory import MemoryStore
from sync.trust.person.agency import Agency, SignInCode, encode_record, record_hash
from sync.trust.person.escrow_key import certify_escrow

SERVER = "trial.invalid:443"
"""No resolver ever gets this name: RFC 6761 reserves .invalid for names that do not exist."""
DAY_MS = 86_400_000


@contextlib.asynccontextmanager
async def trial(
    folder: Path, name: str, passphrase: str, tools: Sequence[AnyTool] = TOOLS
) -> AsyncIterator[tuple[Office, Session]]:
    """A context with one person at work, online, in a new profile in `folder`: (the office, the open session). For
    trying the program out, as the self-test of an installation does: the server is in this process, and is gone when
    the context ends. `name`: the person's; `passphrase`: the store's; `tools`: those of the session. The machine's
    policy does not apply here."""
    server = _Server(folder / "server")
    office = Office(
        Profile.open_in(folder),
        dial=lambda address, egress: _Line(address, server),
        read_policy=Policy,
        tools=tools,
    )
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(office.profile.close)
        stack.push_async_callback(server.close)
        await server.open()
        found = await office.look_up(SERVER, await server.invite(name))
        session = await office.enrol(found, passphrase, lambda step, done, of: None)
        stack.push_async_callback(session.close)
        yield office, session


class _Server:
    """A server and the agency that certifies it, both new and in this process, for trying the program out."""

    def __init__(self, folder: Path) -> None:
        self._agency = Agency(os.urandom(32))
        key = SigningKey(os.urandom(32))
        cert = Signed(*self._agency.certify_server(key.public, clock.now_ms() + DAY_MS))
        escrow = Signed(*certify_escrow(self._agency, KemKey(os.urandom(32)).public))
        pk, fingerprint = self._agency.pk, self._agency.fingerprint
        identity = Identity(key=key, cert=cert, escrow=escrow, agency_pk=pk, fingerprint=fingerprint)
        self._store = MemoryStore()
        self.service = Service(self._store, FilesystemObjects(folder), identity, Limits())
        self.service.addresses = (SERVER,)
        self._lines: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        await self.service.open()

    async def invite(self, name: str) -> str:
        """Makes an activation code for a person with this name."""
        code, salt = SignInCode.fresh(self._agency.pk), os.urandom(16)
        record, invite_pk = encode_record({"name": name, "title": "", "unit": ""}), code.key.public
        until = clock.now_ms() + DAY_MS
        body, sig = self._agency.certify_invite(invite_pk, record_hash(salt, record), until)
        await self._store.add_invite(
            InviteRow(invite_pk=invite_pk, cert_body=body, cert_sig=sig, salt=salt, record=record, not_after=until)
        )
        return code.format()

    def serve(self, line: "_Ends") -> None:
        """Begins to answer the client at the other end of `line`, in a task that runs until the connection ends."""
        task = asyncio.ensure_future(Connection(line, self.service, self.service.limits).run())
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    async def close(self) -> None:
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        await self.service.close()


class _Line:
    """Opens connections to the server that is in this process, in place of those through a network (a `Dialer`). Files
    are not transferred: Unreachable."""

    def __init__(self, address: ServerAddress, server: _Server) -> None:
        self.address = address
        self._server = server

    async def open(self) -> Transport:
        ends = _Ends()
        self._server.serve(ends)
        return _Here(ends)

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        raise Unreachable("files do not travel in a trial")

    async def close(self) -> None:
        """Does nothing: nothing is kept."""


class _Ends:
    """The server's end of a connection within this process. `up` (to the server) and `down` (to the client) carry
    frames; None means that the other end has closed."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.down: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def receive(self) -> bytes | None:
        return await self.up.get()

    def write(self, messages: Sequence[bytes]) -> None:
        for data in messages:
            self.down.put_nowait(data)

    @property
    def writable(self) -> bool:
        """Always true: the client reads at once."""
        return True

    async def drained(self) -> None:
        return

    async def close(self, code: int) -> None:
        self.down.put_nowait(None)


class _Here:
    """The client's end of a connection to a server that is in the same process."""

    def __init__(self, ends: _Ends) -> None:
        self._ends = ends

    async def send(self, data: bytes) -> None:
        self._ends.up.put_nowait(data)

    def send_at_once(self, data: bytes) -> bool:
        self._ends.up.put_nowait(data)
        return True

    async def receive(self) -> bytes:
        data = await self._ends.down.get()
        if data is None:
            self._ends.down.put_nowait(None)
            raise Unreachable("the line has ended")
        return data

    async def close(self) -> None:
        self._ends.up.put_nowait(None)
        self._ends.down.put_nowait(None)
