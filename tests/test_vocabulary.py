# SPDX-License-Identifier: EUPL-1.2
"""Names and docstrings use the field's words (CONTRIBUTING.md, "Vocabulary"), not words of this project's own."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A pattern that no name (`name`, against its parts in snake_case) and no docstring (`text`, in small letters or
    with a capital) of `folder` has. In a docstring a word all in capitals is a constant or an acronym, and allowed."""

    name: str = ""
    text: str = ""
    write: str
    folder: str = ""


# The left column of CONTRIBUTING.md, in its order.
WORDS = [
    Word(name="deeds?", text=r"\bdeeds?\b|\bdone_now\b", write="room operation; action; run_guarded"),
    Word(name="done_now", write="run_guarded"),
    Word(name="whispers?", text=r"\bwhisper(s|ed|ing)?\b", write="ephemeral message"),
    Word(name="witness", text=r"\bwitness\b", write="receipt verifier", folder="sync/client"),
    Word(name="meets?|met|meeting_again|looks?_anew", text=r"\bmeets?\b|\bmet\b", write="check head, recheck head"),
    Word(name="bare", text=r"\bbare\b", write="headers-only", folder="sync/client"),
    Word(name="joining|arrived?|arrives?", write="bootstrap, bootstrap buffer", folder="sync/client"),
    Word(text=r"\barriv(e|es|ed|ing)\b", write="bootstrap; is received", folder="sync/client"),
    Word(name="fill(ed|s)?|gaps?", text=r"\bgaps?\b", write="backfill, missing range", folder="sync/client"),
    Word(name="mend(s|er|ed|ing)?", text=r"\bmend(s|er|ed|ing)?\b", write="restore recovery, re-upload; repair"),
    Word(name="hand(s|ed)?_in|handedin", text=r"\bhand(s|ed|ing)? in\b", write="re-upload"),
    Word(name="keepsakes?", text=r"\bkeepsakes?\b", write="sealed export"),
    Word(name="(?<!recovery_)(?<!style_)sheets?", write="recovery sheet"),
    Word(text=r"(?<!recovery[ -])(?<!style )\bsheets?\b", write="recovery sheet"),
    Word(name="dirty|dirt", text=r"\bdirty\b|\bdirt\b", write="owes a rotation"),
    Word(name="twins?", text=r"\btwins?\b", write="duplicate account"),
    Word(name="ways?", write="route, unlock method, egress"),
    Word(name="told|tells?|said|says?|hears?|heard", write="format_…, notify_…, received, the noun"),
    Word(text=r"\b(tells?|told|hears?|heard)\b", write="notifies, receives"),
    Word(text=r"\blife signs?\b", write="heartbeat, last seen"),
    Word(name="turns?", write="rotation limit; its start", folder="sync/server"),
    Word(name="anew", text=r"\banew\b", write="again, from scratch"),
    Word(text=r"\b(is|are) anothers?\b|\bare others\b", write="changed, differs"),
    Word(text=r"\bwhoever\b|\bone who\b|(?-i:^Who\b|(?<=\. )Who\b)", write="name the actor"),
    Word(text=r"\bstands?\b", write="is, is stored"),
    Word(text=r"\blet go( of)?\b", write="drop, release"),
    Word(text=r"[,;:] else\b|\bor else\b", write="otherwise (a sentence of its own)"),
]
CLASSES = {"Told", "Found", "Met", "Back", "Looked", "Begun", "Said", "Heard"}  # a past participle names no value


def parts(name: str) -> str:
    """A name as snake_case: "DeedButton" and "_deedButton" give "deed_button"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip("_")).lower()


def names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def docstrings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Docstrings of modules, classes and functions, and the strings below attributes."""
    for node in ast.walk(tree):
        for line in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if (
                isinstance(line, ast.Expr)
                and isinstance(line.value, ast.Constant)
                and isinstance(line.value.value, str)
            ):
                yield line.value.value, line.lineno


def private_words(path: Path) -> list[str]:
    """Each private word of a file: place, word, and what to write instead."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    where = path.relative_to(ROOT).as_posix()
    named = [(name, parts(name), line) for name, line in names(tree)]
    texts = [(" ".join(re.sub(r"`[^`]*`", "", text).split()), line) for text, line in docstrings(tree)]
    found: list[str] = []
    for word in (word for word in WORDS if where.startswith(word.folder)):
        if word.name:
            pattern = re.compile(rf"(?:^|_)(?:{word.name})(?=_|$)")
            found += [f"{where}:{line}: {name}: {word.write}" for name, of, line in named if pattern.search(of)]
        if word.text:
            found += [
                f"{where}:{line}: {hit.group(0)}: {word.write}"
                for text, line in texts
                for hit in re.finditer(word.text, text, re.IGNORECASE)
                if not hit.group(0).isupper()
            ]
    found += [f"{where}:{line}: class {name}: the noun" for name, _, line in named if name.strip("_") in CLASSES]
    return found


@pytest.mark.parametrize("part", ["sync", "app", "ui"])
def test_names_and_docstrings_use_the_vocabulary(part: str) -> None:
    found = [line for path in sorted((ROOT / part).rglob("*.py")) for line in private_words(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("def tell_room(deed: int) -> None: ...", "tell_room"),
        ("def tell_room(deed: int) -> None: ...", "deed"),
        ("class KeepsakeBox: ...", "KeepsakeBox"),
        ("class Found: ...", "class Found"),
        ("made_anew = 1", "made_anew"),
        ('def f() -> None:\n    """Whoever has a sheet."""', "Whoever"),
        ('def f() -> None:\n    """Drops it, else it stays."""', ", else"),
        ('def f() -> None:\n    """Drops it. Tells the caller."""', "Tells"),
    ],
)
def test_a_private_word_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, word: str) -> None:
    monkeypatch.setattr("tests.test_vocabulary.ROOT", tmp_path)
    path = tmp_path / "app" / "any.py"
    path.parent.mkdir()
    path.write_text(f"{line}\n", encoding="utf-8")
    assert any(f": {word}" in hit for hit in private_words(path))


def test_the_fields_words_are_not_taken_for_private_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_vocabulary.ROOT", tmp_path)
    path = tmp_path / "any.py"
    path.write_text(
        'def new_recovery_sheet(a: str) -> str:\n    """A recovery sheet. `else` is code. Nobody else. STANDS: yes."""',
        encoding="utf-8",
    )
    assert private_words(path) == []
