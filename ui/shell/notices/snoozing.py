# SPDX-License-Identifier: EUPL-1.2
"""Until when a notice is put off: in an hour, tomorrow, on Monday, or at a time that the person gives."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QComboBox, QWidget

from ui.kit.day_field import DayField, unread_sentence
from ui.kit.dialogs import Dialog, show
from ui.kit.error_line import ErrorLine
from ui.kit.menu import Entry, popup
from ui.kit.style import label
from ui.kit.tasks import run
from ui.kit.translate import full_day, local_now, tr
from ui.kit.wheel import keep_still

MORNING = 8
"""The hour at which what was put off to a day comes back."""
MAX_DAYS = 366


def in_an_hour(now: datetime) -> int:
    """In ms, as all these times. `now` is the local time."""
    return int((now + timedelta(hours=1)).timestamp() * 1000)


def tomorrow(now: datetime) -> int:
    """Tomorrow at MORNING."""
    return at_hour(now.date() + timedelta(days=1))


def monday(now: datetime) -> int:
    """The next Monday, never today, at MORNING."""
    return at_hour(now.date() + timedelta(days=7 - now.weekday()))


def at_hour(day: date, hour: int = MORNING) -> int:
    """A day's hour, local time, in ms."""
    return int(datetime.combine(day, time(hour)).astimezone().timestamp() * 1000)


def when_text(until_ms: int) -> str:
    """A time to come as text: 15:05 of today, otherwise the day and the time."""
    then = datetime.fromtimestamp(until_ms / 1000).astimezone()
    if then.date() == local_now().date():
        return f"{then:%H:%M}"
    return f"{full_day(then.date())} {then:%H:%M}"


def open_menu(widget: QWidget, chosen: Callable[[int], object], at: QPoint | None = None) -> None:
    """Opens the menu of times under a button, or at the global point `at`. `chosen` is called with the time in ms."""
    now = local_now()
    times = (
        (tr("In an hour"), "1", in_an_hour(now)),
        (tr("Tomorrow"), "2", tomorrow(now)),
        (tr("On Monday"), "3", monday(now)),
    )
    entries: list[Entry | None] = [
        Entry(text=f"{text} ({when_text(until)})", icon="clock", shortcut=key, run=partial(chosen, until))
        for text, key, until in times
    ]
    entries.append(Entry(text=tr("At a time …"), icon="calendar", shortcut="4", run=lambda: _ask(widget, chosen)))
    popup(widget, tr("Remind me later"), entries, at)


def _ask(widget: QWidget, chosen: Callable[[int], object]) -> None:
    async def asking() -> None:
        dialog = SnoozeDialog(widget.window())
        if await show(dialog):
            chosen(dialog.until())

    run(widget, asking())


class SnoozeDialog(Dialog):
    """A dialog that asks for a day and an hour to come."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, tr("Remind me later"), accept=tr("Remind me"))
        self._error = ErrorLine()
        self.day = DayField(tr("Day"), local_now().date() + timedelta(days=1), self._error.hide)
        self.hour = keep_still(QComboBox())
        self.hour.setAccessibleName(tr("Time"))
        for hour in range(24):
            self.hour.addItem(f"{hour:02}:00", hour)
        self.hour.setCurrentIndex(MORNING)
        self.hour.activated.connect(self._error.hide)
        for name, field, control in ((tr("Day"), self.day, self.day.field), (tr("Time"), self.hour, self.hour)):
            caption = label(name, "label")
            caption.setBuddy(control)
            self.body.addWidget(caption)
            self.body.addWidget(field)
        self.body.addWidget(self._error)

    def until(self) -> int:
        """The chosen time in ms; 0 if no day is understood."""
        day = self.day.reading()
        return at_hour(day, int(self.hour.currentData())) if isinstance(day, date) else 0

    def accept(self) -> None:
        """Closes the dialog if the time is ahead; otherwise says why not, and keeps what is typed."""
        reading = self.day.reading()
        now = local_now()
        last = now + timedelta(days=MAX_DAYS)
        if isinstance(reading, date) and now.timestamp() * 1000 < self.until() < last.timestamp() * 1000:
            super().accept()
            return
        if reading is not None and not isinstance(reading, date):
            self._error.show_text(unread_sentence(reading))
        else:
            self._error.show_text(tr("The time has to be ahead, and within a year."))
        self.day.field.setFocus()
