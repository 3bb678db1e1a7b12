# SPDX-License-Identifier: EUPL-1.2
"""A person's identity by the directory; and a room's key, renewed in time by any member who may write."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sync.client.exchange import rotation_schedule
from sync.client.room.trust_facts import Change
from sync.errors import Reject
from sync.ids import RoomId, Uid
from sync.protocol import codec
from sync.protocol import messages as m
from sync.server.operator import admin
from sync.trust.person.recovery_sheet import RecoveryCode
from tests.world import Client, World, until, world

MONTH_MS = 30 * 86_400_000


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(rotation_schedule, "EARLIEST_S", 0.0)
    monkeypatch.setattr(rotation_schedule, "SPREAD_S", 0.2)
    monkeypatch.setattr(rotation_schedule, "LOOK_S", 0.05)
    async with world(tmp_path) as running:
        yield running


def epoch(client: Client, room: RoomId) -> int:
    return client.engine.parts.link.rooms[room].stream.epoch


def age(client: Client, room: RoomId, ms: int) -> None:
    """Makes the room's entries so much older for this client, and known to it for so much longer."""
    client.store.note_seen(room, client.engine.parts.link.rooms[room].kept_n, client.engine.parts.link.now_ms())
    marks = client.store.seen._marks[room]
    client.store.seen._marks[room] = [(n, t - ms) for n, t in marks]
    with client.store.transaction():
        client.store.db.conn.execute("UPDATE events SET t = t - ? WHERE room = ?", (ms, room))


async def test_a_key_that_is_thirty_days_old_is_renewed_once_by_any_connected_writer(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    before = epoch(a, room)
    due = a.engine.renewed_at(room)
    assert due is not None
    for client in (a, b):
        age(client, room, MONTH_MS - 60_000)
    await asyncio.sleep(0.6)
    assert epoch(a, room) == before  # a minute is left
    for client in (a, b):
        age(client, room, 60_000)
    await until(lambda: epoch(a, room) == epoch(b, room) == before + 1)
    await asyncio.sleep(0.6)
    assert epoch(a, room) == before + 1
    later = a.engine.renewed_at(room)
    assert later is not None
    assert later > due - MONTH_MS


async def test_a_replaced_recovery_sheet_renews_the_rooms_keys_once(w: World) -> None:
    """The recovery sheet that was replaced opens the older generation, and so the keys that were sealed to it."""
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    recovery_sheet, before = await w.make_sheet(a), epoch(a, room)
    await asyncio.sleep(0.4)
    assert epoch(a, room) == before, "the first sheet replaces none"
    await a.engine.recovery_sheet.publish(RecoveryCode.fresh().format(), recovery_sheet)
    await until(lambda: epoch(a, room) == epoch(b, room) == before + 1)
    await asyncio.sleep(0.4)
    assert epoch(a, room) == before + 1


async def test_a_reader_renews_nothing(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await w.room(a, b)
    await a.engine.operations.set_role(room, b.uid, 1)
    await until(lambda: not b.engine.parts.link.rooms[room].stream.rotation_owed and epoch(a, room) == epoch(b, room))
    before = epoch(b, room)
    age(b, room, MONTH_MS)
    await asyncio.sleep(0.8)
    assert epoch(b, room) == before
    assert b.engine.parts.schedule._turns == {}  # nor does it try


async def test_an_epoch_without_archive_is_renewed_by_a_member_who_can_link_it_to_the_history(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room = await a.engine.operations.create_room()
    await a.engine.directory(b.name)
    await a.engine.operations.add(room, b.uid, 2, history=False)
    await until(lambda: room in b.engine.parts.link.rooms and epoch(b, room) == epoch(a, room))
    before = epoch(a, room)
    await until(lambda: not b.engine.parts.link.rooms[room].keys.needs_key)
    await b.engine.operations.rotate(room)
    await until(lambda: epoch(a, room) >= before + 2)
    epochs = a.engine.parts.link.rooms[room].stream.epochs
    assert [epochs[e].has_archive for e in (before, before + 1, before + 2)] == [True, False, True]
    await asyncio.sleep(0.5)
    assert epoch(a, room) == before + 2


async def test_attack_a_server_that_swaps_a_person_in_the_directory_is_found_out(w: World) -> None:
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    log = c.engine.parts.link.book.log(c.uid)
    assert log is not None

    def swapped(data: bytes, out: bool) -> list[bytes]:
        frame: Any = None if out else codec.decode_server(data)
        if not isinstance(frame, m.DirectoryReply):
            return [data]
        people = [
            m.Person(uid=c.uid, salt=p.salt, record=p.record, ulog_seq=log.seq, ulog_head=log.head)
            for p in frame.people
            if p.uid == b.uid
        ]
        return [codec.encode(m.DirectoryReply(frame.rid, people))]

    a.wire.spoil = swapped
    await a.wire.hang_up()
    a.online()
    await until(lambda: bool(a.wire.open_lines) and a.engine.status.state == "online")
    with pytest.raises(Reject, match="record"):
        await a.engine.directory("Registrator")
    assert a.store.people.get(c.uid) is None
    assert a.engine.safety_number(c.uid) != a.engine.safety_number(b.uid)


async def test_changes_of_a_persons_keys_are_listed_with_their_entries(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    await w.room(a, b)
    tablet = await w.second(b)
    await b.engine.devices.revoke(tablet.engine.parts.link.account.dev)
    taken = len(a.moved_logs)
    await admin.reset(w.data, uid=b.uid)
    await a.engine.parts.link.book.fetch(a.engine.parts.link.online, b.uid)
    assert {*a.moved_logs[taken:]} == {b.uid}  # more than once, if the server's notice was here before
    found = [(c.seq, c.what) for c in a.engine.key_changes(b.uid, 2)]
    assert found == [(3, Change.DEVICE_ADDED), (4, Change.DEVICE_REVOKED), (5, Change.RESET)]
    assert a.engine.key_changes(b.uid, 4)[0].what is Change.RESET
    assert a.engine.key_changes(b.uid, 5) == []
    assert a.engine.key_changes(Uid(bytes(16)), -1) == []
    assert a.engine.is_over(b.uid)
    assert not a.engine.is_over(a.uid)
