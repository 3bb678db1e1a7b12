# SPDX-License-Identifier: EUPL-1.2
"""Days as people type them: tables of every form in both languages, and what holds for every text and every today."""

from calendar import isleap
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.typed_days import MAX_TYPED, Unread, Why, read_day

TODAY = date(2026, 11, 27)
"""A Friday of week 48."""

SWEDISH = {
    "idag": date(2026, 11, 27),
    "i dag": date(2026, 11, 27),
    "imorgon": date(2026, 11, 28),
    "I morgon": date(2026, 11, 28),
    "i övermorgon": date(2026, 11, 29),
    "fredag": date(2026, 12, 4),
    "fre": date(2026, 12, 4),
    "lör": date(2026, 11, 28),
    "LÖRDAG": date(2026, 11, 28),
    "sondag": date(2026, 11, 29),
    "på torsdag": date(2026, 12, 3),
    "nu på måndag": date(2026, 11, 30),
    "senast onsdag": date(2026, 12, 2),
    "nästa måndag": date(2026, 11, 30),
    "nästa fredag": date(2026, 12, 4),
    "fredag nästa vecka": date(2026, 12, 4),
    "nästa vecka": date(2026, 12, 4),
    "den här veckan": date(2026, 11, 27),
    "3/12": date(2026, 12, 3),
    "03/12": date(2026, 12, 3),
    "3.12": date(2026, 12, 3),
    "27/11": date(2026, 11, 27),
    "26/11": date(2027, 11, 26),
    "24/12-26": date(2026, 12, 24),
    "24/12 2027": date(2027, 12, 24),
    "24/12/2027": date(2027, 12, 24),
    "24.12.2027": date(2027, 12, 24),
    "24-12-2027": date(2027, 12, 24),
    "12-24": date(2026, 12, 24),
    "3 dec": date(2026, 12, 3),
    "3 dec.": date(2026, 12, 3),
    "3 december": date(2026, 12, 3),
    "15 december": date(2026, 12, 15),
    "den 3:e december": date(2026, 12, 3),
    "1 maj": date(2027, 5, 1),
    "15 dec 2027": date(2027, 12, 15),
    "3 dec 2027": date(2027, 12, 3),
    "15 dec -27": date(2027, 12, 15),
    "fre 4 dec 2026": date(2026, 12, 4),
    "fredagen den 4 december": date(2026, 12, 4),
    "om två veckor": date(2026, 12, 11),
    "om tva veckor": date(2026, 12, 11),
    "om en vecka": date(2026, 12, 4),
    "om 10 dagar": date(2026, 12, 7),
    "om fjorton dagar": date(2026, 12, 11),
    "om en månad": date(2026, 12, 27),
    "om ett år": date(2027, 11, 27),
    "v. 50": date(2026, 12, 11),
    "v50": date(2026, 12, 11),
    "vecka 50": date(2026, 12, 11),
    "v. 53": date(2027, 1, 1),
    "v. 48": date(2026, 11, 27),
    "v. 47": date(2027, 11, 26),
    "v. 50 2027": date(2027, 12, 17),
    "måndag v. 50": date(2026, 12, 7),
    "v. 50 onsdag": date(2026, 12, 9),
    "+14": date(2026, 12, 11),
    "+ 14": date(2026, 12, 11),
    "+2v": date(2026, 12, 11),
    "2026-12-03": date(2026, 12, 3),
    "20261203": date(2026, 12, 3),
    "2026-W50": date(2026, 12, 11),
    "  2026-12-03 ": date(2026, 12, 3),
}

ENGLISH = {
    "today": date(2026, 11, 27),
    "tomorrow": date(2026, 11, 28),
    "the day after tomorrow": date(2026, 11, 29),
    "Friday": date(2026, 12, 4),
    "fri": date(2026, 12, 4),
    "on Thursday": date(2026, 12, 3),
    "by Wednesday": date(2026, 12, 2),
    "this Saturday": date(2026, 11, 28),
    "next Monday": date(2026, 11, 30),
    "next Friday": date(2026, 12, 4),
    "Friday next week": date(2026, 12, 4),
    "next week": date(2026, 12, 4),
    "this week": date(2026, 11, 27),
    "3/12": date(2026, 12, 3),
    "3 Dec": date(2026, 12, 3),
    "3 December": date(2026, 12, 3),
    "Dec 3": date(2026, 12, 3),
    "the 3rd of December": date(2026, 12, 3),
    "December 3rd, 2027": date(2027, 12, 3),
    "15 Dec 2027": date(2027, 12, 15),
    "Fri 4 Dec 2026": date(2026, 12, 4),
    "May 1": date(2027, 5, 1),
    "in two weeks": date(2026, 12, 11),
    "in 10 days": date(2026, 12, 7),
    "two weeks from now": date(2026, 12, 11),
    "in a month": date(2026, 12, 27),
    "in one year": date(2027, 11, 27),
    "week 50": date(2026, 12, 11),
    "w50": date(2026, 12, 11),
    "Monday week 50": date(2026, 12, 7),
    "week 50 Wednesday": date(2026, 12, 9),
    "week 50 2027": date(2027, 12, 17),
}

