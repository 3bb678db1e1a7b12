# SPDX-License-Identifier: EUPL-1.2
"""Updates of the CRDT: what the grammar and the judge make of them, and what the library makes of what passes."""

from random import Random

from tests.fuzz import structures
from tests.fuzz.target import Run, Target

MOST_BYTES = 1 << 18


def _judge() -> Run:
    """Reading and judging fail on nothing; a structure has one encoding, from which it is read back."""
    from app.objects.grammar import read
    from app.objects.judging import Kind
    from app.objects.lib0 import BadUpdate
    from app.objects.structure_codec import decode, encode
    from tests.fuzz.judged import Judging, person

    def run(data: bytes) -> None:
        judging = Judging()
        for position, positioned in enumerate(structures.unpack(data)):
            try:
                facts = read(positioned.update)
            except BadUpdate:
                continue
            for verdict in judging.offer(position, person(positioned.author), facts):
                assert verdict.kind in Kind
        told = encode(judging.judge.structure)
        assert encode(decode(told)) == told

    return run


def _library() -> Run:
    """What passes is merged by the library, in a child that may die of it."""
    from tests.fuzz.feeding import Feeder
    from tests.fuzz.histories import Positioned
    from tests.fuzz.judged import passed

    feeder = Feeder()

    def run(data: bytes) -> None:
        merged = [Positioned(0, update) for update in passed(structures.unpack(data))]
        assert feeder.feed(structures.pack(merged)), "what passed is none for the library"

    return run


def _tools() -> Run:
    """A whole document or board of the tools."""
    from tests.fuzz import histories
    from tests.fuzz.jobs import lives

    def run(data: bytes) -> None:
        rng, board = Random(data), len(data) % 2 == 1
        lives((histories.board if board else histories.document)(rng, people=rng.randint(1, 4)), board=board)

    return run


def _numbers() -> list[bytes]:
    return [bytes((n, 0)) for n in range(4)] + [bytes((n,)) for n in range(4)]


TARGETS = (
    Target(name="judge", make=_judge, seeds=structures.seeds, share=3, mutate=structures.mutate, most_bytes=MOST_BYTES),
    Target(
        name="library", make=_library, seeds=structures.seeds, share=3, mutate=structures.mutate, most_bytes=MOST_BYTES
    ),
    Target(name="tools-write", make=_tools, seeds=_numbers, share=3),
)
