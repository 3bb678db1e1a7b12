# SPDX-License-Identifier: EUPL-1.2
"""The months of a conversation: a message lies in the object of its month (app/store/series.py), and all that is about
it, such as an edit, lies there too."""

from app.core.months import LAST_MONTH, begins_ms

LATE_AFTER_MS = 31 * 86_400_000
"""How long after the end of its month a message may get its position without being marked as late."""


def is_late(period: int | None, t: int) -> bool:
    """Whether a message of the month `period` with the server's time `t` (ms) is marked as late: it was given its
    position more than LATE_AFTER_MS after the month had ended. A month is disposed of as a whole, and the person who
    decides that must see which messages came so late. False if `period` is None."""
    return period is not None and t > begins_ms(min(period, LAST_MONTH) + 1) + LATE_AFTER_MS
