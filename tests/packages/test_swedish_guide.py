# SPDX-License-Identifier: EUPL-1.2
"""docs/OPERATOR.sv.md is the Swedish edition of the first sections of docs/OPERATOR.md. Its commands are those of the
English guide, which test_operators_guide.py and test_booted_guide.py run: so nobody has to run them twice."""

import re

import pytest
from trees import SERVER_PAGES

from tests.packages.guides import OPERATOR, ROOT, read, without_blocks

SWEDISH = "docs/OPERATOR.sv.md"
SECTIONS = {
    "Running the server": "Driva servern",
    "Install": "Installera",
    "People": "Personer",
    "Look after it": "Sköta servern",
    "Who did what": "Vem gjorde vad",
    "Back up, check": "Säkerhetskopiera och kontrollera",
    "Restore": "Återställa",
    "Another machine": "En annan dator",
    "Upgrade": "Uppgradera",
    "Certificates": "Certifikat",
}
"""The first headings of the English guide, in order, and what each is in Swedish."""
REST = "Mer på engelska"
"""The last section of the Swedish edition: what it leaves to the English guide."""


def sections(text: str) -> dict[str, str]:
    """Each section's text by its heading, in order. The introduction has the guide's own heading."""
    outside = r"```.*?^```$|^##? (?P<heading>[^\n]+)$"
    starts = [found for found in re.finditer(outside, text, re.MULTILINE | re.DOTALL) if found["heading"]]
    ends = [*(found.start() for found in starts[1:]), len(text)]
    return {found["heading"]: text[found.end() : end] for found, end in zip(starts, ends, strict=True)}


def fences(section: str) -> list[str]:
    """Its fenced blocks, byte for byte, with the marks behind their languages."""
    return re.findall(r"^```.*?^```$", section, re.MULTILINE | re.DOTALL)


def words_of_code(section: str) -> set[str]:
    """Commands, options, settings, figures and paths in its running text."""
    return set(re.findall(r"`([^`\n]+)`", without_blocks(section)))


def test_the_swedish_edition_has_the_first_sections_in_their_order() -> None:
    assert list(sections(read(OPERATOR)))[: len(SECTIONS)] == list(SECTIONS)
    assert list(sections(read(SWEDISH))) == [*SECTIONS.values(), REST]


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_in_swedish_has_the_blocks_of_the_english_one(heading: str) -> None:
    assert fences(sections(read(SWEDISH))[SECTIONS[heading]]) == fences(sections(read(OPERATOR))[heading])


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_in_swedish_names_what_the_english_one_names(heading: str) -> None:
    swedish, english = sections(read(SWEDISH))[SECTIONS[heading]], sections(read(OPERATOR))[heading]
    assert words_of_code(swedish) == words_of_code(english)


def test_what_is_left_to_the_english_guide_has_no_blocks() -> None:
    assert fences(sections(read(SWEDISH))[REST]) == []


def test_the_commands_are_told_apart_by_a_byte() -> None:
    text = "# A guide\n\nType:\n\n```sh run=server\n# no heading\nls\n```\n\n## Next\n\n```sh\nls \n```\n"
    first, second = sections(text).values()
    assert fences(first) == ["```sh run=server\n# no heading\nls\n```"]
    assert fences(second) == ["```sh\nls \n```"]


def test_the_editions_name_each_other_at_their_top() -> None:
    assert "(OPERATOR.sv.md)" in read(OPERATOR).split("\n\n")[1]
    assert "(OPERATOR.md)" in read(SWEDISH).split("\n\n")[1]


@pytest.mark.parametrize("guide", [OPERATOR, SWEDISH])
def test_every_page_that_is_named_is_there(guide: str) -> None:
    text = without_blocks(read(guide))
    named = re.findall(r"\]\(([^)#]+)\)", text)
    assert [page for page in named if not (ROOT / guide).parent.joinpath(page).exists()] == []
    anchors = {heading.lower().replace(" ", "-").replace(",", "") for heading in sections(read(guide))}
    assert [anchor for anchor in re.findall(r"\]\(#([^)]+)\)", text) if anchor not in anchors] == []


def test_the_servers_package_brings_every_page_in_this_folder_that_the_guides_name() -> None:
    named = re.findall(r"\]\(([\w.]+\.md)\)", read(OPERATOR) + read(SWEDISH))
    assert sorted(set(named)) == sorted(SERVER_PAGES)
