# SPDX-License-Identifier: EUPL-1.2
"""Wrote tests/vectors/objects-3-grammar.json, objects-3-judging.json and objects-3-pieces.json: updates and what the
grammar says of them; histories of updates with each verdict and what a judge knows at the end; changes with their
pieces. Kept to show what is in them. The first two are those of version 2."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pycrdt

from app.objects.beginning import begin
from app.objects.grammar import read
from app.objects.judging import Kind
from app.objects.lib0 import BadUpdate
from app.objects.structure_codec import encode
from tests.fuzz import histories
from tests.fuzz.blocks import DELETED, GC, TEXT, TYPE, VALUES, Block, Blocks, Section, write
from tests.fuzz.contents import odd
from tests.fuzz.histories import Positioned
from tests.fuzz.judged import Judging, person
from tests.fuzz.structures import mutate, seeds, unpack
from tests.fuzz.test_structures import AFTER_FREE, CRASH
from tests.vectors import pieces

HERE = Path(__file__).parent
MOST_BYTES = 3000


def grammar_cases() -> list[Any]:
    two = [Section(2, 0, [Block(TEXT, "a", parent="text")]), Section(1, 0, [Block(TEXT, "b", origin=(2, 0))])]
    updates = [*(bytes.fromhex(update) for update in (*CRASH, *AFTER_FREE)), *(p.update for p in odd())]
    updates += [p.update for make in (histories.document, histories.board) for p in make(Random(9), rounds=20)]
    updates += [p.update for seed in range(60) for p in unpack(mutate(Random(seed), seeds(2)[0], seeds(2)))][::7]
    short = [update for update in dict.fromkeys(updates) if len(update) <= MOST_BYTES]
    short.append(write(Blocks([Section(3, 0, [Block(TEXT, "x", parent="m", key="k")])])))
    later = write(Blocks([two[0], Section(1, 4, [Block(TEXT, "b", origin=(2, 0))])]))
    states = [write(Blocks(two)), write(Blocks(two[::-1])), write(Blocks(two[1:])), later, short[0]]
    return [_read(update, False) for update in short] + [_read(update, True) for update in states]


def _read(update: bytes, state: bool) -> Any:
    case: dict[str, Any] = {"update": update.hex(), "state": state}
    try:
        facts = read(update, state=state)
    except BadUpdate as bad:
        return case | {"damaged": bad.where}
    lows = [[section.client, low] for section in facts.sections for low in section.lows]
    return case | {"needed": list(facts.needed), "halves": lows}


def judging_cases() -> list[Any]:
    cases = [_case("attacks", attacks())]
    cases += [_case(make.__name__, make(Random(7), rounds=15)) for make in (histories.document, histories.board)]
    for seed in range(400):
        rng = Random(seed)
        history = unpack(mutate(rng, rng.choice(seeds(2)), seeds(2), 1 << 14))
        history = [p for p in rng.sample(history, len(history)) if len(p.update) <= 600 and _passes(p.update)]
        case = _case(f"mixed {seed}", history)
        if len({verdict for step in case["steps"] for _, verdict in step["verdicts"]}) > 2 and len(cases) < 40:
            cases.append(case)
    return cases


def _passes(update: bytes) -> bool:
    try:
        read(update)
    except BadUpdate:
        return False
    return True


def attacks() -> list[Positioned]:
    """What the audit tried, one after the other, and what is void for each reason."""

    def of(author: int, client: int, *blocks: Block, clock: int = 0, deletes: Any = ()) -> Positioned:
        sections = [Section(client, clock, list(blocks))] if blocks else []
        return Positioned(author, write(Blocks(sections, list(deletes))))

    ground = [
        Block(TEXT, "a🙂b", parent="text"),
        Block(TEXT, "x", parent="other"),
        Block(TYPE, 1, parent="m", key="t"),
        Block(TYPE, 0, parent=(7, 5), key="list"),
        Block(VALUES, [1], parent="m", key="k"),
        Block(VALUES, [2], origin=(7, 7), flags=0x20),
    ]
    deep = [Block(TYPE, 1, parent=(7, 5) if n == 0 else (30, n - 1), key="k") for n in range(16)]
    return [
        of(2, 0, deletes=[(7, [[0, 9]])]),
        of(1, 7, *ground),
        of(2, 7, Block(TEXT, "X", origin=(7, 3)), clock=9),
        of(1, 7, Block(TEXT, "y", origin=(7, 3)), clock=8),
        of(1, 7, *ground),
        of(2, 20, Block(TEXT, "x", origin=(7, 0), right=(7, 4))),
        of(2, 21, Block(VALUES, [1], origin=(7, 7))),
        of(2, 22, Block(TEXT, "x", parent=(7, 0))),
        of(2, 23, Block(VALUES, [1], parent=(7, 5))),
        of(2, 24, Block(TEXT, "x", parent=(7, 6))),
        of(2, 25, Block(TEXT, "x", origin=(7, 1))),
        of(2, 26, Block(TEXT, "x", right=(7, 2))),
        of(2, 0, deletes=[(7, [[0, 2]])]),
        of(3, 30, *deep),
        of(3, 31, Block(TEXT, "sen", origin=(32, 0))),
        of(2, 31, Block(TEXT, "först", parent="text")),
        of(2, 32, Block(DELETED, 1, parent="m", key="k"), Block(GC, 2)),
        of(3, 33, Block(TEXT, "x", origin=(32, 1)), Block(TYPE, 1, parent=(32, 2), key="k")),
        of(3, 34, Block(TEXT, "väntar", origin=(99, 5))),
        of(3, 0, deletes=[(7, [[0, 1], [3, 1]])]),
    ]


def _case(name: str, history: list[Positioned]) -> Any:
    judging, steps, doc = Judging(), [], pycrdt.Doc[Any]()
    half = len(history) * 2 // 3
    begun: dict[str, Any] = {}
    for position, positioned in enumerate(history, start=1):
        if position == half:
            judging.judge.cover(range(position))
            judging.rows.lates.clear()
            known, state = encode(judging.judge.structure), bytes(doc.get_update())
            begin(read(state, state=True), known)
            begun = {"at": position, "state": state.hex(), "known": known.hex()}
        verdicts = []
        for verdict in judging.offer(position, person(positioned.author), read(positioned.update)):
            if verdict.kind is Kind.LATE and verdict.change.position != position:
                continue  # it waits for another id now: the page knows no such verdict
            name_of_verdict = verdict.code or verdict.kind.value
            verdicts.append([verdict.change.position, name_of_verdict])
            if verdict.kind is Kind.MERGED:
                doc.apply_update(history[verdict.change.position - 1].update)
        author, update = person(positioned.author).hex(), positioned.update.hex()
        steps.append({"author": author, "update": update, "verdicts": verdicts})
    return {"name": name, "steps": steps, "baseline": begun, "known": encode(judging.judge.structure).hex()}


def main() -> None:
    for name, value in (("grammar", grammar_cases()), ("judging", judging_cases()), ("pieces", pieces.cases())):
        lines = ",\n".join(json.dumps(case, ensure_ascii=False, sort_keys=True) for case in value)
        (HERE / f"objects-3-{name}.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
