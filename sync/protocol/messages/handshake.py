# SPDX-License-Identifier: EUPL-1.2
"""Frames of the handshake, of signing in and of enrolling, and the two general replies."""

import msgspec

from sync.protocol.messages.frame import Frame, Receipt, RoomHead, Signed
from sync.protocol.messages.recovery import RecoveryRequest


class Hello(Frame, frozen=True, tag="hello"):
    """The client's first frame. `versions` is [lowest, highest] that the client speaks, `nonce` is random, `time` its
    clock in ms, `agent` its program and release, `address` what it dialled. Version 1 had no address; the server still
    decodes such a frame, so that it can answer with the error "version"."""

    versions: tuple[int, int]
    nonce: bytes
    time: int
    agent: str
    address: str = ""


class ServerHello(Frame, frozen=True, tag="server-hello"):
    """The answer to Hello: the chosen version, nonce, clock, and which server this is.

    `server_cert` is `enc([server_pk, not_after_ms])` signed by the agency key under the domain "server". `proof` is the
    server key's signature over what `hello_proof` returns; it is empty if the dialled address is not one of the
    server's.
    """

    version: int
    nonce: bytes
    time: int
    agency_pk: bytes
    server_cert: Signed
    proof: bytes = b""


class Auth(Frame, frozen=True, tag="auth"):
    """Signs a device in: `sig` is the device's signature, of the domain "auth", over `[server nonce, client nonce,
    agency fingerprint, address, uid, dev]`.

    `receipts` are the newest receipts that the client keeps, one per room.
    """

    rid: int
    uid: bytes
    dev: bytes
    address: str
    sig: bytes
    receipts: list[Receipt]


class Authed(Frame, frozen=True, tag="authed"):
    """The device is signed in: the newest entry of its person's key log (number and hash), every room that the person
    is a member of, and the recovery requests that the server may still accept, vetoed ones too.

    `restored` is the server's statement (trust/room/restore_notice.py) if it was ever restored from a backup; `closed`
    names those of `rooms` that have been closed to writing since then.
    """

    rid: int
    ulog_seq: int
    ulog_head: bytes
    rooms: list[RoomHead]
    recovery_requests: list[RecoveryRequest] = msgspec.field(default_factory=list)
    restored: Signed | None = None
    closed: list[bytes] = msgspec.field(default_factory=list)


class Invite(Frame, frozen=True, tag="invite"):
    """Asks for the certificate and staff record of an activation code; allowed before Auth."""

    rid: int
    invite_pk: bytes


class InviteReply(Frame, frozen=True, tag="invite-reply"):
    """The agency's certificate of a one-time key, and the staff record that it binds.

    `cert` is `enc([invite_pk, H(enc(["staff", salt, record])), not_after_ms])`, signed by the agency, domain "invite".
    `record` is `enc({text: text})` with "name", "title", "unit". `here` is true if the agency invites a person whose
    account has not ended; enrolling by this code would then make a second account.
    """

    rid: int
    cert: Signed
    salt: bytes
    record: bytes
    here: bool = False


class Enrol(Frame, frozen=True, tag="enrol"):
    """Registers a new person by the invitation with the key `invite_pk`. `entries` are the first three of their key
    log: the root key and first device, the binding to the agency's staff record, and the first generation of the
    person's key (PUK). Allowed before Auth. Answered by Ok."""

    rid: int
    invite_pk: bytes
    entries: list[Signed]


class Ok(Frame, frozen=True, tag="ok"):
    """The answer to a request that is done and that has nothing more to return."""

    rid: int


class Error(Frame, frozen=True, tag="error"):
    """A refusal. rid 0 means the connection itself, which is then closed. `detail` names a field or position."""

    rid: int
    code: str
    detail: str = ""


class Revoked(Frame, frozen=True, tag="revoked"):
    """The answer to an Auth by a device that its person's log has ended. The connection then closes.

    `entries` is the log up to the entry that ended the device; of a log that does not fit an answer only the newest of
    these. The server discloses no later entry.
    """

    rid: int
    entries: list[Signed]
