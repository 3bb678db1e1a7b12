# SPDX-License-Identifier: EUPL-1.2
"""The server's signed statements: the newest receipt of each room, and evidence that the server was false. Part of
`InboxPort`."""

from collections.abc import Sequence

from app.core import clock
from app.core.ids import RoomId
from app.store import statements as sql
from app.store.database import Database
from app.store.rows import Evidence
from sync.client.ports import KeptReceipt


class Receipts:
    """Stores the newest receipt of each room (the server's signature on a position of the room's log), and evidence
    that the server was false. The signed bytes are opaque here."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def all(self) -> list[KeptReceipt]:
        """The newest receipt of every room."""
        rows = self._db.rows("SELECT room, n, proof FROM receipts")
        return [KeptReceipt(room=room, n=n, proof=proof) for room, n, proof in rows]

    def put(self, receipts: Sequence[KeptReceipt]) -> None:
        """Stores each receipt, unless the room's stored one is for the same or a later position. It is not flushed by
        itself: after a power cut the last ones may be lost."""
        if receipts:
            with self._db.transaction(durable=False):
                for receipt in receipts:
                    self._db.conn.execute(sql.ADD_RECEIPT, (receipt.room, receipt.n, receipt.proof))

    def put_evidence(
        self, room: RoomId, code: str, ours: bytes | None, theirs: bytes | None, claim: bytes | None
    ) -> None:
        """Stores signed evidence that the server was false in a room. `code`: why the room stopped ("fork", "rollback",
        "restored" …), or "time" for a receipt with a time far ahead. `ours`: the receipt that this device had;
        `theirs`: the one that the server gave; `claim`: what a member signed, or for "restored" the server's statement.
        Each may be None. A second one with the same code in a room is ignored."""
        with self._db.transaction():
            self._db.conn.execute(sql.ADD_EVIDENCE, (room, code, ours, theirs, claim, clock.now_ms()))

    def evidence(self, room: RoomId) -> list[Evidence]:
        """The evidence against the server in a room, oldest first."""
        rows = self._db.rows("SELECT code, ours, theirs, claim, t FROM evidence WHERE room = ? ORDER BY t", (room,))
        return [Evidence(code=c, ours=ours, theirs=theirs, claim=claim, t=t) for c, ours, theirs, claim, t in rows]
