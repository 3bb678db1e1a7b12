# SPDX-License-Identifier: EUPL-1.2
"""One live connection: it shakes hands, pairs requests with their replies, and passes on every other frame in order."""

import asyncio
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from sync.client.wire.transport import Dialer, Transport
from sync.crypto.signatures import verify
from sync.errors import (
    ClockOff,
    Ended,
    Outdated,
    Refused,
    Reject,
    ServerUnproven,
    SyncError,
    TooOld,
    Unreachable,
    WrongAgency,
)
from sync.ids import DevId, Uid
from sync.protocol import codec
from sync.protocol.messages import (
    Auth,
    Authed,
    Error,
    ErrorCode,
    Frame,
    Hello,
    Receipt,
    Revoked,
    ServerFrame,
    ServerHello,
    Signed,
)
from sync.protocol.programs import AGENT
from sync.protocol.version import SIGN_IN_CLOCK_TOLERANCE_MS, WIRE_MAX, WIRE_MIN
from sync.trust.person.agency import agency_fingerprint, hello_proof, verify_server_cert

REQUEST_TIMEOUT_S = 30.0
_CODE = re.compile(r"[a-z][a-z0-9-]{0,39}")
_DETAIL_CHARS = 200

Reply = TypeVar("Reply", bound=Frame)


