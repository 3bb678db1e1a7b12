# SPDX-License-Identifier: EUPL-1.2
"""Generations of a room's key (epochs): made, sealed to the members and recovery recipients, opened, and followed back
to older ones (protocol §6)."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from sync.crypto import aead, seal
from sync.crypto.encoding import ARRAY, dec, enc, head
from sync.crypto.kdf import H, kdf
from sync.crypto.seal import KemKey
from sync.errors import BugError, Reject
from sync.ids import NO_UID, Hash, RoomId, Uid
from sync.trust.formats import fields
from sync.trust.keys import merkle

USER = 1
RECOVERY = 2
NO_COMMITMENT = b""
_PREV_LIMIT = 512 * 1024


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom an epoch's keys are sealed (`kind`): a person, or a recovery key of the agency.

    The keys are sealed to `kem_pk`. For a person that is generation `puk_gen` of their per-user key, after entry
    `ulog_seq` (with hash `ulog_head`) of their user log. `history` is true if they also receive the archive key. For
    the agency, `uid` is the id of its key, `ulog_head` the key's hash, and both numbers are 0.
    """

    kind: int
    uid: Uid
    ulog_seq: int
    ulog_head: Hash
    puk_gen: int
    kem_pk: bytes
    history: bool
    order: bytes = field(init=False, repr=False)
    """enc([kind, uid, seq, head, gen]): the recipient's row in `recip`, by which recipients are sorted."""

    def __post_init__(self) -> None:
        row = enc([self.kind, self.uid, self.ulog_seq, self.ulog_head, self.puk_gen])
        object.__setattr__(self, "order", row)


_ORDER = attrgetter("order")


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """The public part of an epoch (a generation of a room's keys), as an entry of the room's log carries it: number
    `e`, and commitments (hashes) to its content key (`kc`) and archive key (`ac`). `prev` is encrypted under the
    archive key and holds the content keys of the epochs from `base` up to the one before, and the archive key of
    `base`. `recip` is the hash of the recipients, `root` the Merkle root of the `count` seals, `unsealed` the ids of
    the recipients to whose key nothing could be sealed. `n` is the position of that entry, and `by` its author.

    An epoch has one of three shapes: linked (ac, prev and base); with a fresh archive (ac alone: epoch 1, or when no
    member may read history); without an archive (none of them). `pins` are the newer user-log heads that the entry
    states; they are not kept in a room's state once they are applied.
    """

    e: int
    kc: Hash
    ac: bytes
    prev: bytes
    base: int | None
    recip: Hash
    root: Hash
    count: int
    unsealed: tuple[bytes, ...]
    pins: tuple[tuple[Uid, int, Hash], ...]
    n: int = 0
    by: Uid = NO_UID

    @property
    def has_archive(self) -> bool:
        return bool(self.ac)

    def payload(self) -> list[object]:
        """Encodes the epoch (a generation of a room's keys) to the list that an entry carries, without `n` and `by`,
        which belong to the entry; `Epoch.read` reads it."""
        pins = [[uid, seq, head] for uid, seq, head in self.pins]
        return [
            self.e,
            self.kc,
            self.ac,
            self.prev,
            self.base,
            self.recip,
            self.root,
            self.count,
            list(self.unsealed),
            pins,
        ]

    @classmethod
    def read(cls, value: object) -> "Epoch":
        """Reads an epoch (a generation of a room's keys) from `value`, the list that an entry carries; `n` and `by` are
        not in it and keep their defaults. Reject "malformed" for wrong types or lengths, or unless the epoch is linked
        to older ones (with `ac`, `prev` and `base`), has a fresh archive (`ac` alone) or has no archive (none of them).
        The keys are not checked here."""
        e, kc, ac, prev, base, recip, root, count, unsealed, pins = fields.array(value, 10, "epoch")
        epoch = cls(
            e=fields.u64(e, "epoch"),
            kc=Hash(fields.raw(kc, 32, "kc")),
            ac=fields.raw(ac, (0, 32), "ac"),
            prev=fields.blob(prev, _PREV_LIMIT, "prev"),
            base=None if base is None else fields.u64(base, "base"),
            recip=Hash(fields.raw(recip, 32, "recip")),
            root=Hash(fields.raw(root, 32, "root")),
            count=fields.u64(count, "count"),
            unsealed=tuple(fields.raw(u, 16, "unsealed") for u in fields.items(unsealed, "unsealed")),
            pins=read_pins(pins),
        )
        linked = epoch.base is not None
        if linked != bool(epoch.prev) or (linked and not epoch.has_archive):
            raise Reject("malformed", "epoch link")
        return epoch


