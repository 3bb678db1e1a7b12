# SPDX-License-Identifier: EUPL-1.2
"""Rooms that say they continue another, opened by people who may not: real sockets, and a server that does right."""

import asyncio
from dataclasses import dataclass

import pytest

from app.chat.records import Carried, MessageSent
from app.chat.records import encode as say
from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.core.ids import Hash, ObjId, RoomId
from app.rooms.records import ObjectAnnounced, RoomNamed, encode
from app.store.origins import Step
from sync.client.exchange.inbox import Inbox
from sync.client.room.room_sync import RoomSync
from sync.trust.room.successor_claim import Origin
from tests.journeys.desks import Desk, Offices
from tests.journeys.forks import cut
from tests.world import until

pytestmark = pytest.mark.slow

SECRET = "Skrivet utan nät, inte för den som har gått"


@dataclass
class Case:
    """A clerk who was away while one of the owners was removed; that one has opened a room and put the clerk there."""

    owner: Desk
    gone: Desk
    clerk: Desk
    room: RoomId
    trap: RoomId


async def case(o: Offices, monkeypatch: pytest.MonkeyPatch) -> Case:
    """The clerk is back, and learns of the trap before the news of the old room."""
    owner, gone, clerk = await o.hire("Handläggare", "Enhetschef", "Registrator")
    room = await o.room(owner, gone, clerk)
    await owner.session.rooms.set_role(room, gone.session.people.me.uid, Role.OWNER)
    await until(lambda: len({d.session.engine.position(room) for d in (owner, gone, clerk)}) == 1)
    at = gone.session.engine.standing(room)
    wire = cut(clerk)
    await o.w.stop_server()
    await o.w.start_server()
    clerk.session.service(CHAT).send(room, SECRET)
    await until(lambda: all(d.session.engine.parts.link.connection is not None for d in (owner, gone)))
    await owner.session.rooms.remove(room, gone.session.people.me.uid)
    trap = await gone.session.engine.operations.create_room(at)
    gone.session.store.changes.append(trap, ObjId(trap), encode(RoomNamed(title="Fortsättning", type="case")))
    await gone.session.people.search("Registrator")
    await gone.session.rooms.add(trap, clerk.session.people.me.uid, Role.WRITER, True)
    _later(clerk, room, trap, monkeypatch)
    wire.cut = False
    clerk.session.engine.retry_now()
    await until(lambda: clerk.session.engine.position(room) == owner.session.engine.position(room))
    await until(lambda: clerk.session.status.waiting == 0)
    return Case(owner, gone, clerk, room, trap)


def _later(desk: Desk, room: RoomId, first: RoomId, monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk pulls `room` only when it knows `first` and has thought about it."""
    inbox, pull = desk.session.engine.parts.inbox, Inbox._catch_up
    waits = 0

    async def catch_up(this: Inbox, at: RoomSync) -> None:
        nonlocal waits
        if this is inbox and at.room == room and waits < 200:
            waits += desk.session.rooms.my_role(first) is not None
            this.pull_again(at)
            if not this.invitations.idle:  # by itself it comes after the rooms that are known already
                await this.invitations.read_next()
            await asyncio.sleep(0)
            return
        await pull(this, at)

    monkeypatch.setattr(Inbox, "_catch_up", catch_up)


async def test_attack_a_room_that_continues_an_unknown_one_puts_no_words_into_anybodys_mouth(o: Offices) -> None:
    attacker, clerk, director = await o.hire("Handläggare", "Registrator", "Generaldirektör")
    said, chat = "Jag godkänner utbetalningen på 4 MSEK 😀 /GD", ObjId(bytes(range(16)))
    room = await attacker.session.engine.operations.create_room(Origin(room=RoomId(b"x" * 16), n=9, rh=Hash(b"y" * 32)))
    store, me = attacker.session.store, attacker.session.people.me.uid
    store.changes.append(room, ObjId(room), encode(RoomNamed(title="Utbetalning", type="case")))
    store.changes.append(room, ObjId(room), encode(ObjectAnnounced(obj=chat, kind="chat")))
    sent = say(MessageSent(text=said))
    record = Carried(author=director.session.people.me.uid, change_id=b"i" * 16, t=1_700_000_000_000, data=sent)
    store.changes.append(room, chat, say(record))
    await o.add(attacker, room, clerk, history=True)
    await until(lambda: clerk.session.service(CHAT).channel(room) is not None and clerk.texts(room) == [said])
    message = clerk.session.service(CHAT).timeline(room).message(0)
    assert (message.author, message.quoted_author) == (me, director.session.people.me.uid)
    assert message.t > record.t
    row = clerk.session.store.rooms_list.get(room)
    assert row is not None
    assert (row.last_by, row.last_preview) == (me, f"”{said}”")
    await until(lambda: clerk.session.seals.level(room) == "origin")  # once it is known who everybody is
    report = await clerk.session.seals.report(room)
    assert report is not None
    assert report.origin_doubt == "unknown"


async def test_attack_a_former_owner_is_not_believed_by_whoever_has_not_heard_of_the_removal(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(o, monkeypatch)
    await until(lambda: SECRET in c.owner.texts(c.room))
    store = c.clerk.session.store
    assert [s.step for s in store.origins.successors(c.room)] == [Step.CLAIMED]
    assert not any(change.own for found in store.objects.all(c.trap) for change in store.changes.of(found.obj))
    assert c.clerk.session.rooms.may_write(c.room)
    assert not c.clerk.session.succession.standing(c.trap).believed
