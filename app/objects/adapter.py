# SPDX-License-Identifier: EUPL-1.2
"""What app/objects/live.py needs of a tool: its live model, and an adapter to it."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from app.core.ids import ObjId, RoomId
from app.store.projection import Feeder
from app.store.rows import StoredChange


class Model(Protocol):
    """A live CRDT object."""

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
    """What a tool gives: how its models are made and how they merge. Their updates are written as app/objects/pieces.py
    says."""

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
        """An empty model, which passes each finished own update to `emit`."""
        ...

    def title(self, model: M) -> str | None:
        """The object's title, which a change names if lists show another one. None for a kind whose projection reads
        the title out of the object."""
        ...

    def load(self, model: M, updates: Sequence[bytes]) -> int:
        """Merges what is stored into a new model. Returns how many updates were damaged and left out."""
        ...

    def merge(self, model: M, changes: Sequence[StoredChange], feeder: Feeder) -> int:
        """Merges received changes into a model. As `load`."""
        ...

    def reset(self, model: M, updates: Sequence[bytes]) -> int:
        """Makes the model what these updates alone make. As `load`."""
        ...

    def announce(self, room: RoomId, obj: ObjId) -> None:
        """Announces a new object in its room, in the transaction that stores the first edit."""
        ...
