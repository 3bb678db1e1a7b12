# SPDX-License-Identifier: EUPL-1.2
"""docs/HELPDESK.sv.md has a row for every code that a person can see, in the words of the screen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.i18n import set_language
from ui.errors import sentences

PAGE = Path(__file__).resolve().parents[2] / "docs" / "HELPDESK.sv.md"


@pytest.fixture(autouse=True)
def swedish() -> Iterator[None]:
    set_language("sv")
    yield
    set_language("sv")


def rows() -> list[tuple[list[str], str, str, str]]:
    """Codes, what is seen, what it means, and what to do, of each row."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    found = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        assert len(cells) == 4, line
        found.append((re.findall(r"`([a-z-]+)`", cells[0]), cells[1], cells[2], cells[3]))
    return found


def test_every_code_has_one_row() -> None:
    named = [code for codes, *_ in rows() for code in codes]
    assert sorted(named) == sorted(sentences())


def test_each_row_says_what_the_screen_says_and_what_to_do() -> None:
    known = sentences()
    for codes, seen, means, act in rows():
        titles = dict.fromkeys(known[code][0] for code in codes)
        meanings = dict.fromkeys(known[code][1] for code in codes)
        assert (seen, means) == (" / ".join(titles), " / ".join(meanings)), codes
        assert act.endswith((".", "?")), codes


def test_a_link_within_the_page_leads_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = {line[3:].lower().replace(" ", "-") for line in text.splitlines() if line.startswith("## ")}
    wanted = set(re.findall(r"\]\(#([^)]*)\)", text))
    assert wanted
    assert wanted <= headings


def test_the_page_names_only_options_that_there_are() -> None:
    from ui.main import _parser

    options = set(re.findall(r"`kansli (--[a-z-]+)", PAGE.read_text(encoding="utf-8")))
    assert options == {"--diagnose", "--check-policies", "--purge-machine"}
    assert options <= set(_parser()._option_string_actions)
