# SPDX-License-Identifier: EUPL-1.2
"""A person's own things, by another program: tests/vectors/own-1-objects.json, read from app/own/FORMAT.md alone."""

import json
from random import Random
from typing import Any

import pytest

from tests.reader.own_things import REGISTERS, OwnThings
from tests.reader.vectors import HERE, raw

CASES = json.loads((HERE.parent / "vectors/own-1-objects.json").read_text(encoding="utf-8"))


def taken(case: Any, order: list[str]) -> OwnThings:
    things = OwnThings(case["devices"])
    for obj in order:
        things.take([(raw(author), raw(data)) for author, data in case["objects"][obj]])
    return things


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
@pytest.mark.parametrize("seed", range(3))
def test_what_counts_is_the_same_in_any_order_of_the_objects(case: Any, seed: int) -> None:
    order = Random(seed).sample(sorted(case["objects"]), len(case["objects"]))
    things, counts = taken(case, order), case["counts"]
    assert sorted(things.years) == case["years"]
    reads = {key: (v[0], v[1], v[3] if len(v) > 3 else []) for key, v in counts["reads"].items()}
    assert things.reads(case["room"]) == reads
    for root in REGISTERS:
        assert things.registers(root) == counts[root]
    assert things.notices() == counts["notices"]
    assert things.reminders() == counts["reminders"]
    assert things.drafts() == counts["drafts"]


def test_the_newest_object_has_everything_of_the_years_before_it() -> None:
    case = CASES[0]
    whole = taken(case, sorted(case["objects"]))
    newest = [obj for obj in sorted(case["objects"]) if taken(case, [obj]).years == [2027]]
    assert len(newest) == 2
    alone = taken(case, newest)
    assert (alone.reads(case["room"]), alone.notices()) == (whole.reads(case["room"]), whole.notices())
    assert len(alone.reads(case["room"])) == 3
    assert alone.reminders() == whole.reminders()
    assert {root: alone.registers(root) for root in REGISTERS} == {root: whole.registers(root) for root in REGISTERS}
