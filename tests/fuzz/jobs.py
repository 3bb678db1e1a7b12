# SPDX-License-Identifier: EUPL-1.2
"""What `tests.fuzz.endurance` does with one input: each job makes it from a random source, and counts what it saw."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from functools import partial
from random import Random
from typing import Generic, TypeVar

from app.objects.beginning import begin
from app.objects.compaction import state_of
from app.objects.grammar import read, reading
from app.objects.judging import Kind
from app.objects.lib0 import BadUpdate
from app.objects.structure_codec import encode
from app.richtext.model import Document
from app.tasks.model import ROOT_MAPS, Board
from tests.fuzz import histories
from tests.fuzz.feeding import BOARD, DOCUMENT, merge
from tests.fuzz.histories import Positioned
from tests.fuzz.judged import Judging, person
from tests.fuzz.streams import Stream, stream
from tests.fuzz.structures import mutate, seeds, unpack
from tests.fuzz.whole import Whole

T = TypeVar("T")
Job = Callable[[Random, Counter[str]], None]
TURN_MS = 5
_SIZES = ("bytes 0", *(f"bytes from 2^{power}" for power in range(40)))


def rounds(rng: Random, counts: Counter[str]) -> None:
    """A history of the tools' own models, of up to 256 rounds: see `lives`."""
    board, many = rng.random() < 0.5, round(2 ** rng.uniform(2, 8))
    history = (histories.board if board else histories.document)(rng, people=rng.randint(1, 4), rounds=many)
    lives(history, board=board)
    counts["rounds"] += many
    counts["updates"] += len(history)


def lives(history: Sequence[Positioned], *, board: bool) -> None:
    """Asserts that a history of a tool's model is an object: all of it is merged, has a state, opens, and can be begun
    from that state."""
    judging = Judging()
    for position, positioned in enumerate(history):
        verdicts = list(judging.offer(position, person(positioned.author), read(positioned.update)))
        assert [v.kind for v in verdicts] == [Kind.MERGED], verdicts
    updates = [positioned.update for positioned in history]
    found = state_of(updates, maps=ROOT_MAPS) if board else state_of(updates, texts=("text",), maps=("meta",))
    assert found is not None
    begin(read(found[0], state=True), encode(judging.judge.structure))
    opened = Board() if board else Document()
    assert not opened.merge(updates)
    opened.close()


def updates(rng: Random, counts: Counter[str]) -> None:
    """A long changed history (see streams.py), one in fifty a short one of `changed`: reading and judging fail on
    nothing, and the library reads what is merged. Counts the changed updates, their bytes and their sizes: `bytes from
    2^k` has those of at least so many bytes and fewer than twice as many."""
    made = stream(rng) if rng.random() < 0.98 else Stream(rng.random() < 0.5, changed(rng), 0)
    for positioned in made.history[made.begun :]:
        size = len(positioned.update)
        counts["bytes"] += size
        counts[_SIZES[size.bit_length()]] += 1
    counts["begun_with"] += made.begun
    counts["updates"] += len(made.history) - made.begun
    merged = passed(made.history, counts, made.begun)
    roots = (DOCUMENT, BOARD) if rng.random() < 0.02 else (BOARD if made.board else DOCUMENT,)
    every = 16 if rng.random() < 0.02 else len(made.history)
    assert merge(merged, roots, every), "what passed is none for the library"


def changed(rng: Random) -> list[Positioned]:
    """A history of the tools, changed as structures once or several times."""
    begins = seeds()
    data = rng.choice(begins)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        data = mutate(rng, data, begins)
    return unpack(data)


def passed(history: list[Positioned], counts: Counter[str], begun: int = 0) -> list[bytes]:
    """The updates that the grammar and the judge let through, in the order of the verdicts. Counts the verdicts of the
    updates behind the first `begun`, and the rules that damaged ones break."""
    judging, out = Judging(), list[bytes]()
    for position, positioned in enumerate(history):
        try:
            facts = timed(partial(reading, positioned.update), counts)
        except BadUpdate as bad:
            counts["damaged"] += 1
            counts[f"damaged {bad.where}"] += 1
            continue
        for verdict in judging.offer(position, person(positioned.author), facts):
            at = verdict.change.position
            if at >= begun:
                counts[verdict.kind.value] += 1
                if verdict.code:
                    counts[f"void {verdict.code}"] += 1
            if verdict.kind is Kind.MERGED:
                out.append(history[at].update)
                counts["reached_the_library"] += at >= begun
    return out


def timed(make: Callable[[], Generator[None, None, T]], counts: Counter[str]) -> T:
    """Runs the steps to their result, and counts the pieces that took more than 5 ms of processor time: first all of
    them, then those that are shorter without Python's search for garbage, then those that take as long in every further
    run, which only the bytes explain. BadUpdate as the steps."""
    pieces = _Pieces(make())
    slow: list[int] = []
    for at, (took_s, collected_s) in enumerate(pieces.run()):
        counts["longest_piece_us"] = max(counts["longest_piece_us"], round((took_s - collected_s) * 1e6))
        if took_s > TURN_MS / 1000:
            counts["turns_over_5_ms"] += 1
            counts["of_these_garbage"] += took_s - collected_s <= TURN_MS / 1000
            counts["longest_search_us"] = max(counts["longest_search_us"], round(collected_s * 1e6))
            slow.append(at)
    if slow:
        counts["of_these_each_time"] += _each_time(make, slow)
    return pieces.result()


def _each_time(make: Callable[[], Generator[None, None, T]], slow: Sequence[int]) -> int:
    """How many of these pieces take more than 5 ms in each of three more runs without a search for garbage."""
    gc.disable()
    runs = [[took_s for took_s, _ in _Pieces(make()).run()] for _ in range(3)]
    gc.enable()
    return sum(min(run[at] for run in runs) > TURN_MS / 1000 for at in slow)


class _Pieces(Generic[T]):
    """Some work in pieces, which is timed."""

    def __init__(self, steps: Generator[None, None, T]) -> None:
        self._steps = steps
        self._found: T | None = None
        self._bad: BadUpdate | None = None

    def run(self) -> list[tuple[float, float]]:
        """Runs all pieces. Returns for each its seconds of processor time, and how many of these Python spent searching
        for garbage."""
        out: list[tuple[float, float]] = []
        steps, clock = self._steps, time.thread_time
        collected, began = COLLECTING.took_s, clock()
        try:
            while True:
                next(steps)
                out.append((clock() - began, COLLECTING.took_s - collected))
                collected, began = COLLECTING.took_s, clock()
        except StopIteration as end:
            self._found = end.value
        except BadUpdate as bad:
            self._bad = bad
        out.append((clock() - began, COLLECTING.took_s - collected))
        return out

    def result(self) -> T:
        """What the work returned; BadUpdate if that ended it."""
        if self._bad is not None:
            raise self._bad
        return self._found  # type: ignore[return-value]  # the work has ended


class _Collecting:
    """How long this thread has searched for garbage."""

    def __init__(self) -> None:
        self.took_s = 0.0
        self._began = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.took_s += time.thread_time() - self._began


COLLECTING = _Collecting()


WHOLE = Whole(changed)
JOBS: dict[str, Job] = {"rounds": rounds, "updates": updates, "whole": WHOLE.run}
ENDS: dict[str, Callable[[Counter[str]], None]] = {"whole": WHOLE.end}
"""What a child does after its last input."""
