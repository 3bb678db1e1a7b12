# SPDX-License-Identifier: EUPL-1.2
"""Months are counted by the rule in app/chat/FORMAT.md, whatever the computer knows of time zones."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.core.months import FIRST_MONTH, LAST_MONTH, begins_ms, month_of


@pytest.fixture(params=["Europe/Stockholm", "UTC", "Pacific/Auckland"])
def _zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time zone of the computer."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


def ms(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    """A time in ms, in UTC."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.usefixtures("_zone")
@pytest.mark.parametrize(
    ("turn", "year", "month"),
    [
        (ms(2026, 9, 30, 22), 2026, 10),
        (ms(2026, 10, 31, 23), 2026, 11),
        (ms(2026, 3, 31, 22), 2026, 4),
        (ms(2026, 2, 28, 23), 2026, 3),
        (ms(1975, 5, 31, 22), 1975, 6),
        (ms(1985, 9, 30, 22), 1985, 10),
        (ms(2100, 6, 30, 22), 2100, 7),
    ],
    ids=["October", "November", "April", "March", "before summer time", "when it ended in September", "far ahead"],
)
def test_months_turn_by_the_rule_of_the_format_and_by_no_time_zone_file(turn: int, year: int, month: int) -> None:
    """▲ Time-zone files know that Sweden had no summer time in 1975, and would hear of it if it were abolished. Two
    computers with different files would count the messages of one hour in different months."""
    number = 12 * year + month - 1
    assert (month_of(turn - 1), month_of(turn)) == (number - 1, number)
    assert begins_ms(number) == turn


def test_every_month_is_that_of_its_first_and_last_moment() -> None:
    for month in [*range(FIRST_MONTH + 1, FIRST_MONTH + 1200), LAST_MONTH]:
        assert month_of(begins_ms(month)) == month_of(begins_ms(month + 1) - 1) == month
