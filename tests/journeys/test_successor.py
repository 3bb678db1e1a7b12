# SPDX-License-Identifier: EUPL-1.2
"""A room whose history was divided goes on in a successor: over real sockets, with a server that lied."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.chat.errors import FileInOldRoom
from app.chat.model import Message
from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, Role
from app.core.ids import ObjId, RoomId, Uid
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import Forbidden
from app.rooms.records import RoomNamed, encode
from app.store.room_lines import Wanted
from app.store.rows import StoredChange
from app.store.statements import MAX_INT
from app.tasks.tool import TOOL as TASKS
from sync.trust.room.successor_claim import object_in
from tests.journeys.desks import Desk, Offices
from tests.journeys.forks import OTHER, cut, divide, keep_copy
from tests.world import until

pytestmark = pytest.mark.slow

TITLE = "Tillsyn 2026-1184 åäö"


@dataclass
class Case:
    """A forked room: its owner, a colleague with unsent work, one on the other branch, and a document."""

    owner: Desk
    clerk: Desk
    other: Desk
    room: RoomId
    document: ObjId

    def successor(self, desk: Desk) -> RoomId | None:
        found = desk.session.succession.standing(self.room).successors
        return found[0].room if found else None

    async def followed(self, desk: Desk) -> RoomId:
        """The successor, once nothing is left to do there."""
        await until(lambda: self.successor(desk) is not None)
        await until(lambda: not desk.session.store.origins.unfinished())
        room = self.successor(desk)
        assert room is not None
        return room

    async def shows(self, desk: Desk, room: RoomId, texts: Sequence[str]) -> None:
        await until(lambda: len(ours(desk, room)) == len(texts))
        assert [text for _, text in ours(desk, room)] == list(texts)


def ours(desk: Desk, room: RoomId) -> list[tuple[Uid, str]]:
    """Author and text of what the chat shows, but for what the one on the other branch wrote there."""
    if desk.session.service(CHAT).channel(room) is None:
        return []
    return [(m.author, m.text) for m in messages(desk, room) if m.text not in OTHER]


def messages(desk: Desk, room: RoomId) -> list[Message]:
    """What the chat shows."""
    timeline = desk.session.service(CHAT).timeline(room)
    return [timeline.message(i) for i in range(len(timeline))]


def continued(desk: Desk, room: RoomId) -> list[tuple[Uid, str | None]]:
    """Who opened the rooms that continue this one, and their titles, as its lines say."""
    found = desk.session.rooms.lines.between(room, 0, MAX_INT, 10, Wanted(kinds=["continued"]))
    return [(line.by, line.title) for line in found]


BEFORE = ["Före, åäö 😀", "Svar före"]
SEEN = ["Sett av oss", "Även detta"]
UNSENT = ["Skrivet utan nät", "Också utan nät"]


async def case(o: Offices, *, history: bool = True, clerk_role: Role = Role.WRITER, files: Sequence[Path] = ()) -> Case:
    """A room that has forked. `other` was closed first. Then owner and clerk exchanged more changes, and each of them
    wrote something without a connection, which no server has received. With `history`, the clerk reads what was
    written before the clerk was added. With `files`, the owner has sent a message with them before `other` was
    closed."""
    owner, clerk, other = await o.hire("Handläggare", "Registrator", "Enhetschef")
    room = await o.room(owner, other)
    owner.session.service(CHAT).send(room, BEFORE[0])
    if files:
        await owner.session.service(CHAT).send_file(room, files, "Med bilaga")
    document = owner.session.service(DOCUMENTS).create(room, "Utkast till beslut")
    owner.session.service(DOCUMENTS).open(document).splice(0, 0, "Skäl. ")
    board = owner.session.service(TASKS).board(room)
    board.add_card(board.columns()[0].id, "Begär yttrande")
    await o.add(owner, room, clerk, history=history)
    await until(lambda: clerk.session.service(CHAT).channel(room) is not None)
    if clerk_role > Role.WRITER:
        await owner.session.rooms.set_role(room, clerk.session.people.me.uid, clerk_role)
    clerk.session.service(CHAT).send(room, BEFORE[1])
    await settled(owner, clerk, other, room=room)
    await other.close()
    keep_copy(o)
    owner.session.service(CHAT).send(room, SEEN[0])
    await settled(owner, clerk, room=room)
    clerk.session.service(CHAT).send(room, SEEN[1])
    clerk.session.service(DOCUMENTS).open(document).splice(0, 0, "Sett. ")
    await settled(owner, clerk, room=room)

    def meanwhile() -> None:
        owner.session.service(CHAT).send(room, UNSENT[0])
        clerk.session.service(CHAT).send(room, UNSENT[1])
        clerk.session.service(DOCUMENTS).open(document).splice(0, 0, "Osänt. ")
        board = clerk.session.service(TASKS).board(room)
        board.add_card(board.columns()[0].id, "Osänt kort")

    await divide(o, room, other, [owner, clerk], meanwhile)
    return Case(owner, clerk, other, room, document)


async def settled(*desks: Desk, room: RoomId) -> None:
    """Everybody has everything."""
    await until(
        lambda: (
            all(d.session.status.waiting == 0 and d.session.store.trials.untried == [] for d in desks)
            and len({d.session.engine.position(room) for d in desks}) == 1
        )
    )


async def test_everything_of_both_is_in_the_successor_once_and_in_order(o: Offices) -> None:
    c = await case(o)
    (exhibit,) = c.owner.session.succession.standing(c.room).evidence
    assert exhibit.ours is not None
    assert exhibit.theirs is not None
    assert exhibit.ours.rh != exhibit.theirs.rh
    plan = c.owner.session.succession.plan(c.room)
    assert {m.person.name for m in plan.members} == {"Registrator", "Enhetschef"}
    assert plan.waiting == 1
    room = await c.owner.session.succession.open(c.room)
    assert await c.followed(c.owner) == await c.followed(c.clerk) == room
    await settled(c.owner, c.clerk, room=room)
    whole = [*BEFORE, *SEEN, *UNSENT]
    for desk in (c.owner, c.clerk):
        await c.shows(desk, room, whole)
        assert desk.session.rooms.room(room).title == TITLE
        assert desk.session.rooms.room(room).sealed_state == "sealed"
    owner, clerk = c.owner.session.people.me.uid, c.clerk.session.people.me.uid
    assert [author for author, _ in ours(c.owner, room)] == [owner, clerk, owner, clerk, owner, clerk]
    document = object_in(room, c.room, c.document)
    for desk in (c.owner, c.clerk):
        assert desk.session.service(DOCUMENTS).open(document).plain_text().strip() == "Osänt. Sett. Skäl."
        assert [t.title for t in desk.session.service(TASKS).tasks(room)] == ["Begär yttrande", "Osänt kort"]
    c.clerk.session.service(DOCUMENTS).open(document).splice(0, 0, "Vidare. ")
    await until(lambda: c.owner.session.service(DOCUMENTS).open(document).plain_text().startswith("Vidare. "))


async def test_a_file_of_the_old_room_is_fetched_from_where_it_lies(o: Offices, tmp_path: Path) -> None:
    c = await case(o)
    path = tmp_path / "Komplettering åäö.pdf"
    path.write_bytes(bytes(range(256)) * 100)
    room = await c.owner.session.succession.open(c.room)
    await c.followed(c.clerk)
    await c.clerk.session.service(CHAT).send_file(
        c.room, [path], "osänd fil"
    )  # held by the old room, offered in the new one
    await until(lambda: "osänd fil" in c.owner.texts(room))
    message = next(m for m in messages(c.owner, room) if m.attachments)
    target = await c.owner.session.service(CHAT).fetch_file(room, message, 0, tmp_path / "hem.pdf")
    assert target.read_bytes() == path.read_bytes()


async def test_a_file_of_a_carried_message_opens_for_members_of_the_old_room_and_others_get_the_reason(
    o: Offices, tmp_path: Path
) -> None:
    path = tmp_path / "Ritning åäö 🙂.pdf"
    path.write_bytes(bytes(range(256)) * 100)
    c = await case(o, files=[path])
    room = await c.owner.session.succession.open(c.room)
    await c.followed(c.clerk)
    [newcomer] = await o.hire("Arkivarie")
    await o.add(c.owner, room, newcomer, history=True)
    await until(lambda: all("Med bilaga" in desk.texts(room) for desk in (c.owner, c.clerk, newcomer)))
    chat = c.clerk.session.service(CHAT)
    carried = next(m for m in messages(c.clerk, room) if m.attachments)
    assert carried.carried_by == c.owner.session.people.me.uid
    assert await chat.fetch_file(room, carried, 0, tmp_path / "hem.pdf") == tmp_path / "hem.pdf"
    assert (tmp_path / "hem.pdf").read_bytes() == path.read_bytes()
    await c.clerk.session.files.empty()
    assert not c.clerk.session.files.is_here(carried.attachments[0].manifest)
    assert chat.keeping is not None
    await chat.keeping.keep_room(room, True)
    await until(lambda: c.clerk.session.files.is_here(carried.attachments[0].manifest))
    theirs = next(m for m in messages(newcomer, room) if m.attachments)
    with pytest.raises(FileInOldRoom):
        await newcomer.session.service(CHAT).fetch_file(room, theirs, 0, tmp_path / "nej.pdf")
    assert not (tmp_path / "nej.pdf").exists()


async def test_the_old_room_stays_readable_and_is_closed(o: Offices) -> None:
    c = await case(o)
    room = await c.owner.session.succession.open(c.room)
    await c.followed(c.clerk)
    owner = c.owner.session.people.me.uid
    for desk, last in ((c.owner, UNSENT[0]), (c.clerk, UNSENT[1])):
        assert desk.texts(c.room) == [*BEFORE, *SEEN, last]
        assert not desk.session.rooms.may_write(c.room)
        assert desk.session.rooms.room(c.room).sealed_state == "fork"
        assert desk.session.store.unsent(c.room) == 0
        assert desk.session.succession.standing(c.room).refusal in ("replaced", "not-owner")
    await until(lambda: [continued(desk, c.room) for desk in (c.owner, c.clerk)] == [[(owner, TITLE)]] * 2)
    with pytest.raises(Forbidden):
        await c.owner.session.succession.open(c.room)
    c.clerk.session.service(CHAT).send(c.room, "skrivet i det gamla")  # a window that was open all along
    await until(lambda: "skrivet i det gamla" in c.owner.texts(room))


async def test_whoever_was_on_the_other_branch_brings_what_the_owner_never_saw(o: Offices) -> None:
    c = await case(o)
    room = await c.owner.session.succession.open(c.room)
    assert await c.followed(c.other) == room
    await settled(c.owner, c.clerk, c.other, room=room)
    await until(lambda: len(c.owner.texts(room)) == 6 + len(OTHER))
    assert sorted(c.owner.texts(room)) == sorted([*BEFORE, *SEEN, *UNSENT, *OTHER])
    assert [t for t in c.owner.texts(room) if t in OTHER] == list(OTHER)
    assert not c.other.session.rooms.may_write(c.room)


async def test_attack_a_member_who_is_no_owner_gets_nobodys_unsent_work(o: Offices) -> None:
    c = await case(o)
    assert c.clerk.session.succession.standing(c.room).refusal == "not-owner"
    with pytest.raises(Forbidden):
        await c.clerk.session.succession.open(c.room)
    at = c.clerk.session.engine.standing(c.room)  # past the refusal: a program that was tampered with
    room = await c.clerk.session.engine.operations.create_room(at)
    c.clerk.session.store.changes.append(room, ObjId(room), encode(RoomNamed(title="Låtsas fortsätta", type="case")))
    owner = c.owner.session
    await c.clerk.session.people.search("Handläggare")
    await c.clerk.session.rooms.add(room, owner.people.me.uid, Role.WRITER, True)
    await until(lambda: any(r.room == room for r in owner.rooms.rooms()))
    standing = owner.succession.standing(room)
    assert standing.origin == c.room
    assert not standing.believed
    assert owner.succession.standing(c.room).successors == ()
    assert owner.store.unsent(c.room) == 1
    assert not any(change.data for change in owner.store.changes.of(object_in(room, c.room, c.document)))


async def test_a_restart_in_the_middle_goes_on_where_it_was(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    c = await case(o)
    succession = c.owner.session.succession
    monkeypatch.setattr(succession, "_name", lambda room, at: None)  # the program ends right after the server's answer
    monkeypatch.setattr(succession, "wake", lambda: None)
    room = await succession.open(c.room)
    await c.owner.restart()
    assert await c.followed(c.owner) == room
    assert await c.followed(c.clerk) == room
    await c.owner.restart()
    await settled(c.owner, c.clerk, room=room)
    for desk in (c.owner, c.clerk):
        await c.shows(desk, room, [*BEFORE, *SEEN, *UNSENT])
    assert {m.person.name for m in c.owner.session.rooms.members(room)} == {"Handläggare", "Registrator", "Enhetschef"}


async def test_who_was_not_in_the_old_room_reads_what_was_carried_over(o: Offices) -> None:
    c = await case(o)
    room = await c.owner.session.succession.open(c.room)
    await c.followed(c.clerk)
    await settled(c.owner, c.clerk, room=room)
    (new,) = await o.hire("Jurist")
    await o.add(c.owner, room, new, history=True)
    await c.shows(new, room, [*BEFORE, *SEEN, *UNSENT])
    owner = c.owner.session.people.me.uid
    carried = [m for m in messages(new, room) if m.text in SEEN]
    assert {(m.author, m.carried_by) for m in carried} == {(owner, owner)}  # quotations: nothing here bears them out
    assert {m.quoted_author for m in carried} == {desk.session.people.me.uid for desk in (c.owner, c.clerk)} & {
        m.record_author for m in messages(c.owner, room) if m.text in SEEN
    }
    assert not new.session.succession.standing(room).believed
    await until(lambda: new.session.seals.level(room) == "origin")
    await until(lambda: c.clerk.session.seals.level(room) == "sealed")


async def test_from_now_stays_from_now(o: Offices) -> None:
    c = await case(o, history=False)
    room = await c.owner.session.succession.open(c.room)
    await c.followed(c.clerk)
    await settled(c.owner, c.clerk, room=room)
    await c.shows(c.clerk, room, [UNSENT[1]])
    document = object_in(room, c.room, c.document)
    await until(lambda: c.clerk.session.service(DOCUMENTS).open(document).plain_text().strip() == "Osänt. Sett. Skäl.")
    assert not any(BEFORE[0].encode() in change.data for change in every_change(c.clerk, room))


def every_change(desk: Desk, room: RoomId) -> list[StoredChange]:
    store = desk.session.store
    return [change for found in store.objects.all(room) for change in store.changes.of(found.obj)]


async def test_a_rollback_that_nobody_heals_goes_on_in_a_successor_too(o: Offices) -> None:
    owner, clerk = await o.hire("Handläggare", "Registrator")
    room = await o.room(owner, clerk)
    keep_copy(o)
    owner.session.service(CHAT).send(room, BEFORE[0])
    await settled(owner, clerk, room=room)
    wires = [cut(desk) for desk in (owner, clerk)]
    await o.w.stop_server()
    o.w.moved_to = o.older
    await o.w.start_server()
    await until(lambda: all(d.session.status.state is LinkState.OFFLINE for d in (owner, clerk)))
    clerk.session.service(CHAT).send(room, UNSENT[1])
    for desk, wire in zip((owner, clerk), wires, strict=True):
        wire.cut = False
        desk.session.engine.retry_now()
    await until(lambda: all(d.session.rooms.room(room).sealed_state == "rollback" for d in (owner, clerk)))
    await until(lambda: owner.session.status.state is LinkState.ONLINE)
    new = await owner.session.succession.open(room)
    there = [BEFORE[0], UNSENT[1]]
    await until(lambda: all([text for _, text in ours(d, new)] == there for d in (owner, clerk)))
    assert not any(d.session.rooms.may_write(room) for d in (owner, clerk))


async def test_two_owners_may_each_open_one_and_both_hold_everything(o: Offices) -> None:
    """Both before either heard of the other: two rooms, shown as two, and nothing is lost in either."""
    c = await case(o, clerk_role=Role.OWNER)
    one, two = await asyncio.gather(*(d.session.succession.open(c.room) for d in (c.owner, c.clerk)))
    desks = (c.owner, c.clerk)
    await until(lambda: all(len(d.session.succession.standing(c.room).successors) == 2 for d in desks))
    await until(lambda: all(not d.session.store.origins.unfinished() for d in desks))
    for room in (one, two):
        await settled(*desks, room=room)
        for desk in desks:
            assert sorted(text for _, text in ours(desk, room)) == sorted([*BEFORE, *SEEN, *UNSENT])
            assert len(desk.session.service(TASKS).tasks(room)) == 2
