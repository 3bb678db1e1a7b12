# SPDX-License-Identifier: EUPL-1.2
"""Drafts entries of a person's own log, ready to be signed and sent. Each function builds what the log needs in its
present state.

The server appends by compare-and-swap. An entry that lost is drafted again and never sent a second time. `time` in ms
is a claim.
"""

import os
from dataclasses import dataclass, replace

from sync.crypto import aead, seal
from sync.crypto.kdf import kdf
from sync.crypto.seal import KemKey
from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, Hash
from sync.trust.person.agency import Agency, SignInCode, invite_id
from sync.trust.person.author import DeviceSecrets, Entry, open_puk, puk_info, puk_key, puk_payload
from sync.trust.person.escrow_key import escrow_id, seal_share
from sync.trust.person.recovery_sheet import RecoveryPair
from sync.trust.person.user_entry import AGENCY, DOMAIN, ROOT, device_id, entry_body, entry_id
from sync.trust.person.user_log import RECOVERY, RECOVERY_SHEET_FORMAT, Puk, UserLog

SEED_BYTES = 32
"""Length of the seed of a PUK generation."""


@dataclass(frozen=True, slots=True)
class Hand:
    """The signer of an entry of a user log: a device (`by` is its id) or the root key ("root"), and its private key.
    `seeds` are the secret seeds that it holds of the generations of the person's per-user key (PUK), by number."""

    by: bytes | str
    signing: SigningKey
    seeds: dict[int, bytes]

    def __repr__(self) -> str:
        return f"Hand({self.by!r})"


def admit(log: UserLog, hand: Hand, sign_pk: bytes, kem_pk: bytes, proof: bytes, time: int) -> Entry:
    """Drafts a `dev_add`: the entry that adds a device with the public keys `sign_pk` and `kem_pk`. `proof` is the
    device's signature with them over the log's newest head; it is not checked here. `time` in ms is a claim. Reject
    "puk" if the adding device cannot open the newest generation of the per-user key (PUK): it must make the next one
    first. ValueError if nothing can be sealed to `kem_pk`.

    ▲ The root may add a device without that seed, since a stolen device may have made a generation that nobody can
    open. The seal then holds random bytes, and the new device makes the next generation.
    """
    gen = len(log.puks)
    if gen not in hand.seeds and hand.by != ROOT:
        raise Reject("puk", f"generation {gen}")
    seed = hand.seeds.get(gen) or os.urandom(32)
    dev = device_id(log.genesis_root_pk, sign_pk)
    sealed = seal.seal_to(kem_pk, puk_info(log.uid, gen, dev), seed)
    return _entry(log, hand.by, hand.signing, "dev_add", [[sign_pk, kem_pk], proof, gen, sealed], time)


def rotate_puk(log: UserLog, hand: Hand, time: int) -> tuple[Entry, bytes]:
    """Drafts the entry that makes the next generation of the per-user key (PUK), signed by `hand`. Returns the entry
    and the new generation's secret seed. `time` in ms is a claim. Reject "puk" if `hand` holds no seed of an earlier
    generation."""
    old = _newest(log, hand)
    new = os.urandom(32)
    return _entry(log, hand.by, hand.signing, "puk_rotate", puk_payload(log, new, old), time), new


def revoke(log: UserLog, hand: Hand, dev: DevId, time: int) -> tuple[Entry, bytes]:
    """Drafts a `dev_revoke`, the entry that ends the device `dev`. `hand` signs it: another device, the device itself
    or the root. Returns the entry, and the secret seed of the generation of the per-user key (PUK) that it makes for
    the devices that are left. `time` in ms is a claim.

    Reject "device" if `dev` is not active, "older" if the signing device was added later than `dev`, "puk" if `hand`
    holds no seed of an earlier generation. ValueError if the signing device is not in the log; whether it is active is
    not checked.
    """
    target = log.device_active(dev, log.seq)
    if target is None:
        raise Reject("device")
    order = list(log.devices)
    if isinstance(hand.by, bytes) and hand.by != dev and order.index(DevId(hand.by)) > order.index(dev):
        raise Reject("older")
    old = _newest(log, hand)
    new = os.urandom(32)
    puk = puk_payload(log, new, old, but=dev)
    return _entry(log, hand.by, hand.signing, "dev_revoke", [dev, _added_by(log, dev), puk], time), new


def revoke_by_agency(log: UserLog, agency: Agency, dev: DevId, time: int) -> Entry:
    """Drafts a `dev_revoke`, the entry that ends the device `dev`, signed by the agency. It makes no generation of the
    per-user key (PUK), since the agency has no seeds; the person's devices make a new one. `time` in ms is a claim.
    Reject "device" if `dev` is not active."""
    if log.device_active(dev, log.seq) is None:
        raise Reject("device")
    return _entry(log, AGENCY, agency.key, "dev_revoke", [dev, _added_by(log, dev), None], time)


