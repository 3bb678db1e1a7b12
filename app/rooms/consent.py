# SPDX-License-Identifier: EUPL-1.2
"""Decides whether a person is asked before they are in a room to which another person added them. Pure: facts in,
verdict out."""

from dataclasses import dataclass, replace

from app.core.enums import RoomType
from app.core.ids import RoomId, Uid
from app.core.visible import one_line
from app.errors import BadChange
from app.rooms.records import MAX_GREETING, PersonInvited, RoomNamed, decode, shown_title
from sync.client.room.invitation_consent import Added, Invitation, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What this person's devices know when they decide whether to ask about being added to a room.

    `me`: the person. `asks`: policy requires a question for rooms of unknown people. `accepted`: the person accepted
    this very addition, or the room where the addition is not known. `declined`: they declined the room. `blocked`: they
    hide invitations of the colleague who added them. `known`: that colleague wrote with the person in a direct room,
    was verified in person, or is of the person's own unit; or the person accepted the room before; or the room belongs
    to one in which the person is, as an administrator there and the colleague both say. `continues`: the room continues
    one in which the person still is, as this device's up-to-date copy of that room confirms.
    """

    me: Uid
    asks: bool = True
    accepted: bool = False
    declined: bool = False
    blocked: bool = False
    known: bool = False
    continues: bool = False


def decide(added: Added, known: Knowledge) -> Verdict:
    """Decides whether a room to which the person was added opens, is hidden, or is asked about. `added`: what the
    room's log says about the addition. The first that applies decides: they declined (hidden); they accepted, or wrote
    in the room after the addition, as everybody can see (opens); they block the colleague who added them (hidden); they
    left the room before (asked). Then it opens if they founded it or wrote in it before, if `known` has a reason, or if
    policy requires no question; otherwise they are asked.

    ▲ A block, and having left the room, outweigh everything that would open it without a question.
    """
    if known.declined:
        return Verdict.HIDE
    if known.accepted or added.spoke:
        return Verdict.OPEN
    if known.blocked:
        return Verdict.HIDE
    if added.left:
        return Verdict.ASK
    unasked = added.founder == known.me or added.wrote or known.known or known.continues
    return Verdict.OPEN if unasked or not known.asks else Verdict.ASK


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What an invitation shows of its room; "" for each text that cannot be read. `type`: case, group or direct; group
    if it cannot be read."""

    title: str = ""
    type: RoomType = RoomType.GROUP
    greeting: str = ""
    parent: RoomId | None = None
    """The room that this one belongs to, as the adder claims; None if they name none."""


def read(invitation: Invitation, me: Uid) -> Shown:
    """Reads the room's title and type from the newest record of an invitation that has them, and the newest greeting
    that the adder wrote to `me`. ▲ No other part of a record is read, and a record that is wrong in anything is
    ignored."""
    shown = Shown()
    for found in invitation.records:
        try:
            record = decode(found.payload)
        except BadChange:
            continue
        if isinstance(record, RoomNamed):
            shown = replace(shown, title=shown_title(record.title), type=RoomType.of(record.type))
        elif isinstance(record, PersonInvited) and (record.uid, found.uid) == (me, invitation.added.adder):
            shown = Shown(
                title=shown_title(record.title),
                type=RoomType.of(record.type),
                greeting=one_line(record.text, MAX_GREETING),
                parent=RoomId(record.parent) if record.parent is not None else None,
            )
    return shown
