# SPDX-License-Identifier: EUPL-1.2
"""When a device says in a room which formats it reads, and what an administrator is shown of the others' devices."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from app.core import clock
from app.core.ids import ObjId, RoomId, new_obj
from app.errors import BadChange
from app.kinds import TOOLS, room_kinds_of
from app.objects.kind import Kind
from app.people.person import Person, Verified
from app.rooms import formats
from app.rooms.formats import DeviceFormats, DeviceReads, decode, encode
from sync.trust.formats.items import ENVELOPE
from sync.trust.room import envelope, totals
from tests.app.store.conftest import KINDS, NOTE_KIND, ROOM_KIND
from tests.world import Client, World, until, world

NOW = [NOTE_KIND, ROOM_KIND]
UPDATED = [replace(NOTE_KIND, format=2), ROOM_KIND]


class Time:
    """How far ahead (s) the clocks run: of the computers, of the server, and the loop's as app/rooms/formats.py reads
    it."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def passes(self, seconds: float) -> None:
        self.ahead_s += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    passing, loop_s = Time(), formats._now_s
    system = clock._system_ms
    monkeypatch.setattr(formats, "_now_s", lambda: loop_s() + passing.ahead_s)
    monkeypatch.setattr(formats, "A_MEMBER_S", 0.0)

    def now_ms() -> int:
        return system() + int(passing.ahead_s * 1000)

    for part in ("placing", "rotation_limit", "handshake"):
        monkeypatch.setattr(f"sync.server.rules.{part}.now_ms", now_ms)
    restore = clock.set_clock(now_ms)
    yield passing
    restore()


@pytest_asyncio.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, kinds=KINDS) as running:
        yield running


def heartbeats(at: Client, room: RoomId) -> int:
    """How many heartbeats of its own this device has received back in the room."""
    items = [item for item in at.store.kept_items(room, 0, 1 << 30) if item.kind == ENVELOPE]
    headers = [envelope.Header.decode(envelope.read_body(item.body)[0]) for item in items]
    return sum(hdr.kind == envelope.HEARTBEAT and hdr.dev == at.engine.devices.mine for hdr in headers)


def has_posted(at: Client, room: RoomId, count: int) -> bool:
    return heartbeats(at, room) == count


async def says(at: Client, room: RoomId, device: DeviceFormats) -> None:
    """Has `device`, which is that of `at`, say in the room what it reads, and waits until it has."""
    before = heartbeats(at, room)
    device.post_next()
    await until(partial(has_posted, at, room, before + 1))


async def is_silent(at: Client, room: RoomId, device: DeviceFormats) -> None:
    """Asserts that no heartbeat is posted in the room, though `device` is asked three times: none comes before or with
    a note that is written after it."""
    before = heartbeats(at, room)
    for _ in range(3):
        device.post_next()
    at.say(room, new_obj(), b"en anteckning")
    await until(lambda: at.store.waiting_count() == 0)
    assert heartbeats(at, room) == before


async def test_a_device_says_what_it_reads_once_and_after_an_update_again_in_a_week(w: World, time: Time) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    a.say(room, new_obj(), b"en anteckning")
    await w.settle(room)
    device = DeviceFormats(a.store, a.engine, NOW)
    await says(a, room, device)
    await until(lambda: [decode(h.data) for h in b.store.heartbeats.of(room)] == [device.mine])
    time.passes(40 * 86_400)
    a.say(room, new_obj(), b"en anteckning")
    await w.settle(room)
    await is_silent(a, room, device)
    await is_silent(a, room, DeviceFormats(a.store, a.engine, NOW))  # a restart is no update


async def test_after_an_update_it_says_so_a_week_after_the_last_time(w: World, time: Time) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    a.say(room, new_obj(), b"en anteckning")
    await w.settle(room)
    await says(a, room, DeviceFormats(a.store, a.engine, NOW))
    await until(lambda: len(a.store.heartbeats.of(room)) == 1)
    updated = DeviceFormats(a.store, a.engine, UPDATED)
    await is_silent(a, room, updated)
    time.passes(7 * 86_400 + 60)
    await says(a, room, updated)
    await until(lambda: [decode(h.data) for h in b.store.heartbeats.of(room)] == [updated.mine])


async def test_it_says_nothing_where_nobody_else_is_or_nothing_was_written_lately(w: World, time: Time) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    alone, quiet = await w.room(a), await w.room(a, b)
    for room in (alone, quiet):
        a.say(room, new_obj(), b"en anteckning")
    await w.settle(quiet)
    time.passes(31 * 86_400)
    a.say(alone, new_obj(), b"en anteckning")
    await w.settle(alone, a)
    device = DeviceFormats(a.store, a.engine, NOW)
    for _ in range(3):
        device.post_next()
    await is_silent(a, alone, device)
    assert heartbeats(a, quiet) == 0
    await is_silent(b, quiet, DeviceFormats(b.store, b.engine, NOW))  # who writes there again begins its use
    time.passes(3600)
    await says(a, quiet, device)


