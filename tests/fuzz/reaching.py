# SPDX-License-Identifier: EUPL-1.2
"""How far the structured generator's inputs get: `python -m tests.fuzz.reaching 2000` prints it as JSON. Run beside
coverage it also shows which branches of the grammar and the judge they take."""

import contextlib
import json
import sys
from collections import Counter
from random import Random

from app.objects.grammar import client_begun, read
from app.objects.lib0 import MAX_BYTES, MAX_THINGS, BadUpdate
from tests.fuzz import long_things
from tests.fuzz.blocks import number
from tests.fuzz.contents import odd
from tests.fuzz.judged import passed
from tests.fuzz.streams import stream
from tests.fuzz.structures import mutate, seeds, unpack


def edges() -> None:
    """Reads what the generator has for the edges of each rule: odd contents, states, and the largest updates."""
    passed(odd())
    for positioned in odd():
        with contextlib.suppress(BadUpdate):
            read(positioned.update, state=True)
    for large in (bytes(MAX_BYTES + 1), b"\0\1\1" + number(MAX_THINGS + 1) + b"\1\1" * (MAX_THINGS + 1)):
        with contextlib.suppress(BadUpdate):
            read(large)
    long_things.read_all()
    for piece in (b"\1\1\5\0", b"\0", b""):
        client_begun(piece)


def main() -> None:
    """Reads and judges so many inputs: of the short changed histories, and a tenth as many of the long ones."""
    counts, begin = Counter[str](), seeds()
    edges()
    for seed in range(int(sys.argv[1])):
        rng = Random(seed)
        data = mutate(rng, rng.choice(begin), begin, 1 << 18)
        passed(unpack(data), counts)
    for seed in range(int(sys.argv[1]) // 10):
        passed(stream(Random(seed)).history, counts)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
