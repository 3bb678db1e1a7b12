# SPDX-License-Identifier: EUPL-1.2
"""The words with which hashes begin: none is the beginning of another, since nothing separates a word from what follows
(CRYPTO.md).
"""

import re
from itertools import permutations
from pathlib import Path

SYNC = Path(__file__).parents[3] / "sync"
KNOWN = {("enrol", "enrol-commit"), ("enrol", "enrol-digits")}
"""What follows `enrol` is a hash or a fingerprint, which nobody can choose."""


def words() -> set[str]:
    sources = [path.read_text(encoding="utf-8") for path in SYNC.rglob("*.py")]
    return {word for source in sources for word in re.findall(r'\bH\(\s*"([a-z0-9-]+)"', source)}


def test_no_word_of_a_hash_is_the_beginning_of_another() -> None:
    found = words()
    assert {"rh", "op-id", "room-log", "user-log", "kc", "ac", "enrol"} <= found
    assert {(a, b) for a, b in permutations(found, 2) if b.startswith(a)} == KNOWN
