# SPDX-License-Identifier: EUPL-1.2
"""Encrypted changes: header, padding, object keys, and batches signed at their tail (protocol §7).

```
hdr  = enc([2, suite, room, uid, dev, dev_seq, prev, epoch, seen, ulog, obj, share_c, kind, flags, ext])
ct   = AEAD(KDF(KDF(K, "obj", room, e, obj), "op", S_obj), ["op", H(hdr)], pad(payload))
body = enc([hdr, H(ct), len(ct)])     id = H("op-id" ‖ body)     sig = SIG(dsk, "op", id)
```
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sync.crypto import aead
from sync.crypto.encoding import dec, enc
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import SUITE_HYBRID
from sync.errors import BugError, Reject
from sync.ids import ChangeId, Hash, ObjId, RoomId, Uid
from sync.protocol.version import MAX_BATCH_ITEMS, MAX_OP_BYTES, MAX_PAYLOAD_BYTES
from sync.trust.formats import fields, usual_envelope
from sync.trust.formats.items import ENVELOPE, Role, item_id
from sync.trust.person.author import Author

VERSION = 2
HEADER_LIMIT = 1024
BODY_LIMIT = HEADER_LIMIT + 64
DOMAIN = "op"
ABOUT = 1

OP, SNAPSHOT, BASELINE, ATTEST, HEARTBEAT, PURGED = range(1, 7)
LEAST_ROLE = {
    OP: Role.WRITER,
    SNAPSHOT: Role.WRITER,
    BASELINE: Role.ADMIN,  # it counts as attested by the member who made the add
    ATTEST: Role.READER,
    HEARTBEAT: Role.READER,
    PURGED: Role.READER,
}
"""Every kind of envelope, and the lowest role that may post it."""

_BUCKETS = (256, 512, 1024, 2048, 4096)


@dataclass(frozen=True, slots=True)
class Header:
    """The unencrypted part of an envelope. The encrypted part is a change of the object `obj`, or something about it,
    as `kind` says. `epoch` is the number of the room's key.

    `uid`, `dev` are the author; `dev_seq` counts the envelopes of the device, and `prev` is the id of the one before,
    or of the entry that last added the author, whichever is later. `seen` is the position (number, running hash) of the
    room, and `ulog` that of the author's user log, that the author had verified. `share_c` commits to the object's
    share of its keys; it is empty in all but the object's first envelope. `kind` is OP (a change), SNAPSHOT or another
    row of `LEAST_ROLE`; of a newer program any number. `suite` is the cipher suite, `flags` is 0 in a valid one.
    `even_ext` are the numbers of extensions that only newer programs know.
    """

    suite: int
    room: bytes
    uid: Uid
    dev: bytes
    dev_seq: int
    prev: bytes
    epoch: int
    seen: tuple[int, bytes]
    ulog: tuple[int, bytes]
    obj: ObjId
    share_c: bytes
    kind: int
    flags: int
    even_ext: tuple[int, ...] = ()
    about: bytes = b""
    """Extension 1: the position that a snapshot covers (u64), or the snapshot that an attest is of (32 B); see
    snapshots.py."""

    def unknown(self) -> tuple[str, ...]:
        """▲ The features of the header that this program does not know: "kind 9", "ext 2"; () if it knows all. With
        such a feature the envelope is void, that is without effect at every client, unless the room's policy enables
        all of them: then the room needs a newer program."""
        kinds = () if self.kind in LEAST_ROLE else (f"kind {self.kind}",)
        return (*kinds, *(f"ext {e}" for e in self.even_ext))

    def encode(self) -> bytes:
        return enc(
            [
                VERSION, self.suite, self.room, self.uid, self.dev, self.dev_seq, self.prev, self.epoch,
                list(self.seen), list(self.ulog), self.obj, self.share_c, self.kind, self.flags,
                {ABOUT: self.about} if self.about else {},
            ]
        )  # fmt: skip

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Decodes a header. Reject "encoding", "oversize" or "malformed" for a wrong one, "format" for a newer version,
        "old-format" for an older one. Kind, suite, flags and unknown extensions are not judged here."""
        quick = usual_envelope.header(data)
        if quick is not None:
            suite, room, uid, dev, dev_seq, prev, epoch, seen, ulog, obj, share_c, kind, flags = quick
            return cls(suite, room, Uid(uid), dev, dev_seq, prev, epoch, seen, ulog, ObjId(obj), share_c, kind, flags)
        return cls._strictly(data)

    @classmethod
    def _strictly(cls, data: bytes) -> "Header":
        parts = fields.array(dec(data, limit=HEADER_LIMIT), 15, "header")
        version, suite, room, uid, dev, dev_seq, prev, epoch, seen, ulog, obj, share_c, kind, flags, ext = parts
        fields.version(version, VERSION, "envelope version")
        return cls(
            fields.u64(suite, "suite"),
            fields.raw(room, 16, "room"),
            Uid(fields.raw(uid, 16, "uid")),
            fields.raw(dev, 16, "dev"),
            fields.counter(dev_seq, "dev_seq"),
            fields.raw(prev, 32, "prev"),
            fields.u64(epoch, "epoch"),
            fields.position(seen, "seen"),
            fields.position(ulog, "ulog"),
            ObjId(fields.raw(obj, 16, "obj")),
            fields.raw(share_c, (0, 32), "share_c"),
            fields.u64(kind, "kind"),
            fields.u64(flags, "flags"),
            fields.even_ext(ext),
            fields.extension(ext, ABOUT),
        )


