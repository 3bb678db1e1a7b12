# SPDX-License-Identifier: EUPL-1.2
"""Messages about what has rung that are damaged, forged, late or kept back by a server."""

from collections.abc import Callable

import pytest

from app.core.enums import LinkState
from app.notices import turns
from app.notices.service import MOST_EARLY
from app.notices.turns import WAIT_S, Rung
from app.objects.object import Payload
from app.store.notice_rows import NoticeId, id_of
from tests.app.clocks import Now
from tests.app.reminders.devices import HOUR_MS, MESSAGES, Reminded, Two, meet, settle, wait

ONE = MESSAGES[0]
RUNG: Payload[Rung] = Payload(Rung)


async def test_damaged_messages_of_another_device_change_nothing(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    home.turns.use()
    for payload in (b"", b"x", b"\x01\xc1", bytes(5000)):
        home.turns.receive(office.dev, payload)
    now.pass_s(3600)
    await settle(home)
    assert len(home.rung) == 1, "it is still the device that was used last"


async def test_attack_what_a_stolen_device_says_has_rung_makes_no_rows(two: Two, now: Now) -> None:
    """It wrote 1,000 rows a second, each with a commit of its own, and lists were read again for each."""
    home, stolen, server = two
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home)
    changed: list[None] = []
    home.notices.changed.connect(lambda: changed.append(None))
    for first in range(0, MOST_EARLY + 4000, turns.MOST_IDS):
        ids = tuple(n.to_bytes(16, "big") for n in range(first, first + turns.MOST_IDS))
        home.turns.receive(stolen.dev, RUNG.encode(Rung(ids=ids)))
    assert (home.store.db.value("SELECT count(*) FROM notice_states"), changed) == (0, [])
    home.turns.use()
    now.pass_s(3600)
    await settle(home)
    assert len(home.rung) == 1


@pytest.mark.parametrize("is_shared", [False, True])
async def test_what_rang_elsewhere_before_this_device_made_its_notice_stays_silent_once(
    two: Two, now: Now, is_shared: bool
) -> None:
    """It learns of that by the ephemeral message, and then also by the value in the person's own object."""
    home, office, server = two
    row = home.reminders.remind(ONE, now.ms + HOUR_MS)
    await meet(server, home, office)
    notice = id_of("reminder", ONE.room, ONE.obj, row.id + row.at.to_bytes(8, "big"))
    await office.stop()
    home.turns.receive(office.dev, RUNG.encode(Rung(ids=(notice,))))
    if is_shared:
        home.notices.silence([notice])
    now.pass_s(3600)
    await settle(home)
    await wait(now, 60, home)
    assert ([each.id for each in home.open()], home.rung) == ([notice], [])
    home.notices.snooze([notice], now.ms + HOUR_MS)
    now.pass_s(3600)
    await settle(home)
    await wait(now, 60, home)
    assert home.rung == [notice]


async def left_alone(two: Two, now: Now) -> Reminded:
    """The device at home with a reminder for an hour later, after the other device has ended."""
    home, office, _ = two
    await office.stop()
    office.is_online = False
    home.reminders.remind(ONE, now.ms + HOUR_MS)
    return home


async def test_attack_a_server_that_never_lets_a_device_catch_up_silences_no_reminder(
    two: Two, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 10)
    home = await left_alone(two, now)
    for state in (LinkState.OFFLINE, LinkState.SYNCING):
        home.notices.on_status(state)
    now.pass_s(3600)
    await settle(home)
    await wait(now, WAIT_S + 9, home)
    assert (len(home.open()), home.rung) == (1, [])
    await wait(now, 2, home)
    assert len(home.rung) == 1


