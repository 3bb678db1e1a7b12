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
    """Kept in the store, so that it is as old as what the store holds. Noted whether or not policy has a limit."""

    def __init__(self, notes: Notes, settings: Settings) -> None:
        self._notes, self._settings = notes, settings
        self._noted = 0

    def seen(self) -> None:
        """The device is let in now. Written every ten minutes at most, and the next time if it could not be."""
        now = clock.now_ms()
        if not 0 <= now - self._noted < NOTED_EVERY_MS:
            try:
                self._notes.set(LAST_CONTACT, str(now))
            except StoreFault as e:  # a full disk keeps nobody from being let in
                log.store.info("contact-not-noted", code=e.code)
                return
            self._noted = now

    @property
    def overdue(self) -> bool:
        """▲ Whether the server must let the device in before anything is shown. Also if there was no contact that this
        store knows of, and if the computer's clock stands a day or more before the last one: it was set back."""
        days = self._settings.get(OFFLINE_DAYS)
        if not days:
            return False
        last = self._notes.get(LAST_CONTACT)
        return not last or not -DAY_MS < clock.now_ms() - int(last) < days * DAY_MS
