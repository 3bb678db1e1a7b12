# SPDX-License-Identifier: EUPL-1.2
"""Restricted rooms within a case room, at desks on a real server: who sees them, who is asked, and what of a link is on
the wire."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.core.enums import Role, RoomType
from app.core.ids import ObjId, RoomId, Uid
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import Forbidden
from app.notices.kinds import LEFT_PARENT
from app.notices.service import NoticeFilter
from app.rooms import belonging
from app.rooms.records import ChildLinked, ParentLinked, RoomNamed, encode
from tests.journeys.desks import Desk, Offices
from tests.journeys.forks import cut, divide, keep_copy
from tests.world import until

pytestmark = pytest.mark.slow
TITLE = "Skyddade uppgifter å 🙂"
OTHER_UNIT = "Enheten för tillstånd"


def me(desk: Desk) -> Uid:
    return desk.session.people.me.uid


def rooms(desk: Desk) -> set[RoomId]:
    return {room.room for room in desk.session.rooms.rooms()}


def within(desk: Desk, room: RoomId) -> list[RoomId]:
    return [child.room for child in desk.session.nesting.children(room)]


async def make(desk: Desk, case: RoomId, *people: Desk) -> RoomId:
    made = await desk.session.nesting.make(case, TITLE, [me(each) for each in people])
    assert made.left_out == ()
    return made.room


async def appoint(owner: Desk, room: RoomId, other: Desk, role: Role = Role.ADMIN) -> None:
    await owner.session.rooms.set_role(room, me(other), role)
    await until(lambda: other.session.rooms.my_role(room) is role)


def everything(desk: Desk) -> str:
    """All texts in a store."""
    db = desk.session.store.db
    tables = [name for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'table'", ())]
    return repr([db.rows(f"SELECT * FROM {name}", ()) for name in tables if "fts" not in name])  # noqa: S608


def bytes_below(folder: Path) -> bytes:
    """All that the server has stored."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_members_of_the_case_who_are_not_in_the_room_see_nothing_of_it_and_the_wire_shows_no_link(
    o: Offices,
) -> None:
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case = await o.room(a, b, c)
    frames: list[bytes] = []

    def note(frame: bytes, out: bool) -> Sequence[bytes]:
        frames.append(frame)
        return [frame]

    for desk in (a, c):  # from now on everything that passes is looked at
        wire = cut(desk)
        wire.spoil, wire.cut = note, False
    await o.w.stop_server()
    await o.w.start_server()
    for desk in (a, b, c):
        desk.session.engine.retry_now()
        await desk.online()
    child = await make(a, case, b)
    await until(lambda: within(b, case) == [child])
    assert within(a, case) == [child]
    documents = a.session.service(DOCUMENTS)
    document = documents.create(case, "Utredning å")
    documents.open(document).splice(0, 0, "Sekretess 🙂")
    documents.close(document)
    moved = await documents.move(document, child)
    await until(lambda: [row.title for row in b.session.service(DOCUMENTS).list(child)] == ["Utredning å"])
    await until(lambda: c.session.service(DOCUMENTS).trash.put_away(case) != [])
    title, blocks = b.session.service(DOCUMENTS).shown_now(moved)
    assert (title, blocks[0].text) == ("Utredning å", "Sekretess 🙂")
    await until(lambda: belonging.names_child(c.session.store.db, case, child))
    assert (child in rooms(c), within(c, case), c.session.nesting.parents()) == (False, [], {})
    assert TITLE not in everything(c)
    assert c.session.rooms.lines.mark(case) == a.session.rooms.lines.mark(case)  # nor a line of it
    assert len(frames) > 50
    server = bytes_below(o.w.data)
    for record in (ChildLinked(room=child, on=True), ParentLinked(room=case)):
        assert encode(record)[3:] not in server
        assert not any(encode(record)[3:] in frame for frame in frames)


