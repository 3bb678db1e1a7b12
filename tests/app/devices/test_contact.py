# SPDX-License-Identifier: EUPL-1.2
"""When the server was last there, and whether that is too long ago."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import clock
from app.devices.contact import DAY_MS, LAST_CONTACT, NOTED_EVERY_MS, Contact
from app.errors import DiskFull
from app.setting import Value
from app.settings import Settings
from app.store.store import Store
from tests.app.store.conftest import KEY, KINDS

NOW = 1_780_000_000_000


class Clock:
    """A clock that is set."""

    ms = NOW


@pytest.fixture
def time() -> Iterator[Clock]:
    set_by_hand = Clock()
    restore = clock.set_clock(lambda: set_by_hand.ms)
    yield set_by_hand
    restore()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.create(tmp_path / "store.db", KEY, KINDS, tmp_path / "blobs")
    yield made
    made.close()


def contact(store: Store, tmp_path: Path, policy: dict[str, Value] | None = None) -> Contact:
    return Contact(store.notes, Settings(tmp_path / "settings.json", policy))


def test_without_a_limit_nothing_is_overdue(store: Store, tmp_path: Path, time: Clock) -> None:
    assert not contact(store, tmp_path).overdue
    assert not contact(store, tmp_path, {"offline-days": 0}).overdue


@pytest.mark.parametrize(
    ("days_later", "overdue"), [(0, False), (29.9, False), (30, True), (4000, True), (-0.9, False), (-1, True)]
)
def test_content_is_shown_for_so_many_days_and_not_with_a_clock_set_back(
    store: Store, tmp_path: Path, time: Clock, days_later: float, overdue: bool
) -> None:
    contact(store, tmp_path).seen()  # noted before there was a limit
    time.ms += int(days_later * DAY_MS)
    assert contact(store, tmp_path, {"offline-days": 30}).overdue is overdue


def test_a_store_that_knows_of_no_contact_is_overdue_until_there_is_one(
    store: Store, tmp_path: Path, time: Clock
) -> None:
    kept = contact(store, tmp_path, {"offline-days": 30})
    assert kept.overdue
    kept.seen()
    assert not kept.overdue


def test_contact_is_noted_every_ten_minutes_at_most(store: Store, tmp_path: Path, time: Clock) -> None:
    kept = contact(store, tmp_path)
    kept.seen()
    time.ms += NOTED_EVERY_MS - 1
    kept.seen()
    assert store.notes.get(LAST_CONTACT) == str(NOW)
    time.ms += 1
    kept.seen()
    assert store.notes.get(LAST_CONTACT) == str(time.ms)
    time.ms = NOW - 3 * DAY_MS  # set back: the server has let it in all the same
    kept.seen()
    assert store.notes.get(LAST_CONTACT) == str(time.ms)


def test_a_contact_that_cannot_be_noted_is_noted_the_next_time(
    store: Store, tmp_path: Path, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk keeps nobody from being let in."""

    def full(name: str, value: str) -> None:
        raise DiskFull

    known = contact(store, tmp_path, {"offline-days": 30})
    with monkeypatch.context() as disk:
        disk.setattr(store.notes, "set", full)
        known.seen()
    assert known.overdue
    known.seen()
    assert not known.overdue
