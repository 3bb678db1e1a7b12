# SPDX-License-Identifier: EUPL-1.2
"""Every block of the guides that somebody types into a shell is run by a test, or says why none runs it."""

import re

import pytest

from tests.packages.guides import GUIDES, KINDS, ROOT, SHELLS, Block, blocks, parse, read, without_blocks


def unmarked(found: list[Block]) -> list[str]:
    """Where a block stands whose mark is missing, names no test, or gives a reason of fewer than three words."""
    shells = [block for block in found if block.language in SHELLS]
    return [b.place for b in shells if b.kind not in KINDS and (b.kind or len(b.why_not.split()) < 3)]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_shell_block_is_marked_as_run_or_says_why_not(guide: str) -> None:
    assert unmarked(blocks(guide)) == [], "mark it as CONTRIBUTING.md says"


@pytest.mark.parametrize(
    ("mark", "passes"),
    [
        ("sh run=server", True),
        ("sh not-run: needs a signed release", True),
        ("sh", False),
        ("", False),
        ("sh run=nobody", False),
        ("sh not-run: later", False),
        ("bat", False),
        ("toml", True),
    ],
)
def test_a_block_without_a_good_mark_is_found(mark: str, passes: bool) -> None:
    assert (unmarked(parse(f"Type:\n\n```{mark}\nls\n```\n", "guide")) == []) is passes


@pytest.mark.parametrize("guide", GUIDES)
def test_no_command_hides_in_a_block_without_a_fence(guide: str) -> None:
    assert re.findall(r"^(?: {4}|\t).*", without_blocks(read(guide)), re.MULTILINE) == []


@pytest.mark.parametrize("guide", GUIDES)
def test_every_fence_is_closed(guide: str) -> None:
    assert "```" not in without_blocks(read(guide))


def test_what_the_guides_make_is_there_to_be_made() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    typed = {word for guide in GUIDES for b in blocks(guide) for word in re.findall(r"\bmake ([a-z-]+)", b.text)}
    assert typed
    assert typed <= targets


def test_contributing_names_every_mark() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`run={kind}`" not in text] == []
    assert "`not-run: " in text
