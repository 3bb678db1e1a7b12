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
    """A whole document or board of the tools: all of it is merged, opens, has a state, and can be begun from."""
    from app.documents.model import Document
    from app.objects.beginning import begin
    from app.objects.compaction import state_of
    from app.objects.grammar import read
    from app.objects.structure_codec import encode
    from app.tasks.model import ROOT_MAPS, Board
    from tests.fuzz import histories
    from tests.fuzz.judged import Judging, person

    def run(data: bytes) -> None:
        rng, board = Random(data), len(data) % 2
        history = (histories.board if board else histories.document)(rng, people=rng.randint(1, 4))
        judging = Judging()
        for position, positioned in enumerate(history):
            (verdict,) = judging.offer(position, person(positioned.author), read(positioned.update))
            assert verdict.kind.value == "merged", verdict
        updates = [positioned.update for positioned in history]
        found = state_of(updates, maps=ROOT_MAPS) if board else state_of(updates, texts=("text",), maps=("meta",))
        assert found is not None
        begin(read(found[0], state=True), encode(judging.judge.structure))
        opened = Board() if board else Document()
        assert not opened.merge(updates)
        opened.close()

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