def read_body(body: bytes) -> tuple[bytes, bytes, int]:
    """Decodes a body to (header bytes, H(ct), len(ct))."""
    return usual_envelope.body(body, HEADER_LIMIT) or _read_body_strictly(body)


def _read_body_strictly(body: bytes) -> tuple[bytes, bytes, int]:
    hdr, digest, length = fields.array(dec(body, limit=BODY_LIMIT), 3, "envelope")
    return fields.blob(hdr, HEADER_LIMIT, "header"), fields.raw(digest, 32, "H(ct)"), fields.u64(length, "len(ct)")


def padded_size(size: int) -> int:
    """The length to which a plaintext of `size` bytes is padded, so that the ciphertext reveals less: 256, 512, 1k, 2k,
    4k, then Padmé (at most 12 % more). If a length field comes before the plaintext, the caller has counted it in
    `size`."""
    for bucket in _BUCKETS:
        if size <= bucket:
            return bucket
    exponent = size.bit_length() - 1
    mask = (1 << exponent - exponent.bit_length()) - 1
    return size + mask & ~mask


def pad(payload: bytes) -> bytes:
    """Pads a payload: its length as u32, the payload, then zeros up to `padded_size`."""
    return (len(payload).to_bytes(4, "big") + payload).ljust(padded_size(len(payload) + 4), b"\0")


def unpad(padded: bytes) -> bytes:
    """▲ Removes the padding of `pad`. Reject "padding" unless length, padded size and zeros are exactly those that
    `pad` makes."""
    end = 4 + int.from_bytes(padded[:4], "big")
    if (
        len(padded) < 4
        or end > len(padded)
        or len(padded) != padded_size(end)
        or padded.count(0, end) != len(padded) - end
    ):
        raise Reject("padding")
    return padded[4:end]


def pack(changes: Sequence[tuple[ChangeId, bytes]]) -> bytes:
    """The payload of an op: the changes of one object that were flushed together."""
    return enc([[c, data] for c, data in changes])


def unpack(payload: bytes) -> list[tuple[ChangeId, bytes]]:
    """Reads the changes in the decrypted payload of an envelope: (id, content), in the order in which they were made.
    Reject "malformed", "encoding" or "oversize"."""
    out = []
    for pair in fields.items(dec(payload, limit=MAX_OP_BYTES), "payload", 4096):
        change_id, data = fields.array(pair, 2, "payload")
        out.append((ChangeId(fields.raw(change_id, 16, "change id")), fields.blob(data, MAX_OP_BYTES, "payload")))
    return out


def root_share(room: bytes) -> bytes:
    """The share of the root object, which the room's id determines."""
    return H("root-share", room)


def object_of(room: bytes, share: bytes) -> ObjId:
    """▲ The id of an object of the room with the id `room` whose share is `share`, a random value from which its keys
    are derived. No other room can have an object of this id with a share that fits. Older objects have random ids,
    which are valid too but prove nothing."""
    return ObjId(H("object", room, share)[:16])


def share_commitment(room: bytes, obj: bytes, share: bytes) -> Hash:
    return H("share", room, obj, share)


