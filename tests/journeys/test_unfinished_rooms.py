# SPDX-License-Identifier: EUPL-1.2
"""A room within another that was made before the program ended, and whose people were not added, is the one that the
next try makes."""

import asyncio
import time

import pytest

from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import LinkState, Role
from app.core.ids import RoomId, Uid
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import StoreUnwritable
from app.rooms import founding
from app.rooms.nesting import MadeRoom
from app.rooms.records import ChildLinked, ParentLinked, Record
from app.tasks.tool import TOOL as TASKS
from tests.journeys.desks import Desk, Offices
from tests.refused_record import refuse_once
from tests.world import until

TITLE = "Skyddade uppgifter å 🙂"


async def begun(o: Offices, monkeypatch: pytest.MonkeyPatch) -> tuple[Desk, RoomId, RoomId, list[Uid]]:
    """(a case handler, their case room, the room within it, two colleagues). The program ended before the colleagues
    were added to the room within."""
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case, people = await o.room(a, b, c), [desk.session.people.me.uid for desk in (b, c)]

    async def ends(*_of: object, **_more: object) -> None:
        raise KeyboardInterrupt  # the program ends here

    with monkeypatch.context() as ending:
        ending.setattr(a.session.rooms, "add", ends)
        with pytest.raises(KeyboardInterrupt):
            await a.session.nesting.make(case, TITLE, people)
    await a.restart()
    [child] = a.session.nesting.children(case)
    return a, case, child.room, people


def members(a: Desk, room: RoomId) -> set[Uid]:
    return {person.uid for person in a.session.rooms.people_in(room) if not person.is_me}


async def test_a_room_within_a_room_is_finished_after_a_restart_and_no_other_is_made(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, case, room, people = await begun(o, monkeypatch)
    made = await a.session.nesting.make(case, TITLE, people)
    assert (made.room, made.left_out) == (room, ())
    assert members(a, room) == set(people)
    other = await a.session.nesting.make(case, TITLE, people)
    assert other.room != room, "the first one is finished"


@pytest.mark.parametrize("tool", [CHAT, TASKS, DOCUMENTS])
async def test_attack_an_unfinished_room_in_which_something_was_written_is_not_opened_to_others(
    o: Offices, monkeypatch: pytest.MonkeyPatch, tool: object
) -> None:
    a, case, room, people = await begun(o, monkeypatch)
    if tool is CHAT:
        a.session.service(CHAT).send(room, "Bara för mig å 🙂")
    elif tool is TASKS:
        board = a.session.service(TASKS).board(room)
        board.add_card(board.columns()[0].id, "Bara för mig å 🙂")
    else:
        a.session.service(DOCUMENTS).create(room, "Bara för mig å 🙂")
    a.session.save()
    made = await a.session.nesting.make(case, TITLE, people)
    assert made.room != room
    assert members(a, room) == set()


async def test_attack_an_unfinished_room_is_not_opened_to_others_on_another_day(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, case, room, people = await begun(o, monkeypatch)
    restore = clock.set_clock(lambda: time.time_ns() // 1_000_000 + founding.FREE_MS + 60_000)
    try:
        made = await a.session.nesting.make(case, TITLE, people)
    finally:
        restore()
    assert made.room != room
    assert members(a, room) == set()
    assert a.session.store.notes.all("within-") == {}


async def test_attack_an_unfinished_room_to_which_somebody_was_added_meanwhile_is_not_opened_to_others_after_a_restart(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were added at another device, and this one has not read that when the person makes the room again."""
    a, case, room, people = await begun(o, monkeypatch)
    (other,) = await o.hire("Jurist ö")
    uid, laptop = other.session.people.me.uid, await o.second(a)
    await until(lambda: [each.room for each in laptop.session.nesting.children(case)] == [room])
    await a.close()
    await laptop.session.rooms.add(room, uid, Role.WRITER, True)
    await o.second(laptop, "Tredje dator")  # the own key log has grown, and is read before what the rooms have
    await a.begin_offline()
    session, making = a.session, list[asyncio.Future[MadeRoom]]()

    def make_at_once() -> None:
        if session.status.state is LinkState.SYNCING and not making:
            making.append(asyncio.ensure_future(session.nesting.make(case, TITLE, people)))

    end = session.status_changed.connect(make_at_once)
    await until(lambda: bool(making))
    end()
    made = await making[0]
    assert made.room != room
    assert members(a, made.room) == set(people)
    await until(lambda: members(a, room) == {uid})


async def test_an_unfinished_room_that_was_renamed_or_taken_out_is_not_used(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, case, room, people = await begun(o, monkeypatch)
    a.session.rooms.rename(room, "Egna anteckningar ö")
    second = await a.session.nesting.make(case, TITLE, [])
    assert second.room != room
    a.session.rooms.rename(room, TITLE)
    a.session.nesting.end(room)
    third = await a.session.nesting.make(case, TITLE, people)
    assert third.room not in (room, second.room)
    assert members(a, room) == set()


@pytest.mark.parametrize("kind", [ParentLinked, ChildLinked])
async def test_a_room_whose_link_the_disk_refuses_is_shown_nowhere_and_is_used_by_the_next_try(
    o: Offices, monkeypatch: pytest.MonkeyPatch, kind: type[Record]
) -> None:
    """It would be a case of its own otherwise."""
    a, b = await o.hire("Handläggare", "Registrator")
    case = await o.room(a, b)
    before = len(a.session.store.rooms_list.all())
    refuse_once(a.session.store, monkeypatch, kind)
    with pytest.raises(StoreUnwritable):
        await a.session.nesting.make(case, TITLE, [b.session.people.me.uid])
    assert [room.room for room in a.session.rooms.rooms()] == [case]
    made = await a.session.nesting.make(case, TITLE, [b.session.people.me.uid])
    assert [room.room for room in a.session.nesting.children(case)] == [made.room]
    assert len(a.session.store.rooms_list.all()) == before + 1
    await until(lambda: {room.room for room in b.session.rooms.rooms()} == {case, made.room})