REFUSED = {
    "": Why.NOT_UNDERSTOOD,
    "  ": Why.NOT_UNDERSTOOD,
    "snart": Why.NOT_UNDERSTOOD,
    "nån gång i vår": Why.NOT_UNDERSTOOD,
    "innan fredag": Why.NOT_UNDERSTOOD,
    "om 10 arbetsdagar": Why.NOT_UNDERSTOOD,
    "15": Why.NOT_UNDERSTOOD,
    "3-12": Why.NOT_UNDERSTOOD,
    "fredag kl 15": Why.NOT_UNDERSTOOD,
    "december": Why.NOT_UNDERSTOOD,
    "-14": Why.NOT_UNDERSTOOD,
    "3/12 🙂": Why.NOT_UNDERSTOOD,
    "fredag" * 100: Why.NOT_UNDERSTOOD,
    "31/2": Why.NO_SUCH_DAY,
    "30 februari": Why.NO_SUCH_DAY,
    "29/2 2027": Why.NO_SUCH_DAY,
    "12/24": Why.NO_SUCH_DAY,
    "0/1": Why.NO_SUCH_DAY,
    "2026-13-01": Why.NO_SUCH_DAY,
    "0226-12-03": Why.NO_SUCH_DAY,
    "om 9999 år": Why.NO_SUCH_DAY,
    "v. 54": Why.NO_SUCH_WEEK,
    "v. 0": Why.NO_SUCH_WEEK,
    "v. 53 2027": Why.NO_SUCH_WEEK,
    "mån 4 dec": Why.OTHER_WEEKDAY,
    "Thursday 4 Dec 2026": Why.OTHER_WEEKDAY,
}

TODAYS = st.dates(date(1990, 1, 1), date(2190, 12, 31))
SV_DAYS = ("måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag")
EN_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SV_MONTHS = (
    "januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november",
    "december",
)  # fmt: skip
EN_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@pytest.mark.parametrize(("text", "day"), [*SWEDISH.items(), *ENGLISH.items()])
def test_a_day_is_read_as_people_type_it(text: str, day: date) -> None:
    assert read_day(text, TODAY) == day


@pytest.mark.parametrize(("text", "why"), REFUSED.items())
def test_a_text_that_is_no_day_gives_the_reason(text: str, why: Why) -> None:
    reading = read_day(text, TODAY)
    assert isinstance(reading, Unread)
    assert reading.why is why
    assert reading.day == (date(2026, 12, 4) if why is Why.OTHER_WEEKDAY else None)


@pytest.mark.parametrize(
    ("today", "text", "day"),
    [
        (date(2026, 11, 25), "fredag", date(2026, 11, 27)),
        (date(2026, 11, 25), "nästa fredag", date(2026, 12, 4)),
        (date(2026, 11, 25), "next Wednesday", date(2026, 12, 2)),
        (date(2026, 11, 23), "nästa måndag", date(2026, 11, 30)),
        (date(2026, 11, 28), "v. 48", date(2026, 11, 29)),
        (date(2026, 11, 29), "den här veckan", date(2026, 11, 29)),
        (date(2026, 11, 30), "v. 48", date(2027, 12, 3)),
        (date(2027, 1, 2), "v. 53", date(2027, 1, 3)),
        (date(2027, 1, 4), "v. 53", date(2032, 12, 31)),
        (date(2027, 3, 1), "29/2", date(2028, 2, 29)),
        (date(2097, 1, 1), "29/2", date(2104, 2, 29)),
        (date(2027, 1, 31), "om en månad", date(2027, 2, 28)),
        (date(2028, 2, 29), "in one year", date(2029, 2, 28)),
        (date(2026, 12, 31), "imorgon", date(2027, 1, 1)),
    ],
)
def test_at_the_edges_of_weeks_months_and_years(today: date, text: str, day: date) -> None:
    assert read_day(text, today) == day


@given(TODAYS, st.integers(0, 6))
def test_a_weekday_is_the_next_one_and_never_today(today: date, number: int) -> None:
    for word in (SV_DAYS[number], f"på {SV_DAYS[number]}", SV_DAYS[number][:3], EN_DAYS[number], EN_DAYS[number][:3]):
        day = read_day(word, today)
        assert isinstance(day, date)
        assert day.weekday() == number
        assert 1 <= (day - today).days <= 7


