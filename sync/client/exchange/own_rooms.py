# SPDX-License-Identifier: EUPL-1.2
"""Rooms of one's own (protocol §5): which rooms they are, and how a device clears their old changes by itself, since
nobody else would (protocol §7).

▲ A device prunes (has the server delete what a snapshot replaces) only behind a snapshot that it has attested itself,
so that it has replayed the changes and found the snapshot right. By the room's rules an attest by any device is enough.
A stolen device, before it is revoked, could otherwise have the person's own devices delete what a false snapshot of its
making hides.
"""

from functools import partial

from sync.client.exchange.room_operations import RoomOperations
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.link import Link
from sync.client.room.prunable import Waited, prunes
from sync.ids import ObjId, RoomId
from sync.trust.room import snapshots
from sync.trust.room.payloads import Prune
from sync.trust.room.room_policy import is_own
from sync.trust.room.room_state import RoomState, Snapshot


class OwnRooms:
    """The rooms of one account in which nobody but this person can ever be a member."""

    def __init__(self, link: Link, maker: Snapshots, operations: RoomOperations) -> None:
        self._link = link
        self._maker = maker
        self._operations = operations

    def is_own(self, room: RoomId) -> bool | None:
        """Whether `room` is one of this person's own: its genesis says so, and this person founded it. Nothing can
        change that. None while nothing of the room can be read here."""
        found = self._link.rooms.get(room)
        if found is None or not found.stream.n:
            return None
        return is_own(found.stream.state.policy) and found.is_member

    async def prune(self, room: RoomId) -> int:
        """Has the server delete the old changes of `room`, a room of one's own: of each object those that a snapshot
        replaces which is 30 days old, by the server's clock and by this device's, and which this device attests.
        Returns of how many objects. A snapshot that is old enough and that this device has not attested is replayed
        first, in the background; the next call prunes behind it. 0 for any other room, and while this device does not
        have everything in it. Refused with the server's code; Unreachable, also while offline."""
        found = self._link.rooms.get(room)
        if found is None or not self.is_own(room):
            return 0
        waited, now_ms = partial(self._link.waited_ms, room), self._link.server_now_ms
        if prunes(found, self._link.account.uid, now_ms, waited).refusal is not None:
            return 0
        state, me, done = found.stream.state, self._link.account.dev, 0
        for obj in [ObjId(obj) for obj in state.snapshots if obj not in state.destroyed]:
            old = old_enough(state, obj, now_ms, waited)
            attested = [row for row in old if snapshots.has_vouched(row, me)]
            if old and old[-1] not in attested:
                self._maker.attest_again(found, obj, old[-1])
            if attested:
                row = attested[-1]
                await self._operations.prune_behind(room, Prune(obj=obj, n=row.covers, snapshot=row.ident))
                done += 1
        return done


def old_enough(s: RoomState, obj: ObjId, now_ms: int, waited: Waited) -> list[Snapshot]:
    """The snapshots of `obj` in a room with the state `s` that are old enough for a prune and reach beyond what is
    pruned, the one that reaches furthest last. ▲ As in `prunable`, the age counts by the server's time `now_ms` and by
    this device's own clock."""
    rows = [
        row
        for row in s.snapshots.get(obj, ())
        if row.covers > s.pruned.get(obj, 0) and min(now_ms - row.t, waited(row.n)) >= snapshots.PRUNE_AFTER_MS
    ]
    return sorted(rows, key=lambda row: row.covers)
