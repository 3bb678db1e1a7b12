# SPDX-License-Identifier: EUPL-1.2
"""A conversation over the turn of a month, over real sockets: offline and on, in a successor, for a new member, and
when a month is destroyed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.chat.model import Message
from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import LinkState
from app.core.ids import Hash, RoomId
from app.core.months import begins_ms, month_of
from sync.trust.room.successor_claim import object_in
from tests.journeys.desks import Desk, Offices
from tests.journeys.forks import cut
from tests.journeys.test_successor import BEFORE, SEEN, UNSENT, case, settled
from tests.world import Wire, until

pytestmark = pytest.mark.slow


@contextmanager
def next_month() -> Iterator[None]:
    """The desks' clock is a day into the next month: theirs is fast, and the server's is not."""
    then = begins_ms(month_of(clock.now_ms()) + 1) + 86_400_000
    restore = clock.set_clock(lambda: then)
    try:
        yield
    finally:
        restore()


def messages(desk: Desk, room: RoomId) -> list[Message]:
    timeline = desk.session.service(CHAT).timeline(room)
    return [timeline.message(index) for index in range(len(timeline))]


async def offline(o: Offices, *desks: Desk) -> list[Wire]:
    """These desks are cut off, until `on_again`."""
    wires = [cut(desk) for desk in desks]
    await o.w.stop_server()
    await until(lambda: all(desk.session.status.state is LinkState.OFFLINE for desk in desks))
    await o.w.start_server()
    return wires


def on_again(wires: list[Wire], *desks: Desk) -> None:
    for desk, wire in zip(desks, wires, strict=True):
        wire.cut = False
        desk.session.engine.retry_now()


async def test_two_who_begin_a_month_apart_read_one_conversation_and_fetch_its_files(
    o: Offices, tmp_path: Path
) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    old = a.session.service(CHAT).send(room, "denna månad å")
    await settled(a, b, room=room)
    await until(lambda: b.texts(room) == ["denna månad å"])
    wires = await offline(o, a, b)
    path = tmp_path / "Bilaga åäö.txt"
    path.write_text("innehåll å")
    with next_month():
        a.session.service(CHAT).send(room, "nästa månad, från a")
        b.session.service(CHAT).send(room, "nästa månad, från b", reply_to=old)
        await b.session.service(CHAT).send_file(room, [path], "med fil")
        b.session.service(CHAT).edit(room, messages(b, room)[1].change_id, "nästa månad, från b, ändrat")
    on_again(wires, a, b)
    await until(lambda: len(a.texts(room)) == len(b.texts(room)) == 4)
    await settled(a, b, room=room)
    await until(lambda: a.texts(room) == b.texts(room))
    assert sorted(a.texts(room)) == sorted(
        ["denna månad å", "nästa månad, från a", "nästa månad, från b, ändrat", "med fil"]
    )
    assert len({message.obj for message in messages(a, room)}) == 3
    (answer,) = [message for message in messages(a, room) if message.quote is not None]
    assert answer.quote is not None
    assert answer.quote.text == "denna månad å"
    (sent,) = [message for message in messages(a, room) if message.attachments]
    target = await a.session.service(CHAT).fetch_file(room, sent, 0, tmp_path / "hem.txt")
    assert target.read_text() == "innehåll å"


async def test_a_member_from_now_reads_and_writes_in_the_same_month_as_everybody(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a)
    a.session.service(CHAT).send(room, "före")
    with next_month():
        a.session.service(CHAT).send(room, "nästa månad, före")
    await until(lambda: a.session.store.waiting_count() == 0)
    await o.add(a, room, b, history=False)
    await until(lambda: b.session.service(CHAT).channel(room) == a.session.service(CHAT).channel(room))
    await until(lambda: len(b.session.store.series.all(room)) == 2)
    with next_month():
        b.session.service(CHAT).send(room, "efter")
        await until(lambda: "efter" in a.texts(room))
        a.session.service(CHAT).send(room, "också efter")
    await until(lambda: b.texts(room) == ["efter", "också efter"])
    assert b.session.store.series.all(room) == a.session.store.series.all(room)
    assert len({message.obj for message in messages(a, room)[1:]}) == 1


async def test_a_successor_has_the_months_of_the_old_room_in_one_order(o: Offices) -> None:
    c = await case(o)
    with next_month():
        c.clerk.session.service(CHAT).send(c.room, "nästa månad", reply_to=messages(c.clerk, c.room)[0].change_id)
    room = await c.owner.session.succession.open(c.room)
    assert await c.followed(c.owner) == await c.followed(c.clerk) == room
    await settled(c.owner, c.clerk, room=room)
    for desk in (c.owner, c.clerk):
        await c.shows(desk, room, [*BEFORE, *SEEN, *UNSENT, "nästa månad"])
        answer = messages(desk, room)[-1]
        assert answer.quote is not None
        assert answer.quote.text == BEFORE[0]
    month = messages(c.clerk, c.room)[-1].obj
    assert messages(c.owner, room)[-1].obj == object_in(room, c.room, month)


async def test_what_waits_for_a_destroyed_month_is_offered_in_the_present_one_with_its_file(
    o: Offices, tmp_path: Path
) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    a.session.service(CHAT).send(room, "denna månad å")
    await until(lambda: b.texts(room) == ["denna månad å"])
    await settled(a, b, room=room)
    channel = b.session.service(CHAT).channel(room)
    assert channel is not None
    wires = await offline(o, b)
    await until(lambda: a.session.status.state is LinkState.ONLINE)
    b.session.service(CHAT).send(room, "skrivet utan nät")
    path = tmp_path / "Bilaga åäö.txt"
    path.write_text("innehåll å 🙂")
    await b.session.service(CHAT).send_file(room, [path], "med fil")
    link = a.session.engine.parts.link.rooms[room]
    outbox = a.session.engine.parts.outbox
    await outbox.append(link, outbox.drafter(link).destroy(channel, Hash(b"r" * 32), Hash(b"d" * 32)))
    on_again(wires, b)
    await until(lambda: b.session.service(CHAT).stranded(room).destroyed == 2)
    assert a.texts(room) == []
    b.session.service(CHAT).write_stranded(room)
    await until(lambda: a.texts(room) == ["skrivet utan nät", "med fil"])
    assert b.texts(room) == a.texts(room)
    await until(lambda: b.session.store.waiting_count() == 0)
    assert messages(a, room)[0].obj != channel
    sent = messages(a, room)[1]
    assert sent.obj == messages(a, room)[0].obj
    target = await a.session.service(CHAT).fetch_file(room, sent, 0, tmp_path / "hem.txt")
    assert target.read_text() == "innehåll å 🙂"
