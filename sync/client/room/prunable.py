# SPDX-License-Identifier: EUPL-1.2
"""What the server could forget of a room now, and which condition is not fulfilled yet, as every client will judge it
(protocol §7)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sync.client.room.room_sync import RoomSync
from sync.ids import Hash, ObjId, Uid
from sync.trust.formats.items import Role
from sync.trust.room import snapshots
from sync.trust.room.payloads import Prune
from sync.trust.room.room_state import RoomState

MAX_N = 2**63 - 1
_LACKS = ("snapshot", "early", "baseline", None)
"""What a prune may still lack, in the order in which it is judged; None means that it lacks nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prunable:
    """How far the content of one object can be pruned now, that is, deleted by the server. An administrator could prune
    the changes of `obj` after position `after` up to `n`, which the snapshot with the id `snapshot` replaces. `lacks`
    is the first condition that is not fulfilled: "snapshot" (fewer than two other people have signed that it is right;
    or there is no snapshot: then `snapshot` is None and `n` is MAX_N), "early" (it is too young until `from_ms`, the
    server's time in ms), "baseline" (members who were added without the history, or the agency's recovery, could not
    read the object any more). None: it can be pruned."""

    obj: ObjId
    after: int
    n: int = MAX_N
    snapshot: Hash | None = None
    lacks: str | None
    from_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPrunes:
    """What could be pruned in one room: `objects` has one row for each object with a snapshot that reaches beyond what
    is pruned, except destroyed objects. `refusal` is why this person can prune nothing now: "forbidden" (no
    administrator; then the rest is empty), the room's problem (what stops it), "reading" (this device does not have
    everything yet), or None. `alone`: the members without the history, who hold only content keys and cannot read a
    snapshot. `recovery`: whether the agency's recovery holds such content keys too. For either, an object must have a
    baseline (its state, repeated under the content key) before it can be pruned. `readers`: the number of members who
    may read the history, and so attest snapshots (sign that they are right). `pruned`: for each object, the position up
    to which it is pruned already."""

    refusal: str | None
    objects: tuple[Prunable, ...] = ()
    alone: tuple[Uid, ...] = ()
    recovery: bool = False
    readers: int = 0
    pruned: Mapping[bytes, int] = field(default_factory=dict)


Waited = Callable[[int], int]
"""Gets a position of the room and returns for how many ms this device has known it, by its own clock."""


def prunable(s: RoomState, obj: ObjId, now_ms: int, waited: Waited) -> Prunable | None:
    """The snapshot of `obj` that is nearest to allowing a prune, that is, the deletion of the changes that it replaces.
    `s` is the room's state. None if no snapshot reaches beyond what is pruned. The best one lacks nothing (`lacks`
    None); then come those that lack "baseline" (a copy for members without the history), then those that are "early"
    (too young), last those that lack "snapshot" (two other people's signature). Among "early" ones, the one that is old
    enough first; among others that lack the same, the one that covers most.

    ▲ A snapshot is old enough only if it is so by the server's time (`now_ms`) and by this device's own clock (`waited`
    gets a position of the room and returns for how many ms this device has known it).
    """
    after = s.pruned.get(obj, 0)
    found = [
        Prunable(
            obj=obj,
            after=after,
            n=row.covers,
            snapshot=row.ident,
            lacks=snapshots.check_prune(
                s, Prune(obj=obj, n=row.covers, snapshot=row.ident), min(now_ms, row.t + waited(row.n))
            ),
            from_ms=max(row.t, now_ms - waited(row.n)) + snapshots.PRUNE_AFTER_MS,
        )
        for row in s.snapshots.get(obj, ())
        if row.covers > after
    ]
    return max(found, key=_goodness, default=None)


def _goodness(p: Prunable) -> tuple[int, int]:
    return _LACKS.index(p.lacks), -p.from_ms if p.lacks == "early" else p.n


def prunes(room: RoomSync, me: Uid, now_ms: int, waited: Waited) -> RoomPrunes:
    """What could be pruned in `room`, and why the person `me` cannot prune now. `now_ms` is the server's time; `waited`
    gets a position of the room and returns for how many ms this device has known it. A person who is no administrator
    gets no list."""
    s = room.stream.state
    refusal = _refusal(room, me)
    if refusal == "forbidden":
        return RoomPrunes(refusal=refusal)
    found = [prunable(s, ObjId(obj), now_ms, waited) for obj in s.snapshots if obj not in s.destroyed]
    return RoomPrunes(
        refusal=refusal,
        objects=tuple(p for p in found if p is not None),
        alone=tuple(uid for uid, m in s.members.items() if not m.history),
        recovery=bool(s.policy.get("recovery")),
        readers=sum(m.history for m in s.members.values()),
        pruned=s.pruned,
    )


def _refusal(room: RoomSync, me: Uid) -> str | None:
    if (room.stream.role_of(me) or 0) < Role.ADMIN:
        return "forbidden"
    if room.problem is not None:
        return room.problem.value
    whole = room.caught_up and not (room.waiting or room.incomplete or room.reread or room.keys.needs_key)
    return None if whole else "reading"
