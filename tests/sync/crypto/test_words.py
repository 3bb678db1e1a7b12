# SPDX-License-Identifier: EUPL-1.2
"""The words with which hashes begin: none is the beginning of another, since nothing separates a word from the bytes
after it (CRYPTO.md)."""

import re
from itertools import permutations
from pathlib import Path

SYNC = Path(__file__).parents[3] / "sync"
OF_ONE_LENGTH = {("recovery", "recovery-2"), ("recovery", "recovery-share")}
"""Each of the three is followed by a number of 17 bytes, so no input of one is as long as an input of another."""
_IN_PLACE = r'\bH\(\s*"([a-z0-9-]+)"'
_LABEL = r'^_?(?:SHARE_)?LABEL(?:_OF_FORMAT_1)? = "([a-z0-9-]+)"'
_DOMAIN = r'^DOMAIN = "([a-z0-9-]+)"'


def words() -> set[str]:
    """The words in calls of `H`, and those that `H` is given by name. A domain of signatures alone does not count: it
    is encoded, and so separated from what is signed."""
    found = set()
    for path in SYNC.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        patterns = (_IN_PLACE, _LABEL, *([_DOMAIN] if "H(DOMAIN" in source else []))
        found |= {word for pattern in patterns for word in re.findall(pattern, source, re.MULTILINE)}
    return found


def test_no_word_of_a_hash_is_the_beginning_of_another() -> None:
    found = words()
    named = {"rh", "op-id", "room-log", "user-log", "kc", "ac", "enrol-transcript", "escrow", "pairing", "recovery-2"}
    assert named <= found
    assert {(a, b) for a, b in permutations(found, 2) if b.startswith(a)} == OF_ONE_LENGTH
