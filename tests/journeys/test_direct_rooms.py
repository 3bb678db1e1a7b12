# SPDX-License-Identifier: EUPL-1.2
"""A conversation of two that was begun before the program ended is the one that the next try opens."""

import asyncio

import pytest

from app.core.enums import LinkState, Role
from app.core.ids import RoomId, Uid
from app.people.person import Person
from app.session import Session
from sync.errors import Unreachable
from tests.journeys.desks import Desk, Offices
from tests.world import until


async def found(a: Desk, name: str) -> Person:
    """A colleague as the person finds them."""
    [person] = await a.session.people.search(name)
    return person


def members(session: Session, room: RoomId) -> set[Uid]:
    return {person.uid for person in session.rooms.people_in(room)}


async def begun(a: Desk, person: Person, monkeypatch: pytest.MonkeyPatch, *, is_added: bool = False) -> RoomId:
    """The person writes to somebody: the room is made, and the connection is lost before they are added, or (if
    `is_added`) before the reply to the addition comes."""
    add = a.session.engine.operations.add

    async def losing(room: RoomId, uid: Uid, role: int, *, history: bool) -> None:
        if is_added:
            await add(room, uid, role, history=history)
        raise Unreachable

    monkeypatch.setattr(a.session.engine.operations, "add", losing)
    with pytest.raises(Unreachable):
        await a.session.direct_rooms.open(person)
    [room] = a.session.rooms.rooms()
    return room.room


async def opened_at_once(a: Desk, person: Person) -> RoomId:
    """The program starts again, and the person writes to somebody before it has read what is new."""
    await a.begin_offline()
    session, opening = a.session, list[asyncio.Future[RoomId]]()

    def open_at_once() -> None:
        if session.status.state is LinkState.SYNCING and not opening:
            opening.append(asyncio.ensure_future(session.direct_rooms.open(person)))

    end = session.status_changed.connect(open_at_once)
    await until(lambda: bool(opening))
    end()
    return await opening[0]


@pytest.mark.parametrize("is_added", [False, True])
async def test_a_conversation_that_was_begun_before_a_restart_is_completed_and_no_other_is_made(
    o: Offices, monkeypatch: pytest.MonkeyPatch, is_added: bool
) -> None:
    (a,) = await o.hire("Handläggare å 🙂")
    (b,) = await o.hire("Registrator ö")
    person = await found(a, "Registrator")
    room = await begun(a, person, monkeypatch, is_added=is_added)
    await a.restart()
    assert await a.session.direct_rooms.open(person) == room
    assert [each.room for each in a.session.rooms.rooms()] == [room]
    assert members(a.session, room) == {a.session.people.me.uid, person.uid}
    await until(lambda: [each.room for each in b.session.rooms.rooms()] == [room])
    await o.w.stop_server()
    await until(lambda: a.session.status.state is LinkState.OFFLINE)
    assert await a.session.direct_rooms.open(person) == room, "nothing is left to do in it: no server is needed"


async def test_a_conversation_in_which_nothing_is_new_is_completed_before_the_computer_has_caught_up(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await o.hire("Handläggare å 🙂")
    await o.hire("Registrator ö")
    person = await found(a, "Registrator")
    room = await begun(a, person, monkeypatch)
    await until(lambda: a.session.store.waiting_count() == 0)
    await a.close()
    assert await opened_at_once(a, person) == room
    assert members(a.session, room) == {a.session.people.me.uid, person.uid}


async def test_two_tries_at_once_make_one_conversation(o: Offices) -> None:
    (a,) = await o.hire("Handläggare å 🙂")
    await o.hire("Registrator ö")
    person = await found(a, "Registrator")
    rooms = await asyncio.gather(a.session.direct_rooms.open(person), a.session.direct_rooms.open(person))
    assert [each.room for each in a.session.rooms.rooms()] == [rooms[0]]
    assert rooms[0] == rooms[1]


async def test_a_conversation_with_another_title_is_not_the_one_that_was_begun(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    (a,) = await o.hire("Handläggare å 🙂")
    await o.hire("Registrator ö")
    person = await found(a, "Registrator")
    room = await begun(a, person, monkeypatch)
    a.session.rooms.rename(room, "Egna anteckningar")
    await a.restart()
    assert await a.session.direct_rooms.open(person) != room
    assert members(a.session, room) == {a.session.people.me.uid}


async def test_attack_a_begun_conversation_to_which_somebody_was_added_meanwhile_is_not_used_after_a_restart(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were added at another device, and this one has not read that when the person writes: they would read what is
    written to one person."""
    (a,) = await o.hire("Handläggare å 🙂")
    await o.hire("Registrator ö", "Enhetschef", "Jurist")
    person, *others = [await found(a, name) for name in ("Registrator", "Enhetschef", "Jurist")]
    laptop = await o.second(a)
    room = await begun(a, person, monkeypatch)
    await until(lambda: [each.room for each in laptop.session.rooms.rooms()] == [room])
    await a.close()
    for other in others:  # two of them: the conversation is shown under its own title then
        await laptop.session.rooms.add(room, other.uid, Role.WRITER, True)
    await o.second(laptop, "Tredje dator")  # the own key log has grown, and is read before what the rooms have
    made, session = await opened_at_once(a, person), a.session
    assert made != room
    assert members(session, made) == {session.people.me.uid, person.uid}
    await until(lambda: members(session, room) == {session.people.me.uid, *(other.uid for other in others)})
