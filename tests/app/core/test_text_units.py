# SPDX-License-Identifier: EUPL-1.2
"""Counting text in UTF-16 units, code points and UTF-8 bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import text_units as units

TEXT = "aå🙂ö"
texts = st.text(alphabet=st.sampled_from("aåäö🙂👩🏽\n\u0301"), max_size=30)


def test_the_three_lengths_of_a_text() -> None:
    assert (len(TEXT), units.utf16_len(TEXT), units.utf8_len(TEXT)) == (4, 5, 9)


@pytest.mark.parametrize(("utf16", "point", "utf8"), [(0, 0, 0), (1, 1, 1), (2, 2, 3), (4, 3, 7), (5, 4, 9)])
def test_positions_convert_in_both_directions(utf16: int, point: int, utf8: int) -> None:
    assert units.point_from_utf16(TEXT, utf16) == point
    assert units.utf16_from_point(TEXT, point) == utf16
    assert units.point_from_utf8(TEXT, utf8) == point
    assert units.utf8_from_point(TEXT, point) == utf8
    assert units.utf8_from_utf16(TEXT, utf16) == utf8
    assert units.utf16_from_utf8(TEXT, utf8) == utf16


def test_a_position_inside_a_character_moves_to_its_start() -> None:
    assert units.point_from_utf16(TEXT, 3) == 2
    assert [units.point_from_utf8(TEXT, n) for n in (2, 4, 5, 6)] == [1, 2, 2, 2]


def test_positions_past_the_end_are_the_end() -> None:
    assert (units.point_from_utf16(TEXT, 99), units.point_from_utf8(TEXT, 99)) == (4, 4)
    assert (units.point_from_utf16("abc", 99), units.point_from_utf8("abc", 99)) == (3, 3)


def test_a_negative_position_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        units.point_from_utf16("a", -1)


def test_lone_surrogates_count_as_one_and_can_be_cleaned() -> None:
    text = "a\ud83db"
    assert units.utf16_len(text) == 3
    assert [units.point_from_utf16(text, n) for n in range(4)] == [0, 1, 2, 3]
    assert units.clean(text) == "a\ufffdb"
    assert units.clean(TEXT) == TEXT


@given(texts)
def test_every_code_point_survives_conversion_there_and_back(text: str) -> None:
    for pos in range(len(text) + 1):
        assert units.point_from_utf16(text, units.utf16_from_point(text, pos)) == pos
        assert units.point_from_utf8(text, units.utf8_from_point(text, pos)) == pos
        assert units.utf16_from_utf8(text, units.utf8_from_point(text, pos)) == units.utf16_from_point(text, pos)
