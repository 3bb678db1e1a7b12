# SPDX-License-Identifier: EUPL-1.2
"""A seal that the server lost or spoilt: asked for in the room's log, answered by a member, and missing until then."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterator

import pytest

from app.core import clock
from app.core.ids import ObjId, RoomId, Uid, new_obj
from sync.client.exchange.missing_keys import HEAL_MS
from sync.client.status import LinkState, RoomState
from sync.client.wire.connection import Connection
from sync.errors import Refused
from sync.protocol import messages as m
from sync.trust.keys.epochs import Recipient, seal_for
from sync.trust.person.user_log import UserLog
from tests.patience import PATIENCE_S
from tests.world import Client, World, until

TEXT = "Hej på er, åäö 😀".encode()


class Time:
    """Everybody's clock, clients' and the server's."""

    def __init__(self) -> None:
        self._system = clock.now_ms
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return self._system() + self.ahead_ms

    def passes(self, ms: int, *clients: Client) -> None:
        self.ahead_ms += ms
        for client in clients:
            client.engine.parts.link.seal_work.set()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Time]:
    passing = Time()
    passing._system = clock._system_ms
    restore = clock.set_clock(passing.now_ms)
    monkeypatch.setattr("sync.server.rules.placing.now_ms", passing.now_ms)
    monkeypatch.setattr("sync.server.rules.rotation_limit.now_ms", passing.now_ms)
    monkeypatch.setattr("sync.server.rules.handshake.now_ms", passing.now_ms)
    yield passing
    restore()


def at_the_server(w: World, sql: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(w.data / "server.sqlite3")) as c, c:
        assert c.execute(sql, values).rowcount > 0


def lose(w: World, client: Client, room: RoomId, e: int) -> None:
    at_the_server(w, "DELETE FROM seals WHERE room = ? AND epoch = ? AND uid = ?", room, e, client.uid)


def spoil(w: World, client: Client, room: RoomId, e: int) -> None:
    where = "WHERE room = ? AND epoch = ? AND uid = ?"
    at_the_server(w, f"UPDATE seals SET seal = ? {where}", os.urandom(1168), room, e, client.uid)  # noqa: S608


def questions(client: Client, room: RoomId) -> list[Uid]:
    """The devices that have asked in the room's log."""
    return [e.by for e in client.store.rooms_list.events(room) if e.kind == "cannot_open"]


