# SPDX-License-Identifier: EUPL-1.2
"""uvicorn's two protocols with the limits that they lack: deadlines, fragments, and a budget that is charged for
reading.

Both are passed to uvicorn as its `http` and `ws` classes, which it supports. They override uvicorn's handlers of
events.
"""

import functools
import time
from asyncio import Transport
from collections.abc import Sequence
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from sync.server.load.entrance import Caller
from sync.server.load.rates import Bucket

MAX_FRAGMENTS = 16
"""Most fragments of one message; our clients send one. ▲ The next one closes the connection. uvicorn limits their bytes
but not their number, and 3 million empty ones delayed everybody by 0.66 s at a time."""
_CONTROL_PER_S, _CONTROL_BURST = 5.0, 32
"""Pings and pongs of one connection. Clients and proxies send one every few seconds."""
_CLOSE_S = 2.0
"""How long the other end may take to close a connection that we close."""
_HEADER_BYTES = 14
"""The longest header of a WebSocket frame."""
_BINARY = 0x82
"""The first byte of a whole binary message."""
_SLICE = 1024
"""Bytes that are parsed at once before sign-in: 170 of the smallest frames, 2 ms."""


class HeadProtocol(H11Protocol):
    """uvicorn's HTTP protocol for one connection (`caller`), with a deadline against slow clients. By then a request's
    head must be received, and the request must be answered, open a WebSocket or show a device's bearer token. Otherwise
    the connection is ended. The deadline is set when the connection begins, and again after each answer. The processor
    time of reading is charged to the connection's budget."""

    def __init__(self, caller: Caller, **given: Any) -> None:
        super().__init__(app_state={"caller": caller}, **given)
        self._caller = caller
        socket_class = functools.partial(SocketProtocol, caller)
        self.ws_protocol_class = socket_class  # type: ignore[assignment]  # it is only called

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        self._caller.connected(transport.abort)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._caller.left()

    def data_received(self, data: bytes) -> None:
        began = time.thread_time()
        super().data_received(data)
        self._caller.budget.charge(time.thread_time() - began)

    def on_response_complete(self) -> None:
        self._caller.answered()
        super().on_response_complete()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._caller.opened()
        super().handle_websocket_upgrade(event)


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol for one connection (`caller`), which closes it for too many fragments or control
    frames. Before sign-in the entrance counts its unanswered bytes. The processor time of reading is charged to the
    connection's budget."""

    def __init__(self, caller: Caller, **given: Any) -> None:
        super().__init__(**given)
        self.app_state = self.app_state | {"line": self}
        self._caller = caller
        self._fragments = 0
        self._control = Bucket(_CONTROL_PER_S, _CONTROL_BURST)
        self._failed = False
        self._given_bytes = 0
        self.close_timeout = _CLOSE_S

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._caller.left()

    def data_received(self, data: bytes) -> None:
        began = time.thread_time()
        if self._caller.is_unsigned:
            if self.handshake_initiated:
                self._caller.held(len(data))
            for at in range(0, len(data), _SLICE):
                if not self.transport.is_closing():
                    super().data_received(data[at : at + _SLICE])
        else:
            super().data_received(data)
        self._caller.budget.charge(time.thread_time() - began)

    async def receive(self) -> Any:
        """The next message, as uvicorn gives it. Before sign-in, the previous message no longer counts as unanswered: a
        client's messages are answered one by one."""
        self._caller.held(-self._given_bytes)
        message: Any = await super().receive()
        self._given_bytes = len(message.get("bytes") or b"") + _HEADER_BYTES
        return message

    def write(self, messages: Sequence[bytes]) -> None:
        """Sends binary messages together: many short ones need one TLS record and one system call. Does not wait: the
        event `writable` is cleared while much waits to be sent. ConnectionError if the connection has ended or is
        ending."""
        if self.disconnected or self.close_sent or self.transport.is_closing():
            raise ConnectionError("gone")
        self.transport.write(b"".join([part for data in messages for part in (_head(len(data)), data)]))

    def handle_text(self, event: Frame) -> None:
        self._fragments = 1
        super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        self._fragments = 1
        super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        """Takes a further fragment, `event`, of a message. ▲ The seventeenth, with the message's first one counted,
        closes the connection, and nothing behind it is kept."""
        self._fragments += 1
        if self._fragments > MAX_FRAGMENTS:
            self._fail("fragments")
        else:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        if self._control.take():
            super().handle_ping()
        else:
            self._fail("pings")

    def handle_pong(self, event: Frame) -> None:
        if self._control.take():
            super().handle_pong(event)
        else:
            self._fail("pongs")

    def _fail(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            self.frames = []
            self.conn.fail(CloseCode.POLICY_VIOLATION, reason)
            self.handle_parser_exception()


def _head(size: int) -> bytes:
    """The header of an unfragmented binary message of `size` bytes that a server sends (RFC 6455, section 5.2)."""
    if size < 126:
        return bytes((_BINARY, size))
    if size < 1 << 16:
        return bytes((_BINARY, 126)) + size.to_bytes(2, "big")
    return bytes((_BINARY, 127)) + size.to_bytes(8, "big")
