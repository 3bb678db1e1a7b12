# SPDX-License-Identifier: EUPL-1.2
"""Makes the notices about entries of a room's log, in the transaction that stores the entries."""

from collections.abc import Sequence

from app.core.enums import Role
from app.core.ids import ObjId, RoomId, Uid
from app.store import notice_rows
from app.store.connection import Connection
from app.store.notice_rows import Notice, NoticeKind
from sync.client.received import RoomEvent

ADDED = NoticeKind(id="added", asks=False, personal=True)
"""Somebody added this person to the room."""
ROLE = NoticeKind(id="role", asks=False, personal=True)
"""Somebody gave this person another role in the room; `detail` is its name in small letters ("admin")."""
KINDS = (ADDED, ROLE)

_WAS_ONLINE = "SELECT 1 FROM meta WHERE name = 'notices-begun'"
_BEGIN = "INSERT OR IGNORE INTO meta (name, value) VALUES ('notices-begun', 1)"


def begin(conn: Connection) -> None:
    """Stores, in the caller's transaction, that this device has read all its rooms once. From now on it rings when the
    person is added to a room. Otherwise a new device would ring for each room that the person is in already."""
    conn.execute(_BEGIN)


def make(conn: Connection, me: Uid | None, room: RoomId, events: Sequence[RoomEvent]) -> None:
    """Stores, in the caller's transaction, the notices that the entries `events` of the room's log make for the person
    `me`: somebody else added them or changed their role. None with `me` None."""
    found = [notice for event in events if (notice := _notice(conn, me, room, event)) is not None]
    notice_rows.put(conn, me, found)


def _notice(conn: Connection, me: Uid | None, room: RoomId, event: RoomEvent) -> Notice | None:
    kind = {"add": ADDED, "role": ROLE}.get(event.kind)
    if kind is None or me is None or event.subject != me or event.by == me:
        return None
    was_online = kind is ADDED and conn.value(_WAS_ONLINE) is not None
    return Notice(
        kind=kind,
        room=room,
        obj=ObjId(room),
        key=event.n.to_bytes(8, "big"),
        by=event.by,
        n=None if was_online else event.n,  # ▲ the entry is always before the end of the room's first reading
        t=event.t,
        detail=Role(event.role).name.lower() if event.role is not None else "",
    )
