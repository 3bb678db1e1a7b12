# SPDX-License-Identifier: EUPL-1.2
"""What a generated history has so far, by what may stand beside it, and blocks that fit there."""

from collections.abc import Sequence
from random import Random

from tests.fuzz.blocks import DELETED, EMBED, GC, MARK, TEXT, TYPE, VALUES, Block, Id
from tests.fuzz.contents import GOOD_JSON, Known, content

MAP_ROOTS = ("meta", "board", "cards", "columns", "labels")
KEYS = ("title", "k", "å", "place", "heading")
CLIENT_BITS = (10, 14, 21, 32, 53)
NOTED = 8
"""Blocks of an update that later ones may hang on: its first ones."""
Ends = tuple[Id, Id]
"""The first and the last id of a block."""


class Grown(Known):
    """What later updates of a generated history may build on. Only updates that should pass are noted here."""

    def __init__(self) -> None:
        super().__init__([])
        self.texts: list[Ends] = []
        self.keyed: list[Ends] = []
        self.listed: list[Ends] = []
        self.typed: tuple[list[Id], list[Id], list[Id]] = ([], [], [])
        """Arrays, maps and texts."""
        self.writers: list[tuple[int, int, int]] = []
        """(author, client, next clock) of clients that may go on."""

    def note(self, client: int, clock: int, blocks: Sequence[Block]) -> int:
        """Takes up an update's blocks; the clock behind them."""
        for at, block in enumerate(blocks):
            after = clock + block.length
            if at < NOTED and after > clock:
                self._note(block, (client, clock), (client, after - 1))
            clock = after
        self.clients[client] = clock
        return clock

    def _note(self, block: Block, first: Id, last: Id) -> None:
        self.ids += (first, last)
        if block.kind in (DELETED, GC):
            return
        if block.kind == TYPE and block.content < 3:
            self.types.append(first)
            self.typed[block.content].append(first)
        if block.key is not None or block.flags & 0x20:
            self.keyed.append((first, last))
        else:
            (self.texts if block.kind in (TEXT, MARK) else self.listed).append((first, last))

    def writer(self, rng: Random) -> tuple[int, int, int]:
        """(author, client, next clock): of a client that goes on, or of a new one."""
        if self.writers and rng.random() < 0.7:
            return self.writers.pop(rng.randrange(len(self.writers)))
        return rng.randrange(4), rng.getrandbits(rng.choice(CLIENT_BITS)), 0


def fitting(rng: Random, here: Grown) -> Block:
    """A block that may stand where it stands."""
    choice = rng.random()
    if choice < 0.35:
        return _in_text(rng, here)
    if choice < 0.75:
        return _under_key(rng, here)
    if choice < 0.95 and here.typed[0]:
        kind = rng.choice((VALUES, VALUES, EMBED, TYPE, DELETED))
        return _beside(rng, here.listed, Block(kind, content(rng, kind), parent=rng.choice(here.typed[0])))
    return Block(GC, rng.choice((1, 1, 2, 9)))


def _in_text(rng: Random, here: Grown) -> Block:
    kind = rng.choice((TEXT, TEXT, TEXT, MARK, DELETED))
    parent = rng.choice(here.typed[2]) if here.typed[2] and rng.random() < 0.3 else "text"
    made = [rng.choice(("bold", "q")), rng.choice(GOOD_JSON)] if kind == MARK else content(rng, kind)
    return _beside(rng, here.texts, Block(kind, made, parent=parent))


def _under_key(rng: Random, here: Grown) -> Block:
    kind = rng.choice((VALUES, VALUES, VALUES, TYPE, TYPE, EMBED, DELETED))
    parent = rng.choice(here.typed[1]) if here.typed[1] and rng.random() < 0.5 else rng.choice(MAP_ROOTS)
    made = Block(kind, content(rng, kind), parent=parent, key=rng.choice(KEYS))
    if here.keyed and rng.random() < 0.5:
        return _beside(rng, here.keyed, made, 0x20)
    return made


def _beside(rng: Random, places: list[Ends], made: Block, flags: int = 0) -> Block:
    """The block behind or before one of these, mostly; else where it was."""
    if not places or rng.random() < 0.25:
        return made
    first, last = rng.choice(places)
    made.parent = made.key = None
    made.flags = flags
    if rng.random() < 0.7:
        made.origin = last
    else:
        made.right = first
    if rng.random() < 0.05:
        made.origin, made.right = last, rng.choice(places)[0]
    return made
