# SPDX-License-Identifier: EUPL-1.2
"""What a document looks like on its way to the process that converts and back. Each side takes the other's bytes for a
stranger's."""

from collections.abc import Sequence

import msgspec

from app.documents.flow import Block, Run, Style
from app.documents.formats import MAX_PASTE_CHARS, Taken, checked

DOCX_OUT = "to-docx"
"""The `Convert.kind` that turns a document into a docx. For an import, `kind` is the file's extension."""
KINDS = ("docx", "docm", "dotx", "dotm", "md", "markdown", "txt", "text")
"""Extensions of files that are read, in small letters."""
MAX_BYTES = 64 * 1024 * 1024
"""The largest answer that is read."""
MAX_BLOCKS = 1_000_000
_MAX_KINDS, _MAX_COUNT = 50, 10**9


class _Document(msgspec.Struct, frozen=True, array_like=True):
    title: str
    blocks: list[tuple[Style, list[Run]]]


class _Taken(msgspec.Struct, frozen=True, array_like=True):
    blocks: list[tuple[Style, list[Run]]]
    pictures: int
    tables: int
    others: list[tuple[str, int]]
    cut: bool


def _values(blocks: Sequence[Block]) -> list[tuple[Style, list[Run]]]:
    return [(block.style, list(block.runs)) for block in blocks]


def encode_document(title: str, blocks: Sequence[Block]) -> bytes:
    """Encodes a document for the process."""
    return msgspec.msgpack.encode(_Document(title, _values(blocks)))


def decode_document(data: bytes) -> tuple[str, list[Block]]:
    """Title and blocks. ValueError for anything else."""
    found = msgspec.msgpack.decode(data, type=_Document)
    return found.title, checked(found.blocks)


def encode_taken(taken: Taken) -> bytes:
    """Encodes what the process has read from a file."""
    row = _Taken(_values(taken.blocks), taken.pictures, taken.tables, list(taken.others), taken.cut)
    return msgspec.msgpack.encode(row)


def decode_taken(data: bytes) -> Taken:
    """What the process says that it read. ValueError for anything else, and for more than a document may hold."""
    try:
        found = msgspec.msgpack.decode(data, type=_Taken)
    except UnicodeDecodeError as e:
        raise ValueError("no text") from e
    size = sum(len(run.text) for _, runs in found.blocks for run in runs)
    counts = (found.pictures, found.tables, *(count for _, count in found.others))
    if len(found.blocks) > MAX_BLOCKS or size > MAX_PASTE_CHARS or len(found.others) > _MAX_KINDS:
        raise ValueError("too much")
    if not found.blocks or not all(0 <= count <= _MAX_COUNT for count in counts):
        raise ValueError("no document")
    others = tuple((kind, count) for kind, count in found.others if count)
    return Taken(
        blocks=checked(found.blocks), pictures=found.pictures, tables=found.tables, others=others, cut=found.cut
    )
