# SPDX-License-Identifier: EUPL-1.2
"""The table of rules in PROTOCOL.md is up to date with the code: each rule names the functions that enforce it and the
tests that fail without it, and all of them exist. Names are read from the sources; nothing is imported."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # reads every source

ROOT = Path(__file__).parents[2]
HEADING = "## 15. Rules and their tests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row: the rule's name, its sentence, dotted places in the code, names of tests."""

    name: str
    sentence: str
    places: tuple[str, ...]
    tests: tuple[str, ...]


def rules() -> list[Rule]:
    """The rows of the table, in order."""
    section = (ROOT / "sync" / "PROTOCOL.md").read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert rows, "PROTOCOL.md has no table of rules"
    assert all(len(row) == 4 for row in rows), [row for row in rows if len(row) != 4]
    return [
        Rule(name=n.strip("`"), sentence=sentence, places=_named(places), tests=_named(tests))
        for n, sentence, places, tests in rows
    ]


def _named(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


RULES = rules()


@cache
def every_test() -> frozenset[str]:
    """Every test function in the tree."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                found.add(node.name)
    return frozenset(found)


@cache
def names_in(path: Path) -> frozenset[str]:
    """What a module defines: functions, classes, their methods, constants."""
    return frozenset(_defined(ast.parse(path.read_text(encoding="utf-8")).body, ""))


def _defined(body: list[ast.stmt], within: str) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield within + name
            case ast.ClassDef(name=name):
                yield within + name
                yield from _defined(node.body, f"{within}{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield within + name


def exists(place: str) -> bool:
    """Whether a dotted place ("trust.room.stream.RoomStream.place" in sync/, "app.…" in app/) is in the sources."""
    parts = place.split(".")
    base = ROOT if parts[0] == "app" else ROOT / "sync"
    for at in range(1, len(parts)):
        module = base.joinpath(*parts[:at]).with_suffix(".py")
        if module.is_file():
            return ".".join(parts[at:]) in names_in(module)
    return False


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_a_rule_names_what_holds_it_and_tests_that_exist(rule: Rule) -> None:
    assert rule.sentence.endswith("."), "one sentence"
    assert rule.places, "nothing holds it"
    assert [p for p in rule.places if not exists(p)] == []
    assert rule.tests, "no test"
    assert [t for t in rule.tests if t not in every_test()] == []


def marked() -> set[str]:
    """Every function of sync/ whose source or docstring has ▲, as the table names it."""
    found = set()
    for path in (ROOT / "sync").rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        lines = [n for n, line in enumerate(source.splitlines(), start=1) if "▲" in line]
        module = ".".join(path.relative_to(ROOT / "sync").with_suffix("").parts)
        spans = list(_functions(ast.parse(source).body, "")) if lines else []
        for n in lines:
            found |= {f"{module}.{name}" for first, last, name in spans if first <= n <= last}
    return found


def _functions(body: list[ast.stmt], within: str) -> Iterator[tuple[int, int, str]]:
    """(first line, last line, dotted name) of every function and method."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.end_lineno or node.lineno, within + node.name
            case ast.ClassDef():
                yield from _functions(node.body, f"{within}{node.name}.")


def test_what_the_code_marks_as_a_rule_stands_in_the_table() -> None:
    """A new ▲ in the code needs a row: its sentence, and a test that fails without it."""
    assert len(marked()) > 50
    assert marked() - {place for rule in RULES for place in rule.places} == set()


def test_a_rule_has_one_name() -> None:
    assert [name for name, count in Counter(r.name for r in RULES).items() if count > 1] == []


def test_a_place_or_test_that_is_gone_is_missed() -> None:
    assert exists("trust.room.stream.RoomStream.place")
    assert not exists("trust.room.stream.RoomStream.no_such_rule")
    assert not exists("trust.no_such_module.place")
    assert "test_a_rule_has_one_name" in every_test()
    assert "test_" + "nobody_wrote_this" not in every_test()
