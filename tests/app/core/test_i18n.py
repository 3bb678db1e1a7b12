# SPDX-License-Identifier: EUPL-1.2
"""Texts in two languages, read from .po files as they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import i18n
from app.core.i18n import read_po, tr, trn

PO = r"""
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

#: ui/chat/view.py:3
msgid "Send"
msgstr "Skicka"

msgid ""
"A long text in "
"two \"lines\"\n"
msgstr ""
"En lång text på "
"två \"rader\" 🙂\n"

msgid "{n} reply"
msgid_plural "{n} replies"
msgstr[0] "{n} svar"
msgstr[1] "{n} svaren"

#, fuzzy
msgid "Guess"
msgstr "Gissning"

#~ msgid "Gone"
#~ msgstr "Borta"
"""


@pytest.fixture(autouse=True)
def _swedish() -> Iterator[None]:
    before = i18n.language()
    yield
    i18n.set_language(before)


def test_a_po_file_is_read_with_its_plurals_and_without_what_is_fuzzy(tmp_path: Path) -> None:
    (tmp_path / "x.po").write_text(PO, encoding="utf-8")
    assert read_po(tmp_path / "x.po") == {
        "Send": ("Skicka",),
        'A long text in two "lines"\n': ('En lång text på två "rader" 🙂\n',),
        "{n} reply": ("{n} svar", "{n} svaren"),
    }


def test_a_text_without_a_translation_is_itself() -> None:
    i18n.set_language("sv")
    assert tr("No such text, ever") == "No such text, ever"
    assert [trn("{n} such", "{n} suches", n) for n in (0, 1, 2)] == ["{n} suches", "{n} such", "{n} suches"]


def test_an_unknown_language_is_swedish() -> None:
    i18n.set_language("xx")
    assert i18n.language() == "sv"
    i18n.set_language("en")
    assert tr("Send") == "Send"


def test_a_mark_without_an_empty_line_before_it_is_the_next_entrys(tmp_path: Path) -> None:
    made = 'msgid "Send"\nmsgstr "Skicka"\n#, fuzzy\nmsgid "Guess"\nmsgstr "Gissning"\n'
    made += '#: x\nmsgid "Close"\nmsgstr "Stäng"\n'
    (tmp_path / "x.po").write_text(made, encoding="utf-8")
    assert read_po(tmp_path / "x.po") == {"Send": ("Skicka",), "Close": ("Stäng",)}
