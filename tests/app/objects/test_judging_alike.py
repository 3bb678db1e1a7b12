# SPDX-License-Identifier: EUPL-1.2
"""The judge of an object's updates: everybody judges alike, in every order, from a snapshot and from the start."""

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import Any

import pycrdt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.objects.beginning import begin
from app.objects.grammar import read
from app.objects.judging import Judge
from app.objects.lib0 import BadUpdate
from app.objects.structure import BREATH
from app.objects.structure_codec import decode, decoding, encode
from app.objects.waiting import Change
from tests.app.objects.judged_room import ANNA, BO, Room, ground, of, state_of, text, verdicts_of
from tests.fuzz import histories
from tests.fuzz.histories import Positioned
from tests.fuzz.judged import Judging, MemoryRows, passed, person
from tests.fuzz.structures import mutate, seeds, unpack


def merged_text(updates: Sequence[bytes]) -> str:
    doc: Any = pycrdt.Doc()
    doc["text"] = pycrdt.Text()
    for update in updates:
        doc.apply_update(update)
    return str(doc["text"])


@pytest.mark.parametrize("make", [histories.document, histories.board])
def test_all_that_the_tools_write_is_merged(make: Any) -> None:
    for seed in range(6):
        history = make(Random(seed))
        assert passed(history) == [positioned.update for positioned in history]


def test_three_authors_offer_their_changes_in_every_order_and_get_one_text() -> None:
    history = histories.document(Random(3), rounds=40)
    mine = [[p for p in history if p.author == author] for author in range(3)]
    texts = set()
    for order in permutations(range(3)):
        offered = [positioned for author in order for positioned in mine[author]]
        out = passed(offered)
        assert sorted(out) == sorted(p.update for p in history)
        texts.add(merged_text(out))
    for seed in range(20):
        out = passed(_interleaved(Random(seed), mine))
        assert len(out) == len(history)
        texts.add(merged_text(out))
    assert len(texts) == 1


def _interleaved(rng: Random, mine: list[list[Positioned]]) -> list[Positioned]:
    left = [list(rows) for rows in mine]
    out = []
    while any(left):
        rows = rng.choice([rows for rows in left if rows])
        out.append(rows.pop(0))
    return out


def _hostile(seed: int) -> list[Positioned]:
    """A history that was changed and mixed, with its second half in another order."""
    rng, begin_with = Random(seed), seeds(3)
    history = [p for _ in range(3) for p in unpack(mutate(rng, rng.choice(begin_with), begin_with, 1 << 17))]
    half = len(history) // 2
    return history[:half] + rng.sample(history[half:], len(history) - half)


def _begins_alike(seed: int, at: float) -> int:
    """A judge that read everything and one that began at a snapshot; how many updates they then judged alike."""
    history = _hostile(seed)
    cut = int(len(history) * at)
    whole = Judging()
    verdicts_of(whole, history[:cut], 0)
    known = encode(whole.judge.structure)
    structure = begin(read(state_of(whole, history), state=True), known)
    rows = MemoryRows()
    rows.offered, rows.lates = dict(whole.rows.offered), dict(whole.rows.lates)
    judge = Judge(rows, structure)
    judge.restore(list(rows.lates.values()))
    began = Judging(judge, rows)
    one, other = verdicts_of(whole, history, cut), verdicts_of(began, history, cut)
    assert [(v.change, v.kind, v.code, v.missing) for v in one] == [
        (v.change, v.kind, v.code, v.missing) for v in other
    ]
    assert encode(whole.judge.structure) == encode(began.judge.structure)
    return len(one)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_one_who_begins_at_a_snapshot_judges_as_one_who_read_everything(seed: int, at: float) -> None:
    _begins_alike(seed, at)


@pytest.mark.slow
def test_ten_thousand_updates_are_judged_alike_from_a_snapshot_and_from_the_start() -> None:
    judged = seed = 0
    while judged < 10_000:
        judged += _begins_alike(seed, Random(seed).uniform(0.1, 0.6))
        seed += 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_a_transaction_that_fails_leaves_no_trace(seed: int) -> None:
    history, rng = _hostile(seed), Random(seed)
    plain, tried = Judging(), Judging()
    for position, positioned in enumerate(history):
        try:
            facts = read(positioned.update)
        except BadUpdate:
            continue
        if rng.random() < 0.5:
            mark, lates = tried.judge.mark(), dict(tried.rows.lates)
            list(tried.offer(position, person(positioned.author), facts))
            tried.judge.rollback(mark)
            tried.rows.lates = lates
        list(tried.offer(position, person(positioned.author), facts))
        if rng.random() < 0.3:
            tried.judge.settle()
        list(plain.offer(position, person(positioned.author), facts))
    assert encode(plain.judge.structure) == encode(tried.judge.structure)
    assert plain.rows.lates == tried.rows.lates
    assert len(plain.judge._waiting) == len(tried.judge._waiting)


def test_a_large_update_is_judged_in_pieces_and_one_that_is_given_up_leaves_no_trace() -> None:
    """Each piece is about 1 ms of work; the program's loop runs in between."""
    room = Room()
    room.verdicts(ANNA, of(7, *ground()))
    before = encode(room.judging.judge.structure)
    large = read(of(8, *(text("x", parent=f"r{n}") for n in range(5000)), deletes=[(7, [[0, 1]])]))
    steps = room.judging.judge.offering(Change(2, b"", person(BO), 0), large)
    for _ in range(10):
        next(steps)
    steps.close()
    assert encode(room.judging.judge.structure) == before
    assert sum(1 for _ in room.judging.judge.offering(Change(2, b"", person(BO), 0), large)) >= 5000 // BREATH
    known = encode(room.judging.judge.structure)
    assert sum(1 for _ in decoding(known)) > 5000 // BREATH
    assert encode(decode(known)) == known != before
