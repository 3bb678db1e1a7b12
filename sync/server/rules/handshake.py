# SPDX-License-Identifier: EUPL-1.2
"""The handshake of one connection: hello, then a device proves itself by a signature over both nonces.

new --Hello--> greeted --Auth--> signed in. Invite and Enrol are allowed after hello; all other requests need a
signed-in device. A signature is valid for one connection, one agency and one address, so it cannot be relayed.
"""

import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from sync.crypto.signatures import verify
from sync.errors import Reject
from sync.ids import DevId, Uid
from sync.protocol.messages import Auth, ErrorCode, Hello, ServerHello
from sync.protocol.programs import Release, release_of, shown
from sync.protocol.version import SIGN_IN_CLOCK_TOLERANCE_MS, WIRE_MAX, WIRE_MIN
from sync.server.host.identity import Identity
from sync.server.rules.refusal import Refusal
from sync.trust.person.agency import hello_proof
from sync.trust.person.user_log import UserLog

NONCE_BYTES = 32
AGENT_CHARS = 64


def now_ms() -> int:
    """This machine's clock, ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Who:
    """A signed-in device: its id `dev`, and its person's id `uid`."""

    uid: Uid
    dev: DevId


class Handshake:
    """The server's side of one connection's handshake: a hello first, then a device signs in. `who` is the signed-in
    device, None before."""

    def __init__(
        self,
        identity: Identity,
        addresses: Callable[[], Collection[str]],
        clock: Callable[[], int] = now_ms,
        *,
        min_client: Release | None = None,
    ) -> None:
        """`addresses` returns the `host:port` at which clients reach this server, lower case. `clock` returns the time
        in ms. `min_client`: the oldest release of the client program that `check_release` lets pass; None lets all."""
        self._identity = identity
        self._addresses = addresses
        self._clock = clock
        self._min_client = min_client
        self._hello: Hello | None = None
        self._nonce = os.urandom(NONCE_BYTES)
        self.who: Who | None = None

    def hello(self, frame: Hello) -> ServerHello:
        """Answers a client's first frame: with the version to use, a nonce, the time, the server's certificate and a
        signature that proves its key. Refusals end the connection: "version" if both sides know no common one, "clock"
        (with the server's time) if the client's clock is more than ten minutes off, "malformed" for a second hello, a
        nonce that is not 32 bytes, or versions in the wrong order."""
        lowest, highest = frame.versions
        if self._hello is not None or len(frame.nonce) != NONCE_BYTES or lowest > highest:
            raise Refusal(ErrorCode.MALFORMED, "hello", fatal=True)
        if highest < WIRE_MIN or lowest > WIRE_MAX:
            raise Refusal(ErrorCode.VERSION, f"{WIRE_MIN}-{WIRE_MAX}", fatal=True)
        now = self._clock()
        if abs(now - frame.time) > SIGN_IN_CLOCK_TOLERANCE_MS:
            raise Refusal(ErrorCode.CLOCK, str(now), fatal=True)
        self._hello = frame
        who = self._identity
        return ServerHello(min(highest, WIRE_MAX), self._nonce, now, who.agency_pk, who.cert, self._proof(frame, now))

    def _proof(self, frame: Hello, now: int) -> bytes:
        """▲ The server key's signature over both nonces, the dialled address in `frame` and the time `now` (ms); empty
        if the address is not this server's. Otherwise a server in the middle that dials us under its own address could
        pass our proof on as its own."""
        if frame.address.lower() not in self._addresses():
            return b""
        who = self._identity
        return who.key.sign("hello", hello_proof(self._nonce, frame.nonce, who.fingerprint, frame.address, now))

    def check_greeted(self) -> None:
        """Raises a Refusal "malformed" that ends the connection, unless the client has sent its hello."""
        if self._hello is None:
            raise Refusal(ErrorCode.MALFORMED, "hello comes first", fatal=True)

    @property
    def agent(self) -> str:
        """The name that the client program gave, at most 64 characters; "" before its hello. ▲ Unprintable characters
        are removed, since an operator's terminal shows the name."""
        agent = self._hello.agent[:AGENT_CHARS] if self._hello is not None else ""
        return "".join(c for c in agent if c.isprintable())

    def check_release(self) -> None:
        """Refusal "client-old", with the required release as detail, if the client program named itself in its hello as
        an older release, as another program, or with no release that can be read. The connection stays open. Lets every
        client pass if no release is required."""
        named = release_of(self.agent)
        if self._min_client is not None and (named is None or named < self._min_client):
            raise Refusal(ErrorCode.CLIENT_OLD, shown(self._min_client))

    def sign_in(self, frame: Auth, log: UserLog | None) -> Who | None:
        """Checks that the connection is a device's: `frame` must be signed by a device in `log`, the log of the person
        that it names (None: there is no such person). Returns the device. Returns None for a device that proved itself
        but that its log has ended, so that the caller can show it why. A Refusal "auth" without detail, which ends the
        connection, in every other case."""
        if self._hello is None or self.who is not None or frame.address.lower() not in self._addresses():
            raise Refusal(ErrorCode.AUTH, fatal=True)
        device = log.devices.get(DevId(frame.dev)) if log is not None and log.bound else None
        if log is None or device is None:
            raise Refusal(ErrorCode.AUTH, fatal=True)
        proof = [self._nonce, self._hello.nonce, self._identity.fingerprint, frame.address, frame.uid, frame.dev]
        try:
            verify(device.sign_pk, "auth", proof, frame.sig)
        except Reject as e:
            raise Refusal(ErrorCode.AUTH, fatal=True) from e
        if log.device_active(frame.dev, log.seq) is not None:
            self.who = Who(Uid(frame.uid), DevId(frame.dev))
        return self.who
