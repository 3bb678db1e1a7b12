# SPDX-License-Identifier: EUPL-1.2
"""Which member may post which entry, and what the entry does (protocol §5, §6). One function per type.

A rule changes the state and returns None, or the reason why the entry is void; the caller then restores the state.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sync.crypto.encoding import dec
from sync.crypto.kdf import H
from sync.errors import NeedLog
from sync.ids import Hash, ObjId, Uid
from sync.trust.formats.items import Role
from sync.trust.keys.epochs import RECOVERY, Epoch, Recipient, most_prev_bytes, recipients_hash
from sync.trust.person.log_source import UserBook
from sync.trust.person.user_log import UserLog
from sync.trust.room import snapshots, totals
from sync.trust.room.additions import why_not_added
from sync.trust.room.entries import RoomEntry
from sync.trust.room.payloads import (
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
    Rotate,
    SetRole,
    Unreadable,
)
from sync.trust.room.room_policy import is_own, read_recovery
from sync.trust.room.room_state import Member, Proposal, RoomState

SEASONED_MS = 7 * 24 * 3600 * 1000
"""How long a member must have been an administrator before approving a proposal, unless from genesis."""
GUARDED_POLICY = frozenset(("history", "recovery", "own"))


@dataclass(frozen=True, slots=True)
class _At:
    """The room entry that is being judged, its position `n`, the server's time `t` (ms) there, and the user logs."""

    entry: RoomEntry
    n: int
    t: int
    book: UserBook


def recipients(
    members: dict[Uid, Member], pins: dict[Uid, tuple[int, Hash]], policy: dict[str, object], book: UserBook
) -> list[Recipient]:
    """▲ All recipients that an epoch (new room keys) must be sealed to, in any order: the `members`, with the user logs
    in `book` up to their heads in `pins`, and the agency's recovery keys in `policy`. ▲ These keys never get the
    history. A person is left out whose log has ended, or whose device the agency revoked, until they have a newer
    generation of their own key. NeedLog if a log is missing."""
    out = []
    find = book.log
    for uid, member in members.items():
        seq, ulog_head = pins[uid]
        log = find(uid)
        if log is None or log.seq < seq:
            raise NeedLog(uid, seq)
        person = log.recipient(seq, ulog_head, member.history)
        if person is not None:
            out.append(person)
    for ident, key in read_recovery(policy.get("recovery", [])):
        out.append(Recipient(RECOVERY, ident, 0, H(key), 0, key, False))
    return out


def without_reset(
    members: dict[Uid, Member],
    pins: dict[Uid, tuple[int, Hash]],
    moved: Iterable[Uid],
    book: UserBook,
    t: int,
) -> dict[Uid, Member]:
    """The `members` without those of `moved` whose user log, up to its pinned head in `pins`, states that the agency
    has ended it; `members` itself if there are none. If no owner is left, the longest-standing administrator becomes
    the owner, or if there is none the longest-standing writer, who may then administer since `t` (ms); without either
    there is no owner. NeedLog if a log of `moved` is not in `book`."""
    gone = {u for u in moved if u in members and _log_to(book, u, pins[u][0]).ended_at(pins[u][0])}
    if not gone:
        return members
    left = {u: m for u, m in members.items() if u not in gone}
    for role in (Role.OWNER, Role.ADMIN, Role.WRITER):
        heirs = [m for m in left.values() if m.role is role]
        if heirs:
            if role is not Role.OWNER:
                heir = min(heirs, key=lambda m: m.since_n)
                left[heir.uid] = replace(heir, role=Role.OWNER, admin_t=t if heir.admin_t is None else heir.admin_t)
            break
    return left


def _log_to(book: UserBook, uid: Uid, seq: int) -> UserLog:
    """The log of the person `uid`, with entry `seq`. NeedLog if it is not here: nothing is judged without evidence."""
    log = book.log(uid)
    if log is None or log.seq < seq:
        raise NeedLog(uid, seq)
    return log


def apply_entry(s: RoomState, entry: RoomEntry, n: int, t: int, book: UserBook) -> str | None:
    """Judges one entry at position `n` and the server's time `t` (ms) by its author's present role, and applies it to
    `s`. The caller has checked signature and author. Returns None, or why the entry is void (keeps its position, has no
    effect), such as "forbidden"; then, and at NeedLog (`book` lacks a log), the caller must restore `s`."""
    here = _At(entry, n, t, book)
    payload = entry.payload
    if isinstance(payload, Unreadable):
        return payload.code
    if s.rotation_owed and not isinstance(payload, Genesis) and not _allowed_while_rotation_owed(s, payload):
        return "rotation-owed"
    return _RULES[type(payload)](s, here, payload)


