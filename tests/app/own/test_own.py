# SPDX-License-Identifier: EUPL-1.2
"""Things of the person's own: they follow to the other device, nothing that waits is lost, and one change has all."""

import asyncio
from collections.abc import Iterable

import pytest

from app.core.ids import ObjId
from app.errors import DiskFull
from app.own import key_queue, reads, service
from app.own.joining import AHEAD_MS, MAX_LEFT, MAX_NUMBER, NOTHING_READ, ReadMark, join_marks
from app.own.model import ROOTS, Key, OwnObject
from tests.app.own.devices import DAY_MS, Device, Two, forge, named
from tests.office import ROOM
from tests.world import until

CHAT, OTHER = ObjId(b"c" * 16), ObjId(b"o" * 16)
PLACE = CHAT.hex()


def test_what_was_read_at_home_is_read_at_the_office(two: Two) -> None:
    home, office, server = two
    told: list[frozenset[ObjId]] = []
    office.reads.changed.connect(told.append)
    home.reads.read(CHAT, 7, left=[5])
    home.own.flush()
    server.meet(home, office)
    assert office.reads.mark(CHAT) == ReadMark(position=7, left=(5,))
    assert told == [frozenset({CHAT})]


def test_all_that_changed_is_one_change(two: Two) -> None:
    home, office, server = two
    home.reads.read(OTHER, 1)
    home.own.flush()
    before = home.written()
    home.reads.read(CHAT, 7)
    home.reads.read(OTHER, 3)
    home.reads.read(CHAT, 9)
    home.rooms.set("å/favourite", True)
    home.settings.set("theme", "dark")
    assert home.written() == before
    home.own.flush()
    home.own.flush()
    assert home.written() == before + 1
    server.meet(home, office)
    assert office.settings.get("theme") == "dark"
    assert office.rooms.get("å/favourite") is True


