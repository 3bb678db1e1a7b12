# SPDX-License-Identifier: EUPL-1.2
"""A person's own signed log: devices, the agency's binding, and the key that content is sealed to (protocol §3).

A pure state machine: `apply` takes each entry in order, from the genesis on. If it raises Reject, nothing has changed.
"""

from dataclasses import dataclass, field, replace

from sync.crypto import seal
from sync.crypto.signatures import check_public, verify
from sync.errors import Reject
from sync.ids import NO_UID, DevId, Hash, Uid
from sync.trust.formats import fields
from sync.trust.keys.epochs import USER, Recipient
from sync.trust.person.agency import InviteCert, invite_id
from sync.trust.person.user_entry import AGENCY, DOMAIN, ROOT, UserEntry, device_id

RECOVERY = b"recovery"
"""The name under which a PUK generation is sealed to the recovery key, beside the devices, once a `recovery_set` is in
the log."""
NO_HEAD = bytes(32)
SEAL_BYTES = 1168
SHARE_SEAL_BYTES = 1153
RECOVERY_SHEET_FORMAT = 2
MAX_DEVICES = 64
"""▲ Most active devices of one person. A revocation carries a seal for each remaining device. With many more devices it
would be longer than an entry may be, and no device could be revoked."""
_FIRST = {1: "binding", 2: "puk_rotate"}
"""▲ The entries that must follow the genesis. Nobody can be added to a room before the log has both."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device of the person: its id `dev`, and its public keys for signatures (`sign_pk`) and for sealing (`kem_pk`,
    the newest). It is active from entry `added` of the user log to the one before entry `revoked` (None if it was not
    revoked), but not after the agency has ended the log. `by` is the device that added it, or "root" for the root key.
    `time` is when it was added, in ms, by that entry's claim."""

    dev: DevId
    sign_pk: bytes
    kem_pk: bytes
    added: int
    revoked: int | None = None
    by: bytes | str = ROOT
    time: int = 0


@dataclass(frozen=True, slots=True)
class Puk:
    """One generation (`gen`, from 1) of a person's per-user key (PUK), to which the keys of rooms are sealed: its
    public key `kem_pk`, and its secret seed sealed to each device and to the recovery key, if the person has one
    (`seals`). `prev_wrap` is the seed of an earlier generation, encrypted under this one's (empty in the first). `seq`
    is the entry of the user log that made it, `time` (ms) is that entry's claim."""

    gen: int
    kem_pk: bytes
    seq: int
    prev_wrap: bytes
    seals: tuple[tuple[bytes, bytes], ...]
    """(device id or b"recovery", seal) pairs."""
    time: int = 0


@dataclass(frozen=True, slots=True)
class RecoverySheet:
    """The public part of a person's newest recovery sheet, in force or not, from the `recovery_set` at entry `seq` of
    their user log: the public recovery key `kem_pk`, and how many recovery sheets the person has had with this one
    (`number`). `sealed` is the recovery sheet's share, sealed to the agency's escrow key of id `escrow`. Only the
    agency can check its content."""

    kem_pk: bytes
    number: int
    seq: int
    escrow: bytes
    sealed: bytes


