# SPDX-License-Identifier: EUPL-1.2
"""A running program notices that a newer release was installed where it was started from."""

import sys
from pathlib import Path

import pytest

from app.installed import FILE, Installed, version_file


@pytest.mark.parametrize(
    ("text", "newer"),
    [
        (b"0.2.0", "0.2.0"),
        (b"0.10.0\n", "0.10.0"),
        (b"0.1.0", None),
        (b"0.0.9", None),
        (b"", None),
        (b"0.2", "0.2"),
        (b"newer", None),
        (b"\xff\xfe0.2.0", None),
        (b"9" * 1000, None),
        (b"0.2.0\n<b>", None),
    ],
)
def test_only_a_newer_release_counts(tmp_path: Path, text: bytes, newer: str | None) -> None:
    (tmp_path / FILE).write_bytes(text)
    assert Installed(tmp_path / FILE, "0.1.0").newer() == newer


def test_a_package_that_is_replaced_or_removed_is_seen_when_it_is_looked_at(tmp_path: Path) -> None:
    installed = Installed(tmp_path / FILE, "0.1.0", held_by_system=True)
    assert installed.newer() is None
    (tmp_path / FILE).write_text("0.2.0")
    assert installed.newer() == "0.2.0"
    assert not installed.needs_computer
    (tmp_path / FILE).unlink()
    assert installed.newer() is None


@pytest.mark.parametrize("held", [True, False])
def test_what_was_newer_at_the_start_waits_for_the_computer_where_files_in_use_cannot_be_replaced(
    tmp_path: Path, held: bool
) -> None:
    (tmp_path / FILE).write_text("0.2.0")
    assert Installed(tmp_path / FILE, "0.1.0", held_by_system=held).needs_computer is held


def test_the_file_lies_beside_the_frozen_programs_libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert version_file() is None, "from source there is no package"
    assert Installed(version_file()).newer() is None
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert version_file() == tmp_path / FILE
