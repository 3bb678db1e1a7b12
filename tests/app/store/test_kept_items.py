# SPDX-License-Identifier: EUPL-1.2
"""Items are kept as they came, without gaps, for a while and up to a size."""

from app.core.ids import RoomId
from sync.client.received import ReceivedSlice
from sync.trust.formats.items import Item
from tests.app.store.conftest import Bench

ROOM, OTHER = RoomId(b"R" * 16), RoomId(b"O" * 16)


def item(n: int, *, t: int | None = None, ct: bytes | None = b"c" * 100) -> Item:
    return Item(n, n if t is None else t, 2, b"body %d" % n, b"s" * 64, ct)


def keep(bench: Bench, *items: Item, room: RoomId = ROOM) -> None:
    bench.store.receive(ReceivedSlice(room=room, items=items))


def numbers(bench: Bench, after: int = 0, limit: int = 10**6, room: RoomId = ROOM) -> list[int]:
    return [i.n for i in bench.store.kept_items(room, after, limit)]


def test_items_are_given_as_they_came_and_end_at_a_gap(bench: Bench) -> None:
    keep(bench, item(3), item(4, ct=None), item(6))
    keep(bench, item(3), room=OTHER)
    assert bench.store.kept_items(ROOM, 2, 10**6) == [item(3), item(4, ct=None)]
    assert numbers(bench, 3) == [4]
    assert numbers(bench, 4) == []
    assert numbers(bench, 5) == [6]
    assert numbers(bench, 0) == []
    assert numbers(bench, 2, limit=1) == [3]
    assert numbers(bench, 2, room=OTHER) == [3]


def test_the_same_item_again_is_kept_once(bench: Bench) -> None:
    keep(bench, item(1))
    keep(bench, item(1))
    assert numbers(bench) == [1]


def test_old_items_go_and_then_the_oldest_above_the_size(bench: Bench) -> None:
    keep(bench, *(item(n) for n in range(1, 11)))
    assert not bench.store.trim_items(4, 10**6)
    assert numbers(bench, 3) == [4, 5, 6, 7, 8, 9, 10]
    size = bench.store.db.value("SELECT size FROM kept_items WHERE n = 10")
    bench.store.trim_items(0, 3 * size)
    assert numbers(bench, 7) == [8, 9, 10]
    assert numbers(bench, 6) == []


def test_a_little_goes_at_a_time(bench: Bench) -> None:
    keep(bench, *(item(n, ct=None) for n in range(1, 4500)))
    assert bench.store.trim_items(10**6, 10**9)
    assert bench.store.trim_items(10**6, 10**9)
    assert not bench.store.trim_items(10**6, 10**9)
    assert bench.store.db.value("SELECT count(*) FROM kept_items") == 0
