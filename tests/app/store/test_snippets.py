# SPDX-License-Identifier: EUPL-1.2
"""Which part of a text a search shows."""

from app.store.snippets import MARK_END, MARK_START, snippet


def shown(text: str, *words: str, title: str = "") -> str:
    """The snippet with the found words in brackets."""
    return snippet((title, text), words).replace(MARK_START, "[").replace(MARK_END, "]")


def numbered(count: int) -> str:
    return " ".join(f"ord{n}" for n in range(count))


def test_a_short_text_is_shown_whole() -> None:
    assert shown("”Får” inte, så! 🙂", "får") == "”[Får]” inte, så! 🙂"


def test_a_long_text_is_cut_on_both_sides_of_what_was_found() -> None:
    assert (
        shown(numbered(100), "ord50")
        == "…" + numbered(59)[numbered(59).index("ord43") :].replace("ord50", "[ord50]") + "…"
    )


def test_the_place_with_most_of_the_words_is_shown() -> None:
    text = f"beslut {numbered(30)} tillstånd {numbered(30)} beslut om tillstånd å"
    assert "[beslut] om [tillstånd] å" in shown(text, "tillst", "beslut")


def test_words_that_stand_far_apart_are_found_by_the_first() -> None:
    assert shown(f"taxi {numbered(40)} beslut", "beslut", "taxi").startswith("[taxi] ord0 ")


def test_a_title_that_has_all_the_words_comes_before_the_text() -> None:
    assert shown("om beslut", "beslut", title="Beslut 4") == "[Beslut] 4"
    assert shown("om beslut å", "beslut", "om", title="Beslut 4") == "[om] [beslut] å"


def test_a_text_that_parts_into_other_words_than_in_the_index_is_shown_from_its_beginning() -> None:
    assert shown("ett två", "tre") == "ett två"
    assert shown("", "tre") == ""


def test_a_word_of_a_million_letters_does_not_stand_before_what_was_found() -> None:
    assert shown("å" * 1_000_000 + " beslut", "beslut") == "…[beslut]"
