# SPDX-License-Identifier: EUPL-1.2
"""A time to come at which the person is reminded: in an hour, tomorrow, on Monday, or at a time that they give."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QComboBox, QWidget

from app.core.later import Later
from app.errors import WorldError
from ui.errors import format_error
from ui.kit.dialogs import Dialog, show
from ui.kit.error_line import ErrorLine
from ui.kit.menu import Entry, popup
from ui.kit.style import label
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import full_day, local_now, tr
from ui.kit.wheel import keep_still

if TYPE_CHECKING:
    from ui.kit import day_field
else:
    day_field = Later("ui.kit.day_field", when_idle=True)

Act = Callable[[int], object]
MORNING = time(8)
"""The time of a day for which no time is given."""
STEP_MINUTES = 15
"""Between two times of a day that are offered."""
MAX_DAYS = 366


def in_an_hour(now: datetime) -> int:
    """Returns the time an hour after `now`, the local time. All these times are in ms since 1970."""
    return int((now + timedelta(hours=1)).timestamp() * 1000)


def tomorrow(now: datetime) -> int:
    """Returns the time of MORNING on the day after `now`."""
    return at_time(now.date() + timedelta(days=1))


def monday(now: datetime) -> int:
    """Returns the time of MORNING on the first Monday after the day of `now`."""
    return at_time(now.date() + timedelta(days=7 - now.weekday()))


def at_time(day: date, of_day: time = MORNING) -> int:
    """Returns the time `of_day` (local time) on a day."""
    return int(datetime.combine(day, of_day).astimezone().timestamp() * 1000)


def when_text(until_ms: int) -> str:
    """A time to come (ms) as text: "15:05" if it is today, otherwise the day and the time."""
    then = datetime.fromtimestamp(until_ms / 1000).astimezone()
    if then.date() == local_now().date():
        return f"{then:%H:%M}"
    return f"{full_day(then.date())} {then:%H:%M}"


def time_entries(widget: QWidget, title: str, act: Act) -> list[Entry | None]:
    """The entries of a menu from which a time is chosen. `act` is called with the time in ms, and raises a WorldError
    if what it does fails: the error is then shown in the window of `widget`. `title` is that of the dialog in which
    another time is given."""
    now = local_now()
    times = (
        (tr("In an hour"), "1", in_an_hour(now)),
        (tr("Tomorrow"), "2", tomorrow(now)),
        (tr("On Monday"), "3", monday(now)),
    )

    def choose(until: int) -> None:
        run_guarded(widget, lambda: act(until), again=lambda: choose(until))

    found: list[Entry | None] = [
        Entry(text=f"{text} ({when_text(until)})", icon="clock", shortcut=key, run=partial(choose, until))
        for text, key, until in times
    ]
    ask = partial(_ask, widget, title, act)
    return [*found, Entry(text=tr("At a time …"), icon="calendar", shortcut="4", run=ask)]


def open_time_menu(widget: QWidget, title: str, act: Act, at: QPoint | None = None) -> None:
    """Opens a menu with `time_entries`, at the global point `at` or under `widget`, a button."""
    popup(widget, title, time_entries(widget, title, act), at)


def _ask(widget: QWidget, title: str, act: Act) -> None:
    run(widget, show(TimeDialog(widget.window(), title, act)))


class TimeDialog(Dialog):
    """A dialog that asks for a day and a time to come, in steps of STEP_MINUTES, and calls `act` with them, in ms. If
    that fails, the dialog says why and keeps what was chosen."""

    def __init__(self, parent: QWidget, title: str, act: Act) -> None:
        super().__init__(parent, title, accept=tr("Remind me"))
        self._act = act
        self.error = ErrorLine()
        self.day = day_field.DayField(tr("Day"), local_now().date() + timedelta(days=1), self.error.hide)
        self.time = keep_still(QComboBox())
        self.time.setAccessibleName(tr("Time"))
        for minutes in range(0, 24 * 60, STEP_MINUTES):
            self.time.addItem(f"{minutes // 60:02}:{minutes % 60:02}", minutes)
        self.time.setCurrentIndex(self.time.findData(MORNING.hour * 60))
        self.time.activated.connect(self.error.hide)
        for name, field, control in ((tr("Day"), self.day, self.day.field), (tr("Time"), self.time, self.time)):
            caption = label(name, "label")
            caption.setBuddy(control)
            self.body.addWidget(caption)
            self.body.addWidget(field)
        self.body.addWidget(self.error)

    def until(self) -> int:
        """The chosen time in ms; 0 if no day is understood."""
        day = self.day.reading()
        hour, minute = divmod(int(self.time.currentData()), 60)
        return at_time(day, time(hour, minute)) if isinstance(day, date) else 0

    def accept(self) -> None:
        """Calls `act` with the chosen time, and closes the dialog. If the time is not ahead or over MAX_DAYS ahead, or
        `act` fails, says so and keeps what is typed."""
        reading = self.day.reading()
        now = local_now()
        last = now + timedelta(days=MAX_DAYS)
        if isinstance(reading, date) and now.timestamp() * 1000 < self.until() < last.timestamp() * 1000:
            self._finish()
            return
        if reading is not None and not isinstance(reading, date):
            self.error.show_text(day_field.unread_sentence(reading))
        else:
            self.error.show_text(tr("The time has to be ahead, and within a year."))
        self.day.field.setFocus()

    def _finish(self) -> None:
        try:
            self._act(self.until())
        except WorldError as error:
            self.error.show_text(*format_error(error))
        else:
            super().accept()
