# SPDX-License-Identifier: EUPL-1.2
"""A folder that another user of the computer made is distinguished from one's own, and holds no profile."""

import os
import sys
from pathlib import Path

import pytest

from app.core.owners import is_anothers
from app.errors import DataOfAnother
from app.profile import Profile

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners are otherwise there")
MADE = ("", "profiles", "profiles/default")


@pytest.mark.parametrize(
    ("mode", "anothers"), [(0o700, False), (0o775, False), (0o777, True), (0o1777, False), (0o702, True)]
)
def test_what_everybody_may_write_in_is_nobodys_own(tmp_path: Path, mode: int, anothers: bool) -> None:
    tmp_path.chmod(mode)
    assert is_anothers(tmp_path) is anothers


def test_who_made_it_is_asked_of_a_link_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert not is_anothers(link)
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    assert is_anothers(tmp_path) is (tmp_path.stat().st_uid != 0)
    with pytest.raises(FileNotFoundError):
        is_anothers(tmp_path / "none")


@pytest.mark.parametrize("place", MADE)
def test_a_profile_is_neither_made_nor_opened_where_another_was_first(tmp_path: Path, place: str) -> None:
    root = tmp_path / "root"
    folder = root / place
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(folder, 4711, -1)
    else:
        folder.chmod(0o777)
    with pytest.raises(DataOfAnother):
        Profile.open(root=root)
    assert not list(root.rglob("profile.json"))
    assert not list(root.rglob("lock"))


def test_root_makes_no_profile_in_somebody_elses_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `sudo kansli --diagnose` would where sudo keeps HOME: its owner could never write in it."""
    seen = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = seen(path, follow_symlinks=follow_symlinks)
        return os.stat_result([*found[:4], 12345, *found[5:]]) if path == tmp_path else found

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(DataOfAnother):
        Profile.open(root=tmp_path / ".local" / "share" / "Kansli")
    assert list(tmp_path.iterdir()) == []
