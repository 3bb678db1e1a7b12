# SPDX-License-Identifier: EUPL-1.2
"""Marks messages of conversations as read or unread, on this device and the person's other devices."""

from collections.abc import Callable, Collection

from app.chat import projection, unread
from app.chat.ports import Reads
from app.chat.tables import PENDING
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.store.connection import Connection
from app.store.database import Database
from app.store.objects import Objects

_LAST = """SELECT max(sort) FROM chat_messages WHERE series = ? AND author <> ? AND sort < ?
    AND deleted_by IS NULL AND carried_by IS NULL"""


class ReadState:
    """Marks what is read in the conversations of one account. `channel`: returns the id of a room's conversation, None
    if it has none. `me`: returns this account's person. `changed`: emitted with the room after each change. Every
    method raises StoreFault if the disk refuses."""

    def __init__(
        self,
        db: Database,
        objects: Objects,
        reads: Reads,
        channel: Callable[[RoomId], ObjId | None],
        me: Callable[[], Uid],
        changed: Signal[RoomId],
    ) -> None:
        self._db, self._objects, self._reads = db, objects, reads
        self._channel, self._me, self._changed = channel, me, changed
        self._end = reads.changed.connect(self._on_read_elsewhere)

    def close(self) -> None:
        """Stops following the person's other devices."""
        self._end()

    def see(self, room: RoomId, seen: Collection[ChangeId]) -> None:
        """As `ChatService.mark_read`."""
        self._mark(room, lambda obj: unread.see(self._db.conn, obj, self._me(), seen))

    def see_all(self, room: RoomId) -> None:
        """As `ChatService.mark_all_read`."""
        self._mark(room, lambda obj: unread.see_all(self._db.conn, obj, self._me()))

    def unsee(self, room: RoomId, target: ChangeId) -> None:
        """Marks the received message `target` and all later ones as unread. Earlier ones then count as read, except
        mentions that were not on screen. Does nothing if the message is not stored here."""
        obj = self._channel(room)
        sort = self._db.value("SELECT sort FROM chat_messages WHERE series = ? AND change_id = ?", (obj, target))
        if obj is not None and sort is not None:
            self._unsee(room, obj, int(sort))

    def unsee_last(self, room: RoomId) -> None:
        """As `ChatService.mark_room_unread`."""
        obj = self._channel(room)
        if obj is None or self._has_unread(obj):
            return
        last = self._db.value(_LAST, (obj, self._me(), PENDING))
        if last is not None:
            self._unsee(room, obj, int(last))

    def _mark(self, room: RoomId, see: Callable[[ObjId], int]) -> None:
        obj = self._channel(room)
        if obj is None or not self._has_unread(obj):
            return
        with self._db.transaction() as conn:
            self._objects.set_read_mark(room, obj, see(obj))
            self._reads.read(obj, *unread.position(conn, room, obj, self._me()))
            projection.refresh_room(conn, room, obj)
            self._db.after_commit(lambda: self._changed.emit(room))

    def _unsee(self, room: RoomId, obj: ObjId, position: int) -> None:
        with self._db.transaction() as conn:
            self._reads.unread(obj, *unread.position_before(conn, room, obj, self._me(), position))
            self._refresh(conn, room, obj)

    def _has_unread(self, obj: ObjId) -> bool:
        counter = self._objects.counter(obj)
        return (counter.unread, counter.mentions) != (0, 0)

    def _refresh(self, conn: Connection, room: RoomId, obj: ObjId) -> None:
        self._objects.set_read_mark(room, obj, unread.follow(conn, obj, self._me()))
        projection.refresh_room(conn, room, obj)
        self._db.after_commit(lambda: self._changed.emit(room))

    def _on_read_elsewhere(self, conversations: Collection[ObjId]) -> None:
        """Follows another device on which this person has read conversations or marked them as unread. Runs in the
        transaction that stores their read marks."""
        with self._db.transaction() as conn:
            for obj in conversations:
                room = self._db.value("SELECT room FROM series WHERE obj = ?", (obj,))
                if room is not None and self._channel(RoomId(room)) == obj:
                    self._refresh(conn, RoomId(room), obj)
