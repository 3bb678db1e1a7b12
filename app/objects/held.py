# SPDX-License-Identifier: EUPL-1.2
"""One open object (app/objects/live.py)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic

from app.core.ids import ObjId, RoomId
from app.objects.adapter import M
from app.objects.pieces import Assembler
from app.store.rows import StoredChange


@dataclass(slots=True, weakref_slot=True, eq=False)
class Held(Generic[M]):
    """One open object: its live model, and what is still to be stored or merged of it. `feeder` keeps pieces of
    incomplete updates. `holders`: how many callers have opened it. `row`: the last row of the store that is merged.
    `unsaved`: own changes that are not stored yet, in order. `since_cached`: changes merged since its state was cached.
    `is_beginning`: its first content is being written. `is_merging`: received changes are being merged now. The model
    refers to it, so that it exists as long as anybody refers to the model."""

    room: RoomId
    obj: ObjId
    model: M
    feeder: Assembler = field(default_factory=Assembler)
    row: int = 0
    """The last row of the store that is merged."""
    since_cached: int = 0
    damaged: int = 0
    """Changes that held no update."""
    first: list[bytes] = field(default_factory=list)
    """The changes that make the object, if nothing has been edited in it yet. They are stored with the first edit."""
    is_beginning: bool = False
    holders: int = 0
    unsaved: list[bytes] = field(default_factory=list)
    """The data of own changes that are not stored yet, in order."""
    storing: tuple[bytes, ...] = ()
    """The data of own changes that are being stored: when they are notified as appended, they are merged already."""
    is_refused: bool = False
    """The disk refused `unsaved`."""
    received: list[StoredChange] = field(default_factory=list)
    """Changes in the store that are to be merged when no other change is in progress."""
    is_stale: bool = False
    """Something that was merged no longer counts: the object is to be read again."""
    is_merging: bool = False

    @property
    def is_changing(self) -> bool:
        return self.is_merging or self.model.is_changing

    @property
    def is_needed(self) -> bool:
        return bool(self.holders or self.unsaved)

    def note(self, changes: Sequence[StoredChange]) -> None:
        """Notes that these changes of the store are merged."""
        if changes:
            self.row = max(self.row, changes[-1].rowid)
            self.since_cached += len(changes)
