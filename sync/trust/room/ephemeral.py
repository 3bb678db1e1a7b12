# SPDX-License-Identifier: EUPL-1.2
"""Signed and encrypted messages that are never stored: presence, typing, carets (protocol §9).

Body: `enc([2, room, epoch, uid, dev, session, ctr, time, kind, to, H(ct)])`, signed whole, domain "eph"; the array
without H(ct) is the AEAD context, the key KDF(K, "eph", room, e). `to` is the id of the one device that it is for, or
empty for all devices that listen to the room.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.signatures import verify
from sync.errors import BugError, Reject
from sync.ids import RoomId, Uid
from sync.protocol.version import CLOCK_TOLERANCE_MS
from sync.trust.formats import fields
from sync.trust.formats.items import Role
from sync.trust.person.author import Author
from sync.trust.room.envelope import pad, unpad

VERSION = 2
DOMAIN = "eph"
PRESENCE, TYPING, CARET, CALL, LIVE = range(1, 6)
LEAST_ROLE = {
    PRESENCE: Role.READER,
    TYPING: Role.WRITER,
    CARET: Role.READER,
    CALL: Role.READER,
    LIVE: Role.WRITER,
}
"""Every kind of ephemeral message that this program knows, and the lowest role that may send it."""
TO_ALL = b""
"""The addressee of a message for all devices that listen to the room."""
_DEV_BYTES = 16
_LIMIT = 512
_SESSIONS = 1000
"""▲ Sessions of one device that are remembered; those of four minutes. An honest device begins one with its program."""
_CT_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class EphemeralMessage:
    """One ephemeral message (sent to the devices that are online, stored by none), as it is sent: the signed body,
    which has a hash of the content, its signature, and the encrypted content `ct`."""

    body: bytes
    sig: bytes
    ct: bytes


class EphemeralSender:
    """Encrypts and signs this device's ephemeral messages in one room: those for devices that are online, which nobody
    stores. Each sender, that is each start of the room in a program, has a random session id and a counter that only
    rises, so that receivers detect replays."""

    def __init__(self, room: RoomId) -> None:
        self._room = room
        self._session = os.urandom(16)
        self._ctr = 0

    def encrypt(
        self,
        author: Author,
        epoch: int,
        key: bytes,
        payload: bytes,
        time: int,
        kind: int = PRESENCE,
        to: bytes = TO_ALL,
    ) -> EphemeralMessage:
        """Encrypts `payload` under `key`, the content key of the room's `epoch`, and signs it as `author`. `kind` says
        what the message is about, such as PRESENCE or TYPING. `to` is the id of the one device that it is for, 16
        bytes, or TO_ALL; BugError for another length. `time` is the server's clock as this client knows it, ms."""
        if len(to) not in (len(TO_ALL), _DEV_BYTES):
            raise BugError("an ephemeral message is to one device or to all")
        self._ctr += 1
        context: list[object] = [
            VERSION, self._room, epoch, author.uid, author.dev, self._session, self._ctr, time, kind, to
        ]  # fmt: skip
        ct = aead.encrypt(kdf(key, "eph", self._room, epoch), context, pad(payload))
        body = enc([*context, H(ct)])
        return EphemeralMessage(body, author.signing.sign(DOMAIN, body), ct)


@dataclass(frozen=True, slots=True)
class EphemeralHeader:
    """The signed header of an ephemeral message: its room, epoch, author (`uid`, `dev`), time (ms), kind, addressee
    (`to`, a device's id or TO_ALL), and the hash of its ciphertext (`digest`). `ctr` counts the messages of one
    `session`, the random id of one `EphemeralSender`."""

    room: bytes
    epoch: int
    uid: Uid
    dev: bytes
    session: bytes
    ctr: int
    time: int
    kind: int
    to: bytes
    digest: bytes


def read(body: bytes) -> EphemeralHeader:
    """Decodes the header of a `body`; its signature is not verified. Reject "malformed", "encoding", "oversize",
    "format" or "old-format"."""
    return _read(body)[0]