@dataclass(slots=True)
class UserLog:
    """What one person's user log states after its newest entry: devices, root key, generations of the per-user key
    (PUK), and the binding to a staff record. `heads`: the hash of each entry, in order, so `heads[-1]` is the newest.
    `root_pk`: the public root key in force, `genesis_root_pk` the first one. `devices` has revoked ones too, oldest
    first. `record_hash`: of the bound staff record; None before the binding. `recovery_sheet`: the newest, in force or
    not. `ended`: the number of the entry by which the agency ended the log, or None. Changed only by `apply`, which
    applies an entry as a whole or not at all."""

    agency_pk: bytes
    uid: Uid = NO_UID
    genesis_root_pk: bytes = b""
    root_pk: bytes = b""
    heads: list[Hash] = field(default_factory=list)
    devices: dict[DevId, Device] = field(default_factory=dict)
    puks: list[Puk] = field(default_factory=list)
    record_hash: Hash | None = None
    bound_seq: int = 0
    """The seq of the newest binding."""
    root_seq: int = 0
    """The seq of the entry that set the root key in force."""
    recovery_sheet: RecoverySheet | None = None
    agency_revokes: list[int] = field(default_factory=list)
    """Entries by which the agency revoked a device. A PUK generation that is older than one of them is not trusted
    after it."""
    ended: int | None = None
    size_bytes: int = 0
    """Size of all entries with their signatures."""
    sealed_to: Recipient | None = None
    """The recipient as which an epoch was last sealed to this person; see `recipient`."""

    @property
    def seq(self) -> int:
        """Sequence number of the newest entry; genesis is 0."""
        return len(self.heads) - 1

    @property
    def head(self) -> Hash:
        return self.heads[-1]

    @property
    def at(self) -> tuple[int, Hash]:
        """The number and the hash of the newest entry, both of the same moment, also while another thread applies an
        entry. IndexError for a log without entries."""
        heads = self.heads
        return len(heads) - 1, heads[-1]

    @property
    def genesis(self) -> Hash:
        """The hash of the genesis, 32 B, which safety numbers compare."""
        return self.heads[0]

    @property
    def bound(self) -> bool:
        return self.record_hash is not None

    @property
    def ready(self) -> bool:
        """▲ Whether the agency has bound the log to a staff record and not ended it, and it has a per-user key (PUK).
        Only then may the person be added to a room. Still True after the agency has revoked a device, although nothing
        can be sealed to the person before the next generation of the PUK."""
        return self.bound and bool(self.puks) and self.ended is None

    @property
    def recovery_pk(self) -> bytes | None:
        """The recovery key, to which each PUK generation is sealed; None if the person never had a recovery sheet."""
        return self.recovery_sheet.kem_pk if self.recovery_sheet is not None else None

    @property
    def recovery_sheet_in_force(self) -> bool:
        """Whether the root key and the recovery key in force are those of one recovery sheet."""
        return self.recovery_sheet is not None and self.recovery_sheet.seq > self.root_seq > 0

    def ready_at(self, seq: int) -> bool:
        """`ready` as of entry `seq`."""
        return max(_FIRST) <= seq <= self.seq and not self.ended_at(seq)

    def head_at(self, seq: int) -> Hash | None:
        return self.heads[seq] if 0 <= seq < len(self.heads) else None

    def device_active(self, dev: bytes, seq: int) -> Device | None:
        """The device `dev` if it was active after entry `seq`; None if the log does not have it, it was not added yet
        or was revoked, or the log had ended. A `seq` after the newest entry counts as the newest."""
        device = self.devices.get(DevId(dev))
        if device is None or device.added > seq or (device.revoked is not None and device.revoked <= seq):
            return None
        return None if self.ended_at(seq) else device

    def puk_at(self, seq: int) -> Puk | None:
        """The generation of the per-user key (PUK) to which a room seals after entry `seq`. None if there is no
        generation yet, if the log has ended, or if the agency has revoked a device since the newest generation.

        ▲ The answer for a position never changes when the log grows, since every client recomputes `recip` from it.
        """
        if not self.agency_revokes and self.ended is None and self.puks and self.puks[-1].seq <= seq:
            return self.puks[-1]  # the usual case: a rotation asks this for each of thousands of members
        newest = next((p for p in reversed(self.puks) if p.seq <= seq), None)
        if newest is None or self.ended_at(seq) or any(newest.seq < r <= seq for r in self.agency_revokes):
            return None
        return newest

    def recipient(self, seq: int, head: Hash, history: bool) -> Recipient | None:
        """The recipient as which an epoch is sealed to this person, whose log counts in a room up to entry `seq` with
        hash `head`; None if they have no generation of their key that counts there (`puk_at`). That `head` is the hash
        of `seq` is not checked. `history`: whether the person may read from the room's beginning. The newest answer is
        kept: a room of thousands asks for each member again and again."""
        kept = self.sealed_to
        if kept is not None and (kept.ulog_seq, kept.ulog_head, kept.history) == (seq, head, history):
            return kept
        puk = self.puk_at(seq)
        if puk is None:
            return None
        self.sealed_to = made = Recipient(USER, self.uid, seq, head, puk.gen, puk.kem_pk, history)
        return made

    def ended_at(self, seq: int) -> bool:
        """Whether the agency has reset the person by this entry. After a reset the person is a member of no room."""
        return self.ended is not None and self.ended <= seq

    def revoked_between(self, after: int, until: int) -> bool:
        """Whether a device was revoked by an entry in (after, until]."""
        return any(d.revoked is not None and after < d.revoked <= until for d in self.devices.values())

    @classmethod
    def replay(cls, entries: list[tuple[bytes, bytes]], agency_pk: bytes) -> "UserLog":
        """Builds a log from all its `entries`, each (body, signature), from the first on, and verifies them.
        `agency_pk` is the agency's public key. Reject with the code of the first rule that an entry breaks, such as
        "chain", "order", "signer" or "signature" (all are those of `apply`), or "malformed" if there are no entries."""
        log = cls(agency_pk)
        for body, sig in entries:
            log.apply(body, sig)
        if not log.heads:
            raise Reject("malformed", "empty user log")
        return log

    def apply(self, body: bytes, sig: bytes) -> UserEntry:
        """Verifies the next entry, `body` with its signature `sig`, against everything before it, applies it and
        returns it, decoded. If it breaks a rule, the log is unchanged. Reject "chain" (does not follow the newest
        entry, or is of another log), "ended" (the agency has ended the log), "order" (wrong type for its number),
        "signer" (may not make this type), "signature"; "malformed", "encoding", "oversize", "format" or "old-format"
        for another form; by type also "bad-key", "agency", "binding", "device", "devices", "device-twice", "older",
        "added", "generation" or "recipients"."""
        entry = UserEntry.decode(body)
        where = f"user entry {entry.seq}"
        if entry.seq != len(self.heads) or entry.prev != (self.heads[-1] if self.heads else NO_HEAD):
            raise Reject("chain", where)
        if self.ended is not None:
            raise Reject("ended", where)
        if entry.uid != (self.uid or None):
            raise Reject("chain", where)
        if (entry.type == "genesis") != (entry.seq == 0) or entry.type != _FIRST.get(entry.seq, entry.type):
            raise Reject("order", where)
        draft = _copy(self)
        signer = _APPLY[entry.type](draft, entry, sig)
        verify(signer, DOMAIN, entry.ident, sig)
        draft.heads.append(entry.ident)
        draft.size_bytes += len(body) + len(sig)
        if entry.seq == 0:
            draft.uid = Uid(entry.ident[:16])
        _take(self, draft)
        return entry

    def _signer(self, entry: UserEntry) -> bytes:
        """The public key that must have signed `entry`, of a type that an active device or the root may make. Reject
        "signer" if its `by` is neither."""
        if entry.by == ROOT:
            return self.root_pk
        device = self.device_active(entry.by, self.seq) if isinstance(entry.by, bytes) else None
        if device is None:
            raise Reject("signer", f"user entry {entry.seq}")
        return device.sign_pk


