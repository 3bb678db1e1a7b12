# SPDX-License-Identifier: EUPL-1.2
"""An update is read in pieces of bounded work, whatever its bytes are. Work is counted here, in bytes and in calls."""

import sys
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from app.core.pieces import finished
from app.objects import grammar, json_texts, lib0, values
from app.objects.grammar import reading
from app.objects.json_texts import skip_json
from app.objects.lib0 import MAX_THINGS, PIECE, STRETCH, BadUpdate, Reader
from app.objects.values import skip_value
from tests.fuzz.blocks import EMBED, MARK, TEXT, TYPE, VALUES, Block, number, value_bytes
from tests.fuzz.blocks import text as with_length
from tests.fuzz.long_things import DECIDED, JSON_TEXTS, MANY_THINGS, SIZE, of

MOST_BYTES = 20_000
"""Of JSON that one piece looks at: a step for 16 bytes, and one token more."""
MOST_TEXT_BYTES = 70_000
"""Of a text whose UTF-8 alone is looked at."""
MOST_CALLS = 6000
"""Calls of functions in one piece. 2 ms hold about 20,000."""


BAD = ("digits", "space_alone", "space_before_an_error")


def positions(read: Reader, steps: Iterator[None], *, bad: bool = False) -> list[int]:
    """The reader's position behind each piece."""
    at = [read.at]
    try:
        at.extend(read.at for _ in steps)
    except BadUpdate:
        assert bad
    else:
        assert not bad
        at.append(read.at)
    return at


def longest(at: list[int]) -> int:
    return max(after - before for before, after in pairwise(at))


@pytest.mark.parametrize("name", JSON_TEXTS)
def test_attack_a_json_text_of_long_things_is_read_in_pieces(name: str) -> None:
    """One string of `x\\n` again and again took 15 ms in one piece, white space before an error 66 ms."""
    read = Reader(with_length(JSON_TEXTS[name]))
    at = positions(read, skip_json(read), bad=name in BAD)
    begins = next(n for n in range(1, len(at)) if at[n] < at[n - 1])  # it looks at the UTF-8 first, then at the JSON
    assert longest(at[:begins]) < MOST_TEXT_BYTES
    assert longest([0, *at[begins:]]) < MOST_BYTES
    assert at[-1] > read.end - MOST_BYTES


