# SPDX-License-Identifier: EUPL-1.2
"""The two times in an MSI's summary become the one time of all packages."""

import struct
from pathlib import Path

import msi_times
import pytest

NOW, OTHER = 1_790_000_000, 1_790_000_002


def pair(created_s: int, saved_s: int) -> bytes:
    """As msibuild writes them, in seconds since 1970."""
    values = ((t + 11_644_473_600) * 10_000_000 for t in (created_s, saved_s))
    return b"".join(struct.pack("<IQ", 0x40, value) for value in values)


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msi_times, "epoch", lambda: 1_767_225_600)


@pytest.mark.parametrize(("created", "saved"), [(NOW, NOW), (NOW, OTHER)])
def test_both_get_the_one_time_and_nothing_else_changes(tmp_path: Path, created: int, saved: int) -> None:
    before, after = b"summary" * 9, b"\x40\0\0\0" * 9  # the latter looks like two times of the year 1601
    path = tmp_path / "a.msi"
    path.write_bytes(before + pair(created, saved) + after)
    msi_times.settle(path)
    assert path.read_bytes() == before + pair(1_767_225_600, 1_767_225_600) + after
    msi_times.settle(path)
    assert path.read_bytes() == before + pair(1_767_225_600, 1_767_225_600) + after


@pytest.mark.parametrize("content", [b"no times", pair(NOW, NOW) + pair(NOW, OTHER), pair(0, 0)])
def test_what_is_not_understood_ends_the_build_and_stays_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.msi"
    path.write_bytes(content)
    with pytest.raises(SystemExit, match="pairs of times"):
        msi_times.settle(path)
    assert path.read_bytes() == content
