# SPDX-License-Identifier: EUPL-1.2
"""What the structured fuzzer puts into updates: contents, values, ids and parents that mostly make sense, and now and
then do not; and updates of every size."""

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import Any

from tests.fuzz.blocks import DELETED, EMBED, GC, MARK, TEXT, TYPE, VALUES, Block, Blocks, Id, Section, parse, write
from tests.fuzz.histories import Positioned

LEAST_BYTES, MOST_BYTES = 20, 192 * 1024
ROOTS = ("text", "meta", "board", "cards", "columns", "labels", "later", "å" * 32, "å" * 33)
TEXTS = ("a", "å", "🙂", "a🙂b", "\n", "\0", "𝔎" * 20, "Beslut om tillsyn")
NUMBERS = (0, 1, 2, 63, 64, 127, 128, 2**31 - 2, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53 - 1, 2**53, 2**64 - 1)
WRITTEN = tuple(
    bytes.fromhex(written)
    for written in (
        *("7f", "7d40", "7d8000", "7dffffffffffffff1f", "7dffffffffffffff20", "7dffffffffffffffffffff01", "01"),
        *("7b0000000000000000", "7b7ff8000000000000", "7b3fe0000000000000", "7b7fe0000000000000", "7a0000000000000000"),
        *(
            "7c7fc00000",
            "7c3f000000",
            "7c3f800000",
            "7c7f7fffff",
            "7400",
            "740161",
            "7702fffe",
            "77036eccc3",
            "7703eda080",
        ),
        *("760201617e01627e", "760201617e01617e", "75ffffff07", "7500", "7600", "77ffffffffffffffffff7f61"),
    )
)
"""Values of every kind, and those that are written in another way than yrs does."""
JSON = (
    *("true", "null", '"å"', "1", "-0.5e3", "[1,[2]]", '{"a":{}}'),
    *("[" * 17 + "]" * 17, "1e999", '"\\ud800"', "{}x", "01", '{"a":1,"a":2}', "NaN", '"\\u0041\\n"', " [ ] ", ""),
    *("9" * 400, "9" * 19, '"\t"', "[1,]", '{"a"}', '{"a":1', "]", '"\\u00e5\\ud83d\\ude42"', '{"\\u0061":0}'),
    *("[true]", '{"a" 1}', "{1:2}", "[1", '["a" "b"]', "[,]", "[" + "[0]," * 999 + "{}]"),
)
GOOD_JSON = JSON[:7]


class Known:
    """The ids, types and clients that a history makes."""

    def __init__(self, history: list[Positioned]) -> None:
        self.ids: list[Id] = []
        self.types: list[Id] = []
        self.clients: dict[int, int] = {}
        for positioned in history[-40:] + history[:1]:
            ids, types, ends = _made(positioned.update)
            self.ids += ids
            self.types += types
            for client, clock in ends:
                self.clients[client] = max(clock, self.clients.get(client, 0))

    def ident(self, rng: Random) -> Id:
        """An id that is there, mostly; one beside it, or none at all."""
        if not self.ids or rng.random() < 0.05:
            return rng.getrandbits(53), rng.choice(NUMBERS)
        client, clock = rng.choice(self.ids[-60:] if rng.random() < 0.7 else self.ids)
        return client, max(0, clock + rng.choice((0, 0, 0, 0, 0, 0, 1, -1, 3)))

    def parent(self, rng: Random) -> str | Id:
        """A root or a type."""
        if self.types and rng.random() < 0.5:
            return rng.choice(self.types)
        return rng.choice(ROOTS[:7]) if rng.random() < 0.9 else rng.choice((*ROOTS, self.ident(rng)))


@lru_cache(512)
def _made(update: bytes) -> tuple[Sequence[Id], Sequence[Id], Sequence[Id]]:
    """(first and last id of each item, ids of types, where each section ends) of an update; nothing of a damaged one.
    Kept, since a history is changed in one update and then looked at as a whole again."""
    blocks, ids, types, ends = parsed(update), list[Id](), list[Id](), list[Id]()
    for section in blocks.sections if blocks else ():
        clock = section.clock
        for block in section.blocks:
            ids += [(section.client, clock), (section.client, clock + max(0, block.length - 1))]
            if block.kind == TYPE:
                types.append((section.client, clock))
            clock += block.length
        ends.append((section.client, clock))
    return ids, types, ends


def parsed(update: bytes) -> Blocks | None:
    try:
        return parse(update)
    except (ValueError, IndexError, KeyError, RecursionError):
        return None


def value(rng: Random, depth: int = 0) -> Any:
    """A value that may be put into a map, seldom a deep or a wrong one."""
    if depth == 0 and rng.random() < 0.03:
        deep: Any = 1
        for _ in range(rng.choice((14, 15, 16, 17, 900))):
            deep = b"\x75\1" + deep if isinstance(deep, bytes) else b"\x75\1\x7d\1"
        return deep
    match rng.randrange(9 if depth < 4 else 6):
        case 0:
            return rng.choice(NUMBERS[:11])
        case 1:
            return rng.choice(TEXTS)
        case 2:
            return rng.choice((0.1, -2.5e-300, 1e300))
        case 3:
            return rng.choice((True, False, None))
        case 4 if rng.random() < 0.1:
            return rng.choice(WRITTEN)
        case 6:
            return [value(rng, depth + 1) for _ in range(rng.randrange(4))]
        case 7:
            return {rng.choice(TEXTS) + str(i): value(rng, depth + 1) for i in range(rng.randrange(3))}
    return -rng.choice(NUMBERS[:11])


