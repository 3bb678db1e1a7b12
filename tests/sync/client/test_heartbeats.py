# SPDX-License-Identifier: EUPL-1.2
"""What a device says of itself in a room's heartbeats: members' devices keep the newest, and the server reads none."""

import logging

import pytest

from app.core.ids import RoomId, new_obj
from sync.client.room import bootstrap_buffer
from sync.client.room.room_keys import RoomKeys
from sync.client.status import RoomState
from sync.errors import BugError
from sync.trust.formats.items import Role
from sync.trust.room import envelope
from sync.trust.room.totals import MARK_BYTES, MAX_HEARTBEAT_BYTES
from tests.demo.canary import search
from tests.journeys.bad_input.checks import HELLO
from tests.world import Client, World, until

READS = "läser å 🙂 kanariefågel".encode()
NEWER = "läser mer å 🙂".encode()


def said(at: Client, by: Client, room: RoomId) -> bytes | None:
    """What the desktop `at` has kept of what the desktop `by` says of itself in the room; None if it has nothing."""
    return next((h.data for h in at.store.heartbeats.of(room) if h.dev == by.engine.devices.mine), None)


async def test_what_a_device_says_is_kept_by_every_member_and_the_newest_counts(w: World) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    (reader,) = await w.hire("Registrator")
    room = await w.room(a, b)
    await a.engine.directory("Registrator")
    await a.engine.operations.add(room, reader.uid, Role.READER, history=True)
    await until(lambda: reader.engine.room_state(room) is RoomState.SEALED)
    assert reader.engine.heartbeats.post(room, READS), "a reader may"
    everybody = (a, b, reader)
    await until(lambda: all(said(at, reader, room) == READS for at in everybody))
    reader.engine.heartbeats.post(room, NEWER)
    reader.engine.heartbeats.post(room, b"")
    await until(lambda: all(said(at, reader, room) == NEWER for at in everybody))
    await w.settle(room)
    assert [said(at, reader, room) for at in everybody] == [NEWER] * 3, "an empty one says nothing new"
    assert [h.data for h in reader.store.heartbeats.by(reader.engine.devices.mine)] == [NEWER]
    assert search([READS.decode(), NEWER.decode()], [w.data]) == [], "the server has nothing of it"


async def test_nothing_is_posted_where_one_is_no_member_and_nothing_that_the_server_would_refuse(w: World) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    assert not a.engine.heartbeats.post(RoomId(b"u" * 16), READS)
    with pytest.raises(BugError):
        a.engine.heartbeats.post(room, bytes(MAX_HEARTBEAT_BYTES + 1))
    longest = b"x" * MAX_HEARTBEAT_BYTES
    assert a.engine.heartbeats.post(room, longest)
    await until(lambda: said(b, a, room) == longest)
    assert len(envelope.pad(longest + b"x")) > MARK_BYTES - 72, "one more byte is refused"
    await b.engine.operations.leave(room)
    await w.settle(room, a)
    assert not b.engine.heartbeats.post(room, READS)


async def test_who_has_joined_shows_it_once_and_says_what_their_device_reads(w: World) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    assert b.engine.heartbeats.show_joined(room, READS)
    assert not b.engine.heartbeats.show_joined(room, NEWER)
    await until(lambda: b.uid in a.engine.speakers(room))
    assert not a.engine.heartbeats.show_joined(room, READS), "its founder has spoken"
    await w.settle(room)
    assert said(a, b, room) == READS
    assert said(b, a, room) is None


async def test_what_was_said_under_a_key_that_comes_later_is_kept_then(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    open_heartbeat, without_key = RoomKeys.open_heartbeat, list[int]()

    def lacking(keys: RoomKeys, n: int, t: int, hdr: envelope.Header, hdr_bytes: bytes, ct: bytes) -> object:
        if keys is b.engine.parts.link.rooms[room].keys and hdr.epoch == 2 and not without_key:
            without_key.append(n)
            ring = keys.ring
            keys.ring = type(ring)(room, [])
            try:
                return open_heartbeat(keys, n, t, hdr, hdr_bytes, ct)
            finally:
                keys.ring = ring
                keys.untried = True
        return open_heartbeat(keys, n, t, hdr, hdr_bytes, ct)

    monkeypatch.setattr(RoomKeys, "open_heartbeat", lacking)
    await a.engine.operations.rotate(room)
    a.engine.heartbeats.post(room, READS)
    await until(lambda: said(b, a, room) == READS)
    assert without_key
    assert b.store.waiting(room) == []


async def test_attack_a_heartbeat_that_does_not_open_warns_nobody(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A reader may post heartbeats. Otherwise the room would warn each member of content that cannot be read."""
    caplog.set_level(logging.INFO, "sync")
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    with monkeypatch.context() as wrong:
        wrong.setattr(b.engine.parts.link.rooms[room].keys, "special_key", lambda *_: bytes(32))
        n = a.engine.position(room)
        b.engine.heartbeats.post(room, READS)
        await until(lambda: a.engine.position(room) > n)
    b.engine.heartbeats.post(room, NEWER)
    await until(lambda: said(a, b, room) == NEWER)
    for at in (a, b):
        assert at.store.inbox.bad(room) == []
        assert at.store.waiting(room) == []
        assert at.engine.room_state(room) is RoomState.SEALED


@pytest.mark.parametrize("history", [True, False])
async def test_a_newcomer_to_a_long_room_has_what_the_devices_said_last(
    w: World, monkeypatch: pytest.MonkeyPatch, history: bool
) -> None:
    """Only headers are pulled of a long room. A newcomer without the history has what was said since."""
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 1)
    a, b, c = await w.hire("Enhetschef", "Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    a.say(room, obj, HELLO)
    b.engine.heartbeats.post(room, READS)
    await until(lambda: said(a, b, room) == READS)
    b.engine.heartbeats.post(room, NEWER)
    await until(lambda: said(a, b, room) == NEWER)
    await c.offline()
    await a.engine.directory("Registrator")
    await a.engine.operations.add(room, c.uid, Role.WRITER, history=history)
    a.engine.heartbeats.post(room, READS)
    await w.settle(room, a, b)
    c.online()
    await w.settle(room)
    await until(lambda: said(c, a, room) == READS)
    assert said(c, b, room) == (NEWER if history else None)
    assert c.store.waiting(room) == []


async def test_what_a_former_members_devices_said_is_forgotten(w: World) -> None:
    a, b = await w.hire("Enhetschef", "Handläggare")
    room = await w.room(a, b)
    b.engine.heartbeats.post(room, READS)
    await until(lambda: said(a, b, room) == READS)
    await a.engine.operations.remove(room, b.uid)
    await until(lambda: a.store.heartbeats.of(room) == [])
