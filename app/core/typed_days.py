# SPDX-License-Identifier: EUPL-1.2
"""Reads a day as people type it, in Swedish and English at once: fredag, 3/12, om två veckor, week 50. Pure.

This is a grammar of our own and not a library such as dateparser. A due date needs what such libraries guess at: a
weekday that is never today, the day before the month in both languages, weeks by their numbers, and a reason for each
text that is not a day. dateparser exchanges day and month where that makes a date of them, so 12/24 would be stored
without a word. It would also bring four packages more and the forms of two hundred languages to every computer; these
two languages fit on a page.

Where a form leaves a choice:
- A weekday is the next one, never today. With "nästa" or "next" it is that weekday of next week, Monday to Sunday.
- A day and month without a year is today or the next such day. 29/2 is in the next leap year.
- A week without a weekday is due on its Friday, or on its Sunday if the week is this one and its Friday is over. A week
  without a year is the next week of that number that is not over.
- Of numbers alone the day comes first (3/12, 3.12); only 12-24, with two digits each and a hyphen, is ISO without its
  year.
- "Om en månad" is the same day of that month, or its last day if it is shorter.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum


class Why(Enum):
    """The reasons why a typed text is not read as a day."""

    NOT_UNDERSTOOD = "not-understood"
    NO_SUCH_DAY = "no-such-day"
    NO_SUCH_WEEK = "no-such-week"
    OTHER_WEEKDAY = "other-weekday"
    """The text names a weekday, and its date is on another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """The answer for a text that names no day: `why`. `day` is the date that the text names, if its weekday is wrong
    (OTHER_WEEKDAY)."""

    why: Why
    day: date | None = None


Reading = date | Unread

MAX_TYPED = 60
"""Longer texts name no day: all accepted forms are shorter."""

_NO_DAY, _NO_WEEK = Unread(why=Why.NO_SUCH_DAY), Unread(why=Why.NO_SUCH_WEEK)
_NOT_UNDERSTOOD = Unread(why=Why.NOT_UNDERSTOOD)
_FRIDAY, _SUNDAY = 4, 6
_OLDEST_YEAR = 1900


def read_day(text: str, today: date) -> Reading:
    """Reads the day that a typed text ("fredag", "3/5") names, if the present day is `today`; or why it names none.
    Never raises."""
    plain = _plain(text)
    if not plain or len(text) > MAX_TYPED:
        return _NOT_UNDERSTOOD
    try:
        for form, read in _FORMS:
            if found := form.fullmatch(plain):
                return read(found, today)
    except OverflowError:
        return _NO_DAY
    return _NOT_UNDERSTOOD


# -- words -------------------------------------------------------------------------------------------------------------
# All without dots and rings, in the form in which the text is read: a person without a Swedish keyboard writes
# "mandag".


def _numbered(*names: str) -> dict[str, int]:
    return {word: number for number, words in enumerate(names) for word in words.split()}


_SOON = {
    **dict.fromkeys(("idag", "i dag", "today"), 0),
    **dict.fromkeys(("imorgon", "i morgon", "imorron", "i morron", "tomorrow"), 1),
    **dict.fromkeys(("overmorgon", "i overmorgon", "iovermorgon", "day after tomorrow"), 2),
}
_WEEKDAYS = _numbered(
    "mandag mandagen man monday mon",
    "tisdag tisdagen tis tuesday tues tue",
    "onsdag onsdagen ons wednesday wed",
    "torsdag torsdagen tors tor thursday thurs thu",
    "fredag fredagen fre friday fri",
    "lordag lordagen lor saturday sat",
    "sondag sondagen son sunday sun",
)
_MONTHS = _numbered(
    "",
    "januari january jan",
    "februari february feb",
    "mars march mar",
    "april apr",
    "maj may",
    "juni june jun",
    "juli july jul",
    "augusti august aug",
    "september sept sep",
    "oktober october okt oct",
    "november nov",
    "december dec",
)
_COUNTS = _numbered(
    "", "en ett a an one", "tva two", "tre three", "fyra four", "fem five", "sex six", "sju seven", "atta eight",
    "nio nine", "tio ten", "elva eleven", "tolv twelve", "tretton thirteen", "fjorton fourteen", "femton fifteen",
)  # fmt: skip
_COUNTS |= dict.fromkeys(("tjugo", "twenty"), 20) | dict.fromkeys(("trettio", "thirty"), 30)
_UNITS = {
    **dict.fromkeys(("d", "dag", "dagar", "day", "days"), "day"),
    **dict.fromkeys(("v", "vecka", "veckor", "w", "week", "weeks"), "week"),
    **dict.fromkeys(("man", "manad", "manader", "month", "months"), "month"),
    **dict.fromkeys(("ar", "year", "years"), "year"),
}
_LEADING = re.compile(r"(?:(?:pa|den|det|till|senast|nu|kommande|on|by|until|the|this(?! week)|coming) )+")
"""Words before a day that do not change which one it is."""
_ORDINAL = re.compile(r"\b([0-9]{1,2})(?::?[ea]|st|nd|rd|th)\b")


