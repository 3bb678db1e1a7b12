# SPDX-License-Identifier: EUPL-1.2
"""What a chat needs from the rest of the office; app/chat/tool.py connects it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.core.ids import ObjId, RoomId, Uid
from app.core.signal import Signal
from app.objects.files import Source
from app.objects.links import Linked, ObjectLink
from app.people.person import Person

Progress = Callable[[int, int], None]
"""Bytes done, bytes in all. Called on the loop."""


class People(Protocol):
    """Looks people up."""

    @property
    def changed(self) -> Signal[()]:
        """Somebody's name or verification changed, or was received: a person can be asked for before that."""
        ...

    @property
    def me(self) -> Person: ...

    def person(self, uid: Uid) -> Person: ...


class Members(Protocol):
    """The members of a room, and what this account may do there."""

    def people_in(self, room: RoomId) -> Sequence[Person]: ...

    def is_admin(self, room: RoomId) -> bool:
        """Whether this account is administrator or owner there."""
        ...

    def may_write(self, room: RoomId) -> bool:
        """Whether this account may write there."""
        ...


class Blobs(Protocol):
    """Sealed files. Both are ended by cancelling the task."""

    async def add(self, room: RoomId, obj: ObjId, source: Source, progress: Progress) -> tuple[bytes, Sequence[bytes]]:
        """Seals a file for upload: its manifest and its part ids."""
        ...

    async def fetch(self, room: RoomId, manifest: bytes, target: Path, progress: Progress) -> None:
        """Fetches, opens and writes a file; nothing is left at `target` if it does not succeed."""
        ...


class Things(Protocol):
    """What messages link to: tasks, documents."""

    @property
    def changed(self) -> Signal[RoomId]:
        """The room in which a thing has changed."""
        ...

    def find(self, link: ObjectLink) -> Linked | None:
        """The thing's present form; None if it is not here (any more)."""
        ...


@dataclass(frozen=True, slots=True)
class LinkedThings:
    """`Things` from its two parts."""

    changed: Signal[RoomId]
    find: Callable[[ObjectLink], Linked | None]


class NoThings:
    """For chats without things to link to."""

    def __init__(self) -> None:
        self.changed: Signal[RoomId] = Signal()

    def find(self, link: ObjectLink) -> Linked | None:
        """Returns None."""
        return None


SendEphemeral = Callable[[RoomId, bytes], object]
"""Sends an ephemeral message to the devices that are connected now."""