@given(TODAYS, st.integers(0, 6))
def test_the_next_weekday_is_in_next_week(today: date, number: int) -> None:
    for text in (f"nästa {SV_DAYS[number]}", f"next {EN_DAYS[number]}", f"{SV_DAYS[number]} nästa vecka"):
        day = read_day(text, today)
        assert isinstance(day, date)
        assert day.weekday() == number
        assert day.isocalendar()[:2] == (today + timedelta(weeks=1)).isocalendar()[:2]


@given(TODAYS, st.integers(1, 12), st.integers(1, 31))
def test_a_day_and_month_without_a_year_is_the_next_such_day(today: date, month: int, day: int) -> None:
    texts = (f"{day}/{month}", f"{day}.{month}", f"{day} {SV_MONTHS[month - 1]}", f"{day} {EN_MONTHS[month - 1][:3]}",
             f"{EN_MONTHS[month - 1]} {day}", f"{month:02}-{day:02}")  # fmt: skip
    (reading,) = {read_day(text, today) for text in texts}
    if isinstance(reading, Unread):
        assert reading.why is Why.NO_SUCH_DAY
        assert day > 29 if month == 2 else day > 30
        return
    assert (reading.month, reading.day) == (month, day)
    assert reading >= today
    skipped = [year for year in range(today.year, reading.year) if (month, day) != (2, 29) or isleap(year)]
    assert all(date(year, month, day) < today for year in skipped)


@given(TODAYS, st.dates(date(1900, 1, 1), date(2999, 12, 31)))
def test_a_whole_date_is_itself_however_it_is_written(today: date, day: date) -> None:
    year, week, number = day.isocalendar()
    sv, en = SV_MONTHS[day.month - 1], EN_MONTHS[day.month - 1]
    texts = (
        day.isoformat(), f"{day:%Y%m%d}", f"{day.day}/{day.month} {day.year}", f"{day.day}.{day.month}.{day.year}",
        f"{day.day} {sv} {day.year}", f"{day.day} {sv[:3]} {day.year}", f"{en[:3]} {day.day}, {day.year}",
        f"{SV_DAYS[day.weekday()][:3]} {day.day} {sv[:3]} {day.year}",
        f"{EN_DAYS[day.weekday()][:3]} {day.day} {en[:3]} {day.year}",
        f"{SV_DAYS[day.weekday()]}en den {day.day} {sv} {day.year}", f"{year}-W{week:02}-{number}",
        f"{SV_DAYS[day.weekday()]} v. {week} {year}",
    )  # fmt: skip
    assert {read_day(text, today) for text in texts} == {day}


@given(TODAYS, st.integers(0, 999))
def test_a_span_is_counted_from_today(today: date, count: int) -> None:
    for text in (f"+{count}", f"+{count}d", f"om {count} dagar", f"in {count} days"):
        assert read_day(text, today) == today + timedelta(days=count)
    for text in (f"+{count}v", f"om {count} veckor", f"in {count} weeks"):
        assert read_day(text, today) == today + timedelta(weeks=count)
    months = read_day(f"om {count} månader", today)
    assert isinstance(months, date)
    assert (months.year - today.year) * 12 + months.month - today.month == count
    assert months.day == today.day or (months.day < today.day and (months + timedelta(days=1)).day == 1)


@given(TODAYS, st.integers(1, 53))
def test_a_week_is_the_next_that_is_not_over(today: date, number: int) -> None:
    (day,) = {read_day(text, today) for text in (f"v. {number}", f"v{number}", f"week {number}", f"vecka {number}")}
    assert isinstance(day, date)
    assert day.isocalendar().week == number
    assert day >= today
    assert day.weekday() == 4 or (day.weekday() == 6 and day - today <= timedelta(days=1))


PIECES = (*SWEDISH, *ENGLISH, *REFUSED, "0", "1", "99", "9999", "/", "-", ".", "+", "v", "om", "nästa", "år", "vecka")


@given(TODAYS, st.text(max_size=MAX_TYPED + 5) | st.lists(st.sampled_from(PIECES), max_size=4).map(" ".join))
def test_every_text_is_a_day_or_a_reason(today: date, text: str) -> None:
    assert isinstance(read_day(text, today), date | Unread)


def test_the_last_days_of_the_calendar_break_nothing() -> None:
    for text in (*SWEDISH, *ENGLISH, *REFUSED):
        for today in (date.max, date.max - timedelta(days=3)):
            assert isinstance(read_day(text, today), date | Unread)
