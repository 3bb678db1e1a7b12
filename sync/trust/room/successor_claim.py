# SPDX-License-Identifier: EUPL-1.2
"""▲ A room that continues a stopped room (protocol §4): what its genesis claims, and when the claim counts.

A genesis is judged by itself alone, so that every client judges it alike; naming an old room binds nobody. Each client
compares the claim with its own verified copy of the old room, and believes only an owner of that room. Otherwise any
member could open a room to which everybody's unsent work would go.
"""

from dataclasses import dataclass

from sync.crypto.kdf import H
from sync.ids import Hash, ObjId, RoomId, Uid
from sync.trust.formats.items import Role
from sync.trust.room.payloads import Genesis
from sync.trust.room.room_policy import is_own
from sync.trust.room.room_state import RoomState


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of a successor, a room that continues a stopped one: the old room's id, and the last position (`n`,
    with the running hash `rh`) that the successor's founder had verified in it."""

    room: RoomId
    n: int
    rh: Hash

    def field(self) -> list[object]:
        """The last field of the genesis."""
        return [self.room, self.n, self.rh]


def origin(genesis: Genesis) -> Origin | None:
    """The stopped room that the room with this `genesis` (its first entry) claims to continue, and the position in it;
    None if it claims none. Only reads the claim: whether it is believed, `may_continue` decides."""
    if genesis.predecessor is None:
        return None
    room, n, rh = genesis.predecessor
    return Origin(room=RoomId(room), n=n, rh=Hash(rh))


def may_continue(old: RoomState, founder: Uid) -> bool:
    """▲ Whether `founder`, who made a room that claims to continue `old`, owns the old room where our copy of it ends.
    Ownership at the position that the claim names is not enough: a former owner could name a position of the time of
    their ownership. ▲ Nothing continues a room of one's own. Otherwise a stolen device could open a usual room in its
    place, with others in it, and the person's other devices would offer their unsent changes there."""
    member = old.members.get(founder)
    return member is not None and member.role is Role.OWNER and not is_own(old.policy)


def object_in(successor: RoomId, old: RoomId, obj: ObjId) -> ObjId:
    """The id in the room `successor` of the object that continues `obj` of the room `old`. Every client computes the
    same id by itself. The root object of `old` becomes the root object of `successor`."""
    return ObjId(successor) if obj == ObjId(old) else ObjId(H("successor", successor, obj)[:16])