def most_prev_bytes(base: int, e: int) -> int:
    """▲ The greatest length (bytes) of `prev`, by which epoch `e` gives readers of the history the keys of the epochs
    from `base` to `e - 1`: 40 bytes for each of them, and 112 for the archive key of `base` and the encryption.

    Every member stores `prev`, and only members who may read the history can decrypt it. Without this bound anybody who
    makes an epoch could have all members store noise.
    """
    return 40 * max(e - base, 0) + 112


def read_pins(value: object) -> tuple[tuple[Uid, int, Hash], ...]:
    pins = []
    for pin in fields.items(value, "pins"):
        uid, seq, head = fields.array(pin, 3, "pin")
        pins.append((Uid(fields.raw(uid, 16, "pin")), fields.u64(seq, "pin"), Hash(fields.raw(head, 32, "pin"))))
    return tuple(pins)


def recipients_hash(recipients: Iterable[Recipient]) -> Hash:
    """▲ The hash `recip` of an epoch's recipients, in whatever order they are given. Every client recomputes it from
    the members and the heads up to which their user logs count in the room, so that nobody can add or leave out a
    recipient unnoticed."""
    rows = sorted(r.order for r in recipients)
    # joins the encoding of the array from its members' encodings, which would otherwise be made twice
    return H(head(ARRAY, len(rows)), *rows)


def in_order(recipients: Iterable[Recipient]) -> list[Recipient]:
    """The recipients in the order of `recip`, which is also the order of their seals in the tree."""
    return sorted(recipients, key=_ORDER)


def content_commitment(room: bytes, e: int, key: bytes) -> Hash:
    return H("kc", room, e.to_bytes(8, "big"), key)


def archive_commitment(room: bytes, e: int, key: bytes) -> Hash:
    return H("ac", room, e.to_bytes(8, "big"), key)


def seal_info(room: bytes, e: int, kc: bytes, uid: bytes, puk_gen: int) -> bytes:
    return enc([room, e, kc, uid, puk_gen])


class KeyRing:
    """The secret keys of one room that this device holds: of each epoch the content key (K), and the archive key (A) if
    it was received. `keys` are (epoch, K, A or None)."""

    def __init__(self, room: RoomId, keys: Iterable[tuple[int, bytes, bytes | None]] = ()) -> None:
        self.room = room
        self._keys: dict[int, tuple[bytes, bytes | None]] = {e: (k, a) for e, k, a in keys}

    def add(self, e: int, k: bytes, a: bytes | None) -> bool:
        """Adds the keys of epoch `e`: its content key `k`, and its archive key `a` or None. The caller has verified
        them. True if either of them is new here. Keys that are here already stay: None for `a` does not erase an
        archive key."""
        old = self._keys.get(e)
        if old is not None and (a is None or old[1] is not None):
            return False
        self._keys[e] = (k, a)
        return True

    def k(self, e: int) -> bytes | None:
        held = self._keys.get(e)
        return held[0] if held else None

    def a(self, e: int) -> bytes | None:
        held = self._keys.get(e)
        return held[1] if held else None

    def all(self) -> list[tuple[int, bytes, bytes | None]]:
        return [(e, k, a) for e, (k, a) in sorted(self._keys.items())]

    def __repr__(self) -> str:
        return f"KeyRing(epochs={sorted(self._keys)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEpoch:
    """An epoch (a generation of a room's keys) that was made on this device and is not published yet: its public part
    (`epoch`), its content key (`k`) and archive key (`a`, None without an archive). `seals` are the keys sealed to each
    of the `recipients`, in the same order, which is that of the Merkle tree; a seal is empty if nothing could be sealed
    to that recipient."""

    epoch: Epoch
    recipients: list[Recipient]
    seals: list[bytes]
    k: bytes
    a: bytes | None

    def __repr__(self) -> str:
        return f"NewEpoch({self.epoch.e})"


def sound_base(room: RoomId, epochs: Mapping[int, Epoch], ring: KeyRing) -> int | None:
    """▲ The number of the newest epoch to which a new one can link back, that is, hold the keys from there on for
    readers of the history; None if there is none. The device must hold that epoch's archive key in `ring`. If the epoch
    itself has a link, it must open, hold the key of every epoch that it reaches over, and match their commitments in
    `epochs` (the room's epochs by number). An epoch with a bad link is skipped, without an error.

    After a bad or null link the next epoch's maker therefore links below it, and nobody can cut off the history.
    """
    for e in sorted(epochs, reverse=True):
        a = ring.a(e)
        if a is None:
            continue
        if epochs[e].base is None:
            return e
        try:
            if all(key is not None for key in _open_link(room, epochs[e], epochs, a)[1].values()):
                return e
        except Reject:
            continue
    return None


