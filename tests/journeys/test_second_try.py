# SPDX-License-Identifier: EUPL-1.2
"""The server has done what a person asked for, and then the disk refuses what belongs to it: the second try goes on
with what was done."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from app.core import clock
from app.core.enums import LinkState, Role, RoomType
from app.core.ids import ObjId, RoomId, Uid
from app.errors import StoreUnwritable
from app.people.person import Person
from app.rooms import additions, founding
from app.rooms.records import ObjectAnnounced, PersonInvited, Record, RoomNamed, decode
from app.session import Session
from sync.errors import Refused, Unreachable
from sync.protocol import messages as m
from sync.protocol.codec import decode_server
from tests.journeys.desks import Desk, Offices
from tests.journeys.forks import cut
from tests.refused_record import refuse_once
from tests.world import until

OTHER_UNIT = "Enheten för tillstånd"
TITLE = "Tillsyn 2026-1184 åäö"
GREETING = "Välkommen å 🙂"


def invited(session: Session, room: RoomId) -> list[Uid]:
    """Who was invited to the room by a record in it."""
    records = [decode(change.data) for change in session.store.changes.of(ObjId(room))]
    return [Uid(record.uid) for record in records if isinstance(record, PersonInvited)]


async def strangers(o: Offices) -> tuple[Desk, Desk, RoomId, Person]:
    """(a case handler with a room, a registrar of another unit, the room, the registrar as the case handler finds
    them)."""
    (a,) = await o.hire("Handläggare")
    (b,) = await o.hire("Registrator", unit=OTHER_UNIT)
    room = await o.room(a)
    [person] = await a.session.people.search("Registrator")
    return a, b, room, person


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


async def test_a_room_of_an_earlier_day_that_has_no_title_is_not_named_today(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be shown as made on that day."""
    (a,) = await o.hire("Handläggare")
    await until(lambda: a.session.personal.ready and a.session.store.waiting_count() == 0)
    before = {row.room for row in a.session.store.rooms_list.all()}
    refuse_once(a.session.store, monkeypatch, RoomNamed)
    with pytest.raises(StoreUnwritable):
        await a.session.rooms.create("Tillsyn å 🙂", RoomType.CASE)
    left = {row.room for row in a.session.store.rooms_list.all()} - before
    restore = clock.set_clock(lambda: time.time_ns() // 1_000_000 + founding.FREE_MS + 60_000)
    try:
        assert await a.session.rooms.create("Tillsyn å 🙂", RoomType.CASE) not in left
    finally:
        restore()
    assert len(left) == 1


async def lose_answers_to_new_rooms(o: Offices, a: Desk, count: int) -> None:
    """The server makes the next `count` rooms, and the line is lost before its answers come."""
    known, lost = set(a.session.engine.parts.link.rooms), set[RoomId]()
    wire = cut(a)
    await o.w.stop_server()
    await until(lambda: a.session.status.state is LinkState.OFFLINE)
    await o.w.start_server()

    def spoil(data: bytes, out: bool) -> Sequence[bytes]:
        frame = None if out else decode_server(data)
        if not isinstance(frame, m.Placed) or frame.receipt.room in known or len(lost) == count:
            return [data]
        lost.add(RoomId(frame.receipt.room))
        if len(lost) == count:
            hanging_up.append(asyncio.ensure_future(wire.hang_up()))
        return []

    hanging_up: list[asyncio.Future[None]] = []
    wire.spoil, wire.cut = spoil, False
    a.session.engine.retry_now()
    await a.online()


@pytest.mark.parametrize("is_restarted", [False, True])
async def test_each_room_has_its_own_title_and_type_though_the_answers_to_the_first_tries_were_lost(
    o: Offices, is_restarted: bool
) -> None:
    (a,) = await o.hire("Handläggare")
    await until(lambda: a.session.personal.ready and a.session.store.waiting_count() == 0)
    before = len(a.session.store.rooms_list.all())
    wanted = {"Tillsyn å 🙂": RoomType.CASE, "Remiss ö": RoomType.GROUP}
    await lose_answers_to_new_rooms(o, a, 2)
    lost = a.session.engine.parts.link.connection
    tries = (a.session.rooms.create(title, kind) for title, kind in wanted.items())
    assert [type(each) for each in await asyncio.gather(*tries, return_exceptions=True)] == [Unreachable] * 2
    if is_restarted:
        await a.restart()
    engine, stored = a.session.engine, a.session.store.rooms_list
    await until(lambda: engine.parts.link.connection not in (lost, None))
    await until(lambda: [r.is_settled for r in engine.parts.link.rooms.values()] == [True] * (before + 2))
    assert a.session.rooms.rooms() == [], "a room without a title is nowhere shown"
    made = await asyncio.gather(*(a.session.rooms.create(title, kind) for title, kind in wanted.items()))
    assert {each.room: (each.title, each.type) for each in a.session.rooms.rooms()} == dict(
        zip(made, wanted.items(), strict=True)
    )
    assert all(len(a.session.rooms.objects(room)) == 2 for room in made)
    assert len(stored.all()) == before + 2, "the server has no further one"
    later = await a.session.rooms.create("Möte 🙂", RoomType.GROUP)
    assert later not in made


def lose_reply_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server adds the next person, and the connection is lost before its reply comes."""
    add, lost = session.engine.operations.add, list[Uid]()

    async def losing(room: RoomId, uid: Uid, role: int, *, history: bool) -> None:
        await add(room, uid, role, history=history)
        if not lost:
            lost.append(uid)
            raise Unreachable

    monkeypatch.setattr(session.engine.operations, "add", losing)


async def not_reached(room: RoomId, uid: Uid, role: int, *, history: bool) -> None:
    """The server is not reached."""
    raise Unreachable


def refuse_always(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk refuses each invitation until the program ends."""
    append = session.store.changes.append

    def refusing(room: RoomId, obj: ObjId, data: bytes, **rest: Any) -> Any:
        if obj == ObjId(room) and isinstance(decode(data), PersonInvited):
            raise StoreUnwritable
        return append(room, obj, data, **rest)

    monkeypatch.setattr(session.store.changes, "append", refusing)


@pytest.mark.parametrize("is_refused", [True, False])
async def test_a_second_try_invites_the_person_who_was_added(
    o: Offices, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    """The disk refuses the invitation, or the reply to the addition is lost."""
    a, b, room, person = await strangers(o)
    rooms = a.session.rooms
    if is_refused:
        refuse_once(a.session.store, monkeypatch, PersonInvited)
    else:
        lose_reply_once(a.session, monkeypatch)
    with pytest.raises(StoreUnwritable if is_refused else Unreachable):
        await rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    await rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    assert {m.person.uid: m.role for m in rooms.members(room)}[person.uid] is Role.WRITER
    await until(lambda: [i.greeting for i in b.session.invitations.all()] == [GREETING])
    with pytest.raises(Refused, match="member"):
        await rooms.add(room, person.uid, Role.WRITER, True, GREETING)


@pytest.mark.parametrize("is_refused", [True, False])
async def test_a_person_whose_addition_was_not_completed_is_invited_after_a_restart_without_another_try(
    o: Offices, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    """The program ends before the invitation is stored. Without it the person would be asked about a room whose title
    they cannot read."""
    a, b, room, person = await strangers(o)
    if is_refused:
        refuse_always(a.session, monkeypatch)
    else:
        lose_reply_once(a.session, monkeypatch)
        refuse_always(a.session, monkeypatch)
    with pytest.raises(StoreUnwritable if is_refused else Unreachable):
        await a.session.rooms.add(room, person.uid, Role.WRITER, False, GREETING)
    assert invited(a.session, room) == []
    await a.restart()
    await until(lambda: [(i.title, i.greeting) for i in b.session.invitations.all()] == [(TITLE, GREETING)])
    assert invited(a.session, room) == [person.uid]
    await a.restart()
    await until(lambda: a.session.store.waiting_count() == 0)
    assert invited(a.session, room) == [person.uid], "once"


async def test_the_invitation_of_an_addition_whose_reply_was_lost_is_stored_without_another_try(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, person = await strangers(o)
    lose_reply_once(a.session, monkeypatch)
    with pytest.raises(Unreachable):
        await a.session.rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    await until(lambda: [i.greeting for i in b.session.invitations.all()] == [GREETING])
    await a.session.rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    assert invited(a.session, room) == [person.uid], "once"


async def test_nobody_is_invited_whom_another_administrator_has_added_since_the_try_failed(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, person = await strangers(o)
    (c,) = await o.hire("Enhetschef")
    await o.add(a, room, c, history=True)
    await a.session.rooms.set_role(room, c.session.people.me.uid, Role.ADMIN)
    monkeypatch.setattr(a.session.engine.operations, "add", not_reached)
    with pytest.raises(Unreachable):
        await a.session.rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    await until(lambda: c.session.rooms.is_admin(room))
    [same] = await c.session.people.search("Registrator")
    await c.session.rooms.add(room, same.uid, Role.WRITER, True, "Hej ö")
    await until(lambda: person.uid in {m.person.uid for m in a.session.rooms.members(room)})
    await until(lambda: not a.session.rooms.additions.owes(room, person.uid))
    await until(lambda: [i.greeting for i in b.session.invitations.all()] == ["Hej ö"])
    assert invited(a.session, room).count(person.uid) == 1


async def test_an_addition_that_the_server_never_made_is_forgotten_after_a_week(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _, room, person = await strangers(o)
    monkeypatch.setattr(a.session.engine.operations, "add", not_reached)
    with pytest.raises(Unreachable):
        await a.session.rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    await a.restart()
    assert a.session.rooms.additions.owes(room, person.uid)
    restore = clock.set_clock(lambda: time.time_ns() // 1_000_000 + additions.KEPT_MS + 60_000)
    try:
        await a.close()
        await a.begin_offline()
        await until(lambda: not a.session.rooms.additions.owes(room, person.uid))
    finally:
        restore()
    assert a.session.store.notes.all("adding-") == {}


async def test_a_second_try_that_reads_only_then_of_the_addition_invites_the_person(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is lost before the reply to the addition, and before its entry in the room's log is read here."""
    a, b, room, person = await strangers(o)
    rooms = a.session.rooms
    add, tries = a.session.engine.operations.add, list[Uid]()

    async def late(room: RoomId, uid: Uid, role: int, *, history: bool) -> None:
        tries.append(uid)
        if len(tries) == 1:
            raise Unreachable
        await add(room, uid, role, history=history)  # the addition of the first try is read here
        await add(room, uid, role, history=history)

    monkeypatch.setattr(a.session.engine.operations, "add", late)
    with pytest.raises(Unreachable):
        await rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    await rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    await until(lambda: [i.greeting for i in b.session.invitations.all()] == [GREETING])
    assert invited(a.session, room) == [person.uid]


async def test_a_second_try_in_another_role_invites_the_person_and_says_that_they_are_a_member(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, person = await strangers(o)
    rooms = a.session.rooms
    refuse_once(a.session.store, monkeypatch, PersonInvited)
    with pytest.raises(StoreUnwritable):
        await rooms.add(room, person.uid, Role.WRITER, True, GREETING)
    with pytest.raises(Refused, match="member"):
        await rooms.add(room, person.uid, Role.READER, True, GREETING)
    assert {m.person.uid: m.role for m in rooms.members(room)}[person.uid] is Role.WRITER
    await until(lambda: [i.greeting for i in b.session.invitations.all()] == [GREETING])


async def test_a_second_try_at_a_restricted_room_invites_whom_the_disk_refused_and_makes_no_other_room(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case, nesting, rooms = await o.room(a, b, c), a.session.nesting, a.session.rooms
    both = [desk.session.people.me.uid for desk in (b, c)]
    refuse_once(a.session.store, monkeypatch, PersonInvited)
    with pytest.raises(StoreUnwritable):
        await nesting.make(case, "Skyddade uppgifter å 🙂", both)
    made = await nesting.make(case, "Skyddade uppgifter å 🙂", [both[1], both[0]])
    assert made.left_out == ()
    assert [child.room for child in nesting.children(case)] == [made.room]
    assert {m.person.uid for m in rooms.members(made.room)} == {a.session.people.me.uid, *both}
    assert len(invited(a.session, made.room)) == 2


async def test_attack_a_restricted_room_for_other_people_is_not_the_one_that_was_begun_under_its_title(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would read what is written there for those who were added before."""
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case, nesting, rooms = await o.room(a, b, c), a.session.nesting, a.session.rooms
    me, first, second = (desk.session.people.me.uid for desk in (a, b, c))
    refuse_once(a.session.store, monkeypatch, PersonInvited)
    with pytest.raises(StoreUnwritable):
        await nesting.make(case, "Skyddade uppgifter å 🙂", [first])
    [begun] = nesting.children(case)
    made = await nesting.make(case, "Skyddade uppgifter å 🙂", [second])
    assert {m.person.uid for m in rooms.members(begun.room)} == {me, first}
    assert {m.person.uid for m in rooms.members(made.room)} == {me, second}
