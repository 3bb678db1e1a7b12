# SPDX-License-Identifier: EUPL-1.2
"""Outside the working hours nothing rings."""

from datetime import datetime
from pathlib import Path

import pytest

from app.notices.hours import is_working, may_notify
from app.notification_settings import NOTIFICATIONS, WORKING_DAYS, WORKING_FROM, WORKING_TO
from app.settings import Settings

FRIDAY, SATURDAY, SUNDAY, MONDAY = 27, 28, 29, 30
"""Days of November 2026."""


def working(folder: Path, days: str, begin: int, end: int, day: int, hour: int, minute: int = 0) -> bool:
    settings = Settings(folder / "settings.json")
    settings.set(WORKING_DAYS, days)
    settings.set(WORKING_FROM, begin)
    settings.set(WORKING_TO, end)
    return is_working(settings, datetime(2026, 11, day, hour, minute).astimezone())


@pytest.mark.parametrize(
    ("days", "begin", "end", "day", "hour", "is_in"),
    [
        ("always", 7, 18, SUNDAY, 3, True),
        ("weekdays", 7, 18, FRIDAY, 7, True),
        ("weekdays", 7, 18, FRIDAY, 6, False),
        ("weekdays", 7, 18, FRIDAY, 17, True),
        ("weekdays", 7, 18, FRIDAY, 18, False),
        ("weekdays", 7, 18, SATURDAY, 12, False),
        ("every-day", 7, 18, SATURDAY, 12, True),
        ("weekdays", 22, 6, FRIDAY, 23, True),
        ("weekdays", 22, 6, SATURDAY, 5, True),  # still Friday's night
        ("weekdays", 22, 6, SATURDAY, 23, False),
        ("weekdays", 22, 6, MONDAY, 5, False),  # Sunday's night
        ("every-day", 22, 6, FRIDAY, 12, False),
        ("every-day", 8, 8, FRIDAY, 12, True),  # all day
    ],
)
def test_working_hours(tmp_path: Path, days: str, begin: int, end: int, day: int, hour: int, is_in: bool) -> None:
    assert working(tmp_path, days, begin, end, day, hour) is is_in


def test_the_last_minute_of_an_hour_belongs_to_it(tmp_path: Path) -> None:
    assert working(tmp_path, "weekdays", 7, 18, FRIDAY, 17, 59)


@pytest.mark.parametrize(
    ("notifications", "quiet", "hour", "shown"),
    [
        ("all", False, 12, True),
        ("mentions", False, 12, True),
        ("none", False, 12, False),
        ("all", True, 12, False),
        ("all", False, 3, False),
    ],
    ids=["all", "mentions", "off", "not to be disturbed", "night"],
)
def test_nothing_is_notified_that_is_off_or_while_the_person_is_not_to_be_disturbed(
    tmp_path: Path, notifications: str, quiet: bool, hour: int, shown: bool
) -> None:
    settings = Settings(tmp_path / "settings.json")
    settings.set(NOTIFICATIONS, notifications)
    settings.set(WORKING_DAYS, "weekdays")
    assert may_notify(settings, datetime(2026, 11, FRIDAY, hour).astimezone(), quiet=quiet) is shown
