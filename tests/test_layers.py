# SPDX-License-Identifier: EUPL-1.2
"""The import contracts hold, and each can fail: a contract that accepts anything protects nothing."""

import ast
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sync.client.parts import EngineParts

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "tests/demo"
OURS = {"app", "ui", "sync"}


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_every_layer_contract_of_a_folder_is_exhaustive() -> None:
    layered = [contract for contract in contracts() if contract["type"] == "layers" and "containers" in contract]
    split = {"sync.client", "sync.server", "sync.trust", "ui.shell"}  # folders with layers of their own
    assert {contract["containers"][0] for contract in layered} == OURS | split
    assert all(contract["exhaustive"] for contract in layered)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("sync/ids.py", "import app"),
        ("sync/errors.py", "import PySide6.QtCore"),
        ("app/errors.py", "import ui"),
        ("app/errors.py", "import qasync"),
        ("app/errors.py", "import pycrdt"),
        ("app/store/connection.py", "import sqlalchemy"),
        ("ui/__init__.py", "import sync.errors"),
        ("sync/trust/__init__.py", "import cryptography"),
        ("sync/protocol/__init__.py", "import sync.trust"),
        ("app/core/__init__.py", "import app.store"),
    ],
)
def test_an_import_against_the_layers_is_found(tmp_path: Path, where: str, line: str) -> None:
    """The real tree, linked file by file, with one forbidden line added."""
    for part in [*OURS, "resources"]:
        for path in (ROOT / part).rglob("*.py"):
            copy = tmp_path / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(path)
    (tmp_path / "pyproject.toml").symlink_to(ROOT / "pyproject.toml")
    guilty = tmp_path / where
    text = guilty.read_text(encoding="utf-8")
    guilty.unlink()
    guilty.write_text(f"{text}\n{line}\n", encoding="utf-8")
    answer = lint(tmp_path)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "BROKEN" in answer.stdout


def test_the_demo_drives_the_program_from_outside() -> None:
    """The driver imports nothing of ours; the pilot, which lives in the client's process, only its entry and
    the clock, which it sets ahead.

    `prise` is a process of its own too: it attacks the stored bytes, and must know their format.
    """
    allowed = {"pilot": {"ui.__main__", "app.core"}}
    for path in sorted(DEMO.glob("*.py")):
        if path.stem == "prise":
            continue
        ours = {name for name in imports(path) if name.split(".")[0] in OURS}
        attack = {name for name in imports(path) if name == "tests.demo.prise"}
        assert not attack, f"tests/demo/{path.name} imports what knows the formats"
        assert ours <= allowed.get(path.stem, set()), f"tests/demo/{path.name} imports {sorted(ours)}"


def read_of_an_engine(source: str, names: set[str]) -> list[int]:
    """The lines that read one of these attributes of an engine."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute) and node.attr in names]
    owners = [(node.lineno, getattr(node.value, "attr", getattr(node.value, "id", ""))) for node in found]
    return [line for line, owner in owners if owner.lstrip("_") == "engine"]


def test_nothing_above_sync_reads_the_parts_of_an_engine() -> None:
    """They have the account's keys, and are there for tests of sync/client."""
    assert (
        read_of_an_engine("self._engine.parts.link", {"parts"}) == [1] == read_of_an_engine("engine.parts", {"parts"})
    )
    assert read_of_an_engine("self._tools.parts", {"parts"}) == []
    files = [file for layer in ("app", "ui") for file in (ROOT / layer).rglob("*.py")]
    assert [file for file in files if read_of_an_engine(file.read_text(encoding="utf-8"), {"parts"})] == []


def test_tests_read_the_parts_of_an_engine_by_their_public_names() -> None:
    private = {f"_{each.name}" for each in fields(EngineParts)}
    assert read_of_an_engine("a.engine._link.rooms", private) == [1]
    files = (ROOT / "tests").rglob("*.py")
    assert [file for file in files if read_of_an_engine(file.read_text(encoding="utf-8"), private)] == []
