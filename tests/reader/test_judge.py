# SPDX-License-Identifier: EUPL-1.2
"""The grammar of updates and which of them count, by another program: tests/vectors/objects-3-grammar.json and
objects-3-judging.json, read from app/objects/FORMAT.md alone."""

import json
from typing import Any

import pytest

from tests.reader.grammar import read
from tests.reader.judge import Judge
from tests.reader.pieces import Changes
from tests.reader.primitives import Refused
from tests.reader.vectors import HERE, raw


def load(name: str) -> Any:
    return json.loads((HERE.parent / f"vectors/objects-3-{name}.json").read_text())


def test_the_grammar_takes_and_refuses_the_same_updates() -> None:
    cases, taken = load("grammar"), 0
    for case in cases:
        if "damaged" in case:
            with pytest.raises(Refused):
                read(raw(case["update"]), state=case["state"])
            continue
        update = read(raw(case["update"]), state=case["state"])
        assert [list(ident) for ident in update.needed()] == case["needed"]
        halves = [list(unit.ident) for item in update.items for unit in item if unit.low]
        assert halves == case["halves"]
        taken += 1
    assert taken > 100
    assert {case["damaged"] for case in cases if "damaged" in case} == RULES


RULES = {
    *("truncated", "trailing", "number", "limit", "text", "clients", "order", "hole", "empty", "kind", "keyed"),
    *("forward", "parent", "root", "type", "depth", "value", "twice", "json", "mark", "several"),
}


@pytest.mark.parametrize("case", load("judging"), ids=lambda case: case["name"])
def test_each_update_gets_the_same_verdict_and_the_same_is_known_at_the_end(case: Any) -> None:
    judge = Judge()
    for position, step in enumerate(case["steps"], start=1):
        if position == case["baseline"].get("at"):
            judge.cover(range(position))
            assert judge.known().hex() == case["baseline"]["known"]
            read(raw(case["baseline"]["state"]), state=True)
        verdicts = judge.offer(position, raw(step["author"]), read(raw(step["update"])))
        assert [list(verdict) for verdict in verdicts] == step["verdicts"]
    assert judge.known().hex() == case["known"]


@pytest.mark.parametrize("case", load("pieces"), ids=lambda case: case["name"])
def test_pieces_make_the_same_updates_with_the_same_verdicts(case: Any) -> None:
    changes = Changes()
    for position, step in enumerate(case["steps"], start=1):
        if "covers" in step:
            changes.cover(step["covers"])
            continue
        outcomes = changes.take(position, raw(step["author"]), raw(step["data"]))
        assert [list(outcome) for outcome in outcomes] == step["outcomes"]
    assert [[part.hex() for part in update] for update in changes.merged] == case["updates"]
    assert changes.judge.known().hex() == case["known"]


def test_every_verdict_is_in_the_vectors() -> None:
    verdicts = {verdict for case in load("judging") for step in case["steps"] for _, verdict in step["verdicts"]}
    kinds = {"merged", "late", "again", "foreign", "overlap"}
    assert verdicts == kinds | {"parent", "apart", "keyed", "unfit", "half", "depth"}
