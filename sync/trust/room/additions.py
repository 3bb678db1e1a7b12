# SPDX-License-Identifier: EUPL-1.2
"""Whom a member may add to a room, and with what. The rules for the entry that does it are in entry_rules.py."""

from sync.ids import Uid
from sync.trust.formats.items import Role
from sync.trust.room.room_policy import is_own
from sync.trust.room.room_state import RoomState


def why_not_added(s: RoomState, by: Uid, uid: Uid, role: int, *, history: bool) -> str | None:
    """Why the person `by` may not add `uid` to the room in state `s`, as `role`, with or without the `history`:
    "forbidden" (`by` is no administrator, has a lower role than that, or may not give the history; or the room is one's
    own), "member" (`uid` is one already). None if they may. The logs of both, and the keys that the entry must carry,
    are not judged here. ▲ Only a member who may read the history can give it, and only if the room's policy lets
    newcomers have it. ▲ Nobody is ever added to a room of one's own."""
    member = s.members.get(by)
    if member is None or member.role < Role.ADMIN or role > member.role or is_own(s.policy):
        return "forbidden"
    if uid in s.members:
        return "member"
    if history and (not member.history or s.policy.get("history") == "from-now"):
        return "forbidden"
    return None
