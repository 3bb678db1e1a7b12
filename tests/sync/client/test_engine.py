# SPDX-License-Identifier: EUPL-1.2
"""Clients and a real server over TLS: rooms, messages, lost connections, removal."""

import asyncio

import pytest

from app.core.ids import ObjId, RoomId, new_obj
from app.errors import DiskFull
from sync.client.devices.device_pairing import _Mail
from sync.client.ports import CARET, TYPING, SealedBatch
from sync.client.received import Received
from sync.client.status import LinkState, RoomState
from sync.errors import Refused, Unreachable
from sync.protocol import messages as m
from sync.server.rules.handshake import Who
from tests.world import Client, World, until

HELLO = "Hej på er, åäö 😀".encode()


async def two(w: World) -> tuple[Client, Client, RoomId, ObjId]:
    a, b = await w.hire("Handläggare", "Registrator")
    return a, b, await w.room(a, b), new_obj()


async def test_a_message_reaches_the_other_desktop(w: World) -> None:
    a, b, room, obj = await two(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    assert b.texts(obj) == [HELLO]
    assert [c.author for c in b.received if c.obj == obj] == [a.uid]


async def test_until_the_first_attempt_has_ended_it_is_connecting_and_not_offline(w: World) -> None:
    """Otherwise the status bar would show for a moment after each unlocking that the program is offline."""
    a, _, _, _ = await two(w)
    await a.restart()
    assert a.engine.status.state is LinkState.CONNECTING
    await a.stop()
    a.wire.cut = True
    await a.restart()
    assert a.engine.status.state is LinkState.CONNECTING
    await until(lambda: a.engine.status.state is LinkState.OFFLINE)


async def test_both_write_the_first_change_of_an_object_at_once(w: World) -> None:
    a, b, room, obj = await two(w)
    a.say(room, obj, b"a")
    b.say(room, obj, b"b")
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj)
    assert sorted(a.texts(obj)) == [b"a", b"b"]
    await a.restart()
    await b.restart()
    a.say(room, obj, b"a again")
    b.say(room, obj, b"b again")
    await w.settle(room)
    assert sorted(a.texts(obj)) == sorted(b.texts(obj)) == [b"a", b"a again", b"b", b"b again"]


async def test_a_device_that_lost_an_objects_share_asks_for_it_to_write(w: World) -> None:
    a, b, room, obj = await two(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    await b.offline()
    with b.store.db.transaction():
        b.store.db.conn.execute("UPDATE shares SET share = ? WHERE obj = ?", (bytes(32), obj))
    await b.restart()
    b.say(room, obj, b"svar")
    b.online()
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == [HELLO, b"svar"]


async def test_what_is_written_offline_arrives_after_a_restart(w: World) -> None:
    a, b, room, obj = await two(w)
    await b.offline()
    b.say(room, obj, HELLO)
    a.say(room, obj, b"under tiden")
    await b.restart()
    assert b.store.waiting_count() == 1
    b.online()
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj)
    assert sorted(b.texts(obj)) == sorted([HELLO, b"under tiden"])


async def test_a_server_that_restarts_loses_nothing(w: World) -> None:
    a, b, room, obj = await two(w)
    for i in range(20):
        a.say(room, obj, b"%d" % i)
    await w.stop_server()
    a.say(room, obj, b"efter")
    await w.start_server()
    for c in (a, b):
        c.online()
    await w.settle(room)
    assert b.texts(obj) == [b"%d" % i for i in range(20)] + [b"efter"]


