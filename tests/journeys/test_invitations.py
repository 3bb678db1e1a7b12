# SPDX-License-Identifier: EUPL-1.2
"""Nobody is put into a room unasked: a stranger's room waits for an answer, and until then it is nothing here."""

import pytest

from app.chat.records import Attachment, MessageSent
from app.chat.records import encode as message
from app.core.enums import Role, RoomType
from app.core.ids import ObjId, RoomId
from app.personal.records import ACCEPTED
from app.rooms.records import ObjectAnnounced, PersonInvited, RoomNamed, encode
from app.tasks.service import new_board
from sync.client.exchange import preview
from sync.client.status import LinkState
from tests.app.poison import SEEDS, deep_update, written
from tests.journeys.desks import Desk, Offices
from tests.journeys.test_attacks_by_colleagues import document
from tests.one_change import one_change as board_change
from tests.world import Client, until

pytestmark = pytest.mark.slow
OTHER_UNIT = "Enheten för tillstånd"
MARKED_UP = '<img src="file:///dev/zero"> Tillsyn å 🙂'
SVG = b"<svg><use href='#a'/></svg>"
GREETING = "Hej! Läs <a href='file://värd/å'>beslutet</a> 🙂 https://exempel.se"


def stored(desk: Desk) -> dict[str, list[tuple[object, ...]]]:
    """Everything in the store but people's public logs and records, receipts of one's own rooms, notes, and notices."""
    db = desk.session.store.db
    tables = [name for (name,) in db.rows("SELECT name FROM sqlite_master WHERE type = 'table'", ())]
    left_out = {"user_log", "people", "key_watch", "receipts", "sqlite_sequence", "meta", "notices"}
    kept = [t for t in tables if t not in left_out and not t.startswith("search")]
    return {t: sorted(map(tuple, db.rows(f"SELECT * FROM {t}", ())), key=repr) for t in kept}  # noqa: S608


async def hostile_room(attacker: Client, desk: Desk) -> RoomId:
    """A room with what the audit tried, into which the desk's person is put: names as HTML, updates that end a process,
    a picture that is none, many objects and a long chain of keys."""
    room = await attacker.engine.operations.create_room()
    root = ObjId(room)
    attacker.say(room, root, encode(RoomNamed(title=MARKED_UP, type="case")))
    changes = [*map(board_change, SEEDS), board_change(deep_update("board")), board_change(written("meta", "x", 1e300))]
    for kind, data in [("board", c) for c in changes] + [("document", document(deep_update("meta")))]:
        obj = attacker.store.objects.new(room)
        attacker.say(room, root, encode(ObjectAnnounced(obj=obj, kind=kind)))
        attacker.say(room, obj, new_board("Å", ("Att göra",)) if kind == "board" else data)
        attacker.say(room, obj, data)
    for picture in (SVG, b"\x89PNG\r\n\x1a\n" + bytes(64)):
        chat = attacker.store.objects.new(room)
        attacker.say(room, root, encode(ObjectAnnounced(obj=chat, kind="chat")))
        file = Attachment(
            name="å\u202egpj.exe", size_bytes=9, media_type="image/svg+xml", manifest=b"m", preview=picture
        )
        attacker.say(room, chat, message(MessageSent(text="Se bilden 🙂", attachments=(file,))))
    attacker.say(room, attacker.store.objects.new(room), SVG * 4000)
    for _ in range(200):  # the room's state grows by each object
        attacker.say(room, attacker.store.objects.new(room), b"x")
    for _ in range(4):
        await attacker.engine.operations.rotate(room)
    await until(lambda: attacker.store.waiting_count() == 0)
    me = desk.session.people.me.uid
    await attacker.engine.learn([me])
    await attacker.engine.operations.add(room, me, 2, history=True)
    attacker.say(room, root, encode(PersonInvited(uid=me, title=MARKED_UP, type="case", text=GREETING)))
    await until(lambda: attacker.store.waiting_count() == 0)
    return room