def reset(log: UserLog, agency: Agency, time: int) -> Entry:
    """The entry by which the agency ends the log."""
    return _entry(log, AGENCY, agency.key, "reset", [], time)


def bind_again(log: UserLog, code: SignInCode, agency_pk: bytes, cert: Entry, record: bytes, time: int) -> Entry:
    """Drafts a later `binding`: the agency, with the public key `agency_pk`, confirms again by a new activation code
    (`code`) whose log this is. The one-time key of that code signs. The entry must come right before one by which the
    root adds a device. `cert` is the agency's certificate of the code, `record` the hash of the staff record in it.
    `time` in ms is a claim. Nothing is checked here: applying the entry refuses a certificate that does not fit."""
    payload: list[object] = [agency_pk, cert[0], cert[1], record]
    return _entry(log, invite_id(code.key.public), code.key, "binding", payload, time)


def replace_root(log: UserLog, old: SigningKey, new: SigningKey, time: int) -> Entry:
    """Drafts a `root_rotate`, the entry that replaces the root key `old` by `new`. `old` signs the entry. Its content
    is the public key of `new` and a signature by `new`, which proves that its holder has it. `time` in ms is a claim.
    Nothing is checked here: applying the entry refuses an `old` that is not the root key in force."""
    proof = new.sign("root-proof", [log.uid, log.head, new.public])
    return _entry(log, ROOT, old, "root_rotate", [new.public, proof], time)


def set_recovery(
    log: UserLog, root: SigningKey, pair: RecoveryPair, escrow_pk: bytes, seeds: dict[int, bytes], time: int
) -> Entry:
    """Drafts a `recovery_set`, the entry that puts the recovery key of `pair` in force. It holds the share of `pair`,
    sealed to the agency's public escrow key `escrow_pk`, and the next generation of the per-user key (PUK), the first
    that is sealed to this recovery key. `root`, the root key in force, signs. `seeds` are the seeds of PUK generations
    that the caller holds, by number; the newest is encrypted under the next generation's. `time` in ms is a claim.
    Reject "puk" if `seeds` has none of a generation of this log. ValueError if nothing can be sealed to `escrow_pk`."""
    old = _newest(log, Hand(ROOT, root, seeds))
    number = (log.recovery_sheet.number if log.recovery_sheet is not None else 0) + 1
    sealed = seal_share(escrow_pk, log.uid, number, pair.share)
    puk = puk_payload(log, os.urandom(32), old, recovery=pair.kem.public)
    payload: list[object] = [RECOVERY_SHEET_FORMAT, pair.kem.public, number, escrow_id(escrow_pk), sealed, puk]
    return _entry(log, ROOT, root, "recovery_set", payload, time)


def new_recovery_sheet(
    log: UserLog, root: SigningKey, pair: RecoveryPair, escrow_pk: bytes, seeds: dict[int, bytes], time: int
) -> list[Entry]:
    """The entries that put a new recovery sheet in force, without those that the log has already: `root_rotate` and
    `recovery_set`, in this order; [] if it has both. `pair` is both halves of the recovery sheet's secret: the printed
    code, from which its root key is derived, and the agency's share. `root` is the root key in force before.
    `escrow_pk` is the agency's public escrow key, to which that share is sealed. `seeds` are the seeds of generations
    of the per-user key (PUK) that the caller holds, by number. `time` in ms is a claim. `log` is not changed. Reject
    `recovery-sheet` if the root key in the log is neither `root` nor that of `pair`. Reject `ended` if `root_rotate` is
    missing and the agency has ended the log. If `recovery_set` is missing: Reject `puk` if `seeds` has no generation of
    this log, ValueError if nothing can be sealed to `escrow_pk`."""
    entries = []
    draft = replace(log)
    if draft.root_pk != pair.code.root.public:
        if draft.root_pk != root.public:
            raise Reject("recovery-sheet", "root")
        entries.append(replace_root(draft, root, pair.code.root, time))
        draft.apply(*entries[0])
    if draft.recovery_pk != pair.kem.public:
        entries.append(set_recovery(draft, pair.code.root, pair, escrow_pk, seeds, time))
    return entries


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryPlan:
    """What an account is recovered with: both halves of the recovery sheet (`pair`), an activation code with the
    agency's certificate of it (`cert`, for the staff record with the hash `record`), the secrets of the new device, and
    the old devices to `revoke` in the same request."""

    pair: RecoveryPair
    code: SignInCode
    cert: Entry
    record: Hash
    secrets: DeviceSecrets
    revoke: tuple[DevId, ...] = ()


