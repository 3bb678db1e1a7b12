# SPDX-License-Identifier: EUPL-1.2
"""Decodes the payload of each type of entry and checks every shape (protocol §5)."""

from collections.abc import Callable

from sync.crypto.encoding import dec
from sync.errors import Reject
from sync.ids import Hash, ObjId, Uid
from sync.trust.formats import fields
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import Epoch, read_pins
from sync.trust.room.payloads import (
    Add,
    Approve,
    CannotOpen,
    Destroy,
    Genesis,
    Hist,
    Leave,
    Note,
    Payload,
    Pin,
    Policy,
    Propose,
    Prune,
    RecoveryUse,
    Remove,
    Rotate,
    SetRole,
    Unreadable,
)
from sync.trust.room.room_policy import read_policy, read_recovery

SUBJECT_LIMIT = 10 * 1024
"""Room for eight recovery recipients of 1,240 B each."""


def read_payload(kind: str, payload: object, ext: object, *, lenient: bool) -> Payload:
    """Reads `payload`, the content of an entry of the type `kind`, and checks the entry's extensions `ext`. Reject
    "format" for an unknown type or an unknown extension with an even number; "malformed", "suite", "bad-key",
    "encoding" or "oversize" for a payload that this type cannot have. With `lenient` (at clients, so that only the
    entry is void) it returns Unreadable with that code instead. Extensions that are no map of numbers to bytes are
    always a Reject "malformed"."""
    even = fields.even_ext(ext)
    read = READ.get(kind)
    if even or read is None:
        types = () if read is not None else (f"type {kind}",)
        needs = (*types, *(f"ext {e}" for e in even))
        if not lenient:
            raise Reject("format", ", ".join(needs))
        return Unreadable(code="format", needs=needs)
    try:
        return read(payload)
    except Reject as e:
        if not lenient:
            raise
        return Unreadable(code=e.code)


def _role(value: object) -> Role:
    try:
        return Role(fields.u64(value, "role"))
    except ValueError as e:
        raise Reject("malformed", "role") from e


def _no_reason(value: object) -> None:
    """▲ Requires that `value`, where an entry might state a reason, is the integer 0; Reject "malformed" otherwise (for
    False or 0.0 too). The reason for a removal or a leave would be a personal record in clear text at the server."""
    if fields.u64(value, "reason"):
        raise Reject("malformed", "reason")


def _maybe_epoch(value: object) -> Epoch | None:
    return None if value is None else Epoch.read(value)


def _genesis(value: object) -> Genesis:
    nonce, policy, old = fields.array(value, 3, "genesis")
    predecessor = None
    if old is not None:
        room, n, rh = fields.array(old, 3, "predecessor")
        predecessor = (
            fields.raw(room, 16, "predecessor"),
            fields.u64(n, "predecessor"),
            fields.raw(rh, 32, "predecessor"),
        )
    return Genesis(nonce=fields.raw(nonce, 32, "nonce"), policy=read_policy(policy), predecessor=predecessor)


def _add(value: object) -> Add:
    uid, role, history, ulog, seal_hash, epoch = fields.array(value, 6, "add")
    seq, head = fields.position(ulog, "add")
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
    _no_reason(reason)
    return Remove(uid=Uid(fields.raw(uid, 16, "rm")), note=_note_bytes(note), epoch=Epoch.read(epoch))


def _leave(value: object) -> Leave:
    reason, note = fields.array(value, 2, "leave")
    _no_reason(reason)
    return Leave(note=_note_bytes(note))


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
    raw = fields.blob(subject, SUBJECT_LIMIT, "propose")
    match what:
        case "hist":
            fields.raw(raw, 16, "propose")
        case "history":
            if raw not in (b"all", b"from-now"):
                raise Reject("malformed", "propose")
        case "recovery":
            read_recovery(dec(raw, limit=SUBJECT_LIMIT))
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


READ: dict[str, Callable[[object], Payload]] = {
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
