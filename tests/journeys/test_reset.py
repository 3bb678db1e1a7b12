# SPDX-License-Identifier: EUPL-1.2
"""Everything of a person is lost, the sheet too: the agency ends the account, and they come back as somebody new."""

from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.people.person import Verified
from sync.server.operator import admin
from tests.journeys.desks import Desk, Offices
from tests.world import until


async def reset(o: Offices, desk: Desk) -> None:
    uid = desk.session.people.me.uid
    await admin.reset(o.w.data, uid=uid)
    service = o.w.running.service if o.w.running is not None else None
    await until(lambda: service is not None and service.people.log(uid).ended is not None)


async def again(o: Offices, name: str) -> Desk:
    """The same person, hired anew on another computer."""
    desk = Desk(o.w.folder / f"{name} igen", o.w.data / "ca.pem", o.desks[0].server)
    await desk.enrol(await o.w.invite(name))
    o.desks.append(desk)
    return desk


async def test_a_reset_is_plain_to_all_and_history_comes_back_when_they_are_added_again(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    a.session.service(CHAT).send(room, "innan å 🙂")
    await until(lambda: b.texts(room) == ["innan å 🙂"])
    old = b.session.people.me.uid
    a.session.people.mark_verified(old, True)
    await reset(o, b)
    await until(lambda: b.session.status.code == "reset")
    assert b.texts(room) == ["innan å 🙂"]  # nothing is erased, and it can be read
    await b.session.close()
    b.session = await b.office.unlock("fyra ord räcker långt")
    await until(lambda: b.session.status.code == "reset")
    assert b.texts(room) == ["innan å 🙂"]

    await a.restart()  # whoever syncs states it in the room
    await until(lambda: [e.person.uid for e in a.session.rooms.ended(room)] == [old])
    assert [m.person.uid for m in a.session.rooms.members(room)] == [a.session.people.me.uid]
    new = await again(o, "Registrator")
    (person,) = await a.session.people.search("Registrator")  # the ended account is not offered
    assert person.uid == new.session.people.me.uid
    assert person.verified is Verified.AGENCY  # the mark is not carried over
    assert await a.session.people.duplicate_accounts(person.uid) == []
    await a.session.rooms.add(room, person.uid, Role.WRITER, True)
    await until(lambda: new.session.service(CHAT).channel(room) is not None)
    await until(lambda: new.texts(room) == ["innan å 🙂"])
    new.session.service(CHAT).send(room, "efter")
    await until(lambda: a.texts(room)[-1] == "efter")
    assert a.session.rooms.ended(room) == []


async def test_attack_a_second_living_account_in_the_same_name_is_named_before_it_is_added(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    twin = await again(o, "Registrator")
    found = {p.uid for p in await a.session.people.search("Registrator")}
    assert found == {b.session.people.me.uid, twin.session.people.me.uid}
    (other,) = await a.session.people.duplicate_accounts(twin.session.people.me.uid)
    assert other.uid == b.session.people.me.uid
    await reset(o, b)
    await until(lambda: b.session.status.code == "reset")
    await a.session.people.search("Registrator")  # fetches the log's end
    assert await a.session.people.duplicate_accounts(twin.session.people.me.uid) == []