def _allowed_while_rotation_owed(s: RoomState, payload: object) -> bool:
    if getattr(payload, "epoch", None) is not None or isinstance(payload, Leave | Pin | CannotOpen):
        return True
    if isinstance(payload, SetRole):
        member = s.members.get(payload.uid)
        return member is not None and payload.role < member.role
    return False


def _role(s: RoomState, here: _At) -> Role:
    return s.members[here.entry.uid].role


def pin_heads(s: RoomState, heads: Iterable[tuple[Uid, int, Hash]], book: UserBook, t: int) -> str | None:
    """Moves the room's pins (where a user log ends for it) forward to `heads`, (uid, number, hash), at `t` (ms); never
    back. Returns None, or why none counts: "ulog" (not that log's hash), "not-member" (never was one). If the agency
    ended a log, the membership ends; after that, or a member's revoked device, the room owes new keys. NeedLog."""
    pins = dict(s.pins)
    moved: list[Uid] = []
    for uid, seq, ulog_head in heads:
        log = _log_to(book, uid, seq)
        if log.head_at(seq) != ulog_head:
            return "ulog"
        if uid not in pins:
            return "not-member"
        if seq > pins[uid][0]:
            s.rotation_owed = s.rotation_owed or (uid in s.members and log.revoked_between(pins[uid][0], seq))
            pins[uid] = (seq, ulog_head)
            moved.append(uid)
    if not moved:
        return None
    s.pins = pins
    members = without_reset(s.members, pins, moved, book, t)
    if members is not s.members:
        s.rotation_owed = True
        _put_members(s, members)
    return None


def _put_members(s: RoomState, members: dict[Uid, Member]) -> None:
    """Sets the room's `members`. ▲ A proposal of history ends with its subject's membership, since it must not apply to
    a later add of that person. An unapproved proposal ends when its proposer is no administrator any more."""
    s.members = members
    if s.proposals:
        kept = {i: p for i, p in s.proposals.items() if _is_alive(p, members)}
        s.proposals = kept if len(kept) < len(s.proposals) else s.proposals


def _is_alive(p: Proposal, members: dict[Uid, Member]) -> bool:
    if p.what == "hist" and p.subject not in members:
        return False
    proposer = members.get(p.by)
    return p.approved is not None or (proposer is not None and proposer.role >= Role.ADMIN)


Change = dict[Uid, Member | None]
"""The members that an entry sets; None for one that it takes out."""


def changed(members: dict[Uid, Member], change: Change) -> dict[Uid, Member]:
    """The members after a change."""
    return {u: m for u, m in {**members, **change}.items() if m is not None}


def _take_epoch(s: RoomState, here: _At, epoch: Epoch | None, change: Change) -> str | None:
    """Applies an entry's `epoch`, and `change`, what it does to the members; without one the change alone. Returns
    None, or why the entry is void: "stale", "ulog", "not-member", "epoch-link", "recipients"; then, and at NeedLog, `s`
    may be half changed. ▲ Recipients, roles and the owed rotation are computed after its own pins and change."""
    author = here.entry.uid
    held_history = s.members[author].history
    if epoch is None:
        _put_members(s, changed(s.members, change))
        return None
    if epoch.e != s.epoch + 1:
        return "stale"
    if any(uid == author and seq > here.entry.ulog[0] for uid, seq, _ in epoch.pins):
        return "ulog"  # ▲ a device that its own log has revoked since must not choose the next key
    own = (author, here.entry.ulog[0], Hash(here.entry.ulog[1]))
    why = pin_heads(s, (own, *epoch.pins), here.book, here.t)
    if why is not None:
        return why
    members = changed(s.members, change) if change else s.members
    if epoch.has_archive:
        fresh = epoch.base is None
        if fresh and any(m.history for m in members.values()) and epoch.e != 1:
            return "epoch-link"
        if not fresh and not (held_history and (base := s.epochs.get(epoch.base or 0)) and base.has_archive):
            return "epoch-link"
        if len(epoch.prev) > most_prev_bytes(epoch.base or 0, epoch.e):  # ▲ every member stores it, few can open it
            return "epoch-link"
        if fresh:
            members = {**members, author: replace(members[author], history=True)}
    elif epoch.e == 1:
        return "epoch-link"  # no archive could ever begin while the founder may read history
    expected = recipients(members, s.pins, s.policy, here.book)
    if recipients_hash(expected) != epoch.recip or len(expected) != epoch.count:
        return "recipients"
    unsealed = set(epoch.unsealed)
    if len(unsealed) != len(epoch.unsealed) or not unsealed <= {r.uid for r in expected}:
        return "recipients"
    _put_members(s, members)
    s.epoch, s.rotation_owed = epoch.e, False
    s.epochs = _remembered(s.epochs, replace(epoch, n=here.n, by=author, pins=()))
    return None


