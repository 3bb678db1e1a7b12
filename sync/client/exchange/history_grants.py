# SPDX-License-Identifier: EUPL-1.2
"""Giving one member the whole history, by two administrators (protocol §5 `hist`): what is proposed, and who may take
which step now. Pure: it reads a room's state and changes nothing. sync/trust/room/entry_rules.py decides what counts.
"""

from dataclasses import dataclass

from sync.client.link import Link
from sync.ids import Hash, RoomId, Uid
from sync.trust.formats.items import Role
from sync.trust.room import entry_rules
from sync.trust.room.entry_rules import seasoned
from sync.trust.room.room_state import Proposal, RoomState


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryProposal:
    """An open proposal that a member, `subject`, may read the whole history of a room. The administrator `by` made it;
    `ident` is the hash of the entry that proposes it. Another administrator must approve it. `approved`: one has, and
    only the grant itself is left.

    `refusal`: why the person for whom it is listed cannot take the next step; None if they can. "not-admin" at both
    steps. For the approval: "own" (they made the proposal, and another administrator must approve), "proposer-gone"
    (`by` is no administrator any more), "not-seasoned" (they have been an administrator for less than seven days). For
    the grant: "no-history" (they cannot read the history themselves), or "not-seasoned" (the approver has been an
    administrator for less than seven days by this device's clock; the engine adds this one).
    """

    ident: Hash
    subject: Uid
    by: Uid
    approved: bool
    refusal: str | None


def approval_waits(link: Link, room: RoomId, proposal: Hash) -> bool:
    """▲ Whether `proposal` (its id), to let a member read the history of `room`, is approved by a person whom this
    device has not known as an administrator for seven days by its own clock, so that the grant must wait. The room's
    rule counts by the server's time alone; this client seals the history only when both clocks agree. `link` has this
    device's rooms and store. False if the room or the proposal is not known, or not approved; and if the approver has
    been an administrator since the room began.

    ▲ An approver who has left, was removed or lost the role makes the grant wait as if they were still an
    administrator, since their approval still counts. Otherwise a server whose clock is ahead needs an accomplice as
    approver only for a moment.
    """
    found = link.rooms.get(room)
    state = found.stream.state if found is not None else None
    approved = state.proposals[proposal].approved if state is not None and proposal in state.proposals else None
    if state is None or approved is None:
        return False
    member = state.members.get(approved)
    if member is not None and member.since_n == 1 and member.admin_t == 0:
        return False  # since genesis; a server can give any entry the time 0
    n = link.ports.promoted_at(room, approved)
    return n is None or link.waited_ms(room, n) < entry_rules.SEASONED_MS


def proposals(s: RoomState, me: Uid, now_ms: int) -> list[HistoryProposal]:
    """The open proposals in the room with the state `s` to give a member the history. Each says why the person `me`
    cannot take its next step, or None if they can. `now_ms`: the server's time, since a person who has been an
    administrator for less than seven days cannot approve."""
    return [
        HistoryProposal(
            ident=ident,
            subject=Uid(p.subject),
            by=p.by,
            approved=p.approved is not None,
            refusal=_why_not(s, p, me, now_ms),
        )
        for ident, p in s.proposals.items()
        if p.what == "hist"
    ]


def may_propose(s: RoomState, me: Uid, subject: Uid) -> str | None:
    """Why the person `me` cannot propose that `subject` may read the whole history of the room with the state `s`; None
    if they can. The first that applies, in this order: "not-member" (`subject` is no member), "not-admin" (`me` is no
    administrator), "has-it" (`subject` may read it already), "proposed" (a proposal for `subject` is open), "one-admin"
    (the room has only one administrator, and a second one would have to approve)."""
    member = s.members.get(subject)
    if member is None:
        return "not-member"
    if _role(s, me) < Role.ADMIN:
        return "not-admin"
    if member.history:
        return "has-it"
    if any(p.what == "hist" and p.subject == subject for p in s.proposals.values()):
        return "proposed"
    admins = sum(m.role >= Role.ADMIN for m in s.members.values())
    return "one-admin" if admins < 2 else None


def _why_not(s: RoomState, p: Proposal, me: Uid, now_ms: int) -> str | None:
    member = s.members.get(me)
    if member is None or member.role < Role.ADMIN:
        return "not-admin"
    if p.approved is None:
        if p.by == me:
            return "own"
        if _role(s, p.by) < Role.ADMIN:
            return "proposer-gone"
        if not seasoned(s, me, now_ms):
            return "not-seasoned"
        return None
    return None if member.history else "no-history"


def _role(s: RoomState, uid: Uid) -> int:
    member = s.members.get(uid)
    return member.role if member is not None else 0