async def test_a_newcomer_with_history_reads_everything(w: World) -> None:
    a, _b, room, obj = await two(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    await a.engine.operations.rotate(room)
    a.say(room, obj, b"ny epok")
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await w.settle(room)
    await until(lambda: c.texts(obj) == [HELLO, b"ny epok"])
    assert c.engine.room_state(room) is RoomState.SEALED


async def test_a_newcomer_from_now_reads_only_what_comes(w: World) -> None:
    a, _b, room, obj = await two(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=False)
    a.say(room, obj, b"ny epok")
    await w.settle(room)
    await until(lambda: c.texts(obj) == [b"ny epok"])
    assert c.engine.room_state(room) is RoomState.SEALED


async def test_a_removed_member_gets_nothing_more(w: World) -> None:
    a, b, room, obj = await two(w)
    a.say(room, obj, HELLO)
    await w.settle(room)
    await a.engine.operations.remove(room, b.uid)
    await until(lambda: b.engine.room_state(room) is RoomState.LEFT)
    a.say(room, obj, b"hemligt")
    b.say(room, obj, b"kvar?")
    await w.settle(room, a)
    assert b.texts(obj)[:1] == [HELLO]
    assert b"hemligt" not in b.texts(obj)
    assert b"kvar?" not in a.texts(obj)


async def test_attack_neither_the_server_nor_the_removed_person_reads_the_reason(w: World) -> None:
    a, b, room, _ = await two(w)
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    await w.settle(room)
    await a.engine.operations.remove(room, b.uid, "Kanariefågel åäö 🙂")
    await until(lambda: b.engine.room_state(room) is RoomState.LEFT)
    await until(lambda: len(c.store.rooms_list.removals(room, limit=9)) == 1)

    def reason(client: Client) -> str | None:
        (event,) = client.store.rooms_list.removals(room, limit=9)
        assert (event.by, event.subject, event.note is None) == (a.uid, b.uid, False)
        return client.engine.removal_reason(room, event.note or b"")

    await until(lambda: c.engine.room_state(room) is RoomState.SEALED)
    assert reason(a) == reason(c) == "Kanariefågel åäö 🙂"
    await until(lambda: len(b.store.rooms_list.removals(room, limit=9)) == 1)
    assert reason(b) is None
    assert a.engine.removal_reason(room, b"skadad") is None
    files = [path for path in w.data.rglob("*") if path.is_file()]
    assert files
    assert not any("Kanariefågel".encode() in path.read_bytes() for path in files)


async def test_after_somebody_left_a_writer_rotates_before_anything_is_written(w: World) -> None:
    a, b, room, obj = await two(w)
    await b.engine.operations.leave(room)
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    assert a.engine.room_state(room) is RoomState.SEALED
    assert a.texts(obj) == [HELLO]


async def test_a_reader_is_shown_that_they_may_not_write(w: World) -> None:
    a, b, room, obj = await two(w)
    await a.engine.operations.set_role(room, b.uid, 1)
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    with pytest.raises(Refused) as refused:
        await b.engine.operations.remove(room, a.uid)
    assert refused.value.code == "forbidden"


async def test_ephemerals_reach_those_who_are_there(w: World) -> None:
    a, b, room, _ = await two(w)
    a.engine.send_ephemeral(room, b"skriver")
    await until(lambda: b.ephemerals == [b"skriver"])


async def test_attack_a_reader_who_claims_to_be_typing_is_ignored(w: World) -> None:
    a, b, room, _ = await two(w)
    await a.engine.operations.set_role(room, b.uid, 1)
    await w.settle(room)
    reading = "läser, åäö 🙂".encode()

    def a_has_received() -> bool:  # sent again: a busy server forwards no ephemeral messages
        b.engine.send_ephemeral(room, b"skriver", TYPING)
        b.engine.send_ephemeral(room, reading, CARET)
        return bool(a.ephemerals)

    await until(a_has_received)
    assert set(a.ephemerals) == {reading}


async def test_an_unreachable_server_is_a_state_and_not_an_error(w: World) -> None:
    a, _b, room, obj = await two(w)
    await a.offline()
    assert a.engine.status.code == "unreachable"
    a.say(room, obj, HELLO)
    assert a.engine.status.waiting == 1
    with pytest.raises(Unreachable):
        await a.engine.operations.rotate(room)
    a.online()
    await w.settle(room)
    await until(lambda: a.engine.status.state is LinkState.ONLINE)


@pytest.mark.parametrize("large", ["LARGE_ROOM", "LARGE_STATE"])
async def test_attack_a_large_rooms_state_is_stored_now_and_then_and_a_restart_loses_and_doubles_nothing(
    w: World, monkeypatch: pytest.MonkeyPatch, large: str
) -> None:
    """Large by its members, or by what one of them put into it."""
    monkeypatch.setattr(f"sync.client.room.room_sync.{large}", 1)
    monkeypatch.setattr("sync.client.room.room_sync.STATE_EVERY", 5)
    a, b, room, obj = await two(w)
    states, receive = list[bool](), b.store.receive_apart

    async def counted(received: Received) -> None:
        states.append(getattr(received, "state", None) is not None)
        await receive(received)

    monkeypatch.setattr(b.store, "receive_apart", counted)
    for i in range(13):
        a.say(room, obj, b"a%d" % i)
        b.say(room, obj, b"b%d" % i)
        await w.settle(room)
    before = b.texts(obj)
    assert len(before) == 26
    assert 0 < sum(states) <= len(states) // 3
    for client in (a, b):
        await client.restart()
    await w.settle(room)
    b.say(room, obj, HELLO)
    await w.settle(room)
    assert a.texts(obj) == b.texts(obj) == [*before, HELLO]
    assert b.engine.room_state(room) is RoomState.SEALED


async def test_a_slice_that_the_disk_refuses_is_pulled_again(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, room, obj = await two(w)
    receive = b.store.receive_apart
    refused: list[Received] = []

    async def full(received: Received) -> None:
        if getattr(received, "changes", ()) and not refused:
            refused.append(received)
            raise DiskFull
        await receive(received)

    monkeypatch.setattr(b.store, "receive_apart", full)
    a.say(room, obj, HELLO)
    await until(lambda: b.engine.status.code == "disk-full")
    await w.settle(room)
    assert refused
    assert b.texts(obj) == [HELLO]


async def test_a_line_cut_in_the_middle_of_a_slice_loses_nothing(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b, room, obj = await two(w)
    await b.offline()
    for i in range(300):
        a.say(room, obj, b"%d" % i)
    await w.settle(room, a)
    receive = b.store.receive_apart
    parts: list[int] = []
    closing: list[asyncio.Future[None]] = []

    async def cut(received: Received) -> None:
        await receive(received)
        parts.append(len(getattr(received, "changes", ())))
        if len(parts) == 2:
            closing.extend(asyncio.ensure_future(line.close()) for line in b.wire.open_lines)

    monkeypatch.setattr(b.store, "receive_apart", cut)
    b.online()
    await until(lambda: len(b.texts(obj)) == 300)
    assert closing
    await asyncio.gather(*closing)
    assert b.texts(obj) == [b"%d" % i for i in range(300)]


async def test_a_dev_seq_is_never_signed_twice_not_even_after_a_restart(w: World) -> None:
    """▲ A batch that was refused as stale is encrypted again under the next dev_seq, whatever happened in between."""
    a, b, room, obj = await two(w)
    a.say(room, obj, b"1")
    await w.settle(room)
    signed: list[SealedBatch] = []
    _note_sealed(a, signed)
    await a.offline()
    a.say(room, obj, b"2")
    await b.engine.operations.rotate(room)
    a.engine.parts.outbox.maker.next_batch(a.engine.parts.link.rooms[room])
    assert len(signed) == 1
    a.store.unseal(signed[0])
    await a.restart()
    _note_sealed(a, signed)
    a.online()
    await w.settle(room)
    assert b.texts(obj) == [b"1", b"2"]
    assert [s.first_seq for s in signed] == sorted({s.first_seq for s in signed})
    assert len(signed) == 2


def _note_sealed(client: Client, signed: list[SealedBatch]) -> None:
    """Notes every batch that the client's engine has signed and kept."""

    def put(batch: SealedBatch) -> None:
        client.store.outbox.put_sealed(batch)
        signed.append(batch)

    client.store.put_sealed = put


async def test_a_room_to_which_somebody_is_added_while_they_sign_in_is_followed(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    await a.engine.directory(b.name)
    room = await a.engine.operations.create_room()
    await b.offline()
    assert w.running is not None
    rooms = w.running.service.rooms
    heads, added = rooms.heads, list[bool]()

    async def meanwhile(who: Who) -> list[m.RoomHead]:
        found = await heads(who)
        if who.uid == b.uid and not added:
            added.append(True)
            await a.engine.operations.add(room, b.uid, 2, history=True)
        return found

    monkeypatch.setattr(rooms, "heads", meanwhile)
    b.online()
    await until(lambda: b.engine.room_state(room) is RoomState.SEALED)
    assert added


async def test_attack_a_fault_after_a_session_does_not_end_syncing(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example, a false server claims that this device is revoked, and the disk is full."""
    (a,) = await w.hire("Handläggare")
    running, failed = a.engine._reconnecting, list[bool]()
    attempt = running._attempt

    async def broken() -> float:
        if not failed:
            failed.append(True)
            raise DiskFull
        return await attempt()

    monkeypatch.setattr(running, "_attempt", broken)
    await a.wire.hang_up()
    await until(lambda: bool(failed) and a.engine.status.state is LinkState.ONLINE)


async def test_attack_messages_without_end_in_a_pairing_end_it() -> None:
    mail = _Mail()
    for _ in range(1000):
        mail.on_frame(m.PairMail(bytes(1000)))
    assert mail.over
    assert mail._queue.qsize() < 1000