def _plain(text: str) -> str:
    """The text in the form in which it is compared: small letters without accents, without commas, full stops that end
    a word, and words such as "på" before a day; one space between words."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    plain = re.sub("[\N{EN DASH}\N{MINUS SIGN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}]", "-", plain)
    plain = re.sub(r",|(?<![0-9])\.|\.(?![0-9])", " ", plain)
    plain = " ".join(_ORDINAL.sub(r"\1", plain).split())
    return _LEADING.sub("", plain, count=1) if _LEADING.match(plain) else plain


# -- forms -------------------------------------------------------------------------------------------------------------


def _any(words: dict[str, int] | dict[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_WEEKDAY = rf"(?P<weekday>{_any(_WEEKDAYS)})"
_COUNT = rf"(?P<count>[0-9]{{1,4}}|{_any(_COUNTS)})"
_MONTH = rf"(?P<month>{_any(_MONTHS)})"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_ON = rf"(?:{_WEEKDAY} (?:den |the )?)?"
"""The weekday that may precede a date."""


def _soon(found: re.Match[str], today: date) -> Reading:
    return today + timedelta(days=_SOON[found["soon"]])


def _weekday(found: re.Match[str], today: date) -> Reading:
    ahead = (_WEEKDAYS[found["weekday"]] - today.weekday()) % 7
    return today + timedelta(days=ahead or 7)


def _of_week_ahead(weeks: int) -> Callable[[re.Match[str], date], Reading]:
    def read(found: re.Match[str], today: date) -> Reading:
        monday = today - timedelta(days=today.weekday()) + timedelta(weeks=weeks)
        return _day_of_week(monday, found["weekday"] or found["after"], today)

    return read


def _day_of_week(monday: date, named: str | None, today: date) -> date:
    """The weekday `named` ("fredag", "friday", in small letters and without accents) of the week that begins on
    `monday`. If `named` is None or "": its Friday, or its Sunday if `today` is after that Friday in the same week."""
    if named:
        return monday + timedelta(days=_WEEKDAYS[named])
    friday, sunday = monday + timedelta(days=_FRIDAY), monday + timedelta(days=_SUNDAY)
    return sunday if friday < today <= sunday else friday


def _week(found: re.Match[str], today: date) -> Reading:
    number, named = int(found["week"]), found["weekday"] or found["after"]
    if found["year"] is not None:
        monday = _monday(_full(found["year"]), number)
        return _NO_WEEK if monday is None else _day_of_week(monday, named, today)
    year = today.isocalendar().year
    for each in range(year, year + 8):  # week 53 comes every fifth or sixth year
        monday = _monday(each, number)
        if monday is not None:
            day = _day_of_week(monday, named, today)
            if day >= today:
                return day
    return _NO_WEEK


def _iso_week(found: re.Match[str], _today: date) -> Reading:
    monday = _monday(int(found["year"]), int(found["week"]))
    if monday is None:
        return _NO_WEEK
    return monday + timedelta(days=int(found["number"] or _FRIDAY + 1) - 1)


def _monday(year: int, week: int) -> date | None:
    try:
        return date.fromisocalendar(year, week, 1) if year >= _OLDEST_YEAR else None
    except ValueError:
        return None


def _ahead(found: re.Match[str], today: date) -> Reading:
    count = int(found["count"]) if found["count"].isdecimal() else _COUNTS[found["count"]]
    match _UNITS.get(found["unit"] or "d"):
        case "week":
            return today + timedelta(weeks=count)
        case "month":
            return _months_later(today, count)
        case "year":
            return _months_later(today, 12 * count)
    return today + timedelta(days=count)


def _months_later(today: date, months: int) -> Reading:
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    if year > date.max.year:
        return _NO_DAY
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def _date(found: re.Match[str], today: date) -> Reading:
    """Reads a day and month, in figures or words, and perhaps a year and a weekday. A date without a year is today or
    the next such day. Unread if there is no such day, or if the weekday is not that of the date."""
    parts = found.groupdict()
    written = parts["month"]
    month = int(written) if written.isdecimal() else _MONTHS[written]
    day, year = int(parts["day"]), parts.get("year")
    value = _next(today, month, day) if year is None else _valid(_full(year), month, day)
    if value is None:
        return _NO_DAY
    named = parts.get("weekday")
    if named and _WEEKDAYS[named] != value.weekday():
        return Unread(why=Why.OTHER_WEEKDAY, day=value)
    return value


def _full(year: str) -> int:
    return int(year) + (2000 if len(year) == 2 else 0)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= _OLDEST_YEAR else None
    except ValueError:
        return None


def _next(today: date, month: int, day: int) -> date | None:
    years = range(today.year, today.year + 9)  # 29 February can be eight years away
    found = (_valid(year, month, day) for year in years)
    return next((value for value in found if value is not None and value >= today), None)


_AFTER = rf"(?: (?P<after>{_any(_WEEKDAYS)}))?"
_BEFORE = rf"(?:{_WEEKDAY} (?:i |in |of )?)?"
_D, _M = r"(?P<day>[0-9]{1,2})", r"(?P<month>[0-9]{1,2})"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Reading]], ...] = tuple(
    (re.compile(form), read)
    for form, read in (
        (rf"(?P<soon>{_any(_SOON)})", _soon),
        (_WEEKDAY, _weekday),
        (rf"(?:nasta|next) {_WEEKDAY}(?P<after>)?", _of_week_ahead(1)),
        (rf"{_BEFORE}(?:nasta vecka|next week){_AFTER}", _of_week_ahead(1)),
        (rf"{_BEFORE}(?:denna vecka|(?:den )?har veckan|this week){_AFTER}", _of_week_ahead(0)),
        (rf"{_BEFORE}(?:veckan?|v|week|wk|w) ?(?P<week>[0-9]{{1,2}})(?:[ /-]{_YEAR})?{_AFTER}", _week),
        (r"(?P<year>[0-9]{4})-?w(?P<week>[0-9]{2})(?:-?(?P<number>[1-7]))?", _iso_week),
        (rf"(?:\+|(?:om|in) )? ?{_COUNT} ?(?P<unit>{_any(_UNITS)})(?: from (?:now|today))?", _ahead),
        (rf"\+ ?{_COUNT}(?P<unit>)?", _ahead),
        (rf"{_ON}(?P<year>[0-9]{{4}})(?P<between>[-/.]){_M}(?P=between){_D}", _date),
        (rf"{_ON}(?P<year>[0-9]{{4}})(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})", _date),
        (rf"{_ON}(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})", _date),
        (rf"{_ON}{_D}[/.]{_M}(?:(?:[/.-]| -?){_YEAR})?", _date),
        (rf"{_ON}{_D}-{_M}-(?P<year>[0-9]{{4}})", _date),
        (rf"{_ON}{_D} ?(?:of )?{_MONTH}(?:(?: -?|-){_YEAR})?", _date),
        (rf"{_ON}{_MONTH} ?{_D}(?:(?: -?|-)(?P<year>[0-9]{{4}}))?", _date),
    )
)
