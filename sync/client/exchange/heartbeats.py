# SPDX-License-Identifier: EUPL-1.2
"""Heartbeats: envelopes by which a device says something of itself to a room's members, and changes nothing in it."""

from collections.abc import Callable

from sync.client.exchange.extras import Extra
from sync.client.exchange.outbox import Outbox
from sync.client.link import Link
from sync.errors import BugError
from sync.ids import ObjId, RoomId, Uid
from sync.trust.room import envelope
from sync.trust.room.totals import MAX_HEARTBEAT_BYTES


class Heartbeats:
    """Posts this device's heartbeats in rooms. Each is sent once the room is read and its key is here; until then it is
    only in memory, and lost if the program ends. One that the server refuses for good is dropped."""

    def __init__(self, link: Link, outbox: Outbox, speakers: Callable[[RoomId], frozenset[Uid]]) -> None:
        """`speakers` returns the people who have at least one valid item in a room (`Engine.speakers`)."""
        self._link = link
        self._outbox = outbox
        self._speakers = speakers
        self._joined: set[RoomId] = set()
        """Rooms in which this device has shown that the person has joined, or will show it."""

    def post(self, room: RoomId, payload: bytes) -> bool:
        """Queues a heartbeat with the application's `payload` for `room`, and returns True. Returns False, and posts
        nothing, if the room is not known or the person is no member. BugError if the payload is longer than
        MAX_HEARTBEAT_BYTES. A second call posts it again."""
        if len(payload) > MAX_HEARTBEAT_BYTES:
            raise BugError(f"a heartbeat of {len(payload)} bytes")
        found = self._link.rooms.get(room)
        if found is None or not found.is_member:
            return False
        self._outbox.send_beside(room, [Extra(obj=ObjId(room), kind=envelope.HEARTBEAT, about=b"", payload=payload)])
        return True

    def show_joined(self, room: RoomId, payload: bytes = b"") -> bool:
        """Posts a heartbeat with the application's `payload` in `room` if no item of this person counts there yet, so
        that the other members see that they have joined. Returns False, and posts nothing, if one counts, if the room
        is not known, if the person is no member, or after a call in this run that posted one. BugError as from
        `post`."""
        spoken = room in self._joined or self._link.account.uid in self._speakers(room)
        if spoken or not self.post(room, payload):
            return False
        self._joined.add(room)
        return True
