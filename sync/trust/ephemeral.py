# SPDX-License-Identifier: EUPL-1.2
"""Signed and sealed messages that nobody stores: presence, typing, carets (protocol §10).

Body: `enc([1, room, epoch, uid, dev, session, ctr, time, kind, H(ct)])`, signed whole, domain "eph"; the array
without H(ct) is the AEAD context, the key KDF(K, "eph", room, e).
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.signatures import verify
from sync.errors import Reject
from sync.ids import RoomId, Uid
from sync.protocol.version import CLOCK_TOLERANCE_MS
from sync.trust import fields
from sync.trust.author import Author
from sync.trust.envelope import pad, unpad

VERSION = 1
DOMAIN = "eph"
PRESENCE = 1
_LIMIT = 512
_CT_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Whisper:
    """An ephemeral as it travels."""

    body: bytes
    sig: bytes
    ct: bytes


class Whisperer:
    """Seals this device's ephemerals in one room: a fresh session per start, a counter that only rises."""

    def __init__(self, room: RoomId) -> None:
        self._room = room
        self._session = os.urandom(16)
        self._ctr = 0

    def seal(self, author: Author, epoch: int, key: bytes, payload: bytes, time: int, kind: int = PRESENCE) -> Whisper:
        """`time` is the server's clock as this client knows it, ms."""
        self._ctr += 1
        context: list[object] = [
            VERSION, self._room, epoch, author.uid, author.dev, self._session, self._ctr, time, kind
        ]  # fmt: skip
        ct = aead.seal(kdf(key, "eph", self._room, epoch), context, pad(payload))
        body = enc([*context, H(ct)])
        return Whisper(body, author.signing.sign(DOMAIN, body), ct)


@dataclass(frozen=True, slots=True)
class Heard:
    """Who said it. `session` and `ctr` order one device's ephemerals."""

    room: bytes
    epoch: int
    uid: Uid
    dev: bytes
    session: bytes
    ctr: int
    time: int
    kind: int
    digest: bytes


def read(body: bytes) -> Heard:
    """The clear part; Reject "malformed"."""
    parts = fields.array(dec(body, limit=_LIMIT), 10, "ephemeral")
    version, room, epoch, uid, dev, session, ctr, time, kind, digest = parts
    if version != VERSION:
        raise Reject("format", "ephemeral")
    return Heard(
        fields.raw(room, 16, "room"),
        fields.u64(epoch, "epoch"),
        Uid(fields.raw(uid, 16, "uid")),
        fields.raw(dev, 16, "dev"),
        fields.raw(session, 16, "session"),
        fields.u64(ctr, "ctr"),
        fields.u64(time, "time"),
        fields.u64(kind, "kind"),
        fields.raw(digest, 32, "H(ct)"),
    )


class Listener:
    """Checks what others whisper in one room: signature, order, time. Remembers the newest counter per session."""

    def __init__(self, room: RoomId) -> None:
        self._room = room
        self._newest: dict[bytes, tuple[bytes, int]] = {}

    def open(
        self,
        whisper: Whisper,
        sign_pk: Callable[[Uid, bytes], bytes | None],
        key: Callable[[int], bytes | None],
        now: int,
    ) -> tuple[Heard, bytes]:
        """Who, and the payload. ▲ Reject "ephemeral" for a replay, wrong time, room or device, "signature" for a spoof.

        `sign_pk` gives the key of an active device of a member, `key` the K of an epoch, `now` is server time in ms.
        """
        heard = read(whisper.body)
        public = sign_pk(heard.uid, heard.dev)
        if heard.room != self._room or public is None or len(whisper.ct) > _CT_LIMIT:
            raise Reject("ephemeral", "room or device")
        if abs(heard.time - now) > CLOCK_TOLERANCE_MS:
            raise Reject("ephemeral", "time")
        session, ctr = self._newest.get(heard.dev, (b"", 0))
        if session == heard.session and heard.ctr <= ctr:
            raise Reject("ephemeral", "replay")
        if H(whisper.ct) != heard.digest:
            raise Reject("ephemeral", "content hash")
        verify(public, DOMAIN, whisper.body, whisper.sig)
        secret = key(heard.epoch)
        if secret is None:
            raise Reject("ephemeral", "epoch")
        context = dec(whisper.body, limit=_LIMIT)
        assert isinstance(context, list)  # noqa: S101 - read() said so
        payload = unpad(aead.open_(kdf(secret, "eph", self._room, heard.epoch), context[:-1], whisper.ct))
        self._newest[heard.dev] = (heard.session, heard.ctr)
        return heard, payload
