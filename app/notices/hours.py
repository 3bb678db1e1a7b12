# SPDX-License-Identifier: EUPL-1.2
"""When notifications are shown: not outside the working hours, nor while the person is not to be disturbed. What is new
meanwhile is counted."""

from datetime import datetime

from app.notification_settings import NOTIFICATIONS, WORKING_DAYS, WORKING_FROM, WORKING_TO
from app.settings import Settings

_WEEKDAYS = 5


def may_notify(settings: Settings, now: datetime, *, quiet: bool) -> bool:
    """Whether notifications are shown at the local time `now`: the person has not switched them off, is not to be
    disturbed (`quiet`) or outside their working hours."""
    return settings.get(NOTIFICATIONS) != "none" and not quiet and is_working(settings, now)


def is_working(settings: Settings, now: datetime) -> bool:
    """Whether the local time `now` is within the person's working hours; always, if they have set none. Hours from a
    later one to an earlier one go over midnight, and belong to the day on which they begin."""
    days, begin, end = settings.get(WORKING_DAYS), settings.get(WORKING_FROM), settings.get(WORKING_TO)
    if days == "always":
        return True
    if begin < end:
        is_within, day = begin <= now.hour < end, now.weekday()
    else:
        is_within, day = now.hour >= begin or now.hour < end, (now.weekday() - (now.hour < end)) % 7
    return is_within and (days != "weekdays" or day < _WEEKDAYS)
