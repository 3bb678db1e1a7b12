# SPDX-License-Identifier: EUPL-1.2
"""Reads the changes of an object that its kind's projection has not seen, or is to see again."""

from collections.abc import Sequence

from app.core.ids import ObjId, Uid
from app.store import statements as sql
from app.store.connection import Connection
from app.store.rows import StoredChange

_BETWEEN = "SELECT 1 FROM changes WHERE obj = ? AND row > ? AND row < ? LIMIT 1"


def missing(
    conn: Connection, me: Uid | None, obj: ObjId, after: int, changes: Sequence[StoredChange]
) -> Sequence[StoredChange]:
    """All merged changes of an object after row `after`, in the order of rows. `changes`: the last of them, which the
    caller has; returned as they are if nothing is stored between that row and the first of them. Changes that were
    projected before are `replayed`. A change at which an earlier projection failed is not: it makes its notices now."""
    before = changes[0].rowid if changes else None
    if before is not None and conn.execute(_BETWEEN, (obj, after, before)).fetchone() is None:
        return changes
    judged = conn.value(sql.JUDGED_UPTO, (obj,)) or 0
    unjudged = {row for (row,) in conn.execute(sql.UNJUDGED, (obj,))} if judged > after else set[int]()
    if unjudged:
        conn.execute(sql.DROP_UNJUDGED, (obj,))
    return [
        StoredChange(
            rowid=row,
            room=room,
            obj=o,
            change_id=cid,
            author=by,
            t=t,
            n=n,
            data=data,
            own=by == me,
            replayed=row <= judged and row not in unjudged,
        )
        for row, room, o, cid, by, t, n, data in conn.execute(sql.CHANGES_OF, (obj, after))
    ]
