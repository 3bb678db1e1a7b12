# SPDX-License-Identifier: EUPL-1.2
"""How `kansli --selftest` tries documents: one is written and read; a Word document is made and read, and the state of
a long document is made, each in a process of its own."""

import asyncio

from app.core.ids import RoomId
from app.documents.conversion.converter import Converter
from app.documents.long_state import state_of_a_long_document
from app.documents.service import DocumentService
from app.errors import BugError
from app.richtext.flow import plain_blocks
from ui.tool import Trial


def _write(service: DocumentService, room: RoomId, words: str) -> None:
    obj = service.create(room, words)
    service.open(obj).splice(0, 0, words)
    service.close(obj)


def _reads(service: DocumentService, room: RoomId, words: str) -> bool:
    return any(words in service.open(row.obj).plain_text() for row in service.list(room))


async def _states(words: str) -> str:
    if not await asyncio.to_thread(state_of_a_long_document, words):
        raise BugError("no state of a long document was made")
    return "worker: started, made the state of a long document"


async def _conversion(words: str) -> str:
    converter, blocks = Converter(), plain_blocks(words)
    try:
        made = await converter.write_docx(words, blocks)
        read = await converter.read("docx", made)
    finally:
        converter.close()
    if [block.text for block in read.blocks] != [words]:
        raise BugError("a Word document was not read back")
    return "Word documents: written and read back"


TRIAL = Trial(write=_write, reads=_reads, checks=(_states, _conversion))