class ObjectKeys:
    """The keys of the objects of one room, derived once for each epoch and object, and kept while the room is open."""

    def __init__(self, room: RoomId) -> None:
        self._room = room
        self._keys: dict[tuple[int, bytes, int], bytes] = {}

    def key(self, epoch_key: bytes, e: int, obj: bytes, share: bytes, kind: int = OP) -> bytes:
        """The AEAD key of the envelopes of object `obj` in epoch `e`. `epoch_key` is the epoch's archive key if `kind`
        is SNAPSHOT, and its content key for any other kind. `share` is the object's share, without which the key cannot
        be derived. The key is kept: a later call for the same object, epoch and sort of key returns it, without looking
        at `epoch_key` and `share`, so the caller must have verified both."""
        snapshot = kind == SNAPSHOT
        found = self._keys.get((e, obj, snapshot))
        if found is None:
            if snapshot:
                found = kdf(epoch_key, "snap", obj, share)
            else:
                found = kdf(kdf(epoch_key, "obj", self._room, e, obj), "op", share)
            self._keys[e, obj, snapshot] = found
        return found

    def forget(self, obj: bytes) -> None:
        """Drops the keys of the object `obj` from memory. Nothing happens if there are none."""
        self._keys = {name: key for name, key in self._keys.items() if name[1] != obj}

    def __repr__(self) -> str:
        return "ObjectKeys(…)"


@dataclass(frozen=True, slots=True)
class PlainOp:
    """One envelope before encryption: its `payload`, the object `obj` that it belongs to, and the AEAD `key` to encrypt
    it with. `share_c`, the commitment to the object's share, is set only in the object's first envelope. `kind` is a
    row of `LEAST_ROLE`. `about` goes into the header: the position (8 B) that a snapshot covers, in its last piece, or
    the id of the snapshot that an attest states to be right; otherwise b""."""

    obj: ObjId
    key: bytes
    share_c: bytes
    payload: bytes
    kind: int = OP
    about: bytes = b""

    def __repr__(self) -> str:
        return f"PlainOp({self.obj.hex()}, {len(self.payload)} B)"


@dataclass(frozen=True, slots=True)
class EncryptedBatch:
    """Encrypted envelopes that are stored and sent together: their bodies and their ciphertexts (`cts`), in order.
    `sig` signs the last one, and by that all of them. `first_seq` is the number of the first one among the device's
    envelopes, `last_id` the id of the last one."""

    bodies: tuple[bytes, ...]
    cts: tuple[bytes, ...]
    sig: bytes
    first_seq: int
    last_id: Hash


def encrypt_batch(
    author: Author,
    room: RoomId,
    epoch: int,
    seen: tuple[int, bytes],
    first_seq: int,
    prev: bytes,
    ops: Sequence[PlainOp],
) -> EncryptedBatch:
    """Encrypts and signs `ops` as one batch, in their order. The envelopes are numbered from `first_seq`, and each
    names the id of the one before; `prev` is the id that the first one names. `epoch` is the epoch of their keys.
    `seen` is the position (number, running hash) of the room that the author has verified. BugError for no, too many or
    too long ops."""
    if not 1 <= len(ops) <= MAX_BATCH_ITEMS:
        raise BugError("batch size")
    bodies, cts = [], []
    for i, op in enumerate(ops):
        if len(op.payload) > MAX_PAYLOAD_BYTES + 1024:
            raise BugError("payload must go as a blob")
        hdr = Header(
            SUITE_HYBRID, room, author.uid, author.dev, first_seq + i, prev, epoch, seen, author.ulog, op.obj,
            op.share_c, op.kind, 0, (), op.about,
        ).encode()  # fmt: skip
        ct = aead.encrypt(op.key, ["op", H(hdr)], pad(op.payload))
        body = enc([hdr, H(ct), len(ct)])
        prev = item_id(ENVELOPE, body)
        bodies.append(body)
        cts.append(ct)
    sig = author.signing.sign(DOMAIN, prev)
    return EncryptedBatch(tuple(bodies), tuple(cts), sig, first_seq, Hash(prev))


def decrypt_op(key: bytes, hdr: bytes, ct: bytes) -> bytes:
    """Decrypts the payload of one envelope, whose encoded header is `hdr`. Reject "decrypt" or "padding"."""
    return unpad(aead.decrypt(key, ["op", H(hdr)], ct))
