# SPDX-License-Identifier: EUPL-1.2
"""Makes updates large: by a given number of things that together have about so many bytes.

Few things are long ones (texts, bytes, JSON, keys); many are short ones. The caller draws both numbers, so that an
update of each size comes with one thing and with thousands.
"""

from collections.abc import Callable
from random import Random

from tests.fuzz.blocks import DELETED, EMBED, GC, MARK, TEXT, TYPE, VALUES, Block, Blocks, Section, number, sealed
from tests.fuzz.fitting import MAP_ROOTS, Grown

RUNS = ("a", "x\n", "Beslut om tillsyn ", "a" * 40, "å", "e\u0301")
LARGE = 4096
"""A longer text is mostly ASCII, which is read faster: so that there is time for more updates."""
LINK_BYTES = 8000
"""A longer link is none for the grammar."""
DEPTHS = (*(1, 2, 3, 8, 14, 15) * 9, 16, 17)


def fill(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    """Adds about `size` bytes in so many things, or in as many as have room in them."""
    rng.choice(_FILLINGS)(rng, blocks, here, size, things)


def _run(rng: Random, size: int) -> str:
    run = rng.choice(RUNS if size < LARGE or rng.random() < 0.2 else RUNS[:4])
    return run * (size // len(run.encode())) or "a" * max(1, size)


def _place(rng: Random, here: Grown) -> str | tuple[int, int]:
    maps = here.typed[1]
    return rng.choice(maps) if maps and rng.random() < 0.3 else rng.choice(MAP_ROOTS)


def _long(rng: Random, size: int) -> bytes:
    """A written value of so many bytes: a text, bytes, or a short one in lists."""
    match rng.randrange(4):
        case 0 if size > 2:
            text = _run(rng, size).encode()
            return b"\x77" + number(len(text)) + text
        case 1 if size > 40:
            depth = rng.choice(DEPTHS)
            return b"\x75\1" * depth + b"\x74" + number(size) + bytes(size)
    return b"\x74" + number(size) + bytes(size) if size else b"\x7e"


def _texts(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size // 9))
    one = sealed(Block(TEXT, _run(rng, size // count - 8), parent="text"))
    blocks.sections[0].blocks += [one] * count


def _keys(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size // 14))
    value, parent = [_long(rng, max(0, size // count - 14))], _place(rng, here)
    blocks.sections[0].blocks += [Block(VALUES, value, parent=parent, key=f"{at}") for at in range(count)]


def _values(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size))
    one = _long(rng, max(0, size // count - 2))
    key = rng.choice(("k", "title"))
    blocks.sections[0].blocks.append(Block(VALUES, [one] * count, parent=_place(rng, here), key=key))


def _dictionary(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size // 4))
    one = _long(rng, max(0, size // count - 5))
    made = Block(VALUES, [{f"{at}": one for at in range(count)}], parent=_place(rng, here), key="k")
    blocks.sections[0].blocks.append(made)


def _json(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size // 3))
    each = size // count - 3
    if each > LARGE and rng.random() < 0.9:  # few characters: the grammar looks at each
        one = f'"{"𝔎" * (each // 4)}"'
    else:
        one = f'"{_run(rng, each)}"'.replace("\n", "\\n") if each > 1 else "{}"
    text = "[" + ",".join([one] * count) + "]"
    blocks.sections[0].blocks.append(Block(EMBED, text, parent=_place(rng, here), key="k"))


def _ranges(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    """Deletes of its own text, and of what others wrote."""
    section = blocks.sections[0]
    count = max(1, min(things, size // 8))
    start = section.end
    section.blocks.append(Block(TEXT, "a" * max(2 * count, size - 6 * count), parent="text"))
    found = {client: ranges for client, ranges in blocks.deletes if client != section.client}
    for client, clock in rng.sample(here.ids, min(things, 20, len(here.ids))):
        found.setdefault(client, [[clock, 1]])
    found.pop(section.client, None)
    mine = [[start + 2 * at, 1] for at in range(count)]
    blocks.deletes = [*found.items(), (section.client, mine)]


def _pairs(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size // 4))
    text = "🙂" * count + _run(rng, size - 4 * count)
    blocks.sections[0].blocks.append(Block(TEXT, text, parent="text"))


def _roots(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size // 14, 2000))
    text = _run(rng, size // count - 12)
    blocks.sections[0].blocks += [Block(TEXT, text, parent=f"later-{at}") for at in range(count)]


def _nest(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    """Types inside types, and the bytes in the innermost one: a text."""
    section = blocks.sections[0]
    inside: str | tuple[int, int] = rng.choice(MAP_ROOTS)
    keyed, clock = True, section.end
    depth = min(rng.choice(DEPTHS), max(1, size // 12))
    for level in range(depth, 0, -1):
        kind = 2 if level == 1 else rng.choice((0, 1))
        section.blocks.append(Block(TYPE, kind, parent=inside, key="in" if keyed else None))
        keyed, inside = kind == 1, (section.client, clock)
        clock += 1
    section.blocks.append(Block(TEXT, _run(rng, size - 12 * depth), parent=inside))


def _marks(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    count = max(1, min(things, size // 24))
    link = '"' + "l" * min(size // count, LINK_BYTES) + '"'
    mark = ["link", link] if rng.random() < 0.5 else [rng.choice(("bold", "italic", "q")), rng.choice(("true", "null"))]
    one, between = sealed(Block(MARK, mark, parent="text")), sealed(Block(TEXT, "a", parent="text"))
    rest = size - count * (len(one.written) + len(between.written))
    blocks.sections[0].blocks += [one, between] * count
    if rest > 9:
        blocks.sections[0].blocks.append(Block(TEXT, _run(rng, rest - 8), parent="text"))


def _gone(rng: Random, blocks: Blocks, here: Grown, size: int, things: int) -> None:
    """Ids without content, and then a long key."""
    count = max(1, min(things, size // 9))
    gone = Block(GC, 2) if rng.random() < 0.5 else Block(DELETED, 3, parent="text")
    blocks.sections[0].blocks += [sealed(gone)] * count
    rest = size - count * len(gone.written)
    if rest > 24:
        blocks.sections[0].blocks.append(Block(VALUES, [1], parent=_place(rng, here), key=_run(rng, rest - 16)))


Filling = Callable[[Random, Blocks, Grown, int, int], None]
_FILLINGS: tuple[Filling, ...] = (
    *(_texts, _keys, _values, _dictionary, _ranges, _roots, _nest, _marks, _gone) * 3,
    *(_json, _pairs),
)
"""The last two cost the grammar five times as much as the others, by each character."""


def sectioned(client: int, clock: int, made: list[Block]) -> Blocks:
    """An update of one client's blocks."""
    return Blocks([Section(client, clock, made)])
