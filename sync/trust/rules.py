# SPDX-License-Identifier: EUPL-1.2
"""Who may post which entry, and what it does (protocol §5, §6). One function per type.

Each gives None and changes the state, or the reason why the entry is void and changes nothing. A Reject is for what
the server should never have placed: a wrong recipients' hash, an unknown head.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sync.errors import NeedLog, Reject
from sync.ids import Hash, ObjId, Uid
from sync.trust.book import UserBook
from sync.trust.epochs import USER, Epoch, Recipient, recipients_hash
from sync.trust.items import Role
from sync.trust.roomlog import (
    Add,
    Approve,
    CannotOpen,
    Destroy,
    Genesis,
    Hist,
    Leave,
    Note,
    Pin,
    Policy,
    Propose,
    Prune,
    RecoveryUse,
    Remove,
    RoomEntry,
    Rotate,
    SetRole,
)
from sync.trust.roomstate import Member, Proposal, RoomState

SEASONED_MS = 7 * 24 * 3600 * 1000
"""How long somebody must have been a member-admin before approving a proposal, unless from genesis."""
GUARDED_POLICY = frozenset(("history", "recovery"))


@dataclass(frozen=True, slots=True)
class _At:
    """The entry being judged, where it stands, and who may look things up."""

    entry: RoomEntry
    n: int
    t: int
    book: UserBook


def recipients(members: dict[Uid, Member], pins: dict[Uid, tuple[int, Hash]], book: UserBook) -> list[Recipient]:
    """▲ Everyone whom an epoch must be sealed to, recomputed from members and pinned heads. NeedLog if one is missing.

    A person whose device the agency revoked is left out until a newer PUK generation stands.
    """
    out = []
    for member in members.values():
        seq, head = pins[member.uid]
        log = book.log(member.uid)
        if log is None or log.seq < seq:
            raise NeedLog(member.uid, seq)
        puk = log.puk_at(seq)
        if puk is not None:
            out.append(
                Recipient(
                    kind=USER,
                    uid=member.uid,
                    ulog_seq=seq,
                    ulog_head=head,
                    puk_gen=puk.gen,
                    kem_pk=puk.kem_pk,
                    history=member.history,
                )
            )
    return out


def apply_entry(s: RoomState, entry: RoomEntry, n: int, t: int, book: UserBook) -> str | None:
    """Judges one entry by its author's role here and now, and lets it take effect. Gives the reason if it is void."""
    here = _At(entry, n, t, book)
    payload = entry.payload
    if s.dirty and not isinstance(payload, Genesis) and not _allowed_while_dirty(s, payload):
        return "dirty"
    rule: Callable[[RoomState, _At, object], str | None] = _RULES[type(payload)]
    return rule(s, here, payload)


def _allowed_while_dirty(s: RoomState, payload: object) -> bool:
    if getattr(payload, "epoch", None) is not None or isinstance(payload, Leave | Pin | CannotOpen):
        return True
    if isinstance(payload, SetRole):
        member = s.members.get(payload.uid)
        return member is not None and payload.role < member.role
    return False


def _role(s: RoomState, here: _At) -> Role:
    return s.members[here.entry.uid].role


def _take_epoch(s: RoomState, here: _At, epoch: Epoch | None, members: dict[Uid, Member]) -> str | None:
    """The epoch that an entry carries, judged against the members after the entry's own change."""
    if epoch is None:
        s.members = members
        return None
    if epoch.e != s.epoch + 1:
        return "stale"
    pins = dict(s.pins)
    for uid, seq, head in (*epoch.pins, (here.entry.uid, here.entry.ulog[0], Hash(here.entry.ulog[1]))):
        _check_head(here.book, uid, seq, head, here.n)
        if uid in pins and seq < pins[uid][0]:
            continue
        pins[uid] = (seq, head)
    expected = recipients(members, pins, here.book)
    if recipients_hash(expected) != epoch.recip or len(expected) != epoch.count:
        raise Reject("recipients", f"position {here.n}")
    if epoch.base is not None and not (0 < epoch.base < epoch.e and epoch.base in s.epochs):
        return "epoch-link"
    s.members, s.pins = members, pins
    s.epoch, s.dirty = epoch.e, False
    s.epochs = {**s.epochs, epoch.e: replace(epoch, n=here.n, by=here.entry.uid)}
    return None