def recovery_entries(log: UserLog, back: RecoveryPlan, time: int) -> tuple[list[Entry], dict[int, bytes]]:
    """Drafts the entries that recover an account: a binding, the new device added by the root, and a revocation of each
    of the old devices in the plan `back`. Applies them to `log`. `time` in ms is a claim. Returns the entries, and the
    seed of every generation of the per-user key (PUK) that the recovery sheet opens or the entries make, by number.

    Reject `recovery-sheet` if the printed code in `back` is not, or no longer, the person's, `share` if the agency's
    share is that of another recovery sheet. After these checks `log` may be changed in part, so pass a copy: Reject
    `ended` if the agency has ended the log, `signature` or `binding` if the certificate is not of this agency, code and
    record, `device-twice` if the log has the new device already, `devices` if it has too many, `device` if one to
    revoke is not active, `puk` if one is to be revoked and the recovery sheet opens no generation.
    """
    check_pair(log, back.pair)
    root = back.pair.code.root
    seeds = open_generations(log, RECOVERY, back.pair.kem, {})
    hand = Hand(ROOT, root, seeds)
    entries = [bind_again(log, back.code, log.agency_pk, back.cert, back.record, time)]
    log.apply(*entries[-1])
    device, kem = SigningKey(back.secrets.sign), KemKey(back.secrets.kem)
    proof = device.sign("dev-proof", [log.uid, log.head, [device.public, kem.public], ROOT])
    entries.append(admit(log, hand, device.public, kem.public, proof, time))
    log.apply(*entries[-1])
    for dev in back.revoke:
        entry, seeds[len(log.puks) + 1] = revoke(log, hand, dev, time)
        log.apply(*entry)
        entries.append(entry)
    return entries, seeds


def check_pair(log: UserLog, pair: RecoveryPair) -> None:
    """▲ Checks that the recovery sheet of `pair` can recover this log; returns None if it can. Reject `recovery-sheet`
    if the printed code is not, or no longer, the person's, or the log does not have all entries of that recovery sheet;
    `share` if the share in `pair` is that of another recovery sheet."""
    if log.root_pk != pair.code.root.public or not log.recovery_sheet_in_force:
        raise Reject("recovery-sheet", "own log")
    if log.recovery_pk != pair.kem.public:
        raise Reject("share", "own log")


def open_generations(log: UserLog, ident: bytes, kem: KemKey, known: dict[int, bytes]) -> dict[int, bytes]:
    """The secret seeds of all generations of the per-user key (PUK) that can be opened, by number: `known`, those
    sealed to `kem`, the private key of `ident` (a device, or RECOVERY), and the older ones that are encrypted under any
    of these. An older generation may be sealed to an earlier key of the same `ident`.

    ▲ A generation is left out if it does not open, or opens to a seed that does not make its published key. A stolen
    device can make such generations. They must not keep the person's other devices, or the recovery sheet, from the
    other generations.
    """
    seeds = dict(known)
    for puk in reversed(log.puks):
        if puk.gen not in seeds and (seed := _unsealed(log, puk, ident, kem)) is not None:
            seeds[puk.gen] = seed
        if puk.gen in seeds and puk.gen > 1 and puk.gen - 1 not in seeds:
            seeds = {**_unwrapped(log, puk, seeds[puk.gen]), **seeds}
    return seeds


def _unsealed(log: UserLog, puk: Puk, ident: bytes, kem: KemKey) -> bytes | None:
    try:
        return open_puk(puk, log.uid, ident, kem)
    except Reject:
        return None


def _unwrapped(log: UserLog, puk: Puk, seed: bytes) -> dict[int, bytes]:
    """The seed of the earlier generation that is encrypted in `puk` under its `seed`, as {generation: seed}: the newest
    that the author of `puk` could open. Empty if it does not decrypt, or is not the seed of an earlier generation of
    this log."""
    try:
        old = aead.decrypt(kdf(seed, "puk-prev"), ["puk-prev", log.uid, puk.gen], puk.prev_wrap)
    except Reject:
        return {}
    if len(old) != SEED_BYTES:  # ▲ the account could not store a seed of another length
        return {}
    public = puk_key(old).public
    return {p.gen: old for p in log.puks[: puk.gen - 1] if p.kem_pk == public}


def _newest(log: UserLog, hand: Hand) -> bytes:
    """The secret seed of the newest generation of the per-user key (PUK) that `hand` holds, which the next generation
    encrypts. Reject "puk" if it holds none. ▲ A newer generation may exist that nobody can open, since a stolen device
    can make one."""
    gen = max((g for g in hand.seeds if g <= len(log.puks)), default=0)
    if not gen:
        raise Reject("puk", f"generation {len(log.puks)}")
    return hand.seeds[gen]


def _added_by(log: UserLog, dev: DevId) -> list[object]:
    return [d.dev for d in log.devices.values() if d.by == dev]


def _entry(log: UserLog, by: bytes | str, signing: SigningKey, kind: str, payload: object, time: int) -> Entry:
    body = entry_body(log.uid, log.seq + 1, log.head, by, time, kind, payload)
    return body, signing.sign(DOMAIN, entry_id(body))
