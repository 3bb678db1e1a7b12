# SPDX-License-Identifier: EUPL-1.2
"""The session's one timer: it calls what is due, looks at the clock each minute, and notices when that was set."""

import time
from collections.abc import Iterator

import pytest

from app.core import clock
from app.core.alarms import SLEPT_S, TICK_S, Alarms
from tests.app.clocks import Now, now
from tests.app.reminders.devices import HOUR_MS, Timer

__all__ = ["now"]  # a fixture


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def alarms(now: Now, timer: Timer) -> Iterator[Alarms]:
    made = Alarms(timer, lambda: now.awake_s)
    made.start()
    yield made
    made.close()


def test_the_timer_is_set_to_the_earliest_alarm_and_calls_each_once(alarms: Alarms, timer: Timer, now: Now) -> None:
    rung = list[str]()
    first, second = alarms.make(lambda: rung.append("first")), alarms.make(lambda: rung.append("second"))
    assert timer.delay_s == TICK_S
    second.set(now.ms + 30_000)
    first.set(now.ms + 10_000)
    assert timer.delay_s == 10
    now.pass_s(10)
    timer.act()
    assert rung == ["first"]
    assert timer.delay_s == 20
    second.set(None)
    now.pass_s(60)
    timer.act()
    assert rung == ["first"]


def test_an_alarm_sets_its_next_time_while_it_rings(alarms: Alarms, timer: Timer, now: Now) -> None:
    times = list[int]()

    def ring() -> None:
        times.append(now.ms)
        alarm.set(now.ms + 5000)

    alarm = alarms.make(ring)
    alarm.set(now.ms)
    timer.act()
    assert times == [now.ms]
    assert timer.delay_s == 5


def test_a_clock_that_was_set_and_a_sleep_are_noticed_and_a_minute_that_passed_is_not(
    alarms: Alarms, timer: Timer, now: Now
) -> None:
    shifts = list[int]()
    alarms.shifted.connect(lambda: shifts.append(now.ms))
    now.pass_s(60)
    timer.act()
    assert shifts == []
    now.ms += HOUR_MS
    timer.act()
    now.ms -= HOUR_MS
    alarms.look()
    assert len(shifts) == 2
    now.pass_s(TICK_S + SLEPT_S + 1)
    alarms.look()
    assert len(shifts) == 3


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has its zone elsewhere")
def test_a_time_zone_that_was_changed_is_noticed_and_counts_at_once(
    alarms: Alarms, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Stockholm")
    alarms.look()
    shifts, hour = list[int](), clock.local(now.ms).hour
    alarms.shifted.connect(lambda: shifts.append(1))
    monkeypatch.setenv("TZ", "America/New_York")
    alarms.look()
    assert shifts == [1]
    assert clock.local(now.ms).hour == (hour - 6) % 24
    monkeypatch.undo()
    time.tzset()


def test_a_fault_of_one_alarm_keeps_no_other_from_ringing(alarms: Alarms, now: Now) -> None:
    rung = list[str]()

    def fail() -> None:
        raise ZeroDivisionError

    for act in (fail, lambda: rung.append("rung")):
        alarms.make(act).set(now.ms)
    alarms.look()
    assert rung == ["rung"]


def test_nothing_rings_before_the_start_and_after_the_end(now: Now, timer: Timer) -> None:
    rung = list[int]()
    alarms = Alarms(timer, lambda: now.awake_s)
    alarm = alarms.make(lambda: rung.append(1))
    alarm.set(now.ms)
    alarms.look()
    assert rung == []
    alarms.start()
    alarms.close()
    alarms.look()
    assert rung == []
