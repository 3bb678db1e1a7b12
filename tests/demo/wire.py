# SPDX-License-Identifier: EUPL-1.2
"""A recording proxy between one client and the server. It ends TLS on both sides, so that what it records is what an
eavesdropper with the server's own certificate would see, and it can cut the line and mend it."""

import asyncio
import ssl
import threading
from pathlib import Path

CHUNK = 65536


class Wire:
    """Listens on loopback from the start; `dial` says where the server is once it runs. Runs a thread of its own."""

    def __init__(self, label: str, record: Path) -> None:
        self.label = label
        self.record = record
        self.port = 0
        self.bytes = 0
        self._server_port = 0
        self._upstream: ssl.SSLContext | None = None
        self._cut = False
        self._lines: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"wire {label}", daemon=True)
        self._server: asyncio.Server | None = None
        record.parent.mkdir(parents=True, exist_ok=True)
        self._file = record.open("ab", buffering=0)
        self._lock = threading.Lock()

    def listen(self, certificate: Path, key: Path) -> int:
        """Starts to listen with the server's certificate; the port."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._thread.start()
        opened = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=context), self._loop
        )
        self._server = opened.result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    def dial(self, port: int, authority: Path) -> None:
        """Where connections go from now on."""
        self._server_port = port
        self._upstream = ssl.create_default_context(cafile=authority)

    def cut(self) -> None:
        """Drops every connection without goodbye and takes no new ones."""
        self._cut = True
        asyncio.run_coroutine_threadsafe(self._drop_all(), self._loop).result(10)

    def mend(self) -> None:
        self._cut = False

    def close(self) -> None:
        if self._thread.is_alive():
            self.cut()
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        self._loop.close()
        self._file.close()

    async def _drop_all(self) -> None:
        for line in list(self._lines):
            line.transport.abort()
        self._lines.clear()

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.wait(running or [asyncio.ensure_future(asyncio.sleep(0))])

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(
                "127.0.0.1", self._server_port, ssl=self._upstream, server_hostname="localhost"
            )
        except OSError:  # also ssl.SSLError: with nobody behind it the line does not stand
            writer.transport.abort()
            return
        lines = {writer, far_writer}
        self._lines |= lines
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, far_writer, Frames()))
                group.create_task(self._pass_on(far_reader, writer, Frames()))
        except* OSError:
            pass
        finally:
            self._lines -= lines
            for line in lines:
                line.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, frames: "Frames") -> None:
        while received := await reader.read(CHUNK):
            self._write(frames.clear(received))
            writer.write(received)
            await writer.drain()
        raise ConnectionResetError  # one side has gone: the other goes too

    def _write(self, seen: bytes) -> None:
        with self._lock:
            self._file.write(seen)
            self.bytes += len(seen)


class Frames:
    """Takes the masks off one direction's WebSocket frames: a masked word would be found by no search.

    Anything before an upgrade, and plain HTTP, comes back as it is.
    """

    def __init__(self) -> None:
        self._head = b""
        self._upgraded: bool | None = None
        self._buffer = b""
        self._left = 0
        self._mask = b""
        self._at = 0

    def clear(self, received: bytes) -> bytes:
        if self._upgraded is None:
            return self._read_head(received)
        return self._unmask(received) if self._upgraded else received

    def _read_head(self, received: bytes) -> bytes:
        self._head += received
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return received
        self._upgraded = b"upgrade: websocket" in self._head[:end].lower()
        rest = self._head[end + 4 :]
        shown = received[: len(received) - len(rest)]
        self._head = b""
        return shown + self.clear(rest)

    def _unmask(self, received: bytes) -> bytes:
        self._buffer += received
        shown = bytearray()
        while self._buffer:
            if not self._left and not self._begin_frame():
                break
            part, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
            shown += self._without_mask(part)
            self._left -= len(part)
        return bytes(shown)

    def _begin_frame(self) -> bool:
        """Reads a frame's head (RFC 6455 §5.2) if all of it is here."""
        if len(self._buffer) < 2:
            return False
        masked, length, at = self._buffer[1] & 0x80, self._buffer[1] & 0x7F, 2
        extended = {126: 2, 127: 8}.get(length, 0)
        whole = at + extended + (4 if masked else 0)
        if len(self._buffer) < whole:
            return False
        if extended:
            length = int.from_bytes(self._buffer[at : at + extended], "big")
        self._mask = self._buffer[whole - 4 : whole] if masked else b""
        self._buffer, self._left, self._at = self._buffer[whole:], length, 0
        return length > 0 or self._begin_frame()

    def _without_mask(self, part: bytes) -> bytes:
        if not self._mask:
            return part
        start, self._at = self._at, (self._at + len(part)) % 4
        mask = (self._mask[start:] + self._mask * (len(part) // 4 + 1))[: len(part)]
        return (int.from_bytes(part, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(part), "big")
