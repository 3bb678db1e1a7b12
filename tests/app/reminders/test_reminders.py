# SPDX-License-Identifier: EUPL-1.2
"""Reminders ring once, at the device that was used last, whatever happens to the clock, the network and the devices."""

from typing import NoReturn

import pytest

from app.core import clock
from app.core.enums import Level
from app.errors import DiskFull
from app.notices.turns import WAIT_S
from app.store import own_waiting
from app.store.notice_rows import NoticeState
from tests.app.clocks import Now
from tests.app.own.devices import DAY_MS, NOVEMBER
from tests.app.reminders.devices import HOUR_MS, MESSAGES, Reminded, Two, meet, settle, wait

ONE, TWO, THREE = MESSAGES
GOOD: list[object] = [0, 0, NOVEMBER + HOUR_MS, NOVEMBER // DAY_MS, "61" * 16, "62" * 16, "chat", "63" * 16]


async def test_a_reminder_rings_at_its_time_and_once(alone: Reminded, now: Now) -> None:
    alone.reminders.remind(ONE, now.ms + HOUR_MS)
    await settle(alone)
    assert alone.rung == []
    assert alone.reminders.places(ONE.obj) == {ONE.ref}
    now.pass_s(3600)
    await settle(alone)
    (row,) = alone.open()
    assert (row.kind, row.room, row.obj, row.ref, row.t) == ("reminder", ONE.room, ONE.obj, ONE.ref, now.ms)
    assert alone.rung == [row.id]
    assert alone.reminders.places(ONE.obj) == frozenset()
    assert alone.reminders.list() == []
    now.pass_s(3600)
    await settle(alone)
    assert len(alone.rung) == 1


async def test_the_timer_ends_when_the_first_reminder_is_due_and_looks_at_the_clock_each_minute(
    alone: Reminded, now: Now
) -> None:
    alone.reminders.remind(ONE, now.ms + 20_000)
    alone.reminders.remind(TWO, now.ms + HOUR_MS)
    await settle(alone)
    assert alone.timer.delay_s == 20
    now.pass_s(20)
    alone.timer.act()
    await settle(alone)
    assert len(alone.rung) == 1
    assert alone.timer.delay_s == 60


async def test_what_became_due_while_the_program_did_not_run_is_there_after_its_start(
    alone: Reminded, now: Now
) -> None:
    alone.reminders.remind(ONE, now.ms + HOUR_MS)
    await settle(alone)
    await alone.stop()
    now.pass_s(26 * 3600)
    alone.restart(killed=True)
    alone.run()
    await settle(alone)
    assert len(alone.open()) == 1
    assert len(alone.rung) == 1


async def test_after_sleep_it_rings_as_soon_as_the_computer_wakes(alone: Reminded, now: Now) -> None:
    alone.reminders.remind(ONE, now.ms + HOUR_MS)
    await settle(alone)
    now.pass_s(9 * 3600)
    alone.alarms.look()  # what the program does when the computer wakes
    await settle(alone)
    assert len(alone.rung) == 1


async def test_a_clock_that_is_set_forward_and_back_rings_nothing_twice(alone: Reminded, now: Now) -> None:
    alone.reminders.remind(ONE, now.ms + HOUR_MS)
    alone.reminders.remind(TWO, now.ms + 3 * HOUR_MS)
    await settle(alone)
    shifts = []
    alone.alarms.shifted.connect(lambda: shifts.append(now.ms))
    now.ms += 2 * HOUR_MS
    await settle(alone)
    assert len(alone.rung) == 1
    now.ms -= 2 * HOUR_MS
    await settle(alone)
    now.ms += 2 * HOUR_MS
    await settle(alone)
    assert len(alone.rung) == 1
    assert len(shifts) == 3
    now.ms += HOUR_MS
    await settle(alone)
    assert len(alone.rung) == 2


async def test_a_snoozed_notice_comes_back_and_rings(alone: Reminded, now: Now) -> None:
    alone.reminders.remind(ONE, now.ms)
    await settle(alone)
    (row,) = alone.open()
    alone.notices.mark_seen([row.id])
    alone.notices.snooze([row.id], now.ms + HOUR_MS)
    assert alone.open() == []
    now.pass_s(3599)
    await settle(alone)
    assert alone.rung == [row.id]
    now.pass_s(1)
    await settle(alone)
    assert alone.rung == [row.id, row.id]
    (back,) = alone.open()
    assert back.returned
    assert back.state is NoticeState.NEW
    now.pass_s(HOUR_MS)
    await settle(alone)
    assert len(alone.rung) == 2


async def test_a_reminder_is_moved_and_removed_and_brought_back(alone: Reminded, now: Now) -> None:
    row = alone.reminders.remind(ONE, now.ms + HOUR_MS)
    again = alone.reminders.remind(ONE, now.ms + 2 * HOUR_MS)
    assert again.id == row.id
    assert alone.reminders.count() == 1
    alone.reminders.remove(row.id)
    assert alone.reminders.at(ONE) is None
    alone.reminders.move(row.id, now.ms + HOUR_MS)
    now.pass_s(3600)
    await settle(alone)
    assert len(alone.rung) == 1


async def at_the_office_last(two: Two, now: Now) -> tuple[Reminded, Reminded]:
    """Both devices with a reminder for an hour later; a minute after the one at home, the office's was used."""
    home, office, server = two
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    home.turns.use()
    now.pass_s(60)
    office.turns.use()
    return home, office


async def test_it_rings_at_the_device_that_was_used_last_and_at_the_others_it_is_only_listed(
    two: Two, now: Now
) -> None:
    home, office = await at_the_office_last(two, now)
    now.pass_s(3540)
    await settle(home, office)
    assert (len(home.rung), len(office.rung)) == (0, 1)
    await wait(now, 60, home, office)
    assert home.rung == []
    assert [row.id for row in home.open()] == office.rung


@pytest.mark.parametrize("ago_s", [50, 70])
async def test_an_input_before_the_person_went_to_the_other_device_does_not_take_the_ringing_back(
    two: Two, now: Now, ago_s: int
) -> None:
    """The system reports inputs up to a minute later: 60 s ago the person began to use the office's computer."""
    home, office = await at_the_office_last(two, now)
    now.pass_s(60)
    home.turns.use(ago_s)
    now.pass_s(3480)
    await settle(home, office)
    assert (len(home.rung), len(office.rung)) == ((1, 0) if ago_s < 60 else (0, 1))


async def test_a_device_waits_fifteen_seconds_for_the_one_that_was_used_last(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    office.turns.use()
    await office.stop()  # it hangs
    office.air.devices[1].is_online = False
    now.pass_s(3600)
    await settle(home)
    await wait(now, WAIT_S - 1, home)
    assert home.rung == []
    await wait(now, 1, home)
    assert len(home.rung) == 1


async def test_devices_that_nobody_has_used_ring_one_after_the_other_so_one_rings(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    now.pass_s(3600)
    await wait(now, 30, home, office)
    assert (len(home.rung), len(office.rung)) == (1, 0)


async def test_each_device_that_is_apart_rings_and_once_connected_they_have_one_notice(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    for device in (home, office):
        await device.go(online=False)
    now.pass_s(3600)
    await settle(home, office)
    await wait(now, 20, home, office)
    assert (len(home.rung), len(office.rung)) == (1, 1)
    assert home.rung == office.rung
    for device in (home, office):
        await device.go(online=True)
    await meet(server, home, office)
    assert [row.id for row in home.open()] == [row.id for row in office.open()] == home.rung
    home.notices.mark_done(home.rung)
    await meet(server, home, office)
    assert office.open() == []
    assert (len(home.rung), len(office.rung)) == (1, 1)


async def test_a_device_that_was_off_when_it_rang_elsewhere_does_not_ring_later(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    await office.stop()
    await office.go(online=False)
    now.pass_s(3600)
    home.turns.use()
    await settle(home)
    assert len(home.rung) == 1
    home.own.flush()
    now.pass_s(3600)
    office.restart()
    office.run()
    await settle(office)
    server.meet(home, office)
    await office.go(online=True)
    await wait(now, 60, office)
    assert office.rung == []
    assert [row.id for row in office.open()] == home.rung


async def test_what_is_done_on_one_device_is_over_on_the_other_and_can_be_taken_back(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms)
    home.turns.use()
    await meet(server, home, office)
    (row,) = office.open()
    office.notices.mark_done([row.id])
    await meet(server, home, office)
    assert home.open() == office.open() == []
    office.notices.mark_new([row.id])
    await meet(server, home, office)
    assert [each.id for each in home.open()] == [each.id for each in office.open()] == [row.id]
    assert len(home.rung) + len(office.rung) == 1


async def test_a_snooze_rings_once_over_two_devices_also_when_it_was_set_on_the_other(two: Two, now: Now) -> None:
    home, office, server = two
    home.turns.use()
    home.reminders.remind(ONE, now.ms)
    await meet(server, home, office)
    (row,) = office.open()
    now.pass_s(30)
    office.turns.use()
    office.notices.snooze([row.id], now.ms + HOUR_MS)
    await meet(server, home, office)
    assert home.open() == office.open() == []
    now.pass_s(3600)
    await settle(home, office)
    await wait(now, 60, home, office)
    assert (len(home.rung), len(office.rung)) == (1, 1)
    assert [each.id for each in home.open()] == [each.id for each in office.open()] == [row.id]


async def test_a_later_time_that_was_chosen_elsewhere_counts_although_it_has_rung_here(two: Two, now: Now) -> None:
    home, office, server = two
    row = home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    for device in (home, office):
        await device.go(online=False)
    office.reminders.move(row.id, now.ms + 3 * HOUR_MS)
    now.pass_s(3600)
    await settle(home, office)
    await wait(now, 20, home, office)
    assert (len(home.rung), len(office.rung)) == (1, 0)
    for device in (home, office):
        await device.go(online=True)
    await meet(server, home, office)
    assert home.open() == office.open() == []
    assert home.reminders.count() == office.reminders.count() == 1
    now.pass_s(7200)
    await settle(home, office)
    await wait(now, 60, home, office)
    assert len(home.rung) + len(office.rung) == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kein id", GOOD),
        ("aa" * 16, GOOD[:7]),
        ("aa" * 16, [0, 0, -1, *GOOD[3:]]),
        ("aa" * 16, [0, 0, clock.MAX_MS + 1, *GOOD[3:]]),
        ("aa" * 16, [0, 2, *GOOD[2:]]),
        ("aa" * 16, [True, *GOOD[1:]]),
        ("aa" * 16, [*GOOD[:4], "61", *GOOD[5:]]),
        ("aa" * 16, [*GOOD[:6], "no identifier", GOOD[7]]),
        ("aa" * 16, [*GOOD[:6], "a" * 41, GOOD[7]]),
        ("aa" * 16, [*GOOD[:7], "63" * 65]),
        ("aa" * 16, [*GOOD[:7], 5]),
        ("aa" * 16, [2**52, *GOOD[1:]]),
    ],
)
async def test_attack_what_is_no_reminder_changes_nothing(two: Two, now: Now, key: str, value: list[object]) -> None:
    home, office, server = two
    home.own.put("reminders", key, value)
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    assert office.reminders.count() == 1
    assert len(office.store.reminders.ids(10)) == 1
    now.pass_s(3600)
    await settle(home, office)
    await wait(now, 20, home, office)
    assert len(office.open()) == 1


async def test_a_reminder_that_is_gone_is_left_behind_and_one_that_waits_is_not(two: Two, now: Now) -> None:
    home, office, server = two
    now.ms = NOVEMBER + 20 * DAY_MS
    for device in (home, office):
        device.now_ms = now.ms
    gone, waits = home.reminders.remind(ONE, now.ms + HOUR_MS), home.reminders.remind(TWO, now.ms + 200 * DAY_MS)
    home.reminders.remove(gone.id)
    await meet(server, home, office)
    now.ms += 91 * DAY_MS
    for device in (home, office):
        device.now_ms = now.ms
    home.reminders.remind(THREE, now.ms + HOUR_MS)
    await meet(server, home, office)
    (new,) = [model for model in home.own.objects() if model.year == 2027]
    assert waits.id.hex() in new.keys("reminders")
    assert gone.id.hex() not in new.keys("reminders")
    assert office.reminders.count() == 2


@pytest.mark.parametrize("at_ms", [0, 1, clock.MAX_MS])
async def test_attack_a_time_of_long_ago_or_far_ahead_rings_once_or_waits(
    alone: Reminded, now: Now, at_ms: int
) -> None:
    alone.own.put("reminders", "aa" * 16, [0, 0, at_ms, *GOOD[3:]])
    alone.own.changed.emit(frozenset({("reminders", "aa" * 16)}))
    await settle(alone)
    await wait(now, 3, alone)
    assert len(alone.rung) == (at_ms < now.ms)
    assert alone.reminders.count() == (at_ms > now.ms)
    assert alone.timer.delay_s <= 60


async def test_a_reminder_that_rang_and_is_moved_or_removed_leaves_no_notice(alone: Reminded, now: Now) -> None:
    row, other = alone.reminders.remind(ONE, now.ms), alone.reminders.remind(TWO, now.ms)
    await settle(alone)
    assert len(alone.open()) == 2
    alone.reminders.move(row.id, now.ms + HOUR_MS)
    alone.reminders.remove(other.id)
    assert alone.open() == []
    now.pass_s(3600)
    await settle(alone)
    assert [each.ref for each in alone.open()] == [ONE.ref]


async def test_a_reminder_rings_in_a_room_in_which_nothing_else_does(alone: Reminded, now: Now) -> None:
    alone.notices.level = lambda room: Level.NOTHING
    alone.reminders.remind(ONE, now.ms)
    await settle(alone)
    assert len(alone.rung) == 1


async def test_what_has_rung_is_not_shared_by_a_persons_only_device(alone: Reminded, now: Now) -> None:
    alone.reminders.remind(ONE, now.ms)
    await settle(alone)
    assert len(alone.rung) == 1
    assert alone.own.keys("notices") == set()


async def test_devices_without_a_connection_ring_at_once(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms + 60_000)
    await meet(server, home, office)
    for device in (home, office):
        await device.go(online=False)
    await wait(now, 59, home, office)
    assert home.rung == office.rung == []
    await wait(now, 1, home, office)
    assert len(home.rung) == len(office.rung) == 1


async def test_a_device_that_is_used_again_and_again_says_so_once_in_five_seconds(two: Two, now: Now) -> None:
    home, office, _ = two
    for device in (home, office, home):
        device.turns.use()
    assert home.air.sent == 2, "home has said so a moment ago"
    now.pass_s(6)
    home.turns.use()
    assert home.air.sent == 3


@pytest.mark.parametrize("is_moved", [False, True])
async def test_what_was_stored_and_not_shared_when_the_program_was_killed_is_shared_at_the_next_start(
    two: Two, now: Now, monkeypatch: pytest.MonkeyPatch, is_moved: bool
) -> None:
    home, office, server = two
    if is_moved:
        row = home.reminders.remind(ONE, now.ms + HOUR_MS)
        await settle(home)
        await meet(server, home, office)
    with monkeypatch.context() as killed:
        killed.setattr(home.own, "put_all", lambda root, values: None)
        row = home.reminders.remind(ONE, now.ms + 2 * HOUR_MS)
    await home.stop()
    home.restart(killed=True)
    home.run()
    await home.go(online=True)
    await settle(home)
    await meet(server, home, office)
    assert [(each.id, each.at) for each in office.reminders.list()] == [(row.id, row.at)]


async def test_what_the_disk_refuses_is_neither_here_nor_shared(
    two: Two, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, office, server = two
    kept = home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)

    def full(*_given: object) -> NoReturn:
        raise DiskFull

    with monkeypatch.context() as disk:
        disk.setattr("app.reminders.service.reminder_rows.put", full)
        for act in (
            lambda: home.reminders.remind(TWO, now.ms + HOUR_MS),
            lambda: home.reminders.move(kept.id, now.ms + 2 * HOUR_MS),
            lambda: home.reminders.remove(kept.id),
        ):
            with pytest.raises(DiskFull):
                act()
    await meet(server, home, office)
    for device in (home, office):
        assert [(row.id, row.at) for row in device.reminders.list()] == [(kept.id, kept.at)]


async def test_a_reminder_that_is_gone_and_shared_no_more_is_forgotten(alone: Reminded, now: Now) -> None:
    row = alone.reminders.remind(ONE, now.ms + HOUR_MS)
    alone.reminders.remove(row.id)
    await settle(alone)
    with alone.store.transaction() as conn:
        own_waiting.drop(conn, [("reminders", row.id.hex())])
    await alone.stop()
    alone.restart(killed=True)
    alone.run()
    await settle(alone)
    assert alone.store.reminders.get(row.id) is None
    assert alone.own.keys("reminders") == set()
