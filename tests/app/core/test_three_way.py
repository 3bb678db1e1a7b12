# SPDX-License-Identifier: EUPL-1.2
"""Two versions of a text become one: what either added is there, what either removed is not."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.three_way import merge

BASE = "Ring sökanden å.\nSkriv beslutet 🙂.\nSkicka det."


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        (BASE + "\nArkivera.", "Läs akten.\n" + BASE, "Läs akten.\n" + BASE + "\nArkivera."),
        (BASE.replace("Skriv beslutet 🙂.\n", ""), BASE + " Idag.", "Ring sökanden å.\nSkicka det. Idag."),
        ("Mejla" + BASE[4:], BASE + " Nu.", "Mejla" + BASE[4:] + " Nu."),
        ("", BASE + " Idag.", " Idag."),
        (BASE, "", ""),
        (BASE + " Mitt.", BASE + " Ditt.", BASE + " Ditt. Mitt."),
        (BASE + "\nMitt.", BASE + "\nDitt.", BASE + "\nDitt.\nMitt."),
        (BASE + " Samma.", BASE + " Samma.", BASE + " Samma."),
        (BASE[:-4] + "brevet.", BASE[:-4] + "kopian.", BASE[:-4] + "kopian. brevet."),
    ],
)  # fmt: skip
def test_both_edits_are_in_the_merged_text(one: str, other: str, merged: str) -> None:
    assert merge(BASE, one, other) == merged


def test_without_the_text_that_both_were_made_from_nothing_is_removed() -> None:
    assert merge(None, "Ring å. Skriv 🙂.", "Ring å. Skicka.") == "Ring å. Skicka. Skriv 🙂."


def test_what_was_merged_already_is_not_merged_again() -> None:
    both = merge(BASE, BASE + " Mitt.", BASE + " Ditt.")
    assert merge(BASE, BASE + " Mitt.", both) == both
    assert merge(BASE, both, BASE + " Mitt.") == both


WORDS = st.lists(st.sampled_from(["å", "ä", "🙂", "\n", " ", "beslut"]), max_size=12).map("".join)


@given(WORDS, st.lists(st.integers(0, 30), max_size=4), st.lists(st.integers(0, 30), max_size=4))
def test_every_letter_that_somebody_added_is_there(base: str, mine: list[int], theirs: list[int]) -> None:
    """Also in the middle of words that the other one changed."""
    one, other = base, base
    for letter, place in zip("ABCD", mine, strict=False):
        one = one[:place] + letter + one[place:]
    for letter, place in zip("WXYZ", theirs, strict=False):
        other = other[:place] + letter + other[place:]
    merged = merge(base, one, other)
    assert set("ABCD"[: len(mine)] + "WXYZ"[: len(theirs)]) <= set(merged), merged


EDITS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(0, 2)), max_size=3)


def edited(text: str, edits: list[tuple[int, int, int]], letters: str) -> str:
    """At each place so many characters are replaced by so many new letters, each of which occurs there once."""
    new = iter(letters)
    for place, removed, added in edits:
        text = text[:place] + "".join(next(new) for _ in range(added)) + text[place + removed :]
    return text


@settings(max_examples=500)
@given(WORDS, EDITS, EDITS)
def test_a_word_that_somebody_wrote_stays_a_word_and_only_what_somebody_deleted_is_gone(
    base: str, mine: list[tuple[int, int, int]], theirs: list[tuple[int, int, int]]
) -> None:
    one, other = edited(base, mine, "ABCDEF"), edited(base, theirs, "UVWXYZ")
    merged = merge(base, one, other)
    assert set(one.split()) | set(other.split()) <= set(merged.split()) | set(base.split()), merged
    for letter in "åä🙂":
        deleted = (base.count(letter) - one.count(letter)) + (base.count(letter) - other.count(letter))
        assert merged.count(letter) >= base.count(letter) - deleted, merged
    for letter in "ABCDEFUVWXYZ":
        assert merged.count(letter) == one.count(letter) + other.count(letter), merged


@given(WORDS, WORDS)
def test_without_the_text_that_both_were_made_from_no_letter_of_either_is_lost(one: str, other: str) -> None:
    merged = merge(None, one, other)
    for letter in "åä🙂":
        assert merged.count(letter) >= max(one.count(letter), other.count(letter)), merged


@given(st.integers(100, 800), st.sampled_from([" ", "\n"]), st.integers(0, 2**32))
def test_a_long_text_is_not_doubled_when_both_changed_its_ends(length: int, between: str, seed: int) -> None:
    draw = random.Random(seed)
    words = [draw.choice(["och", "å", "att", "🙂"]) + (str(at) if at % 3 else "") for at in range(length)]
    middle = length // 2
    one = ["A", *words[1:middle], "M", *words[middle:], "B"]
    other = ["S", *words, "T"]
    merged = merge(between.join(words), between.join(one), between.join(other)).split()
    assert [word for word in merged if word in words] == words[1:]
    assert sorted(word for word in merged if word not in words) == ["A", "B", "M", "S", "T"]


def test_attack_a_text_that_is_divided_one_word_at_a_time_does_not_hold_the_program() -> None:
    """▲ Each word occurs once, but only behind the one before it."""
    count = 4000
    base = " ".join(f"{at} {max(0, at - 1)}" for at in range(count))
    one, other = base.replace("0 0 ", "A ", 1) + " B", " ".join(reversed(base.split()))
    began = time.process_time()
    merge(base, one, other)
    merge(None, one, other)
    assert time.process_time() - began < 2


def test_attack_a_long_text_of_one_word_does_not_hold_the_program() -> None:
    """▲ difflib takes time in proportion to the product of two lengths."""
    base = "a " * 10_000
    began = time.process_time()
    for text in (base, "a\n" * 10_000):
        merge(text, "b " + text[: len(text) // 2] + "c", "d " + text[: len(text) // 3] + "e")
    assert time.process_time() - began < 2


def test_attack_a_text_whose_every_other_word_is_the_same_does_not_hold_the_program() -> None:
    """▲ difflib finds such words one by one, each time looking through all pairs of them: 24 s."""
    one, other = ("\n".join(f"å{at} " + " ".join([word] * 99) for at in range(200)) for word in "ab")
    began = time.process_time()
    merged = merge(None, one, other)
    merge("", one, other)
    assert time.process_time() - began < 2
    assert merged.count("a") >= one.count("a")
    assert merged.count("b") >= other.count("b")


def test_attack_words_that_two_people_added_are_looked_for_in_linear_time() -> None:
    """▲ Word by word at each place it took 3.4 s."""
    one, other = "a " * 10_000 + "b", "a " * 20_000
    began = time.process_time()
    assert merge("å", "å " + one, "å " + other).endswith(one)
    assert time.process_time() - began < 1
