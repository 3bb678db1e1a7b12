# SPDX-License-Identifier: EUPL-1.2
"""What an object of the person's own has read of its CRDT is right in whatever order the devices' updates come, as long
as each device's own are in the order in which it wrote them."""

import random
from collections.abc import Iterator, Mapping, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.own.model import ROOTS, OwnObject

DEVICES = [bytes([n]).hex() * 16 for n in (1, 2, 3)]
Write = tuple[int, int, str, str, int]
"""Which device writes, in which week, the root, the key, and a number."""
Content = Mapping[tuple[str, str], Mapping[str, list[object]]]

writes = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(2900, 2902),
        st.sampled_from(["settings", "notices", "drafts"]),
        st.sampled_from(["å", "ö", "🙂"]),
        st.integers(0, 3),
    ),
    max_size=30,
)


def content_of(found: OwnObject) -> Content:
    return {(root, key): found.values(root, key) for root in ROOTS for key in found.keys(root)}


def in_turns(updates: Sequence[Sequence[bytes]], chance: random.Random) -> Iterator[bytes]:
    """The updates of all devices, each device's own in order; now and then one comes again."""
    left = [list(each) for each in updates]
    while any(left):
        first = chance.choice([each for each in left if each])
        update = first[0]
        if chance.random() < 0.8:
            first.pop(0)
        yield update


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=writes, seed=st.integers(0, 10_000))
def test_updates_of_several_devices_are_read_right_in_any_order(made: Sequence[Write], seed: int) -> None:
    updates: list[list[bytes]] = [[] for _ in DEVICES]
    writers = [OwnObject(mine.append) for mine in updates]
    expected: dict[tuple[str, str], dict[str, list[object]]] = {}
    chance = random.Random(seed)
    for which, week, root, key, number in made:
        others = [update for mine in updates for update in mine]
        if chance.random() < 0.5:
            writers[which].merge(others)  # this device knows what the others wrote so far
        writers[which].write(DEVICES[which], week, {root: {key: [number, number]}})
        expected.setdefault((root, key), {})[DEVICES[which]] = [number, number]
    reader = OwnObject()
    for update in in_turns(updates, chance):
        assert reader.merge([update]) == []
        if chance.random() < 0.3:
            content_of(reader)  # what is read now is remembered
    assert content_of(reader) == expected
    fresh = OwnObject()
    fresh.load([update for mine in updates for update in mine])
    assert content_of(fresh) == expected
