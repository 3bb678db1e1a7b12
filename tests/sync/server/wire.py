# SPDX-License-Identifier: EUPL-1.2
"""A client made by hand for the server's tests: real TLS, real frames, sync/trust's builders, no engine."""

import asyncio
import itertools
import os
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Data

from sync.crypto.signatures import SigningKey
from sync.errors import NeedLog
from sync.ids import ChangeId, ObjId, RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.server.config import Config, Limits
from sync.server.operator import admin
from sync.trust.formats.items import Item, Role
from sync.trust.keys.epochs import KeyRing
from sync.trust.person.agency import SignInCode, agency_fingerprint, record_hash, verify_server_cert
from sync.trust.person.author import Author, DeviceSecrets, new_user
from sync.trust.person.user_log import UserLog
from sync.trust.room import entry_drafts, envelope, signed_receipts
from sync.trust.room.stream import RoomStream
from tests.patience import PATIENCE_S

F = TypeVar("F", bound=m.Frame)


def now() -> int:
    return time.time_ns() // 1_000_000


def new_data(folder: Path) -> Path:
    """A founded agency with TLS for loopback."""
    admin.init(folder, keys=keys_of(folder), demo_ca=["localhost"])
    return folder


def keys_of(data: Path) -> Path:
    """The folder of the agency's own keys."""
    return data.with_name(f"{data.name} keys")


def config(data: Path, limits: Limits | None = None) -> Config:
    return Config(data=data, port=0, cert=data / "tls.pem", key=data / "tls.key", limits=limits or Limits())


def trust(data: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(data / "ca.pem"))


def decoded(message: Data) -> m.Frame:
    """The server's frame in a message of a WebSocket, which must be binary."""
    assert isinstance(message, bytes)
    return decode_server(message)


class Refused(Exception):
    """The server answered with an Error frame."""

    def __init__(self, error: m.Error) -> None:
        super().__init__(f"{error.code} {error.detail}")
        self.code = error.code
        self.detail = error.detail


class Wire:
    """One connection: `ask` sends a request, `next` returns pushed frames."""

    def __init__(self, socket: ClientConnection, address: str) -> None:
        self.socket = socket
        self.address = address
        self._rids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[m.Frame]] = {}
        self.unasked: asyncio.Queue[m.Frame] = asyncio.Queue()
        self.ended: asyncio.Future[m.Error | None] = asyncio.get_running_loop().create_future()
        self.reader: asyncio.Task[None] | None = None
        self.hello: m.ServerHello | None = None
        self.nonce = os.urandom(32)

    async def greet(
        self, *, versions: tuple[int, int] = (WIRE_MIN, WIRE_MAX), skew_ms: int = 0, agent: str = "test"
    ) -> m.ServerHello:
        await self.socket.send(encode(m.Hello(versions, self.nonce, now() + skew_ms, agent, self.address)))
        reply = decoded(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
        if isinstance(reply, m.Error):
            raise Refused(reply)
        assert isinstance(reply, m.ServerHello)
        self.hello = reply
        self.reader = asyncio.create_task(self._read())
        return reply

    async def _read(self) -> None:
        last: m.Error | None = None
        try:
            async for data in self.socket:
                frame = decoded(data)
                rid = getattr(frame, "rid", None)
                if isinstance(frame, m.Error) and rid == 0:
                    last = frame
                elif rid is not None and rid in self._answers:
                    self._answers.pop(rid).set_result(frame)
                else:
                    self.unasked.put_nowait(frame)
        except ConnectionClosed:
            pass
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ConnectionError("ended"))
                    answer.exception()
            if not self.ended.done():
                self.ended.set_result(last)

    def rid(self) -> int:
        return next(self._rids)

    def send(self, frame: m.Frame) -> "asyncio.Future[m.Frame]":
        answer: asyncio.Future[m.Frame] = asyncio.get_running_loop().create_future()
        self._answers[frame.rid] = answer  # type: ignore[attr-defined]
        return answer

    async def ask(self, frame: m.Frame, wanted: type[F]) -> F:
        answer = self.send(frame)
        await self.socket.send(encode(frame))
        reply = await asyncio.wait_for(answer, PATIENCE_S)
        if isinstance(reply, m.Error):
            raise Refused(reply)
        assert isinstance(reply, wanted), reply
        return reply

    async def next(self, wanted: type[F]) -> F:
        frame = await asyncio.wait_for(self.unasked.get(), PATIENCE_S)
        assert isinstance(frame, wanted), frame
        return frame

    async def end(self) -> m.Error | None:
        """Waits for the server to end the connection."""
        return await asyncio.wait_for(asyncio.shield(self.ended), PATIENCE_S)

    async def close(self) -> None:
        await self.socket.close()
        if self.reader is not None:
            await self.reader


