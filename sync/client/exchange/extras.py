# SPDX-License-Identifier: EUPL-1.2
"""Envelopes that a device sends and that are no changes of its person: pieces of snapshots, attests, heartbeats."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from sync.client.room.room_sync import RoomSync
from sync.ids import ObjId, RoomId
from sync.trust.room.envelope import HEARTBEAT, PlainOp


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """An envelope to be sent that is not a change of the person's: a piece of a snapshot, an attest (confirmation of a
    snapshot) or a heartbeat (sign that the person has joined), as `kind` says. `obj` is its object (for a heartbeat the
    room's id), `payload` its content before encryption. `about` goes into its header (extension 1): for a snapshot's
    last piece the position that the snapshot covers, for an attest the snapshot's id, otherwise empty."""

    obj: ObjId
    kind: int
    about: bytes
    payload: bytes = field(repr=False)


class Extras:
    """The extras of all rooms, in memory alone: those that wait, and those that are packed into a batch which the
    server has not accepted yet, one batch of each room."""

    def __init__(self) -> None:
        self._waiting: dict[RoomId, deque[Extra]] = {}
        self._packed: dict[RoomId, list[Extra]] = {}

    def add(self, room: RoomId, extras: Sequence[Extra]) -> None:
        """Queues `extras` for `room`, behind those that wait there."""
        self._waiting.setdefault(room, deque()).extend(extras)

    def rooms(self) -> list[RoomId]:
        """The rooms in which extras wait."""
        return [room for room, waiting in self._waiting.items() if waiting]

    def pack(self, room: RoomSync, most_bytes: int) -> list[PlainOp]:
        """Takes extras of `room` off the queue, the first ones, at most `most_bytes` of content, and returns them as
        envelopes to encrypt; [] if none can be packed. If there are some, the caller must call `queue_again`,
        `drop_refused` or `drop_packed` before it packs for the room again. Extras whose key is missing here stay in the
        queue, in their place: an epoch without an archive key is soon followed by one that has it."""
        waiting, ops, size = self._waiting.get(room.room, deque()), list[PlainOp](), 0
        taken: list[Extra] = []
        left: list[Extra] = []
        while waiting and size + len(waiting[0].payload) <= most_bytes:
            extra = waiting.popleft()
            key = room.keys.special_key(extra.obj, room.stream.epoch, extra.kind)
            if key is None:
                left.append(extra)
                continue
            size += len(extra.payload)
            taken.append(extra)
            ops.append(PlainOp(extra.obj, key, b"", extra.payload, extra.kind, extra.about))
        waiting.extendleft(reversed(left))
        if taken:
            self._packed[room.room] = taken
        return ops

    def queue_again(self, room: RoomId) -> None:
        """Puts the packed extras of `room` back, before those that wait: their batch was refused for now."""
        self._waiting.setdefault(room, deque()).extendleft(reversed(self._packed.pop(room, [])))

    def drop_refused(self, room: RoomId) -> None:
        """Forgets the packed extras of `room`: the server has refused their batch for good. Heartbeats that were in it
        with other extras are queued again, first, since the server may have refused the batch for the others. A batch
        of heartbeats alone is forgotten whole: otherwise it would be sent and refused without end."""
        packed = self._packed.pop(room, [])
        beats = [extra for extra in packed if extra.kind == HEARTBEAT]
        if len(beats) < len(packed):
            self._waiting.setdefault(room, deque()).extendleft(reversed(beats))

    def drop_packed(self, room: RoomId) -> None:
        """Forgets the packed extras of `room`, if there are any: their batch has left the outbox, because the stream
        shows it."""
        self._packed.pop(room, None)
