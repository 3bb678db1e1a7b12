# SPDX-License-Identifier: EUPL-1.2
"""What a server or a member can make a client keep or do is bounded, and is no more than the room has."""

import os
from collections.abc import Sequence

import pytest

from app.core.ids import ObjId, RoomId
from sync.client.exchange import inbox as inbox_module
from sync.client.exchange.extras import Extra
from sync.client.exchange.inbox import MAX_QUEUED_BYTES
from sync.client.exchange.missing_keys import _AGAIN_MS
from sync.client.room import room_keys as keys_module
from sync.client.room.room_keys import MAX_SEALS
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.errors import Refused, Reject
from sync.ids import Hash
from sync.protocol import messages as m
from sync.trust.room import envelope, totals
from tests.journeys.bad_input.checks import honest, items_of, lie, offline, two, with_items
from tests.sync.client.test_given_history import NEW, WHOLE, case, from_the_beginning, give, propose
from tests.world import Client, World, until

MIB = 1024 * 1024


def receipt(room: bytes, n: int = 1) -> m.Receipt:
    return m.Receipt(room, n, bytes(32), 1, bytes(64))


def at(client: Client, room: RoomId) -> RoomSync:
    return client.engine.parts.link.rooms[room]


async def test_attack_frames_of_rooms_without_a_signed_head_are_not_kept(w: World) -> None:
    a, _b, _room, _obj = await two(w)
    rooms, inbox = a.engine.parts.link.rooms, a.engine.parts.inbox
    known = set(rooms)
    for i in range(64):
        name = os.urandom(16 if i else MIB)
        inbox.on_frame(m.Fresh(name, [], [], receipt(name)))
        inbox.on_frame(m.Behind(name, i))
        inbox.on_frame(m.Removed(name, i))
    assert set(rooms) == known
    assert not inbox._fresh
    with pytest.raises(Reject, match="malformed"):
        inbox.on_frame(m.Joined(m.RoomHead(receipt(bytes(MIB)), 0, b"")))
    assert set(rooms) == known


async def test_attack_a_refusal_writes_no_lines_of_its_own_into_a_log(w: World) -> None:
    a, _b, room, _obj = await two(w)
    lies = {"code": "x\n2026-11-25 everything is well" * 1000, "detail": "y\n" * 10_000}

    def refuse(frame: m.ServerFrame) -> Sequence[m.Frame]:
        return [m.Error(frame.rid, lies["code"], lies["detail"])] if isinstance(frame, m.SealReply) else [frame]

    await lie(a, refuse)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    with pytest.raises(Refused) as e:
        await a.engine.parts.link.online.request(lambda rid: m.SealRequest(rid=rid, room=room, epoch=1), m.SealReply)
    assert e.value.code == "internal"
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 256


