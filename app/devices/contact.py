# SPDX-License-Identifier: EUPL-1.2
"""When the server last let this device in, and whether that is longer ago than policy allows."""

from app.core import clock, log
from app.errors import StoreFault
from app.settings import OFFLINE_DAYS, Settings
from app.store.notes import Notes

LAST_CONTACT = "last-contact"
NOTED_EVERY_MS = 10 * 60_000
DAY_MS = 24 * 3_600_000


class Contact:
    """Notes when the server last let this device in, and whether that is longer ago than policy allows. The time is
    kept in the store, so that it is as old as the store's content, and it is noted whether or not policy has a limit.
    """

    def __init__(self, notes: Notes, settings: Settings) -> None:
        self._notes, self._settings = notes, settings
        self._noted = 0

    def seen(self) -> None:
        """Notes that the server has let this device in now. Writes at most every ten minutes; if a write fails, the
        next call writes again."""
        now = clock.now_ms()
        if not 0 <= now - self._noted < NOTED_EVERY_MS:
            try:
                self._notes.set(LAST_CONTACT, str(now))
            except StoreFault as e:  # a full disk keeps nobody out
                log.store.info("contact-not-noted", code=e.code)
                return
            self._noted = now

    @property
    def overdue(self) -> bool:
        """▲ Whether nothing may be shown before the server has let this device in again: that last happened longer ago
        than policy allows. Also true if the store has no such time, or if the computer's clock is a day or more before
        it: then the clock was set back. Always False if policy has no limit."""
        days = self._settings.get(OFFLINE_DAYS)
        if not days:
            return False
        last = self._notes.get(LAST_CONTACT)
        return not last or not -DAY_MS < clock.now_ms() - int(last) < days * DAY_MS
