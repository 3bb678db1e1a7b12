# SPDX-License-Identifier: EUPL-1.2
"""Working hours: when notifications are shown. Outside of them none is shown, but everything new is
counted."""

from datetime import datetime

from app.notification_settings import WORKING_DAYS, WORKING_FROM, WORKING_TO
from app.settings import Settings

_WEEKDAYS = 5


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