async def test_what_changes_within_a_minute_of_a_write_waits_until_the_minute_is_over(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ SECURITY.md: the server sees at most once a minute that a person reads."""
    home, _, _ = two
    monkeypatch.setattr(service, "GATHER_S", 0.0)
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        await (asyncio.Event().wait() if seconds else asyncio.sleep(0))

    monkeypatch.setattr(home.own, "_pause", pause)
    running = asyncio.ensure_future(home.own.run())
    home.reads.read(CHAT, 7)
    await until(lambda: len(paused) == 2)
    assert (paused, home.own.waits) == ([0.0, 60.0], False)
    home.reads.read(CHAT, 9)
    for _ in range(10):
        await asyncio.sleep(0)
    assert home.own.waits
    running.cancel()


def test_the_higher_generation_counts_and_then_the_higher_position(two: Two) -> None:
    home, office, server = two
    home.reads.read(CHAT, 40)
    home.own.flush()
    server.meet(home, office)
    home.reads.read(CHAT, 90)
    office.reads.unread(CHAT, 12)
    home.own.flush()
    office.own.flush()
    server.meet(home, office)
    server.meet(home, office)
    for device in (home, office):
        assert device.reads.mark(CHAT) == ReadMark(generation=1, position=12)


def test_what_is_left_unread_below_the_mark_is_read_once_any_device_has_seen_it(two: Two) -> None:
    home, office, server = two
    home.reads.read(CHAT, 100, left=[30, 60])
    office.reads.read(CHAT, 50)
    home.own.flush()
    office.own.flush()
    server.meet(home, office)
    server.meet(home, office)
    for device in (home, office):
        assert device.reads.mark(CHAT) == ReadMark(position=100, left=(60,))


def test_of_more_unread_ones_below_the_mark_the_newest_are_named(two: Two) -> None:
    home, office, server = two
    for device in (home, office):
        device.reach(1000)
    home.reads.read(CHAT, 1000, left=range(1, 200))
    home.own.flush()
    server.meet(home, office)
    assert office.reads.mark(CHAT).left == tuple(range(200 - MAX_LEFT, 200))


@pytest.mark.parametrize("killed", [True, False])
def test_what_waits_is_there_after_a_start(two: Two, killed: bool) -> None:
    home, office, server = two
    home.reads.read(CHAT, 7)
    home.drafts.put(PLACE, "Hej å 🙂")
    home.restart(killed=killed)
    assert home.reads.mark(CHAT) == ReadMark(position=7)
    assert [draft.text for draft in home.drafts.at(PLACE)] == ["Hej å 🙂"]
    assert home.own.waits
    home.own.flush()
    server.meet(home, office)
    assert [draft.text for draft in office.drafts.at(PLACE)] == ["Hej å 🙂"]


def test_two_drafts_that_were_written_apart_are_both_kept(two: Two) -> None:
    home, office, server = two
    home.drafts.put(PLACE, "Skrivet hemma")
    office.drafts.put(PLACE, "Skrivet på jobbet")
    home.own.flush()
    office.own.flush()
    server.meet(home, office)
    server.meet(home, office)
    for device in (home, office):
        assert {draft.text for draft in device.drafts.at(PLACE)} == {"Skrivet hemma", "Skrivet på jobbet"}
    office.drafts.put(PLACE, "Båda 🙂", over=tuple(office.drafts.others(PLACE)))
    office.own.flush()
    server.meet(home, office)
    server.meet(home, office)
    for device in (home, office):
        assert [draft.text for draft in device.drafts.at(PLACE)] == ["Båda 🙂"]


def test_a_draft_that_was_changed_meanwhile_is_not_replaced(two: Two) -> None:
    home, office, server = two
    home.drafts.put(PLACE, "Först")
    home.own.flush()
    server.meet(home, office)
    seen = tuple(office.drafts.others(PLACE))
    home.drafts.put(PLACE, "Först, och mer")
    office.drafts.put(PLACE, "", over=seen)  # it was sent from the office
    home.own.flush()
    office.own.flush()
    server.meet(home, office)
    server.meet(home, office)
    for device in (home, office):
        assert [draft.text for draft in device.drafts.at(PLACE)] == ["Först, och mer"]


def test_a_full_disk_is_told_once_and_nothing_is_lost(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    home, office, server = two
    faults: list[str] = []
    home.own.fault.connect(lambda fault: faults.append(fault.code))

    def refuse(*_args: object, **_more: object) -> None:
        raise DiskFull

    with monkeypatch.context() as full:
        full.setattr("app.store.own_waiting.put", refuse)
        full.setattr(home.store.changes, "append", refuse)
        home.settings.set("theme", "dark")
        home.settings.set("language", "sv")
        for _ in range(2):
            with pytest.raises(DiskFull):
                home.own.flush()
    assert faults == ["disk-full"]
    assert home.settings.get("theme") == "dark"
    home.own.flush()
    server.meet(home, office)
    assert (office.settings.get("theme"), office.settings.get("language")) == ("dark", "sv")
    assert home.own.waits is False


def test_without_a_room_everything_waits_on_the_disk(two: Two) -> None:
    home, office, server = two
    home.room.there = False
    home.reads.read(CHAT, 7)
    home.own.flush()
    home.restart(killed=True)
    assert home.reads.mark(CHAT) == ReadMark(position=7)
    home.room.there = True
    home.own.flush()
    server.meet(home, office)
    assert office.reads.mark(CHAT) == ReadMark(position=7)


def test_a_day_without_a_connection_is_one_change(two: Two) -> None:
    home, office, server = two
    home.is_online = False
    for position in range(1, 20):
        home.reads.read(CHAT, position)
        home.own.flush()
    home.restart(killed=True)
    assert home.written() == 0
    home.is_online = True
    home.own.flush()
    server.meet(home, office)
    assert office.reads.mark(CHAT) == ReadMark(position=19)


def test_a_new_year_begins_an_object_that_has_everything(two: Two) -> None:
    home, office, server = two
    home.reads.read(CHAT, 7)
    home.settings.set("theme", "dark")
    office.drafts.put(PLACE, "Kvar över nyår 🙂")
    home.own.flush()
    office.own.flush()
    server.meet(home, office)
    home.now_ms = office.now_ms = home.now_ms + 60 * DAY_MS
    home.reads.read(OTHER, 3)
    home.own.flush()
    office.own.flush()
    server.meet(home, office)
    server.meet(home, office)
    office.own.flush()
    newest = max(home.own.objects(), key=lambda each: each.year or 0)
    assert newest.year == 2027
    assert newest.keys("reads") == {CHAT.hex(), OTHER.hex()}
    assert newest.keys("settings") == {"theme"}
    assert [draft.text for draft in home.drafts.at(PLACE)] == ["Kvar över nyår 🙂"]


def test_a_device_writes_in_its_own_maps_only_also_what_it_carries_over(two: Two) -> None:
    home, office, server = two
    home.reads.read(CHAT, 7)
    home.settings.set("theme", "dark")
    home.drafts.put(PLACE, "Hemifrån å")
    home.own.flush()
    server.meet(home, office)
    office.reads.read(OTHER, 3)
    office.own.flush()
    [object_of_year] = office.own.objects()
    assert object_of_year.values("reads", CHAT.hex()) == {home.dev.hex(): [0, 7, named(7)]}
    office.now_ms += 60 * DAY_MS
    office.settings.set("language", "en")
    office.own.flush()
    newest = max(office.own.objects(), key=lambda each: each.year or 0)
    found = {(root, key) for root in ROOTS for key in newest.keys(root)}
    assert {key for _, key in found} == {CHAT.hex(), OTHER.hex(), "theme", "language"}
    assert {dev for root, key in found for dev in newest.values(root, key)} == {office.dev.hex()}


def test_an_object_in_a_room_of_others_is_not_read(two: Two) -> None:
    """▲ Otherwise a colleague could say what this person has read."""
    home, office, server = two
    office.room.there = False  # the room is none of the person's own
    home.settings.set("theme", "dark")
    home.own.flush()
    server.meet(home, office)
    assert office.store.objects.all(kind="own") != []
    assert office.settings.get("theme") is None
    office.room.there = True
    office.own.look()
    assert office.settings.get("theme") == "dark"


# -- a stolen device, before it is revoked --------------------------------------------------------------------------


@pytest.mark.parametrize("is_plausible", [False, True])
def test_attack_the_highest_stamp_and_generation_of_a_stolen_device_are_overwritten(
    two: Two, is_plausible: bool
) -> None:
    home, stolen, server = two
    home.settings.set("theme", "light")
    home.reads.read(CHAT, 3)
    home.own.flush()
    server.meet(home, stolen)
    highest = home.now_ms + AHEAD_MS if is_plausible else MAX_NUMBER - 1
    for dev in (stolen.own.dev, home.own.dev):  # it can write in the other's map too
        _, model = stolen.own._present(ROOM)
        with stolen.store.transaction():
            generation = highest // 1000 if is_plausible else highest
            model.write(dev, 1, {"settings": {"theme": [highest, "dark"]}, "reads": {PLACE: [generation, 9, named(9)]}})
    server.meet(home, stolen)
    home.now_ms += 1000
    home.settings.set("theme", "light")
    home.reads.unread(CHAT, 4)
    home.own.flush()
    home.restart()
    assert (home.settings.get("theme"), home.reads.mark(CHAT).position) == ("light", 4)


def test_attack_a_stolen_device_replaces_no_draft_that_is_still_to_be_written(two: Two) -> None:
    home, stolen, server = two
    home.drafts.put(PLACE, "Utkast å 📝")
    home.own.flush()
    stolen.own.put("drafts", PLACE, [stolen.now_ms, None, {home.own.dev: MAX_NUMBER - 1}])
    stolen.own.flush()
    server.meet(home, stolen)
    home.drafts.put(PLACE, "Ett nytt utkast")
    home.own.flush()
    assert [draft.text for draft in home.drafts.at(PLACE)] == ["Ett nytt utkast"]


def test_attack_the_marks_of_devices_that_never_were_are_joined_at_once() -> None:
    """One by one, 64,000 positions would be compared with 1,000 marks: some minutes, at each start of each device."""
    made = [
        ReadMark(position=1_000_000, left=tuple(range(1 + dev * MAX_LEFT, 1 + (dev + 1) * MAX_LEFT)))
        for dev in range(1000)
    ]
    assert join_marks(made) == ReadMark(position=1_000_000)
    assert join_marks([made[0], ReadMark(position=3, left=(3, 70))]).left == tuple(range(3, MAX_LEFT + 1))


def test_attack_maps_of_devices_that_never_were_count_nowhere_and_are_not_read(two: Two) -> None:
    """20,000 maps of one value each took half a second at each start."""
    home, stolen, server = two
    home.room.known = [home.own.dev, stolen.own.dev]
    home.settings.set("theme", "light")
    home.own.flush()
    server.meet(home, stolen)
    _, model = stolen.own._present(ROOM)
    with stolen.store.transaction():
        for number in range(100):
            theme = {"settings": {"theme": [home.now_ms + 5, "dark"]}, "reads": {PLACE: [7, 9, named(9)]}}
            model.write(f"{number:032x}", 1, theme)
        model.write(stolen.own.dev, 1, {"settings": {"language": [home.now_ms, "en"]}})
    server.meet(home, stolen)
    for _ in range(2):
        [read] = home.own.objects()
        assert (home.settings.get("theme"), home.reads.mark(CHAT)) == ("light", NOTHING_READ)
        assert set(read.values("settings", "theme")) == {home.own.dev}
        assert home.settings.get("language") == "en"
        home.restart()


def marks_of_a_stolen_device(two: Two, count: int) -> None:
    home, stolen, server = two
    home.reads.read(CHAT, 3)
    home.own.flush()
    server.meet(home, stolen)
    conversations = [ObjId(n.to_bytes(16, "big")) for n in range(count)]
    home.follow(conversations=conversations)
    forge(stolen, {series.hex(): [0, 9, named(9)] for series in conversations})
    server.meet(home, stolen)


def rows_of(device: Device) -> int:
    return int(device.store.db.value("SELECT count(*) FROM read_positions WHERE position = 9"))


async def test_attack_the_read_marks_of_a_stolen_device_are_stored_part_by_part(two: Two) -> None:
    home = two[0]
    marks_of_a_stolen_device(two, 400)
    assert rows_of(home) == reads.AT_ONCE
    running = asyncio.ensure_future(home.reads.run())
    while rows_of(home) < 400:
        before = rows_of(home)
        await asyncio.sleep(0)
        assert rows_of(home) - before <= reads.AT_ONCE
    running.cancel()


def test_attack_the_read_marks_of_a_stolen_device_cost_a_start_no_more_than_one_part(two: Two) -> None:
    home, asked = two[0], list[str]()
    marks_of_a_stolen_device(two, 1000)
    home.restart()
    home.store.db.conn.set_trace_callback(asked.append)
    home.reads.start()
    home.store.db.conn.set_trace_callback(None)
    assert len([sql for sql in asked if "FROM read_positions" in sql]) <= 3 * key_queue.AT_ONCE


async def test_attack_the_values_of_a_stolen_device_are_compared_part_by_part(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write compared them all at once in the event loop."""
    home, compared = two[0], list[int]()
    marks_of_a_stolen_device(two, 1000)
    lacking = home.own._lacking

    def counted(model: OwnObject, keys: Iterable[Key]) -> service.Values:
        part = set(keys)
        compared.append(len(part))
        return lacking(model, part)

    monkeypatch.setattr(home.own, "_lacking", counted)
    home.now_ms += 60 * DAY_MS
    home.settings.set("theme", "dark")
    home.own.flush()
    await home.own._check_all()
    assert sum(compared) > 1000
    assert max(compared) <= service.CHECK_AT_ONCE


async def test_attack_the_values_of_a_stolen_device_are_carried_over_part_by_part(two: Two) -> None:
    home = two[0]
    marks_of_a_stolen_device(two, 1000)
    home.now_ms += 60 * DAY_MS
    home.settings.set("theme", "dark")
    home.own.flush()
    newest = max(home.own.objects(), key=lambda each: each.year or 0)
    assert newest.keys("settings") == {"theme"}
    carried = len(newest.keys("reads"))
    assert carried <= service.CARRY_AT_ONCE
    while carried < 1001:
        await home.own._check_all()
        home.own.flush()
        assert carried < len(newest.keys("reads")) <= carried + service.CARRY_AT_ONCE
        carried = len(newest.keys("reads"))
