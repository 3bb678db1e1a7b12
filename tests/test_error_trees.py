# SPDX-License-Identifier: EUPL-1.2
"""Every error of the product is a fault of the world or a fault of ours, and the trees that the modules draw are the
real ones."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from app.core.pieces import TooLong
from app.errors import is_ours
from sync.errors import BugError, Reject, SyncError, WorldError
from ui.selftest import Failed

ROOT = Path(__file__).parents[1]
APART = {
    "app.core.pieces.TooLong": "the budget of work in pieces is used up, and the caller goes on otherwise",
    "app.documents.conversion.docx_reader._Full": "ends the reading of a file; what was read is kept",
    "app.objects.structure.Broken": "becomes the verdict on a change",
    "app.store.rehearsal._TooLarge": "becomes the answer of a rehearsal",
    "app.store.rehearsal._TooLong": "becomes the answer of a rehearsal",
    "ui.selftest.Failed": "becomes the self-test's last line",
}
"""The errors that descend from neither root. Each is caught near by, and no person ever sees it."""
DRAWN = (
    "sync.errors", "app.errors", "app.card.errors", "app.chat.errors",
    "app.copies.errors", "app.documents.errors", "app.viewing.errors",
)  # fmt: skip
"""The modules that draw a tree in their head."""


def errors() -> dict[str, type[BaseException]]:
    """Every class of errors that the product makes, by its full name."""
    found: dict[str, type[BaseException]] = {}
    for layer in ("sync", "app", "ui"):
        for file in sorted((ROOT / layer).rglob("*.py")):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            names = [n.name for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.ClassDef)]
            if not names or module.endswith("__main__"):
                continue
            made = vars(importlib.import_module(module.removesuffix(".__init__")))
            classes = [made[name] for name in names if name in made]
            found |= {f"{module}.{c.__name__}": c for c in classes if issubclass(c, BaseException)}
    return found


def drawn(module: str) -> list[tuple[str, str]]:
    """The tree in the head of a module, as (class, its base or "" for a root), in its order.

    A line is the branch, names, and perhaps a remark or further names behind two spaces. Of several names in a row none
    has children.
    """
    doc = importlib.import_module(module).__doc__ or ""
    found: list[tuple[str, str]] = []
    above: list[str] = []
    for line in doc.splitlines():
        match = re.fullmatch(r"((?:│   |    )*)((?:├── |└── )?)(\S.*)", line)
        if match is None:
            continue
        depth, branch, rest = len(match[1]) // 4, match[2], match[3]
        first, _, more = rest.partition("  ")
        if branch:
            above = above[: depth + 1]
            found += [(name, above[-1]) for name in first.split(" · ")]
            above.append(first)
            found += [(name, first) for name in _names(more)]
        elif depth:
            found += [(name, above[-1]) for name in _names(rest)]
        elif re.fullmatch(r"[A-Z]\w+Error", first):
            found.append((first, ""))
            above = [first]
    return found


def _names(text: str) -> list[str]:
    """Names between dots; none in a remark, which has small letters outside of a name."""
    names = text.strip().split(" · ")
    return names if all(re.fullmatch(r"[A-Z]\w+", name) for name in names) else []


def test_every_error_is_a_fault_of_the_world_or_of_ours_or_has_a_reason() -> None:
    apart = {name for name, error in errors().items() if not issubclass(error, WorldError | BugError)}
    assert apart == set(APART)
    assert not any(issubclass(error, WorldError) and issubclass(error, BugError) for error in errors().values())


@pytest.mark.parametrize("module", DRAWN)
def test_a_drawn_tree_is_the_real_one(module: str) -> None:
    real = {
        (error.__name__, error.__bases__[0].__name__)
        for name, error in errors().items()
        if name.rpartition(".")[0] == module
    }
    tree = drawn(module)
    roots = {"WorldError", "BugError"}
    branches = [(name, base) for name, base in tree if name not in roots]
    assert len(branches) == len(set(branches))
    assert set(branches) == {(name, base) for name, base in real if name not in roots}
    assert {name for name, base in tree if not base} <= roots


def test_a_module_that_is_named_for_errors_draws_its_tree() -> None:
    files = [file for layer in ("sync", "app") for file in (ROOT / layer).rglob("errors.py")]
    assert {".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files} == set(DRAWN)


def test_what_is_no_fault_of_the_world_is_ours() -> None:
    assert all(is_ours(error) for error in (BugError(), KeyError("å"), OSError(), Failed(), TooLong()))
    assert not any(is_ours(error) for error in (WorldError(), SyncError(), Reject("sig")))
