# SPDX-License-Identifier: EUPL-1.2
"""The cases of tests/vectors/objects-3-pieces.json: changes of one object, whole and in pieces, and what each comes to.
Written by make_objects_3.py; kept to show what is in them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.objects.begun import StateStart
from app.objects.pieces import MAX_PIECES, PAYLOAD, Piece, Whole, unpack
from app.objects.replay import LATE, MERGED, Replay
from app.objects.structure_codec import encode
from sync.client.placed_changes import PlacedChange
from sync.ids import ChangeId, Uid
from sync.pieces import finished
from tests.fuzz.blocks import GC, TEXT, VALUES, Block, Blocks, Section, write
from tests.fuzz.judged import NothingKept, person

A, B, C = 1, 2, 3
GROUP, OTHER = b"g" * 16, b"h" * 16
Step = tuple[int, bytes] | int
"""(author, data), or a position up to which a prune covers."""


def text(client: int, words: str, clock: int = 0) -> bytes:
    """An update that writes words at the end of a root, or behind the client's own earlier ones."""
    origin = {"origin": (client, clock - 1)} if clock else {"parent": "text"}
    return write(Blocks([Section(client, clock, [Block(TEXT, words, **origin)])], []))


WORDS = "En hel bok å 🙂, som klistras in i dokumentet på en gång."
BOOK = text(7, WORDS)
CARD = Block(VALUES, [{"title": "Kort å 🙂"}], parent="cards", key="k")
CARDS = write(Blocks([Section(9, 0, [CARD])], []))
END = len(WORDS) + 1
"""The client's next clock behind the book: an emoji takes up two."""


def whole(update: bytes, **fields: Any) -> bytes:
    return PAYLOAD.encode(Whole(update=update, **fields))


def piece(index: int, count: int, update: bytes, group: bytes = GROUP, begun: bytes = b"") -> bytes:
    return PAYLOAD.encode(Piece(group=group, index=index, count=count, update=update, begun=begun))