async def test_the_link_ends_from_either_side_and_goes_on_after_a_restart(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    case = await o.room(a, b)
    await appoint(a, case, b)
    child = await make(a, case, b)
    await until(lambda: within(b, case) == [child])
    assert b.session.nesting.may_end(child)
    undo = b.session.nesting.end(child)
    await until(lambda: within(a, case) == [])
    assert child in rooms(a)
    undo()
    await until(lambda: within(a, case) == [child])
    a.session.nesting.end(child)
    await until(lambda: within(b, case) == [])
    assert not b.session.nesting.may_end(child)
    await b.restart()
    assert within(b, case) == []
    with pytest.raises(Forbidden):
        await b.session.nesting.make(child, "Inre")  # no owner of it, and no administrator
    assert a.session.nesting.may_make(child)
    inner = (await a.session.nesting.make(child, "Inre")).room
    assert within(a, child) == [inner]
    await appoint(a, child, b, role=Role.OWNER)
    await a.session.rooms.leave(child)  # a room whose parent one has left stays a room
    assert within(a, child) == [inner]
    assert inner in rooms(a)


async def test_an_invitation_to_the_child_of_a_room_that_one_is_in_is_not_asked_about(o: Offices) -> None:
    (a,) = await o.hire("Handläggare")
    (b,) = await o.hire("Registrator", unit=OTHER_UNIT)
    case = await o.room(a)
    await a.session.people.search("Registrator")
    await a.session.rooms.add(case, me(b), Role.WRITER, True)
    await until(lambda: [i.room for i in b.session.invitations.all()] == [case])
    await b.session.invitations.accept(case)
    await until(lambda: case in rooms(b))
    child = await make(a, case, b)
    await until(lambda: within(b, case) == [child])
    claimed = await a.session.rooms.create("Ett annat rum", RoomType.CASE)
    a.session.store.changes.append(claimed, ObjId(claimed), encode(ParentLinked(room=case)))
    await until(lambda: a.session.status.waiting == 0)
    await a.session.rooms.add(claimed, me(b), Role.WRITER, True)  # the case does not say so
    await until(lambda: [i.title for i in b.session.invitations.all()] == ["Ett annat rum"])
    a.session.store.changes.append(case, ObjId(case), encode(ChildLinked(room=claimed, on=True)))
    await until(lambda: claimed in rooms(b))  # now it does
    assert b.session.invitations.count == 0


async def test_a_removal_from_the_case_asks_the_owners_of_its_rooms(o: Offices) -> None:
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case = await o.room(a, b, c)
    await appoint(a, case, b)
    hers = await make(a, case, c, b)
    his = await make(b, case, c)
    await until(lambda: set(within(c, case)) == {hers, his} and within(b, case) != [his])
    mine, others = b.session.nesting.also_in(case, me(c))
    assert ([room.room for room in mine], [room.room for room in others]) == ([his], [hers])
    for room in (case, his):
        await b.session.rooms.remove(room, me(c))
    wanted = NoticeFilter(kinds=frozenset({LEFT_PARENT.id}), open=True)
    await until(lambda: a.session.notices.count(wanted) == 1)
    (notice,) = a.session.notices.list(wanted)
    assert (notice.room, notice.ref, notice.by) == (hers, me(c), me(b))
    a.session.notices.mark_done([notice.id])  # they stay
    await a.restart()
    assert a.session.notices.count(wanted) == 0
    a.session.notices.mark_new([notice.id])
    await a.session.rooms.remove(hers, me(c))
    await until(lambda: a.session.notices.count(wanted) == 0)
    assert b.session.notices.count(wanted) == 0
    await until(lambda: {room.room for room in c.session.rooms.rooms() if room.left} == {case, his, hers})


async def test_a_question_about_a_removed_member_ends_when_the_case_ends_the_link(o: Offices) -> None:
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case = await o.room(a, b, c)
    await appoint(a, case, b)
    room = await make(a, case, c, b)
    await until(lambda: within(b, case) == [room])
    await b.session.rooms.remove(case, me(c))
    wanted = NoticeFilter(kinds=frozenset({LEFT_PARENT.id}), open=True)
    await until(lambda: a.session.notices.count(wanted) == 1)
    b.session.nesting.end(room)  # by a record in the case alone: nothing changes in the room
    await until(lambda: a.session.notices.count(wanted) == 0)


async def test_a_member_without_the_history_gets_the_link_repeated_by_those_who_may(o: Offices) -> None:
    a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case = await o.room(a, b)
    child = await make(a, case, b)
    await until(lambda: within(b, case) == [child])
    for room in (case, child):
        await o.add(a, room, c, history=False)
    await until(lambda: within(c, case) == [child])
    a.session.nesting.end(child)
    await until(lambda: within(c, case) == within(b, case) == [])


@pytest.mark.parametrize("stopped", ["case", "child"])
async def test_a_successor_of_the_case_or_of_the_room_repeats_the_link(o: Offices, stopped: str) -> None:
    a, b, other = await o.hire("Handläggare", "Registrator", "Enhetschef")
    case = await o.room(a, b, other)
    child = await make(a, case, b, other)
    await until(lambda: within(b, case) == within(other, case) == [child])
    for desk in (a, b, other):
        await until(lambda desk=desk: desk.session.status.waiting == 0)  # type: ignore[misc]
    await other.close()
    keep_copy(o)
    old = case if stopped == "case" else child
    a.session.rooms.rename(old, "Efter delningen")
    await until(lambda: b.session.rooms.room(old).title == "Efter delningen")
    await divide(o, old, other, [a, b], lambda: None)
    new = await a.session.succession.open(old)
    await until(lambda: new in rooms(b))
    parent, inner = (new, child) if stopped == "case" else (case, new)
    await until(lambda: inner in within(a, parent) and inner in within(b, parent))
    assert {room.room for room in a.session.rooms.rooms() if room.replaced} == {old}
    if stopped == "case":
        assert within(a, case) == []


async def test_attack_an_owner_who_claims_a_foreign_case_gets_nothing(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    case = await o.room(a, b)
    foreign = await b.session.rooms.create("Främmande", RoomType.CASE)
    for n in range(30):
        b.session.store.changes.append(foreign, ObjId(foreign), encode(ParentLinked(room=case)))
        b.session.store.changes.append(case, ObjId(case), encode(ChildLinked(room=foreign, on=n % 2 == 0)))
    b.session.store.changes.append(case, ObjId(case), encode(RoomNamed(title="Sist", type="case")))
    await b.session.rooms.add(foreign, me(a), Role.WRITER, True)
    await until(lambda: foreign in rooms(a) and a.session.rooms.room(case).title == "Sist")
    assert (within(a, case), within(b, case)) == ([], [])
    assert {code for _, code in a.session.store.changes.unprojected()} <= {"untried"}
