# SPDX-License-Identifier: EUPL-1.2
"""False snapshots, false attests and content that is not what was attested: nobody opens or attests them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from app.core.ids import ObjId, new_obj
from app.documents import KIND
from app.rooms.records import ObjectAnnounced
from app.rooms.records import encode as record
from sync.client.exchange import snapshot_maker
from sync.client.exchange.backfill import pack
from sync.client.exchange.extras import Extra
from sync.client.exchange.reread import Rereading
from sync.client.ports import OpenedChange
from sync.client.room.room_keys import RoomKeys
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.protocol import messages as m
from sync.trust.room import envelope
from sync.trust.room.snapshots import pieces
from tests.app.poison import Writer
from tests.journeys.bad_input.checks import honest, lie
from tests.sync.client.papers import WORDS, noted, nothing, opened, other_state, paper, w
from tests.world import World, until

__all__ = ["w"]


async def test_attack_nobody_attests_on_the_word_of_others_before_the_history_is_here(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a newcomer computes from a snapshot about which two people lied would be the second attest of the
    next one."""
    p = await paper(w, monkeypatch)
    await p.claim(p.clerk, p.whole(p.clerk))
    await until(lambda: bool(p.rows(p.head)[-1].attests))
    with monkeypatch.context() as later:
        later.setattr(Rereading, "queue", lambda *_: None)
        await p.add(p.guest)
        await until(lambda: p.base(p.guest) > 0)
        await p.write(p.clerk, "mer")
        row = await p.claim(p.clerk, p.whole(p.clerk))
        work = p.guest.engine.parts.snapshots
        await until(lambda: [claim.snapshot for claim in work._put_off.values()] == [row.ident])
        await until(lambda: [uid for uid, _ in p.rows(p.guest)[-1].attests] == [p.head.uid])
        made = list[RoomSync]()
        later.setattr(work, "_make", noted(made))
        work._make_at[p.room, p.obj] = 0.0
        work._wake.set()
        await until(lambda: not work._make_at)
        assert made == [], "nor does it make one"
    p.guest.engine.parts.inbox.rereading.queue(p.at(p.guest))
    await opened(p)
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.head.uid, p.guest.uid])


