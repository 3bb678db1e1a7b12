# SPDX-License-Identifier: EUPL-1.2
"""The histories that the structured generator begins with, from begins.json: packed as in tests/fuzz/structures.py, in
base64. `python -m tests.fuzz.begins` lets the tools' models write new ones.

They are kept in a file because the models give other bytes in every process: the CRDT's clients are random. So input k
of a long run is the same in every process.
"""

import base64
import json
from functools import cache
from pathlib import Path
from random import Random

PATH = Path(__file__).with_name("begins.json")
HISTORIES = 6
"""Of each tool, and of each length (3 and 14 rounds)."""


@cache
def begins() -> tuple[tuple[bool, bytes], ...]:
    """(whether it is a board, the packed history) of each."""
    return tuple((board, base64.b64decode(data)) for board, data in json.loads(PATH.read_text()))


def main() -> None:
    """Writes the file again, with other clients than before."""
    from tests.fuzz import histories
    from tests.fuzz.structures import pack

    makes = ((False, histories.document), (True, histories.board))
    found = [
        (board, base64.b64encode(pack(make(Random(i), rounds=rounds))).decode())
        for i in range(HISTORIES)
        for board, make in makes
        for rounds in (3, 14)
    ]
    PATH.write_text(json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    main()
