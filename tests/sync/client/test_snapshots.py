# SPDX-License-Identifier: EUPL-1.2
"""Snapshots of a long room: when they are made and attested, how they are sent, and what is pruned behind them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from sync.client.exchange import batch_maker, snapshot_maker
from sync.client.placed_changes import Compacted
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState
from sync.errors import Refused, Unreachable
from sync.ids import ObjId
from sync.server.operator.upkeep.verify import verify
from tests.sync.client.papers import (
    forgotten,
    opened,
    paper,
    second_paper,
    three_know,
    w,
)
from tests.world import World, until, until_asked

__all__ = ["w"]


async def test_a_snapshot_is_attested_as_soon_as_the_object_is_sound(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    asked = list[ObjId]()

    def is_not_sound(obj: ObjId) -> bool:
        asked.append(obj)
        return False

    monkeypatch.setattr(p.clerk.store, "is_sound", is_not_sound)
    row = await p.claim(p.head, p.whole(p.head))
    await until(lambda: p.clerk.engine.position(p.room) == p.head.engine.position(p.room))
    await until(lambda: len(asked) > 2)  # it was due, and due again
    assert p.rows(p.head) == (row,)
    monkeypatch.setattr(p.clerk.store, "is_sound", lambda obj: True)
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.clerk.uid])


async def test_one_snapshot_is_made_of_what_all_could_make(w: World) -> None:
    p = await paper(w)
    await p.attested()
    await w.settle(p.room, p.head, p.clerk)
    assert len(p.rows(p.head)) <= 2
    assert {row.uid for row in p.rows(p.head)} <= {p.head.uid, p.clerk.uid}
    assert all(uid != row.uid for row in p.rows(p.head) for uid, _ in row.attests)


async def test_a_long_state_goes_in_pieces(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.trust.room.snapshots.PIECE_BYTES", 100)
    monkeypatch.setattr(batch_maker, "BATCH_BYTES", 600)
    p = await paper(w)
    await p.attested()
    await p.add(p.guest)
    await until(lambda: p.base(p.guest) > 0)
    await opened(p)


async def test_no_snapshot_is_made_of_an_incomplete_room(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    room, work = p.at(p.clerk), p.clerk.engine.parts.snapshots
    assert snapshot_maker.is_steady(room)
    with monkeypatch.context() as patched:
        patched.setattr(RoomSync, "waiting", 1)
        assert not snapshot_maker.is_steady(room), "something waits for a key"
    room.announce(room.head_n + 1)
    assert not snapshot_maker.is_steady(room), "something is on its way"
    room.forget_announced()
    p.clerk.store.db.conn.execute("DELETE FROM snapshots")
    with monkeypatch.context() as patched:
        patched.setattr(RoomSync, "reread", 10)
        assert await work._state(room, p.obj, room.kept_n) is None, "what stands before is not here, nor a state of it"
    assert await work._state(room, p.obj, room.kept_n) == p.whole(p.clerk)


async def test_what_is_pruned_is_gone_from_the_server_and_a_newcomer_reads_on_all_the_same(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    await three_know(p)
    with pytest.raises(Refused, match="early"):
        await p.head.engine.operations.prune(p.room, p.obj)
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    assert w.running is not None
    before = await w.running.service.rooms.room_bytes(p.room)
    await p.head.engine.operations.prune(p.room, p.obj)
    await until(lambda: bool(p.at(p.clerk).stream.state.pruned))
    ((_, n),) = p.at(p.clerk).stream.state.pruned.items()
    await forgotten(w, p, n)
    rooms = w.running.service.rooms

    async def is_counted() -> bool:
        return await rooms.room_bytes(p.room) < before

    await until_asked(is_counted)  # the server counts after the content is gone
    later = replace(p, guest=await w.second(p.clerk))
    await until(lambda: later.text(later.guest) == p.text(p.head))
    await until(lambda: later.guest.engine.position(p.room) > 0 and later.guest.engine.reread_progress(p.room) is None)
    begun, edits = later.guest.store.changes.history(p.obj)
    assert begun, "the snapshot stays: what it stands for is gone"
    assert all((c.n or 0) > n for c in edits)
    await p.write(later.guest, "slut")
    await w.settle(p.room, *w.clients)
    assert p.text(p.head).endswith("slut")
    await w.stop_server()
    found: list[object] = []
    verify(w.data, found.append, lambda _: None)
    assert found == []


async def test_an_interrupted_prune_is_continued(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w)
    await three_know(p)
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    with monkeypatch.context() as cut:
        cut.setattr("sync.server.rules.pruned_content.Pruning.begin", lambda *_: None)
        await p.head.engine.operations.prune(p.room, p.obj)
    ((_, n),) = p.at(p.head).stream.state.pruned.items()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(forgotten(w, p, n), 0.5)
    await w.stop_server()
    await w.start_server()
    await until(lambda: p.clerk.engine.status.state is LinkState.ONLINE)
    await forgotten(w, p, n)


async def test_a_snapshot_that_comes_while_another_object_is_attested_is_attested_too(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w, monkeypatch)
    other = await second_paper(p)
    work, asked, go_on = p.clerk.engine.parts.snapshots, asyncio.Event(), asyncio.Event()
    content = work._backfill.content

    async def slow_content(*args: Any) -> Compacted | None:
        asked.set()
        await go_on.wait()
        return await content(*args)

    monkeypatch.setattr(work._backfill, "content", slow_content)
    monkeypatch.setattr(p.clerk.store, "is_sound", lambda obj: False)
    for each in (p, other):
        await each.claim(each.head, each.whole(each.head))
    await w.settle(p.room, p.head, p.clerk)
    monkeypatch.setattr(p.clerk.store, "is_sound", lambda obj: True)
    await asked.wait()
    newer = await other.claim(other.head, other.whole(other.head))
    await w.settle(p.room, p.head, p.clerk)
    go_on.set()
    await until(lambda: all(each.rows(p.head)[-1].attests for each in (p, other)))
    assert other.rows(p.head)[-1].ident == newer.ident


async def test_an_attest_that_a_lost_connection_interrupts_is_made_on_the_next_one(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w, monkeypatch)
    content = p.clerk.engine.parts.snapshots._backfill.content

    async def cut(*_: Any) -> Compacted | None:
        monkeypatch.setattr(p.clerk.engine.parts.snapshots._backfill, "content", content)
        raise Unreachable("gone")

    monkeypatch.setattr(p.clerk.engine.parts.snapshots._backfill, "content", cut)
    row = await p.claim(p.head, p.whole(p.head))
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.clerk.uid])
    assert p.rows(p.head)[-1].ident == row.ident
