# SPDX-License-Identifier: EUPL-1.2
"""Texts in the person's language, and dates and times as they are written in Sweden. `tr` and `trn` come from
app.core.i18n; after `notifier().changed` views build themselves again."""

from datetime import date, datetime, timedelta
from functools import cache

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QObject, QTranslator, Signal
from PySide6.QtGui import QKeySequence

from app.core.clock import local, now_ms
from app.core.i18n import language, set_language, tr, trn

__all__ = [
    "change_language", "clock", "day", "day_or_time", "full_day", "key_text", "language", "local_now", "long_day",
    "notifier", "short_day", "tr", "trn", "week", "weekday",
]  # fmt: skip


class Notifier(QObject):
    """An object whose signal `changed` is emitted after the language has changed."""

    changed = Signal()


@cache
def notifier() -> Notifier:
    """The one notifier of this process."""
    return Notifier()


@cache
def _qt_texts() -> QTranslator:
    """The translator with Qt's own Swedish texts: a field's menu, the file dialog, the names of keys."""
    texts = QTranslator()
    texts.load("qtbase_sv", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
    return texts


def change_language(code: str) -> None:
    """Switches all texts to the language `code`, "sv" or "en" (Swedish for an unknown one), Qt's own texts and dates
    too, and notifies every view."""
    set_language(code)
    QCoreApplication.removeTranslator(_qt_texts())
    if code == "sv":
        QCoreApplication.installTranslator(_qt_texts())
    QLocale.setDefault(QLocale("sv_SE" if code == "sv" else "en_GB"))
    notifier().changed.emit()


def key_text(shortcut: str) -> str:
    """A shortcut as it is written on the keys of the person's language: Ctrl+Skift+A."""
    return QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText) or shortcut


def local_now() -> datetime:
    """The local time by the program's clock, which tests can set."""
    return local(now_ms())


def day(t_ms: int) -> date:
    """The local day of a time in ms."""
    return local(t_ms).date()


def clock(t_ms: int) -> str:
    """14:03, local time, 24 hours."""
    return f"{local(t_ms):%H:%M}"


def _weekdays() -> tuple[str, ...]:
    return (tr("Monday"), tr("Tuesday"), tr("Wednesday"), tr("Thursday"), tr("Friday"), tr("Saturday"), tr("Sunday"))


def _months() -> tuple[str, ...]:
    return (
        tr("January"), tr("February"), tr("March"), tr("April"), tr("May"), tr("June"), tr("July"), tr("August"),
        tr("September"), tr("October"), tr("November"), tr("December"),
    )  # fmt: skip


def long_day(value: date) -> str:
    """A day as text: tisdag 24 november; with the year if it is not this one."""
    text = tr("{weekday} {day} {month}").format(
        weekday=_weekdays()[value.weekday()], day=value.day, month=_months()[value.month - 1]
    )
    return text if value.year == local_now().year else f"{text} {value.year}"


def short_day(value: date, today: date | None = None) -> str:
    """A day as text: 24 nov; with the year if it is not that of `today` (None: the present day): 24 nov 2025."""
    text = tr("{day} {month}").format(day=value.day, month=_months()[value.month - 1][:3])
    return text if value.year == (today or local_now().date()).year else f"{text} {value.year}"


def full_day(value: date) -> str:
    """A day as text, with weekday and year, so that it cannot be confused with another: fre 4 dec 2026."""
    text = tr("{weekday} {day} {month}").format(
        weekday=weekday(value)[:3], day=value.day, month=_months()[value.month - 1][:3]
    )
    return f"{text} {value.year}"


def month_text(month: int) -> str:
    """A month (app/core/months.py) as text, with the year: november 2026."""
    year, number = divmod(month, 12)
    return tr("{month} {year}").format(month=_months()[number], year=year)


def weekday(value: date) -> str:
    """fredag."""
    return _weekdays()[value.weekday()]


def week(value: date) -> int:
    """The ISO week number."""
    return value.isocalendar().week


def day_or_time(t_ms: int, now: datetime | None = None) -> str:
    """When something happened, as short text: just now (for 2 minutes), 14:03, yesterday, 20 nov, 20 nov 2025. `t_ms`
    is ms since 1970; `now` the present time unless a test gives one. Days and hours are local ones."""
    then, now = local(t_ms), now or local_now()
    if timedelta(0) <= now - then < timedelta(minutes=2):
        return tr("just now")
    if then.date() == now.date():
        return f"{then:%H:%M}"
    if then.date() == now.date() - timedelta(days=1):
        return tr("yesterday")
    return short_day(then.date(), now.date())
