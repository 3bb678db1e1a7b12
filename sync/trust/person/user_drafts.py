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
    """The signer: a device by its id, or "root". `seeds` are the PUK generations that it holds."""

    by: bytes | str
    signing: SigningKey
    seeds: dict[int, bytes]

    def __repr__(self) -> str:
        return f"Hand({self.by!r})"


def admit(log: UserLog, hand: Hand, sign_pk: bytes, kem_pk: bytes, proof: bytes, time: int) -> Entry:
    """`dev_add` of a device that proved its keys for this head of the log. Reject "puk" if the adding device cannot
    open the newest PUK generation: it must make the next one first.

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
    """Returns (the entry that makes the next PUK generation, its seed). Reject "puk" if no seed of an earlier
    generation is held."""
    old = _newest(log, hand)
    new = os.urandom(32)
    return _entry(log, hand.by, hand.signing, "puk_rotate", puk_payload(log, new, old), time), new


def revoke(log: UserLog, hand: Hand, dev: DevId, time: int) -> tuple[Entry, bytes]:
    """Returns a `dev_revoke` by a device or the root, and the seed of the PUK generation that it carries.

    Reject "device" if the device is not active, "older" if a younger device would revoke an older one.
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
    """A `dev_revoke` by the agency. It carries no PUK generation; the person makes a new one. Reject "device" if the
    device is not active."""
    if log.device_active(dev, log.seq) is None:
        raise Reject("device")
    return _entry(log, AGENCY, agency.key, "dev_revoke", [dev, _added_by(log, dev), None], time)


def reset(log: UserLog, agency: Agency, time: int) -> Entry:
    """The entry by which the agency ends the log."""
    return _entry(log, AGENCY, agency.key, "reset", [], time)


def bind_again(log: UserLog, code: SignInCode, agency_pk: bytes, cert: Entry, record: bytes, time: int) -> Entry:
    """A later `binding`, which must come right before a device that the root adds."""
    payload: list[object] = [agency_pk, cert[0], cert[1], record]
    return _entry(log, invite_id(code.key.public), code.key, "binding", payload, time)


def replace_root(log: UserLog, old: SigningKey, new: SigningKey, time: int) -> Entry:
    """`root_rotate`, with the new root's proof."""
    proof = new.sign("root-proof", [log.uid, log.head, new.public])
    return _entry(log, ROOT, old, "root_rotate", [new.public, proof], time)


def set_recovery(
    log: UserLog, root: SigningKey, pair: RecoveryPair, escrow_pk: bytes, seeds: dict[int, bytes], time: int
) -> Entry:
    """A `recovery_set`: the share sealed to the agency's escrow key, and the next PUK generation, which is the first
    that is sealed to this recovery key."""
    old = _newest(log, Hand(ROOT, root, seeds))
    number = (log.recovery_sheet.number if log.recovery_sheet is not None else 0) + 1
    sealed = seal_share(escrow_pk, log.uid, number, pair.share)
    puk = puk_payload(log, os.urandom(32), old, recovery=pair.kem.public)
    payload: list[object] = [RECOVERY_SHEET_FORMAT, pair.kem.public, number, escrow_id(escrow_pk), sealed, puk]
    return _entry(log, ROOT, root, "recovery_set", payload, time)


def new_recovery_sheet(
    log: UserLog, root: SigningKey, pair: RecoveryPair, escrow_pk: bytes, seeds: dict[int, bytes], time: int
) -> list[Entry]:
    """The entries that put a recovery sheet in force, as far as they are missing: `root_rotate` and `recovery_set`.
    `root` is the root key in force before. Reject `recovery-sheet` if the log has neither of the two root keys."""
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
    """What an account is recovered with: the recovery sheet's code and share, an activation code with its certificate,
    the keys of the new device, and the other devices to revoke in the same request."""

    pair: RecoveryPair
    code: SignInCode
    cert: Entry
    record: Hash
    secrets: DeviceSecrets
    revoke: tuple[DevId, ...] = ()


def recovery_entries(log: UserLog, back: RecoveryPlan, time: int) -> tuple[list[Entry], dict[int, bytes]]:
    """Returns the binding, `dev_add` and `dev_revoke`s by the root, and the seed of every PUK generation. Applies the
    entries to `log`.

    Reject as in `check_pair`.
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
    """▲ Reject `recovery-sheet` for a recovery sheet that is not, or no longer, the person's; `share` for the share of
    another recovery sheet."""
    if log.root_pk != pair.code.root.public or not log.recovery_sheet_in_force:
        raise Reject("recovery-sheet", "own log")
    if log.recovery_pk != pair.kem.public:
        raise Reject("share", "own log")


def open_generations(log: UserLog, ident: bytes, kem: KemKey, known: dict[int, bytes]) -> dict[int, bytes]:
    """The seeds of all PUK generations that can be opened, by generation: `known`, those sealed to `ident` (a device,
    or RECOVERY), and those that these wrap. An older generation may be sealed to an earlier key of the same `ident`.

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
    """The earlier generation that `puk` wraps, as {generation: seed}: the newest that its author could open. Empty if
    the wrap does not decrypt, or does not hold a generation of this log."""
    try:
        old = aead.decrypt(kdf(seed, "puk-prev"), ["puk-prev", log.uid, puk.gen], puk.prev_wrap)
    except Reject:
        return {}
    if len(old) != SEED_BYTES:  # ▲ the account could not store a seed of another length
        return {}
    public = puk_key(old).public
    return {p.gen: old for p in log.puks[: puk.gen - 1] if p.kem_pk == public}


def _newest(log: UserLog, hand: Hand) -> bytes:
    """The seed of the newest generation that is held, which the next one wraps. Reject "puk" if there is none. ▲ A
    newer generation may exist that nobody can open, since a stolen device can make such a one."""
    gen = max((g for g in hand.seeds if g <= len(log.puks)), default=0)
    if not gen:
        raise Reject("puk", f"generation {len(log.puks)}")
    return hand.seeds[gen]


def _added_by(log: UserLog, dev: DevId) -> list[object]:
    return [d.dev for d in log.devices.values() if d.by == dev]


def _entry(log: UserLog, by: bytes | str, signing: SigningKey, kind: str, payload: object, time: int) -> Entry:
    body = entry_body(log.uid, log.seq + 1, log.head, by, time, kind, payload)
    return body, signing.sign(DOMAIN, entry_id(body))
