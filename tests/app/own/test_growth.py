# SPDX-License-Identifier: EUPL-1.2
"""What a newer program writes into the person's own object is kept, and skipped; what is damaged counts nowhere."""

from typing import Any

import pycrdt
import pytest

from app.own.joining import JOINS, NOTHING_READ, ReadMark, join_marks, mark_from
from app.own.model import OwnObject

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
