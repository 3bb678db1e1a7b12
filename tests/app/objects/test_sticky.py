# SPDX-License-Identifier: EUPL-1.2
"""State vectors are searched as their bytes, and every client is found there with its clock."""

import pycrdt
from hypothesis import given
from hypothesis import strategies as st

from app.objects.lib0 import MAX_CLIENT, MAX_CLOCK
from app.objects.sticky import clock_in

NUMBERS = st.integers(0, 300) | st.integers(0, MAX_CLOCK - 1)


def number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value % 0x80 + 0x80)
        value //= 0x80
    return bytes((*out, value))


@given(st.dictionaries(NUMBERS | st.integers(0, MAX_CLIENT - 1), NUMBERS, max_size=40), NUMBERS)
def test_each_client_has_its_clock_and_others_have_none(clocks: dict[int, int], other: int) -> None:
    state = number(len(clocks)) + b"".join(number(client) + number(clock) for client, clock in clocks.items())
    assert {client: clock_in(state, client) for client in clocks} == clocks
    assert clock_in(state, other) == clocks.get(other, 0)


def test_the_librarys_own_state_is_read() -> None:
    doc = pycrdt.Doc[pycrdt.Text](client_id=4711)
    doc["text"] = pycrdt.Text("Beslut åäö 🙂")
    assert clock_in(doc.get_state(), 4711) == len("Beslut åäö 🙂".encode("utf-16-le")) // 2
    assert clock_in(doc.get_state(), 4712) == 0
