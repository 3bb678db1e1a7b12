# SPDX-License-Identifier: EUPL-1.2
"""A client that costs as little as a client can, so that hundreds of them beside a server measure the server: it signs
in with a real device, and of what comes it decodes only the answers, and counts the rest.
"""

import asyncio
import os
import ssl
import time
from collections import Counter
from typing import Any, TypeVar

from sync.protocol import messages as m
from sync.protocol.codec import decode_server, encode
from sync.protocol.version import WIRE_MAX, WIRE_MIN
from sync.trust.person.agency import agency_fingerprint
from sync.trust.person.author import Author

F = TypeVar("F", bound=m.Frame)
_NEWS = {b"\xa5fres": "fresh", b"\xa6behi": "behind", b"\xa9ephe": "ephemeral"}
_WITHIN_S = 300
_MASKED = 0x80
_NO_MASK = bytes(4)
"""A mask of zeros: what is sent stays as it is, and the server reads it as any other."""


class Refused(Exception):
    """The server's refusal of a request."""


def framed(data: bytes) -> bytes:
    """One binary WebSocket message of a client."""
    size = len(data)
    if size < 126:
        head = bytes((0x82, _MASKED | size))
    elif size < 1 << 16:
        head = bytes((0x82, _MASKED | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x82, _MASKED | 127)) + size.to_bytes(8, "big")
    return head + _NO_MASK + data


class ThinLine(asyncio.Protocol):
    """One connection. `news`: how many frames of each kind came that nobody asked for; `newest_ns`: when the newest of
    them came."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.news: Counter[str] = Counter()
        self.newest_ns = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._hello: asyncio.Future[m.ServerHello] = asyncio.get_running_loop().create_future()
        self._answers: dict[int, asyncio.Future[m.Frame]] = {}
        self._left = bytearray()
        self._transport: asyncio.Transport
        self._rid = 0

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(
            f"GET /v1/sync HTTP/1.1\r\nHost: {self.address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
        every: list[asyncio.Future[Any]] = [self._opened, self._hello, *self._answers.values()]
        for waits in every:
            if not waits.done():
                waits.set_exception(ConnectionError("ended"))
                waits.exception()

    def data_received(self, data: bytes) -> None:
        left = self._left
        left += data
        if not self._opened.done():
            head, found, rest = bytes(left).partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._left = left = bytearray(rest)
            self._opened.set_result(None)
        at = 0
        while (end := self._one(left, at)) > at:
            at = end
        del left[:at]

    def _one(self, left: bytearray, at: int) -> int:
        """Takes the message at `at`; where the next one begins, or `at` if it has not all come."""
        if len(left) < at + 2:
            return at
        size, begin = left[at + 1], at + 2
        if size == 126:
            size, begin = int.from_bytes(left[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            size, begin = int.from_bytes(left[at + 2 : at + 10], "big"), at + 10
        end = begin + size
        if len(left) < end:
            return at
        kind = left[at] & 0x0F
        if kind == 2:
            news = _NEWS.get(bytes(left[begin + 1 : begin + 6]))
            if news is not None:
                self.news[news] += 1
                self.newest_ns = time.monotonic_ns()
            else:
                self._answer(decode_server(bytes(left[begin:end])))
        elif kind == 9:
            pong = bytes(left[begin:end])
            self._transport.write(bytes((0x8A, _MASKED | len(pong))) + _NO_MASK + pong)
        return end

    def _answer(self, frame: m.Frame) -> None:
        if isinstance(frame, m.ServerHello):
            self._hello.set_result(frame)
        elif (waits := self._answers.pop(getattr(frame, "rid", 0), None)) is not None and not waits.done():
            waits.set_result(frame)
        elif isinstance(frame, m.Error):
            raise Refused(frame.code)

    # -- the client's side

    def rid(self) -> int:
        self._rid += 1
        return self._rid

    def send(self, rid: int, message: bytes) -> "asyncio.Future[m.Frame]":
        """Sends a message (`framed`), and gives the future of the answer to its request."""
        waits: asyncio.Future[m.Frame] = asyncio.get_running_loop().create_future()
        self._answers[rid] = waits
        self._transport.write(message)
        return waits

    async def ask(self, frame: m.Frame, wanted: type[F]) -> F:
        reply = await asyncio.wait_for(self.send(frame.rid, framed(encode(frame))), _WITHIN_S)  # type: ignore[attr-defined]
        if isinstance(reply, m.Error):
            raise Refused(f"{reply.code} {reply.detail}")
        assert isinstance(reply, wanted), reply
        return reply

    async def sign_in(self, author: Author) -> m.Authed:
        """Says hello and signs a device in. It checks nothing: the server is our own."""
        nonce = os.urandom(32)
        await self._opened
        hello = m.Hello((WIRE_MIN, WIRE_MAX), nonce, time.time_ns() // 1_000_000, "bench", self.address)
        self._transport.write(framed(encode(hello)))
        said = await self._hello
        fingerprint = agency_fingerprint(said.agency_pk)
        proof = [said.nonce, nonce, fingerprint, self.address, author.uid, author.dev]
        sig = author.signing.sign("auth", proof)
        return await self.ask(m.Auth(self.rid(), author.uid, author.dev, self.address, sig, []), m.Authed)

    def close(self) -> None:
        self._transport.abort()


async def dial(port: int, context: ssl.SSLContext) -> ThinLine:
    """A connection to this machine's server, on which nothing was said yet."""
    address = f"localhost:{port}"
    loop = asyncio.get_running_loop()
    _, line = await loop.create_connection(lambda: ThinLine(address), "localhost", port, ssl=context)
    return line
