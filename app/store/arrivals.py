# SPDX-License-Identifier: EUPL-1.2
"""What a `Received` brings for a room's objects, and how much of it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from app.core.ids import ObjId, RoomId
from sync.client.received import (
    Backfilled,
    BegunObject,
    OpenedChange,
    OpenedContent,
    OpenedSnapshot,
    OpenedUpTo,
    ReadAgain,
    Received,
    ReceivedSlice,
    Resolved,
    RoomEvent,
)

_SHORT = 4 * 1024
"""A change up to this many bytes is stored without a thread: a colleague's key, a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """The part of one delivery from the server that concerns a room's objects. `changes` are new edits. `events` are
    entries of the room's log; those that destroy or prune an object are among them. `whole` are the objects of which
    every change is stored on this device once this delivery is."""

    room: RoomId
    changes: Sequence[OpenedChange] = ()
    events: Sequence[RoomEvent] = ()
    whole: Sequence[ObjId] = ()


def arrivals(received: Received, changes_of: Callable[[Sequence[OpenedSnapshot]], list[OpenedChange]]) -> Arrivals:
    """Picks the changes, events and completed objects out of a delivery from the server. `changes_of` is given the
    snapshot of a begun object, in a list, and returns the changes that it consists of (`Snapshots.changes`)."""
    room = received.room
    match received:
        case ReceivedSlice(changes=changes, events=events):
            return Arrivals(room=room, changes=changes, events=events)
        case OpenedContent(changes=changes) | OpenedUpTo(changes=changes):
            return Arrivals(room=room, changes=changes)
        case Resolved(changes=changes, whole=whole):
            return Arrivals(room=room, changes=changes, whole=whole)
        case ReadAgain(whole=whole):
            return Arrivals(room=room, whole=whole)
        case BegunObject(snapshot=snapshot):
            return Arrivals(room=room, changes=changes_of([snapshot]))
        case Backfilled():
            return Arrivals(room=room)
        case _:
            assert_never(received)


def is_small(received: Received) -> bool:
    """Whether storing `received` writes few rows, none over `_SHORT` bytes: its commit is then quicker than waking a
    thread. The size of the room's state is not considered. A delivery with a snapshot (BegunObject) is never small. Nor
    is one that completes objects: their snapshots are deleted, and `secure_delete` overwrites the rows."""
    match received:
        case ReceivedSlice() as r:
            many = (
                r.positions,
                r.changes,
                r.items,
                r.waiting,
                r.events,
                r.members,
                r.gone,
                r.void,
                r.shares,
                r.heartbeats,
            )
            return _few(many, [*_bytes_of(r.changes, r.waiting), *(len(i.ct or b"") for i in r.items)])
        case OpenedContent() as r:
            return _few((r.changes, r.events, r.waiting, r.shares, r.heartbeats), _bytes_of(r.changes, r.waiting))
        case OpenedUpTo() as r:
            return _few((r.positions, r.changes, r.waiting, r.heartbeats), _bytes_of(r.changes, r.waiting))
        case Resolved() as r:
            return not r.whole and _few((r.changes, r.resolved, r.shares, r.heartbeats), _bytes_of(r.changes, ()))
        case ReadAgain(whole=whole):
            return not whole
        case BegunObject():
            return False
        case Backfilled():
            return True
        case _:
            assert_never(received)


def _few(many: Sequence[Sequence[object]], sizes: Sequence[int]) -> bool:
    return max(map(len, many)) <= 1 and max(sizes, default=0) <= _SHORT


def _bytes_of(changes: Sequence[OpenedChange], waiting: Sequence[tuple[int, bytes]]) -> list[int]:
    return [len(c.payload) for c in changes] + [len(row) for _, row in waiting]
