# SPDX-License-Identifier: EUPL-1.2
"""Imports and exports of documents: what policy allows, which files are read, what is written.

An export is a clean copy: the present text and the title. A file is imported as a whole document, in one transaction,
or not at all.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.core import log
from app.core.files import Draft, open_file
from app.core.ids import ObjId, RoomId
from app.core.visible import one_line
from app.documents.conversion.converter import Converter
from app.documents.conversion.wire import KINDS
from app.documents.errors import ExportFailed, ExportFull, ImportForeign, ImportTooLarge, PrintOff
from app.documents.first_changes import first_changes
from app.errors import ExportOff, FileUnreadable, is_full
from app.richtext.flow import Block
from app.richtext.formats import Taken
from app.richtext.markdown import to_markdown
from app.richtext.model import MAX_TITLE
from app.store.database import Database
from app.store.saved_files import saved_file, to_end

MAX_FILE_BYTES = 25 * 1024 * 1024
"""The largest file that is read. Larger ones are large because of pictures, which a document cannot hold."""


class Documents(Protocol):
    """What imports and exports need of the documents' service: a document's present content, and adding a new one."""

    def shown_now(self, obj: ObjId) -> tuple[str, Sequence[Block]]: ...

    async def add(self, room: RoomId, changes: Sequence[bytes]) -> ObjId: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """An imported document, and `taken`: what was read from the file, with counts of what a document cannot hold."""

    obj: ObjId
    title: str
    taken: Taken


class DocumentFiles:
    """Imports files as documents and exports documents as files, for one account. `may_export` and `may_print` say
    whether policy allows that; they are called each time."""

    def __init__(self, db: Database, documents: Documents, converter: Converter | None = None) -> None:
        """`db`: the store's database. `documents` reads and adds documents. `converter` converts files; tests give
        their own, None makes one."""
        self._db = db
        self._documents = documents
        self._converter = converter or Converter()
        self.may_export: Callable[[], bool] = lambda: True
        self.may_print: Callable[[], bool] = lambda: True

    def check_export(self) -> None:
        """Raises ExportOff if policy forbids export. Call it before asking the person where to save."""
        if not self.may_export():
            raise ExportOff

    def check_print(self) -> None:
        """Raises PrintOff if policy forbids printing."""
        if not self.may_print():
            raise PrintOff

    def check_pdf(self) -> None:
        """Raises ExportOff or PrintOff. A PDF is a file outside the program, and policy counts it as print too."""
        self.check_export()
        self.check_print()

    def content(self, obj: ObjId) -> tuple[str, Sequence[Block]]:
        """A document's title and present text, for paper. Raises NotFound."""
        return self._documents.shown_now(obj)

    async def export_docx(self, obj: ObjId, target: Path) -> None:
        """Writes a document as docx to `target`. Raises ExportOff, NotFound, ConversionFault, ExportFull or
        ExportFailed; a file that was at `target` is unchanged then."""
        self.check_export()
        data = await self._converter.write_docx(*self.content(obj))
        await self._write(target, data, "docx")

    async def export_markdown(self, obj: ObjId, target: Path) -> None:
        """Writes a document's text, without its title, as Markdown in UTF-8 to `target`. Raises ExportOff, NotFound,
        ExportFull or ExportFailed; a file that was at `target` is unchanged then."""
        self.check_export()
        _, blocks = self.content(obj)
        text = await asyncio.to_thread(to_markdown, blocks)
        await self._write(target, text.encode(), "markdown")

    async def export_pdf(self, target: Path, data: bytes) -> None:
        """Writes `data`, a PDF that was made of a document, to `target`. Raises ExportOff, PrintOff, ExportFull or
        ExportFailed; a file that was at `target` is unchanged then."""
        self.check_pdf()
        await self._write(target, data, "pdf")

    async def import_file(self, room: RoomId, source: Path) -> Imported:
        """Makes a document in the room out of the file `source`, with the file's name, without its extension, as its
        title. Raises FileUnreadable, ConversionFault (also for an extension that is not read), or StoreFault if the
        disk refuses; no document is made then."""
        kind = source.suffix.lower().removeprefix(".")
        data = await asyncio.to_thread(_read, source, kind)
        taken = await self._converter.read(kind, data)
        title = one_line(source.stem, MAX_TITLE)
        changes = await asyncio.to_thread(first_changes, title, taken.blocks)
        obj = await self._documents.add(room, changes)
        log.store.info("document-imported", kind=kind, size=len(data), blocks=len(taken.blocks))
        return Imported(obj=obj, title=title, taken=taken)

    def close(self) -> None:
        """Kills a running conversion; none runs afterwards."""
        self._converter.close()

    async def _write(self, target: Path, data: bytes, kind: str) -> None:
        try:
            async with saved_file(self._db, target) as draft:
                await to_end(lambda: _write_file(draft, data))
        except OSError as e:
            raise (ExportFull if is_full(e) else ExportFailed) from e
        log.store.info("document-exported", kind=kind, size=len(data))


def _read(source: Path, kind: str) -> bytes:
    """Reads a file's bytes. `kind`: its extension, in small letters and without the dot. ImportForeign for a kind that
    is not read, FileUnreadable, ImportTooLarge. ▲ A file that is too large is not read at all, nor a pipe or device."""
    try:
        if not source.is_file():
            raise FileUnreadable
        if kind not in KINDS:
            raise ImportForeign
        file, size = open_file(source)
        with file:
            if size > MAX_FILE_BYTES:
                raise ImportTooLarge
            return file.read(size)
    except OSError as e:
        raise FileUnreadable from e


def _write_file(draft: Draft, data: bytes) -> None:
    draft.file.write(data)
    draft.keep()
