# SPDX-License-Identifier: EUPL-1.2
"""One WebSocket: reads frames, asks the service, writes answers. Knows sockets and limits, no rules.

Three kinds of tasks: one reader, one writer, and up to `requests_at_once` requests. Whatever ends one of them ends
all. A request's failure is its own Error frame; a frame that cannot be read ends the connection with one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from sync.errors import Reject
from sync.protocol.codec import decode_client, encode
from sync.protocol.messages import Auth, Authed, ClientFrame, Ephemeral, Error, ErrorCode, Frame, Hello, Revoked
from sync.server.auth import Handshake, Who
from sync.server.config import Limits
from sync.server.fanout import Hub, Listener, Outbox
from sync.server.meters import Meters
from sync.server.rates import Bucket
from sync.server.refusal import Refusal, refusal_of
from sync.server.store.base import Full, StoreError

log = logging.getLogger("sync.server")

LEAVE_S = 5.0
"""How long a connection may take to answer what it has begun when the server stops."""
_GOING = 1012
"""WebSocket's word for a server that is started again: clients come back at once."""
_REFUSED = 1008


class Socket(Protocol):
    """The bytes of one WebSocket."""

    async def receive(self) -> bytes | None:
        """The next binary message, b"" for a text message, None when the other end has gone."""
        ...

    async def send(self, data: bytes) -> None: ...

    async def close(self, code: int) -> None: ...


class Rules(Protocol):
    """What a connection needs from the service."""

    hub: Hub
    meters: Meters

    def handshake(self) -> Handshake: ...

    async def sign_in(self, handshake: Handshake, frame: Auth) -> tuple[Who, Authed] | Revoked: ...

    async def before_sign_in(self, peer: Outbox, frame: ClientFrame) -> Frame: ...

    def may_linger(self, peer: Outbox) -> bool: ...

    def gone(self, peer: Outbox) -> None: ...

    async def answer(self, listener: Listener, frame: ClientFrame) -> Frame: ...

    def ephemeral(self, listener: Listener, frame: Ephemeral) -> None: ...


