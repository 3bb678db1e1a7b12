# SPDX-License-Identifier: EUPL-1.2
"""Makes rooms: at the server first, and then what every room begins with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.core import clock
from app.core.enums import RoomType
from app.core.ids import ObjId, RoomId
from app.rooms.records import ObjectAnnounced, Record, RoomNamed, encode, shown_title
from app.store.store import Store
from sync.client.engine import Engine

FREE_MS = 86_400_000
"""How old (ms) a room may be that an earlier creation has left and a later one takes. An older one would be shown with
a day on which the person made no room."""
Also = Callable[[RoomId], object]
"""Stores what belongs to a new room, in the transaction that stores its title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """An object that every new room gets: its kind, and `first`, a function without arguments that returns the data of
    its first change; None if it begins empty."""

    kind: str
    first: Callable[[], bytes] | None = None


class Founding:
    """Makes an account's rooms. If an earlier creation failed after the server had made its room (the answer was lost,
    the disk refused the title, the program ended), the next creation takes that room: it has no title, so nobody has
    seen it."""

    def __init__(self, store: Store, engine: Engine, starters: Sequence[Starter]) -> None:
        self._store, self._engine, self._starters = store, engine, tuple(starters)

    async def create(self, title: str, type: RoomType, also: Also | None = None) -> RoomId:  # noqa: A002 - its word
        """As `RoomService.create`."""
        room = await self._engine.operations.create_room(is_free=self._is_free)
        with self._store.transaction():
            self._write(room, RoomNamed(title=shown_title(title), type=type))
            for starter in self._starters:
                obj = self._store.objects.new(room)
                self._write(room, ObjectAnnounced(obj=obj, kind=starter.kind))
                if starter.first is not None:
                    self._store.changes.append(room, obj, starter.first())
            if also is not None:
                also(room)
        return room

    def _is_free(self, room: RoomId) -> bool:
        """Whether nothing was written in a room here, also no title that only a newer program can read, it continues no
        other room, and it was made less than FREE_MS ago."""
        row = self._store.rooms_list.get(room)
        if row is not None and (row.title or abs(clock.now_ms() - row.created) > FREE_MS):
            return False
        return not self._store.changes.of(ObjId(room), limit=1) and self._store.origins.of(room) is None

    def _write(self, room: RoomId, record: Record) -> None:
        self._store.changes.append(room, ObjId(room), encode(record))
