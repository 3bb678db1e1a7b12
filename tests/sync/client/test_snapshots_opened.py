# SPDX-License-Identifier: EUPL-1.2
"""A long room is opened from snapshots and the changes after them; the rest is read in the background."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from app.core.ids import ObjId, RoomId
from sync.client.exchange import snapshot_maker
from sync.client.exchange.reread import Rereading
from sync.client.exchange.snapshot_maker import Snapshots
from sync.client.placed_changes import Compact
from sync.client.ports import OpenedChange
from sync.client.received import ReadAgain, Received
from sync.client.room import bootstrap_buffer
from sync.client.room.room_keys import RoomKeys
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState
from sync.errors import Unreachable
from sync.protocol import messages as m
from sync.protocol.codec import decode_client
from sync.trust.room import envelope
from sync.trust.room.stream import AcceptedEnvelope
from tests.journeys.bad_input.checks import reconnect
from tests.sync.client.papers import (
    WORDS,
    nothing,
    opened,
    paper,
    w,
    written,
)
from tests.world import World, until

__all__ = ["w"]


async def test_a_newcomer_opens_the_snapshot_and_the_tail_writes_on_and_reads_the_rest_later(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    await p.attested()
    await p.write(p.clerk, "slut.")
    monkeypatch.setattr("sync.client.exchange.reread.Rereading.queue", lambda *_: None)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    begun, edits = p.guest.store.changes.history(p.obj)
    covers = p.base(p.guest)
    assert covers >= 30
    assert len(begun) == 1
    assert len(edits) == sum((c.n or 0) > covers for c in p.head.store.changes.of(p.obj)) < 10
    assert p.text(p.guest) == p.text(p.head) == "".join(WORDS) + "slut."
    assert p.guest.store.objects.get(p.obj) is not None
    assert p.guest.engine.reread_progress(p.room) == (0, p.at(p.guest).reread)
    await p.write(p.guest, " Och mer.")
    await w.settle(p.room, p.head, p.clerk, p.guest)
    assert p.text(p.head) == p.text(p.guest) == p.text(p.clerk)
    monkeypatch.undo()
    await p.guest.restart()
    await opened(p)
    assert p.text(p.guest).endswith("slut. Och mer.")


async def test_the_rest_is_read_only_while_nothing_else_waits(w: World) -> None:
    p = await paper(w)
    await p.attested()
    reading = p.guest.engine.parts.inbox.rereading
    go_on, reading.go_on = reading.go_on, lambda: None  # type: ignore[method-assign]
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    await p.write(p.clerk, "slut.")
    await until(lambda: p.text(p.guest).endswith("slut."))
    assert p.guest.engine.reread_progress(p.room) == (0, p.at(p.guest).reread)
    reading.go_on = go_on  # type: ignore[method-assign]
    reading.go_on()
    await opened(p)
    reading.pause()
    assert not reading._calm.is_set()


async def test_positions_of_a_long_room_are_stored_many_at_a_time(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w)
    stored, receive = list[int](), p.guest.store.receive_apart

    async def noted(received: Received) -> None:
        stored.append(len(getattr(received, "positions", ())))
        await receive(received)

    monkeypatch.setattr(p.guest.store, "receive_apart", noted)
    monkeypatch.setattr("sync.client.exchange.slice_reader.PIECE", 4)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    assert max(stored) > 20, "pieces of 4 of one slice, but for those with entries"
    room = p.at(p.guest)
    assert [p.guest.store.rh_at(p.room, n) for n in range(1, room.stream.n + 1)] == [
        p.head.store.rh_at(p.room, n) for n in range(1, room.stream.n + 1)
    ]


async def test_an_interrupted_reread_continues_where_it_was(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.client.link.MAX_PULL_BYTES", 4_000)
    monkeypatch.setattr("sync.client.exchange.reread.PIECE", 3)
    p = await paper(w)
    await p.attested()
    asked, last = list[int](), p.head.engine.position(p.room)
    judged = dict[int, int]()
    hanging_up: list[asyncio.Future[None]] = []

    async def hang_up_and_come_back() -> None:
        await p.guest.wire.hang_up()
        p.guest.online()

    def cut(data: bytes, out: bool) -> Sequence[bytes]:
        frame = decode_client(data) if out else None
        if isinstance(frame, m.Pull) and frame.room == p.room and not frame.headers_only and frame.after < last:
            asked.append(frame.after)
            if len(asked) in (3, 5):
                begun = p.guest.engine.parts.inbox.rereading._begun
                judged[len(asked)] = begun.stream.n if begun is not None else 0
                hanging_up.append(asyncio.ensure_future(hang_up_and_come_back()))
                return []
        return [data]

    p.guest.wire.spoil = cut
    await reconnect(p.guest)
    await until(lambda: p.guest.engine.status.state is LinkState.ONLINE)
    await p.add(p.guest)
    await opened(p)
    await asyncio.gather(*hanging_up)
    assert len(asked) > 6
    assert 0 < judged[3] <= judged[5]
    for at, n in judged.items():
        assert n <= asked[at] <= asked[at - 1], "where it was, and what was not answered"
    assert asked[5:] == sorted(asked[5:])


@pytest.mark.parametrize("at", [1, 4])
async def test_what_was_cut_off_while_it_was_stored_is_not_lost(
    w: World, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr("sync.client.exchange.reread.PIECE", 3)
    p = await paper(w)
    await p.attested()
    kept, keep = list[int](), Rereading._keep

    async def cut(self: Rereading, room: RoomSync, begun: Any) -> None:
        kept.append(begun.stream.n)
        if len(kept) == at:
            raise Unreachable
        await keep(self, room, begun)

    monkeypatch.setattr(Rereading, "_keep", cut)
    await p.add(p.guest)
    await until(lambda: len(kept) >= at)
    p.guest.online()
    await opened(p)
    assert kept == sorted(kept)


async def test_a_line_that_is_cut_at_the_check_lets_nothing_be_read_twice(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    await p.attested()
    checked, check, read, take = list[RoomId](), Snapshots.check, list[int](), Rereading._take

    async def cut(self: Snapshots, room: RoomSync) -> None:
        checked.append(room.room)
        if len(checked) == 1:
            raise Unreachable
        await check(self, room)

    async def taken(self: Rereading, room: RoomSync, begun: Any, piece: Any, shares: Any) -> None:
        read.append(piece[0].n)
        await take(self, room, begun, piece, shares)

    monkeypatch.setattr(Snapshots, "check", cut)
    monkeypatch.setattr(Rereading, "_take", taken)
    await p.add(p.guest)
    await until(lambda: bool(checked))
    p.guest.online()
    await opened(p)
    assert checked == [p.room] * 2
    assert len(read) == len(set(read))


async def test_a_line_that_is_cut_at_the_end_leaves_no_snapshot_for_good(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    await p.attested()
    ends, receive = list[Received](), p.guest.store.receive_apart

    async def cut(received: Received) -> None:
        if isinstance(received, ReadAgain):
            ends.append(received)
            if len(ends) == 1:
                await asyncio.Event().wait()  # as while a slice of another room is tried
        await receive(received)

    monkeypatch.setattr(p.guest.store, "receive_apart", cut)
    await p.add(p.guest)
    await until(lambda: bool(ends))
    await p.guest.offline()
    p.guest.online()
    await opened(p)
    assert len(ends) == 2


async def test_the_next_room_is_read_while_the_snapshots_of_one_are_checked(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    q = await written(w, p.head, p.clerk, p.guest)
    await p.attested()
    await q.attested()
    check, read, whole = Snapshots.check, list[RoomId](), Rereading._read

    async def late(self: Snapshots, room: RoomSync) -> None:
        await until(lambda: len(read) == 2)
        await check(self, room)

    async def noted(self: Rereading, begun: Any) -> bool:
        done = await whole(self, begun)
        read.append(begun.room)
        return done

    monkeypatch.setattr(Snapshots, "check", late)
    monkeypatch.setattr(Rereading, "_read", noted)
    await p.guest.offline()
    for each in (p, q):
        await each.add(p.guest)
    p.guest.online()
    for each in (p, q):
        await opened(each)
    assert set(read) == {p.room, q.room}


async def test_a_newcomer_attests_what_it_began_with_when_the_history_is_here(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w, monkeypatch)
    row = await p.claim(p.clerk, p.whole(p.clerk))
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.head.uid])
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == row.covers
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.head.uid, p.guest.uid])


async def test_attack_a_worker_that_ends_while_a_snapshot_is_checked_makes_it_not_false(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The end of the worker was counted as a false snapshot, which was then never attested."""
    p = await paper(w, monkeypatch)
    row = await p.claim(p.clerk, p.whole(p.clerk))
    await until(lambda: bool(p.rows(p.head)[-1].attests))
    real, ended = p.guest.store.compactor, list[ObjId]()

    def compactor(obj: ObjId) -> Compact | None:
        if ended or not p.guest.store.base(obj):
            return real(obj)
        ended.append(obj)
        return lambda *_: None  # as after the worker's end

    monkeypatch.setattr(p.guest.store, "compactor", compactor)
    await p.add(p.guest)
    await opened(p)
    assert ended == [p.obj]
    assert "is false" not in caplog.text
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.head.uid, p.guest.uid])
    assert p.base(p.guest) == row.covers, "computed again, from the start"


