# SPDX-License-Identifier: EUPL-1.2
"""When this device first saw a position, by its own clock."""

from pathlib import Path

from app.core.ids import RoomId
from app.store.seen import KEPT_MS
from app.store.store import Store
from tests.app.store.conftest import KINDS

ROOM = RoomId(b"r" * 16)
HOUR_MS = 3_600_000


def test_a_position_was_seen_before_the_first_mark_that_covers_it_also_after_a_restart(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s.db", b"k" * 32, KINDS)
    for n, t in ((5, 1000), (5, 2000), (9, HOUR_MS)):
        store.note_seen(ROOM, n, t)
    expected = [1000, 1000, HOUR_MS, HOUR_MS, None]
    assert [store.seen_ms(ROOM, n) for n in (1, 5, 6, 9, 10)] == expected
    store.close()
    again = Store.open(tmp_path / "s.db", b"k" * 32, KINDS)
    assert [again.seen_ms(ROOM, n) for n in (1, 5, 6, 9, 10)] == expected
    again.close()


def test_marks_of_more_than_a_month_ago_become_one(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "s.db", b"k" * 32, KINDS)
    for k in range(1, 40 * 24):
        store.note_seen(ROOM, k, k * HOUR_MS)
    marks = store.seen._of(ROOM)
    assert len(marks) <= KEPT_MS // HOUR_MS + 1
    assert store.seen_ms(ROOM, 1) == marks[0][1] <= 40 * 24 * HOUR_MS - KEPT_MS
    store.close()