async def test_attack_a_server_that_ends_each_connection_soon_silences_no_reminder(
    two: Two, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST_S", 10)
    home = await left_alone(two, now)
    now.pass_s(3600)
    await settle(home)
    for _ in range(3):
        await home.go(online=False)
        await home.go(online=True)
        await wait(now, WAIT_S - 5, home)
    assert len(home.rung) == 1


async def test_attack_a_late_message_that_a_notice_has_rung_ends_no_snooze(
    two: Two, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, office, server = two
    home.turns.use()
    home.reminders.remind(ONE, now.ms)
    await meet(server, home, office)
    (row,) = office.open()
    late = list[bytes]()
    monkeypatch.setattr(home.air, "send", lambda by, payload: late.append(payload))
    home.turns.note_rung({row.id: row.since})
    until_ms = now.ms + HOUR_MS
    office.notices.snooze([row.id], until_ms)
    office.turns.receive(home.dev, late[0])
    assert [(each.id, each.until) for each in office.notices.snoozed()] == [(row.id, until_ms)]
    now.pass_s(3600)
    await settle(office)
    await wait(now, 30, office)
    assert [each.id for each in office.open()] == office.rung == [row.id]


async def put_off_while_apart(two: Two, now: Now) -> tuple[NoticeId, int]:
    """A reminder is due on both devices, which are not connected; home was used last, and on the one in the office it
    was put off by a minute. Returns the notice, and until when (ms)."""
    home, office, server = two
    home.reminders.remind(ONE, now.ms)
    await meet(server, home, office)
    for device in two[:2]:
        await device.go(online=False)
    home.turns.use()
    (row,) = office.open()
    office.notices.snooze([row.id], until_ms := now.ms + 60_000)
    return row.id, until_ms


async def test_a_device_that_rings_before_it_knows_of_a_snooze_ends_no_snooze(two: Two, now: Now) -> None:
    """The notice was new again on the device where it was put off, and rang there no more."""
    home, office, server = two
    notice, until_ms = await put_off_while_apart(two, now)
    for device in two[:2]:
        await device.go(online=True)
    await settle(home, office)
    assert home.rung == [notice]
    for _ in range(2):
        assert [(each.id, each.until) for each in office.notices.snoozed()] == [(notice, until_ms)]
        await meet(server, home, office)
    await home.stop()
    home.is_online = False
    now.pass_s(60)
    await settle(office)
    await wait(now, 30, office)
    assert office.rung == [notice]


async def test_a_snooze_that_is_received_while_its_notice_begins_to_ring_stays(
    two: Two, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device that rang shared that the snooze had ended, and the notice was new again on the other one."""
    home, office, server = two
    notice, until_ms = await put_off_while_apart(two, now)
    await office.go(online=True)
    office.own.flush()
    apart = home.store.db.apart

    async def meet_meanwhile(write: Callable[[], object], *, durable: bool = True) -> None:
        await apart(write, durable=durable)
        server.meet(home, office)

    monkeypatch.setattr(home.store.db, "apart", meet_meanwhile)
    await home.go(online=True)
    await settle(home, office)
    assert home.rung == [notice]
    await meet(server, home, office)
    for device in two[:2]:
        assert [(each.id, each.until) for each in device.notices.snoozed()] == [(notice, until_ms)]


async def test_attack_a_message_of_the_far_future_ends_no_snooze(two: Two, now: Now) -> None:
    """A stolen device would end whatever the person puts off."""
    home, office, server = two
    home.reminders.remind(ONE, now.ms)
    await meet(server, home, office)
    (row,) = home.open()
    home.notices.snooze([row.id], until_ms := now.ms + HOUR_MS)
    home.turns.receive(office.dev, RUNG.encode(Rung(ids=(row.id,), since=(now.ms + 10 * HOUR_MS,))))
    assert [(each.id, each.until) for each in home.notices.snoozed()] == [(row.id, until_ms)]


async def test_of_more_notices_than_are_remembered_the_oldest_rings_here_too(
    two: Two, now: Now, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.notices.service.MOST_EARLY", 1)
    home, office, server = two
    rows = [home.reminders.remind(link, now.ms + HOUR_MS) for link in MESSAGES[:2]]
    await meet(server, home, office)
    ids = [id_of("reminder", ONE.room, ONE.obj, row.id + row.at.to_bytes(8, "big")) for row in rows]
    await office.stop()
    for ident in ids:
        home.turns.receive(office.dev, RUNG.encode(Rung(ids=(ident,))))
    now.pass_s(3600)
    await settle(home)
    await wait(now, 60, home)
    assert home.rung == ids[:1]


async def test_messages_of_this_device_and_too_long_ones_are_ignored(two: Two, now: Now) -> None:
    home, office, server = two
    home.reminders.remind(ONE, now.ms)
    await meet(server, home, office)
    (row,) = home.open()
    heard: list[int] = []
    home.turns.rung.connect(lambda since: heard.append(len(since)))
    home.turns.receive(home.dev, RUNG.encode(Rung(ids=(row.id,))))
    home.turns.receive(office.dev, RUNG.encode(Rung(ids=(row.id,) * 300)))
    home.turns.receive(office.dev, RUNG.encode(Rung(ids=(b"x",))))
    assert heard == []
    ids = tuple(n.to_bytes(16, "big") for n in range(turns.MOST_IDS + 1))
    home.turns.receive(office.dev, RUNG.encode(Rung(ids=ids)))
    assert heard == [turns.MOST_IDS]
