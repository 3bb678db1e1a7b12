# SPDX-License-Identifier: EUPL-1.2
"""What the outbox cannot do in one room ends no session, and is not forgotten."""

import logging

import pytest

from app.core.ids import ObjId, RoomId
from sync.client.exchange import outbox
from sync.client.exchange.extras import Extra
from sync.errors import Reject
from sync.trust.room import envelope, totals
from sync.trust.room.entry_drafts import Draft, Drafter
from sync.trust.room.snapshots import pieces
from tests.journeys.bad_input.checks import HELLO, offline, two
from tests.world import Client, World, until


async def _goes_on(a: Client, room: RoomId) -> None:
    """What is written in another room is sent."""
    a.say(room, a.store.objects.new(room), HELLO)
    await until(lambda: a.store.waiting_count() == 0)


async def test_a_room_where_a_members_log_is_missing_is_rotated_later_and_ends_no_session(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sync")
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    room, other = await w.room(a, b, c), await w.room(a)
    await w.settle(room)
    await offline(c)
    entries = a.store.user_log(c.uid)
    with a.store.transaction():
        a.store.db.conn.execute("DELETE FROM user_log WHERE uid = ?", (c.uid,))
    a.engine.parts.link.book.forget()
    connection = a.engine.parts.link.connection
    await b.engine.operations.leave(room)
    await until(lambda: caplog.text.count("rotation refused: need-log") > 2)
    await _goes_on(a, other)
    assert a.engine.parts.link.connection is connection
    a.store.append_user_log(c.uid, 0, entries)
    await until(lambda: not a.engine.parts.link.rooms[room].stream.rotation_owed)


async def test_a_room_whose_next_key_this_person_may_not_make_ends_no_session(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sync")
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    a, b = await w.hire("Handläggare", "Registrator")
    room, other = await w.room(a, b), await w.room(a)
    await w.settle(room)
    real = Drafter.rotate

    def rotate(self: Drafter) -> Draft:
        raise Reject("forbidden", "a member who leaves makes no epoch")

    monkeypatch.setattr(Drafter, "rotate", rotate)
    connection = a.engine.parts.link.connection
    await b.engine.operations.leave(room)
    await until(lambda: caplog.text.count("rotation refused: forbidden") > 2)
    await _goes_on(a, other)
    assert a.engine.parts.link.connection is connection
    monkeypatch.setattr(Drafter, "rotate", real)
    await until(lambda: not a.engine.parts.link.rooms[room].stream.rotation_owed)


async def test_a_snapshot_that_lacks_the_archive_key_waits_for_it(w: World) -> None:
    """A member without the history begins an epoch, which has no archive. What else is sent does not wait."""
    a, b, room, obj = await two(w)
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 3, history=False)
    await w.settle(room)
    await c.engine.operations.rotate(room)
    at = a.engine.parts.link.rooms[room]
    await until(
        lambda: at.keys.ring.k(at.stream.epoch) is not None and not at.stream.epochs[at.stream.epoch].has_archive
    )
    about, heartbeats = at.stream.n.to_bytes(8, "big"), Extra(obj=obj, kind=envelope.HEARTBEAT, about=b"", payload=b"")
    made = pieces(b"t" * 16, bytes(32), b"state")
    snapshot = [Extra(obj=obj, kind=envelope.SNAPSHOT, about=about, payload=piece.encode()) for piece in made]
    n = at.stream.n
    a.engine.parts.outbox.send_beside(room, [*snapshot, heartbeats])
    await until(lambda: at.stream.n > n)
    assert obj not in at.stream.state.snapshots
    await a.engine.operations.rotate(room)
    await until(lambda: obj in b.engine.parts.link.rooms[room].stream.state.snapshots)


@pytest.mark.parametrize("how", ["accepted", "refused", "refused otherwise"])
async def test_what_was_sent_beside_is_not_kept_in_memory(w: World, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """The pieces of a snapshot were kept until the room's next ones: half a megabyte for each room."""
    a, _, room, obj = await two(w)
    if how != "accepted":
        monkeypatch.setattr(totals, "HEARTBEATS_A_DAY", 0)
        monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    if how == "refused otherwise":
        monkeypatch.setattr(outbox, "_NOT_AGAIN", ())
    extras = a.engine.parts.outbox._extras
    a.engine.parts.outbox.send_beside(room, [Extra(obj=obj, kind=envelope.HEARTBEAT, about=b"", payload=b"")])
    await until(lambda: not extras.rooms() and room not in extras._packed)
    await _goes_on(a, room)


@pytest.mark.parametrize("how", ["refused", "refused otherwise"])
async def test_a_heartbeat_that_was_refused_with_something_else_is_sent_again(
    w: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """An attest of a snapshot that the room does not have: the server refuses the whole batch."""
    a, b, room, obj = await two(w)
    monkeypatch.setattr(outbox, "RETRY_S", 0.05)
    if how == "refused otherwise":
        monkeypatch.setattr(outbox, "_NOT_AGAIN", ())
    attest = Extra(obj=obj, kind=envelope.ATTEST, about=b"t" * 16, payload=bytes(32))
    heartbeat = Extra(obj=ObjId(room), kind=envelope.HEARTBEAT, about=b"", payload="läser å 🙂".encode())
    a.engine.parts.outbox.send_beside(room, [attest, heartbeat])
    await until(lambda: [kept.dev for kept in b.store.heartbeats.of(room)] == [a.engine.devices.mine])
    assert not a.engine.parts.outbox._extras.rooms()
    await _goes_on(a, room)