async def test_in_a_room_of_many_the_devices_take_their_time(
    w: World, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an update all devices of an office would otherwise post in all their rooms at once."""
    monkeypatch.setattr(formats, "A_MEMBER_S", 36.0)
    monkeypatch.setattr("app.rooms.formats.random.uniform", lambda least, most: most)
    a, b = await w.hire("Enhetschef", "Handläggare")
    room, other = await w.room(a, b), await w.room(a, b)
    for each in (room, other):
        a.say(each, new_obj(), b"en anteckning")
        await w.settle(each)
    device = DeviceFormats(a.store, a.engine, NOW)
    await is_silent(a, room, device)
    time.passes(71)
    await is_silent(a, room, device)
    time.passes(1)
    await says(a, other, device)  # which was used last, and in one room at a time
    assert heartbeats(a, room) == 0
    await says(a, room, device)


async def test_what_the_server_refused_is_said_again_after_a_day(
    w: World, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    a.say(room, new_obj(), b"en anteckning")
    await w.settle(room)
    device = DeviceFormats(a.store, a.engine, NOW)
    a.engine.heartbeats.post(room, b"")
    await until(partial(has_posted, a, room, 1))
    with monkeypatch.context() as full:
        full.setattr(totals, "HEARTBEATS_A_DAY", 1)
        device.post_next()
        extras = a.engine.parts.outbox._extras
        await until(lambda: not extras.rooms() and room not in extras._packed)
    await is_silent(a, room, device)
    time.passes(86_400)
    await says(a, room, device)


async def test_who_joins_says_at_once_what_their_device_reads_and_not_again(w: World, time: Time) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    a.say(room, new_obj(), b"en anteckning")
    await w.settle(room)
    device = DeviceFormats(b.store, b.engine, NOW)
    device.show_joined(room)
    await until(lambda: [decode(h.data) for h in a.store.heartbeats.of(room)] == [device.mine])
    await is_silent(b, room, device)
    time.passes(7 * 86_400 + 60)
    updated = DeviceFormats(b.store, b.engine, UPDATED)
    updated.show_joined(room)  # as at each start: it is no first one
    await says(b, room, updated)


async def test_the_devices_that_cannot_read_all_of_a_room_are_named_with_what_they_lack(w: World, time: Time) -> None:
    a, b, c = await w.hire("Enhetschef", "Handläggare", "Registrator")
    room, note = await w.room(a, b, c), new_obj()
    a.say(room, ObjId(room), b"announce" + note + b"note")
    a.say(room, note, b"en anteckning")
    await w.settle(room)
    elsewhere = Kind(id="elsewhere", project=NOTE_KIND.project)
    mine = DeviceFormats(a.store, a.engine, [*UPDATED, elsewhere], features=["type add-many"])
    await says(b, room, DeviceFormats(b.store, b.engine, NOW, features=["type add-many", "ext 2"]))
    await until(lambda: len(a.store.heartbeats.of(room)) == 1)
    old, silent = mine.old_devices(person(b), mine.stated(room))
    assert [(o.person.uid, o.dev, o.kinds, o.features) for o in old] == [
        (b.uid, b.engine.devices.mine, ("note",), ())
    ], "nothing of the kind elsewhere is in the room"
    assert old[0].added_ms > 0
    assert silent == 0
    assert mine.old_devices(person(c), mine.stated(room)) == ([], 1)
    assert mine.old_devices(person(a), mine.stated(room)) == ([], 0), "this device"
    await says(c, room, DeviceFormats(c.store, c.engine, [*UPDATED, elsewhere]))
    await until(lambda: len(a.store.heartbeats.of(room)) == 2)
    old, _ = mine.old_devices(person(c), mine.stated(room))
    assert [(o.kinds, o.features) for o in old] == [((), ("type add-many",))]


async def test_a_heartbeat_of_a_newer_program_or_of_one_that_lies_says_nothing_to_this_one(
    w: World, time: Time
) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    mine = DeviceFormats(a.store, a.engine, NOW)
    newer = msgspec.msgpack.encode({"type": "reads", "kinds": {"note": 1, "room": 1}, "more": {"å 🙂": [1]}})
    assert decode(b"\x01" + newer) == DeviceReads(kinds={"note": 1, "room": 1})
    away = msgspec.msgpack.encode({"type": "away"})
    for count, data in enumerate((b"\x02" + newer, b"\x01" + newer[:-1], b"\x01" + away, b"\xff"), start=1):
        with pytest.raises(BadChange):
            decode(data)
        b.engine.heartbeats.post(room, data)
        await until(partial(has_posted, b, room, count))
        await w.settle(room)
        assert mine.old_devices(person(b), mine.stated(room)) == ([], 1)


def test_what_the_product_says_is_padded_like_a_heartbeat_without_content() -> None:
    """So the server does not see which version it is."""
    said = encode(DeviceReads(kinds={kind.id: kind.format for kind in room_kinds_of(TOOLS)}))
    assert len(envelope.pad(said)) == len(envelope.pad(b""))


def person(of: Client) -> Person:
    """The person at a desktop, as lists show them."""
    return Person(
        uid=of.uid, name=of.name, title="", unit="", initials="", colour=0, verified=Verified.NONE, is_me=False
    )
