# SPDX-License-Identifier: EUPL-1.2
"""A room's chat files as sealed parts: they belong to the room's conversation, also where it continues another's."""

from collections.abc import Callable, Sequence
from pathlib import Path

from app.chat.projection import KIND_ID
from app.core.ids import ObjId, RoomId
from app.objects.files import Progress, SealedFiles, Source
from app.store.objects import Objects
from sync.trust.room.successor_claim import object_in


class RoomFiles:
    """Stores and fetches the files of chat messages, by room. `origin_of` gets a room and returns the one that it
    continues, or None."""

    def __init__(self, files: SealedFiles, objects: Objects, origin_of: Callable[[RoomId], RoomId | None]) -> None:
        self._files = files
        self._objects = objects
        self._origin_of = origin_of
        files.before = self._before

    async def add(self, room: RoomId, obj: ObjId, source: Source, progress: Progress) -> tuple[bytes, Sequence[bytes]]:
        """Seals a file for upload."""
        return await self._files.add(room, obj, source, progress)

    def give(self, obj: ObjId, manifests: Sequence[bytes]) -> Sequence[bytes]:
        """Makes the parts of files parts of another object of their room."""
        return self._files.give(obj, manifests)

    def drop(self, parts: Sequence[bytes]) -> None:
        """Deletes the parts of files that are not sent after all, unless a message that waits to be sent names them."""
        self._files.drop(parts)

    async def fetch(self, room: RoomId, obj: ObjId, manifest: bytes, target: Path, progress: Progress) -> None:
        """Fetches the file that `manifest` describes for `obj`, an object of the room's conversation, and writes it to
        `target`. ▲ A file stays in the room for which it was encrypted: if it is not in this room, it is fetched from
        the room that this one continues, and so on back, at most MAX_HOPS rooms far. Refused or Reject if none of the
        rooms gives the file. Any other error, such as Unreachable or StoreUnwritable, is raised at once."""
        await self._files.from_first(
            room, obj, lambda room, obj: self._files.fetch(room, obj, manifest, target, progress)
        )

    async def read(self, room: RoomId, obj: ObjId, manifest: bytes, most_bytes: int, progress: Progress) -> bytes:
        """Fetches the file as `fetch` does, and returns its bytes, which are on no disk. FileTooLarge if it has more
        than `most_bytes`."""
        return await self._files.from_first(
            room, obj, lambda room, obj: self._files.read(room, obj, manifest, most_bytes, progress)
        )

    def _before(self, room: RoomId, obj: ObjId) -> tuple[RoomId, ObjId] | None:
        """The room that `room` continues, and its object that `obj` continues; None if there is none here."""
        origin = self._origin_of(room)
        if origin is None:
            return None
        chats = [*self._objects.all(origin, KIND_ID), *self._objects.all(origin, KIND_ID, deleted=True)]
        return next(((origin, old.obj) for old in chats if object_in(room, origin, old.obj) == obj), None)