class Connection:
    """`run()` serves the socket until either end leaves."""

    def __init__(self, socket: Socket, rules: Rules, limits: Limits) -> None:
        self._socket = socket
        self._rules = rules
        self._limits = limits
        self._outbox = Outbox(limits.send_queue_bytes)
        self._handshake = rules.handshake()
        self._listener: Listener | None = None
        self._requests: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(limits.requests_at_once)
        self._frames = Bucket(limits.frames_per_s, limits.frames_burst)
        self._passing = Bucket(limits.ephemeral_per_s, limits.ephemeral_burst)
        self._over: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._reader: asyncio.Task[None] | None = None
        self._leaving = False

    async def run(self) -> None:
        """Serves until the end; leaves no task behind."""
        self._reader = asyncio.create_task(self._end_on_return(self._read))
        tasks = [self._reader, asyncio.create_task(self._end_on_return(self._write))]
        self._await_sign_in()
        try:
            code = await self._over
        finally:
            self._deadline.cancel()
            self._rules.gone(self._outbox)
            if self._listener is not None:
                self._rules.hub.drop(self._listener)
            for task in (*tasks, *self._requests):
                task.cancel()
            await asyncio.gather(*tasks, *self._requests, return_exceptions=True)
        if code is not None:
            self._rules.meters.refused(code)
            await self._last_word(encode(Error(0, code, self._detail)), _REFUSED)
        elif self._leaving:
            await self._last_word(None, _GOING)

    async def leave(self) -> None:
        """The server stops: reads no more, answers what was begun, and says that it is going. Ends within LEAVE_S."""
        self._leaving = True
        if self._reader is not None:
            self._reader.cancel()
        if self._requests:
            await asyncio.wait(self._requests, timeout=LEAVE_S)
        self._outbox.finish()
        await asyncio.wait([self._over], timeout=LEAVE_S)
        self.end(None)

    def end(self, code: str | None) -> None:
        """Ends the connection, with an Error frame if there is a code. Twice is once."""
        if not self._over.done():
            self._over.set_result(code)

    async def _end_on_return(self, work: Callable[[], Awaitable[str | None]]) -> None:
        code: str | None = ErrorCode.INTERNAL
        try:
            code = await work()
        except TimeoutError:
            code = None
            log.info("slow reader cut off, %d bytes waiting", self._outbox.size_bytes)
        except ConnectionError:
            code = None
        except Exception:
            log.exception("connection failed")
        self.end(code)

    def _await_sign_in(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(self._limits.handshake_s, self._check_signed_in)

    def _check_signed_in(self) -> None:
        if self._rules.may_linger(self._outbox):
            self._await_sign_in()
        elif self._listener is None:
            self.end(ErrorCode.AUTH)

    async def _last_word(self, frame: bytes | None, close_code: int) -> None:
        try:
            async with asyncio.timeout(1):
                if frame is not None:
                    await self._socket.send(frame)
                await self._socket.close(close_code)
        except (TimeoutError, ConnectionError, RuntimeError):
            return

    _detail = ""

    # -- reading

    async def _read(self) -> str | None:
        while True:
            await self._outbox.space()
            data = await self._socket.receive()
            if data is None:
                return None
            try:
                frame = decode_client(data)
            except Reject as e:
                return ErrorCode.OVERSIZE if e.code == "oversize" else ErrorCode.MALFORMED
            try:
                await self._take(frame)
            except Refusal as e:
                self._detail = e.detail
                return e.code

    async def _take(self, frame: ClientFrame) -> None:
        match frame:
            case Hello():
                self._outbox.reply(encode(self._handshake.hello(frame)))
            case Ephemeral():
                if self._listener is None:
                    raise Refusal(ErrorCode.AUTH, "first sign in")
                if len(frame.ct) <= self._limits.ephemeral_bytes and self._passing.take():
                    self._rules.ephemeral(self._listener, frame)
            case _:
                self._handshake.check_greeted()
                if not self._frames.take():
                    self._rules.meters.refused(ErrorCode.BUSY)
                    self._outbox.reply(encode(Error(frame.rid, ErrorCode.BUSY, "rate")))
                    return
                await self._slots.acquire()
                task = asyncio.create_task(self._answer(frame))
                self._requests.add(task)
                task.add_done_callback(self._answered)

    def _answered(self, task: "asyncio.Task[None]") -> None:
        self._requests.discard(task)
        self._slots.release()

    async def _answer(self, frame: ClientFrame) -> None:
        rid: int = frame.rid  # type: ignore[union-attr]  # Hello and Ephemeral are taken before
        try:
            reply = await self._reply(frame)
        except Refusal as e:
            log.info("refused %s: %s", type(frame).__name__, e.code)
            if e.fatal:
                self._detail = e.detail
                self.end(e.code)
                return
            reply = Error(rid, e.code, e.detail)
        except Reject as e:
            refusal = refusal_of(e)
            log.info("refused %s: %s", type(frame).__name__, refusal.code)
            reply = Error(rid, refusal.code, refusal.detail)
        except StoreError as e:
            log.warning("store refused %s: %s", type(frame).__name__, e.code)
            reply = Error(rid, ErrorCode.FULL, "disk") if isinstance(e, Full) else Error(rid, ErrorCode.BUSY, "store")
        except Exception:
            log.exception("failed on %s", type(frame).__name__)
            reply = Error(rid, ErrorCode.INTERNAL)
        if isinstance(reply, Error):
            self._rules.meters.refused(reply.code)
        self._outbox.reply(encode(reply))

    async def _reply(self, frame: ClientFrame) -> Frame:
        if isinstance(frame, Auth):
            signed_in = await self._rules.sign_in(self._handshake, frame)
            if isinstance(signed_in, Revoked):
                return signed_in
            who, reply = signed_in
            self._listener = Listener(who.uid, who.dev, self._outbox, self.end)
            self._rules.hub.add(self._listener)
            return reply
        if self._listener is None:
            return await self._rules.before_sign_in(self._outbox, frame)
        return await self._rules.answer(self._listener, frame)

    # -- writing

    async def _write(self) -> str | None:
        while True:
            data = await self._outbox.take()
            if data is None:
                return None
            async with asyncio.timeout(self._limits.stall_s):
                await self._socket.send(data)
