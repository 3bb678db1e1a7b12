# SPDX-License-Identifier: EUPL-1.2
"""Nobody loses what was pruned: a device that had not fetched it yet gets the object from the snapshot that replaces
it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from app.kinds import KINDS
from app.objects.crdt import CrdtText
from app.objects.pieces import encode
from sync.client.exchange import snapshot_maker
from sync.client.exchange.backfill import TRIES, Backfill
from sync.client.exchange.missing_keys import Seals
from sync.client.exchange.reread import Rereading
from sync.client.link import Link
from sync.client.room import bootstrap_buffer
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.errors import Refused
from sync.ids import ObjId, RoomId
from sync.protocol import messages as m
from sync.trust.formats.items import Item
from sync.trust.room.room_state import Snapshot
from sync.trust.room.stream import AcceptedEnvelope
from tests.journeys.restoring import backed_up, open_again, restored, whole
from tests.sync.client.papers import WORDS, Paper, forgotten, other_state, paper, three_know
from tests.sync.client.test_seals import lose
from tests.world import Client, World, until, world


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 20)
    monkeypatch.setattr(snapshot_maker, "EVERY_OPS", 30)
    monkeypatch.setattr(snapshot_maker, "SPREAD_S", 0.05)
    monkeypatch.setattr(snapshot_maker, "AGAIN_S", 0.1)
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    async with world(tmp_path, kinds={kind.id: kind for kind in KINDS}) as made:
        yield made


async def prune(w: World, p: Paper) -> int:
    """Prunes, and returns the position up to which the server has forgotten the document."""
    await p.head.engine.operations.prune(p.room, p.obj)
    ((_, n),) = p.at(p.head).stream.state.pruned.items()
    await forgotten(w, p, n)
    return n


async def prune_until_refused(p: Paper) -> None:
    """Two devices that made a snapshot at the same time left two behind which the object can be pruned."""
    for _ in p.rows(p.head):
        await p.head.engine.operations.prune(p.room, p.obj)


async def away_while_pruned(w: World, p: Paper, cut: pytest.MonkeyPatch | None = None) -> Client:
    """Another device of the clerk's, which was off while the document was written on and pruned. `cut`: it had read
    nothing of what is before the snapshot with which it began."""
    with (cut or pytest.MonkeyPatch()).context() as held:
        if cut is not None:
            await until(lambda: any(row.attests for row in p.rows(p.head)))
            held.setattr(Rereading, "queue", lambda *_: None)
        away = await w.second(p.clerk)
        await until(lambda: p.text(away) == p.text(p.head))
        await until(lambda: (away.engine.reread_progress(p.room) is not None) == (cut is not None))
        had = away.engine.position(p.room)
        await away.offline()
    await three_know(p)
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 and row.covers > had + 5 for row in p.rows(p.head)))
    assert await prune(w, p) > had + 5
    await p.write(p.head, "slut")
    return away


async def test_a_device_that_was_away_when_what_it_lacked_was_pruned_has_the_whole_text(w: World) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p)
    away.online()
    await until(lambda: p.text(away) == p.text(p.head))
    assert p.text(away).endswith("slut")
    await p.write(away, " och mer")
    await w.settle(p.room, *w.clients)
    assert p.text(p.head).endswith("slut och mer")


async def test_a_newcomer_to_a_short_room_has_what_was_pruned(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap_buffer, "HEADERS_ONLY_FROM", 10_000)
    p = await paper(w)
    await three_know(p)
    await prune(w, p)
    later = replace(p, guest=await w.second(p.clerk))
    await until(lambda: later.text(later.guest) == p.text(p.head) != "")
    with pytest.raises(Refused, match="snapshot"):  # nothing more can be pruned
        await prune_until_refused(p)


async def whole_again(p: Paper, away: Client) -> None:
    """Waits until it has the text that the others have, and nothing is missing any more."""
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.store.incomplete(p.room) == [])


@pytest.mark.slow
async def test_what_was_missed_is_asked_for_again_after_a_crash(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w)
    away = await away_while_pruned(w, p)
    with monkeypatch.context() as cut:
        cut.setattr(Backfill, "fetch_pruned", _nothing)
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
        lying.setattr(Backfill, "_one", _refused)
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
        lying.setattr(Backfill, "_one", _refused)
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
    await _attested_by_three(w, p)
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
    await _attested_by_three(w, p)
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
    shown = [room.shown(Item(i.n, i.t, i.kind, i.body, i.sig, None), i.n) for i in await _items(p)]
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
async def test_what_was_written_offline_is_in_the_text_though_what_it_builds_on_is_pruned(w: World) -> None:
    """Its neighbours were deleted in between, too."""
    p = await paper(w)
    away = await w.second(p.clerk)
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None)
    had = away.engine.position(p.room)
    await away.offline()
    edit(p, away, lambda text: text.insert(5, "osänt "))
    edit(p, away, lambda text: text.insert(5, "också "))
    await three_know(p)
    edit(p, p.head, lambda text: text.delete(0, 20))
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 and row.covers > had + 5 for row in p.rows(p.head)))
    await prune(w, p)
    away.online()
    await w.settle(p.room, *w.clients)
    await until(lambda: p.text(away) == p.text(p.head))
    assert "också osänt " in p.text(p.head)
    later = replace(p, guest=await w.second(p.clerk))
    await until(lambda: later.text(later.guest) == p.text(p.head))


@pytest.mark.slow
async def test_what_was_placed_and_pruned_before_its_author_saw_it_there_counts_once(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    away = await w.second(p.clerk)
    await until(lambda: p.text(away) == p.text(p.head))
    await until(lambda: away.engine.reread_progress(p.room) is None)
    had = away.engine.position(p.room)
    with monkeypatch.context() as cut:
        cut.setattr(away.engine.parts.inbox, "_take_fresh", _nothing)
        edit(p, away, lambda text: text.insert(0, "Eget "))
        await until(lambda: "Eget" in p.text(p.head))
        await away.stop()
    assert away.engine.position(p.room) == had
    await three_know(p)
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 and row.covers > had + 5 for row in p.rows(p.head)))
    await prune(w, p)
    await away.restart()
    await until(lambda: away.engine.status.state is LinkState.ONLINE)
    await w.settle(p.room, *w.clients)
    await until(lambda: p.text(away) == p.text(p.head))
    assert p.text(p.head).count("Eget") == 1


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


async def connected(client: Client) -> None:
    client.online()
    await until(lambda: client.engine.status.state is LinkState.ONLINE)


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


def edit(p: Paper, by: Client, change: Callable[[CrdtText], None]) -> None:
    """One edit of the text, which waits to be sent."""
    doc, updates = p.doc(by), list[bytes]()
    doc.updated.connect(lambda u: updates.append(u.data))
    with doc.transact():
        change(doc.text("text"))
    for data in encode(updates[0]):
        by.say(p.room, p.obj, data)


async def _attested_by_three(w: World, p: Paper) -> None:
    """A snapshot of all that is written, under the key in force. Another device may place one at the same moment, and
    then the others attest the later of the two."""
    await w.settle(p.room, p.head, p.clerk, p.guest)
    written = max(c.n or 0 for c in p.head.store.changes.of(p.obj))
    claimed = await p.claim(p.clerk, p.whole(p.clerk))

    def is_attested(row: Snapshot) -> bool:
        return row.n >= claimed.n and row.covers >= written and len(row.attests) > 1

    await until(lambda: any(map(is_attested, p.rows(p.head))))


async def _items(p: Paper) -> list[m.WireItem]:
    return (await p.clerk.engine.parts.link.pull(p.room, 0)).items


async def _nothing(*_: object) -> None: ...


async def _refused(*_: object) -> None:
    raise Refused("invalid")
