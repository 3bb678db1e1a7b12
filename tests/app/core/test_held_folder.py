# SPDX-License-Identifier: EUPL-1.2
"""A folder that is held: what lies in it is found and removed, and no link is followed."""

from pathlib import Path

import pytest

from app.core.held_folder import HeldFolder


def test_what_lies_in_it_is_found_read_and_removed(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_bytes(b"hello")
    with HeldFolder.at(tmp_path) as held:
        assert held.names() == ["inner"]
        assert held.is_folder("inner")
        assert not held.is_file("inner")
        assert not held.is_folder("nothing")
        with held.folder("inner") as inner:
            assert inner.is_file("file")
            assert inner.read("file", 4) == b"hell"
            inner.remove("file")
        held.remove_folder("inner")
        assert held.names() == []
    held.close()


def test_a_link_is_no_folder_and_is_removed_without_its_target(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "kept").write_bytes(b"")
    (tmp_path / "link").symlink_to(target)
    (tmp_path / "pointer").symlink_to(target / "kept")
    with HeldFolder.at(tmp_path) as held:
        assert not held.is_folder("link")
        assert not held.is_file("pointer")
        with pytest.raises(OSError, match="link"):
            held.folder("link")
        with pytest.raises(OSError, match="pointer"):
            held.read("pointer", 10)
        held.remove("link")
        held.remove("pointer")
    assert (target / "kept").exists()
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(OSError, match="link"):
        HeldFolder.at(tmp_path / "link")


def test_it_stays_the_folder_that_it_was_when_its_name_becomes_a_link(tmp_path: Path) -> None:
    ours, others = tmp_path / "ours", tmp_path / "others"
    for folder in (ours, others):
        folder.mkdir()
        (folder / "store.db").write_bytes(b"")
    with HeldFolder.at(ours) as held:
        ours.rename(tmp_path / "moved")
        ours.symlink_to(others)
        held.remove("store.db")
    assert (others / "store.db").exists()
    assert not (tmp_path / "moved" / "store.db").exists()