def _remembered(epochs: dict[int, Epoch], new: Epoch) -> dict[int, Epoch]:
    """▲ A copy of `epochs` with a `new` one. Drops the list of persons to whom the previous epoch was not sealed. Of
    more than EPOCHS_KEPT drops the oldest, but never the newest one with an archive, which the next link needs."""
    kept = {**epochs, new.e: new}
    before = kept.get(new.e - 1)
    if before is not None and before.unsealed:
        kept[before.e] = replace(before, unsealed=())
    if len(kept) > totals.EPOCHS_KEPT:
        newest = next((e for e in sorted(kept, reverse=True) if kept[e].has_archive), None)
        del kept[next(e for e in kept if e != newest)]
    return kept


def _genesis(s: RoomState, here: _At, p: Genesis) -> str | None:
    uid = here.entry.uid
    # judged by the log that the entry names: a later reset must not undo what was right at its position
    if not _log_to(here.book, uid, here.entry.ulog[0]).ready_at(here.entry.ulog[0]):
        return "not-ready"
    s.policy = p.policy
    s.members = {uid: Member(uid, Role.OWNER, here.n, here.t, True, here.entry.ident, 0)}
    s.pins = {uid: (here.entry.ulog[0], Hash(here.entry.ulog[1]))}
    return None


def _add(s: RoomState, here: _At, p: Add) -> str | None:
    why = why_not_added(s, here.entry.uid, p.uid, p.role, history=p.history)
    if why is not None:
        return why
    log = _log_to(here.book, p.uid, p.ulog[0])
    if log.head_at(p.ulog[0]) != p.ulog[1]:
        return "ulog"
    if not log.ready_at(p.ulog[0]) or log.puk_at(p.ulog[0]) is None:
        return "not-ready"
    # ▲ from-now is one entry with its rotation; history is given only in an epoch that has an archive key
    if p.epoch is None and not p.history:
        return "epoch-missing"
    if p.history and not (p.epoch or s.epochs[s.epoch]).has_archive:
        return "epoch-missing"
    pinned = s.pins.get(p.uid)
    if pinned is not None and p.ulog[0] < pinned[0]:
        return "stale"
    s.pins = {**s.pins, p.uid: p.ulog}
    admin_t = here.t if p.role >= Role.ADMIN else None
    member = Member(p.uid, p.role, here.n, here.t, p.history, here.entry.ident, admin_t)
    return _take_epoch(s, here, p.epoch, {p.uid: member})


def _may_touch(s: RoomState, here: _At, uid: Uid) -> str | None:
    """Why the entry's author may not remove the member `uid`, or change their role: "not-member", "forbidden" (not an
    administrator, or for an owner not an owner), "last-owner" (the only one stays). None if they may."""
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
    return _take_epoch(s, here, p.epoch, {p.uid: None})


def _leave(s: RoomState, here: _At, p: Leave) -> str | None:
    uid = here.entry.uid
    if s.members[uid].role is Role.OWNER and s.owners() == 1:
        return "last-owner"
    _put_members(s, {u: m for u, m in s.members.items() if u != uid})
    s.rotation_owed = True
    return None


def _set_role(s: RoomState, here: _At, p: SetRole) -> str | None:
    own = p.uid == here.entry.uid
    why = _may_touch(s, here, p.uid)
    if why is not None and not (own and why == "forbidden" and p.role < _role(s, here)):
        return why
    if p.role > _role(s, here):
        return "forbidden"
    member = s.members[p.uid]
    admin_t = None if p.role < Role.ADMIN else here.t if member.admin_t is None else member.admin_t
    why = _take_epoch(s, here, p.epoch, {p.uid: replace(member, role=p.role, admin_t=admin_t)})
    if why is None and p.role < member.role and p.epoch is None:
        s.rotation_owed = True
    return why


