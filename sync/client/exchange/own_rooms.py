# SPDX-License-Identifier: EUPL-1.2
"""Recognises rooms of one's own (protocol §5), whose only member is their founder, and prunes them (protocol §7): the
server deletes the changes that a snapshot replaces. A device does this automatically, since there is no administrator
who would start it.

▲ A device prunes only behind a snapshot that it has attested itself, that is, whose changes it has replayed with the
same result. By the room's rules, an attest by any device of the person is enough. Otherwise a stolen device could make
a false snapshot before it is revoked, and the person's other devices would delete the changes that it hides.
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
    """Recognises and prunes the rooms of one account in which nobody but this person can ever be a member."""

    def __init__(self, link: Link, maker: Snapshots, operations: RoomOperations) -> None:
        self._link = link
        self._maker = maker
        self._operations = operations

    def is_own(self, room: RoomId) -> bool | None:
        """Whether `room` is one of this person's own: its genesis says so, and this person is its member, which only
        the founder can be. No later entry can change what the genesis says. None while nothing of the room can be read
        here."""
        found = self._link.rooms.get(room)
        if found is None or not found.stream.n:
            return None
        return is_own(found.stream.state.policy) and found.is_member

    async def prune(self, room: RoomId) -> int:
        """Prunes each object of `room`, a room of one's own, behind its newest snapshot that this device has attested
        and that is 30 days old by both the server's clock and this device's. Returns the number of pruned objects.

        If the newest snapshot of that age is not attested by this device, the device replays and attests it in the
        background, and the next call prunes behind it. Returns 0 for any other room, and while this device does not
        have everything in the room. Refused with the server's code; Unreachable, also while offline.
        """
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
    """The snapshots of `obj`, in a room with the state `s`, that are old enough for a prune and cover more than is
    pruned already. The one that covers most is the last. `waited`: returns for how many ms this device has known of a
    position. ▲ As in `prunable`, a snapshot must be old by the server's time `now_ms` and by this device's own clock.
    """
    rows = [
        row
        for row in s.snapshots.get(obj, ())
        if row.covers > s.pruned.get(obj, 0) and min(now_ms - row.t, waited(row.n)) >= snapshots.PRUNE_AFTER_MS
    ]
    return sorted(rows, key=lambda row: row.covers)
