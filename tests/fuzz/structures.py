# SPDX-License-Identifier: EUPL-1.2
"""Histories of updates that are changed as structures: kinds, parents, neighbours, keys, clocks, lengths, depths,
deletes, clients, roots, order and authors; a few as mere bytes. About as many as not are still well formed.

An input is the bytes of a history: for each update its author (one byte), its length and the update.
"""

from collections.abc import Callable
from functools import cache
from random import Random

from tests.fuzz import mutations
from tests.fuzz.begins import begins
from tests.fuzz.blocks import DELETED, EMBED, GC, MARK, TEXT, TYPE, VALUES, Blocks, Section, number, write
from tests.fuzz.contents import MOST_BYTES, NUMBERS, Known, append, block, content, grow, parsed
from tests.fuzz.histories import Positioned


def pack(history: list[Positioned]) -> bytes:
    """An input's bytes."""
    return b"".join(bytes((p.author,)) + number(len(p.update)) + p.update for p in history)


def unpack(data: bytes) -> list[Positioned]:
    """The history in any bytes: what is cut off at the end is a short update."""
    out, at = [], 0
    while at < len(data):
        author, size, shift = data[at] % 4, 0, 0
        at += 1
        while at < len(data):
            byte = data[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80 or shift > 21:
                break
        out.append(Positioned(author, data[at : at + size]))
        at += size
    return out


@cache
def seeds(count: int = 6) -> list[bytes]:
    """What the generator begins with: histories of the tools' own models, short ones so that there may be many. Of each
    tool and length `count`, at most six."""
    return [data for _, data in begins()[: 4 * count]]


def mutate(rng: Random, data: bytes, seeds: list[bytes], most: int = 4 * MOST_BYTES) -> bytes:
    """`data` with one to four changes of one update or of the history."""
    history = unpack(data) or unpack(rng.choice(seeds))
    for _ in range(1 << rng.randrange(3)):
        at = rng.randrange(len(history))
        if rng.random() < 0.2:
            _reordered(rng, history, at)
            continue
        author, update = history[at].author, history[at].update
        if rng.random() < 0.08:
            update = mutations.mutate(rng, update, [p.update for p in history], MOST_BYTES)
        else:
            update = _changed(rng, history, at)
        history[at] = Positioned(author, update[: MOST_BYTES + 1])
    while len(history) > 1 and sum(len(p.update) for p in history) > most - 8 * len(history):
        history.pop(rng.randrange(len(history)))
    return pack(history)


def _reordered(rng: Random, history: list[Positioned], at: int) -> None:
    other = rng.randrange(len(history))
    match rng.randrange(6):
        case 0:
            history[at], history[other] = history[other], history[at]
        case 1:
            history.insert(other, history[at])
        case 2 if len(history) > 1:
            history.pop(at)
        case 3:
            history[at] = Positioned(rng.randrange(4), history[at].update)
        case 4:  # somebody else answers at once under a client that is new or taken
            history.insert(at + 1, Positioned(rng.randrange(4), _fresh(rng, history)))
        case _:
            history[at], history[at - 1] = history[at - 1], history[at]


def _changed(rng: Random, history: list[Positioned], at: int) -> bytes:
    blocks = parsed(history[at].update)
    if blocks is None or len(history[at].update) > 1 << 16:
        return _fresh(rng, history)
    known = Known(history[: at + 1])
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        rng.choice(_CHANGES)(rng, blocks, known)
    return write(blocks)


def _fresh(rng: Random, history: list[Positioned]) -> bytes:
    """A new update by a new client, that hangs on what is there."""
    known = Known(history)
    blocks = Blocks([Section(rng.getrandbits(53), 0, [])])
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        append(rng, blocks, known)
    return write(blocks)


def _block_changed(rng: Random, blocks: Blocks, known: Known) -> None:
    found = [(section, at) for section in blocks.sections for at in range(len(section.blocks))]
    if not found:
        return append(rng, blocks, known)
    section, at = rng.choice(found)
    made = section.blocks[at] = section.blocks[at].copy()
    match rng.randrange(11):
        case 0:
            made.kind = rng.choice((TEXT, EMBED, MARK, TYPE, VALUES, DELETED, GC))
            made.content = content(rng, made.kind)
            if made.kind == GC:
                made.flags = 0
        case 1:
            made.kind, made.content, made.flags = rng.choice(((2, ["1"], 0), (3, "b", 0), (9, None, 0), (10, 3, 0)))
        case 2:
            made.origin = known.ident(rng) if rng.random() < 0.8 else None
        case 3:
            made.right = known.ident(rng) if rng.random() < 0.8 else None
        case 4:
            made.origin, made.right = made.right, made.origin
        case 5:
            made.parent = known.parent(rng)
        case 6:
            made.key = rng.choice((None, "title", "å", "k" * 300))
        case 7 if made.kind > 0:
            made.flags ^= rng.choice((0x20, 0x10))
        case 8 if made.kind in (0, 1):
            made.content = rng.choice(NUMBERS)
        case 9 if made.kind in (4, 8):
            made.content = made.content[:0]
        case _ if made.kind not in (2, 3, 9):
            made.content = content(rng, made.kind)
    return None


def _section_changed(rng: Random, blocks: Blocks, known: Known) -> None:
    if not blocks.sections:
        return append(rng, blocks, known)
    section = rng.choice(blocks.sections)
    match rng.randrange(8):
        case 0:
            section.clock = max(0, section.clock + rng.choice((-1, 1, 1, 5)))
        case 1:
            section.clock = rng.choice(NUMBERS)
        case 2 if known.clients:
            section.client = rng.choice(list(known.clients))
        case 3:
            section.client = rng.choice(NUMBERS)
        case 4:
            blocks.sections.append(Section(rng.choice((section.client, rng.getrandbits(53))), 0, [block(rng, known)]))
        case 5:
            rng.shuffle(section.blocks)
        case 6 if section.blocks:
            section.blocks.pop(rng.randrange(len(section.blocks)))
        case _:
            for _ in range(rng.choice((1, 3, 10))):
                append(rng, blocks, known)
    return None


def _deletes_changed(rng: Random, blocks: Blocks, known: Known) -> None:
    client, clock = known.ident(rng)
    match rng.randrange(6):
        case 0 if blocks.deletes:
            ranges = rng.choice(blocks.deletes)[1]
            if ranges:
                rng.choice(ranges)[rng.randrange(2)] = rng.choice((*NUMBERS, 3, 4))
        case 1 if blocks.deletes:
            blocks.deletes.pop(rng.randrange(len(blocks.deletes)))
        case 2:
            blocks.deletes.append((client, rng.choice(([[clock, 1], [clock, 2]], []))))
        case _:
            mine = next((ranges for c, ranges in blocks.deletes if c == client), None)
            if mine is None:
                blocks.deletes.append((client, [[clock, rng.choice((1, 1, 2, 9))]]))
            elif all(clock + 1 < a or a + n < clock for a, n in mine):
                mine.append([clock, 1])
                mine.sort()


def change(rng: Random, blocks: Blocks, known: Known) -> None:
    """Changes a structure once, seldom by many things."""
    rng.choice(_CHANGES[:-1])(rng, blocks, known)


Change = Callable[[Random, Blocks, Known], None]
_CHANGES: tuple[Change, ...] = (
    *(append, append, append, append),
    *(_block_changed, _block_changed, _block_changed),
    *(_section_changed, _deletes_changed, _deletes_changed, grow),
)