def _check_head(book: UserBook, uid: Uid, seq: int, head: Hash, n: int) -> None:
    log = book.log(uid)
    if log is None or log.seq < seq:
        raise NeedLog(uid, seq)
    if log.head_at(seq) != head:
        raise Reject("ulog", f"position {n}")


def _genesis(s: RoomState, here: _At, p: Genesis) -> str | None:
    uid = here.entry.uid
    log = here.book.log(uid)
    if log is None or not log.ready:
        return "not-ready"
    s.policy = p.policy
    s.members = {uid: Member(uid, Role.OWNER, here.n, here.t, True, here.entry.ident)}
    return None


def _add(s: RoomState, here: _At, p: Add) -> str | None:
    role = _role(s, here)
    if role < Role.ADMIN or p.role > role:
        return "forbidden"
    if p.uid in s.members:
        return "member"
    _check_head(here.book, p.uid, *p.ulog, here.n)
    log = here.book.log(p.uid)
    if log is None or not log.ready:
        return "not-ready"
    if p.epoch is None and (not p.history or not s.epochs[s.epoch].has_archive):
        return "epoch-missing"
    pinned = s.pins.get(p.uid)
    if pinned is not None and p.ulog[0] < pinned[0]:
        return "stale"
    member = Member(p.uid, p.role, here.n, here.t, p.history, here.entry.ident)
    old_pins = s.pins
    s.pins = {**s.pins, p.uid: p.ulog}
    try:
        why = _take_epoch(s, here, p.epoch, {**s.members, p.uid: member})
    except (Reject, NeedLog):
        s.pins = old_pins
        raise
    if why is not None:
        s.pins = old_pins
    return why


def _may_touch(s: RoomState, here: _At, uid: Uid) -> str | None:
    """Administrators manage members; only owners touch owners; the last owner stays."""
    role, target = _role(s, here), s.members.get(uid)
    if target is None:
        return "not-member"
    if role < Role.ADMIN or (target.role is Role.OWNER and role < Role.OWNER):
        return "forbidden"
    if target.role is Role.OWNER and s.owners() == 1:
        return "last-owner"
    return None


def _rm(s: RoomState, here: _At, p: Remove) -> str | None:
    if p.uid == here.entry.uid:
        return "forbidden"
    why = _may_touch(s, here, p.uid)
    if why is not None:
        return why
    return _take_epoch(s, here, p.epoch, {u: m for u, m in s.members.items() if u != p.uid})


def _leave(s: RoomState, here: _At, p: Leave) -> str | None:
    uid = here.entry.uid
    if s.members[uid].role is Role.OWNER and s.owners() == 1:
        return "last-owner"
    s.members = {u: m for u, m in s.members.items() if u != uid}
    s.dirty = True
    return None


def _set_role(s: RoomState, here: _At, p: SetRole) -> str | None:
    own = p.uid == here.entry.uid
    why = _may_touch(s, here, p.uid)
    if why is not None and not (own and why == "forbidden" and p.role < _role(s, here)):
        return why
    if p.role > _role(s, here):
        return "forbidden"
    lowered = p.role < s.members[p.uid].role
    members = {**s.members, p.uid: replace(s.members[p.uid], role=p.role)}
    why = _take_epoch(s, here, p.epoch, members)
    if why is None and lowered and p.epoch is None:
        s.dirty = True
    return why


def _policy(s: RoomState, here: _At, p: Policy) -> str | None:
    if _role(s, here) < Role.ADMIN or GUARDED_POLICY & p.changes.keys():
        return "forbidden"
    why = _take_epoch(s, here, p.epoch, s.members)
    if why is None:
        s.policy = {**s.policy, **p.changes}
    return why


def _rotate(s: RoomState, here: _At, p: Rotate) -> str | None:
    if _role(s, here) < Role.WRITER:
        return "forbidden"
    return _take_epoch(s, here, p.epoch, s.members)


