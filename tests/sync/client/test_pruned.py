# SPDX-License-Identifier: EUPL-1.2
"""Nobody loses what was pruned: a device that had not fetched it yet gets the object from the snapshot that replaces
it."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

import msgspec
import pytest

from app.store.trials import Trials
from sync.client.exchange import snapshot_maker
from sync.client.exchange.backfill import TRIES, Backfill
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.ids import ObjId, RoomId
from sync.protocol import messages as m
from sync.trust.formats.items import Item
from tests.journeys.restoring import backed_up, open_again, restored, whole
from tests.patience import PATIENCE_S
from tests.sync.client.papers import WORDS, forgotten, other_state, paper
from tests.sync.client.pruning import away_while_pruned, connected, items_of, prune, refused, w, whole_again
from tests.world import World, until

__all__ = ["w"]  # a fixture


async def test_a_device_that_was_away_when_what_it_lacked_was_pruned_has_the_whole_text(w: World) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p)
    away.online()
    await until(lambda: p.text(away) == p.text(p.head))
    assert p.text(away).endswith("slut")
    await p.write(away, " och mer")
    await w.settle(p.room, *w.clients)
    assert p.text(p.head).endswith("slut och mer")


@pytest.mark.slow
async def test_what_was_missed_is_asked_for_again_after_a_crash(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p)
    with monkeypatch.context() as cut:
        cut.setattr(Backfill, "_snapshot", refused)
        away.online()
        await until(lambda: away.engine.position(p.room) == p.head.engine.position(p.room))
        assert p.text(away) != p.text(p.head)
        assert not snapshot_maker.is_steady(p.at(away)), "nothing is made or attested of what has a gap"
        assert away.store.incomplete(p.room) == [p.obj]
        await away.stop()
    await away.restart()
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: snapshot_maker.is_steady(p.at(away)))
    assert away.store.incomplete(p.room) == []


@pytest.mark.slow
async def test_what_was_fetched_and_not_yet_judged_at_a_crash_is_judged_after_it(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The snapshot is stored; what follows it waited, and is judged again once it is."""
    p = await paper(w)
    away = await away_while_pruned(w, p)
    judged, reached = Trials.without_worker, asyncio.Event()
    ((_, pruned),) = p.at(p.head).stream.state.pruned.items()

    async def never(trials: Trials, objs: Collection[ObjId]) -> None:
        if objs and p.base(away) >= pruned:
            reached.set()
            await asyncio.Event().wait()
        await judged(trials, objs)

    with monkeypatch.context() as cut:
        cut.setattr(Trials, "without_worker", never)
        away.online()
        async with asyncio.timeout(PATIENCE_S):
            await reached.wait()
        assert p.text(away) != p.text(p.head)
        await away.stop()
    await away.restart()
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.store.incomplete(p.room) == [])


@pytest.mark.slow
async def test_what_is_read_again_after_the_prune_leaves_no_missing_range(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p, monkeypatch)
    away.online()
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None)
    await until(lambda: snapshot_maker.is_steady(p.at(away)))
    assert not away.engine.has_missing_range(p.room)
    assert away.store.incomplete(p.room) == []


