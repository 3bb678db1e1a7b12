# SPDX-License-Identifier: EUPL-1.2
"""A room's objects announced once more: for new members without the history, and in a room that continues this one."""

from collections.abc import Iterator, Sequence

from app.core.ids import ObjId, RoomId
from app.rooms.records import ObjectAnnounced
from app.store.rows import ObjectRow
from app.store.store import Store


def announcements(store: Store, room: RoomId, objects: Sequence[ObjectRow]) -> Iterator[ObjectAnnounced]:
    """The records that announce `objects`, objects of the room `room`. Those without a series come first, as they are
    given; then the parts of series in the order of `SeriesRows.all`, each with its series and month. ▲ In any other
    order a new member would take another object for the first of its month than everybody else. Left out are the room's
    root object, and what was announced as a part and does not count: it counts for nobody."""
    parts = store.series.all(room)
    known = {part.obj for part in parts}
    by_id = {found.obj: found for found in objects}
    for found in objects:
        if found.obj != ObjId(room) and found.obj not in known:
            yield ObjectAnnounced(obj=found.obj, kind=found.kind)
    for part in parts:
        row = by_id.get(part.obj)
        if row is not None and part.counts:
            yield ObjectAnnounced(obj=part.obj, kind=row.kind, series=part.series, period=part.period)