def new_epoch(
    room: RoomId,
    e: int,
    recipients: Sequence[Recipient],
    pins: Sequence[tuple[Uid, int, Hash]],
    ring: KeyRing,
    *,
    archive: bool = True,
    base: int | None = None,
) -> NewEpoch:
    """▲ Makes epoch `e` (a generation of a room's keys), with fresh independent secrets on every attempt, sealed to the
    `recipients`, and returns it unpublished. `pins` are the (uid, seq, hash) of user-log heads that are to be published
    with it.

    With `base`, a number from `sound_base`, the epoch holds, encrypted, the keys in `ring` from epoch `base` on; None
    for no link to older epochs. `archive` False makes an epoch without an archive key, as a signer without history
    must; then `base` must be None. BugError for a `base` without `archive`, or whose archive key is not in `ring`:
    nobody could read it. Each seal takes about 60 µs, so call this in a thread. Nothing is raised for a recipient to
    whom nothing can be sealed: that seal is empty, and the epoch names the recipient as unsealed.
    """
    if base is not None and (not archive or ring.a(base) is None):
        raise BugError("a link needs both archive keys")
    k, a = os.urandom(32), os.urandom(32) if archive else None
    prev = b""
    if a is not None and base is not None:
        older = {x: ring.k(x) for x in range(base, e)}
        prev = aead.encrypt(kdf(a, "prev", room, e), ["prev", room, e, base], enc([ring.a(base), older]))
    kc = content_commitment(room, e, k)
    ordered = in_order(recipients)
    seals, unsealed = _sealed(room, e, kc, ordered, k, a)
    epoch = Epoch(
        e=e,
        kc=kc,
        ac=archive_commitment(room, e, a) if a is not None else NO_COMMITMENT,
        prev=prev,
        base=base,
        recip=recipients_hash(ordered),
        root=merkle.root(seals),
        count=len(seals),
        unsealed=unsealed,
        pins=tuple(pins),
    )
    return NewEpoch(epoch=epoch, recipients=ordered, seals=seals, k=k, a=a)


def _sealed(
    room: RoomId, e: int, kc: bytes, recipients: Sequence[Recipient], k: bytes, a: bytes | None
) -> tuple[list[bytes], tuple[bytes, ...]]:
    """Seals the content key `k` of the epoch with the number `e` to each recipient, and with it the archive key `a`, if
    there is one, to persons who may read the history. Returns the seals, one for each recipient in order, and the uids
    to whose key nothing can be sealed; their seal is empty. `kc` is the commitment to `k`."""
    seals, unsealed = [], []
    for r in recipients:
        secret = k + a if a is not None and r.history and r.kind == USER else k
        try:
            seals.append(seal.seal_to(r.kem_pk, seal_info(room, e, kc, r.uid, r.puk_gen), secret))
        except ValueError:
            seals.append(b"")
            unsealed.append(bytes(r.uid))
    return seals, tuple(unsealed)


def seal_for(room: RoomId, epoch: Epoch, recipient: Recipient, k: bytes, a: bytes | None) -> bytes:
    """Seals (encrypts) the keys of an existing epoch to one more `recipient`, and returns the seal: the content key
    `k`, and with it the archive key `a` (None if there is none) if the recipient is a person who may read the history.
    For any other recipient this function leaves `a` out. ValueError if nothing can be sealed to the recipient's key.
    The seal is not signed: any seal whose keys match the epoch's commitments is good."""
    secret = k + a if a is not None and recipient.history and recipient.kind == USER else k
    info = seal_info(room, epoch.e, epoch.kc, recipient.uid, recipient.puk_gen)
    return seal.seal_to(recipient.kem_pk, info, secret)


def seals_fit(epoch: Epoch, recipients: Sequence[Recipient], seals: Sequence[bytes]) -> bool:
    """▲ Whether `seals` have the lengths that `recipients`, in the same order, should get: both keys for a person who
    may read the history, the content key alone for others, and empty only for recipients whom the epoch names as
    unsealed. False also if there are more or fewer seals than recipients; nothing is raised. Only the recipient can
    check the content."""
    if len(recipients) != len(seals):
        return False
    unsealed = set(epoch.unsealed)
    for to, sealed in zip(recipients, seals, strict=True):
        keys = 2 if epoch.has_archive and to.history and to.kind == USER else 1
        if len(sealed) != (0 if to.uid in unsealed else seal.OVERHEAD_BYTES + 32 * keys):
            return False
    return True