def _copy(log: UserLog) -> UserLog:
    return replace(
        log,
        heads=list(log.heads),
        devices=dict(log.devices),
        puks=list(log.puks),
        agency_revokes=list(log.agency_revokes),
    )


def _take(log: UserLog, draft: UserLog) -> None:
    """The last step of applying an entry: replaces the content of `log` by that of `draft`, the changed copy. The heads
    are set last: another thread that drafts an entry at the same time then finds everything that belongs to the head
    that it reads."""
    for name in UserLog.__dataclass_fields__:
        if name != "heads":
            setattr(log, name, getattr(draft, name))
    log.heads = draft.heads


def _add_device(log: UserLog, entry: UserEntry, keys: object, proof: object) -> DevId:
    sign_pk, kem_pk = fields.array(keys, 2, "keys")
    sign_raw, kem_raw = fields.raw(sign_pk, 32, "keys"), fields.raw(kem_pk, seal.PUBLIC_BYTES, "keys")
    check_public(sign_raw)
    seal.check_public(kem_raw)
    dev = device_id(log.genesis_root_pk, sign_raw)
    if dev in log.devices:
        raise Reject("device-twice", f"user entry {entry.seq}")
    if sum(d.revoked is None for d in log.devices.values()) >= MAX_DEVICES:
        raise Reject("devices", f"user entry {entry.seq}")
    prev: bytes = b"" if entry.seq == 0 else entry.prev
    verify(sign_raw, "dev-proof", [entry.uid, prev, [sign_raw, kem_raw], entry.by], fields.raw(proof, 64, "proof"))
    log.devices[dev] = Device(dev, sign_raw, kem_raw, entry.seq, None, entry.by, entry.time)
    return dev


