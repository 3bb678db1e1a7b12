# SPDX-License-Identifier: EUPL-1.2
"""Collation, clock, ids and small files."""

import errno
import os
import re
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import pytest

from app.core import clock, ids
from app.core.collation import swedish_key
from app.core.files import write_atomic


def test_swedish_letters_come_last_and_accents_do_not_matter() -> None:
    names = ["Östra", "Ängen", "Åkern", "zebra", "Zon", "Éa", "Eb", "arkiv", "Ystad", "Übel"]
    assert sorted(names, key=swedish_key) == [
        "arkiv", "Éa", "Eb", "Übel", "Ystad", "zebra", "Zon", "Åkern", "Ängen", "Östra",
    ]  # fmt: skip


def test_names_that_sort_alike_still_have_an_order() -> None:
    assert sorted(["eva", "Eva", "éva"], key=swedish_key) == ["Eva", "eva", "éva"]
    assert swedish_key("A\u030a")[0] == swedish_key("å")[0]


def test_a_test_can_set_the_clock_and_put_it_back() -> None:
    restore = clock.set_clock(lambda: 5)
    assert clock.now_ms() == 5
    restore()
    assert clock.now_ms() > 1_700_000_000_000


def test_ids_are_random_and_short_enough_for_a_log() -> None:
    assert len(ids.new_obj()) == len(ids.new_change()) == 16
    assert ids.new_id() != ids.new_id()
    assert re.fullmatch("[0-9a-f]{8}", ids.short(ids.new_id()))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"one")
    write_atomic(path, "två".encode())
    assert path.read_bytes() == "två".encode()

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, b"three")
    assert path.read_bytes() == "två".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_attack_a_time_that_no_calendar_shows_is_shown_as_the_nearest_that_it_does() -> None:
    """The time of a server, a device or a card. Showing such a time was an error that ended the view."""
    for t in (2**53, 2**64 - 1, clock.MAX_MS):
        assert clock.local(t).year in (9998, 9999)
    assert clock.local(-1) == clock.local(0)
    assert clock.local(1_795_000_000_000).year == 2026


class OnWindows(datetime):
    """Local times as Windows computes them: none in the first day of 1970 without a time zone, none after 3000."""

    @classmethod
    def fromtimestamp(cls, t: float, tz: tzinfo | None = None) -> Self:
        if tz is None and not 0 <= t < 32_503_680_000:
            raise OSError(errno.EINVAL, "Invalid argument")
        return super().fromtimestamp(t, tz)

    def astimezone(self, tz: tzinfo | None = None) -> Self:
        first = 1 if self.tzinfo is None else 0
        if tz is None and not first * 86_400 <= self.timestamp() < 32_503_680_000:
            raise OSError(errno.EINVAL, "Invalid argument")
        return super().astimezone(tz)


@pytest.mark.parametrize("t", [0, 1, 86_399_999, 1_795_000_000_000, 2**53])
def test_attack_a_time_that_windows_has_no_local_time_for_is_shown(monkeypatch: pytest.MonkeyPatch, t: int) -> None:
    shown = clock.local(t)
    monkeypatch.setattr(clock, "datetime", OnWindows)
    monkeypatch.setattr(clock, "_EPOCH", OnWindows(1970, 1, 1, tzinfo=UTC), raising=False)
    assert abs(clock.local(t) - shown) < timedelta(milliseconds=1)
    assert clock.local(t).tzinfo is not None