async def test_attack_no_more_rooms_than_a_person_has(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, room, _obj = await two(w)
    monkeypatch.setattr(inbox_module, "MAX_ROOMS", len(a.engine.parts.link.rooms))
    new = await b.engine.operations.create_room()
    await b.engine.directory("Handläggare")
    await b.engine.operations.add(new, a.uid, 2, history=True)
    await w.settle(room)
    assert new not in a.engine.parts.link.rooms
    monkeypatch.undo()
    await a.restart()
    await until(lambda: new in a.engine.parts.link.rooms)


async def test_attack_shares_count_among_what_waits_to_be_judged(w: World) -> None:
    a, _b, room, _obj = await two(w)
    await offline(a)
    inbox = a.engine.parts.inbox
    for _ in range(32):
        inbox.on_frame(m.Fresh(room, [], [m.WireShare(os.urandom(16), bytes(MIB))], receipt(room)))
    held = sum(len(s.share) for frame in inbox._fresh for s in frame.shares)
    assert held <= MAX_QUEUED_BYTES


async def test_attack_requests_for_shares_that_a_room_does_not_have_are_not_kept(w: World) -> None:
    a, _b, room, obj = await two(w)
    await offline(a)
    shares = a.engine.parts.inbox._shares
    shares.note(m.SharesWanted(room, [os.urandom(MIB), os.urandom(16)]))
    shares.note(m.SharesWanted(os.urandom(MIB), [obj]))
    assert shares.idle
    shares.note(m.SharesWanted(room, [obj]))
    assert list(shares._wanted) == [(room, obj)]


async def test_attack_of_a_hundred_thousand_seals_the_first_few_are_tried(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _b, room, _obj = await two(w)
    tried: list[bytes] = []

    def open_seal(*args: object) -> tuple[bytes, bytes | None]:
        tried.append(bytes(1))
        raise Reject("decrypt")

    monkeypatch.setattr(keys_module, "open_seal", open_seal)
    assert not at(a, room).keys.take_seals(1, [b"x"] * 100_000)
    assert len(tried) == MAX_SEALS


async def test_attack_the_same_share_over_and_over_is_taken_once(w: World) -> None:
    a, b, room, obj = await two(w)
    share = at(a, room).keys.share(obj)
    assert share is not None
    at(b, room).keys._shares.pop(obj, None)
    strangers = [m.WireShare(os.urandom(16), share)] * 100
    assert at(b, room).keys.take_shares([*strangers, *[m.WireShare(obj, share)] * 100]) == [(obj, share)]


async def test_attack_what_waits_is_not_tried_again_with_every_item(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, room, obj = await two(w)
    looked: list[RoomId] = []
    waiting = b.store.waiting

    def note(asked: RoomId) -> list[tuple[int, bytes]]:
        looked.append(asked)
        return waiting(asked)

    monkeypatch.setattr(b.store, "waiting", note)
    monkeypatch.setattr(RoomSync, "waiting", 1)  # as if a key were missing for good
    for i in range(8):
        a.say(room, obj, b"%d" % i)
        await w.settle(room)
    assert len(looked) <= 1
    at(b, room).keys.take_key(*at(a, room).keys.ring.all()[0])
    before = len(looked)
    at(b, room).resolve()
    assert len(looked) == before + 1


async def test_attack_a_question_asked_over_and_over_is_answered_once_a_minute(w: World) -> None:
    a, b, room, _obj = await two(w)
    seals = a.engine.parts.seals
    for asked in range(2):
        await b.engine.parts.outbox.append(at(b, room), b.engine.parts.outbox.drafter(at(b, room)).cannot_open(1))
        await w.settle(room)
        await until(lambda: (room, b.uid, 1) in (seals._answers if asked else seals._answered))  # noqa: B023
    assert seals._answers[room, b.uid, 1] >= seals._answered[room, b.uid, 1] + _AGAIN_MS


async def test_attack_content_left_out_of_a_history_that_is_given_later_is_missed(w: World) -> None:
    c = await case(w)

    def empty(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if not from_the_beginning(frame, c.room):
            return [frame]
        return [with_items(frame, [m.WireItem(i.n, i.t, i.kind, i.body, i.sig, None) for i in items_of(frame, c.room)])]

    await lie(c.clerk, empty)
    await until(lambda: c.clerk.engine.status.state is LinkState.ONLINE)
    await propose(c, c.deputy)
    await give(c, c.head)
    await until(lambda: c.room in c.clerk.engine.parts.inbox.rereading._given_up)
    assert c.clerk.store.reread(c.room) > 0
    assert c.clerk.texts(c.obj) == [NEW]
    await honest(c.clerk)
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)


async def test_a_snapshot_that_is_refused_for_good_holds_up_nothing_that_was_written(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj = await two(w)
    monkeypatch.setattr(totals, "HEARTBEATS_A_DAY", 0)  # what is sent beside is then refused by a total
    b.engine.parts.outbox.send_beside(room, [Extra(obj=obj, kind=envelope.HEARTBEAT, about=b"", payload=b"")])
    await until(lambda: room not in b.engine.parts.outbox._extras.rooms())  # it was encrypted
    b.say(room, obj, "written, åäö 🙂".encode())
    await until(lambda: a.texts(obj)[-1:] == ["written, åäö 🙂".encode()])
    assert b.engine.blocked(room) is None


async def test_attack_what_waits_for_a_destroyed_object_holds_up_nothing_else(w: World) -> None:
    a, b, room, obj = await two(w)
    await offline(b)
    for i in range(3):
        b.say(room, obj, b"too late %d" % i)
    link, destroy = a.engine.parts.link.rooms[room], bytes(32)
    await a.engine.parts.outbox.append(
        link, a.engine.parts.outbox.drafter(link).destroy(obj, Hash(destroy), Hash(destroy))
    )
    b.online()
    await until(lambda: obj in at(b, room).stream.state.destroyed)
    other = ObjId(b"\x08" * 16)
    b.say(room, other, b"a new one")
    await until(lambda: a.texts(other) == [b"a new one"])
    assert b.engine.room_state(room) is RoomState.SEALED
    assert b.engine.blocked(room) is None
    await until(lambda: b.store.unsent(room) == 3)  # what was written stays here