async def behind(w: World) -> tuple[Client, Client, RoomId, ObjId]:
    """Two in a room; the second is offline while the first begins epoch 2 and writes in it."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, b"ett")
    await w.settle(room)
    await b.offline()
    await a.engine.operations.rotate(room)
    a.say(room, obj, TEXT)
    await w.settle(room, a)
    return a, b, room, obj


@pytest.mark.parametrize("harm", [lose, spoil])
async def test_a_lost_or_spoilt_seal_is_healed_by_a_member_and_what_waited_is_read(w: World, harm: object) -> None:
    a, b, room, obj = await behind(w)
    (lose if harm is lose else spoil)(w, b, room, 2)
    b.online()
    await until(lambda: b.texts(obj) == [b"ett", TEXT])
    assert questions(a, room) == [b.uid]
    b.say(room, obj, b"svar")
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == [b"ett", TEXT, b"svar"]
    assert b.engine.room_state(room) is RoomState.SEALED
    assert b.engine.parts.link.rooms[room].stream.epoch == 2


async def test_a_newcomer_whose_only_seal_is_lost_reads_the_whole_history_after_one_answer(w: World) -> None:
    a, b, room, obj = await behind(w)
    b.online()
    await w.settle(room)
    (c,) = await w.hire("Enhetschef")
    await c.offline()
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await w.settle(room, a, b)
    lose(w, c, room, 2)
    c.online()
    await until(lambda: c.texts(obj) == [b"ett", TEXT])
    assert questions(a, room) == [c.uid]


async def test_if_nobody_connected_holds_the_key_a_writer_begins_a_new_epoch(w: World, time: Time) -> None:
    a, b, room, obj = await behind(w)
    lose(w, b, room, 2)
    await a.offline()
    b.say(room, obj, b"svar")
    b.online()
    await until(lambda: questions(b, room) == [b.uid])
    await until(lambda: b.engine.position(room) == b.engine.parts.link.rooms[room].head_n)
    assert b.engine.room_state(room) is RoomState.WAITING
    time.passes(HEAL_MS - 5_000, b)
    await b.engine.learn([a.uid])  # one round trip: still no key
    assert b.engine.parts.link.rooms[room].stream.epoch == 2
    time.passes(10_000, b)
    await until(lambda: b.engine.parts.link.rooms[room].stream.epoch == 3)
    await w.settle(room, b)
    assert sorted(b.texts(obj)) == sorted([b"ett", b"svar"])
    assert b.engine.room_state(room) is RoomState.WAITING  # what was written before still is not readable

    a.online()  # the question is in the log: a holder who connects later answers it
    await until(lambda: sorted(b.texts(obj)) == sorted([b"ett", TEXT, b"svar"]))
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj)
    assert a.engine.room_state(room) is b.engine.room_state(room) is RoomState.SEALED
    assert questions(a, room) == [b.uid]
    ring = b.engine.parts.link.rooms[room].keys.ring
    assert [e for e, _, a_key in ring.all() if a_key is not None] == [1, 2, 3]  # and the archive hangs together


async def test_what_lacks_a_key_after_a_restart_is_asked_for_again(w: World, time: Time) -> None:
    a, b, room, obj = await behind(w)
    lose(w, b, room, 2)
    await a.offline()
    b.online()
    await until(lambda: questions(b, room) == [b.uid])
    time.passes(HEAL_MS + 1_000, b)
    await until(lambda: b.engine.parts.link.rooms[room].stream.epoch == 3)
    await w.settle(room, b)
    await b.restart()
    await until(lambda: questions(b, room) == [b.uid, b.uid])
    a.online()
    await until(lambda: b.texts(obj) == [b"ett", TEXT])


async def test_attack_a_from_now_member_is_not_given_an_older_key(w: World) -> None:
    a, b, room, _ = await behind(w)
    b.online()
    await w.settle(room)
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=False)
    await w.settle(room)
    for e in (1, 2, 3):
        at = c.engine.parts.link.rooms[room]
        await c.engine.parts.outbox.append(at, c.engine.parts.outbox.drafter(at).cannot_open(e))
        await w.settle(room)
    await until(lambda: not any(x.engine.parts.seals._answers for x in (a, b)))
    with contextlib.closing(sqlite3.connect(w.data / "server.sqlite3")) as db:
        kept = db.execute("SELECT epoch, length(seal) FROM seals WHERE uid = ?", (c.uid,)).fetchall()
    assert {e for e, _ in kept} == {3}
    assert {size for _, size in kept} == {min(size for _, size in kept)}  # K alone, never the archive key


class Pause:
    """A client's next request for a person's key log has its answer, and waits, until `ends` is set."""

    def __init__(self, client: Client, uid: Uid, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.ends = asyncio.Event(), asyncio.Event()
        self._uid, self._real = uid, client.engine.parts.link.book.fetch
        monkeypatch.setattr(client.engine.parts.link.book, "fetch", self._fetch)

    async def _fetch(self, connection: Connection, uid: Uid, seq: int = -1) -> UserLog:
        found = await self._real(connection, uid, seq)
        if uid == self._uid and not self.begun.is_set():
            self.begun.set()
            await self.ends.wait()
        return found


async def test_attack_one_who_asks_for_a_key_and_leaves_before_the_answer_stops_no_room(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, obj = await behind(w)
    answering = Pause(a, b.uid, monkeypatch)
    b.online()
    await w.settle(room)
    at = b.engine.parts.link.rooms[room]
    await b.engine.parts.outbox.append(at, b.engine.parts.outbox.drafter(at).cannot_open(2))
    await asyncio.wait_for(answering.begun.wait(), PATIENCE_S)
    await b.engine.operations.leave(room)
    await until(lambda: b.uid not in a.engine.parts.link.rooms[room].stream.members)
    answering.ends.set()
    a.say(room, obj, b"svar")
    await until(lambda: a.store.waiting_count() == 0)
    assert a.engine.room_state(room) is RoomState.SEALED


async def test_attack_one_who_asks_for_a_key_and_is_added_again_without_the_history_is_not_given_it(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, room, _ = await behind(w)
    b.online()
    await w.settle(room)
    lose(w, b, room, 2)
    answering = Pause(a, b.uid, monkeypatch)
    at = b.engine.parts.link.rooms[room]
    await b.engine.parts.outbox.append(at, b.engine.parts.outbox.drafter(at).cannot_open(2))
    await asyncio.wait_for(answering.begun.wait(), PATIENCE_S)
    await a.engine.operations.remove(room, b.uid)
    await a.engine.operations.add(room, b.uid, 2, history=False)
    answering.ends.set()
    await w.settle(room)
    at = b.engine.parts.link.rooms[room]
    await b.engine.parts.outbox.append(at, b.engine.parts.outbox.drafter(at).cannot_open(4))
    await until(lambda: (room, b.uid, 4) in a.engine.parts.seals._answered)
    await until(lambda: not a.engine.parts.seals._answers)
    with contextlib.closing(sqlite3.connect(w.data / "server.sqlite3")) as db:
        kept = db.execute("SELECT epoch FROM seals WHERE uid = ?", (b.uid,)).fetchall()
    assert 2 not in {e for (e,) in kept}
    assert 4 in {e for (e,) in kept}


async def test_attack_seals_that_match_nothing_keep_no_good_one_from_being_found(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member sends false seals to another whose seal is lost; a third answers among them."""
    monkeypatch.setattr("sync.server.rules.room_requests._RESEAL_S", 0.0)
    a, b, room, obj = await behind(w)
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await w.settle(room, a, c)
    spoil(w, b, room, 2)
    for _ in range(3):
        await c.engine.parts.link.online.request(
            lambda rid: m.Reseal(rid=rid, room=room, epoch=2, uid=b.uid, seal=os.urandom(1168)), m.Ok
        )
    b.online()
    await until(lambda: b.texts(obj) == [b"ett", TEXT])


