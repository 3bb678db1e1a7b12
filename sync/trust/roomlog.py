# SPDX-License-Identifier: EUPL-1.2
"""The entries of a room's stream: their bytes, and what each type's payload holds (protocol §5).

Body: `[1, room | null, seq, prev, uid, dev, [n, rh], [ulog_seq, ulog_head], time, type, payload, ext]`; id =
H("room-log" ‖ body); signed over the id, domain "room-log". Who may post what is judged in stream.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sync.crypto.encoding import dec, enc
from sync.crypto.seal import PUBLIC_BYTES, SUITE_HYBRID, check_public
from sync.errors import Reject
from sync.ids import Hash, ObjId, Uid
from sync.trust import fields
from sync.trust.epochs import Epoch, read_pins
from sync.trust.items import ENTRY, Role, item_id

VERSION = 1
ENTRY_LIMIT = 512 * 1024
DOMAIN = "room-log"
NO_PREV = bytes(32)
_SUBJECT_LIMIT = 16 * 1024

REASONS = ("", "left-agency", "left-case", "moved", "mistake", "security", "other")
"""Why somebody was removed or left; anything longer is a sealed note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """`policy` maps names to values; `successor` is [room, n, rh] of a closed room that this one continues."""

    nonce: bytes
    policy: dict[str, object]
    successor: tuple[bytes, int, bytes] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """`seal_hash` is of the newcomer's seal; `epoch` is there for from-now and whenever the add rotates."""

    uid: Uid
    role: Role
    history: bool
    ulog: tuple[int, Hash]
    seal_hash: Hash
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Takes a member out; it carries the epoch that member cannot open."""

    uid: Uid
    reason: int
    note: bytes
    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Signed by the leaver, without an epoch: the room is dirty after it."""

    reason: int
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRole:
    """Raises or lowers a role; lowering makes the room dirty unless it carries an epoch."""

    uid: Uid
    role: Role
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Changes the room's policy. "format" enables extension ids, kinds and types."""

    changes: dict[str, object]
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate:
    """A new epoch, nothing else."""

    epoch: Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Newer user-log heads of members."""

    pins: tuple[tuple[Uid, int, Hash], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hist:
    """Gives a from-now member the archive key from here on; `proposal` is the approved entry's id."""

    uid: Uid
    proposal: Hash
    epoch: Epoch | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Proposes a change that a second administrator approves: "hist" (`subject`: a member's uid), "history" (the
    policy's new value) or "recovery" (`enc` of the new list)."""

    what: str
    subject: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    proposal: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sealed remark in the timeline."""

    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotOpen:
    e: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy:
    """Gallring of an object: `rule` and `decision` are hashes of the texts."""

    obj: ObjId
    rule: bytes
    decision: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    obj: ObjId
    n: int
    snapshot: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryUse:
    """The agency's recovery key is used; the details are sealed to the members."""

    epochs: tuple[int, ...]
    officers: tuple[Uid, ...]
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What an entry's type, extension or payload could not be read as: the entry is void with this code.

    `needs` names the feature ("type x", "ext 2") that a policy would have to enable, if that is all.
    """

    code: str
    needs: str = ""


Payload = (
    Unreadable
    | Genesis
    | Add
    | Remove
    | Leave
    | SetRole
    | Policy
    | Rotate
    | Pin
    | Hist
    | Propose
    | Approve
    | Note
    | CannotOpen
    | Destroy
    | Prune
    | RecoveryUse
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomEntry:
    """A decoded entry. `seen` and `ulog` are what its author had verified."""

    room: bytes | None
    seq: int
    prev: bytes
    uid: Uid
    dev: bytes
    seen: tuple[int, bytes]
    ulog: tuple[int, bytes]
    time: int
    type: str
    payload: Payload
    ident: Hash

    @classmethod
    def decode(cls, body: bytes, *, lenient: bool = False) -> "RoomEntry":
        """The entry, every shape checked. Reject "malformed", "encoding", "oversize" or "format".

        `lenient`: what only its author can have done wrong (type, extension, payload) becomes `Unreadable`.
        """
        parts = fields.array(dec(body, limit=ENTRY_LIMIT), 12, "room entry")
        version, room, seq, prev, uid, dev, seen, ulog, time, kind, payload, ext = parts
        fields.version(version, VERSION, "room entry version")
        name = fields.text(kind, 64, "room entry type")
        return cls(
            room=None if room is None else fields.raw(room, 16, "room"),
            seq=fields.u64(seq, "seq"),
            prev=fields.raw(prev, 32, "prev"),
            uid=Uid(fields.raw(uid, 16, "uid")),
            dev=fields.raw(dev, 16, "dev"),
            seen=position(seen, "seen"),
            ulog=position(ulog, "ulog"),
            time=fields.u64(time, "time"),
            type=name,
            payload=_read_payload(name, payload, ext, lenient=lenient),
            ident=item_id(ENTRY, body),
        )

    @property
    def epoch(self) -> Epoch | None:
        """The epoch that this entry carries, if any."""
        return getattr(self.payload, "epoch", None)


def position(value: object, where: str) -> tuple[int, bytes]:
    """A [number, hash] pair."""
    number, digest = fields.array(value, 2, where)
    return fields.u64(number, where), fields.raw(digest, 32, where)


def entry_body(
    room: bytes | None,
    seq: int,
    prev: bytes,
    uid: bytes,
    dev: bytes,
    seen: tuple[int, bytes],
    ulog: tuple[int, bytes],
    time: int,
    kind: str,
    payload: object,
) -> bytes:
    """The body of an entry to sign."""
    return enc([VERSION, room, seq, prev, uid, dev, list(seen), list(ulog), time, kind, payload, {}])


def _read_payload(kind: str, payload: object, ext: object, *, lenient: bool) -> Payload:
    even = fields.even_ext(ext)
    read = _READ.get(kind)
    if even or read is None:
        needs = f"ext {even[0]}" if even else f"type {kind}"
        if not lenient:
            raise Reject("format", needs)
        return Unreadable(code="format", needs=needs)
    try:
        return read(payload)
    except Reject as e:
        if not lenient:
            raise
        return Unreadable(code=e.code)


def read_policy(value: object) -> dict[str, object]:
    """What a policy may say: "history" ("all" or "from-now": what newcomers may be given), "recovery" ([[id 16,
    sealing key]]), "format" ({"ext" | "kinds" | "types": [...]}: what newer clients may use), "suite" (2)."""
    policy = _names(value, "policy")
    for name, item in policy.items():
        match name:
            case "history":
                if item not in ("all", "from-now"):
                    raise Reject("malformed", "policy history")
            case "recovery":
                read_recovery(item)
            case "format":
                _read_format(item)
            case "suite":
                if item != SUITE_HYBRID:
                    raise Reject("suite", "policy")
            case _:
                raise Reject("malformed", "policy")
    return policy


def read_recovery(value: object) -> list[tuple[Uid, bytes]]:
    """The agency's recovery recipients: (id, sealing key) each. ▲ Keys that nobody can seal to are refused."""
    out = []
    for row in fields.items(value, "recovery", 8):
        ident, key = fields.array(row, 2, "recovery")
        check_public(fields.raw(key, PUBLIC_BYTES, "recovery"))
        out.append((Uid(fields.raw(ident, 16, "recovery")), fields.raw(key, PUBLIC_BYTES, "recovery")))
    if len({ident for ident, _ in out}) != len(out):
        raise Reject("malformed", "recovery")
    return out


def _read_format(value: object) -> None:
    for name, members in _names(value, "format").items():
        if name not in ("ext", "kinds", "types"):
            raise Reject("malformed", "format")
        for member in fields.items(members, "format", 1000):
            if type(member) is not (str if name == "types" else int):
                raise Reject("malformed", "format")


def _role(value: object) -> Role:
    try:
        return Role(fields.u64(value, "role"))
    except ValueError as e:
        raise Reject("malformed", "role") from e


def _reason(value: object) -> int:
    reason = fields.u64(value, "reason")
    if reason >= len(REASONS):
        raise Reject("malformed", "reason")
    return reason


def _maybe_epoch(value: object) -> Epoch | None:
    return None if value is None else Epoch.read(value)


def _names(value: object, where: str) -> dict[str, object]:
    if type(value) is not dict or any(type(k) is not str for k in value):
        raise Reject("malformed", where)
    return value


def _genesis(value: object) -> Genesis:
    nonce, policy, successor = fields.array(value, 3, "genesis")
    old = None
    if successor is not None:
        room, n, rh = fields.array(successor, 3, "successor")
        old = fields.raw(room, 16, "successor"), fields.u64(n, "successor"), fields.raw(rh, 32, "successor")
    return Genesis(nonce=fields.raw(nonce, 32, "nonce"), policy=read_policy(policy), successor=old)


def _add(value: object) -> Add:
    uid, role, history, ulog, seal_hash, epoch = fields.array(value, 6, "add")
    seq, head = position(ulog, "add")
    return Add(
        uid=Uid(fields.raw(uid, 16, "add")),
        role=_role(role),
        history=fields.flag(history, "add"),
        ulog=(seq, Hash(head)),
        seal_hash=Hash(fields.raw(seal_hash, 32, "add")),
        epoch=_maybe_epoch(epoch),
    )


def _rm(value: object) -> Remove:
    uid, reason, note, epoch = fields.array(value, 4, "rm")
    return Remove(
        uid=Uid(fields.raw(uid, 16, "rm")), reason=_reason(reason), note=_note_bytes(note), epoch=Epoch.read(epoch)
    )


def _leave(value: object) -> Leave:
    reason, note = fields.array(value, 2, "leave")
    return Leave(reason=_reason(reason), note=_note_bytes(note))


def _note_bytes(value: object) -> bytes:
    return fields.blob(value, 4096, "note")


def _set_role(value: object) -> SetRole:
    uid, role, epoch = fields.array(value, 3, "role")
    return SetRole(uid=Uid(fields.raw(uid, 16, "role")), role=_role(role), epoch=_maybe_epoch(epoch))


def _policy(value: object) -> Policy:
    changes, epoch = fields.array(value, 2, "policy")
    return Policy(changes=read_policy(changes), epoch=_maybe_epoch(epoch))


def _rotate(value: object) -> Rotate:
    (epoch,) = fields.array(value, 1, "epoch")
    return Rotate(epoch=Epoch.read(epoch))


def _pin(value: object) -> Pin:
    (pins,) = fields.array(value, 1, "pin")
    return Pin(pins=read_pins(pins))


def _hist(value: object) -> Hist:
    uid, proposal, epoch = fields.array(value, 3, "hist")
    return Hist(
        uid=Uid(fields.raw(uid, 16, "hist")),
        proposal=Hash(fields.raw(proposal, 32, "hist")),
        epoch=_maybe_epoch(epoch),
    )


def _propose(value: object) -> Propose:
    what, subject = fields.array(value, 2, "propose")
    raw = fields.blob(subject, _SUBJECT_LIMIT, "propose")
    match what:
        case "hist":
            fields.raw(raw, 16, "propose")
        case "history":
            if raw not in (b"all", b"from-now"):
                raise Reject("malformed", "propose")
        case "recovery":
            read_recovery(dec(raw, limit=_SUBJECT_LIMIT))
        case _:
            raise Reject("malformed", "propose")
    return Propose(what=str(what), subject=raw)


def _approve(value: object) -> Approve:
    (proposal,) = fields.array(value, 1, "approve")
    return Approve(proposal=Hash(fields.raw(proposal, 32, "approve")))


def _note(value: object) -> Note:
    (sealed,) = fields.array(value, 1, "note")
    return Note(sealed=_note_bytes(sealed))


def _cannot_open(value: object) -> CannotOpen:
    (e,) = fields.array(value, 1, "cannot_open")
    return CannotOpen(e=fields.u64(e, "cannot_open"))


def _destroy(value: object) -> Destroy:
    obj, rule, decision = fields.array(value, 3, "destroy")
    return Destroy(
        obj=ObjId(fields.raw(obj, 16, "destroy")),
        rule=fields.raw(rule, 32, "destroy"),
        decision=fields.raw(decision, 32, "destroy"),
    )


def _prune(value: object) -> Prune:
    obj, n, snapshot = fields.array(value, 3, "prune")
    return Prune(
        obj=ObjId(fields.raw(obj, 16, "prune")),
        n=fields.u64(n, "prune"),
        snapshot=Hash(fields.raw(snapshot, 32, "prune")),
    )


def _recovery_use(value: object) -> RecoveryUse:
    epochs, officers, sealed = fields.array(value, 3, "recovery_use")
    return RecoveryUse(
        epochs=tuple(fields.u64(e, "recovery_use") for e in fields.items(epochs, "recovery_use")),
        officers=tuple(Uid(fields.raw(o, 16, "recovery_use")) for o in fields.items(officers, "recovery_use", 64)),
        sealed=fields.blob(sealed, 65536, "recovery_use"),
    )


_READ: dict[str, Callable[[object], Payload]] = {
    "genesis": _genesis,
    "add": _add,
    "rm": _rm,
    "leave": _leave,
    "role": _set_role,
    "policy": _policy,
    "epoch": _rotate,
    "pin": _pin,
    "hist": _hist,
    "propose": _propose,
    "approve": _approve,
    "note": _note,
    "cannot_open": _cannot_open,
    "destroy": _destroy,
    "prune": _prune,
    "recovery_use": _recovery_use,
}
