# SPDX-License-Identifier: EUPL-1.2
"""The room of one's own: each device finds it, and clears its old changes at the server by itself."""

import asyncio
from functools import partial

import pytest

from app.core.enums import Role
from app.core.ids import ObjId, RoomId
from app.documents import KIND as DOCUMENT
from app.documents.tool import TOOL as DOCUMENTS
from app.own import pruning
from sync.client.exchange import snapshot_maker
from sync.client.link import Link
from sync.errors import Refused
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.world import until

pytestmark = pytest.mark.slow

WORDS = ["Ett", "utkast", "å", "🙂", "som", "växer", "dag", "för", "dag"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has snapshots made at once, also of short objects, and rooms cleared all the time."""
    monkeypatch.setattr(snapshot_maker, "EVERY_OPS", 6)
    monkeypatch.setattr(snapshot_maker, "SPREAD_S", 0.05)
    monkeypatch.setattr(snapshot_maker, "AGAIN_S", 0.1)
    monkeypatch.setattr("sync.client.exchange.batch_maker.QUIET_FLUSH_S", 0.01)
    for name in ("FIRST_S", "EVERY_S", "AGAIN_S"):
        monkeypatch.setattr(pruning, name, 0.05)


def begin(at: Desk, room: RoomId) -> ObjId:
    """An object in the person's own room."""
    with at.session.store.transaction():
        obj = at.session.store.objects.new(room)
        at.session.rooms.announce(room, obj, DOCUMENT.id)
    return obj


def text(at: Desk, obj: ObjId) -> str:
    service = at.session.service(DOCUMENTS)
    found = service.open(obj).plain_text().strip()
    service.close(obj)
    return found


async def write(at: Desk, obj: ObjId, *words: str) -> None:
    for word in words:
        document = at.session.service(DOCUMENTS).open(obj)
        document.splice(0, 0, f"{word} ")
        at.session.service(DOCUMENTS).close(obj)
        await until(lambda: at.session.store.waiting_count() == 0)


def pruned(at: Desk, room: RoomId, obj: ObjId) -> int:
    return at.session.engine.prunes(room).pruned.get(obj, 0)


def lists(at: Desk, obj: ObjId) -> bool:
    return at.session.store.objects.get(obj) is not None


async def test_the_own_room_is_cleared_by_itself_and_every_device_reads_on(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = await o.hire("Handläggare")
    room = await old.session.own_room.ensure()
    assert old.session.own_room.rooms() == [room]
    assert old.session.own_room.find() == room == await old.session.own_room.ensure()
    assert old.session.rooms.rooms() == [], "no list shows it"
    obj = begin(old, room)
    await write(old, obj, *WORDS)
    away = await o.second(old)
    await until(partial(lists, away, obj))
    await until(lambda: text(away, obj) == text(old, obj) != "")
    await away.close()

    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    await write(old, obj, *WORDS, *WORDS)
    await until(lambda: pruned(old, room, obj) > 0)
    await away.begin()
    await until(lambda: text(away, obj) == text(old, obj))
    later = await o.second(old, "Ny dator å")
    await until(partial(lists, later, obj))
    await until(lambda: text(later, obj) == text(old, obj))
    assert later.session.own_room.find() == away.session.own_room.find() == room
    await write(later, obj, "Slut å 🙂")
    await until(lambda: text(away, obj) == text(old, obj) == text(later, obj))


async def test_the_own_room_is_made_known_and_takes_nobody_in(o: Offices) -> None:
    old, colleague = await o.hire("Handläggare", "Registrator")
    await until(lambda: old.session.own_room.find() is not None)
    room = old.session.own_room.find()
    assert room is not None
    (person,) = await old.session.people.search("Registrator")
    with pytest.raises(Refused, match="forbidden"):
        await old.session.rooms.add(room, person.uid, Role.WRITER, True)
    new = o.place("Bärbar dator")
    await new.join(old, "Bärbar dator")
    told = list[RoomId | None]()
    end = new.session.own_room.known.connect(lambda: told.append(new.session.own_room.find()))
    await until(lambda: new.session.own_room.find() == room)
    await until(lambda: new.session.own_room._found == room)
    assert told in ([], [room]), "once, or before anybody listened"
    end()
    assert colleague.session.own_room.rooms() != [room]
    assert colleague.session.engine.own_rooms.is_own(room) is None


async def test_two_parts_of_a_program_that_want_the_own_room_at_once_make_one(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    first, second = await asyncio.gather(desk.session.own_room.ensure(), desk.session.own_room.ensure())
    assert [first] == [second] == desk.session.own_room.rooms()


async def test_a_room_whose_state_is_read_later_is_the_own_room_from_then_on(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk,) = await o.hire("Handläggare å")
    room = await desk.session.own_room.ensure()
    await until(lambda: desk.session.devices.all()[0].name != "" and desk.session.store.waiting_count() == 0)
    name = desk.session.devices.all()[0].name
    await desk.close()
    monkeypatch.setattr("sync.client.link.LARGE_BYTES", 0)
    desk.reopen()
    link_reads, go_on = Link.open_large, asyncio.Event()

    async def late(link: Link) -> None:
        await go_on.wait()
        await link_reads(link)

    monkeypatch.setattr(Link, "open_large", late)
    desk.session = await desk.office.unlock(PASSPHRASE)
    assert desk.session.own_room.find() is None, "nothing of it is read"
    told = list[RoomId | None]()
    desk.session.own_room.known.connect(lambda: told.append(desk.session.own_room.find()))
    go_on.set()
    await desk.online()
    await until(lambda: told == [room])
    assert desk.session.own_room.rooms() == [room], "and no other one was made"
    assert desk.session.devices.all()[0].name == name
