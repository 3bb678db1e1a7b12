# SPDX-License-Identifier: EUPL-1.2
"""Documents as Markdown and back, and plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.richtext.flow import BODY, PLAIN, Block, Marks, Run, Style, joined
from app.richtext.formats import Taken
from app.richtext.markdown import to_markdown
from tests.app.documents.test_round_trip import counts, taken

UL, OL = Style(list="ul", indent=1), Style(list="ol", indent=1)


def read(markdown: str) -> Taken:
    return taken(markdown.encode(), "md")


def shown(found: Taken) -> list[tuple[str, Style]]:
    return [(block.text, block.style) for block in found.blocks]


def test_lists_nest_and_number_from_one() -> None:
    blocks = [
        Block((Run("ett"),), OL),
        Block((Run("a"),), Style(list="ul", indent=2)),
        Block((Run("i"),), Style(list="ol", indent=3)),
        Block((Run("två"),), OL),
        Block((Run("å"),)),
        Block((Run("djup"),), Style(list="ul", indent=3)),
    ]
    text = to_markdown(blocks)
    assert text == "1. ett\n   - a\n     1. i\n2. två\n\nå\n\n- djup\n"
    assert shown(read(text)) == [*((b.text, b.style) for b in blocks[:5]), ("djup", UL)]


LOOKS_LIKE = ("- ett", "1. ett", "12) ett", "+ ett", "# ett", "> ett", "=== ", "---", "a_b_c *d*", "&amp;", "    ett",
              "<b>", "[a](b)", "a|b", "~~~", "```", "\\", "a\\", "1\\. a")  # fmt: skip


@pytest.mark.parametrize("text", LOOKS_LIKE)
def test_text_that_looks_like_markdown_stays_text(text: str) -> None:
    found = read(to_markdown([Block((Run(text),))]))
    assert shown(found) == [(text.strip(), BODY)]


def test_marks_that_have_no_sign_or_no_place_for_one_are_tags() -> None:
    bold, both = Marks(bold=True), Marks(bold=True, italic=True)
    struck, lined = Marks(strike=True), Marks(underline=True)
    runs = (Run("a"), Run("b", bold), Run("c", both), Run("(d)", struck), Run("e", lined))
    (block,) = read(to_markdown([Block(runs)])).blocks
    assert block.runs == runs


def test_links_are_judged_and_line_breaks_kept() -> None:
    (block,) = read("[a](https://a.se/b_(c)) [b](file:///etc/passwd)  \nc\nd").blocks
    assert block.text == "a b\u2028c d"
    assert [run.marks.link for run in block.runs] == ["https://a.se/b_(c)", ""]


def test_what_markdown_has_and_a_document_has_not_is_counted() -> None:
    text = "#### d\n\n![x](y.png)\n\n```\nkod\n  mer\n```\n\n|a|b|\n|-|-|\n|c|*d*|\n\n5. fem\n\n"
    text += "<table></table>\n\n<!-- e -->\n"
    found = read(text)
    assert counts(found) == {"headings": 1, "pictures": 1, "code": 1, "tables": 1, "numbering": 1, "html": 1}
    assert [b.text for b in found.blocks] == ["d", "", "kod", "  mer", "a\tb", "c\td", "fem"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("\ufeffå ä".encode(), "å ä"),
        ("å\r\nä\n".encode(), "å\nä"),
        ("å".encode("cp1252"), "å"),
        ("å ä".encode("utf-16"), "å ä"),
        ("# å\n".encode(), "# å"),
    ],
)
def test_plain_text_is_read_in_the_usual_encodings(data: bytes, text: str) -> None:
    assert "\n".join(block.text for block in taken(data, "txt").blocks) == text


WORDS = st.text(st.sampled_from("aå1.)-+*_`<>[]()#&;\\|~ !\t"), min_size=1, max_size=8).map(str.strip).filter(bool)
ONOFF = st.booleans()
MARKS = st.builds(Marks, bold=ONOFF, italic=ONOFF, underline=ONOFF, strike=ONOFF, link=st.just(""))
RUNS = st.builds(Run, WORDS, MARKS)
KINDS = st.sampled_from([BODY, Style(heading=2), Style(quote=True), UL, OL])


@pytest.mark.slow
@given(st.lists(st.builds(lambda r, s: Block(joined(r), s), st.lists(RUNS, min_size=1, max_size=3), KINDS), min_size=1,
                max_size=5))  # fmt: skip
def test_any_document_has_the_same_text_after_markdown(blocks: list[Block]) -> None:
    back = read(to_markdown(blocks))
    assert [(b.text, b.style) for b in back.blocks] == [(" ".join(b.text.split(" ")), b.style) for b in blocks]
    assert [b.runs for b in back.blocks] == [b.runs for b in blocks]


def test_a_word_with_two_marks_keeps_them_where_a_letter_follows_without_a_space() -> None:
    marks = PLAIN._replace(italic=True, strike=True)
    block = Block((Run("å", marks), Run("ä", PLAIN)))
    assert [back.runs for back in read(to_markdown([block])).blocks] == [block.runs]


def test_a_link_after_an_exclamation_mark_is_no_picture() -> None:
    link = PLAIN._replace(link="https://myndighet.example/beslut")
    for before in ("Nu!", "Nu\\!", "Nu! ", "!"):
        block = Block((Run(before, PLAIN), Run("beslutet 🙂", link)))
        assert [back.runs for back in read(to_markdown([block])).blocks] == [block.runs]


def test_a_line_break_at_the_end_of_a_paragraph_becomes_no_sign() -> None:
    for text in ("å\u2028", "å \u2028 \u2028", "å\\\u2028", "å\u2028\u2028"):
        for marks in (PLAIN, PLAIN._replace(bold=True)):
            (block,) = read(to_markdown([Block((Run(text, marks),))])).blocks
            assert block.runs == (Run(text.strip("\u2028 "), marks),)
    assert to_markdown([Block((Run("\u2028\u2028"),))]) == "\n"


def test_a_line_break_in_a_paragraph_begins_no_list_and_no_heading() -> None:
    text = "å\u2028- b\u2028  1. c\u2028===\u2028---\u2028+ d\u20282) e"
    written = to_markdown([Block((Run(text),))])
    (block,) = read(written).blocks
    assert block.style == BODY
    assert [line.strip() for line in block.text.split("\u2028")] == [line.strip() for line in text.split("\u2028")]