async def test_attack_a_strangers_room_changes_nothing_here_before_it_is_accepted(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    [attacker] = await o.w.hire("Registrator", unit=OTHER_UNIT)
    await until(lambda: desk.session.personal.ready and desk.session.store.waiting_count() == 0)
    before = stored(desk)
    room = await hostile_room(attacker, desk)
    await until(lambda: [i.greeting for i in desk.session.invitations.all()] == [GREETING])
    [shown] = desk.session.invitations.all()
    assert (shown.title, shown.type, shown.by and shown.by.name) == (MARKED_UP, "case", "Registrator")
    attacker.say(room, ObjId(room), encode(RoomNamed(title="Senare", type="group")))
    await until(lambda: attacker.store.waiting_count() == 0)
    assert stored(desk) == before
    await until(lambda: [(row.kind, row.detail) for row in desk.session.notices.list()] == [("invitation", "")])
    assert room not in desk.session.engine.parts.link.rooms
    assert desk.session.store.trials.untried == []
    await desk.restart()  # it is looked at again, and still nothing of it is here
    await until(lambda: [i.room for i in desk.session.invitations.all()] == [room])
    assert room not in {r for r, _ in desk.session.store.rooms()}
    await desk.session.invitations.decline(room)
    assert desk.session.invitations.count == 0
    await desk.session.invitations.accept(room)  # a yes later opens it, and what it held is held back or void
    await until(lambda: room in {r.room for r in desk.session.rooms.rooms()})


async def test_a_yes_opens_the_room_on_all_devices_and_others_see_that_one_is_in(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    (adder,) = await o.hire("Registrator", unit=OTHER_UNIT)
    laptop = await o.second(desk)
    room = await o.room(adder)
    me = desk.session.people.me.uid
    [person] = await adder.session.people.search("Handläggare")
    await adder.session.rooms.add(room, me, Role.WRITER, False, "Välkommen å 🙂")
    invited = {m.person.uid: m.invited for m in adder.session.rooms.members(room)}
    assert invited == {person.uid: True, adder.session.people.me.uid: False}
    both = (desk, laptop)
    await until(lambda: [[i.greeting for i in at.session.invitations.all()] for at in both] == [["Välkommen å 🙂"]] * 2)
    assert [at.session.rooms.rooms() for at in both] == [[], []]
    told: list[bool] = []  # whether somebody is only invited, each time that what is shown is to be read again
    adder.session.rooms.room_changed.connect(
        lambda room: told.append(any(m.invited for m in adder.session.rooms.members(room)))
    )
    await laptop.session.invitations.accept(room)
    await until(lambda: [[r.room for r in at.session.rooms.rooms()] for at in both] == [[room]] * 2)
    assert [at.session.invitations.count for at in both] == [0, 0]
    await until(lambda: not any(m.invited for m in adder.session.rooms.members(room)))
    await until(lambda: told[-1:] == [False])
    await laptop.session.rooms.leave(room)  # who left is asked when somebody adds them again
    await until(
        lambda: (found := desk.session.personal.shared.answers.get(room)) is not None and found.answer == "asked"
    )
    await adder.session.rooms.add(room, me, Role.WRITER, True)
    await until(lambda: [[i.room for i in at.session.invitations.all()] for at in both] == [[room]] * 2)
    await laptop.session.invitations.accept(room)
    await until(lambda: [[r.left for r in at.session.rooms.rooms()] for at in both] == [[False]] * 2)
    await desk.close()  # a device that is away while another leaves asks too
    await laptop.session.rooms.leave(room)
    await adder.session.rooms.add(room, me, Role.WRITER, True, "Igen å 🙂")
    await desk.begin()
    await until(lambda: [i.greeting for i in desk.session.invitations.all()] == ["Igen å 🙂"])
    assert [r.left for r in desk.session.rooms.rooms()] == [True]
    left_n = desk.session.store.rooms_list.left_at(room, me)
    assert desk.session.engine.position(room) == left_n > 0
    adder.session.rooms.rename(room, "Senare å")
    await until(lambda: adder.session.status.waiting == 0)
    await desk.session.invitations.accept(room)
    await until(lambda: [(r.left, r.title) for r in desk.session.rooms.rooms()] == [(False, "Senare å")])


async def test_a_yes_without_a_connection_opens_the_room_on_the_next_one(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    (adder,) = await o.hire("Registrator", unit=OTHER_UNIT)
    room = await o.room(adder)
    await until(lambda: desk.session.personal.ready)
    await adder.session.rooms.add(room, desk.session.people.me.uid, Role.WRITER, True, "Välkommen å 🙂")
    await until(lambda: [i.room for i in desk.session.invitations.all()] == [room])
    await o.w.stop_server()
    await until(lambda: desk.session.status.state is LinkState.OFFLINE)
    await desk.session.invitations.accept(room)
    assert desk.session.invitations.count == 0
    await o.w.start_server()
    desk.session.engine.retry_now()
    await until(lambda: [r.room for r in desk.session.rooms.rooms()] == [room])


async def test_attack_a_block_hides_every_room_of_a_person_until_it_is_taken_back(o: Offices) -> None:
    (desk,) = await o.hire("Handläggare")
    (adder,) = await o.hire("Registrator", unit=OTHER_UNIT)
    me = desk.session.people.me.uid
    await adder.session.people.search("Handläggare")
    rooms = [await adder.session.rooms.create(f"Rum {n} å", RoomType.GROUP) for n in range(3)]
    await adder.session.rooms.add(rooms[0], me, Role.WRITER, True)
    await until(lambda: len(desk.session.invitations.all()) == 1)
    await desk.session.invitations.block(adder.session.people.me.uid)
    assert desk.session.invitations.count == 0
    for room in rooms[1:]:
        await adder.session.rooms.add(room, me, Role.WRITER, True)
    head = desk.session.engine.parts.inbox.invitations
    await until(lambda: len(head._held) == 3 and head.idle)
    assert desk.session.invitations.count == 0
    assert [p.name for p in desk.session.invitations.blocked()] == ["Registrator"]
    assert all(m.invited for room in rooms for m in adder.session.rooms.members(room) if m.person.uid == me)
    await desk.session.invitations.unblock(adder.session.people.me.uid)
    await until(lambda: sorted(i.room for i in desk.session.invitations.all()) == sorted(rooms))


async def test_colleagues_of_ones_unit_are_not_asked_about_and_policy_may_ask_about_nobody(o: Offices) -> None:
    (desk, colleague) = await o.hire("Handläggare", "Enhetschef")
    (stranger,) = await o.hire("Registrator", unit=OTHER_UNIT)
    room = await o.room(colleague, desk)
    await until(lambda: (a := desk.session.personal.shared.answers.get(room)) is not None and a.answer == ACCEPTED)
    await until(lambda: not any(m.invited for m in colleague.session.rooms.members(room)))
    desk.policy["ask-before-rooms"] = False
    desk.office.renew_policy()
    other = await o.room(stranger, desk)
    assert {r.room for r in desk.session.rooms.rooms()} == {room, other}


async def test_of_a_long_room_nothing_is_opened_and_the_signed_addition_says_who_invites(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MAX_POSITIONS", 6)
    (desk,) = await o.hire("Handläggare")
    (adder,) = await o.hire("Registrator", unit=OTHER_UNIT)
    room = await o.room(adder)
    for n in range(10):
        adder.session.rooms.rename(room, f"Tillsyn {n} å")
        await until(lambda: adder.session.status.waiting == 0)
    await adder.session.people.search("Handläggare")
    await adder.session.rooms.add(room, desk.session.people.me.uid, Role.WRITER, True, "Hej")
    await until(lambda: desk.session.invitations.count == 1)
    [shown] = desk.session.invitations.all()
    assert (shown.long, shown.title, shown.greeting) == (True, "", "")
    assert shown.by is not None
    assert shown.by.name == "Registrator"
    await desk.session.invitations.accept(room)
    await until(lambda: [r.title for r in desk.session.rooms.rooms()] == ["Tillsyn 9 å"])


async def test_attack_so_many_of_an_adder_are_read_and_the_rest_is_a_line(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rooms.invitations.MAX_AN_ADDER", 2)
    (desk,) = await o.hire("Handläggare")
    told: list[str] = []
    desk.session.invitations.arrived.connect(lambda person: told.append(person.name if person else ""))
    (adder,) = await o.hire("Registrator", unit=OTHER_UNIT)
    me = desk.session.people.me.uid
    await adder.session.people.search("Handläggare")
    rooms = [await adder.session.rooms.create(f"Rum {n} å", RoomType.GROUP) for n in range(4)]
    for room in rooms:
        await adder.session.rooms.add(room, me, Role.WRITER, True)
    invited = desk.session.invitations
    await until(lambda: invited.count == 4)
    await until(lambda: [i.title for i in invited.all()] == ["Rum 0 å", "Rum 1 å"])
    [more] = invited.more()
    assert set(more.rooms) == set(rooms[2:])
    assert told == ["Registrator"]  # one notice an adder and day
    await invited.decline(rooms[0])
    await until(lambda: len(invited.all()) == 2 and [len(m.rooms) for m in invited.more()] == [1])
    await invited.decline(*invited.more()[0].rooms)
    await until(lambda: invited.count == 2 and invited.more() == [])
    assert desk.session.status.state is LinkState.ONLINE
