# SPDX-License-Identifier: EUPL-1.2
"""Nobody loses what was pruned: newcomers, and members who were removed or lacked a key, get the object from the
snapshot that replaces it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from sync.client.exchange import snapshot_maker
from sync.client.exchange.backfill import Backfill
from sync.client.exchange.missing_keys import Seals
from sync.client.exchange.reread import Rereading
from sync.client.link import Link
from sync.client.room import bootstrap_buffer
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.errors import Refused
from sync.ids import RoomId
from sync.protocol import messages as m
from sync.trust.room.stream import AcceptedEnvelope
from tests.sync.client.papers import WORDS, paper, three_know
from tests.sync.client.pruning import (
    attested_by_three,
    away_while_pruned,
    prune,
    prune_until_refused,
    refused,
    w,
    whole_again,
)
from tests.sync.client.test_seals import lose
from tests.world import World, until

__all__ = ["w"]  # a fixture


async def test_a_newcomer_to_a_short_room_has_what_was_pruned(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 10_000)
    p = await paper(w)
    await three_know(p)
    await prune(w, p)
    later = replace(p, guest=await w.second(p.clerk))
    await until(lambda: later.text(later.guest) == p.text(p.head) != "")
    with pytest.raises(Refused, match="snapshot"):  # nothing more can be pruned
        await prune_until_refused(p)


async def test_a_member_removed_and_added_again_has_what_was_pruned_in_between(w: World) -> None:
    """A former member does not give up objects that they could read when these were pruned."""
    p = await paper(w)
    away = await away_while_pruned(w, p)
    before = p.text(p.head)
    await p.head.engine.operations.remove(p.room, p.clerk.uid)
    away.online()
    await until(lambda: away.engine.room_state(p.room) is RoomState.LEFT)
    await until(lambda: p.text(away) == before)
    await p.write(p.head, " och mer")
    await p.add(p.clerk)
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None and snapshot_maker.is_steady(p.at(away)))
    assert away.store.incomplete(p.room) == []


@pytest.mark.slow
async def test_a_removed_member_keeps_the_missing_range_until_it_can_be_backfilled(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p)
    await p.head.engine.operations.remove(p.room, p.clerk.uid)
    with monkeypatch.context() as lying:
        lying.setattr(Backfill, "_one", refused)
        away.online()
        await until(lambda: bool(away.engine.parts.inbox._backfill._given_up))
        assert away.engine.room_state(p.room) is RoomState.LEFT
        assert away.store.incomplete(p.room) == [p.obj]
    await away.restart()
    await until(lambda: away.engine.status.state is LinkState.ONLINE)
    monkeypatch.setattr(Rereading, "queue", lambda *_: None)
    await p.add(p.clerk)
    await whole_again(p, away)


@pytest.mark.slow
async def test_what_a_missing_key_keeps_shut_is_asked_for_again_when_the_key_comes(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    away = await w.second(p.clerk)
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None)
    await away.offline()
    await p.head.engine.operations.rotate(p.room)
    await three_know(p)
    await attested_by_three(w, p)
    await prune(w, p)
    epoch = p.at(p.head).stream.epoch
    await p.clerk.offline()
    await p.guest.offline()
    with monkeypatch.context() as held:
        held.setattr(Seals, "see", lambda *_: None)  # nobody answers
        for e in range(2, epoch + 1):
            lose(w, away, p.room, e)
        away.online()
        await until(lambda: p.at(away).keys.needs_key and bool(away.engine.parts.inbox._backfill._given_up))
        assert away.store.incomplete(p.room) == [p.obj]
    p.head.engine.parts.seals._answers[p.room, p.clerk.uid, epoch] = 0
    p.head.engine.parts.link.seal_work.set()
    await whole_again(p, away)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["both", "archive"])
async def test_the_key_of_the_replacing_snapshot_is_fetched_though_nothing_else_needs_it(w: World, lost: str) -> None:
    """Everything written in an epoch is pruned, and the next epoch does not link to it."""
    p = await paper(w)
    away = await w.second(p.clerk)
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None)
    await three_know(p)
    await until(lambda: away.engine.position(p.room) == p.head.engine.position(p.room))
    await away.offline()
    await p.head.engine.operations.rotate(p.room)
    epoch = p.at(p.head).stream.epoch
    await p.write(p.head, *WORDS[:5])
    await attested_by_three(w, p)
    n = await prune(w, p)
    assert all((c.n or 0) <= n for c in p.head.store.changes.of(p.obj)), "all that was written since is pruned"
    await until(lambda: len({at.engine.position(p.room) for at in (p.head, p.clerk, p.guest)}) == 1)
    keys = p.at(p.head).keys.ring._keys
    held = keys.pop(epoch)  # a member who lost it begins the next epoch without it
    keys |= {epoch: (held[0], None)} if lost == "archive" else {}
    await p.head.engine.operations.rotate(p.room)
    keys[epoch] = held
    away.online()
    await whole_again(p, away)


@pytest.mark.slow
@pytest.mark.parametrize("headers_only", [True, False])
async def test_a_newcomer_half_through_reading_at_the_prune_has_the_whole_text(
    w: World, monkeypatch: pytest.MonkeyPatch, headers_only: bool
) -> None:
    """`headers_only`: all positions are judged and no content is here yet; otherwise some of the content is."""
    monkeypatch.setattr("sync.client.link.MAX_PULL_BYTES", 4_000)
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 20 if headers_only else 10_000)
    p = await paper(w)
    await three_know(p)
    await p.write(p.head, *WORDS[:10])
    known = {client.engine.parts.link.account.dev for client in w.clients}
    begun, pruned = asyncio.Event(), asyncio.Event()
    pull, fetch = Link.pull, Backfill._fetch
    pulls = list[int]()

    async def wait(link: Link) -> None:
        if link.account.dev not in known:
            begun.set()
            await pruned.wait()

    async def late(link: Link, room: RoomId, after: int, *, headers_only: bool = False) -> m.Items:
        pulls.extend([after] if link.account.dev not in known else [])
        if len(pulls) > 6 and not headers_only:
            await wait(link)
        return await pull(link, room, after, headers_only=headers_only)

    async def later(self: Backfill, room: RoomSync, ns: Sequence[int]) -> AsyncIterator[list[AcceptedEnvelope]]:
        await wait(self._link)
        async for items in fetch(self, room, ns):
            yield items

    monkeypatch.setattr(Link, "pull", late)
    monkeypatch.setattr(Backfill, "_fetch", later)
    coming = asyncio.ensure_future(w.second(p.clerk))
    await begun.wait()
    await prune(w, p)
    await p.write(p.head, "slut")
    pruned.set()
    new = await coming
    await until(lambda: p.text(new) == p.text(p.head))
    await until(lambda: new.store.incomplete(p.room) == [])
    assert p.at(new).problem is None
