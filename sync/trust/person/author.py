# SPDX-License-Identifier: EUPL-1.2
"""The device that signs for a person, and the first entries of a new person's log."""

import os
from dataclasses import dataclass

from sync.crypto import aead, seal
from sync.crypto.encoding import enc
from sync.crypto.kdf import kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, Hash, Uid
from sync.trust.person import user_entry, user_log
from sync.trust.person.agency import SignInCode, invite_id
from sync.trust.person.user_entry import ROOT, entry_body, entry_id
from sync.trust.person.user_log import RECOVERY, Puk, UserLog

Entry = tuple[bytes, bytes]
"""(body, signature)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """A device that signs entries and envelopes for the person `uid`: its id `dev` and private signing key. `ulog` is
    the (number, hash) of the newest entry that it knows of that person's user log; every envelope and room entry that
    it signs states it."""

    uid: Uid
    dev: DevId
    signing: SigningKey
    ulog: tuple[int, Hash]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSecrets:
    """The secrets of one device: seeds of 32 bytes for its signing key (`sign`), its sealing key (`kem`) and its
    person's root key (`root`). They are independent of each other.

    `root` is empty on a device that does not have the root key. The person's first device has it, until a recovery
    sheet, whose code gives another root key, is in force.
    """

    sign: bytes
    kem: bytes
    root: bytes

    @classmethod
    def fresh(cls) -> "DeviceSecrets":
        return cls(sign=os.urandom(32), kem=os.urandom(32), root=os.urandom(32))

    @classmethod
    def without_root(cls) -> "DeviceSecrets":
        """Fresh secrets for a second device, which has no root key."""
        return cls(sign=os.urandom(32), kem=os.urandom(32), root=b"")

    def __repr__(self) -> str:
        return "DeviceSecrets(…)"


def _signed(key: SigningKey, body: bytes) -> Entry:
    return body, key.sign(user_entry.DOMAIN, entry_id(body))


def new_user(
    secrets: DeviceSecrets, code: SignInCode, agency_pk: bytes, cert: Entry, record: Hash, puk_seed: bytes, time: int
) -> tuple[list[Entry], UserLog]:
    """Makes the first three entries of a new person's log: the genesis, the binding to the staff record, and generation
    1 of the per-user key (PUK), to which rooms seal. Returns the entries, and the log that they make.

    `secrets` are those of the person's first device, with the root key; ValueError without it. `code` is the activation
    code, and `cert` the certificate of it by the agency with the public key `agency_pk`, for the staff record with the
    hash `record`. `puk_seed` (32 B) makes the PUK. `time` in ms is a claim. Reject "signature" if the certificate is
    not of this agency, "binding" if it is not of this code and record, "malformed", "encoding", "oversize" or "bad-key"
    if it has another form. Its date is not checked.
    """
    root, device, kem = SigningKey(secrets.root), SigningKey(secrets.sign), KemKey(secrets.kem)
    keys = [device.public, kem.public]
    proof = device.sign("dev-proof", [None, b"", keys, ROOT])
    genesis = entry_body(None, 0, user_log.NO_HEAD, ROOT, time, "genesis", [root.public, keys, proof])
    entries = [_signed(root, genesis)]
    log = UserLog(agency_pk)
    log.apply(*entries[0])
    payload: object = [agency_pk, cert[0], cert[1], record]
    by = invite_id(code.key.public)
    entries.append(_signed(code.key, entry_body(log.uid, 1, log.head, by, time, "binding", payload)))
    log.apply(*entries[1])
    dev = next(iter(log.devices))
    entries.append(
        _signed(device, entry_body(log.uid, 2, log.head, dev, time, "puk_rotate", puk_payload(log, puk_seed)))
    )
    log.apply(*entries[2])
    return entries, log


def puk_payload(
    log: UserLog, new_seed: bytes, old_seed: bytes = b"", but: DevId | None = None, recovery: bytes | None = None
) -> list[object]:
    """Makes the content of an entry that starts the next generation of the per-user key (PUK): its public key and its
    secret `new_seed`, sealed to each active device of `log` and to the recovery key. The seed of an earlier generation,
    `old_seed`, is encrypted under the new one; empty for the first.

    `but` is the device that the same entry revokes: it gets no seal. `recovery` is the public recovery key that the
    same entry sets; with None, it is the one that `log` has, if any. Returns [number, public key, encrypted old seed,
    seals].
    """
    gen = len(log.puks) + 1
    wrap = aead.encrypt(kdf(new_seed, "puk-prev"), ["puk-prev", log.uid, gen], old_seed) if old_seed else b""
    seals: list[object] = [
        [bytes(d.dev), seal.seal_to(d.kem_pk, puk_info(log.uid, gen, d.dev), new_seed)]
        for d in log.devices.values()
        if d.revoked is None and d.dev != but
    ]
    to = recovery or log.recovery_pk
    if to is not None:
        seals.append([RECOVERY, seal.seal_to(to, puk_info(log.uid, gen, RECOVERY), new_seed)])
    return [gen, puk_key(new_seed).public, wrap, seals]


def puk_key(puk_seed: bytes) -> KemKey:
    """The key pair of a PUK generation."""
    return KemKey(kdf(puk_seed, "puk-kem"))


def puk_info(uid: bytes, gen: int, ident: bytes) -> bytes:
    return enc(["puk", uid, gen, ident])


def open_puk(puk: Puk, uid: Uid, dev: bytes, kem: KemKey) -> bytes:
    """Opens the secret seed of a generation of the per-user key (PUK) of `uid`. `kem` is the private key of the device
    `dev`, or the recovery key if `dev` is b"recovery". Reject "decrypt" if it has no seal there, or one that does not
    open. ▲ Reject "puk" if the seed does not make the published key."""
    sealed = dict(puk.seals).get(dev)
    if sealed is None:
        raise Reject("decrypt", "no seal for this device")
    opened = kem.open(puk_info(uid, puk.gen, dev), sealed)
    if puk_key(opened).public != puk.kem_pk:
        raise Reject("puk", f"generation {puk.gen}")
    return opened


def safety_number(mine: Hash, theirs: Hash) -> str:
    """Sixty digits, without spaces, that two persons compare to be sure of each other's keys. `mine` and `theirs` are
    the hashes of the first entries of their logs; the digits are the same in either order."""
    first, second = sorted((bytes(mine), bytes(theirs)))
    digits = []
    for half in (first, second):
        stream = kdf(half, "safety-number", first, second, length=30)
        digits += [f"{int.from_bytes(stream[i : i + 5], 'big') % 100_000:05}" for i in range(0, 30, 5)]
    return "".join(digits)