def cut(update: bytes, count: int, group: bytes = GROUP) -> list[bytes]:
    """The pieces of an update: of different lengths, one of them empty where there are more than two."""
    at = [len(update) * n // (count - 1) for n in range(count)] if count > 2 else [0, len(update) // 3]
    parts = [update[a:b] for a, b in zip(at, [*at[1:], len(update)], strict=True)]
    return [piece(index, count, part, group) for index, part in enumerate(parts)]


def with_fields(data: bytes, **fields: Any) -> bytes:
    """The same record with fields or values that this version does not write."""
    return data[:1] + msgspec.msgpack.encode(msgspec.msgpack.decode(data[1:]) | fields)


def cases() -> list[Any]:
    """Every case: its steps with what each comes to, the merged updates in their order, what the judge knows then."""
    one, two, three = cut(BOOK, 3)
    first, last = cut(BOOK, 2)
    late = text(7, "Mer.", END)
    later_one, later_two = cut(text(7, " Mer.", END), 2)
    gone = whole(write(Blocks([], [(7, [[0, 2]])])))
    thief = whole(write(Blocks([Section(7, 0, [Block(GC, 1)])], [])))
    return [
        _case("in order", [(A, one), (A, two), (A, three)]),
        _case("of a board, in any order", [(A, data) for data in reversed(cut(CARDS, 5))]),
        _case(
            "between others' changes", [(A, one), (B, whole(text(8, "Mitt."))), (A, three), (C, whole(CARDS)), (A, two)]
        ),
        _case("one is lost", [(A, one), (A, three), (A, whole(text(7, "Mer.", END)))]),
        _case("twice", [(A, one), (A, one), (A, two), (A, three), (A, two)]),
        _case("the first of an index counts", [(A, first), (A, piece(0, 2, b"annat")), (A, last)]),
        _case("another count", [(A, first), (A, piece(1, 3, b"annat")), (A, last)]),
        _case("another author's group of the same id", [(A, first), (B, last), (B, piece(0, 2, b"")), (A, last)]),
        _case("two groups at once", [(A, first), *((A, data) for data in cut(CARDS, 2, OTHER)), (A, last)]),
        _case("an index out of range", [(A, piece(2, 2, b"x")), (A, piece(0, 0, b"x")), (A, first), (A, last)]),
        _case("a negative index", [(A, with_fields(first, index=-1)), (A, first), (A, last)]),
        _case("too many", [(A, piece(0, MAX_PIECES + 1, BOOK)), (A, piece(0, 1, BOOK))]),
        _case("a group of another length", [(A, piece(0, 2, b"", b"g" * 15)), (A, piece(0, 1, BOOK, b"g" * 17))]),
        _case("never ended", [(B, piece(0, 2, b"", bytes([n]) * 16)) for n in range(40)] + [(A, whole(BOOK))]),
        _case("damaged together", [(A, first), (A, piece(1, 2, b"\xff")), (A, whole(BOOK))]),
        _case("a client is reserved", [(A, first), (B, thief), (A, last), (B, thief)]),
        _case("a prune covers an incomplete group", [(A, first), 1, (B, thief), (A, last)]),
        _case(
            "a prune covers a piece of an update that waits",
            [*((A, data) for data in cut(late, 2)), 1, (A, whole(BOOK)), (A, whole(late))],
        ),
        _case(
            "unknown fields",
            [(A, with_fields(first, colour="å", more=[1, {"a": b"b"}])), (A, with_fields(last, x=None))],
        ),
        _case("unknown fields of a whole update", [(A, with_fields(whole(BOOK, title="Bok"), colour=1))]),
        _case(
            "of a newer program", [(A, with_fields(first, type="cell")), (A, b"\2" + first[1:]), (A, first), (A, last)]
        ),
        _case(
            "no record",
            [(A, b""), (A, b"\1\xc1"), (A, first[:-1]), (A, with_fields(first, index="0")), (A, whole(BOOK))],
        ),
        _case("a state", state()),
        _case(
            "a state after pieces and a deletion that wait",
            [(A, later_one), (B, gone), *state()[:3], (A, later_two)],
        ),
    ]


def state() -> list[Step]:
    """An object that begins with a state of two people in pieces; a second one is void."""
    replay = Replay(unpack, NothingKept())
    both = write(Blocks([Section(9, 0, [CARD]), Section(7, 0, [Block(TEXT, WORDS, parent="text")])]))
    for position, (author, update) in enumerate(((A, BOOK), (B, CARDS)), start=1):
        finished(replay.taking(_placed(position, author, whole(update))))
    begun = StateStart(2, (), encode(replay.structure)).encode()
    half = len(both) // 2
    parts = [(both[:half], b""), (both[half:], begun[:9]), (b"", begun[9:])]
    group = [(C, piece(index, 3, update, begun=known)) for index, (update, known) in enumerate(parts)]
    return [*group, (A, whole(text(7, " Mer.", END))), (C, whole(both, begun=begun))]


def _case(name: str, steps: Sequence[Step]) -> Any:
    replay, made, updates = Replay(unpack, NothingKept()), list[Any](), list[Any]()
    for position, step in enumerate(steps, start=1):
        if isinstance(step, int):
            replay.cover(step)
            made.append({"covers": step})
            continue
        outcomes = finished(replay.taking(_placed(position, *step)))
        found = [o for o in outcomes if o.code != LATE or o.position == position]  # others wait as before
        updates += [[part.hex() for part in replay.update(o.parts)] for o in found if o.code == MERGED]
        author, data = person(step[0]).hex(), step[1].hex()
        made.append({"author": author, "data": data, "outcomes": [[o.position, list(o.parts), o.code] for o in found]})
    return {"name": name, "steps": made, "updates": updates, "known": encode(replay.structure).hex()}


def _placed(position: int, author: int, data: bytes) -> PlacedChange:
    return PlacedChange(position, ChangeId(position.to_bytes(16, "big")), Uid(person(author)), 0, data)
