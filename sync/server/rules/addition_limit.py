# SPDX-License-Identifier: EUPL-1.2
"""Limits how many rooms a person may be added to. Whether to join a room is asked by the person's own program; this
limit bounds the server's work."""

from collections.abc import Sequence

from sync.protocol.messages import ErrorCode
from sync.server.config import Limits
from sync.server.rules.handshake import Who
from sync.server.rules.refusal import Refusal
from sync.server.store.base import Store
from sync.trust.room.entries import RoomEntry
from sync.trust.room.payloads import Add


async def check_crowding(store: Store, limits: Limits, who: Who, entries: Sequence[RoomEntry]) -> None:
    """Limits how many rooms a person can be added to. `entries` are those that the device `who` wants to append to a
    room's log; only entries that add a member are checked. Refusal "too-many-rooms" if an added person is a member of
    `limits.rooms_a_person` rooms already. Refusal "unanswered" if the person of `who` has already added that person to
    `limits.unanswered_adds` rooms in which the added person has written nothing yet.

    Adds that are stored at the same moment are not counted: a device has at most eight requests at once. ▲ Otherwise
    anybody could put a colleague into so many rooms that the server could not answer that colleague's sign-in any more.
    """
    for entry in entries:
        if not isinstance(entry.payload, Add):
            continue
        found = await store.crowding(entry.payload.uid, who.uid)
        if found.rooms >= limits.rooms_a_person:
            raise Refusal(ErrorCode.TOO_MANY_ROOMS)
        if found.unanswered >= limits.unanswered_adds:
            raise Refusal(ErrorCode.UNANSWERED)
