# SPDX-License-Identifier: EUPL-1.2
"""The locked wheels are such as pyproject.toml asks for."""

import re
from pathlib import Path

import pytest
import wheels
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from wheels import LINUX, WINDOWS, Target

TARGETS = pytest.mark.parametrize("target", [LINUX, WINDOWS], ids=lambda t: t.name)


@TARGETS
def test_every_requirement_is_locked_within_its_range(target: Target) -> None:
    locked = wheels.hashes(target)
    asked = [Requirement(line) for line in [*wheels.requirements(), *target.extra]]
    there = [r for r in asked if canonicalize_name(r.name) not in target.dropped]
    assert there
    missing = [r.name for r in there if canonicalize_name(r.name) not in locked]
    assert not missing, f"not in {target.locked.name}: {', '.join(missing)}; run python packaging/builder lock"
    odd = [r.name for r in there if locked[canonicalize_name(r.name)][0] not in r.specifier]
    assert not odd, f"outside of pyproject's range: {', '.join(odd)}; run python packaging/builder lock"


@TARGETS
def test_every_line_of_a_lock_has_one_version_and_one_hash(target: Target) -> None:
    lines = [line for line in target.locked.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    wrong = [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.+!]+ --hash=sha256:[0-9a-f]{64}", line)]
    assert not wrong
    assert len({line.partition("==")[0] for line in lines}) == len(lines)


def test_both_systems_get_the_same_versions() -> None:
    linux, windows = wheels.hashes(LINUX), wheels.hashes(WINDOWS)
    differ = {name for name in linux.keys() & windows.keys() if linux[name][0] != windows[name][0]}
    assert not differ


@pytest.mark.slow
def test_a_wheel_with_another_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pip is really asked, with the lines of a lock; the wheel lies in a folder, so that no network is needed."""
    wheel = tmp_path / "there" / "segno-1.6.6-py3-none-any.whl"
    wheel.parent.mkdir()
    wheel.write_bytes(b"not what was locked")
    monkeypatch.setattr(wheels, "WORK", tmp_path)
    monkeypatch.setattr("places.WORK", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setattr(Target, "locked", property(lambda self: tmp_path / "lock.txt"))
    (tmp_path / "lock.txt").write_text(f"segno==1.6.6 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="DO NOT MATCH THE HASHES"):
        wheels.download(LINUX)
    assert not (tmp_path / "wheels-linux/locked.txt").exists(), "a second run would have taken it for good"
