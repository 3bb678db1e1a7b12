# SPDX-License-Identifier: EUPL-1.2
"""The form of a document on its way to the converting process and back. Each side checks the other's bytes as if a
stranger had written them."""

import struct
from collections.abc import Iterator, Sequence

import msgspec

from app.documents.errors import ImportTooLarge
from app.richtext.flow import Block, Run, Style
from app.richtext.formats import MAX_PASTE_CHARS, Taken, checked

DOCX_OUT = "to-docx"
"""The `Convert.kind` that turns a document into a docx. For an import, `kind` is the file's extension."""
KINDS = ("docx", "docm", "dotx", "dotm", "md", "markdown", "txt", "text")
"""Extensions of files that are read, in small letters."""
MAX_BYTES = 64 * 1024 * 1024
"""The largest answer that is read."""
MAX_PARTS = 1_000_000
"""▲ Blocks and runs of a document together, before long ones are cut. Empty runs take eight bytes each, and 350 in
memory."""
MAX_PIECE_BYTES = 256 * 1024
"""▲ The longest piece. A document is sent in pieces, since Python reads each in one go while every other thread waits:
the longest answer in one piece held the loop for 6 s, a document of 100 pages for 0.1 s."""
_PIECE_CHARS, _PIECE_RUNS = 8_000, 1_000
_MAX_KINDS, _MAX_COUNT = 50, 10**9
_LENGTH = struct.Struct(">I")

_Piece = list[tuple[Style | None, list[Run]]]
"""Blocks. One without a style continues the block before."""


class _Document(msgspec.Struct, frozen=True, array_like=True):
    title: str


class _Taken(msgspec.Struct, frozen=True, array_like=True):
    pictures: int
    tables: int
    others: list[tuple[str, int]]
    cut: bool


def encode_document(title: str, blocks: Sequence[Block]) -> bytes:
    """Encodes a document for the process."""
    return _encoded(_Document(title), blocks)


def decode_document(data: bytes) -> tuple[str, list[Block]]:
    """Decodes what `encode_document` gave. Returns (title, blocks). ValueError for any other bytes."""
    pieces = _apart(data)
    found = msgspec.msgpack.decode(next(pieces, b""), type=_Document)
    return found.title, _blocks(pieces)


def encode_taken(taken: Taken) -> bytes:
    """Encodes what the process has read from a file. Raises ImportTooLarge for more than MAX_PARTS blocks and runs."""
    if sum(1 + len(block.runs) for block in taken.blocks) > MAX_PARTS:
        raise ImportTooLarge
    return _encoded(_Taken(taken.pictures, taken.tables, list(taken.others), taken.cut), taken.blocks)


def decode_taken(data: bytes) -> Taken:
    """Decodes and checks what the process has read from a file. ValueError for invalid bytes, and for more than a
    document may hold; invalid styles and links are left out. Call it in a thread: it decodes in pieces, and the event
    loop gets Python's lock in between."""
    pieces = _apart(data)
    try:
        found = msgspec.msgpack.decode(next(pieces, b""), type=_Taken)
    except RecursionError as e:
        raise ValueError("no head") from e
    counts = (found.pictures, found.tables, *(count for _, count in found.others))
    if len(found.others) > _MAX_KINDS:
        raise ValueError("too much")
    blocks = _blocks(pieces)
    if not blocks or not all(0 <= count <= _MAX_COUNT for count in counts):
        raise ValueError("no document")
    others = tuple((kind, count) for kind, count in found.others if count)
    return Taken(blocks=blocks, pictures=found.pictures, tables=found.tables, others=others, cut=found.cut)


def _encoded(head: msgspec.Struct, blocks: Sequence[Block]) -> bytes:
    pieces = [msgspec.msgpack.encode(head), *map(msgspec.msgpack.encode, _pieces(blocks))]
    return b"".join(part for piece in pieces for part in (_LENGTH.pack(len(piece)), piece))


def _pieces(blocks: Sequence[Block]) -> Iterator[_Piece]:
    piece: _Piece = []
    chars = runs = 0
    for block in blocks:
        piece.append((block.style, []))
        for run in _short(block.runs):
            piece[-1][1].append(run)
            chars, runs = chars + len(run.text) + len(run.marks.link), runs + 1
            if chars >= _PIECE_CHARS or runs >= _PIECE_RUNS:
                yield piece
                piece, chars, runs = [(None, [])], 0, 0
        runs += 1
    yield piece


def _short(runs: Sequence[Run]) -> Iterator[Run]:
    for run in runs:
        for at in range(0, len(run.text), _PIECE_CHARS):
            yield Run(run.text[at : at + _PIECE_CHARS], run.marks)


def _apart(data: bytes) -> Iterator[memoryview]:
    at, whole = 0, memoryview(data)
    while at < len(data):
        if len(data) - at < _LENGTH.size:
            raise ValueError("no piece")
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if length > min(MAX_PIECE_BYTES, len(data) - at):
            raise ValueError("no piece")
        yield whole[at : at + length]
        at += length


def _blocks(pieces: Iterator[memoryview]) -> list[Block]:
    """The blocks in all pieces of a message, in order, checked as a stranger's: invalid styles and links are left out.
    ValueError for invalid bytes, and for more than a document may hold."""
    found: list[tuple[Style, list[Run]]] = []
    chars = parts = 0
    for piece in pieces:
        for style, runs in _read(piece):
            parts += 1 + len(runs)
            chars += sum(len(run.text) for run in runs)
            if style is not None:
                found.append((style, runs))
            elif found:
                found[-1][1].extend(runs)
            else:
                raise ValueError("no block")
        if parts > 2 * MAX_PARTS or chars > MAX_PASTE_CHARS:
            raise ValueError("too much")
    return checked(found)


def _read(piece: memoryview) -> _Piece:
    try:
        return _decoder.decode(piece)
    except UnicodeDecodeError as e:
        raise ValueError("no text") from e


_decoder: msgspec.msgpack.Decoder[_Piece] = msgspec.msgpack.Decoder(_Piece)
