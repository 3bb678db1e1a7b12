# SPDX-License-Identifier: EUPL-1.2
"""What each device has said of itself in a room: the newest heartbeat with content of each. The store does not decode
that content."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.ids import DevId, RoomId, Uid
from app.store import statements as sql
from app.store.connection import Connection
from app.store.database import Database
from sync.client.ports import OpenedHeartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHeartbeat:
    """The newest heartbeat with content that the device `dev` of the member `uid` posted in `room`, at `t` (server's
    time, ms). `data` is that content: a record, opaque here."""

    room: RoomId
    uid: Uid
    dev: DevId
    t: int
    data: bytes = field(repr=False)


def put(conn: Connection, room: RoomId, heartbeats: Sequence[OpenedHeartbeat]) -> None:
    """Stores those of the `heartbeats` that have content, each in place of an earlier one of its device in the room, in
    the caller's transaction. Left out are empty ones, those of people who are no members now, and those that are older
    than what is stored."""
    rows = [(room, h.dev, h.uid, h.n, h.t, h.payload) for h in heartbeats if h.payload]
    conn.executemany(sql.PUT_HEARTBEAT, rows)


def drop(conn: Connection, room: RoomId, gone: Sequence[Uid]) -> None:
    """Deletes what the devices of former members said in the room, in the caller's transaction."""
    conn.executemany(sql.DROP_HEARTBEATS, [(room, uid) for uid in gone])


class Heartbeats:
    """Reads what members' devices have said of themselves in rooms."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, room: RoomId) -> list[KeptHeartbeat]:
        """The newest heartbeat with content of each device of the room's members, the earliest first."""
        return _kept(self._db.rows(sql.HEARTBEATS_OF, (room,)))

    def by(self, dev: DevId) -> list[KeptHeartbeat]:
        """The newest heartbeat with content that a device posted in each room, in no particular order."""
        return _kept(self._db.rows(sql.HEARTBEATS_BY, (dev,)))


def _kept(rows: Sequence[tuple[bytes, bytes, bytes, int, bytes]]) -> list[KeptHeartbeat]:
    return [
        KeptHeartbeat(room=RoomId(room), uid=Uid(uid), dev=DevId(dev), t=t, data=data)
        for room, uid, dev, t, data in rows
    ]
