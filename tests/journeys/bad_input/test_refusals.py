# SPDX-License-Identifier: EUPL-1.2
"""What the server refuses: stale epochs, seals that did not arrive whole, a lost right to write, a busy or an
unwilling server. Nothing is dropped, the person is told, and the engine never spins.
"""

import asyncio
import os
from collections.abc import Sequence

import pytest

from app.chat.records import MessageSent
from app.chat.tool import TOOL as CHAT
from app.core.enums import Role
from app.core.i18n import set_language
from sync.client.received import Received
from sync.client.status import LinkState, RoomState
from sync.protocol import messages as m
from sync.server.rules.refusal import Refusal
from tests.journeys.bad_input.checks import (
    HELLO,
    explained,
    garble,
    honest,
    lie,
    nothing_lost,
    offline,
    reconnect,
    two,
)
from tests.journeys.desks import Offices
from tests.world import World, until
from ui.errors import sentence

WINDOW_S = 1.0


async def test_what_was_sealed_under_an_old_epoch_is_sealed_anew_and_arrives_once(w: World) -> None:
    a, b, room, obj = await two(w)
    swallowed: list[bytes] = []

    def swallow(frame: m.ClientFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Push):
            swallowed.extend(frame.bodies)
            return []
        return [frame]

    await garble(b, swallow)
    b.say(room, obj, HELLO)
    await until(lambda: bool(swallowed))
    await offline(b)
    assert b.store.sealed(room) is not None
    await a.engine.operations.rotate(room)
    pushes: list[m.Error] = []

    def listen(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Error):
            pushes.append(frame)
        return [frame]

    b.wire.cut = False
    await lie(b, listen)
    await w.settle(room)
    explained(pushes[0].code, "stale")
    assert a.texts(obj) == [b"a", b"b", HELLO]
    assert b.engine.blocked(room) is None
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=0)


async def test_seals_that_were_spoilt_on_the_way_are_made_again(w: World) -> None:
    a, b, room, obj = await two(w)
    refused: list[str] = []

    def spoil_first(frame: m.ClientFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.PutSeals) and not refused:
            refused.append("seals")
            wrong = [os.urandom(len(s)) for s in frame.seals]
            return [m.PutSeals(frame.rid, frame.room, frame.root, frame.start, wrong)]
        return [frame]

    await garble(a, spoil_first)
    epoch = a.engine.parts.link.rooms[room].stream.epoch
    await a.engine.operations.rotate(room)
    assert a.engine.parts.link.rooms[room].stream.epoch == epoch + 1
    explained(refused[0], "seals")
    a.say(room, obj, HELLO)
    await w.settle(room)
    await until(lambda: b.engine.room_state(room) is RoomState.SEALED)
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=0)


async def test_a_member_demoted_to_reader_keeps_what_they_wrote_and_is_told(w: World) -> None:
    a, b, room, obj = await two(w)
    await offline(b)
    b.say(room, obj, HELLO)
    await a.engine.operations.set_role(room, b.uid, 1)
    b.online()
    await until(lambda: b.engine.blocked(room) is not None)
    explained(b.engine.blocked(room), "forbidden")
    assert b.store.waiting_count() == 1
    await nothing_lost(b, obj, [b"a", b"b", HELLO], waiting=1)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    assert HELLO not in a.texts(obj)
    await a.engine.operations.set_role(room, b.uid, 2)
    await w.settle(room)
    assert b.engine.blocked(room) is None
    assert a.texts(obj)[-1] == HELLO


async def test_a_demoted_member_reads_in_the_room_why_nothing_is_sent(o: Offices) -> None:
    a, b = await o.hire("Handläggare", "Registrator")
    room = await o.room(a, b)
    await until(lambda: b.session.service(CHAT).channel(room) is not None)
    assert b.session.rooms.notices(room) == []
    await a.session.rooms.set_role(room, b.session.people.me.uid, Role.READER)
    await until(lambda: not b.session.rooms.may_write(room))
    assert b.session.rooms.notices(room) == []
    writing = b.session.service(CHAT)._writing
    writing.write(room, writing.place(room), MessageSent(text="Skrivet i sista stund"))
    (code,) = b.session.rooms.notices(room)
    explained(code, "may-not-write")
    set_language("sv")
    assert "inte längre skriva" in sentence(code).title


@pytest.mark.parametrize("code", [m.ErrorCode.BUSY, m.ErrorCode.FULL])
async def test_a_busy_server_gets_the_same_bytes_again(
    w: World, monkeypatch: pytest.MonkeyPatch, code: m.ErrorCode
) -> None:
    """Also one whose disk is full."""
    monkeypatch.setattr("sync.client.exchange.outbox.RETRY_S", 0.05)
    a, b, room, obj = await two(w)
    placing = _placing(w)
    real, tried = placing.push, list[tuple[list[bytes], list[bytes], bytes]]()

    async def push(who: object, frame: m.Push) -> m.Placed:
        tried.append((frame.bodies, frame.cts, frame.sig))
        if len(tried) <= 3:
            raise Refusal(code)
        placed: m.Placed = await real(who, frame)
        return placed

    monkeypatch.setattr(placing, "push", push)
    b.say(room, obj, HELLO)
    await until(lambda: b.engine.blocked(room) is not None)
    explained(b.engine.blocked(room), code)
    assert b.store.waiting_count() == 1
    await w.settle(room)
    assert len(tried) == 4
    assert all(t == tried[0] for t in tried)
    assert b.engine.blocked(room) is None
    await nothing_lost(a, obj, [b"a", b"b", HELLO], waiting=0)


def _placing(w: World):  # type: ignore[no-untyped-def]  # what gives items their positions at the running server
    assert w.running is not None
    return w.running.service.placing