async def test_of_two_seals_the_one_with_the_archive_key_is_taken(w: World) -> None:
    a, b, room, obj = await behind(w)
    at = a.engine.parts.link.rooms[room]
    epoch, log = at.stream.epochs[2], a.engine.parts.link.book.log(b.uid)
    k = at.keys.ring.k(2)
    assert log is not None
    assert k is not None
    puk = log.puk_at(log.seq)
    assert puk is not None
    partial = seal_for(room, epoch, Recipient(1, b.uid, log.seq, log.head, puk.gen, puk.kem_pk, False), k, None)
    await a.engine.parts.link.online.request(
        lambda rid: m.Reseal(rid=rid, room=room, epoch=2, uid=b.uid, seal=partial), m.Ok
    )
    b.online()
    await until(lambda: b.texts(obj) == [b"ett", TEXT])
    assert b.engine.parts.link.rooms[room].keys.ring.a(2) is not None


async def test_a_writer_may_rotate_again_within_the_hour_only_when_a_question_has_stood_for_a_minute(
    w: World, time: Time
) -> None:
    _, b, room, _ = await behind(w)
    b.online()
    await w.settle(room)
    with pytest.raises(Refused, match="busy"):
        await b.engine.operations.rotate(room)
    at = b.engine.parts.link.rooms[room]
    await b.engine.parts.outbox.append(at, b.engine.parts.outbox.drafter(at).cannot_open(2))
    with pytest.raises(Refused, match="busy"):
        await b.engine.operations.rotate(room)
    time.passes(HEAL_MS)
    await b.engine.operations.rotate(room)
    with pytest.raises(Refused, match="busy"):
        await b.engine.operations.rotate(room)
    assert b.engine.status.state is LinkState.ONLINE
