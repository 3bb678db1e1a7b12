# SPDX-License-Identifier: EUPL-1.2
"""What a chat needs from the rest of the office; app/chat/tool.py connects it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.core.ids import ObjId, RoomId, Uid
from app.core.signal import Signal
from app.objects.files import Source
from app.objects.links import Linked, ObjectLink
from app.people.person import Person
from app.store import read_positions
from app.store.database import Database

Progress = Callable[[int, int], None]
"""Bytes done, bytes in all. Called on the loop."""


class People(Protocol):
    """What a chat needs to know of people: their names, and who this account's person is."""

    @property
    def changed(self) -> Signal[()]:
        """Somebody's name or verification changed, or was received: a person can be asked for before that."""
        ...

    @property
    def me(self) -> Person: ...

    def person(self, uid: Uid) -> Person: ...


class Members(Protocol):
    """The members of rooms, and what this account's person may do in a room."""

    def people_in(self, room: RoomId) -> Sequence[Person]: ...

    def is_admin(self, room: RoomId) -> bool:
        """Whether this account is administrator or owner there."""
        ...

    def may_write(self, room: RoomId) -> bool:
        """Whether this account may write there."""
        ...

    def announce_part(self, room: RoomId, obj: ObjId, kind: str, series: ObjId, period: int) -> None:
        """Adds an object to the room as part of the series `series` for the month `period`, in the caller's
        transaction."""
        ...


class Reads(Protocol):
    """How far this person has read conversations, on any of their devices (app/own/reads.py). A conversation is named
    by its first object."""

    @property
    def changed(self) -> Signal[frozenset[ObjId]]:
        """Conversations that were read or marked as unread on another device. Emitted in a transaction."""
        ...

    def read(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Notes, in the caller's transaction, that everything up to `position` has been read, but not what is at the
        positions `left`."""
        ...

    def unread(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Notes, in the caller's transaction, that nothing behind `position` has been read, nor what is at the
        positions `left` up to it."""
        ...


class SharedDraft(Protocol):
    """A draft as the person's devices share it: its text, and what else the chat keeps of it."""

    @property
    def text(self) -> str: ...

    @property
    def aside(self) -> Mapping[str, Any]: ...


class SharedDrafts(Protocol):
    """What the person was writing on each of their devices (app/own/drafts.py). A place is a conversation's id in
    hex."""

    @property
    def changed(self) -> Signal[frozenset[str]]:
        """Places whose drafts another device has changed."""
        ...

    def written(self, place: str) -> SharedDraft | None:
        """What this device shared last, also if another device has replaced it since."""
        ...

    def mine(self, place: str) -> SharedDraft | None:
        """What this device shared, if no other device has replaced it."""
        ...

    def others(self, place: str) -> Sequence[SharedDraft]:
        """Drafts of other devices that are not replaced, the latest first."""
        ...

    def share(self, place: str, text: str, aside: Mapping[str, Any], over: Sequence[SharedDraft]) -> None:
        """Shares this device's draft, which replaces the drafts `over` of others."""
        ...


class NoReads:
    """For a chat whose person has no other devices: keeps only what this device shows as unread."""

    def __init__(self, db: Database) -> None:
        self.changed: Signal[frozenset[ObjId]] = Signal()
        self._conn = db.conn

    def read(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Does nothing: the mark by rows is enough."""

    def unread(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """See `Reads`."""
        generation = read_positions.generation(self._conn, series) + 1
        read_positions.put(self._conn, series, generation, position, left)


class Blobs(Protocol):
    """Stores and transfers encrypted files. Cancel the task to stop a transfer."""

    async def add(self, room: RoomId, obj: ObjId, source: Source, progress: Progress) -> tuple[bytes, Sequence[bytes]]:
        """Encrypts a file and stores its parts on this device; they are uploaded later by themselves. Returns (its
        manifest, which describes the parts; the parts' ids). Calls `progress` with the bytes done and in all.
        FileUnreadable, DiskFull, StoreUnwritable; if it fails, no part is kept."""
        ...

    def give(self, obj: ObjId, manifests: Sequence[bytes]) -> Sequence[bytes]:
        """Makes the parts that `manifests` describe parts of the object `obj`, in the same room; they are uploaded for
        it. Returns the ids of those whose bytes are on this device, in the caller's transaction."""
        ...

    def drop(self, parts: Sequence[bytes]) -> None:
        """Deletes the parts with these ids from this device, unless a message that waits to be sent names them. Raises
        nothing."""
        ...

    async def fetch(self, room: RoomId, obj: ObjId, manifest: bytes, target: Path, progress: Progress) -> None:
        """Fetches the parts that `manifest`, in a message of the object `obj`, describes, decrypts them and writes the
        file to `target`; if that fails, nothing is written and an existing file is unchanged. Calls `progress` with the
        bytes done and in all. StoreFault; NotFound; SyncErrors such as Unreachable, Refused or Reject."""
        ...

    async def read(self, room: RoomId, obj: ObjId, manifest: bytes, most_bytes: int, progress: Progress) -> bytes:
        """Fetches the parts that `manifest` describes, decrypts them and returns the file's bytes, which are on no
        disk. FileTooLarge, before anything is fetched, if it has more than `most_bytes`; otherwise as `fetch`."""
        ...


class Things(Protocol):
    """The things that messages can link to, such as tasks and documents."""

    @property
    def changed(self) -> Signal[RoomId]:
        """The room in which a thing has changed."""
        ...

    def find(self, link: ObjectLink) -> Linked | None:
        """What to show of the thing that a link leads to; None if it is not here (any more)."""
        ...


@dataclass(frozen=True, slots=True)
class LinkedThings:
    """`Things` made of a signal (`changed` is emitted with the room in which a thing changed) and a function: `find`
    gets a link and returns what to show of the thing that it leads to, or None if the thing is not here."""

    changed: Signal[RoomId]
    find: Callable[[ObjectLink], Linked | None]


class NoThings:
    """`Things` for a chat whose messages can link to no tasks or documents: `find` returns None, and `changed` is never
    emitted."""

    def __init__(self) -> None:
        self.changed: Signal[RoomId] = Signal()

    def find(self, link: ObjectLink) -> Linked | None:
        """Returns None."""
        return None


SendEphemeral = Callable[[RoomId, bytes], object]
"""Sends an ephemeral message to the devices that are connected now."""
