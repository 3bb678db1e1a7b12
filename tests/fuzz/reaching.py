# SPDX-License-Identifier: EUPL-1.2
"""How far the structured generator's inputs get: `python -m tests.fuzz.reaching 2000` prints it as JSON. Run beside
coverage it also shows which branches of the grammar and the judge they take."""

import contextlib
import json
import sys
from collections import Counter
from random import Random

from app.objects.grammar import read
from app.objects.lib0 import BadUpdate
from tests.fuzz.contents import odd
from tests.fuzz.judged import passed
from tests.fuzz.structures import mutate, seeds, unpack


def main() -> None:
    """Reads and judges so many inputs."""
    counts, begin = Counter[str](), seeds()
    passed(odd())
    for positioned in odd():
        with contextlib.suppress(BadUpdate):
            read(positioned.update, state=True)
    for number in range(int(sys.argv[1])):
        rng = Random(number)
        data = mutate(rng, rng.choice(begin), begin, 1 << 18)
        passed(unpack(data), counts)
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
