# SPDX-License-Identifier: EUPL-1.2
"""A room of one's own: the person's devices attest their snapshots, and clear its old changes by themselves."""

from dataclasses import replace

import pytest

from app.core.ids import ObjId, new_obj
from app.documents import KIND
from app.rooms.records import ObjectAnnounced
from app.rooms.records import encode as record
from sync.client.exchange import own_rooms, snapshot_maker
from sync.errors import Refused, Unreachable
from sync.ids import Hash, Uid
from sync.trust.room.payloads import Prune
from sync.trust.room.room_state import RoomState, Snapshot
from sync.trust.room.snapshots import PRUNE_AFTER_MS
from tests.sync.client.papers import WORDS, Paper, forgotten, other_state, paper, w
from tests.world import Client, World, until

__all__ = ["w"]

YEARS = 3


async def own_paper(w: World) -> Paper:
    """A document in a person's own room, on their first device."""
    (head,) = await w.hire("Enhetschef")
    room, obj = await head.engine.operations.create_room(own=True), new_obj()
    head.say(room, ObjId(room), record(ObjectAnnounced(obj=obj, kind=KIND.id)))
    made = Paper(room, obj, head, head, head)
    await made.write(head, "Utkast å 🙂 ")
    return made


async def with_laptop(w: World, p: Paper) -> Paper:
    """The same with a second device of the person, `clerk`."""
    laptop = await w.second(p.head)
    both = replace(p, clerk=laptop)
    await until(lambda: both.text(laptop) == both.text(p.head))
    await w.settle(p.room, p.head, laptop)
    return both


def dev(client: Client) -> bytes:
    return client.engine.devices.mine


def attesters(p: Paper, at: Client) -> list[bytes]:
    """The devices that attest the newest snapshot."""
    rows = p.rows(at)
    return [by for by, _ in rows[-1].attests] if rows else []


async def cleared(p: Paper, by: Client) -> int:
    """Clears the room at a device, as its driver does each day. Returns the position up to which it is pruned."""
    await p.head.engine.operations.settled(p.room)
    assert await by.engine.own_rooms.prune(p.room) in (0, 1)
    await by.engine.operations.settled(p.room)
    return p.at(by).stream.state.pruned.get(p.obj, 0)


async def quiet(p: Paper, at: Client) -> None:
    """Waits until a device has made and sent all snapshots and attests that are due."""
    maker, outbox = at.engine.parts.snapshots, at.engine.parts.outbox
    await until(lambda: at.store.grown(p.obj, p.rows(at)[-1].covers)[0] < snapshot_maker.EVERY_OPS)
    await until(lambda: not maker._make_at and not maker._attest_at and not outbox._extras.rooms())
    await until(lambda: p.room not in outbox._extras._packed and p.at(at).caught_up)


async def test_nobody_is_added_to_a_room_of_ones_own(w: World) -> None:
    p = await own_paper(w)
    (colleague,) = await w.hire("Handläggare")
    with pytest.raises(Refused, match="forbidden"):
        await p.add(colleague)
    assert p.head.engine.own_rooms.is_own(p.room) is True
    assert p.head.engine.own_rooms.is_own(await w.room(p.head)) is False
    assert colleague.engine.own_rooms.is_own(p.room) is None, "it is not known there"


async def test_the_only_device_attests_its_own_snapshot(w: World) -> None:
    p = await own_paper(w)
    await p.write(p.head, *WORDS)
    await until(lambda: attesters(p, p.head) == [dev(p.head)])


async def test_of_two_devices_the_other_attests(w: World) -> None:
    p = await with_laptop(w, await own_paper(w))
    await p.write(p.head, *WORDS)
    await until(lambda: bool(attesters(p, p.head)))
    await w.settle(p.room, p.head, p.clerk)
    for row in p.rows(p.head):
        assert len({by for by, _ in row.attests}) == len(row.attests) <= 1


