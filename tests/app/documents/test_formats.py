# SPDX-License-Identifier: EUPL-1.2
"""What comes in by the clipboard, what goes out, and finding words."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.richtext.finding import find
from app.richtext.flow import BODY, Block, Marks, Run, Style, plain_blocks
from app.richtext.formats import (
    MAX_PASTE_CHARS,
    from_bytes,
    from_html,
    from_text,
    take_html,
    take_text,
    to_bytes,
    to_html,
)
from app.richtext.markdown import to_markdown

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
    assert "- a\n  1. b\n- c\n\n> citat\n" in text


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
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1\t2"),
        ("<head><meta name=a>x<body><p>å</p>", "å"),
        ("<p>a</p><select><option>x<p>å</p>", "a\nå"),
        ("<svg><text>x<p>å</p><math>y<div>ä</div>", "å\nä"),
        ("<svg><foreignObject><p>x</p></foreignObject></svg><p>å</p>", "å"),
        ("<template><p>x</p></template><head>y<p>å</p>", "å"),
        ("<template></svg><head>y<p>å</p>", "å"),
    ],
)
def test_foreign_html_becomes_plain_paragraphs(html: str, text: str) -> None:
    assert "\n".join(block.text for block in from_html(html)) == text


@pytest.mark.parametrize(
    ("weight", "bold"),
    [
        ("600", True),
        ("1000", True),
        ("599", False),
        ("²", False),
        ("٧٠٠", False),
        ("9" * 5000, False),
        ("bolder", True),
    ],
)
def test_a_weight_is_bold_by_the_numbers_of_css(weight: str, bold: bool) -> None:
    [block] = from_html(f"<p style='font-weight:{weight}'>å</p>")
    assert [run.marks.bold for run in block.runs] == [bold]


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
@pytest.mark.parametrize(
    "unit",
    ["<a ", "<a b='", "<!--", "<", "</", "<?", "<!a", "<![", "<b></i>", "<table><tr><td>", "<tr><td><td>a", "<img "],
)
def test_html_of_a_stranger_is_read_in_time_that_grows_as_its_length(unit: str) -> None:
    def cost_s(count: int) -> float:
        html, least = "<b>" * count + unit * count, 60.0
        for _ in range(3):
            began = time.process_time()
            from_html(html)
            least = min(least, time.process_time() - began)
        return least

    assert cost_s(16_000) < 12 * cost_s(4_000), "sixteen times and more were it quadratic"


WORD = (
    "<!--StartFragment--><p class=MsoListParagraphCxSpFirst style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'>"
    "<![if !supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span "
    "style='font:7.0pt \"Times New Roman\"'>&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>Första å<o:p></o:p></p>"
    "<p class=MsoListParagraphCxSpLast style='mso-list:l1 level2 lfo2'><!--[if !supportLists]--><span><span "
    "style='mso-list:Ignore'>a)<span>&nbsp; </span></span></span><!--[endif]--><b>Andra</b> punkten</p>"
    "<p class=MsoNormal>Brödtext</p>"
)


def test_lists_of_word_become_lists() -> None:
    assert [(block.text, block.style) for block in from_html(WORD)] == [
        ("Första å", Style(list="ul", indent=1)),
        ("Andra punkten", Style(list="ol", indent=2)),
        ("Brödtext", BODY),
    ]


@pytest.mark.parametrize(
    ("html", "text", "tables"),
    [
        ("<table><tr><th>Namn</th><th>År</th></tr><tr><td>å</td><td>1</td></tr></table>", "Namn\tÅr\nå\t1", 1),
        ("<table><tr><td>a<td>b<tr><td><td>d", "a\tb\n\td", 1),
        ("<table><tr><td><p>ett</p><p>två<br>tre</p></td><td>b</td></tr></table>", "ett två tre\tb", 1),
        ("<table><tr><td colspan=2>a</td><td>b</td></tr></table>", "a\t\tb", 1),
        ("<table><tr><td rowspan=2>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\n\tc", 1),
        ("<table><tr><td>a</td></tr><tr><td><p>b</p><p>c</p></td></tr></table>", "a\nb\nc", 0),
        ("<table><tr><td>x<table><tr><td>a</td><td>b</td></tr></table></td><td>y</td></tr></table>", "x\na\tb\ny", 1),
        ("<p>före</p><table><tr><td>a</td><td>b</td></tr></table><p>efter</p>", "före\na\tb\nefter", 1),
    ],
)
def test_tables_keep_their_cells_apart(html: str, text: str, tables: int) -> None:
    taken = take_html(html)
    assert "\n".join(block.text for block in taken.blocks) == text
    assert taken.tables == tables


TAGS = "p div b span table tr td th ul ol li h1 blockquote caption pre tbody br"
PARTS = [
    *"åä🙂 \n\t",
    *(f"<{tag}>" for tag in TAGS.split()),
    *(f"</{tag}>" for tag in TAGS.split()),
    "<td colspan=2>",
    "<td rowspan=3>",
    "<a href='https://å.se'>",
    "</a>",
    "<p style='mso-list:l0 level1 lfo1'>",
]


@given(st.lists(st.sampled_from(PARTS), max_size=25))
def test_no_letter_is_lost_however_tags_are_crossed_and_left_open(parts: list[str]) -> None:
    letters = [part for part in parts if part in ("å", "ä", "🙂")]
    text = "".join(block.text for block in from_html("".join(parts)))
    assert sorted(c for c in text if c in "åä🙂") == sorted(letters)


def test_marks_in_cells_are_kept() -> None:
    (row,) = from_html("<table><tr><td><b>a</b></td><td>b</td></tr></table>")
    assert row.runs == (Run("a", Marks(bold=True)), Run("\tb"))


def test_pictures_are_counted_whatever_their_size_but_not_those_that_count_readers() -> None:
    html = (
        "<p>a<img src='x.png'><IMG width=120 src=y><img style='line-height:1'>"
        f"<img src='data:image/png;base64,{'A' * 9000}'><img width='1' height='1'><!-- <img> -->&lt;img&gt;</p>"
    )
    assert take_html(html).pictures == 4


@pytest.mark.parametrize("beside", ["width: 1", "height=0 å", "a > width=1"])
def test_words_behind_a_picture_are_no_part_of_it(beside: str) -> None:
    assert take_html(f"<p><img src='x.png'>{beside}</p>").pictures == 1
    assert take_html(f"<p><img src='a > b' width=1>{beside}</p>").pictures == 0


def test_text_longer_than_may_be_pasted_is_marked_as_cut() -> None:
    assert take_html("å" * (MAX_PASTE_CHARS + 1)).cut
    assert take_text("å" * (MAX_PASTE_CHARS + 1), BODY).cut
    assert not take_text("å", BODY).cut


@pytest.mark.parametrize("cell", ["<td colspan=9999>", "<td rowspan=9999>", "<td colspan=32 rowspan=32>"])
def test_attack_no_span_makes_a_text_much_longer_than_its_html(cell: str) -> None:
    html = "<table>" + f"<tr>{cell * 40}<td>x" * 400
    assert sum(len(block.text) for block in from_html(html)) < 4 * len(html)