async def open_wire(url: str, data: Path) -> Wire:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    socket = await connect(
        f"{'wss' if secure else 'ws'}://{parts.netloc}/v1/sync",
        ssl=trust(data) if secure else None,
        compression=None,
        max_size=None,
        proxy=None,
    )
    return Wire(socket, parts.netloc)


@asynccontextmanager
async def wired(url: str, data: Path) -> AsyncIterator[Wire]:
    wire = await open_wire(url, data)
    try:
        yield wire
    finally:
        await wire.close()


class Book:
    """User logs that this client has fetched."""

    def __init__(self) -> None:
        self.logs: dict[bytes, UserLog] = {}

    def log(self, uid: Uid) -> UserLog | None:
        return self.logs.get(uid)


class Person:
    """One person with one device, signed in over `wire`; rooms it is in by id."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.secrets = DeviceSecrets.fresh()
        self.puk_seed = os.urandom(32)
        self.book = Book()
        self.rooms: dict[bytes, RoomStream] = {}
        self.rings: dict[bytes, KeyRing] = {}
        self.seqs: dict[bytes, int] = {}
        self.entries: list[m.Signed] = []
        self.invite_pk = b""
        self.staff = (b"", b"")
        """The salt and record of the invitation."""
        self.author: Author
        self.wire: Wire
        self.authed: m.Authed

    # -- signing in

    async def enrol(self, url: str, data: Path, code: str | None = None) -> "Person":
        text = code or await admin.invite(data, name=self.name, title="Handläggare å 🙂", unit="Bygglov")
        parsed = SignInCode.parse(text)
        self.wire = await open_wire(url, data)
        hello = await self.wire.greet()
        assert agency_fingerprint(hello.agency_pk)[:16] == parsed.agency
        verify_server_cert(hello.agency_pk, hello.server_cert.body, hello.server_cert.sig, now())
        self.invite_pk = parsed.key.public
        reply = await self.wire.ask(m.Invite(self.wire.rid(), self.invite_pk), m.InviteReply)
        entries, log = new_user(
            self.secrets, parsed, hello.agency_pk, (reply.cert.body, reply.cert.sig),
            record_hash(reply.salt, reply.record), self.puk_seed, now(),
        )  # fmt: skip
        self.entries = [m.Signed(*e) for e in entries]
        self.staff = reply.salt, reply.record
        await self.wire.ask(m.Enrol(self.wire.rid(), self.invite_pk, self.entries), m.Ok)
        self.book.logs[log.uid] = log
        dev = next(iter(log.devices))
        self.author = Author(uid=log.uid, dev=dev, signing=SigningKey(self.secrets.sign), ulog=(log.seq, log.head))
        self.authed = await self.auth()
        return self

    async def connect(self, url: str, data: Path, receipts: list[m.Receipt] | None = None) -> m.Authed:
        self.wire = await open_wire(url, data)
        await self.wire.greet()
        self.authed = await self.auth(receipts=receipts)
        return self.authed

    async def auth(
        self, *, address: str | None = None, key: SigningKey | None = None, receipts: list[m.Receipt] | None = None
    ) -> m.Authed:
        hello = self.wire.hello
        assert hello is not None
        at = address or self.wire.address
        proof = [hello.nonce, self.wire.nonce, agency_fingerprint(hello.agency_pk), at, self.uid, self.author.dev]
        sig = (key or self.author.signing).sign("auth", proof)
        auth = m.Auth(self.wire.rid(), self.uid, self.author.dev, at, sig, receipts or [])
        return await self.wire.ask(auth, m.Authed)

    @property
    def uid(self) -> Uid:
        return self.author.uid

    # -- rooms

    async def fetch_log(self, uid: bytes) -> None:
        agency = next(iter(self.book.logs.values())).agency_pk
        reply = await self.wire.ask(m.UserLog(self.wire.rid(), uid, -1), m.UserLogReply)
        self.book.logs[uid] = UserLog.replay([(e.body, e.sig) for e in reply.entries], agency)

    async def create(self) -> RoomId:
        draft = entry_drafts.new_room(self.author, self.book, now())
        self.rooms[draft.room] = RoomStream(draft.room)
        self.rings[draft.room] = KeyRing(draft.room)
        await self.submit(draft)
        await self.sync(draft.room)
        return draft.room

    async def submit(self, draft: entry_drafts.Draft) -> m.Placed:
        if draft.root is not None:
            await self.wire.ask(m.PutSeals(self.wire.rid(), draft.room, draft.root, 0, draft.seals), m.Ok)
        placed = await self.append(draft)
        if draft.secrets is not None:
            self.rings[draft.room].add(*draft.secrets)
        return placed

    async def append(self, draft: entry_drafts.Draft) -> m.Placed:
        entries = [m.Signed(*e) for e in draft.entries]
        return await self.wire.ask(m.Append(self.wire.rid(), draft.room, entries), m.Placed)

    def drafter(self, room: bytes) -> entry_drafts.Drafter:
        return entry_drafts.Drafter(self.rooms[room], self.author, self.book, self.rings[room], now())

    async def sync(self, room: bytes) -> list[Item]:
        """Pulls and judges everything. Returns the new items."""
        stream = self.rooms.setdefault(room, RoomStream(RoomId(room)))
        out: list[Item] = []
        while True:
            reply = await self.wire.ask(m.Pull(self.wire.rid(), room, stream.n, 1 << 20), m.Items)
            items = [Item.of(i) for i in reply.items]
            while True:
                try:
                    stream.accept(items, self.book)
                    break
                except NeedLog as e:
                    await self.fetch_log(e.uid)
            out += items
            assert self.wire.hello is not None
            pk = verify_server_cert(
                self.wire.hello.agency_pk, self.wire.hello.server_cert.body, self.wire.hello.server_cert.sig, now()
            )
            r = reply.receipt
            assert r.room == room
            signed_receipts.check(pk, r)
            if stream.n >= r.n:
                assert stream.rh == r.rh
                return out

    async def add(self, room: bytes, person: "Person", role: int = 2, *, history: bool = True) -> m.Placed:
        await self.fetch_log(person.uid)
        await self.sync(room)
        placed = await self.submit(self.drafter(room).add(person.uid, Role(role), history=history))
        await self.sync(room)
        return placed

    def sealed(self, room: bytes, *texts: str, obj: bytes | None = None) -> m.Push:
        """A batch to the root object, not sent yet; its device sequence is used up."""
        stream, ring = self.rooms[room], self.rings[room]
        e = stream.epoch
        key, share = ring.k(e) or bytes(32), envelope.root_share(room)
        ops = []
        shares: list[m.WireShare] = []
        for text in texts:
            payload = envelope.pack([(ChangeId(os.urandom(16)), text.encode())])
            if obj is None:
                ops.append(
                    envelope.PlainOp(
                        ObjId(room), envelope.ObjectKeys(RoomId(room)).key(key, e, room, share), b"", payload
                    )
                )
                continue
            fresh = os.urandom(32)
            shares.append(m.WireShare(obj, fresh))
            commitment = envelope.share_commitment(room, obj, fresh)
            ops.append(
                envelope.PlainOp(
                    ObjId(obj), envelope.ObjectKeys(RoomId(room)).key(key, e, obj, fresh), commitment, payload
                )
            )
        head = stream.device_heads.get(self.author.dev)
        first = max(self.seqs.get(room, 0), head.dev_seq if head else 0) + 1
        prev = stream.next_prev(self.uid, self.author.dev)
        batch = envelope.encrypt_batch(self.author, RoomId(room), e, (stream.n, stream.rh), first, prev, ops)
        self.seqs[room] = first + len(ops) - 1
        return m.Push(self.wire.rid(), room, list(batch.bodies), list(batch.cts), batch.sig, shares)

    async def push(self, room: bytes, *texts: str) -> m.Placed:
        return await self.wire.ask(self.sealed(room, *texts), m.Placed)

    async def subscribe(self, *rooms: bytes) -> list[int]:
        """The rooms' last positions; 0 for one that is not this person's."""
        return (await self.wire.ask(m.Subscribe(self.wire.rid(), list(rooms)), m.Subscribed)).ns


def as_items(fresh: m.Fresh) -> list[Item]:
    return [Item.of(i) for i in fresh.items]
