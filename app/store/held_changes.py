# SPDX-License-Identifier: EUPL-1.2
"""What is stored and not merged here: quarantined changes, void ones, and those that wait for changes of others."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.core.ids import ObjId, RoomId, Uid
from app.store import statements as sql
from app.store.changes import stored_change
from app.store.database import Database
from app.store.people import Me
from app.store.projection import Projector
from app.store.rows import StoredChange

MOST_VOID = 100
"""Most void changes of a room that are listed one by one; the others are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A change that this computer stores and does not merge, because it failed its trial or ended the program. `why`:
    the code of the reason. `since`: when this computer held it back (own clock, ms)."""

    change: StoredChange
    why: str
    since: int


class HeldChanges:
    """Lists and counts the stored changes that are not merged into their objects. It only reads."""

    def __init__(self, db: Database, me: Me, kinds: Mapping[str, Projector]) -> None:
        self._db = db
        self._me = me
        self._merging_kinds = {kind.id for kind in kinds.values() if kind.merging is not None}

    def quarantined(self, obj: ObjId | None = None) -> list[Quarantined]:
        """The changes of an object (None: of all) that are held back: stored and not merged on this computer, because
        they failed their trial or ended the program. Oldest first."""
        rows = self._db.rows(sql.QUARANTINED_OF, (obj, obj))
        return [
            Quarantined(change=stored_change(tuple(row), self._me.uid), why=why, since=since)
            for *row, why, since in rows
        ]

    def quarantined_objects(self) -> list[ObjId]:
        """The objects of which changes are held back, without reading the changes: a colleague can make any number of
        them."""
        return [obj for (obj,) in self._db.rows(sql.QUARANTINED_OBJECTS)]

    def still(self, changes: Sequence[StoredChange], code: str) -> set[int]:
        """The row ids of those of the `changes` that are still stored in their row with the mark `code`. ▲ Ask in the
        transaction that merges or quarantines changes after a trial. Otherwise a change that an administrator left out
        during the trial, or that was moved to another row, would be merged on this device."""
        keys = [(c.rowid, c.obj, c.author, c.change_id, code) for c in changes]
        return {key[0] for key in keys if self._db.value(sql.IS_MARKED_AT, key) is not None}

    def void(self, room: RoomId) -> list[tuple[StoredChange, str]]:
        """The void changes of the room's documents and boards: they break the rules of their format and are never
        merged. Each with the code of the reason; oldest first. At most the `MOST_VOID` oldest are listed; `void_counts`
        counts all of them. They are the same at every member."""
        rows = self._db.rows(sql.VOID_OF, (room, json.dumps(sorted(self._merging_kinds)), MOST_VOID))
        return [(stored_change(tuple(row), self._me.uid), code) for *row, code in rows]

    def void_counts(self, room: RoomId) -> list[tuple[str, Uid, int]]:
        """Counts all void changes of a room's documents and boards, that is, those that break the rules of their
        format: (title of the object, author, how many) for each object and author, in the order of their first one."""
        rows, kinds = self._db.rows(sql.VOID_COUNTS, (room,)), self._merging_kinds
        return [(title, Uid(author), count) for title, kind, author, count in rows if kind in kinds]

    def newer_count(self, room: RoomId) -> int:
        """How many of the room's changes only a newer program can read. They are stored, and read once it is here."""
        return int(self._db.value(sql.COUNT_NEWER, (room,)) or 0)

    def late(self, room: RoomId) -> list[tuple[str, Uid, int]]:
        """(object's title, author, count) of a room's changes that wait for changes which were not received."""
        return [(title, Uid(author), count) for title, author, count in self._db.rows(sql.WAITING_OF, (room,))]
