# SPDX-License-Identifier: EUPL-1.2
"""An administrator disposes of a month of a conversation, over real sockets: what colleagues, a colleague who was
offline, a newcomer and the server's disk have afterwards."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from app.chat.destroying import Months
from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import LinkState, Role
from app.core.ids import ObjId, RoomId, new_obj
from app.core.months import begins_ms, month_of
from app.errors import Forbidden
from sync.errors import Refused, Unreachable
from sync.server.operator.upkeep.verify import verify
from tests.app.chat.destroys import CANARY, found_in, nothing
from tests.journeys.desks import Desk, Offices
from tests.journeys.restoring import backed_up, open_again, restored, whole
from tests.journeys.test_months import messages, offline, on_again
from tests.journeys.test_successor import settled
from tests.world import Client, World, until

pytestmark = pytest.mark.slow


def months(desk: Desk) -> Months:
    found = desk.session.service(CHAT).months
    assert found is not None
    return found


@contextmanager
def last_month() -> Iterator[None]:
    """The desks' clock is a day before this month: theirs is slow, and the server's is not."""
    then = begins_ms(month_of(clock.now_ms())) - 86_400_000
    restore = clock.set_clock(lambda: then)
    try:
        yield
    finally:
        restore()


async def written(o: Offices, a: Desk, b: Desk, tmp_path: Path) -> tuple[RoomId, int]:
    """A room with two messages of the month before this one, and that month."""
    room = await o.room(a, b)
    path = tmp_path / "Bilaga åäö.txt"
    path.write_text("innehåll å 🙂")
    for desk in (a, b):  # otherwise it would sign in to compare clocks, be refused, and try again after a minute
        desk.session.engine.parts.link.compare_clocks = lambda: None
    with last_month():
        a.session.service(CHAT).send(room, CANARY)
        await a.session.service(CHAT).send_file(room, [path], f"{CANARY} med fil")
        period = month_of(clock.now_ms())
    await until(lambda: len(b.texts(room)) == 2)
    await settled(a, b, room=room)
    return room, period


def is_gone(desk: Desk, room: RoomId) -> bool:
    """Whether the desk has nothing more of the room's messages."""
    left = desk.session.store.db.rows("SELECT * FROM destroying")
    return desk.texts(room) == [] and found_in(desk.session.store) == set() and left == []


def shows(desk: Desk, room: RoomId, texts: list[str]) -> bool:
    return sorted(desk.texts(room)) == texts


async def test_what_an_administrator_disposes_of_is_gone_everywhere(o: Offices, tmp_path: Path) -> None:
    a, b, c = await o.hire("Enhetschef", "Handläggare", "Registrator")
    room, period = await written(o, a, b, tmp_path)
    await o.add(a, room, c, history=True)
    await until(lambda: len(c.texts(room)) == 2)
    target = await b.session.service(CHAT).fetch_file(room, messages(b, room)[1], 0, tmp_path / "hem.txt")
    assert target.read_text() == "innehåll å 🙂"
    assert {"changes", "chat_messages"} <= found_in(b.session.store)
    (wire,) = await offline(o, c)
    with last_month():
        c.session.service(CHAT).send(room, "skrivet utan nät å")
    await until(lambda: a.session.status.state is LinkState.ONLINE)
    (month,) = await months(a).read(room)
    assert (month.period, month.messages, month.files, month.is_over) == (period, 2, 1, True)
    with pytest.raises(Forbidden):
        await months(b).destroy(room, [period], nothing)
    await months(a).destroy(room, [period], nothing)
    for desk in (a, b):
        await until(partial(is_gone, desk, room))
    assert b.session.store.db.rows("SELECT * FROM cached_parts") == []
    on_again([wire], c)
    await until(lambda: c.session.service(CHAT).stranded(room).destroyed == 1)
    assert c.texts(room) == ["skrivet utan nät å"]
    await until(lambda: found_in(c.session.store) == set())
    b.session.service(CHAT).send(room, "ny månad å")
    c.session.service(CHAT).write_stranded(room)
    (later,) = await o.hire("Jurist")
    await o.add(a, room, later, history=True)
    for desk in (a, b, c, later):
        await until(partial(shows, desk, room, ["ny månad å", "skrivet utan nät å"]))
        assert found_in(desk.session.store) == set()
    await until(lambda: not o.w.running.service.pruning.is_busy)  # type: ignore[union-attr] # it runs
    await o.w.stop_server()
    faults: list[object] = []
    verify(o.w.data, faults.append, lambda _: None)
    assert faults == []
    blobs = [path for path in (o.w.data / "blobs").rglob("*") if path.is_file()]
    assert blobs == []


