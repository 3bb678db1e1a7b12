# SPDX-License-Identifier: EUPL-1.2
"""One WebSocket: reads frames, passes requests to the service, writes answers. It has limits but no rules.

There are two kinds of tasks: one reader, and up to `requests_at_once` requests of a device over all its connections
(before sign-in one at a time). When the reader or the sending ends, the connection ends with all its tasks.
A request that fails is answered with an Error frame; a frame that cannot be read ends the connection with one. A
request that may not begin yet (fairness.py) blocks its connection's reader, so that nothing is queued.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from sync.errors import BugError, Reject
from sync.protocol.codec import decode_client, encode
from sync.protocol.messages import Auth, Authed, ClientFrame, Ephemeral, Error, ErrorCode, Frame, Hello, Revoked
from sync.server.config import Limits
from sync.server.load.fairness import Budget
from sync.server.load.fanout import Listener
from sync.server.load.outbox import Outbox
from sync.server.load.spending import metered, pay_by
from sync.server.process.connection_ports import Caller, Rules, Socket
from sync.server.process.sending import Sending
from sync.server.rules.handshake import Who
from sync.server.rules.refusal import Refusal, refusal_of
from sync.server.store.base import Full, StoreError
from sync.trust.room import ephemeral

log = logging.getLogger("sync.server")

LEAVE_S = 5.0
"""How long a connection may take to answer what it has begun when the server stops."""
_GOING = 1012
"""The close code for a server that restarts: clients reconnect at once."""
_REFUSED = 1008


_DROPPED_S = 1 / 60
"""Pause before a connection is read again after a dropped ephemeral message: at most 60 of them a second are read."""
_SIGNATURE_BYTES = 64


def _encoded(reply: Frame, rid: int) -> bytes:
    """The reply as bytes; if it is too long for a frame, an Error "internal" to the request `rid`. ▲ So every request
    gets an answer."""
    try:
        return encode(reply)
    except Reject:
        log.error("an answer is too long: %s", type(reply).__name__)
        return encode(Error(rid, ErrorCode.INTERNAL))


class Connection:
    """The server's side of one WebSocket: reads frames, has requests answered by `rules` (the rest of the server), and
    writes the answers, within `limits`. Each request begins when the budget of its device (before sign-in: of its
    address) allows. `run()` serves the connection and returns when either end has closed it."""

    def __init__(self, socket: Socket, rules: Rules, limits: Limits, caller: Caller | None = None) -> None:
        """`caller` is the connection as the entrance counts it before sign-in; None (in tests) counts nothing."""
        self._caller = caller
        self._budget = rules.hub.anybody if caller is None else caller.budget
        self._proven: Who | None = None
        """The device that proved itself; set before the sign-in is complete."""
        self._signing_in = False
        """Whether a device that proved itself waits for the rest of its sign-in."""
        self._socket = socket
        self._rules = rules
        self._limits = limits
        self._outbox = Outbox(limits.send_queue_bytes)
        self._sending = Sending(self._outbox, socket, rules.hub.flushing, limits.stall_s, self.end)
        self._handshake = rules.handshake()
        self._listener: Listener | None = None
        self._requests: dict[asyncio.Task[None], Budget | None] = {}
        """Running requests and the budget in which each began; None while a request waits for another budget."""
        self._over: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._reader: asyncio.Task[None] | None = None
        self._leaving = False

    async def run(self) -> None:
        """Serves the connection until it ends, and leaves no task behind."""
        self._reader = asyncio.create_task(self._end_on_return(self._read))
        self._await_sign_in()
        try:
            code = await self._over
        finally:
            self._deadline.cancel()
            self._rules.gone(self._outbox)
            if self._proven is not None:
                self._rules.hub.leave(self._proven.dev, self._outbox)
            if self._listener is not None:
                self._rules.hub.drop(self._listener)
            await self._sending.close()
            for task in (self._reader, *self._requests):
                task.cancel()
            await asyncio.gather(self._reader, *self._requests, return_exceptions=True)
        if code is not None:
            self._rules.meters.refused(code)
            await self._last_word(encode(Error(0, code, self._detail)), _REFUSED)
        elif self._leaving:
            await self._last_word(None, _GOING)

    async def leave(self) -> None:
        """Ends the connection because the server stops, and asks the client to reconnect by the close code. Reads no
        more; waits at most LEAVE_S until requests that have begun are answered, then at most LEAVE_S until the answers
        are sent. Requests that are still running then are cancelled."""
        self._leaving = True
        if self._reader is not None:
            self._reader.cancel()
        if self._requests:
            await asyncio.wait(self._requests, timeout=LEAVE_S)
        self._outbox.finish()
        await asyncio.wait([self._over], timeout=LEAVE_S)
        self.end(None)

    def end(self, code: str | None) -> None:
        """Makes `run` end the connection: it stops the connection's tasks and sends an Error frame, if `code` (an
        ErrorCode) is not None, before it closes. Does not wait for that. A second call does nothing."""
        if not self._over.done():
            self._over.set_result(code)

    async def _end_on_return(self, work: Callable[[], Awaitable[str | None]]) -> None:
        code: str | None = ErrorCode.INTERNAL
        try:
            code = await work()
        except ConnectionError:
            code = None
        except Exception:
            log.exception("connection failed")
        self.end(code)

    def _await_sign_in(self) -> None:
        self._deadline = asyncio.get_running_loop().call_later(self._limits.handshake_s, self._check_signed_in)

    def _check_signed_in(self) -> None:
        if self._rules.may_linger(self._outbox) or self._signing_in:
            self._await_sign_in()  # it is pairing, or waits for our answer
        elif self._listener is None:
            self.end(ErrorCode.AUTH)

    async def _last_word(self, frame: bytes | None, close_code: int) -> None:
        try:
            async with asyncio.timeout(1):
                if frame is not None:
                    await self._socket.drained()
                    self._socket.write([frame])
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
                frame = self._decoded(data)
            except Reject as e:
                return ErrorCode.OVERSIZE if e.code == "oversize" else ErrorCode.MALFORMED
            try:
                await self._take(frame)
            except Refusal as e:
                self._detail = e.detail
                return e.code

    def _decoded(self, data: bytes) -> ClientFrame:
        began = time.thread_time()
        try:
            return decode_client(data)
        finally:
            self._budget.charge(time.thread_time() - began)

    async def _take(self, frame: ClientFrame) -> None:
        match frame:
            case Hello():
                self._outbox.reply(encode(self._handshake.hello(frame)))
            case Ephemeral():
                await self._pass_on(frame)
            case _:
                self._handshake.check_greeted()
                await self._begin(frame)

    async def _pass_on(self, frame: Ephemeral) -> None:
        """Passes an ephemeral message (for the devices that are online; it is not stored) on to other devices, at a
        limited rate of its kind for the sending device over all its connections. Messages that are too large, that
        cannot be read, or that are beyond the rate are dropped without an answer. So are all while the device is beyond
        its processor time and another device or address has begun a request within the last second. ▲ After such a
        message the connection is not read for _DROPPED_S. Otherwise reading and dropping such frames could take all of
        the server's time. Refusal "auth" before sign-in."""
        if self._listener is None:
            raise Refusal(ErrorCode.AUTH, "first sign in")
        header = self._header_of(frame)
        if header is not None and self._budget.ephemerals.take(header.kind) and self._budget.may_disturb:
            pay_by(self._budget)
            self._rules.ephemeral(self._listener, frame, header)
        else:
            await asyncio.sleep(_DROPPED_S)

    def _header_of(self, frame: Ephemeral) -> ephemeral.EphemeralHeader | None:
        """The header of an ephemeral message, whose signature is not verified; None if the message is too large, or if
        its header cannot be read."""
        if len(frame.ct) > self._limits.ephemeral_bytes or len(frame.sig) != _SIGNATURE_BYTES:
            return None
        began = time.thread_time()
        try:
            return ephemeral.read(frame.body)
        except Reject:
            return None
        finally:
            self._budget.charge(time.thread_time() - began)

    async def _begin(self, frame: ClientFrame) -> None:
        """Begins to answer a request once the budget of its device (before sign-in: of its address) allows. Before
        sign-in also waits until it is answered. ▲ The connection reads no other request meanwhile. So a device that
        sends many requests delays only itself, over however many connections it sends them."""
        await self._budget.begin()
        task = asyncio.create_task(metered(self._answer, frame))
        self._requests[task] = self._budget
        task.add_done_callback(self._answered)
        if self._listener is None:
            await asyncio.wait([task])

    def _answered(self, task: "asyncio.Task[None]") -> None:
        budget = self._requests.pop(task)
        if budget is not None:
            budget.end()

    async def _answer(self, frame: ClientFrame) -> None:
        pay_by(self._budget)
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
        self._outbox.reply(_encoded(reply, rid))
        if isinstance(reply, Authed):
            self._outbox.release()
        self._sending.flush()  # at once: others, whom this may concern too, are notified in the steps that follow

    async def _reply(self, frame: ClientFrame) -> Frame:
        if isinstance(frame, Auth):
            return await self._sign_in(frame)
        if self._listener is None:
            self._handshake.check_release()  # before an activation code is spent on a program that cannot sign in
            reply = await self._rules.before_sign_in(self._outbox, frame)
            if self._caller is not None and self._rules.may_linger(self._outbox):
                self._caller.lingers()
            return reply
        return await self._rules.answer(self._listener, frame)

    async def _sign_in(self, frame: Auth) -> Frame:
        """Signs a device in and returns the answer, or Revoked for a device that is revoked. Refusal "auth", or
        "client-old" for a program that is too old. ▲ After the signature is verified, the rest of the sign-in is a
        request in the device's own budget. Otherwise a device could bypass its budget by connecting again and again."""
        who = await self._rules.prove(self._handshake, frame)
        if isinstance(who, Revoked):
            return who  # also for an old program: it must learn that its device is revoked
        self._handshake.check_release()
        self._proven, self._signing_in = who, True
        self._rules.hub.enter(who.dev, self._outbox, self.end)
        listener = Listener(who.uid, who.dev, self._outbox, self.end)
        budget = self._rules.hub.budget(who.dev, who.uid)
        if self._caller is not None:
            self._caller.signed_in(budget)
        try:
            await self._go_on_with(budget)
            # ▲ notifications of this person in the meantime are queued behind the answer. If the answer were made again
            # for each of them, others could keep the person from signing in
            self._outbox.hold()
            self._rules.hub.add(listener)
            reply = await self._rules.sign_in(who, self._handshake.agent, frame)
            if isinstance(reply, Authed):
                listener.note_rooms(head.receipt.room for head in reply.rooms)
                self._listener = listener
        finally:
            self._signing_in = False
            if self._listener is None:  # refused, revoked, or the store failed: it has no right to what was collected
                self._rules.hub.drop(listener)
                self._outbox.discard()
        return reply

    async def _go_on_with(self, budget: Budget) -> None:
        """Continues the current request in another budget (the processor time of an address or a device), when a device
        signs in: ends the request in the budget in which it began, and waits until `budget` lets it begin there. Later
        requests on this connection use `budget` too. BugError if the calling task is no request at work."""
        task = asyncio.current_task()
        before = self._requests.get(task) if task is not None else None
        if task is None or before is None:
            raise BugError("no request is at work")
        self._requests[task] = None
        before.end()
        await budget.begin()
        self._requests[task] = self._budget = budget
        pay_by(budget)
