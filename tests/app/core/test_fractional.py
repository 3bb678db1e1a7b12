# SPDX-License-Identifier: EUPL-1.2
"""Order keys: strictly between, whatever was inserted where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.fractional import between, spread


@given(st.lists(st.integers(min_value=0, max_value=10_000), max_size=120), st.booleans())
def test_a_list_keeps_the_order_in_which_its_places_were_chosen(places: list[int], jittered: bool) -> None:
    keys: list[str] = []
    for place in places:
        at = place % (len(keys) + 1)
        key = between(
            keys[at - 1] if at else None,
            keys[at] if at < len(keys) else None,
            None if jittered else str,
        )
        keys.insert(at, key)
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_a_thousand_appended_keys_stay_short() -> None:
    assert max(map(len, spread(1000))) <= 7


def test_a_thousand_keys_put_first_stay_short() -> None:
    key = between(None, None)
    for _ in range(1000):
        key = between(None, key)
    assert len(key) <= 7


def test_a_place_between_the_same_two_can_always_be_found() -> None:
    low, high = between(None, None), between(between(None, None), None)
    for _ in range(200):
        middle = between(low, high)
        assert low < middle < high
        high = middle


def test_keys_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        between("a1", "a1")


def test_two_people_who_insert_at_the_same_place_rarely_get_the_same_key() -> None:
    assert len({between("a1", "a2") for _ in range(50)}) > 45


@pytest.mark.parametrize(("low", "high"), [(None, "A" + "0" * 26), ("a0", "a00"), ("a0", "a000")])
def test_where_no_key_is_between_none_is_made_up(low: str | None, high: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        between(low, high)


def test_attack_a_colleagues_key_of_thousands_of_digits_has_others_beside_it() -> None:
    low, high = "a1" + "z" * 5000, "a2" + "0" * 5000 + "1"
    assert low < between(low, "a2") < "a2"
    assert "a2" < between("a2", high) < high


def test_a_key_that_no_program_of_ours_writes_has_one_below_it() -> None:
    assert between(None, "a00") < "a00"
