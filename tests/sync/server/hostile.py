# SPDX-License-Identifier: EUPL-1.2
"""What a hostile client of a member can send and no honest one does, for the server's tests and the bench."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from sync.crypto.encoding import enc
from sync.crypto.kdf import H
from sync.protocol import messages as m
from sync.trust.formats.items import ENVELOPE, RH_0, Item, item_id, next_rh
from sync.trust.room import envelope
from sync.trust.room.envelope import Header
from tests.patience import PATIENCE_S
from tests.sync.server.wire import Person, trust

CT = bytes(400)


def running_hashes(items: Sequence[Item]) -> list[bytes]:
    """The running hashes of a room's positions from 0 on, computed from all its items."""
    out: list[bytes] = [RH_0]
    for i in items:
        out.append(next_rh(out[-1], i.n, i.t, i.kind, item_id(i.kind, i.body)))
    return out


def batch_that_saw(
    person: Person, room: bytes, seen: Sequence[tuple[int, bytes]], kind: int = envelope.PURGED
) -> m.Push:
    """A batch with an envelope for each of the positions, which it names as seen. Uses up device sequence numbers."""
    stream, a = person.rooms[room], person.author
    head = stream.device_heads.get(a.dev)
    first = max(person.seqs.get(room, 0), head.dev_seq if head else 0) + 1
    prev, bodies = stream.next_prev(a.uid, a.dev), []
    for i, at in enumerate(seen):
        hdr = Header(2, room, a.uid, a.dev, first + i, prev, stream.epoch, at, a.ulog, room, b"", kind, 0)  # type: ignore[arg-type]
        bodies.append(enc([hdr.encode(), H(CT), len(CT)]))
        prev = item_id(ENVELOPE, bodies[-1])
    person.seqs[room] = first + len(seen) - 1
    sig = a.signing.sign(envelope.DOMAIN, prev)
    return m.Push(person.wire.rid(), room, bodies, [CT] * len(bodies), sig, [])


class Line:
    """A TLS connection for sending bytes that no library sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ended(self) -> bytes:
        """Waits until the server has ended the connection. Returns the bytes that were received before."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self.reader.read(-1)
        except ConnectionError:
            return b""
        finally:
            await self.close()

    async def websocket(self) -> None:
        """Upgrades the connection to a WebSocket."""
        self.writer.write(
            b"GET /v1/sync HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert head.startswith(b"HTTP/1.1 101 ")

    async def close(self) -> None:
        self.writer.transport.abort()


async def line(url: str, data: Path) -> Line:
    """A connection that has finished TLS and sends nothing."""
    at = urlsplit(url)
    tls: ssl.SSLContext | None = trust(data) if at.scheme == "https" else None
    return Line(*await asyncio.open_connection(at.hostname, at.port, ssl=tls))


def ws_frame(opcode: int, data: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's frame, masked with zeros; at most 125 bytes."""
    return bytes([opcode | (0x80 if fin else 0), 0x80 | len(data)]) + bytes(4) + data