@pytest.mark.parametrize("code", [m.ErrorCode.STALE, m.ErrorCode.INVALID, m.ErrorCode.QUOTA])
async def test_a_server_that_refuses_for_ever_is_asked_ever_less_often(
    w: World, monkeypatch: pytest.MonkeyPatch, code: m.ErrorCode
) -> None:
    _a, b, room, obj = await two(w)
    asked = 0

    async def push(who: object, frame: m.Push) -> m.Placed:
        nonlocal asked
        asked += 1
        raise Refusal(code)

    with monkeypatch.context() as never:
        never.setattr(_placing(w), "push", push)
        texts = [b"a", b"b"]
        for i in range(50):
            texts.append(b"%d" % i)
            b.say(room, obj, texts[-1])
            await asyncio.sleep(WINDOW_S / 50)
        assert 1 <= asked <= 6
        if code is not m.ErrorCode.INVALID:
            explained(b.engine.blocked(room), str(code))
        else:
            assert b.engine.blocked(room) == "invalid"
        await offline(b)
        await nothing_lost(b, obj, texts, waiting=50)
    b.online()
    await w.settle(room)


async def test_a_sign_in_that_is_refused_for_ever_is_tried_ever_less_often(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _a, b, room, obj = await two(w)
    assert w.running is not None
    asked = 0

    async def sign_in(who: object, agent: str, frame: m.Auth) -> None:
        nonlocal asked
        asked += 1
        raise Refusal(m.ErrorCode.AUTH, fatal=True)

    with monkeypatch.context() as never:
        never.setattr(w.running.service, "sign_in", sign_in)
        await b.wire.hang_up()
        await until(lambda: b.engine.status.state is LinkState.ERROR)
        explained(b.engine.status.code, "auth")
        await asyncio.sleep(WINDOW_S)
        assert 1 <= asked <= 6
        await nothing_lost(b, obj, [b"a", b"b"], waiting=0)
    b.online()
    await w.settle(room)


async def test_a_connection_that_breaks_right_after_sign_in_is_tried_ever_less_often(w: World) -> None:
    _a, b, room, obj = await two(w)
    asked = 0

    def break_it(frame: m.ServerFrame) -> Sequence[m.Frame | bytes]:
        nonlocal asked
        asked += isinstance(frame, m.Authed)
        return [frame, b"\xc1"] if isinstance(frame, m.Authed) else [frame]

    await lie(b, break_it)
    await asyncio.sleep(WINDOW_S)
    assert 1 <= asked <= 6
    await nothing_lost(b, obj, [b"a", b"b"], waiting=0)
    await honest(b)
    await w.settle(room)


async def test_a_rotation_that_is_refused_for_ever_is_tried_ever_less_often(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj = await two(w)
    asked = 0

    async def append(who: object, frame: m.Append) -> m.Placed:
        nonlocal asked
        asked += 1
        raise Refusal(m.ErrorCode.SEALS)

    await offline(a)
    await b.engine.operations.leave(room)
    with monkeypatch.context() as never:
        never.setattr(_placing(w), "append", append)
        a.online()
        await until(lambda: asked > 0)
        for i in range(20):
            a.say(room, obj, b"%d" % i)
            await asyncio.sleep(WINDOW_S / 20)
        assert asked <= 2
        assert a.engine.room_state(room) is RoomState.OWES_ROTATION
    await reconnect(a)
    await until(lambda: a.store.waiting_count() == 0)


async def test_ephemerals_of_a_removed_member_are_dropped(w: World) -> None:
    a, b, room, _obj = await two(w)
    kept: list[m.Ephemeral] = []

    def keep(frame: m.ClientFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.Ephemeral):
            kept.append(frame)
            return [frame] if len(kept) == 1 else []
        return [frame]

    await garble(b, keep)
    b.engine.send_ephemeral(room, b"hej")
    await until(lambda: a.ephemerals == [b"hej"])
    b.engine.send_ephemeral(room, b"kvar")
    await until(lambda: len(kept) == 2)
    await a.engine.operations.remove(room, b.uid)
    a.engine.parts.inbox.on_frame(kept[1])  # a lying server passes it on all the same
    await until(lambda: b.engine.room_state(room) is RoomState.LEFT)
    b.engine.send_ephemeral(room, b"fortfarande kvar")
    await w.settle(room, a)
    assert a.ephemerals == [b"hej"]


# -- a line that is lost, or a disk that is full, while a slice is stored ----------------------------------------


async def test_a_line_that_is_lost_while_a_slice_is_stored_loses_none_of_it(w: World) -> None:
    a, b, room, obj = await two(w)
    await offline(b)
    texts = [b"%d" % i for i in range(400)]
    with a.store.transaction():
        for text in texts:
            a.say(room, obj, text)
    await w.settle(room, a)
    real, parts = b.store.receive_apart, 0
    judging: list[asyncio.Task[None]] = []

    async def receive(received: Received) -> None:
        nonlocal parts
        parts += 1
        await real(received)
        task = asyncio.current_task()
        if parts == 2 and task is not None:
            judging.append(task)
            task.cancel()  # what the engine does to its tasks when the reader finds the line gone

    b.store.receive_apart = receive
    b.online()
    await until(lambda: bool(judging) and judging[0].done())
    b.store.receive_apart = real
    assert b.running is not None
    await asyncio.gather(b.running, return_exceptions=True)
    b.running = asyncio.ensure_future(b.engine.run())  # the same engine, with what it has in memory
    await until(lambda: len(b.texts(obj)) == 2 + len(texts))
    await w.settle(room)
    assert b.texts(obj) == a.texts(obj) == [b"a", b"b", *texts]
