# SPDX-License-Identifier: EUPL-1.2
"""What a person chose last for a notice counts on all their devices, also if the devices did not know of each other
when it was chosen, and if an earlier choice has rung in between."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.core import clock
from app.notices.service import Mark, NoticeId, NoticeRow, NoticeState
from app.store.reminder_rows import GONE, WAITS, ReminderRow
from tests.app.clocks import Now
from tests.app.own.devices import Server
from tests.app.reminders.devices import HOUR_MS, MESSAGES, Air, Reminded, Two, meet, settle

MINUTE_S = 60
ONE, *_ = MESSAGES
Step = tuple[str, int, int]
"""What the person does, at which device, and the minutes until which they put the notice off, or that pass."""

steps_of_a_day = st.lists(
    st.tuples(
        st.sampled_from(["snooze", "snooze", "done", "new", "wait", "meet"]), st.integers(0, 1), st.integers(1, 9)
    ),
    max_size=12,
)


async def pass_s(now: Now, seconds: int, *devices: Reminded) -> None:
    """Time passes. Of more than half a minute the end passes in parts: after a sleep each device waits for the
    others."""
    for part in (seconds - 30, 10, 10, 10) if seconds > 30 else (seconds,):
        now.pass_s(part)
        for device in devices:
            device.now_ms = now.ms
        await settle(*devices)


async def apart(*devices: Reminded) -> None:
    for device in devices:
        await device.go(online=False)
    await settle(*devices)


async def together(server: Server, *devices: Reminded) -> None:
    for device in devices:
        await device.go(online=True)
    for _ in range(2):
        await meet(server, *devices)


async def rung_once(now: Now, server: Server, *devices: Reminded) -> NoticeId:
    """A reminder that both devices have, and that has rung; they are apart afterwards."""
    devices[0].reminders.remind(ONE, now.ms + MINUTE_S * 1000)
    await settle(*devices)
    await meet(server, *devices)
    await pass_s(now, MINUTE_S, *devices)
    await pass_s(now, MINUTE_S, *devices)
    await meet(server, *devices)
    [ident] = {row.id for device in devices for row in device.open()}
    await apart(*devices)
    return ident


async def reminded_apart(two: Two, now: Now) -> ReminderRow:
    """A reminder for an hour later that both devices know, which are apart from then on."""
    home, office, server = two
    row = home.reminders.remind(ONE, now.ms + HOUR_MS)
    await settle(home, office)
    await meet(server, home, office)
    await apart(home, office)
    return row


def shown(device: Reminded) -> NoticeRow:
    [row] = device.notices.list()
    return row


async def test_a_later_choice_counts_although_an_earlier_one_has_rung_meanwhile(two: Two, now: Now) -> None:
    home, office, server = two
    ident = await rung_once(now, server, home, office)
    home.notices.snooze([ident], now.ms + 5 * MINUTE_S * 1000)
    await pass_s(now, MINUTE_S, home, office)
    until = now.ms + HOUR_MS
    office.notices.snooze([ident], until)
    await pass_s(now, 10 * MINUTE_S, home, office)
    assert shown(home).returned, "it has rung there"
    await together(server, home, office)
    assert [(shown(each).state, shown(each).until) for each in (home, office)] == [(NoticeState.SNOOZED, until)] * 2
    before = len(home.rung) + len(office.rung)
    await pass_s(now, (until - now.ms) // 1000, home, office)
    for _ in range(20):
        await pass_s(now, 1, home, office)
    assert len(home.rung) + len(office.rung) == before + 1


@pytest.mark.parametrize("is_done_last", [True, False])
async def test_of_done_and_put_off_the_later_choice_counts(two: Two, now: Now, is_done_last: bool) -> None:
    home, office, server = two
    ident = await rung_once(now, server, home, office)
    until = now.ms + HOUR_MS
    for is_done in (not is_done_last, is_done_last):
        await pass_s(now, MINUTE_S, home, office)
        if is_done:
            home.notices.mark_done([ident])
        else:
            office.notices.snooze([ident], until)
    await together(server, home, office)
    expected = (NoticeState.DONE, None) if is_done_last else (NoticeState.SNOOZED, until)
    assert [(shown(each).state, shown(each).until) for each in (home, office)] == [expected] * 2
    await pass_s(now, 2 * HOUR_MS // 1000, home, office)
    await together(server, home, office)
    assert [len(each.open()) for each in (home, office)] == [0 if is_done_last else 1] * 2
    rows = [each.store.reminders.by_notice(ident) for each in (home, office)]
    assert [row.state for row in rows if row is not None] == [GONE if is_done_last else WAITS] * 2


async def test_what_was_put_off_and_rang_after_it_was_done_elsewhere_is_open_there_too(two: Two, now: Now) -> None:
    home, office, server = two
    ident = await rung_once(now, server, home, office)
    home.notices.mark_done([ident])
    await pass_s(now, MINUTE_S, home, office)
    office.notices.snooze([ident], now.ms + MINUTE_S * 1000)
    await pass_s(now, 2 * MINUTE_S, home, office)
    assert len(office.rung) == 2
    rung = len(home.rung)
    await together(server, home, office)
    await pass_s(now, MINUTE_S, home, office)
    assert [row.id for each in (home, office) for row in each.open()] == [ident] * 2
    assert len(home.rung) == rung, "it does not ring a second time"


async def test_of_two_times_to_which_a_reminder_was_moved_apart_the_later_choice_counts(two: Two, now: Now) -> None:
    home, office, server = two
    row = await reminded_apart(two, now)
    home.reminders.move(row.id, now.ms + 3 * HOUR_MS)
    home.reminders.move(row.id, now.ms + 4 * HOUR_MS)
    await pass_s(now, MINUTE_S, home, office)
    at = office.reminders.move(row.id, now.ms + 2 * HOUR_MS).at
    await together(server, home, office)
    assert [[each.at for each in device.reminders.list()] for device in (home, office)] == [[at], [at]]


async def test_a_reminder_that_was_removed_elsewhere_before_it_rang_here_is_gone(two: Two, now: Now) -> None:
    home, office, server = two
    row = await reminded_apart(two, now)
    home.reminders.remove(row.id)
    await pass_s(now, HOUR_MS // 1000 + MINUTE_S, home, office)
    assert (home.rung, len(office.rung), len(office.open())) == ([], 1, 1)
    await together(server, home, office)
    assert [each.open() for each in (home, office)] == [[], []]


async def test_a_notice_that_was_done_twice_elsewhere_is_open_everywhere_once_it_is_new_here(
    two: Two, now: Now
) -> None:
    home, office, server = two
    ident = await rung_once(now, server, home, office)
    home.notices.mark_done([ident])
    await together(server, home, office)
    await apart(home, office)
    for mark in (office.notices.mark_new, office.notices.mark_done):
        await pass_s(now, 2, home, office)
        mark([ident])
    await together(server, home, office)
    await pass_s(now, 2, home, office)
    home.notices.mark_new([ident])
    await together(server, home, office)
    assert [[row.id for row in each.open()] for each in (home, office)] == [[ident]] * 2


@pytest.mark.slow
@example(steps=[("snooze", 1, 1), ("done", 0, 1), ("new", 1, 1)])
@example(steps=[("done", 0, 1), ("meet", 0, 1), ("snooze", 0, 1)])
@example(steps=[("done", 0, 1), ("meet", 0, 1), ("new", 1, 1)])
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps_of_a_day)
def test_the_choice_made_last_counts_on_both_devices_once_they_have_met(steps: Sequence[Step]) -> None:
    asyncio.run(_live(steps))


async def _live(steps: Sequence[Step]) -> None:
    now, air = Now(), Air()
    end_clock = clock.set_clock(now)
    with TemporaryDirectory() as folder:
        devices = [Reminded(Path(folder) / str(n), n + 1, now, air) for n in range(2)]
        try:
            for device in devices:
                device.run()
                await device.go(online=True)
            await _play(steps, now, devices)
        finally:
            for device in devices:
                await device.stop()
                device.close()
            end_clock()


async def _play(steps: Sequence[Step], now: Now, devices: Sequence[Reminded]) -> None:
    server, chosen = Server(), list[Mark]()
    ident = await rung_once(now, server, *devices)

    def note(marks: Mapping[NoticeId, Mark]) -> None:
        chosen.extend(mark for mark in marks.values() if mark[0] is not NoticeState.SEEN)

    for device in devices:
        device.notices.marked.connect(note)
    for what, which, minutes in steps:
        at = devices[which]
        await pass_s(now, 2, *devices)
        match what:
            case "snooze":
                at.notices.snooze([ident], now.ms + minutes * MINUTE_S * 1000)
            case "done":
                at.notices.mark_done([ident])
            case "new":
                at.notices.mark_new([ident])
            case "wait":
                await pass_s(now, minutes * MINUTE_S, *devices)
            case "meet":
                await together(server, *devices)
                await apart(*devices)
    await together(server, *devices)
    await pass_s(now, 30, *devices)
    await together(server, *devices)
    state, until = chosen[-1] if chosen else (NoticeState.NEW, None)
    for device in devices:
        row = shown(device)
        if until is not None and until > now.ms:
            assert (row.state, row.until) == (NoticeState.SNOOZED, until)
            assert [each.id for each in device.notices.snoozed()] == [ident]
            assert device.open() == []
        else:
            assert [each.id for each in device.open()] == ([] if state is NoticeState.DONE else [ident])
    if until is not None and until > now.ms:
        rung = sum(device.rung.count(ident) for device in devices)
        await pass_s(now, (until - now.ms) // 1000 + 1, *devices)
        for _ in range(20):
            await pass_s(now, 1, *devices)
        assert sum(device.rung.count(ident) for device in devices) == rung + 1
        assert [each.id for device in devices for each in device.open()] == [ident] * 2
