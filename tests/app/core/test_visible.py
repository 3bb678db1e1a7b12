# SPDX-License-Identifier: EUPL-1.2
"""What is left of names and texts when what nobody sees is removed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.visible import hides, one_line, paragraphs, reorders

ODD = st.text(st.sampled_from([*"ab åé#1\n\t☺❤👨👩🏽🏴ما",
    *(chr(n) for n in (0x300, 0x301, 0x200B, 0x200C, 0x200D, 0xFE0F, 0x202E, 0x2067, 0xAD, 0x2800, 0x3164)),
    *(chr(n) for n in (0xE0067, 0xE0062, 0xE007F, 0xFFFC, 0x85, 0x1B))]), max_size=14)  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "Tillsyn 2026-1184: åäö ÅÄÖ é – “citat” …",
        "🗂 Beslut",
        "👨\u200d👩\u200d👧\u200d👦 familj",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🙂\u200d↔\ufe0f ❤\ufe0f\u200d🔥 1\ufe0f⃣ 🏳\ufe0f\u200d🌈",
        "\U0001fae8 newer than the tables",
        "می\u200cخواهم",
        "Ελλάδα, Россия, 日本語, עברית",
    ],
)
def test_letters_of_every_script_and_emoji_survive(name: str) -> None:
    assert one_line(name) == name
    assert not hides(name)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("rapport\u202efdp.exe", "rapportfdp.exe"),
        ("\u2067a\u2069\u200eb\u061c", "ab"),
        ("a\x00\x1b[31mb\x9b\x85c", "a[31mb c"),
        ("a\u200bb\u2060c\ufeffd\u00ade", "abcde"),
        ("två\r\nrader\u2028till\tslut", "två rader till slut"),
        ("\u3164\u2800\u115f\ufffc", ""),
        ("a\U000e0061\U000e0062b", "ab"),
        ("a\u200db", "ab"),
        ("a\ue000b", "ab"),
        ("e\u0301", "é"),
        ("H\u0300\u0301\u0302\u0303\u0304\u0305\u0306ej", "H\u0300\u0301\u0302\u0303ej"),
    ],
)
def test_what_nobody_sees_is_removed_from_a_name(written: str, shown: str) -> None:
    assert one_line(written) == shown


def test_a_name_is_cut_where_it_must_and_not_within_an_emoji() -> None:
    assert one_line("å" * 300) == "å" * 200
    assert one_line("👨\u200d👩", 2) == "👨"
    assert one_line("a" * 10_000 + "\u202e", 5) == "aaaaa"


@given(ODD)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    name = one_line(text, 8)
    assert one_line(name, 8) == name
    assert not hides(name)
    assert not reorders(name)
    assert len(name) <= 8
    assert unicodedata.is_normalized("NFC", name)


def test_a_longer_text_keeps_its_lines_and_loses_overrides_and_controls() -> None:
    assert paragraphs("rad ett å\n\trad två 🙂") == "rad ett å\n\trad två 🙂"
    assert paragraphs("a\r\nb\u2028c\u202ed\u2066e\x07f\x85g\u2069") == "a\nb\ncdef\ng"
    assert paragraphs("\u200fעברית\u200e") == "\u200fעברית\u200e"