def block(rng: Random, known: Known) -> Block:
    """A block that mostly makes sense."""
    if rng.random() < 0.5:  # in a map
        kind = rng.choice((VALUES, VALUES, VALUES, TYPE, DELETED) if rng.random() < 0.95 else (TEXT, MARK, EMBED))
        made = Block(kind, content(rng, kind), parent=known.parent(rng), key=rng.choice(("title", "k", "å", "place")))
    else:
        kind = rng.choice((TEXT, TEXT, TEXT, MARK, EMBED, DELETED, VALUES, TYPE))
        made = Block(kind, content(rng, kind), parent=known.parent(rng))
    if rng.random() < 0.6 and known.ids:
        made.flags = 0x20 * (made.key is not None)
        made.origin, made.right = rng.choice(((1, 0), (1, 0), (0, 1), (1, 1))) and _beside(rng, known)
        made.parent = made.key = None
    return made


def _beside(rng: Random, known: Known) -> tuple[Id | None, Id | None]:
    one, other = known.ident(rng), known.ident(rng)
    return rng.choice(((one, None), (one, None), (None, one), (one, other), (one, (one[0], one[1] + 1))))


def content(rng: Random, kind: int) -> Any:
    match kind:
        case 4:
            return rng.choice(TEXTS) * rng.choice((1, 1, 2, 9))
        case 5:
            return rng.choice(GOOD_JSON if rng.random() < 0.9 else JSON)
        case 6:
            return [rng.choice(("bold", "å")), rng.choice(GOOD_JSON if rng.random() < 0.9 else JSON)]
        case 7:
            return rng.choice((1, 1, 1, 2, 0) if rng.random() < 0.97 else (3, 4, 6, 255))
        case 8:
            return [value(rng) for _ in range(rng.choice((1, 1, 1, 3)))]
    return rng.choice((1, 1, 2, 9)) if rng.random() < 0.98 else rng.choice(NUMBERS)


