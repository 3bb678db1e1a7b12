# SPDX-License-Identifier: EUPL-1.2
"""The judge of an object's updates: how items hang together, and its structure as bytes."""

from random import Random
from typing import Any

import pytest

from app.objects.beginning import begin
from app.objects.grammar import read
from app.objects.lib0 import BadUpdate
from app.objects.structure_codec import decode, encode
from tests.app.objects.judged_room import ANNA, BO, CAJ, Room, deletes, ground, of, state_of, text, verdicts_of
from tests.fuzz import histories
from tests.fuzz.blocks import DELETED, EMBED, GC, TYPE, VALUES, Block, Blocks, Section, write
from tests.fuzz.judged import Judging, person

# -- how items hang together


@pytest.mark.parametrize(
    ("rule", "blocks"),
    [
        ("apart", [text("x", origin=(7, 0), right=(7, 4))]),
        ("apart", [Block(VALUES, [1], origin=(7, 7), right=(7, 9), flags=0x20)]),
        ("keyed", [Block(VALUES, [1], origin=(7, 7))]),
        ("keyed", [Block(VALUES, [1], origin=(7, 0), flags=0x20)]),
        ("parent", [text("x", parent=(7, 0))]),
        ("unfit", [Block(VALUES, [1], parent=(7, 5))]),
        ("unfit", [text("x", parent=(7, 6))]),
        ("unfit", [Block(VALUES, [1], parent=(7, 6), key="k")]),
        ("half", [text("x", origin=(7, 1))]),
        ("half", [text("x", right=(7, 2))]),
        (
            "depth",
            [Block(TYPE, 1, parent=(7, 5), key="k"), *(Block(TYPE, 1, parent=(8, n), key="k") for n in range(15))],
        ),
    ],
)
def test_attack_an_item_that_hangs_in_two_places_or_in_none_is_void(rule: str, blocks: list[Block]) -> None:
    """Neighbours in two sequences, a value as a parent, a place inside an emoji: each made copies differ or worse."""
    room = Room()
    room.verdicts(ANNA, of(7, *ground()))
    assert room.verdicts(BO, of(8, *blocks)) == [f"{rule}"]
    assert room.verdicts(CAJ, of(9, text("x", origin=(7, 2), right=(7, 3)))) == ["merged"]


@pytest.mark.parametrize("made", [Block(EMBED, "{}"), Block(VALUES, [1, 2]), *(Block(TYPE, kind) for kind in range(3))])
def test_attack_what_is_neither_text_nor_a_mark_stands_in_no_text(made: Block) -> None:
    """The library and the view counted its length differently, so that people's typing landed in the wrong place."""
    room = Room()
    room.verdicts(ANNA, of(7, *ground(), Block(TYPE, 2, parent=(7, 5), key="text")))
    places: list[dict[str, Any]] = [{"parent": "text"}, {"origin": (7, 0)}, {"parent": (7, 10)}]
    for client, place in enumerate(places, start=8):
        assert room.verdicts(BO, of(client, Block(made.kind, made.content, **place))) == ["unfit"]
        assert room.verdicts(BO, of(client, text("x", **place))) == ["merged"]


def test_attack_a_deleted_range_cuts_no_pair() -> None:
    room = Room()
    room.verdicts(ANNA, of(7, *ground()))
    for clock, length in ((0, 2), (2, 1), (2, 2)):
        assert room.verdicts(BO, deletes(7, clock, length)) == ["half"]
    assert room.verdicts(BO, deletes(7, 1, 2)) == ["merged"]


def test_what_stood_in_something_that_was_gone_at_once_stands_nowhere() -> None:
    room = Room()
    assert room.verdicts(ANNA, of(7, Block(DELETED, 1, parent="m", key="k"), Block(GC, 3))) == ["merged"]
    nowhere = [text("x", origin=(7, 1)), Block(TYPE, 1, parent=(7, 2), key="k"), Block(VALUES, [1], right=(7, 3))]
    assert room.verdicts(BO, of(8, *nowhere)) == ["merged"]
    assert room.verdicts(BO, of(9, text("x", parent=(7, 0)))) == ["parent"]


# -- as bytes


def test_a_structure_is_read_back_and_only_from_its_one_encoding() -> None:
    judging = Judging()
    verdicts_of(judging, histories.board(Random(5)), 0)
    known = encode(judging.judge.structure)
    assert encode(decode(known)) == known
    rng = Random(1)
    for _ in range(3000):
        bent = bytearray(known)
        bent[rng.randrange(len(bent))] = rng.randrange(256)
        made = bytes(bent[: rng.randint(0, len(bent))]) if rng.random() < 0.2 else bytes(bent)
        try:
            assert encode(decode(made)) == made
        except BadUpdate as bad:
            assert bad.where == "structure"  # noqa: PT017


def test_attack_a_state_and_the_structure_beside_it_must_agree() -> None:
    """A reader who begins at a state has only its bytes to judge by: bytes that do not fit together are refused as a
    whole."""
    judging = Judging()
    history = histories.board(Random(5), rounds=25)
    verdicts_of(judging, history, 0)
    state, known = state_of(judging, history), encode(judging.judge.structure)
    begin(read(state, state=True), known)
    rng, refused = Random(2), 0
    for _ in range(400):
        bent = bytearray(known)
        bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(8)
        try:
            begin(read(state, state=True), bytes(bent))
        except BadUpdate:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize(
    ("block", "other"),
    [
        (text("a🙂b"), text("abcd")),
        (text("a🙂b"), text("🙂ab")),
        (text("ab", parent="text"), text("ab", parent="other")),
        (Block(VALUES, [1], parent="m", key="k"), Block(VALUES, [1], parent="m", key="other")),
        (Block(VALUES, [1], parent="m", key="k"), Block(VALUES, [1], parent="n", key="k")),
        (Block(TYPE, 1, parent="m", key="k"), Block(TYPE, 0, parent="m", key="k")),
        (Block(TYPE, 1, parent="m", key="k"), Block(VALUES, [1], parent="m", key="k")),
        (text("ab"), text("abc")),
        (text("ab"), Block(GC, 2)),
    ],
)
def test_attack_a_state_beside_another_structure_is_refused(block: Block, other: Block) -> None:
    knows = []
    for made in (block, other):
        room = Room()
        assert room.verdicts(ANNA, of(7, made)) == ["merged"]
        knows.append(encode(room.judging.judge.structure))
    state = read(of(7, block), state=True)
    begin(state, knows[0])
    with pytest.raises(BadUpdate, match="state"):
        begin(state, knows[1])


def test_attack_a_state_whose_items_wait_for_each_other_is_refused() -> None:
    crossed = [Section(2, 0, [text("a", origin=(1, 0))]), Section(1, 0, [text("b", origin=(2, 0))])]
    straight = [Section(2, 0, [text("a", parent="text")]), Section(1, 0, [text("b", origin=(2, 0))])]
    judging = Judging()
    for section in straight:
        list(judging.offer(section.client, person(section.client), read(write(Blocks([section])))))
    known = encode(judging.judge.structure)
    begin(read(write(Blocks(straight)), state=True), known)
    with pytest.raises(BadUpdate, match="cycle"):
        begin(read(write(Blocks(crossed)), state=True), known)
