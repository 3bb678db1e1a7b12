# SPDX-License-Identifier: EUPL-1.2
"""Items of rooms as they were received from the server, verified: a restored server gets them back. Part of
`InboxPort`."""

from collections.abc import Sequence

from app.core.ids import RoomId
from app.store import statements as sql
from app.store.database import Database
from sync.trust.formats.items import Item

_AT_A_TIME = 2000
"""Rows deleted in one transaction, about 20 ms: their pages are overwritten."""


class KeptItems:
    """The items of rooms as the server sent them, kept so that they can be uploaded again if the server loses them.
    Bounded by age and size (`trim`)."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def add(self, room: RoomId, items: Sequence[Item]) -> None:
        """Stores items as the server sent them, each in place of one that is kept at its position. Within the caller's
        transaction."""
        rows = [
            (room, i.n, i.t, i.kind, i.body, i.sig, i.ct, len(i.body) + len(i.sig) + len(i.ct or b"")) for i in items
        ]
        self._db.conn.executemany(sql.ADD_KEPT_ITEM, rows)

    def after(self, room: RoomId, n: int, limit_bytes: int) -> list[Item]:
        """The kept items that directly follow position `n`, up to the first missing position. At least one if it is
        there, then as many as fit into `limit_bytes`; at most 4096."""
        out: list[Item] = []
        left = limit_bytes
        for at, t, kind, body, sig, ct, size in self._db.rows(sql.KEPT_ITEMS, (room, n)):
            left -= size
            if at != n + 1 + len(out) or (out and left < 0):
                break
            out.append(Item(at, t, kind, body, sig, ct))
        return out

    def trim(self, before_ms: int, most_bytes: int) -> bool:
        """Deletes at most 2000 kept items: those older than `before_ms` (the server's time), and the oldest ones while
        all kept items together have more than `most_bytes`. Returns True if more may have to be deleted: then call it
        again."""
        surplus = int(self._db.value("SELECT coalesce(sum(size), 0) FROM kept_items")) - most_bytes
        going = []
        for row, t, size in self._db.rows(sql.OLDEST_KEPT_ITEMS, (_AT_A_TIME,)):
            if t >= before_ms and surplus <= 0:
                break
            going.append((row,))
            surplus -= size
        if going:
            with self._db.transaction(durable=False):
                self._db.conn.executemany("DELETE FROM kept_items WHERE rowid = ?", going)
        return len(going) == _AT_A_TIME
