# SPDX-License-Identifier: EUPL-1.2
"""What a client asks that comes back to rooms in which nothing has moved, and what a server can hide by saying so."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from app.core.ids import RoomId
from sync.client.account.known_logs import Book
from sync.client.status import LinkState, RoomState
from sync.ids import Uid
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, decode_server, encode
from sync.server.operator import admin
from sync.trust.person.user_log import UserLog
from tests.journeys.bad_input.checks import HELLO, honest, lie, offline, two
from tests.sync.client.quick_audit import w
from tests.world import Client, World, until

__all__ = ["w"]  # a fixture


class Heard:
    """Notes what a client asks, and rewrites what it hears."""

    def __init__(self, client: Client, rewrite: Callable[[m.ServerFrame], m.Frame] = lambda frame: frame) -> None:
        self.asked: list[m.ClientFrame] = []
        self.rewrite = rewrite
        client.wire.spoil = self._pass

    def _pass(self, data: bytes, out: bool) -> Sequence[bytes]:
        if out:
            self.asked.append(decode_client(data))
            return [data]
        return [encode(self.rewrite(decode_server(data)))]

    def pulled(self) -> list[bytes]:
        return [f.room for f in self.asked if isinstance(f, m.Pull)]

    def of(self, kind: type[m.Frame]) -> list[m.ClientFrame]:
        return [f for f in self.asked if isinstance(f, kind)]


async def back(client: Client) -> None:
    client.online()
    await until(lambda: client.engine.status.state is LinkState.ONLINE and client.engine.parts.inbox.idle)


def head_of(client: Client, room: RoomId) -> m.RoomHead:
    """The head that the server signed for where this client is."""
    kept = client.engine.parts.verifier.kept(room)
    assert kept is not None
    return m.RoomHead(kept, 0, b"")


async def test_a_device_that_reconnects_without_news_asks_once_for_all_rooms(w: World) -> None:
    head, clerk = await w.hire("Enhetschef", "Handläggare")
    rooms = [await w.room(head, clerk) for _ in range(4)]
    for room in rooms:
        await w.settle(room, head, clerk)
    await clerk.offline()
    heard = Heard(clerk)
    await back(clerk)
    await until(lambda: heard.of(m.MovedLogs) != [])
    (subscribe,), (moved,) = heard.of(m.Subscribe), heard.of(m.MovedLogs)
    assert isinstance(subscribe, m.Subscribe)
    assert isinstance(moved, m.MovedLogs)
    assert set(subscribe.rooms) == set(rooms)
    assert sorted(each.uid for each in moved.known) == sorted([head.uid, clerk.uid]), "each member once"
    assert heard.pulled() == []
    links = clerk.engine.parts.link.rooms
    assert all(links[room].caught_up and links[room].may_send for room in rooms)
    for room in rooms:
        head.say(room, room, HELLO)  # type: ignore[arg-type]
    await until(lambda: all(clerk.engine.position(room) == head.engine.position(room) for room in rooms))


async def test_only_the_rooms_in_which_something_is_new_are_pulled(w: World) -> None:
    head, clerk = await w.hire("Enhetschef", "Handläggare")
    rooms = [await w.room(head, clerk) for _ in range(3)]
    for room in rooms:
        await w.settle(room, head, clerk)
    await clerk.offline()
    head.say(rooms[1], rooms[1], HELLO)  # type: ignore[arg-type]
    await until(lambda: not head.store.waiting_count())
    heard = Heard(clerk)
    await back(clerk)
    await until(lambda: clerk.engine.position(rooms[1]) == head.engine.position(rooms[1]))
    assert set(heard.pulled()) == {rooms[1]}


@pytest.mark.parametrize("pulls", [False, True])
async def test_attack_a_server_that_says_nothing_moved_withholds_nothing_longer_than_if_it_were_pulled(
    w: World, pulls: bool
) -> None:
    """It signs the device in with the head that it signed before. A pull gets the same old receipt, and shows no more:
    in both cases the first thing that the server passes on brings everything, or an alarm."""
    a, b, room, obj = await two(w)
    await offline(b)
    old = head_of(b, room)
    a.say(room, obj, b"dold")
    await w.settle(room, a)
    hides = True

    def hiding(frame: m.ServerFrame) -> m.Frame:
        if not hides:
            return frame
        if isinstance(frame, m.Authed):
            rooms = [old if each.receipt.room == room else each for each in frame.rooms]
            return msgspec.structs.replace(frame, rooms=rooms)
        if isinstance(frame, m.Subscribed):
            return msgspec.structs.replace(frame, ns=[old.receipt.n + pulls] * len(frame.ns))
        if isinstance(frame, m.Items) and frame.room == room:
            return msgspec.structs.replace(frame, items=[], shares=[], receipt=old.receipt)
        return frame

    heard = Heard(b, hiding)
    await back(b)
    assert (room in heard.pulled()) is pulls
    assert b.engine.position(room) == old.receipt.n
    assert b.engine.room_state(room) is RoomState.SEALED
    hides = False
    a.say(room, obj, HELLO)
    await until(lambda: b.texts(obj)[-2:] == [b"dold", HELLO])


async def test_attack_what_was_hidden_at_the_sign_in_cannot_be_left_out_when_more_is_shown(w: World) -> None:
    a, b, room, obj = await two(w)
    await offline(b)
    old = head_of(b, room)
    a.say(room, obj, b"dold")
    await w.settle(room, a)

    def hiding(frame: m.ServerFrame) -> m.Frame:
        if isinstance(frame, m.Authed):
            rooms = [old if each.receipt.room == room else each for each in frame.rooms]
            return msgspec.structs.replace(frame, rooms=rooms)
        if isinstance(frame, m.Subscribed):
            return msgspec.structs.replace(frame, ns=[old.receipt.n] * len(frame.ns))
        if isinstance(frame, m.Items) and frame.room == room:
            return msgspec.structs.replace(frame, items=[i for i in frame.items if i.n != old.receipt.n + 1])
        return frame

    Heard(b, hiding)
    await back(b)
    a.say(room, obj, HELLO)
    await until(lambda: b.engine.room_state(room) is RoomState.WITHHELD)
    assert b"dold" not in b.texts(obj)


@pytest.mark.parametrize("claimed", [-1, 1, None])
async def test_attack_an_unsigned_position_saves_no_pull_and_stops_nothing(w: World, claimed: int | None) -> None:
    """The answer to a subscription is not signed: less, more, or that it is no room of ours has the room pulled."""
    a, b, room, obj = await two(w)
    await offline(b)

    def lying(frame: m.ServerFrame) -> m.Frame:
        if isinstance(frame, m.Subscribed):
            return msgspec.structs.replace(frame, ns=[0 if claimed is None else n + claimed for n in frame.ns])
        return frame

    heard = Heard(b, lying)
    await back(b)
    assert room in heard.pulled()
    a.say(room, obj, HELLO)
    await until(lambda: b.texts(obj)[-1] == HELLO)


async def test_attack_an_answer_about_another_number_of_rooms_ends_the_connection(w: World) -> None:
    _a, b, _room, _obj = await two(w)
    await lie(b, lambda f: [msgspec.structs.replace(f, ns=[*f.ns, 7]) if isinstance(f, m.Subscribed) else f])
    await until(lambda: b.engine.status.code == "malformed")
    await honest(b)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)


async def test_attack_our_own_head_without_a_signature_confirms_nothing(w: World) -> None:
    _a, b, room, _obj = await two(w)

    def unsigned(frame: m.ServerFrame) -> list[m.Frame]:
        if not isinstance(frame, m.Authed):
            return [frame]
        heads = [m.RoomHead(msgspec.structs.replace(h.receipt, sig=bytes(64)), 0, b"") for h in frame.rooms]
        return [msgspec.structs.replace(frame, rooms=heads)]

    await lie(b, unsigned)
    await until(lambda: b.engine.status.code == "signature")
    assert not b.engine.parts.link.rooms[room].ends_here


async def test_a_room_that_was_held_back_is_pulled_before_it_is_confirmed(w: World) -> None:
    _a, b, room, _obj = await two(w)
    b.engine.parts.link.rooms[room].stop(RoomState.ROLLBACK)
    await offline(b)
    heard = Heard(b)
    await back(b)
    assert room in heard.pulled()
    assert not b.engine.parts.link.rooms[room].held_back


async def test_a_log_that_breaks_a_rule_keeps_no_other_revocation_from_being_stated(w: World) -> None:
    """All rooms' members are asked for at once: one bad answer concerns one person."""
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room = await w.room(a, b, c)
    await w.settle(room)
    await offline(a)
    for lost in (b, c):
        await admin.revoke(w.data, uid=lost.uid, dev=lost.engine.parts.link.account.dev)

    def spoilt(frame: m.ServerFrame) -> list[m.Frame]:
        if isinstance(frame, m.UserLogReply) and frame.uid == b.uid:
            return [msgspec.structs.replace(frame, entries=[m.Signed(e.body, bytes(64)) for e in frame.entries])]
        return [frame]

    await lie(a, spoilt)
    stream = a.engine.parts.link.rooms[room].stream
    await until(lambda: a.engine.parts.link.rooms[room].stream.pins[c.uid][0] > 2)
    assert stream.pins[b.uid][0] == 2


async def test_attack_a_log_that_this_program_fails_to_judge_stops_the_rooms_of_its_person_alone(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    rooms = [await w.room(a, b, c), await w.room(a, b), await w.room(a, c)]
    for room in rooms:
        await w.settle(room, a)
    await offline(a)
    for lost in (b, c):
        await admin.revoke(w.data, uid=lost.uid, dev=lost.engine.parts.link.account.dev)
    take = Book.take

    def fails(self: Book, uid: Uid, entries: list[tuple[bytes, bytes]]) -> UserLog:
        if self is a.engine.parts.link.book and uid == b.uid and entries:
            raise RuntimeError("a fault of ours")
        return take(self, uid, entries)

    monkeypatch.setattr(Book, "take", fails)
    await back(a)
    state = a.engine.room_state
    await until(lambda: [state(room) for room in rooms[:2]] == [RoomState.UNREADABLE] * 2)
    await until(lambda: a.engine.parts.link.rooms[rooms[2]].stream.pins[c.uid][0] > 2)
    assert state(rooms[2]) is not RoomState.UNREADABLE
