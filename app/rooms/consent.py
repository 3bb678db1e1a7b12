# SPDX-License-Identifier: EUPL-1.2
"""Whether a person is asked before they are in a room to which somebody added them. Pure: facts in, verdict out."""

from dataclasses import dataclass

from app.core.ids import Uid
from app.core.visible import one_line
from app.errors import BadChange
from app.rooms.records import MAX_GREETING, PersonInvited, RoomNamed, decode, shown_title
from sync.client.room.invitation_consent import Added, Invitation, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What this person's devices know when they decide.

    `asks`: policy has unknown people's rooms ask. `accepted`: they said yes to this very addition, or to the room when
    the addition is not known. `known`: the adder wrote with them in a direct room, was verified in person, or is of
    their own unit. `continues`: the room is a believed successor of one in which they still are.
    """

    me: Uid
    asks: bool = True
    accepted: bool = False
    declined: bool = False
    blocked: bool = False
    known: bool = False
    continues: bool = False


def decide(added: Added, known: Knowledge) -> Verdict:
    """What becomes of the room.

    An item of this person's behind the addition is a yes that anybody can see. ▲ A block, and having left the room,
    outweigh everything that would open it without a question.
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
    """What an invitation says of its room: empty where it says nothing that can be read. `type` as RoomNamed's."""

    title: str = ""
    type: str = "group"
    greeting: str = ""


def read(invitation: Invitation, me: Uid) -> Shown:
    """Title and type as the newest record says, and the adder's greeting to this person. ▲ Nothing else of a record is
    looked at, and one that is wrong in anything is left out."""
    shown = Shown()
    for found in invitation.records:
        try:
            record = decode(found.payload)
        except BadChange:
            continue
        if isinstance(record, RoomNamed):
            shown = Shown(title=shown_title(record.title), type=record.type, greeting=shown.greeting)
        elif isinstance(record, PersonInvited) and (record.uid, found.uid) == (me, invitation.added.adder):
            greeting = one_line(record.text, MAX_GREETING)
            shown = Shown(title=shown_title(record.title), type=record.type, greeting=greeting)
    return shown
