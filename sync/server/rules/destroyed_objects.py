# SPDX-License-Identifier: EUPL-1.2
"""Deletes what the server has of a destroyed object beside its items: its share and the parts of its files."""

from sync.server.objects.base import Objects
from sync.server.rules.uploads import Uploads
from sync.server.store.base import Store


class DestroyedObjects:
    """Deletes shares and parts of files of objects that an administrator has destroyed. A share is the secret of an
    object without which nothing of it can be decrypted."""

    def __init__(self, store: Store, objects: Objects, uploads: Uploads) -> None:
        self._store = store
        self._objects = objects
        self._uploads = uploads

    async def delete(self, room: bytes, obj: bytes) -> int:
        """Deletes the share and all parts of files of the object `obj`, also unfinished uploads, and returns how many
        bytes of the room's size that freed; a second call frees none. A part that is being uploaded right now is
        deleted by its upload (`Blobs.put`). ▲ The bytes of the parts go before their rows. Otherwise an interruption
        would leave bytes that no row names, and nobody would delete them. Raises the errors of the store, of the object
        store and of the disk; the caller tries again later."""
        await self._store.forget_share(room, obj)
        await self._uploads.drop_object(room, obj)
        parts = await self._store.blobs_of(room, obj)
        for row in parts:
            await self._objects.delete(row.room, row.obj, row.part)
        return await self._store.forget_blobs(room, obj) if parts else 0
