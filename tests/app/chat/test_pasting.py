# SPDX-License-Identifier: EUPL-1.2
"""What is pasted into a message: tables stay tables, pictures are counted, text and picture of one clipboard."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.chat.markup import parse
from app.chat.pasting import read

TABLE = "<table><tr><td>Namn</td><td>År</td></tr><tr><td>Å 🙂</td><td>1</td></tr></table>"


def test_a_table_becomes_a_monospaced_block_with_its_cells_apart() -> None:
    text = read("Namn\tÅr\r\nEn längre\t1\r\n", TABLE).text
    assert text == "```\nNamn       År\nEn längre  1\n```"
    assert [(run.text, run.code) for run in parse(text) if run.text] == [("Namn       År\nEn längre  1", True)]


def test_text_around_a_table_stays_text() -> None:
    assert read("före\na\tb\nefter", f"<p>före</p>{TABLE}<p>efter</p>").text == "före\n```\na  b\n```\nefter"


def test_html_without_plain_text_is_read() -> None:
    html = f"<style>p {{}}</style><p>före &amp;\n  mer</p>{TABLE}<p>efter<br>slut</p><script>x()</script>"
    assert read("", html).text == "före & mer\n```\nNamn  År\nÅ 🙂   1\n```\nefter\nslut"


def test_tabs_without_a_table_are_left_as_they_are() -> None:
    assert read("if a:\n\tb", "").text == "if a:\n\tb"
    assert read("if a:\n\tb", "<pre>if a:\n\tb</pre>").text == "if a:\n\tb"


def test_lists_of_word_become_lists() -> None:
    html = "<p style='mso-list:l0 level1 lfo1'>"
    assert read("Före\n·\tett\n1.\ttvå", html).text == "Före\n- ett\n1. två"


def test_a_cell_that_would_end_the_block_keeps_the_rows_as_they_are() -> None:
    assert read("```\tb", TABLE).text == "```\tb"


@pytest.mark.parametrize(
    ("text", "html", "beats"),
    [
        ("a\tb", TABLE, True),
        ("a", "", True),
        ("", "<img src=x>", False),
        ("https://å.se/bild.png", "<img src=x alt=bild>", False),
        ("https://å.se/bild.png", "", False),
        ("", "", False),
    ],
)
def test_text_beats_a_picture_unless_it_only_names_the_picture(text: str, html: str, beats: bool) -> None:
    assert read(text, html).beats is beats


PARTS = ["å", "ä", "🙂", " ", "\n", "\t", "\t", "```", "·\t", "1.\t"]


@given(st.lists(st.sampled_from(PARTS), max_size=30), st.booleans(), st.booleans())
def test_no_letter_is_lost_whatever_is_pasted(parts: list[str], is_list: bool, is_table: bool) -> None:
    text = "".join(parts)
    html = "<p style='mso-list:l0'>" * is_list + TABLE * is_table
    pasted = read(text, html).text if text else ""
    assert [c for c in pasted if c in "åä🙂"] == [c for c in text if c in "åä🙂"]
    shown = "".join(run.text for run in parse(pasted))
    assert sum(c in "åä🙂" for c in shown) == sum(c in "åä🙂" for c in text)


def test_pictures_are_counted() -> None:
    assert read("a", "<p>a<img src=x><img src=y><img width=1 height=1></p>").pictures == 2


@given(st.text(), st.text())
def test_any_clipboard_is_read(text: str, html: str) -> None:
    read(text, html)
    read(text, TABLE)


def test_attack_a_long_cell_makes_no_text_of_spaces() -> None:
    text = f"{'x' * 5000}\ty\n" + "a\tb\n" * 5000
    assert len(read(text, TABLE).text) < 20 * len(text) + 3000
    wide = "\t".join("x" * 40 for _ in range(500)) + "\n" + "\ta\n" * 5000
    assert len(read(wide, TABLE).text) < 20 * len(wide) + 3000


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["<script>", "<a ", "<td>", "<p>", "&", "<img ", "\t\n", "mso-list:"])
def test_a_strangers_clipboard_is_read_in_time_that_grows_as_its_length(unit: str) -> None:
    def cost_s(count: int) -> float:
        least = 60.0
        for _ in range(3):
            began = time.process_time()
            read("", TABLE + unit * count)
            least = min(least, time.process_time() - began)
        return least

    assert cost_s(64_000) < 12 * cost_s(16_000) + 0.01, "sixteen times and more were it quadratic"
