# SPDX-License-Identifier: EUPL-1.2
"""What the converting process and the program say to each other is in short pieces, and bounded in number too."""

import struct
from collections.abc import Iterator

import msgspec
import pytest

from app.documents.conversion import wire
from app.documents.errors import ImportTooLarge
from app.richtext.flow import Block, Marks, Run, Style
from app.richtext.formats import Taken

DEEP = b"\x91" * 200_000 + b"\xc0"
HEAD = msgspec.msgpack.encode((0, 0, [], False))


def piece(style: Style | None, runs: int) -> bytes:
    return msgspec.msgpack.encode([(style, [Run("")] * runs)])


def joined(*pieces: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(each)) + each for each in pieces)


def lengths(data: bytes) -> Iterator[int]:
    while data:
        (length,) = struct.unpack_from(">I", data)
        yield length
        data = data[4 + length :]


def test_a_document_comes_back_whole_from_its_pieces() -> None:
    link = Marks(link="https://a.se/" + "å" * 1900)
    blocks = [
        Block(()),
        Block((Run("å 🙂" * 50_000), Run("b", Marks(bold=True)), Run("🙂" * 8_000, link)), Style(list="ol", indent=2)),
        Block(tuple(Run("x", Marks(bold=at % 2 == 0)) for at in range(5_000)), Style(heading=2)),
        *(Block((Run("ö", link),)) for _ in range(1_000)),
        Block((), Style(quote=True)),
    ]
    taken = Taken(blocks=blocks, pictures=1, tables=2, others=(("macros", 3),), cut=True)
    data = wire.encode_taken(taken)
    assert len(list(lengths(data))) > 10
    assert max(lengths(data)) <= wire.MAX_PIECE_BYTES
    found = wire.decode_taken(data)
    assert [(b.runs, b.style) for b in found.blocks] == [(b.runs, b.style) for b in blocks]
    assert (found.pictures, found.tables, found.others, found.cut) == (1, 2, (("macros", 3),), True)
    title, out = wire.decode_document(wire.encode_document("å", blocks))
    assert (title, [b.runs for b in out]) == ("å", [b.runs for b in blocks])


@pytest.mark.parametrize(
    "data",
    [
        joined(HEAD),
        joined(HEAD, piece(None, 1)),
        joined(HEAD, msgspec.msgpack.encode([(Style(), [Run("å" * wire.MAX_PIECE_BYTES)])])),
        joined(HEAD, piece(Style(), 1)) + b"\0\0",
        joined(HEAD, piece(Style(), 1))[:-1],
        b"",
        joined(b"\x95" + HEAD[1:] + DEEP, piece(Style(), 1)),
        joined(msgspec.msgpack.encode((0, 0, [("å", 1)] * 51, False)), piece(Style(), 1)),
    ],
    ids=["no block", "no style", "long piece", "half a length", "half a piece", "nothing", "deep", "kinds"],
)
def test_attack_pieces_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no |too much|Input|bytes"):
        wire.decode_taken(data)


def test_attack_an_answer_of_empty_runs_is_refused_before_it_fills_the_memory() -> None:
    """▲ 64 MiB of them took 2.9 GB and 88 s."""
    full = piece(Style(), 30_000)
    data = joined(HEAD, *[full] * (wire.MAX_BYTES // len(full)))
    with pytest.raises(ValueError, match="too much"):
        wire.decode_taken(data)
    with pytest.raises(ImportTooLarge):
        wire.encode_taken(Taken(blocks=[Block((Run("a"),) * 1000)] * (wire.MAX_PARTS // 1000)))