async def test_a_second_device_opens_rooms_from_snapshots_too(w: World) -> None:
    p = await paper(w)
    await p.attested()
    p.guest = await w.second(p.clerk)
    await until(lambda: p.base(p.guest) > 0)
    await opened(p)


async def test_a_newcomer_from_now_fetches_nothing_of_before(w: World) -> None:
    p = await paper(w)
    await p.add(p.guest, history=False)
    await p.write(p.clerk, "slut.")
    await until(lambda: p.guest.engine.position(p.room) == p.head.engine.position(p.room))
    assert len(p.guest.store.changes.of(p.obj)) == 1
    assert p.guest.engine.reread_progress(p.room) is None


async def test_a_snapshot_that_nobody_attested_is_not_opened(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    monkeypatch.setattr(snapshot_maker.Snapshots, "_attest", nothing)
    await p.claim(p.clerk, p.whole(p.clerk))
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def test_a_void_item_is_not_opened_from_a_headers_only_room(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    noted = list[int]()
    note = bootstrap_buffer.BootstrapBuffer.note

    def spoil(self: bootstrap_buffer.BootstrapBuffer, item: AcceptedEnvelope) -> None:
        noted.append(item.n)
        note(self, replace(item, void="forbidden") if item.n == 20 else item)

    monkeypatch.setattr(bootstrap_buffer.BootstrapBuffer, "note", spoil)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    assert 20 in noted
    assert 20 not in {c.n for c in p.guest.store.changes.of(p.obj)}


async def test_a_snapshot_stays_while_a_change_before_it_waits_for_a_key(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All other changes have been read again; what still waits for a key is only in the snapshot."""
    p = await paper(w)
    await p.attested()
    take = RoomKeys.open

    def shut(self: RoomKeys, n: int, t: int, hdr: envelope.Header, *rest: bytes) -> list[OpenedChange] | None:
        mine = self._account.uid == p.guest.uid and hdr.obj == p.obj
        return None if mine and n < 12 else take(self, n, t, hdr, *rest)

    with monkeypatch.context() as lost:
        lost.setattr(RoomKeys, "open", shut)
        await p.add(p.guest)
        await until(lambda: p.guest.engine.position(p.room) > 0)
        await until(lambda: p.guest.engine.reread_progress(p.room) is None)
        assert p.at(p.guest).waiting > 0
        assert p.text(p.guest) == p.text(p.head)
        assert p.base(p.guest) == 0, "nobody can tell yet whether it is right"
    await p.guest.restart()
    await until(lambda: p.guest.engine.status.state is LinkState.ONLINE)
    await until(lambda: p.at(p.guest).waiting == 0)
    assert p.text(p.guest) == p.text(p.head)
    assert p.whole(p.guest) == p.whole(p.head)