@pytest.mark.slow
async def test_a_snapshot_in_pieces_is_found_by_a_member_who_was_away(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.trust.room.snapshots.PIECE_BYTES", 64)
    monkeypatch.setattr("sync.client.exchange.backfill.LOOK_BACK", 3)
    p = await paper(w)
    away = await away_while_pruned(w, p)
    away.online()
    await until(lambda: p.text(away) == p.text(p.head))


@pytest.mark.slow
async def test_attack_a_server_that_withholds_the_replacing_snapshot_makes_nobody_build_on_a_missing_range(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All other work continues; on the next connection the snapshot is asked for again."""
    p = await paper(w)
    away = await away_while_pruned(w, p)
    with monkeypatch.context() as lying:
        lying.setattr(Backfill, "_one", refused)
        away.online()
        await until(lambda: bool(away.engine.parts.inbox._backfill._given_up))
        assert away.store.incomplete(p.room) == [p.obj]
        assert not snapshot_maker.is_steady(p.at(away))
        assert p.at(away).problem is None
        assert away.engine.has_missing_range(p.room), "which is told"
    await away.offline()
    away.online()
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: not away.engine.has_missing_range(p.room))


async def test_attack_a_server_that_shows_the_same_positions_for_ever_keeps_nobody_busy(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p)
    pull, asked = Link.pull, list[int]()

    async def lying(link: Link, room: RoomId, after: int, *, headers_only: bool = False) -> m.Items:
        reply = await pull(link, room, after, headers_only=headers_only)
        if not headers_only or not reply.items:
            return reply
        asked.append(after)
        assert asked.count(after) < 10, "it goes round in a ring"
        again = msgspec.structs.replace(reply.items[-1], n=after)
        return msgspec.structs.replace(reply, items=[*reply.items[:-1], again])

    with monkeypatch.context() as held:
        held.setattr(Link, "pull", lying)
        away.online()
        await until(lambda: away.engine.has_missing_range(p.room))
    assert asked
    assert p.at(away).problem is None


@pytest.mark.slow
async def test_attack_two_who_lie_together_hide_nothing_that_is_pruned(w: World) -> None:
    """Newer snapshots than the one that three people attest, as many as are tried at all, and all of them false."""
    p = await paper(w)
    away = await away_while_pruned(w, p)
    for k in range(TRIES):
        false = other_state(f"Något annat {k}", p.clerk, p.room)
        row = await p.claim(p.clerk, false)
        await p.attest(p.head, row, false.digest)
    away.online()
    await until(lambda: away.store.incomplete(p.room) == [] and away.engine.position(p.room) > p.rows(p.head)[-1].n)
    assert p.text(away) == p.text(p.head)


async def test_what_is_pruned_during_a_backfill_leaves_a_missing_range(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state that was fetched replaces only what was pruned when it was asked for."""
    p = await paper(w)
    await p.clerk.offline()  # no other code reads the missing range
    room, backfill = p.at(p.clerk), p.clerk.engine.parts.inbox._backfill
    room.forget_announced()
    room.incomplete.add(p.obj)
    room.stream.state.pruned = {p.obj: 10}

    async def meanwhile(self: Backfill, room: RoomSync, obj: ObjId, held: object) -> tuple[int, tuple[int, ...]]:
        reaches = room.stream.state.pruned[obj]
        room.stream.state.pruned = {obj: 20}
        return reaches, ()

    monkeypatch.setattr(Backfill, "_snapshot", meanwhile)
    monkeypatch.setattr(p.clerk.store, "base", lambda obj: None)
    await backfill.fetch_pruned(room)
    assert room.incomplete == {p.obj}
    room.announce(room.head_n + 1)
    await backfill.fetch_pruned(room)
    assert room.incomplete == {p.obj}, "nobody can say yet up to where it is gone"
    room.forget_announced()
    await backfill.fetch_pruned(room)
    assert room.incomplete == set()


async def test_no_snapshot_is_opened_for_changes_that_are_not_pruned(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server had withheld the changes, and gave them later."""
    p = await paper(w)
    await p.clerk.offline()
    room, opened = p.at(p.clerk), list[ObjId]()

    async def noted(self: Backfill, room: RoomSync, obj: ObjId, held: object) -> int:
        opened.append(obj)
        return 0

    monkeypatch.setattr(Backfill, "_snapshot", noted)
    monkeypatch.setattr(p.clerk.store, "base", lambda obj: None)
    room.forget_announced()
    room.incomplete.add(p.obj)
    await p.clerk.engine.parts.inbox._backfill.fetch_pruned(room)
    assert (room.incomplete, opened) == (set(), [])


async def test_a_missing_range_that_was_not_stored_is_reported_again(w: World) -> None:
    """The line may be cut after the piece that showed it, before it is on the disk."""
    p = await paper(w)
    room = p.at(p.clerk)
    shown = [room.shown(Item(i.n, i.t, i.kind, i.body, i.sig, None), i.n) for i in await items_of(p)]
    gone = [item for item in shown if item is not None and item.hdr.obj == p.obj]
    for _ in range(2):
        assert [obj for received in room.open_again(gone, ()) for obj in received.incomplete] == [p.obj]


@pytest.mark.slow
async def test_a_member_away_during_two_prunes_has_the_whole_text(w: World) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p)
    ((_, first),) = p.at(p.head).stream.state.pruned.items()
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 and row.covers > first + 20 for row in p.rows(p.head)))
    assert await prune(w, p) > first
    away.online()
    await whole_again(p, away)


@pytest.mark.slow
async def test_a_server_that_is_restored_from_before_the_prune_forgets_the_same_again(w: World) -> None:
    p = await paper(w)
    backup = await backed_up(w)
    away = await away_while_pruned(w, p)
    away.online()
    await until(lambda: p.text(away) == p.text(p.head))
    await w.settle(p.room, *w.clients)
    ((_, n),) = p.at(p.head).stream.state.pruned.items()
    await restored(w, backup)
    for client in (away, p.guest, p.head, p.clerk):  # the member who fetched it pruned connects first
        await connected(client)
    await open_again(w)
    await until(lambda: all(x.engine.room_state(p.room) is RoomState.SEALED for x in w.clients))
    await forgotten(w, p, n)
    later = replace(p, guest=await w.second(p.clerk))
    await until(lambda: later.text(later.guest) == p.text(p.head) != "")
    await whole(w)
