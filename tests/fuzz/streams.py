# SPDX-License-Identifier: EUPL-1.2
"""Long histories of changed updates: each begins as one of the tools, and goes on with 16 to 256 updates of up to four
people and many clients.

Each further update is a copy of one that a tool wrote, moved to its writer's client and clock, or blocks that fit what
is there, or an earlier update once more, by somebody else or at another place. Two in five of them are then changed:
one to five times as structures (kinds, parents, neighbours, keys, clocks, lengths, deletes and clients, by
structures.py), one in twenty as bytes. So more than half pass the grammar and the judge.

Sizes and things: an update's size is drawn so that each power of two from 20 B to 192 KiB comes equally often. Its
things (blocks, values, keys, ranges, pairs of surrogates, roots, marks) are drawn apart from that: at least n things
with a chance of 1 in n to the power 1.3, as many as have room in its size. So of a hundred updates 59 get a single
thing besides their first blocks, and five get ten; of a hundred thousand 250 get a hundred, and of a million six get
ten thousand. A large update is mostly a long text, long bytes, long JSON or a long key, seldom thousands of blocks.

What is read from bytes is read once a process (`_Template`); a block that nothing changes keeps its bytes.
"""

from dataclasses import dataclass
from functools import cache
from math import log2
from random import Random

from tests.fuzz import mutations
from tests.fuzz.begins import begins
from tests.fuzz.blocks import DELETED, GC, TEXT, TYPE, VALUES, Block, Blocks, Id, parse, sealed, write
from tests.fuzz.contents import LEAST_BYTES, MOST_BYTES, delete_several
from tests.fuzz.filling import fill, sectioned
from tests.fuzz.fitting import Grown, fitting
from tests.fuzz.histories import Positioned
from tests.fuzz.structures import change, unpack

LEAST, MOST = log2(LEAST_BYTES), log2(MOST_BYTES - 1024)
"""The last bytes are left for what changes add."""
STEEPNESS = 1.3
CHANGED = 0.4
"""How many of the updates are changed."""
TINY_BYTES = 40
"""An update below this is a single short block."""


@dataclass(frozen=True, slots=True)
class _Template:
    """An update of a tool. Its blocks keep their bytes; `own` are the indexes of those that name ids of its own."""

    client: int
    clock: int
    blocks: tuple[Block, ...]
    own: tuple[int, ...]
    deletes: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]
    size: int

    def moved(self, client: int, clock: int) -> Blocks:
        """The same written by another client, or later."""

        def at(ident: Id) -> Id:
            mine = ident[0] == self.client and ident[1] >= self.clock
            return (client, ident[1] - self.clock + clock) if mine else ident

        blocks = list(self.blocks)
        for index in self.own:
            block = blocks[index] = blocks[index].copy()
            block.origin = block.origin and at(block.origin)
            block.right = block.right and at(block.right)
            block.parent = at(block.parent) if isinstance(block.parent, tuple) else block.parent
        made = sectioned(client, clock, blocks)
        for deleter, ranges in self.deletes:
            first = at((deleter, ranges[0][0]))
            if first[0] == deleter:
                made.deletes.append((deleter, [list(span) for span in ranges]))
        return made


@dataclass(frozen=True, slots=True)
class _Begin:
    board: bool
    history: list[Positioned]
    templates: list[_Template]


@cache
def _begins() -> list[_Begin]:
    out = []
    for board, data in begins():
        history = unpack(data)
        out.append(_Begin(board, history, [_template(parse(positioned.update)) for positioned in history]))
    return out


def _template(blocks: Blocks) -> _Template:
    deletes = tuple((client, tuple((a, n) for a, n in ranges)) for client, ranges in blocks.deletes)
    if not blocks.sections:
        return _Template(-1, 0, (), (), deletes, 4 + 12 * len(deletes))
    (section,) = blocks.sections
    made = tuple(sealed(block) for block in section.blocks)
    named = [(block.origin, block.right, block.parent) for block in made]
    own = [
        at
        for at, idents in enumerate(named)
        if any(isinstance(i, tuple) and i[0] == section.client and i[1] >= section.clock for i in idents)
    ]
    size = 20 + sum(len(block.written) for block in made) + 12 * len(deletes)
    return _Template(section.client, section.clock, made, tuple(own), deletes, size)


