# SPDX-License-Identifier: EUPL-1.2
"""Opens the files of messages in other programs, and opens, lists and saves the copies that were changed there."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from app.chat.files import MAX_FILE_BYTES, Files
from app.chat.model import Message
from app.copies.service import WorkingCopies
from app.core.files import Draft
from app.core.ids import RoomId
from app.errors import ExportOff, NotFound, disk_fault
from app.store.database import Database
from app.store.saved_files import saved_file, to_end
from app.store.working_copies import ChangedCopy, FileOfMessage
from app.viewing.danger import check_name
from app.viewing.errors import OpensHarm, ViewFault
from app.viewing.shown_file import check_opening


class Opening:
    """Makes read-only copies of files for other programs. `files` fetches them, `copies` holds them, `may_export` reads
    the policy at each call. `db`: the store's database."""

    def __init__(self, db: Database, files: Files, copies: WorkingCopies, may_export: Callable[[], bool]) -> None:
        self.copies = copies
        self.may_export = may_export
        self._db, self._files = db, files

    async def open(self, room: RoomId, message: Message, index: int, label: str) -> Path:
        """Fetches the message's attachment with the number `index` (from 0), writes a read-only copy of it, and returns
        its path, for another program. `label`: the beginning of the copy's name on disk, before a number. The copy is
        removed when the session is closed. ExportOff if policy forbids it; OpensHarm if the file could run something,
        or ViewFault if that cannot be found out (app/viewing); NotFound if the message has no such file; the errors of
        `Files.read` and of `WorkingCopies.open`."""
        self._check_export()
        if not 0 <= index < len(message.attachments):
            raise NotFound
        name = message.attachments[index].name
        check_name(name)
        data = await self._files.read(room, message, index, MAX_FILE_BYTES)
        await check_opening(name, data)
        of = FileOfMessage(room=room, obj=message.obj, message=message.change_id, number=index, name=name)
        return await self.copies.open(of, data, label)

    async def open_changed(self, copy: bytes, label: str) -> Path:
        """Writes a read-only copy of the changed copy with the id `copy`, and returns its path, as `open` does for an
        attachment. ExportOff; OpensHarm or ViewFault as in `open`; NotFound, FileTooLarge or StoreCorrupt if the
        changed copy cannot be read; the errors of `WorkingCopies.open`."""
        self._check_export()
        found, data = await self.copies.read(copy)
        await check_opening(found.of.name, data)
        return await self.copies.open(found.of, data, label)

    async def save_changed(self, copy: bytes, target: Path) -> None:
        """Writes a changed copy (its id), however large it is, to the file `target`, and keeps it here until it is
        discarded. ExportOff; NotFound, StoreCorrupt; DiskFull or StoreUnwritable. After an error a file at `target` is
        unchanged."""
        self._check_export()
        pieces = self.copies.pieces(copy)
        try:
            async with saved_file(self._db, target) as draft:
                await to_end(lambda: _write(draft, pieces))
        except OSError as e:
            raise disk_fault(e) from e

    def changed(self, room: RoomId) -> list[ChangedCopy]:
        """The changed copies of the room's files, the newest first."""
        return self.copies.copies(room)

    def _check_export(self) -> None:
        if not self.may_export():
            raise ExportOff


def known_harm(name: str) -> OpensHarm | None:
    """Why a file with this name is not opened in another program; None if its name is no reason. Its bytes may still be
    one."""
    try:
        check_name(name)
    except OpensHarm as harm:
        return harm
    return None


async def harm_in(path: Path) -> OpensHarm | None:
    """Why a file that was saved at `path` would not be opened in another program, by its name and content. None if
    there is no reason, and also if the file cannot be read or the process that looks into it fails."""
    try:
        data = await asyncio.to_thread(_read, path)
        await check_opening(path.name, data)
    except OpensHarm as harm:
        return harm
    except (OSError, ViewFault):
        return None
    return None


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES)


def _write(draft: Draft, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        draft.file.write(piece)
    draft.keep(foreign=True)
