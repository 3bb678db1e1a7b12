# SPDX-License-Identifier: EUPL-1.2
"""A module that waits for its first use."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from app.core import later
from app.core.later import Later

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_a_module_is_imported_at_its_first_use() -> None:
    look = "print('pycrdt' in sys.modules)"
    code = f"import sys, app.objects.crdt as c; {look}; c.CrdtDoc(); {look}"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "True"]


def test_what_is_not_there_is_an_error_as_ever() -> None:
    with pytest.raises(AttributeError):
        Later("json").nothing  # noqa: B018 - the look-up is the test
    with pytest.raises(ModuleNotFoundError):
        Later("no_such_module").anything  # noqa: B018


def test_a_frozen_program_imports_all_when_it_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade, the folder has the modules of another version."""
    monkeypatch.setattr(later, "_when_idle", {})
    Later("no_such_module")
    assert later.waiting() == []
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    Later("no_such_module")
    assert later.waiting() == ["no_such_module"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import no_such_module", ImportError),
        ("raise OSError", OSError),
        ("å =", SyntaxError),
        ("1 / 0", ArithmeticError),
    ],
)
def test_a_module_that_cannot_be_imported_leaves_no_other_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, error: type[Exception]
) -> None:
    """As after an update that replaced the files of a running program."""
    (tmp_path / "torn_module.py").write_text(text, encoding="utf-8")
    (tmp_path / "sound_module.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(later, "_when_idle", {"torn_module": None, "sound_module": None})
    assert list(later.import_in_steps()) == ["sound_module"]
    del sys.modules["sound_module"]
    with pytest.raises(error):
        Later("torn_module").anything  # noqa: B018 - the first use


def placeholders(tree: ast.Module) -> set[str]:
    """The modules that a file imports later."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Later"]
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}


def imported(tree: ast.Module) -> set[str]:
    """The modules that the import statements of a file name, wherever they are."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{each.name}" for each in node.names} | {str(node.module)}
    return found


def test_each_placeholder_has_its_import_for_the_packages() -> None:
    """PyInstaller finds modules by the import statements: one that only a placeholder names would not be packaged."""
    files = [file for part in ("app", "sync", "ui") for file in (ROOT / part).rglob("*.py")]
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}
    assert sum(len(placeholders(tree)) for tree in trees.values()) > 20
    missing = {str(file): wrong for file, tree in trees.items() if (wrong := placeholders(tree) - imported(tree))}
    assert missing == {}


def test_a_placeholder_without_its_import_is_found() -> None:
    tree = ast.parse('view = Later("ui.chat.view", when_idle=True)\nfrom ui.chat import notices')
    assert placeholders(tree) - imported(tree) == {"ui.chat.view"}