@dataclass(frozen=True, slots=True)
class Stream:
    """A generated history. Its first `begun` updates are a tool's own, unchanged."""

    board: bool
    history: list[Positioned]
    begun: int


def stream(rng: Random) -> Stream:
    """A history of its own for each state of `rng`."""
    begin = rng.choice(_begins())
    begun = rng.randint(1, len(begin.history))
    here, history = Grown(), begin.history[:begun]
    for positioned, template in zip(history, begin.templates, strict=False):
        if template.blocks:
            end = here.note(template.client, template.clock, template.blocks)
            here.writers = [writer for writer in here.writers if writer[1] != template.client]
            here.writers.append((positioned.author, template.client, end))
    templates = begin.templates[:begun]
    for _ in range(round(2 ** rng.uniform(4, 8))):
        if rng.random() < 0.06:
            _again(rng, history, begun)
        else:
            history.append(_update(rng, here, templates, history))
    return Stream(begin.board, history, begun)


def _again(rng: Random, history: list[Positioned], begun: int) -> None:
    """An earlier update once more, by somebody else, or later than it was."""
    chosen = rng.choice(history[-40:])
    match rng.randrange(3):
        case 0:
            history.append(chosen)
        case 1:
            history.append(Positioned((chosen.author + 1) % 4, chosen.update))
        case _ if len(history) > begun + 1:
            history.append(history.pop(rng.randrange(max(begun, len(history) - 20), len(history))))


def _update(rng: Random, here: Grown, templates: list[_Template], history: list[Positioned]) -> Positioned:
    author, client, clock = here.writer(rng)
    size = round(2 ** rng.uniform(LEAST, MOST))
    changed = rng.random() < CHANGED
    blocks = _blocks(rng, here, templates, size, client, clock)
    delete_several(blocks)
    known = len(here.ids), len(here.types)
    if changed:
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            change(rng, blocks, here)
        if rng.random() < 0.6:
            delete_several(blocks)
    data = write(blocks)
    if changed and rng.random() < 0.11:
        data = mutations.mutate(rng, data, [p.update for p in history[-3:]], MOST_BYTES)
    del here.ids[known[0] :], here.types[known[1] :]
    if not changed or rng.random() < 0.05:
        _go_on(rng, here, author, client, blocks)
    return Positioned(author, data[: MOST_BYTES + 1])


def _go_on(rng: Random, here: Grown, author: int, client: int, blocks: Blocks) -> None:
    """Later updates may build on this one, and its client goes on."""
    for section in blocks.sections:
        if section.client == client:
            end = here.note(client, section.clock, section.blocks)
            if rng.random() < 0.85:
                here.writers.append((author, client, end))
            return


def _blocks(rng: Random, here: Grown, templates: list[_Template], size: int, client: int, clock: int) -> Blocks:
    if size < TINY_BYTES:
        return sectioned(client, clock, [_tiny(rng, here, size)])
    template = rng.choice(templates)
    if template.blocks and template.size <= size and rng.random() < 0.5:
        made, rest = template.moved(client, clock), size - template.size
    else:
        made, rest = sectioned(client, clock, [fitting(rng, here)]), size - 50
    if rest > 8:
        fill(rng, made, here, rest, int(rng.paretovariate(STEEPNESS)))
    return made


def _tiny(rng: Random, here: Grown, size: int) -> Block:
    if here.texts and rng.random() < 0.4:
        return Block(TEXT, rng.choice(("a", "å", "🙂")) * max(1, size // 4 - 6), origin=rng.choice(here.texts)[1])
    if here.keyed and rng.random() < 0.3:
        return Block(rng.choice((DELETED, TYPE)), 1, origin=rng.choice(here.keyed)[1], flags=0x20)
    if rng.random() < 0.3:
        return Block(VALUES, ["v" * max(1, size - 20)], parent="meta", key="k")
    if rng.random() < 0.9:
        return Block(TEXT, "b" * max(1, size - 15), parent="text")
    return Block(GC, 3)