def grow(rng: Random, blocks: Blocks, known: Known) -> None:
    """Makes the update of a size between 20 B and 192 KiB, as often of each power of two, by more of one thing."""
    size = round(2 ** rng.uniform(LEAST_BYTES.bit_length(), MOST_BYTES.bit_length()))
    if not blocks.sections:
        append(rng, blocks, known)
    section = rng.choice(blocks.sections)
    parent = known.parent(rng)
    match rng.randrange(10):
        case 9:
            section.blocks.append(Block(EMBED, "[" + "{}," * (size // 3) + "0]", parent="text"))
        case 0:
            section.blocks.append(Block(TEXT, rng.choice(TEXTS) * (size // 4), parent="text"))
        case 1:
            section.blocks += [Block(TEXT, "x", parent="text") for _ in range(size // 9)]
        case 2:
            section.blocks += [Block(VALUES, [i], parent=parent, key=f"{i}") for i in range(size // 9)]
        case 3:
            section.blocks.append(Block(VALUES, [None] * size, parent=parent))
        case 4:
            section.blocks.append(Block(VALUES, [{str(i): i for i in range(size // 6)}], parent=parent, key="k"))
        case 5:
            section.blocks.append(Block(VALUES, [b"\x75\1" * (size // 2) + b"\x7e"], parent=parent, key="k"))
        case 6:
            section.blocks += [Block(TEXT, "y", parent=f"later-{i}") for i in range(size // 14)]
        case 7:
            client = section.client
            blocks.deletes = [(client, [[2 * i, 1] for i in range(size // 4)])]
        case _:
            _nest(rng, section, rng.choice((3, 15, 16, 17, 300)))


def _nest(rng: Random, section: Section, depth: int) -> None:
    """Types inside types."""
    inside: str | Id = rng.choice(ROOTS[:6])
    keyed = rng.random() < 0.5
    for _ in range(depth):
        kind = rng.choice((0, 1, 2))
        made = Block(TYPE, kind, parent=inside, key="in" if keyed else None)
        keyed = kind == 1
        inside = (section.client, section.end)
        section.blocks.append(made)
    section.blocks.append(Block(TEXT, "djupt", parent=inside))


def append(rng: Random, blocks: Blocks, known: Known) -> None:
    if not blocks.sections:
        blocks.sections.append(Section(rng.getrandbits(53), 0, []))
    section = rng.choice(blocks.sections)
    made = block(rng, known)
    if made.kind == TYPE and section.end < 1 << 31:
        known.types += [(section.client, section.end)] * 9
    known.ids.append((section.client, section.end))
    section.blocks.append(made)


def odd() -> list[Positioned]:
    """A history with each odd content in an update of its own, and with the edges of each bound."""
    inside: list[Block] = [Block(VALUES, [written], parent="meta", key="k") for written in WRITTEN]
    inside += [Block(EMBED, text, parent="meta", key="k") for text in JSON]
    inside += [Block(MARK, ["link", text], parent="text") for text in JSON[:3]]
    updates = [Blocks([Section(1000 + n, 0, [made])]) for n, made in enumerate(inside)]
    for count in (8192, 8193):
        roots = [Block(TEXT, "x", parent=f"r{n}") for n in range(count)]
        updates.append(Blocks([Section(2000 + count, 0, roots)]))
    for parent in ROOTS[6:]:
        updates.append(Blocks([Section(3000 + len(updates), 0, [Block(TEXT, "x", parent=parent)])]))
    two = [Section(5, 0, [Block(TEXT, "x", parent="text")]), Section(4, 0, [Block(TEXT, "y", origin=(5, 0))])]
    updates += [Blocks(two), Blocks(two[::-1]), Blocks([Section(6, 0, [])]), Blocks([], [(7, [])]), Blocks()]
    updates += [_types(depth) for depth in (16, 17)]
    updates.append(
        Blocks([Section(8, 0, [Block(TEXT, "🙂" * 2000, parent="text")])], [(8, [[4 * n, 2] for n in range(900)])])
    )
    updates.append(Blocks([], [(8, [[4 * n, 1] for n in range(2000)])]))
    gone = [
        Block(GC, 2),
        Block(TYPE, 1, parent=(10, 0)),
        Block(TEXT, "x", origin=(10, 1)),
        Block(VALUES, [1], right=(10, 2)),
    ]
    updates.append(Blocks([Section(10, 0, gone)]))
    deep = Section(11, 0, [])
    _nest(Random(1), deep, 17)
    updates.append(Blocks([deep]))
    updates += _several()
    return [Positioned(0, update) for update in (*map(write, updates), *_damaged())]


def _several() -> list[Blocks]:
    """Several values under a key: none deleted, some of them, all, and more of them than are read at once."""
    one = [Block(VALUES, [1, 2, 3], parent="meta", key="k")]
    before = [Block(TEXT, "a", parent="text"), *one]
    ranges = ([[0, 1]], [[0, 4]], [[1, 2]], [[2, 2]], [[1, 3]], [[1, 1], [3, 1]])
    updates = [Blocks([Section(12 + n, 0, before)], [(12 + n, mine)]) for n, mine in enumerate(ranges)]
    updates += [Blocks([Section(20, 0, before)], [(12, [[1, 3]])]), Blocks([Section(21, 0, one)])]
    many = [Block(VALUES, [None, None], parent="meta", key="k") for _ in range(1600)]
    return [*updates, Blocks([Section(22, 0, many)], [(22, [[0, 3200]])])]


def delete_several(blocks: Blocks) -> None:
    """Deletes each item under a key that holds several values, and what lies before it from the first of them on: so
    the grammar takes it."""
    for section in blocks.sections:
        clock, spans = section.clock, list[tuple[int, int]]()
        for block in section.blocks:
            clock += block.length
            if block.kind == VALUES and len(block.content) > 1 and (block.key is not None or block.flags & 0x20):
                spans.append((clock - len(block.content), clock))
        if spans:
            others = [(client, ranges) for client, ranges in blocks.deletes if client != section.client]
            first, end = spans[0][0], spans[-1][1]
            mine = [r for c, ranges in blocks.deletes if c == section.client for r in ranges if sum(r) < first]
            blocks.deletes = [*others, (section.client, [*mine, [first, end - first]])]


def _damaged() -> list[bytes]:
    """A good update with each kind of item, cut at each byte and with each byte changed."""
    ident = (9, 0)
    items = [
        Block(TEXT, "å🙂", parent="text"),
        Block(MARK, ["bold", "true"], origin=ident, right=(9, 1)),
        Block(VALUES, [[1, 0.1], {"a": b"\x74\1a"}], parent="meta", key="k"),
        Block(EMBED, '{"a":[1]}', parent="meta", key="e"),
        Block(TYPE, 2, parent="meta", key="t"),
        Block(TEXT, "i", parent=(9, 7)),
        Block(DELETED, 2, origin=(9, 8)),
        Block(GC, 1),
    ]
    good = write(Blocks([Section(9, 0, items)], [(9, [[0, 1], [4, 2]]), (8, [[1, 2]])]))
    changed = [good[:at] + bytes((byte,)) + good[at + 1 :] for at in range(len(good)) for byte in (0, 1, 16, 128, 255)]
    return [good, good + bytes(9), *(good[:at] for at in range(len(good))), *changed]


def _types(depth: int) -> Blocks:
    """Types inside types, the last ones named by a neighbour alone."""
    blocks = Blocks([Section(4000 + depth, 0, [])])
    _nest(Random(1), blocks.sections[0], depth - 1)
    last = blocks.sections[0].blocks[-1]
    blocks.sections[0].blocks[-1] = Block(VALUES, [1], parent=last.parent)
    clock = depth - 1
    blocks.sections[0].blocks.append(Block(TYPE, 0, origin=(4000 + depth, clock)))
    return blocks
