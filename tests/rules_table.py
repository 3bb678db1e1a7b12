# SPDX-License-Identifier: EUPL-1.2
"""Tables of the rules that ▲ marks: reads them from a document, and finds the marks, the places and the tests in the
sources. Nothing is imported."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROTOCOL, RULES = ROOT / "sync" / "PROTOCOL.md", ROOT / "docs" / "RULES.md"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row: the rule's name, its sentence, dotted places in the code, names of tests."""

    name: str
    sentence: str
    places: tuple[str, ...]
    tests: tuple[str, ...]


def rules(document: Path) -> list[Rule]:
    """The rows of every table of rules in the document, in order. AssertionError for a row without four cells."""
    lines = document.read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if re.match(r"\| `[a-z0-9-]+\.[a-z0-9.-]+` \|", line)]
    assert rows, f"{document.name} has no table of rules"
    assert all(len(row) == 4 for row in rows), [row for row in rows if len(row) != 4]
    return [
        Rule(name=n.strip("`"), sentence=sentence, places=ticked(places), tests=ticked(tests))
        for n, sentence, places, tests in rows
    ]


def ticked(cell: str) -> tuple[str, ...]:
    """What stands between backticks in a table's cell."""
    return tuple(re.findall(r"`([^`]+)`", cell))


def problems(rule: Rule) -> list[str]:
    """What is wrong with a row, in words."""
    return [
        *([] if rule.sentence.endswith(".") else ["one sentence"]),
        *([] if rule.places else ["nothing holds it"]),
        *(f"no such place: {place}" for place in rule.places if not exists(place)),
        *([] if rule.tests else ["no test"]),
        *(f"no such test: {test}" for test in rule.tests if test not in every_test()),
    ]


@cache
def every_test() -> frozenset[str]:
    """Every test function in the tree."""
    found = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, _Function) and node.name.startswith("test_"):
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
    """Whether a dotted place is in the sources: "trust.room.stream.RoomStream.place" is in sync/, "app.…" and "ui.…"
    are in these. A module alone is a place too."""
    parts = place.split(".")
    base = ROOT if parts[0] in ("app", "ui") else ROOT / "sync"
    for at in range(1, len(parts) + 1):
        module = base.joinpath(*parts[:at]).with_suffix(".py")
        if module.is_file():
            return at == len(parts) or ".".join(parts[at:]) in names_in(module)
    return False


def marked(folder: Path, base: Path) -> set[str]:
    """Every place in the modules below `folder` whose source has ▲, docstrings and comments included. A place is the
    innermost function or class around the mark, or the module if the mark is in none; its dotted name begins below
    `base`."""
    found = set()
    for path in folder.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        lines = [n for n, line in enumerate(source.splitlines(), start=1) if "▲" in line]
        module = ".".join(path.relative_to(base).with_suffix("").parts)
        spans = list(_spans(ast.parse(source).body, "")) if lines else []
        for n in lines:
            within = [(first, name) for first, last, name in spans if first <= n <= last]
            found.add(f"{module}.{max(within)[1]}" if within else module)
    return found


def _spans(body: list[ast.stmt], within: str) -> Iterator[tuple[int, int, str]]:
    """(first line, last line, dotted name) of every class, function and method."""
    for node in body:
        if isinstance(node, _Function | ast.ClassDef):
            yield node.lineno, node.end_lineno or node.lineno, within + node.name
        if isinstance(node, ast.ClassDef):
            yield from _spans(node.body, f"{within}{node.name}.")
