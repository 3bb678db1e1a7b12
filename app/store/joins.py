# SPDX-License-Identifier: EUPL-1.2
"""When members joined: the position of the first thing that each of them did in a room after somebody added them."""

from app.core.ids import Uid
from app.store import statements as sql
from app.store.arrivals import Arrivals
from app.store.connection import Connection
from sync.client.received import OpenedContent, OpenedUpTo, Received, ReceivedSlice, Resolved


def note(conn: Connection, received: Received, came: Arrivals) -> bool:
    """Stores, in the caller's transaction, that the authors of what was received have joined the room, if somebody
    added them before. Returns whether that says more than was stored. Call it when the room's entries of the same
    delivery are stored. `came`: the changes and entries of `received`.

    ▲ The lowest position counts, in whatever order the items were received; so every member that can open them has the
    same one. An entry by which a person leaves the room is no sign that they joined: a person who declines writes
    only that."""
    first: dict[Uid, tuple[int, int]] = {}
    if not isinstance(received, ReceivedSlice | OpenedContent | OpenedUpTo | Resolved):
        return False  # a snapshot has no item of a member at its place
    acts = [(c.uid, c.n, c.t) for c in came.changes] + [(h.uid, h.n, h.t) for h in received.heartbeats]
    acts += [(e.by, e.n, e.t) for e in came.events if e.kind not in ("leave", "reset", "heir")]
    for uid, n, t in acts:
        if uid not in first or n < first[uid][0]:
            first[uid] = n, t
    rows = [(came.room, uid, n, t) for uid, (n, t) in first.items()]
    return sum(conn.execute(sql.ADD_JOIN, row).rowcount for row in rows) > 0