async def test_attack_a_snapshot_that_two_lied_about_is_found_out_when_the_history_is_here(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One makes it and another attests it: a newcomer opens it, and neither attests it nor builds on it later."""
    p = await paper(w, monkeypatch)
    false = other_state("Något helt annat", p.clerk, p.room)
    row = await p.claim(p.clerk, false)
    await p.attest(p.head, row, false.digest)
    with monkeypatch.context() as later:
        later.setattr(Rereading, "queue", lambda *_: None)
        await p.add(p.guest)
        await until(lambda: p.base(p.guest) == row.covers)
        assert p.text(p.guest) == "Något helt annat"
    await p.guest.restart()
    await opened(p)
    assert p.base(p.guest) == 0
    work = p.guest.engine.parts.snapshots
    assert await work._state(p.at(p.guest), p.obj, row.covers) == p.whole(p.head, row.covers)
    assert [uid for uid, _ in p.rows(p.guest)[-1].attests] == [p.head.uid]
    assert work._attest_at == {}


@pytest.mark.parametrize("text", ["".join(WORDS), "Något helt annat"], ids=["look-alike", "hostile"])
async def test_attack_a_false_snapshot_is_attested_by_nobody_and_not_opened(
    w: World, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    p = await paper(w, monkeypatch)
    looked = list[bool]()
    honest_attest = snapshot_maker.Snapshots._attest

    async def look(self: snapshot_maker.Snapshots, *what: Any) -> None:
        await honest_attest(self, *what)
        looked.append(True)

    monkeypatch.setattr(snapshot_maker.Snapshots, "_attest", look)
    await p.claim(p.clerk, other_state(text, p.clerk, p.room))
    await until(lambda: bool(looked))
    await p.write(p.head, "mer")
    assert p.rows(p.head)[-1].attests == ()
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def test_attack_a_snapshot_under_k_alone_is_ignored(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    ring = p.at(p.clerk).keys.ring
    with monkeypatch.context() as false:
        false.setattr(ring, "a", ring.k)
        row = await p.claim(p.clerk, p.whole(p.clerk))
    await p.attest(p.head, row, p.whole(p.clerk).digest)
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def test_attack_an_attest_of_another_hash_opens_nothing(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    monkeypatch.setattr(snapshot_maker.Snapshots, "_attest", nothing)
    row = await p.claim(p.clerk, p.whole(p.clerk))
    await p.attest(p.head, row, bytes(32))
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def test_attack_content_that_has_not_the_hash_is_attested_by_nobody(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash that it states is right. Two people who believed it would let an administrator prune what nobody can
    open."""
    p = await paper(w, monkeypatch)
    looked = list[bool]()
    honest_attest = snapshot_maker.Snapshots._attest

    async def look(self: snapshot_maker.Snapshots, *what: Any) -> None:
        await honest_attest(self, *what)
        looked.append(self._link.account.uid == p.head.uid)

    monkeypatch.setattr(snapshot_maker.Snapshots, "_attest", look)
    await p.claim(p.clerk, other_state("Något annat", p.clerk, p.room), digest=p.whole(p.clerk).digest)
    await until(lambda: True in looked)
    await p.write(p.head, "mer")
    assert p.rows(p.head)[-1].attests == ()
    await p.claim(p.clerk, p.whole(p.clerk))
    await until(lambda: bool(p.rows(p.head)[-1].attests))


async def test_attack_content_that_has_not_the_attested_hash_is_not_opened(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w, monkeypatch)
    true = p.whole(p.clerk)
    row = await p.claim(p.clerk, other_state("Något annat", p.clerk, p.room), digest=true.digest)
    await p.attest(p.head, row, true.digest)
    assert row.ident == p.rows(p.head)[-1].ident
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


def _contents(change: Callable[[m.WireItem], m.WireItem]) -> Callable[[m.ServerFrame], Sequence[m.Frame]]:
    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.ContentsReply):
            return [m.ContentsReply(frame.rid, [change(i) for i in frame.items])]
        if isinstance(frame, m.Items):  # otherwise the next pull would repair it
            none = [m.WireItem(i.n, i.t, i.kind, i.body, i.sig, None) for i in frame.items]
            return [m.Items(frame.rid, frame.room, none, frame.shares, frame.receipt)]
        return [frame]

    return rewrite


@pytest.mark.parametrize(
    "change",
    [
        lambda i: m.WireItem(i.n, i.t, i.kind, i.body, i.sig, None),
        lambda i: m.WireItem(i.n, i.t, i.kind, i.body, i.sig, bytes(len(i.ct))),
        lambda i: m.WireItem(i.n, i.t + 1, i.kind, i.body, i.sig, i.ct),
        lambda i: m.WireItem(i.n + 1, i.t, i.kind, i.body, i.sig, i.ct),
    ],
    ids=["none", "other", "time", "place"],
)
async def test_attack_content_fetched_later_is_that_of_the_judged_item_or_missed(
    w: World, change: Callable[[m.WireItem], m.WireItem]
) -> None:
    p = await paper(w)
    await lie(p.guest, _contents(change))
    await p.add(p.guest)
    await until(lambda: p.guest.engine.room_state(p.room) is RoomState.WITHHELD)
    assert p.guest.store.changes.of(p.obj) == []
    await honest(p.guest)
    await opened(p)


