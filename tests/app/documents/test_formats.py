# SPDX-License-Identifier: EUPL-1.2
"""What comes in by the clipboard, what goes out, and finding words."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.finding import find
from app.documents.flow import BODY, Block, Marks, Run, Style, plain_blocks
from app.documents.formats import from_bytes, from_html, from_text, to_bytes, to_html, to_markdown

BLOCKS = [
    Block((Run("Rubrik å"),), Style(heading=2)),
    Block((Run("ett "), Run("två", Marks(bold=True, link="https://å.se/?a=1&b=2")), Run(" <tre> 🙂"))),
    Block((Run("a"),), Style(list="ul", indent=1)),
    Block((Run("b"),), Style(list="ol", indent=2)),
    Block((Run("c"),), Style(list="ul", indent=1)),
    Block((Run("citat"),), Style(quote=True)),
]


def shown(blocks: list[Block]) -> list[tuple[tuple[Run, ...], Style]]:
    return [(block.runs, block.style) for block in blocks]


def test_html_written_here_reads_back_as_it_was() -> None:
    assert shown(from_html(to_html(BLOCKS))) == shown(BLOCKS)


def test_bytes_written_here_read_back_as_they_were() -> None:
    back = from_bytes(to_bytes(BLOCKS))
    assert back is not None
    assert shown(back) == shown(BLOCKS)


def test_markdown_escapes_and_nests() -> None:
    text = to_markdown(BLOCKS)
    assert text.startswith("## Rubrik å\n\nett [**två**](https://å.se/?a=1&b=2) \\<tre\\> 🙂\n")
    assert "- a\n    1. b\n- c\n\n> citat\n" in text


@given(st.text())
def test_any_text_as_html_or_bytes_gives_blocks_or_nothing_and_never_fails(text: str) -> None:
    for block in from_html(text):
        assert "\n" not in block.text
    from_bytes(text.encode("utf-8", "surrogatepass"))
    assert from_text(text)


@given(st.binary())
def test_any_bytes_are_no_fragment_or_a_safe_one(data: bytes) -> None:
    for block in from_bytes(data) or ():
        assert "\n" not in block.text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a<br>b</p>", "a\u2028b"),
        ("<b style='font-weight:normal'><p>å</p></b>", "å"),
        ("<p>ett\n   två</p><p> </p><p>tre</p>", "ett två\ntre"),
        ("<div>a<div>b</div></div>", "a\nb"),
        ("<p>x<script>alert(1)</script><style>y</style>z</p>", "xz"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "12"),
    ],
)
def test_foreign_html_becomes_plain_paragraphs(html: str, text: str) -> None:
    assert "\n".join(block.text for block in from_html(html)) == text


def test_finding_counts_in_utf16_and_keeps_swedish_letters_apart() -> None:
    blocks = plain_blocks("🙂 Åra ara\nåRA")
    assert find(blocks, "åra") == [(3, 3), (11, 3)]
    assert find(blocks, "") == []
    assert find(plain_blocks("İå å"), "å") == [(1, 1), (3, 1)]


def test_a_body_block_is_the_default() -> None:
    assert plain_blocks("å")[0].style == BODY


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<![<![ a", "<![<![ a"),
        ("a <![if !supportLists]>b<![endif]>", "a b"),
        ("<!DOCTYPE html><?xml a?>å<!-- < > <b> -->ä", "åä"),
        ("a<!-- b", "a<!-- b"),
        ("1 < 2 <3", "1 < 2 <3"),
        ("<a b='c d", "<a b='c d"),
        ("<b title=\"a>b\" class='c'>d</b >e", "de"),
        (f"<img src='{'a' * 5000}'>b", "b"),
        ("</i>a</i>", "a"),
    ],
)
def test_what_is_no_whole_tag_is_text(html: str, text: str) -> None:
    assert "".join(block.text for block in from_html(html)) == text


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["<a ", "<a b='", "<!--", "<", "</", "<?", "<!a", "<![", "<b></i>"])
def test_html_of_a_stranger_is_read_in_time_that_grows_as_its_length(unit: str) -> None:
    def cost_s(count: int) -> float:
        html, least = "<b>" * count + unit * count, 60.0
        for _ in range(3):
            began = time.process_time()
            from_html(html)
            least = min(least, time.process_time() - began)
        return least

    assert cost_s(16_000) < 12 * cost_s(4_000), "sixteen times and more were it quadratic"
