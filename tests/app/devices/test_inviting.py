# SPDX-License-Identifier: EUPL-1.2
"""Where a device is let in, as a QR code says it; and this computer as a list of devices names it."""

import pytest

from app.core import machine
from app.devices.inviting import Pointer, read_pointer, write_pointer


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