async def test_attack_a_member_who_is_no_administrator_is_refused_by_the_server(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Enhetschef", "Handläggare")
    room, _ = await written(o, a, b, tmp_path)
    with pytest.raises(Refused, match="forbidden"):
        await b.session.engine.operations.destroy(room, messages(b, room)[0].obj)
    assert len(a.texts(room)) == 2
    assert b.session.service(CHAT).months is not None
    assert not months(b).may_destroy(room)


async def test_two_administrators_who_dispose_of_a_month_at_once_do_it_once(o: Offices, tmp_path: Path) -> None:
    a, b = await o.hire("Enhetschef", "Handläggare")
    room, period = await written(o, a, b, tmp_path)
    await a.session.rooms.set_role(room, b.session.people.me.uid, Role.ADMIN)
    await until(lambda: months(b).may_destroy(room))
    await asyncio.gather(*(months(desk).destroy(room, [period], nothing) for desk in (a, b)))
    for desk in (a, b):
        await until(partial(is_gone, desk, room))
    kinds = [event.kind for event in a.session.rooms.events(room)]
    assert kinds.count("destroy") == 1


async def test_offline_nothing_is_destroyed_and_the_reason_is_known(o: Offices) -> None:
    a, b = await o.hire("Enhetschef", "Handläggare")
    room = await o.room(a, b)
    a.session.service(CHAT).send(room, CANARY)
    await until(lambda: b.texts(room) == [CANARY])
    await settled(a, b, room=room)
    channel = a.session.service(CHAT).channel(room)
    assert channel is not None
    wires = await offline(o, a)
    assert months(a).refusal(room) == Unreachable.code
    with pytest.raises(Unreachable):
        await a.session.engine.operations.destroy(room, channel)
    assert a.texts(room) == [CANARY]
    on_again(wires, a)
    await until(lambda: months(a).refusal(room) is None)


async def test_attack_an_object_that_was_only_announced_keeps_no_month(o: Offices, tmp_path: Path) -> None:
    """The server has nothing of it, and would refuse to destroy it."""
    a, b = await o.hire("Enhetschef", "Handläggare")
    room, period = await written(o, a, b, tmp_path)
    channel, announced = b.session.service(CHAT).channel(room), b.session.store.objects.new(room)
    assert channel is not None
    b.session.rooms.announce_part(room, announced, "chat", channel, period)
    await until(lambda: announced in [part.obj for part in a.session.store.series.all(room)])
    (month,) = await months(a).read(room)
    assert announced in month.objs
    await months(a).destroy(room, [period], nothing)
    await until(partial(is_gone, a, room))


async def test_a_former_member_keeps_a_month_that_was_destroyed_since_until_they_are_added_again(
    o: Offices, tmp_path: Path
) -> None:
    """The server gives a former member nothing of the room, and so not the entry either. The dialog says so."""
    a, b, c = await o.hire("Enhetschef", "Handläggare", "Registrator")
    room, period = await written(o, a, b, tmp_path)
    await o.add(a, room, c, history=True)
    await until(lambda: len(c.texts(room)) == 2)
    await a.session.rooms.remove(room, c.session.people.me.uid)
    await until(lambda: c.session.rooms.room(room).left)
    await months(a).destroy(room, [period], nothing)
    for desk in (a, b):
        await until(partial(is_gone, desk, room))
    assert len(c.texts(room)) == 2
    await o.add(a, room, c, history=False)
    await until(partial(is_gone, c, room))


@pytest.mark.parametrize("is_in_backup", [False, True], ids=["written-after-the-backup", "in-the-backup"])
async def test_a_restored_server_receives_the_destroy_again_and_no_share(w: World, *, is_in_backup: bool) -> None:
    """The devices have kept the ciphertext, so that the room can be restored, but no share that opens it."""
    a, b = await w.hire("Enhetschef", "Handläggare")
    room, obj = await w.room(a, b), new_obj()
    await w.settle(room)
    backup = await backed_up(w) if not is_in_backup else None
    a.say(room, obj, CANARY.encode())
    await w.settle(room)
    share = a.store.share(room, obj)
    assert share is not None
    backup = backup or await backed_up(w)
    await a.engine.operations.destroy(room, obj)
    await w.settle(room)
    for client in (a, b):
        await until(partial(has_no_share, client, room, obj))
        assert client.texts(obj) == []
    await is_idle(w)
    await restored(w, backup)
    for client in (a, b):
        client.online()
    await open_again(w)
    a.say(room, new_obj(), "vidare å".encode())
    await w.settle(room)
    await is_idle(w)
    await w.stop_server()
    database = (w.data / "server.sqlite3").read_bytes()
    assert share not in database
    await whole(w)


def has_no_share(client: Client, room: RoomId, obj: ObjId) -> bool:
    return client.store.share(room, obj) is None


async def is_idle(w: World) -> None:
    """Waits until the server has deleted everything that entries allow to be deleted."""
    assert w.running is not None
    service = w.running.service
    await until(lambda: not service.pruning.is_busy)