class Signer(Protocol):
    """The signing key of one device, with which it proves itself at the sign-in. `sign` returns its signature over
    `message`, any value that can be encoded, under the name `domain`: it counts for statements of that kind alone."""

    def sign(self, domain: str, message: object) -> bytes: ...


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What the handshake proved about the server: its key and certificate, and its agency's key. `offset_ms` is the
    server's clock minus this device's. `nonce` (the server's) and `client_nonce` (ours) are random bytes, which the
    sign-in signs."""

    agency_pk: bytes
    server_pk: bytes
    server_cert: Signed
    nonce: bytes
    client_nonce: bytes
    offset_ms: int


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request that was sent on a connection and waits for its reply."""

    rid: int
    future: "asyncio.Future[ServerFrame]" = field(repr=False)


class Connection:
    """One connection to the server: sends requests and waits for their replies, and passes on every other frame.
    `connect` opens it. After that, `request` may be used from any task while `run` is running."""

    def __init__(self, transport: Transport, address: str, identity: ServerIdentity) -> None:
        self.identity = identity
        self.address = address
        self._transport = transport
        self._next_rid = 1
        self._replies: dict[int, asyncio.Future[ServerFrame]] = {}
        self._closed: SyncError | None = None

    @classmethod
    async def connect(cls, dialer: Dialer, *, now_ms: Callable[[], int], agency_pin: bytes | None) -> "Connection":
        """Dials and shakes hands. Returns the open connection, on which nobody is signed in yet. Raises the errors of
        `Dialer.open`; Unreachable also if the server does not answer in time; TooOld if the two speak no common version
        of the protocol; ClockOff if the clocks differ too much; WrongAgency if the server's agency key is not the one
        of `agency_pin`; ServerUnproven if its answer is not signed with its key for the address that was dialled;
        Outdated or Refused if it refuses the connection; Reject if its answer breaks a rule (as an expired certificate
        does).

        `now_ms` returns this device's time in ms. `agency_pin` is the agency key's fingerprint (first 16 or all 32
        bytes of its hash). None if it is not known yet: then any agency is accepted.
        """
        transport = await dialer.open()
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                identity = await _shake_hands(transport, dialer.address.name, now_ms, agency_pin)
        except TimeoutError as e:
            await transport.close()
            raise Unreachable("handshake timed out") from e
        except BaseException:
            await transport.close()
            raise
        return cls(transport, dialer.address.name, identity)

    async def sign_in(self, uid: Uid, dev: DevId, signer: Signer, receipts: list[Receipt]) -> Authed:
        """Proves to the server that this is the device `dev` of the person `uid`: `signer`, the device's key, signs a
        challenge. `receipts` are the newest that this device has, one per room: the server's own signatures on how far
        each room had come. They show a server that was restored from a backup what it has lost. Returns the server's
        answer.

        Refused "auth" if the server does not know the device. Outdated if the operator asks for a newer program than
        this one. Ended if the server says that the person's log ends this device; the log's entries are in the error,
        not verified. Also raises the errors of `request`: Unreachable, other Refused, Reject "malformed".
        """
        who = self.identity
        challenge = [who.nonce, who.client_nonce, agency_fingerprint(who.agency_pk), self.address, uid, dev]
        sig = signer.sign("auth", challenge)
        reply = await self.request(
            lambda rid: Auth(rid=rid, uid=uid, dev=dev, address=self.address, sig=sig, receipts=receipts), Frame
        )
        if isinstance(reply, Revoked):
            raise Ended([(e.body, e.sig) for e in reply.entries])
        if not isinstance(reply, Authed):
            raise Reject("malformed", f"reply {type(reply).__name__}")
        return reply

    async def request(self, build: Callable[[int], Frame], reply: type[Reply]) -> Reply:
        """Sends the frame that `build` returns for a new request id, which it is given, and waits for the reply. An
        error of `build` is passed on. Refused or Outdated if the server refuses the request; Unreachable if the
        connection is lost or no reply comes within REQUEST_TIMEOUT_S; Reject "malformed" for a reply of another type
        than `reply`."""
        if self._closed is not None:
            raise Unreachable("connection lost") from self._closed
        sent = self._next_request()
        try:
            await self.post(build(sent.rid))
            return await self.reply_to(sent, reply)
        finally:
            self._replies.pop(sent.rid, None)

    def request_at_once(self, build: Callable[[int], Frame]) -> "SentRequest | None":
        """Sends the request that `build` makes for a new request id, if the connection takes it without waiting.
        Returns what `reply_to` waits for. None if nothing was sent, because the connection is busy or lost: then use
        `request`, which waits or raises. Reject "oversize" for a frame that is too large."""
        if self._closed is not None:
            return None
        sent = self._next_request()
        if self._transport.send_at_once(codec.encode(build(sent.rid))):
            return sent
        del self._replies[sent.rid]
        return None

    def _next_request(self) -> "SentRequest":
        sent = SentRequest(self._next_rid, asyncio.get_running_loop().create_future())
        self._next_rid += 1
        self._replies[sent.rid] = sent.future
        return sent

    async def reply_to(self, sent: "SentRequest", reply: type[Reply]) -> Reply:
        """Waits for the reply to a request that `request_at_once` sent on this connection, up to REQUEST_TIMEOUT_S from
        now. Raises what `request` raises. Call it once for a request."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                frame = await sent.future
        except TimeoutError as e:
            raise Unreachable("no reply in time") from e
        finally:
            self._replies.pop(sent.rid, None)
        if isinstance(frame, Error):
            raise _refused(frame)
        if not isinstance(frame, reply):
            raise Reject("malformed", f"reply {type(frame).__name__}")
        return frame

    async def post(self, frame: Frame) -> None:
        """Sends a frame that has no reply. Unreachable if the connection is lost."""
        await self._transport.send(codec.encode(frame))

    async def run(self, on_frame: Callable[[ServerFrame], None]) -> None:
        """Reads until the connection ends, then raises the reason; requests that wait for a reply then raise
        Unreachable. `on_frame` gets, in order, every frame for which no request waits, also a late reply; but not the
        server's error about the connection itself, which ends it. `on_frame` must not block; an error that it raises
        ends the connection. Reject for a frame that cannot be decoded."""
        try:
            while True:
                frame = codec.decode_server(await self._transport.receive())
                future = self._replies.get(getattr(frame, "rid", 0))
                if future is None:
                    _raise_if_closing(frame)
                    on_frame(frame)
                elif not future.done():
                    future.set_result(frame)
                    if isinstance(frame, Authed):
                        await asyncio.sleep(0)  # the caller of sign_in runs before the frames behind the answer
        except SyncError as e:
            self._closed = e
            raise
        finally:
            self._closed = self._closed or Unreachable("connection closed")
            for future in self._replies.values():
                if not future.done():
                    future.set_exception(Unreachable("connection lost"))
                    future.exception()  # if sending failed, no caller waits for this
            await self._transport.close()

    async def close(self) -> None:
        await self._transport.close()


async def _shake_hands(
    transport: Transport, address: str, now_ms: Callable[[], int], agency_pin: bytes | None
) -> ServerIdentity:
    nonce = os.urandom(32)
    sent_ms = now_ms()
    hello = Hello(versions=(WIRE_MIN, WIRE_MAX), nonce=nonce, time=sent_ms, agent=AGENT, address=address)
    await transport.send(codec.encode(hello))
    frame = codec.decode_server(await transport.receive())
    if isinstance(frame, Error):
        raise _refusal(frame)
    if not isinstance(frame, ServerHello):
        raise Reject("malformed", "server hello")
    if not WIRE_MIN <= frame.version <= WIRE_MAX:
        raise TooOld(f"server speaks version {frame.version}")
    fingerprint = agency_fingerprint(frame.agency_pk)
    if agency_pin is not None and fingerprint[: len(agency_pin)] != agency_pin:
        raise WrongAgency("agency key differs from the pinned one")
    server_pk = verify_server_cert(frame.agency_pk, frame.server_cert.body, frame.server_cert.sig, frame.time)
    _check_proof(frame, server_pk, hello, fingerprint)
    offset_ms = frame.time - (sent_ms + now_ms()) // 2
    if abs(offset_ms) > SIGN_IN_CLOCK_TOLERANCE_MS:
        raise ClockOff(f"{offset_ms} ms")
    return ServerIdentity(frame.agency_pk, server_pk, frame.server_cert, frame.nonce, nonce, offset_ms)


def _check_proof(answer: ServerHello, server_pk: bytes, hello: Hello, agency: bytes) -> None:
    """▲ ServerUnproven unless `answer`, the server's reply to our `hello`, is signed by `server_pk`, the key that the
    server's certificate names. The signature must cover both sides' random bytes, `agency` (the fingerprint of the
    agency's key), the address that we dialled, and the server's time. Otherwise anybody could show the certificate,
    which every client knows. Returns nothing."""
    try:
        signed = hello_proof(answer.nonce, hello.nonce, agency, hello.address, answer.time)
        verify(server_pk, "hello", signed, answer.proof)
    except Reject as e:
        raise ServerUnproven(hello.address) from e


def _raise_if_closing(frame: ServerFrame) -> None:
    """Does nothing, unless `frame` is an Error without a request id: the server's last frame on this connection. Then
    raises what its code means: TooOld (no common version of the protocol), ClockOff (the clocks differ too much),
    Outdated (the operator asks for a newer program), or Refused for every other code."""
    if isinstance(frame, Error) and frame.rid == 0:
        raise _refusal(frame)


def _refusal(frame: Error) -> SyncError:
    match frame.code:
        case ErrorCode.VERSION:
            return TooOld(frame.detail)
        case ErrorCode.CLOCK:
            return ClockOff(frame.detail)
        case _:
            return _refused(frame)


def _refused(frame: Error) -> Outdated | Refused:
    """The exception for an Error frame: Outdated if its code is "client-old", otherwise Refused. The code goes into
    logs and selects a sentence, so it must be a word of small letters, digits and dashes; any other code becomes
    "internal". The detail is shortened, and characters that cannot be printed are left out."""
    if frame.code == ErrorCode.CLIENT_OLD:
        return Outdated()
    code = frame.code if _CODE.fullmatch(frame.code) else ErrorCode.INTERNAL
    detail = "".join(c for c in frame.detail[:_DETAIL_CHARS] if c.isprintable())
    return Refused(code, detail)
