# SPDX-License-Identifier: EUPL-1.2
"""Finding and replacing: what is a match, what becomes of its capitals, what of a colleague's words between."""

import pytest

from app.richtext.finding import find, find_words, like
from app.richtext.flow import Marks, Run, Style, plain_blocks
from app.richtext.model import Document


def places(text: str, words: str, *, case: bool = False, whole: bool = False) -> list[int]:
    return [pos for pos, _ in find(plain_blocks(text), words, case=case, whole=whole)]


def test_large_and_small_letters_differ_only_where_one_asks() -> None:
    text = "Å 🙂 å\nÅr"
    assert places(text, "å") == [0, 5, 7]
    assert places(text, "Å", case=True) == [0, 7]
    assert places(text, "a") == places(text, "") == []


def test_a_whole_word_has_no_letter_digit_or_accent_beside_it() -> None:
    assert places("lag, lagen olag lag_ lag2 (lag) 🙂lag lag-", "lag", whole=True) == [0, 27, 34, 38]
    assert places("lag\u0301 lag", "lag", whole=True) == [5]
    assert places("aaa aa", "aa", whole=True) == [4]
    assert places("a§ b", "§", whole=True) == [1]


def test_a_letter_that_grows_when_it_is_made_small_moves_nothing() -> None:
    assert places("İ å Å", "å") == [2]


@pytest.mark.parametrize(
    ("found", "sought", "words", "wanted"),
    [
        ("verksamheten", "verksamheten", "bolaget", "bolaget"),
        ("Verksamheten", "verksamheten", "bolaget", "Bolaget"),
        ("VERKSAMHETEN", "verksamheten", "bolaget", "BOLAGET"),
        ("Ö", "ö", "åå", "Åå"),
        ("EU", "EU", "Unionen", "Unionen"),
        ("eu", "EU", "Unionen", "Unionen"),
        ("5 §", "5 §", "§ 5", "§ 5"),
        ("Verksamheten", "verksamheten", "", ""),
    ],
)
def test_the_capitals_of_what_is_replaced_stay(found: str, sought: str, words: str, wanted: str) -> None:
    assert like(found, sought, words) == wanted


class Clock:
    """Every look at it takes a minute: longer than what belongs to one step of typing."""

    def __init__(self) -> None:
        self.now = 0

    def ms(self) -> int:
        self.now += 60_000
        return self.now


def test_replacing_is_one_step_however_long_it_takes_and_leaves_what_lies_between() -> None:
    clock, sent = Clock(), list[bytes]()
    mine, theirs = Document(sent.append, clock_ms=clock.ms), Document()
    mine.set_up("Beslut")
    mine.splice(0, 0, "å x 🙂 å\nrad\nx å")
    mine.format(0, 1, {"bold": True})
    mine.set_block(2, 2, Style(heading=1))
    theirs.merge([mine.snapshot()])
    sent.clear()
    mine.replace([(0, 1, "ää"), (7, 1, "ö"), (15, 1, "")])
    assert len(sent) == 1
    theirs.splice(4, 0, "MITT ")
    theirs.merge(sent)
    mine.merge([theirs.diff(mine.state())])
    assert mine.plain_text() == theirs.plain_text() == "ää x MITT 🙂 ö\nrad\nx "
    assert mine.block(0).runs[0] == Run("ää", Marks(bold=True))
    assert mine.block(2).style == Style(heading=1)
    assert mine.undo()
    assert mine.plain_text() == "å x MITT 🙂 å\nrad\nx å"
    opened = Document()
    opened.merge([mine.snapshot()])
    assert [(b.runs, b.style) for b in opened.blocks()] == [(b.runs, b.style) for b in mine.blocks()]


@pytest.mark.slow
def test_more_places_than_one_search_shows_are_replaced() -> None:
    document = Document()
    document.set_up("Beslut")
    document.splice(0, 0, "x å\n" * 11_000)
    document.replace([(pos, length, "ö") for pos, length in find(document.blocks(), "å", limit=None)])
    assert document.plain_text() == "x ö\n" * 11_000
    assert document.undo()
    assert document.plain_text() == "x å\n" * 11_000


def test_words_of_a_search_are_found_by_their_beginning_and_the_paragraph_with_most_of_them() -> None:
    text = "🙂 om sökanden och sökanden\nsökt åter\nYttrande av sökanden"
    places, best = find_words(plain_blocks(text), ["sök", "yttr"])
    assert [text.encode("utf-16-le")[2 * a : 2 * (a + n)].decode("utf-16-le") for a, n in places] == [
        "sökanden",
        "sökanden",
        "sökt",
        "Yttrande",
        "sökanden",
    ]
    assert best == places[3][0]
    assert find_words(plain_blocks(text), []) == ([], None)
    assert find_words(plain_blocks(text), ["anden"]) == ([], None)