def _policy(s: RoomState, here: _At, p: Policy) -> str | None:
    if _role(s, here) < Role.ADMIN or GUARDED_POLICY & p.changes.keys():
        return "forbidden"
    why = _take_epoch(s, here, p.epoch, {})
    if why is None:
        s.policy = {**s.policy, **p.changes}
    return why


def _rotate(s: RoomState, here: _At, p: Rotate) -> str | None:
    if _role(s, here) < Role.WRITER:
        return "forbidden"
    return _take_epoch(s, here, p.epoch, {})


def _pin(s: RoomState, here: _At, p: Pin) -> str | None:
    return pin_heads(s, p.pins, here.book, here.t)


def seasoned(s: RoomState, uid: Uid, t: int) -> bool:
    """▲ Whether the member `uid` has been an administrator for at least seven days at the server's time `t` (ms), or
    from genesis, and so may approve proposals. False for all other persons."""
    member = s.members.get(uid)
    since = member.admin_t if member is not None else None
    return since is not None and (since == 0 or t - since >= SEASONED_MS)


def _propose(s: RoomState, here: _At, p: Propose) -> str | None:
    if _role(s, here) < Role.ADMIN or is_own(s.policy):  # ▲ what can be proposed is who else gets keys
        return "forbidden"
    s.proposals = {**s.proposals, here.entry.ident: Proposal(p.what, p.subject, here.entry.uid)}
    return None


def _approve(s: RoomState, here: _At, p: Approve) -> str | None:
    proposal = s.proposals.get(p.proposal)
    if proposal is None or proposal.approved is not None:  # ▲ two administrators agree, both of them now
        return "proposal"
    if not seasoned(s, here.entry.uid, here.t) or proposal.by == here.entry.uid:
        return "forbidden"
    if proposal.what == "hist":
        s.proposals = {**s.proposals, p.proposal: replace(proposal, approved=here.entry.uid)}
        return None
    s.proposals = {i: q for i, q in s.proposals.items() if i != p.proposal}
    if proposal.what == "recovery":
        s.policy = {**s.policy, "recovery": dec(proposal.subject, limit=len(proposal.subject))}
        s.rotation_owed = True  # a recipient that was taken out must not open later content
    else:
        s.policy = {**s.policy, "history": proposal.subject.decode()}
    return None


def _hist(s: RoomState, here: _At, p: Hist) -> str | None:
    proposal, member = s.proposals.get(p.proposal), s.members.get(p.uid)
    if _role(s, here) < Role.ADMIN or not s.members[here.entry.uid].history:
        return "forbidden"
    if proposal is None or proposal.approved is None or proposal.what != "hist" or proposal.subject != p.uid:
        return "proposal"
    if member is None:
        return "not-member"
    if not (p.epoch or s.epochs[s.epoch]).has_archive:
        return "epoch-missing"
    why = _take_epoch(s, here, p.epoch, {p.uid: replace(member, history=True)})
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
    if p.obj not in s.shares:  # ▲ otherwise invented ids could be listed without limit
        return "object"
    s.destroyed = {p.obj: here.n, **s.destroyed}
    s.pruned = {obj: n for obj, n in s.pruned.items() if obj != p.obj}
    s.snapshots = {obj: rows for obj, rows in s.snapshots.items() if obj != p.obj}
    s.baselines = {obj: row for obj, row in s.baselines.items() if obj != p.obj}
    return None


def _prune(s: RoomState, here: _At, p: Prune) -> str | None:
    if _role(s, here) < Role.ADMIN or not 0 < p.n < here.n:
        return "forbidden"
    why = snapshots.check_prune(s, p, here.t)
    if why is not None:
        return why
    snapshots.forget_pruned(s, p.obj, p.n)
    s.pruned = {**s.pruned, p.obj: max(p.n, s.pruned.get(p.obj, 0))}
    return None


def _recovery_use(s: RoomState, here: _At, p: RecoveryUse) -> str | None:
    return None if s.policy.get("recovery") and _role(s, here) >= Role.ADMIN else "forbidden"


_RULES: dict[type, Callable[[RoomState, _At, Any], str | None]] = {  # each takes the payload of its own type
    Genesis: _genesis,
    Add: _add,
    Remove: _rm,
    Leave: _leave,
    SetRole: _set_role,
    Policy: _policy,
    Rotate: _rotate,
    Pin: _pin,
    Hist: _hist,
    Propose: _propose,
    Approve: _approve,
    Note: _note,
    CannotOpen: _cannot_open,
    Destroy: _destroy,
    Prune: _prune,
    RecoveryUse: _recovery_use,
}
