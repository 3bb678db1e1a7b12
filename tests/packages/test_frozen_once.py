# SPDX-License-Identifier: EUPL-1.2
"""A program is frozen again when something that it is made of changes, and only then. Nothing is frozen here."""

from functools import partial
from pathlib import Path

import pytest
import sources


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a few files."""
    for name in ("app/a.py", "ui/å.py", "sync/s.py", "resources/r.svg", "packaging/kansli.spec", "LICENSE"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    monkeypatch.setattr(sources, "PACKAGING", tmp_path / "packaging")
    return tmp_path


@pytest.mark.parametrize("name", ["app/a.py", "ui/å.py", "sync/new.py", "resources/r.svg", "packaging/kansli.spec"])
def test_another_source_is_another_digest(project: Path, name: str) -> None:
    before = sources.digest("kansli", "wheels")
    assert sources.digest("kansli", "wheels") == before
    (project / name).write_text("other", encoding="utf-8")
    assert sources.digest("kansli", "wheels") != before


def test_other_wheels_are_another_digest_and_compiled_modules_are_not(project: Path) -> None:
    before = sources.digest("kansli", "wheels", "packages")
    assert sources.digest("kansli", "wheels", "other") != before
    (project / "app/__pycache__").mkdir()
    (project / "app/__pycache__/a.pyc").write_bytes(b"compiled")
    assert sources.digest("kansli", "wheels", "packages") == before


def test_the_same_sources_are_frozen_once(tmp_path: Path) -> None:
    frozen: list[str] = []
    for digest in ("one", "one", "two", "two"):
        sources.unless_frozen(tmp_path / "made-of", partial(str, digest), partial(frozen.append, digest))
    assert frozen == ["one", "two"]


def test_what_was_cut_off_or_changed_while_it_was_frozen_is_frozen_again(tmp_path: Path) -> None:
    stamp, said = tmp_path / "made-of", iter(["old", "old", "before", "after"])
    frozen: list[str] = []
    sources.unless_frozen(stamp, lambda: next(said), lambda: frozen.append("first"))
    with pytest.raises(SystemExit, match="changed while they were frozen"):
        sources.unless_frozen(stamp, lambda: next(said), lambda: frozen.append("second"))
    assert not stamp.exists(), "the folder is not the old one any more"
