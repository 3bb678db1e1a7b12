# SPDX-License-Identifier: EUPL-1.2
"""What a newer program writes into the person's own object is kept, and skipped; what is damaged counts nowhere."""

from typing import Any

import pycrdt
import pytest

from app.objects.grammar import reading
from app.own.joining import JOINS, NOTHING_READ, ReadMark, join_marks, mark_from
from app.own.model import READ_AT_ONCE, OwnObject
from sync.pieces import finished
from tests.counting import lines_run

DEV, OTHER, SERIES = "01" * 16, "02" * 16, "cc" * 16
HASH = "5a" * 8


def newer(updates: list[bytes], write: Any) -> bytes:
    """What a program with other roots and fields writes in an object with these updates."""
    doc: Any = pycrdt.Doc()
    for root in ("reads", "settings", "reminders"):
        doc[root] = pycrdt.Map()
    for update in updates:
        doc.apply_update(update)
    before = doc.get_state()
    with doc.transaction():
        write(doc)
    return bytes(doc.get_update(before))


def test_what_a_newer_program_writes_is_kept_also_when_the_map_is_made_again() -> None:
    made: list[bytes] = []
    mine = OwnObject(made.append)
    mine.write(DEV, 1, {"reads": {SERIES: [0, 3, HASH]}})

    def write(doc: Any) -> None:
        doc["reminders"]["ett"] = "Ring å 🙂"
        doc["reads"][DEV]["further"] = {"of": "a newer program"}
        doc["reads"][OTHER] = pycrdt.Map({SERIES: [0, 5, HASH, [], "a further field"]})

    assert mine.merge([newer(made, write)]) == []
    mine.write(DEV, 2, {"reads": {SERIES: [0, 4, HASH]}})
    again: Any = pycrdt.Doc()
    again.apply_update(mine.snapshot())
    assert again.get("reminders", type=pycrdt.Map)["ett"] == "Ring å 🙂"
    found = again.get("reads", type=pycrdt.Map)
    assert found[DEV]["further"].to_py() == {"of": "a newer program"}
    assert mine.values("reads", SERIES) == {DEV: [0, 4, HASH], OTHER: [0, 5, HASH, [], "a further field"]}
    assert JOINS["reads"](list(mine.values("reads", SERIES).values())) == [0, 5, HASH, [], "a further field"]
    mine.close()


@pytest.mark.parametrize(
    "value",
    [
        [],
        [1],
        [1, 2],
        ["1", 2, HASH],
        [1, -2, HASH],
        [1, 2**53, HASH],
        [True, 2, HASH],
        [1, 2.5, HASH],
        [1, 2, 3],
        [1, 2, HASH[:15]],
        [1, 2, HASH.upper()],
        [1, 2, HASH, "x"],
        [1, 2, HASH, [-1]],
        [1, 2, HASH, list(range(65))],
    ],
)
def test_a_value_that_is_no_read_mark_counts_nowhere(value: list[Any]) -> None:
    assert mark_from(value) is None
    assert JOINS["reads"]([value, [0, 7, HASH]]) == [0, 7, HASH]


@pytest.mark.parametrize("root", ["settings", "notices"])
def test_a_value_without_numbers_counts_nowhere(root: str) -> None:
    good = [1, 2, 3]
    for bad in ([], ["x", 2, 3], [-1, 2, 3], [True, 2, 3]):
        assert JOINS[root]([bad, good]) == good
        assert JOINS[root]([bad]) is None


def test_values_that_are_no_lists_are_skipped() -> None:
    mine = OwnObject()

    def write(doc: Any) -> None:
        doc["reads"][DEV] = pycrdt.Map({SERIES: "no list", "a" * 201: [1, 2], "ok": [1, 2]})
        doc["reads"][OTHER] = "no map"

    mine.merge([newer([], write)])
    assert mine.keys("reads") == {"ok"}
    mine.close()


def test_joining_takes_marks_in_any_order_and_more_than_once() -> None:
    marks = [ReadMark(position=9, left=(2, 5)), ReadMark(position=5, left=(2,)), ReadMark(position=3, left=(1,))]
    joined = join_marks(marks)
    assert joined == ReadMark(position=9) == join_marks([*reversed(marks), *marks, joined])
    assert join_marks([]) == NOTHING_READ


def test_a_done_notice_is_not_seen_again_by_a_device_that_saw_it_later() -> None:
    assert JOINS["notices"]([[0, 3, 0], [0, 1, 0]]) == [0, 3, 0]
    assert JOINS["notices"]([[0, 3, 0], [1, 2, 99]]) == [1, 2, 99]


