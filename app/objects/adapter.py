# SPDX-License-Identifier: EUPL-1.2
"""What app/objects/live.py needs of a tool: its live model, and an adapter to it."""

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

from app.core.ids import ObjId, RoomId
from app.store.projection import Feeder
from app.store.rows import StoredChange


class Model(Protocol):
    """The live model of one shared object (a document, a board): what views read and write, kept in a CRDT."""

    @property
    def is_changing(self) -> bool:
        """Whether an edit or a merge has begun and not yet notified everybody."""
        ...

    def snapshot(self) -> bytes:
        """The whole object as one update."""
        ...

    def close(self) -> None:
        """Frees it: nothing can be written in it any more."""
        ...


M = TypeVar("M", bound=Model)


class Adapter(Protocol[M]):
    """What a tool (documents, boards) gives to `LiveObjects`: how its models are made and how received changes are
    merged into them. Their updates are written as app/objects/pieces.py says."""

    @property
    def kind(self) -> str:
        """The kind's id."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether the engine batches the edits (`Changes.append`)."""
        ...

    @property
    def frees(self) -> bool:
        """Whether the last holder's `close` frees the model. Not if others may still refer to it (`shared`)."""
        ...

    def new(self, room: RoomId, obj: ObjId, emit: Callable[[bytes], None]) -> M:
        """Makes an empty model of the object `obj`. The model calls `emit` with each finished update that is made on
        this device; `emit` does not fail if the disk refuses the update."""
        ...

    def title(self, model: M) -> str | None:
        """The title of the model's object. The next change names it if lists show a different one. None for a kind
        whose projection reads the title out of the object itself."""
        ...

    def load(self, model: M, updates: Sequence[bytes]) -> int:
        """Merges the stored updates into a new model, which is not used before `reading`. Returns how many of them were
        damaged and left out."""
        ...

    def reading(self, model: M) -> Generator[None, None, None]:
        """A generator that reads what was loaded, in parts of some milliseconds, between which nothing is written in
        the model. Its end may be reached at once."""
        ...

    def merge(self, model: M, changes: Sequence[StoredChange], feeder: Feeder) -> int:
        """Merges received changes into a model. `feeder` takes the updates out of them, and keeps pieces of incomplete
        ones. Returns how many updates were damaged and left out."""
        ...

    def reset(self, model: M, updates: Sequence[bytes]) -> int:
        """Replaces the model's content by what these updates alone make. Returns how many were damaged and left out."""
        ...

    def announce(self, room: RoomId, obj: ObjId) -> None:
        """Writes the record by which the room lists the new object `obj`. Called in the transaction that stores its
        first edit."""
        ...
