# SPDX-License-Identifier: EUPL-1.2
"""Notes on the disk which rooms within other rooms are unfinished: not all the people who were chosen are added yet.
app/rooms/nesting.py makes these rooms."""

import json
from dataclasses import dataclass

from app.core import clock, log
from app.core.ids import ObjId, RoomId
from app.rooms.founding import FREE_MS
from app.rooms.records import shown_title
from app.store.store import Store

_NOTE = "within-"
_LAST = "SELECT coalesce(max(row), 0) FROM changes"
_WRITTEN = """SELECT 1 FROM objects o JOIN changes c ON c.obj = o.obj
    WHERE o.room = ?1 AND o.obj <> ?1 AND c.row > ?2 LIMIT 1"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What a room was made as: within `parent`, with this title, when `row` was the highest row of a change."""

    parent: RoomId
    title: str
    row: int


class UnfinishedRooms:
    """The unfinished rooms within other rooms of one account, as far as this device made them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, room: RoomId, parent: RoomId, title: str) -> None:
        """Notes that `room`, which was just made within `parent`, is unfinished. Call it in the transaction that stores
        its title, after all changes with which a room begins: a later change means that the room is used."""
        kept = {"parent": parent.hex(), "title": shown_title(title), "row": self._store.db.value(_LAST)}
        self._store.notes.set(_name(room), json.dumps(kept))

    def forget(self, room: RoomId) -> None:
        """Removes the note of a room that is finished, or is not to be finished. Does nothing if there is no note."""
        self._store.notes.set(_name(room), "")

    def of(self, parent: RoomId, title: str) -> list[RoomId]:
        """The unfinished rooms within `parent` that were made with this title, still have it, and are unused: nobody
        has written in their chat, their board or any other object. ▲ Removes the notes of all rooms older than a day
        (FREE_MS). Otherwise people who are added a month later could read what was not meant for them."""
        found = list[RoomId]()
        for name, text in self._store.notes.all(_NOTE).items():
            try:
                room, made = _read(name, text)
            except ValueError:
                log.store.warning("note-damaged", kind=_NOTE)
                self._store.notes.set(name, "")
                continue
            row = self._store.rooms_list.get(room)
            if row is None or abs(clock.now_ms() - row.created) > FREE_MS:
                self.forget(room)
            elif (made.parent, made.title, row.title) == (parent, shown_title(title), shown_title(title)):
                found += [] if self._is_used(room, made.row) else [room]
        return found

    def _is_used(self, room: RoomId, row: int) -> bool:
        """Whether an object of the room, without the room's own records, has a change after the row `row`."""
        return self._store.db.value(_WRITTEN, (ObjId(room), row)) is not None


def _name(room: RoomId) -> str:
    return f"{_NOTE}{room.hex()}"


def _read(name: str, text: str) -> tuple[RoomId, _Made]:
    """Reads a note. ValueError if it cannot be read."""
    room = RoomId(bytes.fromhex(name.removeprefix(_NOTE)))
    match json.loads(text):
        case {"parent": str(parent), "title": str(title), "row": int(row)}:
            return room, _Made(parent=RoomId(bytes.fromhex(parent)), title=title, row=row)
    raise ValueError