def test_attack_an_object_with_20_000_values_of_a_stolen_device_is_opened_without_reading_them() -> None:
    """Each start of the person's other devices read them all at once: 0.15 s, also once it was revoked."""
    made, keys = list[bytes](), [f"{n:032x}" for n in range(20_000)]
    stolen = OwnObject(made.append)
    stolen.write(OTHER, 1, {"reads": {key: [0, 5, HASH] for key in keys}})
    stolen.write(DEV, 1, {"reads": {SERIES: [0, 3, HASH]}})

    def opened(state: bytes) -> OwnObject:
        mine = OwnObject()
        assert mine.load([state]) == []
        return mine

    state = stolen.snapshot()
    finished(reading(state, state=True))  # what app/own/opening.py does in pieces
    assert lines_run(lambda: opened(state).close()) < 5 * len(keys), "60 lines and more for each, if they are read"
    mine = opened(state)
    assert mine.keys("reads") == {*keys, SERIES}
    assert lines_run(lambda: mine.values("reads", keys[7])) < 1000
    assert mine.values("reads", keys[7]) == {OTHER: [0, 5, HASH]}
    assert mine.values("reads", SERIES) == {DEV: [0, 3, HASH]}
    touched: list[frozenset[tuple[str, str]]] = []
    mine.changed.connect(touched.append)
    stolen.write(OTHER, 1, {"reads": {keys[7]: [0, 6, HASH], keys[8]: [0, 6, HASH]}})
    assert mine.merge([made[-1]]) == []
    assert touched == [frozenset({("reads", keys[7]), ("reads", keys[8])})]
    assert mine.values("reads", keys[7]) == mine.values("reads", keys[8]) == {OTHER: [0, 6, HASH]}
    again: Any = pycrdt.Doc()
    mine.write(DEV, 1, {"reads": {keys[7]: [0, 9, HASH]}})
    again.apply_update(mine.snapshot())
    found = again.get("reads", type=pycrdt.Map)
    assert (len(found[OTHER]), found[DEV][keys[7]]) == (len(keys) + 1, [0, 9, HASH])
    for each in (stolen, mine):
        each.close()


def test_attack_many_values_of_a_stolen_device_are_noted_in_place() -> None:
    """With a copy of the notes for each value, one change of 10,000 values took 67 s."""
    made, keys, mine = list[bytes](), [f"{n:032x}" for n in range(2 * READ_AT_ONCE)], OwnObject()
    stolen = OwnObject(made.append)
    stolen.write(OTHER, 1, {"reads": {key: [0, 5, HASH] for key in keys}})
    assert mine.merge(made) == []
    notes = mine._entries["reads"][OTHER]
    held, unread = notes.held, notes.unread
    stolen.write(OTHER, 1, {"reads": {key: [0, 6, HASH] for key in keys}})
    assert mine.merge(made[-1:]) == []
    assert mine._entries["reads"][OTHER] is notes
    assert notes.held is held
    assert notes.unread is unread
    assert mine.values("reads", keys[-1]) == {OTHER: [0, 6, HASH]}
    for each in (stolen, mine):
        each.close()


@pytest.mark.parametrize("count", [READ_AT_ONCE - 1, READ_AT_ONCE + 50])
def test_a_map_that_is_made_again_has_what_was_not_read_yet(count: int) -> None:
    keys, mine = [f"{n:032x}" for n in range(count)], OwnObject()
    writer = OwnObject()
    writer.write(DEV, 1, {"reads": {key: [0, 5, HASH] for key in keys}})
    mine.load([writer.snapshot()])
    mine.write(DEV, 2, {"reads": {keys[0]: [0, 6, HASH]}})
    assert mine.keys("reads") == set(keys)
    assert [mine.values("reads", key) for key in keys] == [{DEV: [0, 6, HASH]}, *[{DEV: [0, 5, HASH]}] * (count - 1)]
    reopened = OwnObject()
    reopened.load([mine.snapshot()])
    assert {key: reopened.values("reads", key) for key in keys} == {key: mine.values("reads", key) for key in keys}
    for each in (mine, writer, reopened):
        each.close()


def test_an_object_that_is_read_again_names_all_that_was_and_is_there() -> None:
    one, other, mine = OwnObject(), OwnObject(), OwnObject()
    one.write(DEV, 1, {"reads": {SERIES: [0, 3, HASH]}, "settings": {"theme": [1, "dark"]}})
    other.write(DEV, 1, {"reads": {"dd" * 16: [0, 4, HASH]}})
    mine.load([one.snapshot()])
    touched: list[frozenset[tuple[str, str]]] = []
    mine.changed.connect(touched.append)
    assert mine.reset([other.snapshot()]) == []
    assert touched == [frozenset({("reads", SERIES), ("reads", "dd" * 16), ("settings", "theme")})]
    assert (mine.keys("reads"), mine.keys("settings")) == ({"dd" * 16}, set())
    for each in (one, other, mine):
        each.close()