def open_seal(
    room: RoomId, epoch: Epoch, uid: Uid, puk_gen: int, puk: KemKey, sealed: bytes
) -> tuple[bytes, bytes | None]:
    """Opens `sealed`, the keys of `epoch` for the person `uid`, with `puk`, the private key of generation `puk_gen` of
    their per-user key. The seal opens only for the same `room`, epoch, person and generation. Returns the content key,
    and the archive key, which opens the keys of older epochs; None if the seal has none, as for a person who may not
    read the history. Reject "decrypt" if the seal does not open. ▲ Reject "split-epoch" if a key is not the one that
    the epoch commits to: its maker gave different members different keys."""
    opened = puk.open(seal_info(room, epoch.e, epoch.kc, uid, puk_gen), sealed)
    if len(opened) not in (32, 64):
        raise Reject("decrypt", "seal length")
    k, a = opened[:32], opened[32:] or None
    if content_commitment(room, epoch.e, k) != epoch.kc:
        raise Reject("split-epoch", f"epoch {epoch.e}")
    if a is not None and archive_commitment(room, epoch.e, a) != epoch.ac:
        raise Reject("split-epoch", f"archive {epoch.e}")
    return k, a


def walk_back(room: RoomId, epoch: Epoch, epochs: dict[int, Epoch], ring: KeyRing) -> list[int]:
    """Decrypts the link of `epoch`, and adds the keys in it to `ring`, so that a member who may read the history can
    read older items. An epoch is a generation of a room's keys. Its link holds, encrypted under its archive key, the
    content keys of older epochs and the archive key of the oldest of these. Returns the numbers of the epochs of which
    a key is new in `ring`, ascending. Returns an empty list if none is, if `ring` lacks the archive key of `epoch`, or
    if it has no link.

    ▲ Every key is checked against its commitment in `epochs`, the room's epochs by number. For a bad link it raises
    Reject and adds nothing: "bad-link" for a key that does not match or an epoch that is not in `epochs`, "decrypt" if
    the link does not open, "malformed", "encoding" or "oversize" if its content has another form.
    """
    a = ring.a(epoch.e)
    if a is None or epoch.base is None:
        return []
    older_a, older = _open_link(room, epoch, epochs, a)
    found = [(x, k, older_a if x == epoch.base else None) for x, k in older.items() if k is not None]
    return [x for x, k, held_a in found if ring.add(x, k, held_a)]


def _open_link(
    room: RoomId, epoch: Epoch, epochs: Mapping[int, Epoch], a: bytes
) -> tuple[bytes, dict[int, bytes | None]]:
    """Decrypts the link (the older keys) of `epoch` with its archive key `a`. Returns the archive key of the epoch that
    the link reaches back to, and the content keys of that epoch and all between, by number; None for a key that the
    maker did not have. `epochs` are the room's epochs by number. Reject "bad-link" if `epoch` has no link, if the link
    holds other epochs than these, or for a key that does not match its commitment in `epochs`; "decrypt" if the link
    does not open; "malformed", "encoding" or "oversize" if its content has another form."""
    f = epoch.base
    base = epochs.get(f) if f is not None else None
    if f is None or base is None:
        raise Reject("bad-link", f"epoch {epoch.e}")
    opened = aead.decrypt(kdf(a, "prev", room, epoch.e), ["prev", room, epoch.e, f], epoch.prev)
    raw_a, raw_k = fields.array(dec(opened, limit=_PREV_LIMIT), 2, "prev")
    older_a = fields.raw(raw_a, 32, "prev")
    if archive_commitment(room, f, older_a) != base.ac:
        raise Reject("bad-link", f"epoch {epoch.e}")
    if type(raw_k) is not dict or list(raw_k) != list(range(f, epoch.e)):
        raise Reject("bad-link", f"epoch {epoch.e}")
    older: dict[int, bytes | None] = {}
    for x, key in raw_k.items():
        older[x] = None if key is None else fields.raw(key, 32, "prev")
        if key is not None and (x not in epochs or content_commitment(room, x, key) != epochs[x].kc):
            raise Reject("bad-link", f"epoch {x}")
    return older_a, older
