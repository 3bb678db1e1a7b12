# SPDX-License-Identifier: EUPL-1.2
"""Makes rooms: at the server first, and then what every room begins with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core.enums import RoomType
from app.core.ids import ObjId, RoomId
from app.rooms.records import ObjectAnnounced, Record, RoomNamed, encode, shown_title
from app.store.store import Store
from sync.client.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """An object that every new room gets: its kind, and `first`, a function without arguments that returns the data of
    its first change; None if it begins empty."""

    kind: str
    first: Callable[[], bytes] | None = None


class Founding:
    """Makes an account's rooms. Remembers in memory the rooms that the server has made and whose title the disk has
    refused. The next `create` uses one of them."""

    def __init__(self, store: Store, engine: Engine, starters: Sequence[Starter]) -> None:
        self._store, self._engine, self._starters = store, engine, tuple(starters)
        self._unnamed: list[RoomId] = []

    async def create(self, title: str, type: RoomType) -> RoomId:  # noqa: A002 - the field's word
        """As `RoomService.create`."""
        room = self._take_unnamed() or await self._engine.operations.create_room()
        self._unnamed.append(room)
        with self._store.transaction():
            self._write(room, RoomNamed(title=shown_title(title), type=type))
            for starter in self._starters:
                obj = self._store.objects.new(room)
                self._write(room, ObjectAnnounced(obj=obj, kind=starter.kind))
                if starter.first is not None:
                    self._store.changes.append(room, obj, starter.first())
        self._unnamed.remove(room)
        return room

    def _take_unnamed(self) -> RoomId | None:
        """A room that was made before and still has no name; None if there is none. It is not returned again."""
        while self._unnamed:
            row = self._store.rooms_list.get(self._unnamed[-1])
            room = self._unnamed.pop()
            if row is not None and not row.title:
                return room
        return None

    def _write(self, room: RoomId, record: Record) -> None:
        self._store.changes.append(room, ObjId(room), encode(record))