async def test_years_of_changes_are_cleared_by_the_persons_own_device(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await with_laptop(w, await own_paper(w))
    await p.clerk.offline()
    for _ in range(YEARS):
        await p.write(p.head, *WORDS)
    await until(lambda: bool(p.rows(p.head)))
    await quiet(p, p.head)
    assert await cleared(p, p.head) == 0, "no snapshot is a month old"
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    assert await cleared(p, p.head) == 0, "the snapshot is replayed first"
    await until(lambda: attesters(p, p.head) == [dev(p.head)])
    n = await cleared(p, p.head)
    assert n > len(WORDS)
    assert await cleared(p, p.head) == n, "nothing is left to do"
    await forgotten(w, p, n)

    await p.write(p.head, "Efteråt å ")
    p.clerk.online()
    await until(lambda: p.text(p.clerk) == p.text(p.head) != "")
    later = await w.second(p.head)
    await until(lambda: p.text(later) == p.text(p.head))
    assert p.base(later) >= n, "it began with the snapshot"
    await p.write(later, "Från den nya datorn å ")
    await until(lambda: p.text(p.clerk) == p.text(p.head) == p.text(later))


async def test_a_device_that_began_with_a_snapshot_replays_no_object_that_is_pruned_from_the_start(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await own_paper(w)
    await p.write(p.head, *WORDS)
    await until(lambda: attesters(p, p.head) == [dev(p.head)])
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    n = await cleared(p, p.head)
    await forgotten(w, p, n)
    later = await w.second(p.head)
    await until(lambda: p.text(later) == p.text(p.head))
    await until(lambda: later.engine.reread_progress(p.room) is None and p.at(later).caught_up)
    maker, room = later.engine.parts.snapshots, p.at(later)
    until_n = later.engine.position(p.room)
    assert await maker._state(room, p.obj, until_n) is not None
    assert await maker._state(room, p.obj, until_n, from_start=True) is None


async def test_attack_a_device_confirms_no_own_snapshot_that_was_built_on_a_false_state(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await own_paper(w)
    false = other_state("falskt å", p.head, p.room)
    p.head.store.put_base(p.room, p.obj, p.head.engine.position(p.room), false)
    await p.write(p.head, *WORDS)
    await until(lambda: bool(p.rows(p.head)))
    await until(lambda: p.head.store.base(p.obj) is None)  # found false
    first = p.rows(p.head)[0]
    await p.write(p.head, *WORDS)
    await until(lambda: attesters(p, p.head) == [dev(p.head)])
    assert p.rows(p.head)[0].ident == first.ident
    assert p.rows(p.head)[0].attests == ()


async def test_attack_a_stolen_device_has_no_other_device_prune_behind_its_false_snapshot(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await with_laptop(w, await own_paper(w))
    monkeypatch.setattr("sync.client.exchange.snapshot_maker.EVERY_OPS", 10_000)
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    await p.write(p.head, *WORDS)
    await w.settle(p.room, p.head, p.clerk)
    false = other_state("falskt å", p.clerk, p.room)
    row = await p.claim(p.clerk, false)
    await p.attest(p.clerk, row, false.digest)
    await w.settle(p.room, p.head, p.clerk)
    assert await cleared(p, p.head) == 0
    await until(lambda: not p.head.engine.parts.snapshots._attest_at)
    assert await cleared(p, p.head) == 0, "it replays the changes, and attests nothing"
    assert attesters(p, p.head) == [dev(p.clerk)]
    good = await p.claim(p.clerk, p.whole(p.head))
    await until(lambda: p.rows(p.head)[-1].ident == good.ident)
    await until(lambda: attesters(p, p.head) == [dev(p.head)])
    assert await cleared(p, p.head) == good.covers


async def test_only_rooms_of_ones_own_are_cleared_without_asking(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w)
    await p.attested()
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)
    assert await p.head.engine.own_rooms.prune(p.room) == 0
    assert p.at(p.head).stream.state.pruned == {}
    mine = await own_paper(w)
    await mine.write(mine.head, *WORDS)
    await until(lambda: bool(attesters(mine, mine.head)))
    await mine.head.offline()
    with pytest.raises((Unreachable, Refused)):
        await mine.head.engine.operations.prune_behind(
            mine.room, Prune(obj=mine.obj, n=mine.rows(mine.head)[-1].covers, snapshot=mine.rows(mine.head)[-1].ident)
        )


def test_attack_a_snapshot_is_old_enough_by_both_clocks_or_it_is_not() -> None:
    def row(n: int, covers: int, t: int) -> Snapshot:
        return Snapshot(ident=Hash(bytes((n,)) * 32), n=n, t=t, uid=Uid(b"u" * 16), covers=covers)

    obj = ObjId(b"o" * 16)
    rows = (row(5, 4, 0), row(9, 8, 1000), row(12, 6, 0), row(20, 19, PRUNE_AFTER_MS))
    s = RoomState(snapshots={obj: rows}, pruned={obj: 4})
    now_ms = PRUNE_AFTER_MS + 1000
    assert [r.n for r in own_rooms.old_enough(s, obj, now_ms, lambda n: PRUNE_AFTER_MS)] == [12, 9]
    assert own_rooms.old_enough(s, obj, now_ms, lambda n: PRUNE_AFTER_MS - 1) == [], "by this device's own clock"
    assert [r.n for r in own_rooms.old_enough(s, obj, now_ms - 1, lambda n: PRUNE_AFTER_MS)] == [12]
