# SPDX-License-Identifier: EUPL-1.2
"""The server has done what a person asked for, and then the disk refuses what belongs to it: the second try goes on
with what was done."""

import pytest

from app.core.enums import RoomType
from app.errors import StoreUnwritable
from app.rooms.records import ObjectAnnounced, Record, RoomNamed
from tests.journeys.desks import Offices
from tests.refused_record import refuse_once
from tests.world import until


@pytest.mark.parametrize("kind", [RoomNamed, ObjectAnnounced])
async def test_a_second_try_names_the_room_that_was_made_and_makes_no_other(
    o: Offices, monkeypatch: pytest.MonkeyPatch, kind: type[Record]
) -> None:
    """The disk refuses the title, or an object that every room begins with."""
    (a,) = await o.hire("Handläggare")
    rooms, stored = a.session.rooms, a.session.store.rooms_list
    await until(lambda: a.session.personal.ready and a.session.store.waiting_count() == 0)
    before = len(stored.all())
    refuse_once(a.session.store, monkeypatch, kind)
    with pytest.raises(StoreUnwritable):
        await rooms.create("Tillsyn å 🙂", RoomType.CASE)
    assert rooms.rooms() == []
    room = await rooms.create("Tillsyn å 🙂", RoomType.CASE)
    assert [(each.room, each.title) for each in rooms.rooms()] == [(room, "Tillsyn å 🙂")]
    assert len(stored.all()) == before + 1
    assert len({each.kind for each in rooms.objects(room)}) == 2, "once each"
    assert len(rooms.objects(room)) == 2
    other = await rooms.create("Remiss ö", RoomType.GROUP)
    assert other != room, "the next one is a room of its own"
    assert [(each.room, each.type) for each in rooms.rooms()] == [(other, RoomType.GROUP), (room, RoomType.CASE)]
    await until(lambda: a.session.store.waiting_count() == 0)
