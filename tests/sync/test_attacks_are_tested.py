# SPDX-License-Identifier: EUPL-1.2
"""ATTACKS.md is up to date with the tests: each attack names tests that exist, and one of them checks for the answer
that the page gives. Names and codes are read from the sources; nothing is imported."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.rules_table import ticked

pytestmark = pytest.mark.slow  # reads every source

HERE = Path(__file__).parent
CASES_OF_KEYBASE = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A row: the attack, the codes that answer it (none: it is stopped in another manner), names of tests."""

    name: str
    codes: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsOfTest:
    """A test function: every text and upper-case name in it, in lower case."""

    words: frozenset[str]


def rows(heading: str) -> list[list[str]]:
    section = (HERE / "ATTACKS.md").read_text(encoding="utf-8").partition(heading)[2].partition("\n## ")[0]
    lines = [line.strip("| ").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


OURS = [Attack(name=n, codes=ticked(a), tests=ticked(t)) for n, a, t in rows("## By the server, by members, by both")]
PROGRAM = [Attack(name=n, codes=ticked(a), tests=ticked(t)) for n, a, t in rows("## In the program")]
KEYBASE = [Attack(name=n, codes=ticked(a), tests=ticked(t)) for n, _, a, t in rows("## Keybase's team chains")]


@cache
def every_test() -> dict[str, WordsOfTest]:
    found = {}
    for path in HERE.parent.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found[node.name] = WordsOfTest(words=frozenset(_words(node)))
    return found


def _words(node: ast.AST) -> set[str]:
    """Texts and constants' names: "seals", "busy rotation", RoomState.ROLLBACK."""
    words = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            words |= {inner.value, inner.value.split(" ")[0]}
        elif isinstance(inner, ast.Attribute) and inner.attr.isupper():
            words.add(inner.attr.lower().replace("_", "-"))
    return words


def answered(attack: Attack) -> list[str]:
    """The codes of a row that none of its tests checks for."""
    known = [every_test()[name].words for name in attack.tests if name in every_test()]
    return [code for code in attack.codes if not any(code in words for words in known)]


@pytest.mark.parametrize("attack", OURS + PROGRAM + KEYBASE, ids=lambda a: a.name.strip("`"))
def test_an_attack_names_tests_that_ask_for_its_answer(attack: Attack) -> None:
    assert attack.tests, "no test"
    assert [name for name in attack.tests if name not in every_test()] == []
    assert answered(attack) == []


def test_each_of_our_attacks_is_tried_in_a_test_that_names_it() -> None:
    for attack in OURS:
        for name in attack.tests:
            assert name.startswith("test_attack_"), name
            assert name in every_test(), name
    assert len({name for attack in OURS for name in attack.tests}) >= 60


def test_each_attack_on_the_program_is_tried_in_a_test_that_names_it() -> None:
    names = {name for attack in PROGRAM for name in attack.tests}
    assert [name for name in names if not name.startswith("test_attack_")] == []
    assert len(names) >= 20


def test_every_case_of_keybase_is_here_once() -> None:
    names = [attack.name for attack in KEYBASE]
    assert len(set(names)) == len(names) == CASES_OF_KEYBASE


def test_a_test_that_is_gone_or_asks_for_something_else_is_missed() -> None:
    name = "test_attack_a_hidden_item_is_a_gap"
    assert answered(Attack(name="", codes=("gap",), tests=(name,))) == []
    assert answered(Attack(name="", codes=("gap", "fork"), tests=(name,))) == ["fork"]
    assert answered(Attack(name="", codes=("gap",), tests=("test_" + "nobody_wrote_this",))) == ["gap"]
