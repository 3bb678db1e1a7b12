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
    """An open proposal by `by` that the member `subject` may read the whole history of a room. It takes two
    administrators. `approved`: the second one has agreed, and only the grant itself is left.

    `refusal`: why this person cannot take the next step: "not-admin", "own" (another administrator must approve),
    "not-seasoned" (this person has been an administrator for less than seven days; once it is approved: the approver
    has, by this device's clock), "proposer-gone", "no-history" (only a person who can read the history can give it); or
    None.
    """

    ident: Hash
    subject: Uid
    by: Uid
    approved: bool
    refusal: str | None


def approval_waits(link: Link, room: RoomId, proposal: Hash) -> bool:
    """▲ Whether `proposal` is approved by a person whom this device has not known as an administrator for seven days by
    its own clock, so that the grant must wait. The room's rule counts by the server's time alone; this client seals the
    history only when both clocks agree. False if the proposal is not known or not approved, or was approved by a person
    who is an administrator since the room began.

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
    """Why the person `me` cannot propose that `subject` gets the history of the room with the state `s`: "not-member"
    (`subject` is no member), "not-admin" (`me` is no administrator), "has-it", "proposed" (a proposal for `subject` is
    open), "one-admin" (a room with one administrator decides this when it is founded); None if they can. The first that
    applies, in this order."""
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
