# SPDX-License-Identifier: EUPL-1.2
"""Calendar months in Swedish time, as numbers: months since the beginning of the year 0.

No time-zone file is read. At the turn of every month from April to October Swedish time is two hours ahead of UTC, and
at that of every other month one hour: summer time begins on the last Sunday of March and ends on that of October. This
rule is part of the format (app/chat/FORMAT.md). ▲ Computers with different time-zone files would otherwise count a
message in different months.
"""

from datetime import UTC, datetime, timedelta

from sync.protocol.version import MAX_TIME_MS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUMMER = range(4, 11)
_MS = timedelta(milliseconds=1)
FIRST_MONTH = 12 * 1970
LAST_MONTH = 12 * 9998 + 11
"""December of the year 9998, the last month that a record may name. Times in a room end with that year in UTC: their
last hour is in the next month."""


def month_of(t_ms: int) -> int:
    """The month of a time in ms since 1970 UTC. A time before 1970 or after the year 9998 (UTC) counts as the nearest
    one between. The last hour of 9998 is in LAST_MONTH + 1."""
    t_ms = min(max(0, t_ms), MAX_TIME_MS)
    month = _month(_EPOCH + timedelta(milliseconds=t_ms, hours=2))
    return month if t_ms >= begins_ms(month) else month - 1


def begins_ms(month: int) -> int:
    """When a month begins, in ms since 1970 UTC. `month` is at least FIRST_MONTH and at most
    LAST_MONTH + 1."""
    year, number = divmod(month, 12)
    ahead = timedelta(hours=2 if number + 1 in _SUMMER else 1)
    return (datetime(year, number + 1, 1, tzinfo=UTC) - ahead - _EPOCH) // _MS


def _month(when: datetime) -> int:
    return 12 * when.year + when.month - 1
