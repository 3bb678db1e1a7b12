# SPDX-License-Identifier: EUPL-1.2
"""Where a device is let in, as a QR code says it; how long digits are refused; and this computer as a list of devices
names it."""

from pathlib import Path

import pytest

from app.core import machine
from app.devices.inviting import HOUR_MS, Misses, Pointer, read_pointer, write_pointer
from app.store.store import Store


def test_what_is_written_is_read() -> None:
    pointer = Pointer(server="kansli.myndighet.example:8443", code="ABCD EFGH & åäö")
    assert write_pointer(pointer).startswith("kansli:join?")
    assert read_pointer(f" {write_pointer(pointer)}\n") == pointer


@pytest.mark.parametrize(
    "text",
    ["", "kansli:join", "kansli:join?server=a", "kansli:join?code=b", "kansli://enrol?server=a&code=b",
     "https:join?server=a&code=b", "kansli:verify?server=a&code=b", "http://[::1"],
)  # fmt: skip
def test_what_is_none_is_none(text: str) -> None:
    assert read_pointer(text) is None


def test_the_system_is_named() -> None:
    assert 0 < len(machine.system()) <= 64
    assert len(machine.name()) <= 64


@pytest.mark.parametrize(
    ("failed_min", "ends_min"),
    [
        ((0, 30), None),
        ((0, 30, 59), 119),  # not when the first of them is an hour old
        ((0, 30, 60), None),
        ((0, 1, 2), 62),
        ((0, 50, 100), None),
        ((0, 30, 59, 119), None),
    ],
)
def test_three_failures_within_an_hour_stop_digits_for_an_hour(
    tmp_path: Path, failed_min: tuple[int, ...], ends_min: int | None
) -> None:
    store = Store.create(tmp_path / "store.db", bytes(32), {})
    misses, minute = Misses(store.notes), HOUR_MS // 60
    for at in failed_min:
        misses.add(at * minute)
    last = failed_min[-1] * minute
    if ends_min is None:
        assert misses.until(last) is None
    else:
        assert misses.until(last) == misses.until(ends_min * minute - 1) == ends_min * minute
        assert misses.until(ends_min * minute) is None
    store.close()