def _genesis(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    root_pk, keys, proof = fields.array(entry.payload, 3, "genesis")
    if entry.by != ROOT:
        raise Reject("signer", "user entry 0")
    log.genesis_root_pk = log.root_pk = fields.raw(root_pk, 32, "root")
    check_public(log.root_pk)
    _add_device(log, entry, keys, proof)
    return log.root_pk


def _binding(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    agency_pk, cert, cert_sig, record = fields.array(entry.payload, 4, "binding")
    if agency_pk != log.agency_pk:
        raise Reject("agency", f"user entry {entry.seq}")
    invite = InviteCert.check(log.agency_pk, fields.blob(cert, 1024, "cert"), fields.raw(cert_sig, 64, "cert"))
    if record != invite.record_hash or entry.by != invite_id(invite.invite_pk):
        raise Reject("binding", f"user entry {entry.seq}")
    log.record_hash, log.bound_seq = invite.record_hash, entry.seq
    return invite.invite_pk


def _read_puk(log: UserLog, entry: UserEntry, payload: object) -> Puk:
    gen, kem_pk, wrap, seals = fields.array(payload, 4, "puk")
    kem_raw = fields.raw(kem_pk, seal.PUBLIC_BYTES, "puk")
    seal.check_public(kem_raw)
    if fields.u64(gen, "puk") != len(log.puks) + 1:
        raise Reject("generation", f"user entry {entry.seq}")
    pairs = []
    for pair in fields.items(seals, "puk seals", 1000):
        ident, sealed = fields.array(pair, 2, "puk seal")
        pairs.append((fields.blob(ident, 16, "puk seal"), fields.raw(sealed, SEAL_BYTES, "puk seal")))
    wanted = {bytes(d.dev) for d in log.devices.values() if d.revoked is None}
    if log.recovery_pk is not None:
        wanted.add(RECOVERY)
    if {p[0] for p in pairs} != wanted or len(pairs) != len(wanted):
        raise Reject("recipients", f"user entry {entry.seq}")
    wrapped = fields.blob(wrap, 256, "puk")
    if bool(log.puks) != bool(wrapped):
        raise Reject("generation", "prev wrap")
    return Puk(len(log.puks) + 1, kem_raw, entry.seq, wrapped, tuple(pairs), entry.time)


def _puk_rotate(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    signer = log._signer(entry)
    log.puks.append(_read_puk(log, entry, entry.payload))
    return signer


def _puk_seal(log: UserLog, entry: UserEntry, to: bytes, gen: object, sealed: object) -> None:
    """Stores `sealed`, the seed of the newest generation of the per-user key (PUK) sealed to the device `to`, beside
    the seals of the other devices, in place of an older one. It comes in an entry that adds the device or changes its
    key. Reject "generation" if `gen` is not the newest generation, "malformed" if `sealed` has not the length of a
    seal; its content cannot be checked."""
    if fields.u64(gen, "puk seal") != len(log.puks):
        raise Reject("generation", f"user entry {entry.seq}")
    puk = log.puks[-1]
    kept = tuple(pair for pair in puk.seals if pair[0] != to)
    log.puks[-1] = replace(puk, seals=(*kept, (to, fields.raw(sealed, SEAL_BYTES, "puk seal"))))


def _dev_add(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    keys, proof, gen, sealed = fields.array(entry.payload, 4, "dev_add")
    signer = log._signer(entry)
    if entry.by == ROOT and log.bound_seq != entry.seq - 1:
        raise Reject("binding", f"user entry {entry.seq}")  # ▲ the root alone adds only right after a fresh binding
    dev = _add_device(log, entry, keys, proof)
    _puk_seal(log, entry, dev, gen, sealed)
    return signer


def _dev_rekey(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    kem_pk, gen, sealed = fields.array(entry.payload, 3, "dev_rekey")
    if entry.by == ROOT:
        raise Reject("signer", f"user entry {entry.seq}")
    signer = log._signer(entry)
    kem_raw = fields.raw(kem_pk, seal.PUBLIC_BYTES, "dev_rekey")
    seal.check_public(kem_raw)
    dev = DevId(fields.raw(entry.by, 16, "by"))
    _puk_seal(log, entry, dev, gen, sealed)
    log.devices[dev] = replace(log.devices[dev], kem_pk=kem_raw)
    return signer


def _dev_revoke(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    dev, added, puk = fields.array(entry.payload, 3, "dev_revoke")
    target = log.devices.get(DevId(fields.raw(dev, 16, "dev_revoke")))
    if target is None or target.revoked is not None:
        raise Reject("device", f"user entry {entry.seq}")
    if added != [d.dev for d in log.devices.values() if d.by == target.dev]:
        raise Reject("added", f"user entry {entry.seq}")
    if entry.by == AGENCY:
        signer = log.agency_pk
    else:
        signer = log._signer(entry)
        if isinstance(entry.by, bytes) and entry.by != target.dev:
            order = list(log.devices)
            if order.index(DevId(entry.by)) > order.index(target.dev):
                raise Reject("older", f"user entry {entry.seq}")
    log.devices[target.dev] = replace(target, revoked=entry.seq)
    if entry.by == AGENCY:
        if puk is not None:
            raise Reject("malformed", "dev_revoke by the agency carries no generation")
        log.agency_revokes.append(entry.seq)
    else:
        log.puks.append(_read_puk(log, entry, puk))
    return signer


def _root_rotate(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    new_pk, proof = fields.array(entry.payload, 2, "root_rotate")
    if entry.by != ROOT:
        raise Reject("signer", f"user entry {entry.seq}")
    new_raw, old = fields.raw(new_pk, 32, "root_rotate"), log.root_pk
    check_public(new_raw)
    verify(new_raw, "root-proof", [entry.uid, entry.prev, new_raw], fields.raw(proof, 64, "proof"))
    log.root_pk, log.root_seq = new_raw, entry.seq
    return old


def _recovery_set(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    """Records the new recovery sheet in `entry`, in force if its root key was set before (`root_rotate`). ▲ Its entry
    carries the next generation of the per-user key (PUK), so that the recovery sheet that it replaces opens none of the
    later ones. Returns the public root key, which must have signed; `sig` is not used here. Reject "signer" if not the
    root made the entry, "generation" if a number is not the next one, "recipients" if the PUK is not sealed to just the
    active devices and the recovery key, "bad-key", "malformed", "format" or "old-format"."""
    version, kem_pk, number, escrow, sealed, puk = fields.array(entry.payload, 6, "recovery_set")
    fields.version(version, RECOVERY_SHEET_FORMAT, "recovery_set")
    if entry.by != ROOT:
        raise Reject("signer", f"user entry {entry.seq}")
    kem_raw = fields.raw(kem_pk, seal.PUBLIC_BYTES, "recovery_set")
    seal.check_public(kem_raw)
    if fields.u64(number, "recovery_set") != (log.recovery_sheet.number if log.recovery_sheet is not None else 0) + 1:
        raise Reject("generation", f"user entry {entry.seq}")
    log.recovery_sheet = RecoverySheet(
        kem_pk=kem_raw,
        number=fields.u64(number, "recovery_set"),
        seq=entry.seq,
        escrow=fields.raw(escrow, 16, "recovery_set"),
        sealed=fields.raw(sealed, SHARE_SEAL_BYTES, "recovery_set"),
    )
    log.puks.append(_read_puk(log, entry, puk))
    return log.root_pk


def _reset(log: UserLog, entry: UserEntry, sig: bytes) -> bytes:
    fields.array(entry.payload, 0, "reset")
    if entry.by != AGENCY:
        raise Reject("signer", f"user entry {entry.seq}")
    log.ended = entry.seq
    return log.agency_pk


_APPLY = {
    "genesis": _genesis,
    "binding": _binding,
    "puk_rotate": _puk_rotate,
    "dev_add": _dev_add,
    "dev_rekey": _dev_rekey,
    "dev_revoke": _dev_revoke,
    "root_rotate": _root_rotate,
    "recovery_set": _recovery_set,
    "reset": _reset,
}