def _pin(s: RoomState, here: _At, p: Pin) -> str | None:
    pins = dict(s.pins)
    for uid, seq, head in p.pins:
        _check_head(here.book, uid, seq, head, here.n)
        if uid in pins and seq > pins[uid][0]:
            pins[uid] = (seq, head)
            log = here.book.log(uid)
            if log is not None and any(d.revoked is not None and d.revoked <= seq for d in log.devices.values()):
                s.dirty = True
    s.pins = pins
    return None


def _seasoned(s: RoomState, here: _At) -> bool:
    """An administrator for at least seven days, or from genesis."""
    member = s.members[here.entry.uid]
    return member.role >= Role.ADMIN and (member.since_n == 1 or here.t - member.since_t >= SEASONED_MS)


def _propose(s: RoomState, here: _At, p: Propose) -> str | None:
    if _role(s, here) < Role.ADMIN:
        return "forbidden"
    s.proposals = {**s.proposals, here.entry.ident: Proposal(p.what, p.subject, here.entry.uid)}
    return None


def _approve(s: RoomState, here: _At, p: Approve) -> str | None:
    proposal = s.proposals.get(p.proposal)
    if proposal is None:
        return "proposal"
    if not _seasoned(s, here) or proposal.by == here.entry.uid:
        return "forbidden"
    s.proposals = {**s.proposals, p.proposal: replace(proposal, approved=here.entry.uid)}
    if proposal.what == "recovery":
        s.policy = {**s.policy, "recovery": proposal.subject}
    return None


def _hist(s: RoomState, here: _At, p: Hist) -> str | None:
    proposal = s.proposals.get(p.proposal)
    if _role(s, here) < Role.ADMIN:
        return "forbidden"
    if proposal is None or proposal.approved is None or proposal.what != "hist" or proposal.subject != p.uid:
        return "proposal"
    if p.uid not in s.members:
        return "not-member"
    members = {**s.members, p.uid: replace(s.members[p.uid], history=True)}
    why = _take_epoch(s, here, p.epoch, members)
    if why is None:
        s.proposals = {i: q for i, q in s.proposals.items() if i != p.proposal}
    return why


def _note(s: RoomState, here: _At, p: Note) -> str | None:
    return None if _role(s, here) >= Role.WRITER else "forbidden"


def _cannot_open(s: RoomState, here: _At, p: CannotOpen) -> str | None:
    return None if p.e in s.epochs else "epoch-missing"


def _destroy(s: RoomState, here: _At, p: Destroy) -> str | None:
    if _role(s, here) < Role.ADMIN or p.obj == ObjId(s.room):
        return "forbidden"
    s.destroyed = {**s.destroyed, p.obj: here.n}
    return None


def _prune(s: RoomState, here: _At, p: Prune) -> str | None:
    return None if _role(s, here) >= Role.ADMIN and p.n < here.n else "forbidden"


def _recovery_use(s: RoomState, here: _At, p: RecoveryUse) -> str | None:
    return None if s.policy.get("recovery") else "forbidden"


_RULES: dict[type, Callable[[RoomState, _At, object], str | None]] = {  # each takes its own payload type
    Genesis: _genesis,  # type: ignore[dict-item]
    Add: _add,  # type: ignore[dict-item]
    Remove: _rm,  # type: ignore[dict-item]
    Leave: _leave,  # type: ignore[dict-item]
    SetRole: _set_role,  # type: ignore[dict-item]
    Policy: _policy,  # type: ignore[dict-item]
    Rotate: _rotate,  # type: ignore[dict-item]
    Pin: _pin,  # type: ignore[dict-item]
    Hist: _hist,  # type: ignore[dict-item]
    Propose: _propose,  # type: ignore[dict-item]
    Approve: _approve,  # type: ignore[dict-item]
    Note: _note,  # type: ignore[dict-item]
    CannotOpen: _cannot_open,  # type: ignore[dict-item]
    Destroy: _destroy,  # type: ignore[dict-item]
    Prune: _prune,  # type: ignore[dict-item]
    RecoveryUse: _recovery_use,  # type: ignore[dict-item]
}
