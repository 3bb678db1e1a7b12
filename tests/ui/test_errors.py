# SPDX-License-Identifier: EUPL-1.2
"""Every stable code has its own sentence: what happened, what it means, what to do, in Swedish and English."""

import ast
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import ui.errors
from app.core.i18n import set_language
from app.errors import BugError, StoreUnwritable
from sync.protocol.messages import ErrorCode
from ui.errors import format_error, sentence, sentence_of, sentences

ROOT = Path(__file__).resolve().parents[2]
RAISERS = {"Refused", "BadChange"}  # a Reject names a broken rule of the protocol: those share one sentence


def code_in(node: ast.AST) -> str | None:
    """A stable code that this node declares or raises."""
    if isinstance(node, ast.Assign | ast.AnnAssign):
        names = node.targets if isinstance(node, ast.Assign) else [node.target]
        is_code = any(isinstance(n, ast.Name) and n.id == "code" for n in names)
        return (
            node.value.value
            if is_code and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            else None
        )
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISERS and node.args:
        first = node.args[0]
        return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return None


def codes() -> dict[str, str]:
    """Every code in app/ and in what clients run of sync/, and where it is."""
    found = {code.value: "ErrorCode" for code in ErrorCode}
    for file in [*(ROOT / "app").rglob("*.py"), *(ROOT / "sync").rglob("*.py")]:
        if "server" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            code = code_in(node)
            if code:
                found[code] = str(file.relative_to(ROOT))
    return found


def tables() -> list[dict[str, object]]:
    """Every table of sentences that a module of ui/errors/ writes."""
    modules = [import_module(f"ui.errors.{m.name}") for m in iter_modules(ui.errors.__path__) if m.name != "sentences"]
    return [value for m in modules for name, value in vars(m).items() if name.isupper() and isinstance(value, dict)]


def test_no_code_stands_in_two_tables_since_the_last_one_would_hide_the_others() -> None:
    assert len(tables()) > 5
    counted = Counter(code for table in tables() for code in table)
    assert {code: n for code, n in counted.items() if n > 1} == {}
    assert set(counted) <= set(sentences())


def test_every_code_has_a_sentence() -> None:
    known = sentences()
    assert {code: where for code, where in codes().items() if code not in known} == {}


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_sentence_says_what_happened_what_it_means_and_what_to_do(language: str) -> None:
    set_language(language)
    try:
        for code, parts in sentences().items():
            assert all(part.endswith(".") and part[0].isupper() for part in parts), code
    finally:
        set_language("sv")


def test_an_unknown_code_still_gets_a_sentence() -> None:
    assert sentence("something-new").title == "Något var inte som det skulle."
    assert sentence_of(ValueError("hemligt")).title == "Något gick fel i Kansli."
    assert "hemligt" not in sentence_of(ValueError("hemligt")).text


@pytest.mark.parametrize(
    ("error", "logged"), [(BugError("x"), True), (ValueError("hemligt"), True), (StoreUnwritable(), False)]
)
def test_a_fault_of_ours_that_is_shown_in_place_is_in_the_log(
    caplog: pytest.LogCaptureFixture, error: Exception, logged: bool
) -> None:
    format_error(error)
    assert ("shown-in-place" in caplog.text) is logged
    assert "hemligt" not in caplog.text