async def test_attack_what_waits_for_ever_keeps_no_other_object_on_its_snapshot(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member can write what nobody can open."""
    p = await paper(w)
    await p.attested()
    other, take, lacks = new_obj(), RoomKeys.open, [True]
    p.head.say(p.room, ObjId(p.room), record(ObjectAnnounced(obj=other, kind=KIND.id)))
    await p.write(p.head, "slut.")
    p.head.say(p.room, other, Writer("Kan ingen läsa 🙂").take()[0])
    await w.settle(p.room, p.head, p.clerk)

    def shut(self: RoomKeys, n: int, t: int, hdr: envelope.Header, *rest: bytes) -> list[OpenedChange] | None:
        is_shut = hdr.obj == other or (lacks[0] and hdr.obj == p.obj and n < 12)
        return None if self._account.uid == p.guest.uid and is_shut else take(self, n, t, hdr, *rest)

    monkeypatch.setattr(RoomKeys, "open", shut)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    await until(lambda: p.guest.engine.reread_progress(p.room) is None)
    assert p.at(p.guest).waiting > 1
    assert p.base(p.guest) == 0
    lacks[0] = False
    await p.guest.restart()
    await until(lambda: p.guest.engine.status.state is LinkState.ONLINE)
    await until(lambda: p.at(p.guest).waiting == 1)
    await until(lambda: not p.guest.store.changes.history(p.obj)[0])
    assert p.text(p.guest) == p.text(p.head)


async def test_attack_what_waits_in_one_object_leaves_anothers_snapshot_checked(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one change that nobody can open had each change of every other object tried by itself."""
    p = await paper(w)
    await p.attested()
    other, take = new_obj(), RoomKeys.open
    p.head.say(p.room, ObjId(p.room), record(ObjectAnnounced(obj=other, kind=KIND.id)))
    p.head.say(p.room, other, Writer("Kan ingen läsa 🙂").take()[0])
    await w.settle(p.room, p.head, p.clerk)

    def shut(self: RoomKeys, n: int, t: int, hdr: envelope.Header, *rest: bytes) -> list[OpenedChange] | None:
        is_shut = self._account.uid == p.guest.uid and hdr.obj == other
        return None if is_shut else take(self, n, t, hdr, *rest)

    monkeypatch.setattr(RoomKeys, "open", shut)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    await until(lambda: p.guest.engine.reread_progress(p.room) is None)
    await until(lambda: not p.guest.store.changes.history(p.obj)[0])
    assert p.at(p.guest).waiting == 1
    assert p.base(p.guest) > 0
    assert p.text(p.guest) == p.text(p.head)


async def test_attack_a_snapshot_within_what_it_covers_is_not_attested_nor_opened(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prune behind it would remove its first pieces, and no later newcomer could open it."""
    monkeypatch.setattr("sync.trust.room.snapshots.PIECE_BYTES", 100)
    p = await paper(w, monkeypatch)
    taken = list[bool]()
    take_piece = snapshot_maker.Snapshots._take_piece

    def noted(self: snapshot_maker.Snapshots, *what: Any) -> None:
        take_piece(self, *what)
        taken.append(self._link.account.uid == p.head.uid)

    monkeypatch.setattr(snapshot_maker.Snapshots, "_take_piece", noted)
    state = p.whole(p.clerk)
    first, *rest = pieces(b"t" * 16, state.digest, pack(state))
    assert rest
    send = p.clerk.engine.parts.outbox.send_beside
    send(p.room, [Extra(obj=p.obj, kind=envelope.SNAPSHOT, about=b"", payload=first.encode())])
    await until(lambda: True in taken)
    await w.settle(p.room, p.head, p.clerk)  # only now: what is sent beside does not count as waiting
    n = p.clerk.engine.position(p.room)
    about = [b""] * (len(rest) - 1) + [n.to_bytes(8, "big")]
    send(
        p.room,
        [
            Extra(obj=p.obj, kind=envelope.SNAPSHOT, about=a, payload=piece.encode())
            for a, piece in zip(about, rest, strict=True)
        ],
    )
    await until(lambda: taken.count(True) == len(rest) + 1 and bool(p.rows(p.head)))
    assert p.head.engine.parts.snapshots._attest_at == {}
    await p.attest(p.head, p.rows(p.head)[-1], state.digest)
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0