@pytest.mark.parametrize(
    "written",
    [
        value_bytes("å" * (SIZE // 2)),
        value_bytes("x" * SIZE),
        value_bytes({"å" * (SIZE // 2): None}),
        value_bytes({str(n) + "å" * 1000: None for n in range(SIZE // 2000)}),
    ],
)
def test_attack_a_value_of_a_long_text_is_read_in_pieces(written: bytes) -> None:
    read = Reader(written)
    assert longest(positions(read, skip_value(read))) < MOST_TEXT_BYTES


def most_calls(update: bytes) -> int:
    """How many functions one piece of reading calls at most, Python's own too."""
    calls = [0]

    def note(_: Any, event: str, __: Any) -> None:
        calls[-1] += event in ("call", "c_call")

    steps = reading(update)
    sys.setprofile(note)
    try:
        while next(steps, calls) is None:
            calls.append(0)
    finally:
        sys.setprofile(None)
    return max(calls)


@pytest.mark.parametrize("update", MANY_THINGS.values(), ids=MANY_THINGS)
def test_attack_many_things_of_less_than_a_piece_each_are_read_in_pieces(update: bytes) -> None:
    """One piece held up to 1,499 lists, 149 JSON texts, or all clients of few ranges. 940 lists took 86 ms."""
    assert most_calls(update) < MOST_CALLS


def test_a_large_update_is_not_copied_at_its_end() -> None:
    """A copy of 500,000 things took 40 ms in one piece."""
    facts = finished(reading(of(*[Block(TEXT, "𝔎", parent="text")] * 3, deletes=[(5, [[0, 9]])])))
    held = (facts.sections, facts.sections[0].items, facts.sections[0].lows, facts.needed, facts.deleted)
    assert all(isinstance(found, list) for found in held)


def test_attack_what_was_noted_of_many_types_is_freed_in_pieces() -> None:
    """The memory of 500,000 entries took 30 ms to free in one piece."""
    checking = grammar._Update(of(*[Block(TYPE, 1, parent="m")] * (4 * PIECE)), state=False)
    left = [len(checking._depths) for _ in checking.run()]
    assert max(left) == 4 * PIECE
    assert max(before - after for before, after in pairwise([*left, 0])) <= PIECE


# -- what is decided does not depend on the stretches


@pytest.fixture(params=[STRETCH, 33, 12])
def stretch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Stretches of so many bytes."""
    for module in (json_texts, lib0, values):
        monkeypatch.setattr(module, "STRETCH", request.param)
    return int(request.param)


def decided(update: bytes) -> tuple[str, int] | None:
    """(rule, byte) that an update breaks."""
    try:
        grammar.read(update)
    except BadUpdate as bad:
        return bad.where, bad.at
    return None


AT = len(of(Block(EMBED, "", parent="text"))) - 2
"""The byte at which the JSON of an embedded thing begins."""


@pytest.mark.parametrize("case", range(len(DECIDED)))
def test_json_is_decided_the_same_in_stretches_of_any_length(stretch: int, case: int) -> None:
    made, rule = DECIDED[case]
    found = decided(of(Block(EMBED, made, parent="text")))
    assert found == (None if rule is None else (rule, AT))


@pytest.mark.parametrize(
    ("cut", "rule"), [(b"\xc3", "text"), (b"\x80", "text"), (b"\xed\xa0\x80", "text"), (b"\xf0\x9d\x94", "text")]
)
def test_text_that_is_no_utf_8_is_damaged_wherever_a_stretch_ends(stretch: int, cut: bytes, rule: str) -> None:
    rng = Random(stretch)
    for block in (TEXT, EMBED):
        for length in (2, 30, 31, 32, 33, 60):
            good = bytes(rng.choice(b"abc") for _ in range(length)) + "𝔎".encode() * 5
            made = of(Block(block, "@" * (len(good) + len(cut)), parent="text"))
            places = [made.replace(b"@" * (len(good) + len(cut)), whole) for whole in (good + cut, cut + good)]
            assert [decided(update) for update in places] == [(rule, AT)] * 2


def test_a_texts_pairs_are_the_same_in_stretches_of_any_length(stretch: int) -> None:
    made = "a🙂bå" * 20 + "🙂" * 20
    section = grammar.read(of(Block(TEXT, "x", parent="text"), Block(TEXT, made, parent="text"))).sections[0]
    units = made.encode("utf-16-be")
    lows = [1 + at // 2 for at in range(0, len(units), 2) if units[at] & 0xFC == 0xDC]
    assert (section.end, section.lows) == (1 + len(units) // 2, lows)


def test_long_keys_of_a_value_come_once(stretch: int) -> None:
    for size in (11, 12, 13, 33, 34, 4096, 4097, 9000):
        other, same = ["å" * size, "å" * (size - 1) + "x"], ["å" * size] * 2
        assert decided(of(Block(VALUES, [_map(other)], parent="m"))) is None
        found = decided(of(Block(VALUES, [_map(same)], parent="m")))
        assert found is not None
        assert found[0] == "twice"


def _map(keys: list[str]) -> bytes:
    return b"\x76" + number(len(keys)) + b"".join(with_length(key) + b"\x7e" for key in keys)


def test_a_long_name_of_a_mark_or_a_root_is_damaged_as_a_short_one(stretch: int) -> None:
    assert decided(of(Block(TEXT, "x", parent="å" * 5000))) == ("root", 5)
    found = decided(of(Block(MARK, ["å" * 5000, "true"], parent="text")))
    assert found == ("mark", AT)


def test_a_long_key_of_an_item_is_whole(stretch: int) -> None:
    item = grammar.read(of(Block(VALUES, [1], parent="m", key="å𝔎" * 5000))).sections[0].items[0]
    assert item.key == "å𝔎" * 5000


def test_attack_more_pairs_than_an_update_may_have_are_counted_and_not_kept() -> None:
    update = of(Block(TEXT, "🙂" * (MAX_THINGS + 1), parent="text"))
    assert decided(update) == ("total", len(update) - 1)
