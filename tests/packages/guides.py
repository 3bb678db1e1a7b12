# SPDX-License-Identifier: EUPL-1.2
"""The fenced blocks of the guides, and what their marks say: which test runs a block, or why none does.

A mark stands behind the block's language, where no reader sees it:

    ```sh run=server
    ```sh not-run: a release is signed, and nothing here is
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OPERATOR = "docs/OPERATOR.md"
PACKAGING = "packaging/README.md"
GUIDES = ("README.md", OPERATOR, "docs/POLICIES.md", PACKAGING)

KINDS = {
    "server": "test_operators_guide.py and test_booted_guide.py: a machine of scripts, and one with systemd",
    "systemd": "test_booted_guide.py: a machine with systemd only",
    "client": "test_linux.py: a minimal system without a display",
    "rpm": "test_linux.py: after the rpm was erased",
}
"""What `run=` may name, and which test runs the blocks so marked, from first to last."""

SHELLS = {"", "bash", "bat", "console", "powershell", "sh", "shell"}
"""Languages of blocks that somebody types into a shell; "" is a fence that names none."""
_FENCE = re.compile(r"^```(?P<language>[\w-]*) *(?P<mark>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`kind` is what `run=` says, `why_not` what `not-run:` says; both are "" without a mark."""

    language: str
    kind: str
    why_not: str
    text: str
    place: str
    """Guide and line."""

    @property
    def commands(self) -> list[str]:
        """What is typed, a command each: lines that end in a backslash go on in the next one."""
        return self.text.replace("\\\n", "").splitlines()


def read(guide: str) -> str:
    """The text of one of GUIDES."""
    return (ROOT / guide).read_text(encoding="utf-8")


def blocks(guide: str) -> list[Block]:
    """Every fenced block, in order."""
    return parse(read(guide), guide)


def parse(text: str, guide: str) -> list[Block]:
    """The fenced blocks of a guide's text."""
    return [
        Block(
            language=found["language"],
            kind=found["mark"].removeprefix("run=") if found["mark"].startswith("run=") else "",
            why_not=found["mark"].removeprefix("not-run: ") if found["mark"].startswith("not-run: ") else "",
            text=found["text"],
            place=f"{guide}:{text.count(chr(10), 0, found.start()) + 1}",
        )
        for found in _FENCE.finditer(text)
    ]


def without_blocks(text: str) -> str:
    """A guide's running text."""
    return _FENCE.sub("", text)
