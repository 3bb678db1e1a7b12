# SPDX-License-Identifier: EUPL-1.2
"""State vectors are searched as their bytes, and every client is found there with its clock."""

import pycrdt
from hypothesis import given
from hypothesis import strategies as st

from app.objects.lib0 import MAX_CLIENT, MAX_CLOCK
from app.objects.sticky import MOST_CLOCKS, clock_in

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


def test_attack_a_caret_at_a_client_that_looks_like_a_thousand_clocks_is_not_searched_for_long() -> None:
    """30,000 clients with the clock 1, and a caret at the client 1: 3.4 s at each caret."""
    others = b"".join(number(2**40 + n) + number(1) for n in range(MOST_CLOCKS))
    found = number(MOST_CLOCKS + 1) + others + number(1) + number(7)
    assert clock_in(found, 1) == 0, "the search has ended before"
    assert clock_in(found, 2**40 + MOST_CLOCKS - 1) == 1
