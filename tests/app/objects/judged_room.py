# SPDX-License-Identifier: EUPL-1.2
"""A room whose judge is offered updates one after the other, and short names for the blocks of an update."""

from typing import Any

import pycrdt

from app.objects.grammar import read
from app.objects.judging import Kind, Verdict
from app.objects.lib0 import BadUpdate
from tests.fuzz.blocks import TEXT, TYPE, VALUES, Block, Blocks, Section, write
from tests.fuzz.histories import Positioned
from tests.fuzz.judged import Judging, person

ANNA, BO, CAJ = 1, 2, 3
"""Handläggare, Registrator, Enhetschef: only numbers here."""


class Room:
    """Offers one update after the other, each at the next position."""

    def __init__(self) -> None:
        self.judging = Judging()
        self.at = 0

    def offer(self, author: int, update: bytes, t: int = 0) -> list[Verdict]:
        self.at += 1
        return list(self.judging.offer(self.at, person(author), read(update), t))

    def verdicts(self, author: int, update: bytes) -> list[str]:
        """What became of it and of what had waited for it, in order: the code of what is void."""
        return [v.code or v.kind.value for v in self.offer(author, update)]


def of(client: int, *blocks: Block, clock: int = 0, deletes: Any = ()) -> bytes:
    sections = [Section(client, clock, list(blocks))] if blocks else []
    return write(Blocks(sections, list(deletes)))


def text(value: str = "å", **place: Any) -> Block:
    return Block(TEXT, value, **(place or {"parent": "text"}))


def deletes(client: int, clock: int, length: int = 1) -> bytes:
    return of(0, deletes=[(client, [[clock, length]])])


def ground() -> list[Block]:
    """a🙂b in the text, x in another; a map, an array in it; two keys of a root, one of them set twice."""
    return [
        text("a🙂b"),
        text("x", parent="other"),
        Block(TYPE, 1, parent="m", key="t"),
        Block(TYPE, 0, parent=(7, 5), key="list"),
        Block(VALUES, [1], parent="m", key="k"),
        Block(VALUES, [2], origin=(7, 7), flags=0x20),
        Block(VALUES, [2], parent="m", key="other"),
    ]


def verdicts_of(judging: Judging, history: list[Positioned], start: int) -> list[Verdict]:
    out = []
    for position, positioned in enumerate(history[start:], start=start):
        try:
            facts = read(positioned.update)
        except BadUpdate:
            continue
        out += list(judging.offer(position, person(positioned.author), facts))
    return out


def state_of(judging: Judging, history: list[Positioned]) -> bytes:
    doc: Any = pycrdt.Doc()
    for verdict in judging.verdicts:
        if verdict.kind is Kind.MERGED:
            doc.apply_update(history[verdict.change.position].update)
    return bytes(doc.get_update())