def _read(body: bytes) -> tuple[EphemeralHeader, list[object]]:
    """Decodes the body of an ephemeral message: its header, and the values that its encryption is bound to. The
    signature is not verified here. Reject "malformed", "encoding", "oversize", "format" or "old-format"."""
    parts = fields.versioned(dec(body, limit=_LIMIT), VERSION, 11, "ephemeral")
    room, epoch, uid, dev, session, ctr, time, kind, to, digest = parts
    header = EphemeralHeader(
        fields.raw(room, 16, "room"),
        fields.u64(epoch, "epoch"),
        Uid(fields.raw(uid, 16, "uid")),
        fields.raw(dev, 16, "dev"),
        fields.raw(session, 16, "session"),
        fields.u64(ctr, "ctr"),
        fields.u64(time, "time"),
        fields.u64(kind, "kind"),
        fields.raw(to, (len(TO_ALL), _DEV_BYTES), "to"),
        fields.raw(digest, 32, "H(ct)"),
    )
    return header, [VERSION, *parts[:-1]]


class EphemeralReceiver:
    """Verifies and decrypts the ephemeral messages of other members in one room: signature, order, time, role,
    addressee.

    It remembers the newest counter of every session until the session's last message is too old to be accepted again.
    """

    def __init__(self, room: RoomId, dev: bytes) -> None:
        """`dev`: the id of the device that receives."""
        self._room = room
        self._dev = dev
        self._newest: dict[bytes, dict[bytes, tuple[int, int]]] = {}
        """By device and session: the newest counter, and when it came."""

    def decrypt(
        self,
        message: EphemeralMessage,
        sign_pk: Callable[[Uid, bytes], bytes | None],
        key: Callable[[int], bytes | None],
        now: int,
        role: Callable[[Uid], Role | None] | None = None,
    ) -> tuple[EphemeralHeader, bytes] | None:
        """Returns the header and the decrypted payload; None for a message of a kind that this program does not know,
        of which nothing else is looked at: a newer program sends it. ▲ Reject "ephemeral" for a counter that is not
        above the session's newest (a replay, or too late), ▲ for more than 1,000 sessions of a device within 4 minutes,
        for a time over 2 minutes from `now`, a wrong room, role, device or hash, ▲ for a message to another device, for
        content above 64 KiB, and if `key` has no key; "signature" for a forged message; "malformed", "encoding",
        "oversize", "format" or "old-format" for one that cannot be decoded, "decrypt" or "padding" for one that cannot
        be decrypted.

        `sign_pk` is given a uid and a device id, and returns the public key of that device, or None unless it is an
        active one of a member. `key` is given an epoch's number, and returns its content key or None. `role` is given a
        uid, and returns a member's role or None (without it a sender's role is not checked). `now` is the server's time
        in ms.
        """
        header, context = _read(message.body)
        if header.kind not in LEAST_ROLE:
            return None
        if header.to not in (TO_ALL, self._dev):
            raise Reject("ephemeral", "addressee")
        if role and (role(header.uid) or 0) < LEAST_ROLE[header.kind]:
            raise Reject("ephemeral", "role")
        public = sign_pk(header.uid, header.dev)
        if header.room != self._room or public is None or len(message.ct) > _CT_LIMIT:
            raise Reject("ephemeral", "room or device")
        if abs(header.time - now) > CLOCK_TOLERANCE_MS:
            raise Reject("ephemeral", "time")
        sessions = self._sessions(header.dev, now)
        if header.ctr <= sessions.get(header.session, (0, 0))[0]:
            raise Reject("ephemeral", "replay")
        if header.session not in sessions and len(sessions) >= _SESSIONS:
            raise Reject("ephemeral", "sessions")
        if H(message.ct) != header.digest:
            raise Reject("ephemeral", "content hash")
        verify(public, DOMAIN, message.body, message.sig)
        secret = key(header.epoch)
        if secret is None:
            raise Reject("ephemeral", "epoch")
        payload = unpad(aead.decrypt(kdf(secret, "eph", self._room, header.epoch), context, message.ct))
        sessions[header.session] = (header.ctr, max(header.time, now))
        self._newest[header.dev] = sessions
        return header, payload

    def _sessions(self, dev: bytes, now: int) -> dict[bytes, tuple[int, int]]:
        """What is remembered of a device's sessions. ▲ A session is dropped only when the clock alone refuses every
        message that it ever sent. `now` is the server's time in ms."""
        sessions, oldest = self._newest.get(dev, {}), now - 2 * CLOCK_TOLERANCE_MS
        return {s: (c, t) for s, (c, t) in sessions.items() if t >= oldest} if len(sessions) >= _SESSIONS else sessions
