# SPDX-License-Identifier: EUPL-1.2
"""Rooms that depend on one owner are known to the people in them."""

from app.core.enums import Role, RoomType
from tests.journeys.desks import Desk, Offices
from tests.world import until


def mine(desk: Desk) -> list[str]:
    return [room.title for room in desk.session.rooms.only_mine()]


async def test_a_room_with_one_owner_says_whose_it_is_until_there_are_two(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    anna, bert = a.session.people.me, b.session.people.me
    alone = await a.session.rooms.create("Bara jag 🙂", RoomType.GROUP)
    assert mine(a) == []
    assert a.session.rooms.sole_owner(alone) is None
    room = await o.room(a, b)
    title = a.session.rooms.room(room).title
    for desk in (a, b):
        owner = desk.session.rooms.sole_owner(room)
        assert owner is not None
        assert owner.uid == anna.uid
    assert (mine(a), mine(b)) == ([title], [])
    await a.session.rooms.set_role(room, bert.uid, Role.OWNER)
    await until(lambda: b.session.rooms.my_role(room) == 4)
    assert a.session.rooms.sole_owner(room) is None
    assert b.session.rooms.sole_owner(room) is None
    assert mine(a) == []
    await a.session.rooms.leave(room)
    await until(lambda: len(b.session.rooms.members(room)) == 1)
    assert mine(a) == mine(b) == []


async def test_a_conversation_of_two_asks_for_no_second_owner(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await a.session.rooms.create("Registrator", RoomType.DIRECT)
    await a.session.people.search("Registrator")
    await a.session.rooms.add(room, b.session.people.me.uid, Role.WRITER, True)
    assert len(a.session.rooms.members(room)) == 2
    assert a.session.rooms.sole_owner(room) is None
    assert mine(a) == []
