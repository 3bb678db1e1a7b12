# SPDX-License-Identifier: EUPL-1.2
"""The words of a search and their places: as the index has them."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from app.core.words import places_of, words_of
from app.store.search import match_of


def marked(text: str, words: str) -> list[str]:
    return [text[start:end] for start, end in places_of(text, words_of(words))]


def test_what_stands_between_letters_and_digits_parts_words() -> None:
    assert words_of(' dnr 2026:17-3 "å_ä" 🙂') == ("dnr", "2026", "17", "3", "å", "ä")
    assert words_of("🙂 -") == ()


def test_whole_words_that_begin_so_are_found_large_or_small() -> None:
    assert marked("Yttrandet, yttranden och ANMÄLAN om anmälda 🙂", "anmäl yttr") == [
        "Yttrandet",
        "yttranden",
        "ANMÄLAN",
        "anmälda",
    ]
    assert marked("Ansökan om får", "far sok") == []
    assert marked("text", "") == []


@given(st.text(alphabet="abåÅä 1_-.§\n", max_size=30), st.text(alphabet="abåÅä1 -", max_size=6))
def test_a_text_is_found_by_the_index_just_when_each_word_has_a_place(text: str, sought: str) -> None:
    match, words = match_of(sought), words_of(sought)
    if match is None:
        assert not words
        return
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE search USING fts5(body, tokenize = 'unicode61 remove_diacritics 0')")
    index.execute("INSERT INTO search (body) VALUES (?)", (text,))
    found = index.execute("SELECT 1 FROM search WHERE search MATCH ?", (match,)).fetchone() is not None
    assert found == all(places_of(text, [word]) for word in words)
    index.close()
