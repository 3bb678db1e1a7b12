# SPDX-License-Identifier: EUPL-1.2
"""What a stream returns for each item that it has judged: the item with its verdict."""

from collections.abc import Mapping
from dataclasses import dataclass

from sync.ids import Hash, Uid
from sync.trust.formats.items import Role
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header
from sync.trust.room.payloads import SetRole
from sync.trust.room.room_state import Member


@dataclass(frozen=True, slots=True)
class AcceptedEntry:
    """An entry of a room that was judged, at position `n` and time `t` (ms). `void` is the reason why it has no effect,
    or None. `heir`: the member whom it made owner without naming them, or None (see `heir_of`)."""

    n: int
    t: int
    entry: RoomEntry
    void: str | None
    heir: Uid | None = None


@dataclass(frozen=True, slots=True)
class AcceptedEnvelope:
    """An envelope of a room that was judged, at position `n` and time `t` (ms). `void` is the reason why it has no
    effect, or None. `ct` is its encrypted content, bound to `hdr_bytes`; None if it was destroyed, pruned or not
    sent."""

    n: int
    t: int
    ident: Hash
    hdr: Header
    hdr_bytes: bytes
    ct: bytes | None
    void: str | None


Accepted = AcceptedEntry | AcceptedEnvelope


def heir_of(before: Mapping[Uid, Member], now: Mapping[Uid, Member], entry: RoomEntry) -> Uid | None:
    """The member who became owner, and could not administer the room before, because `entry` shows that the agency has
    ended the last owner's account. `entry` does not name that member. None if there is none. `before` and `now`: the
    members before and after the entry. An envelope makes no heir: it shows only its author's own log, and has no effect
    if that has ended."""
    if now is before:
        return None
    named = entry.payload.uid if isinstance(entry.payload, SetRole) else None
    for uid, member in now.items():
        earlier = before.get(uid)
        if member.role is Role.OWNER and uid != named and earlier is not None and earlier.admin_t is None:
            return uid
    return None
