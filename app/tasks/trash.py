# SPDX-License-Identifier: EUPL-1.2
"""The cards that are put away, over all boards that are not in the trash themselves, read from rows."""

# ruff: noqa: S608 - put together from constants; values always go as parameters

from collections.abc import Callable, Sequence

from app.core.ids import ObjId, RoomId, Uid
from app.objects.trash import PutAway, WrittenAfter
from app.store.database import Database
from app.tasks.model import Board
from app.tasks.projection import KIND_ID
from app.tasks.tables import IN_PLACE

_READ = f"SELECT room, obj, card, title, by, t FROM board_put_away c WHERE {IN_PLACE}"
_WRITTEN = (
    "SELECT room, obj, card, title, by, t, written_by, written_t FROM board_put_away c"
    f" WHERE {IN_PLACE} AND by = ? AND written_t IS NOT NULL ORDER BY written_t DESC"
)


class CardTrash:
    """The trash of cards, over all boards, as the view that shows the trash of any tool uses it (`Bin`). `ref` of its
    entries is the card's id. `me` returns this person; `board` gets (room, object) and returns the live board."""

    def __init__(self, db: Database, me: Callable[[], Uid], board: Callable[[RoomId, ObjId], Board]) -> None:
        self._db = db
        self._me = me
        self._board = board

    def put_away(self, room: RoomId) -> Sequence[PutAway]:
        """See `Bin`."""
        return [_item(*row) for row in self._db.rows(f"{_READ} AND room = ? ORDER BY t DESC, card", (room,))]

    def take_back(self, item: PutAway) -> None:
        """See `Bin`."""
        self._board(item.room, item.obj).restore_card(item.ref.decode())

    def written_after(self) -> Sequence[WrittenAfter]:
        """The cards that this person put into the trash, in all rooms, and others have written in since. Only the
        person who wrote last is named; nobody if the newest changes came from several people at once."""
        return [
            WrittenAfter(item=_item(*item), by=(Uid(by),) if by is not None else (), t=t)
            for *item, by, t in self._db.rows(_WRITTEN, (self._me(),))
        ]

    def see(self, obj: ObjId, card: str) -> None:
        """Stores that the person has opened the card `card` of the board `obj` in the trash, so that they are no longer
        notified of what others wrote in it until now. Does nothing if nobody wrote in it."""
        found = self._db.value("SELECT written_t FROM board_put_away c WHERE obj = ? AND card = ?", (obj, card))
        if found is not None:
            with self._db.transaction():
                self._db.conn.execute(
                    "UPDATE board_put_away SET written_by = NULL, written_t = NULL WHERE obj = ? AND card = ?",
                    (obj, card),
                )


def _item(room: RoomId, obj: ObjId, card: str, title: str, by: Uid | None, t: int) -> PutAway:
    return PutAway(room=room, obj=obj, kind=KIND_ID, ref=card.encode(), title=title, by=by, t=t)
