# SPDX-License-Identifier: EUPL-1.2
"""A long room is opened from snapshots and what came after them; the rest is read in the background."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from app.core.ids import ObjId, RoomId, new_obj
from app.documents import KIND
from app.documents.records import Assembler, encode
from app.kinds import KINDS
from app.objects.crdt import CrdtDoc
from app.rooms.records import ObjectAnnounced, RoomNamed
from app.rooms.records import encode as record
from sync.client import joining, outbox, snapshots
from sync.client.keys import RoomKeys
from sync.client.opening import pack
from sync.client.outbox import Extra
from sync.client.placed import Compact, Compacted, PlacedChange, position_of
from sync.client.ports import OpenedChange, Received
from sync.client.rereading import Rereading
from sync.client.room import RoomSync
from sync.client.snapshots import Snapshots
from sync.client.status import LinkState, RoomState
from sync.errors import Refused, Unreachable
from sync.ids import ChangeId
from sync.protocol import messages as m
from sync.protocol.codec import decode_client
from sync.server.upkeep.verify import verify
from sync.trust import envelope
from sync.trust.roomstate import Snapshot
from sync.trust.snapshots import Attest, pieces
from tests.app.poison import Writer
from tests.journeys.bad_input.checks import honest, lie, reconnect
from tests.world import Client, World, until, world

WORDS = [f"{i} " for i in range(35)]


@pytest_asyncio.fixture
async def w(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(joining, "BARE_FROM", 20)
    monkeypatch.setattr(snapshots, "EVERY_OPS", 30)
    monkeypatch.setattr(snapshots, "SPREAD_S", 0.05)
    monkeypatch.setattr(snapshots, "AGAIN_S", 0.1)
    async with world(tmp_path, kinds={kind.id: kind for kind in KINDS}) as made:
        yield made


@dataclass
class Paper:
    """A document in a room of two, and somebody who is not in it yet."""

    room: RoomId
    obj: ObjId
    head: Client
    clerk: Client
    guest: Client

    def doc(self, at: Client) -> CrdtDoc:
        """As that desktop's stored changes make it."""
        doc = CrdtDoc(texts=("text",), maps=("meta",))
        doc.apply(Assembler().feed(at.store.changes.of(self.obj)))
        return doc

    def text(self, at: Client) -> str:
        return str(self.doc(at).text("text"))

    async def write(self, by: Client, *words: str) -> None:
        """Each word is an edit of its own, at its own position."""
        doc, updates = self.doc(by), list[bytes]()
        doc.updated.connect(lambda u: updates.append(u.data))
        for word in words:
            with doc.transact():
                doc.text("text").insert(len(str(doc.text("text")).encode()), word)
            for data in encode(updates.pop()):
                by.say(self.room, self.obj, data)
            await until(lambda: not by.store.waiting_count())

    async def add(self, at: Client, *, history: bool = True) -> None:
        await self.head.engine.directory(at.name)
        await self.head.engine.deeds.add(self.room, at.uid, 2, history=history)

    def at(self, client: Client) -> RoomSync:
        return client.engine._link.rooms[self.room]

    def rows(self, at: Client) -> tuple[Snapshot, ...]:
        return self.at(at).stream.state.snapshots.get(self.obj, ())

    async def attested(self) -> None:
        """Waits until a snapshot of the document is attested."""
        await until(lambda: any(row.attests for row in self.rows(self.head)))

    def base(self, at: Client) -> int:
        """Up to where the state reaches that a desktop computed or opened; 0 for none."""
        found = at.store.base(self.obj)
        return found[0] if found else 0

    def whole(self, at: Client, n: int | None = None) -> Compacted:
        """The object as that desktop's positions make it, up to `n` or to the last."""
        assert KIND.compact is not None
        n = n or at.engine.position(self.room)
        found = KIND.compact(at.store.positioned(self.obj, 0, n), n)
        assert found is not None
        return found

    async def claim(
        self, by: Client, state: Compacted, *, kind: int = envelope.SNAPSHOT, digest: bytes | None = None
    ) -> Snapshot:
        """A snapshot that says whatever one likes."""
        n, before = by.engine.position(self.room), len(self.rows(by))
        made = pieces(b"t" * 16, digest or state.digest, pack(state))
        about = n.to_bytes(8, "big")
        extras = [Extra(obj=self.obj, kind=kind, about=about, payload=piece.encode()) for piece in made]
        by.engine._outbox.send_beside(self.room, extras)
        await until(lambda: len(self.rows(by)) > before)
        return self.rows(by)[-1]

    async def attest(self, by: Client, row: Snapshot, digest: bytes) -> None:
        told = Attest(obj=self.obj, n=row.covers, snapshot=row.ident, digest=digest)
        extra = Extra(obj=self.obj, kind=envelope.ATTEST, about=row.ident, payload=told.encode())
        by.engine._outbox.send_beside(self.room, [extra])
        await until(lambda: bool(self.rows(by)[-1].attests))


async def paper(w: World, monkeypatch: pytest.MonkeyPatch | None = None) -> Paper:
    """`monkeypatch`: nobody makes or attests a snapshot by themselves."""
    if monkeypatch is not None:
        monkeypatch.setattr(snapshots, "EVERY_OPS", 10_000)
        monkeypatch.setattr(snapshots, "SPREAD_S", 0.0)
    return await written(w, *await w.hire("Enhetschef", "Handläggare", "Registrator"))


async def written(w: World, head: Client, clerk: Client, guest: Client) -> Paper:
    room, obj = await w.room(head, clerk), new_obj()
    head.say(room, ObjId(room), record(RoomNamed(title="Ärende", type="case")))
    head.say(room, ObjId(room), record(ObjectAnnounced(obj=obj, kind=KIND.id)))
    made = Paper(room, obj, head, clerk, guest)
    await made.write(head, *WORDS)
    await w.settle(room, head, clerk)
    return made


async def opened(p: Paper) -> None:
    """The newcomer has the whole text, and in the end the whole history."""
    await until(lambda: p.guest.engine.position(p.room) == p.head.engine.position(p.room))
    await until(lambda: p.text(p.guest) == p.text(p.head))
    await until(lambda: p.guest.engine.filling(p.room) is None)
    await until(lambda: not p.guest.store.changes.history(p.obj)[0])
    edits = p.guest.store.changes.history(p.obj)[1]
    assert [c.data for c in edits] == [c.data for c in p.head.store.changes.history(p.obj)[1]]
    assert p.whole(p.guest) == p.whole(p.head)


async def test_a_snapshot_is_attested_as_soon_as_the_object_is_sound(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    monkeypatch.setattr(p.clerk.store, "is_sound", lambda obj: False)
    row = await p.claim(p.head, p.whole(p.head))
    await until(lambda: p.clerk.engine.position(p.room) == p.head.engine.position(p.room))
    await asyncio.sleep(3 * snapshots.AGAIN_S)
    assert p.rows(p.head) == (row,)
    monkeypatch.setattr(p.clerk.store, "is_sound", lambda obj: True)
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.clerk.uid])


async def test_a_newcomer_opens_the_snapshot_and_the_tail_writes_on_and_reads_the_rest_later(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    await p.attested()
    await p.write(p.clerk, "slut.")
    monkeypatch.setattr("sync.client.rereading.Rereading.look", lambda *_: None)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    begun, edits = p.guest.store.changes.history(p.obj)
    covers = p.base(p.guest)
    assert covers >= 30
    assert len(begun) == 1
    assert len(edits) == sum((c.n or 0) > covers for c in p.head.store.changes.of(p.obj)) < 10
    assert p.text(p.guest) == p.text(p.head) == "".join(WORDS) + "slut."
    assert p.guest.store.objects.get(p.obj) is not None
    assert p.guest.engine.filling(p.room) == (0, p.at(p.guest).reread)
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
    reading = p.guest.engine._inbox.rereading
    go_on, reading.go_on = reading.go_on, lambda: None  # type: ignore[method-assign]
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    await p.write(p.clerk, "slut.")
    await until(lambda: p.text(p.guest).endswith("slut."))
    assert p.guest.engine.filling(p.room) == (0, p.at(p.guest).reread)
    reading.go_on = go_on  # type: ignore[method-assign]
    reading.go_on()
    await opened(p)
    reading.pause()
    assert not reading._calm.is_set()


async def test_positions_of_a_long_room_are_stored_many_at_a_time(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w)
    stored, receive = list[int](), p.guest.store.receive_apart

    async def told(received: Received) -> None:
        stored.append(len(received.positions))
        await receive(received)

    monkeypatch.setattr(p.guest.store, "receive_apart", told)
    monkeypatch.setattr("sync.client.inbox.PIECE", 4)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    assert max(stored) > 20, "pieces of 4 of one slice, but for those with entries"
    room = p.at(p.guest)
    assert [p.guest.store.rh_at(p.room, n) for n in range(1, room.stream.n + 1)] == [
        p.head.store.rh_at(p.room, n) for n in range(1, room.stream.n + 1)
    ]


async def test_what_was_cut_off_is_gone_on_with_where_it_was(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.client.link.MAX_PULL_BYTES", 4_000)
    monkeypatch.setattr("sync.client.rereading.PIECE", 3)
    p = await paper(w)
    await p.attested()
    asked, last = list[int](), p.head.engine.position(p.room)
    judged = dict[int, int]()

    def cut(data: bytes, out: bool) -> Sequence[bytes]:
        frame = decode_client(data) if out else None
        if isinstance(frame, m.Pull) and frame.room == p.room and not frame.bare and frame.after < last:
            asked.append(frame.after)
            if len(asked) in (3, 5):
                begun = p.guest.engine._inbox.rereading._begun
                judged[len(asked)] = begun.stream.n if begun is not None else 0
                asyncio.ensure_future(p.guest.wire.hang_up()).add_done_callback(lambda _: p.guest.online())
                return []
        return [data]

    p.guest.wire.spoil = cut
    await reconnect(p.guest)
    await until(lambda: p.guest.engine.status.state is LinkState.ONLINE)
    await p.add(p.guest)
    await opened(p)
    assert len(asked) > 6
    assert 0 < judged[3] <= judged[5]
    for at, n in judged.items():
        assert n <= asked[at] <= asked[at - 1], "where it was, and what was not answered"
    assert asked[5:] == sorted(asked[5:])


@pytest.mark.parametrize("at", [1, 4])
async def test_what_was_cut_off_while_it_was_stored_is_not_lost(
    w: World, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr("sync.client.rereading.PIECE", 3)
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
        if received.reread == 0:
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
    """The end of the worker counted as a false snapshot, which was then never attested."""
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


async def test_attack_nobody_attests_by_what_others_said_before_the_history_is_here(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a newcomer computes from a snapshot that two lied about would be the second word for the next one."""
    p = await paper(w, monkeypatch)
    await p.claim(p.clerk, p.whole(p.clerk))
    await until(lambda: bool(p.rows(p.head)[-1].attests))
    with monkeypatch.context() as later:
        later.setattr(Rereading, "look", lambda *_: None)
        await p.add(p.guest)
        await until(lambda: p.base(p.guest) > 0)
        await p.write(p.clerk, "mer")
        row = await p.claim(p.clerk, p.whole(p.clerk))
        work = p.guest.engine._snapshots
        await until(lambda: [claim.snapshot for claim in work._put_off.values()] == [row.ident])
        await until(lambda: [uid for uid, _ in p.rows(p.guest)[-1].attests] == [p.head.uid])
        made = list[RoomSync]()
        later.setattr(work, "_make", _noted(made))
        work._make_at[p.room, p.obj] = 0.0
        work._wake.set()
        await until(lambda: not work._make_at)
        assert made == [], "nor does it make one"
    p.guest.engine._inbox.rereading.look(p.at(p.guest))
    await opened(p)
    await until(lambda: [uid for uid, _ in p.rows(p.head)[-1].attests] == [p.head.uid, p.guest.uid])


async def test_attack_a_snapshot_that_two_lied_about_is_found_out_when_the_history_is_here(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One makes it and another attests it: a newcomer opens it, and neither attests it nor builds on it later."""
    p = await paper(w, monkeypatch)
    false = _other("Något helt annat", p.clerk, p.room)
    row = await p.claim(p.clerk, false)
    await p.attest(p.head, row, false.digest)
    with monkeypatch.context() as later:
        later.setattr(Rereading, "look", lambda *_: None)
        await p.add(p.guest)
        await until(lambda: p.base(p.guest) == row.covers)
        assert p.text(p.guest) == "Något helt annat"
    await p.guest.restart()
    await opened(p)
    assert p.base(p.guest) == 0
    work = p.guest.engine._snapshots
    assert await work._state(p.at(p.guest), p.obj, row.covers) == p.whole(p.head, row.covers)
    assert [uid for uid, _ in p.rows(p.guest)[-1].attests] == [p.head.uid]
    assert work._attest_at == {}


async def test_a_second_device_opens_rooms_so_too(w: World) -> None:
    p = await paper(w)
    await p.attested()
    p.guest = await w.second(p.clerk)
    await until(lambda: p.base(p.guest) > 0)
    await opened(p)


async def test_one_snapshot_is_made_of_what_all_could_make(w: World) -> None:
    p = await paper(w)
    await p.attested()
    await w.settle(p.room, p.head, p.clerk)
    assert len(p.rows(p.head)) <= 2
    assert {row.uid for row in p.rows(p.head)} <= {p.head.uid, p.clerk.uid}
    assert all(uid != row.uid for row in p.rows(p.head) for uid, _ in row.attests)


async def test_a_long_state_goes_in_pieces(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.trust.snapshots.PIECE_BYTES", 100)
    monkeypatch.setattr(outbox, "BATCH_BYTES", 600)
    p = await paper(w)
    await p.attested()
    await p.add(p.guest)
    await until(lambda: p.base(p.guest) > 0)
    await opened(p)


async def test_a_newcomer_from_now_fetches_nothing_of_before(w: World) -> None:
    p = await paper(w)
    await p.add(p.guest, history=False)
    await p.write(p.clerk, "slut.")
    await until(lambda: p.guest.engine.position(p.room) == p.head.engine.position(p.room))
    assert len(p.guest.store.changes.of(p.obj)) == 1
    assert p.guest.engine.filling(p.room) is None


async def test_a_snapshot_that_nobody_attested_is_not_opened(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    monkeypatch.setattr(snapshots.Snapshots, "_attest", _nothing)
    await p.claim(p.clerk, p.whole(p.clerk))
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def _nothing(*_: object) -> None: ...


def _noted(into: list[RoomSync]) -> Callable[..., Awaitable[None]]:
    async def note(room: RoomSync, *_: object) -> None:
        into.append(room)

    return note


def _other(text: str, by: Client, room: RoomId) -> Compacted:
    doc = CrdtDoc(texts=("text",), maps=("meta",))
    doc.text("text").insert(0, text)
    assert KIND.compact is not None
    changes = [PlacedChange(position_of(1), ChangeId(bytes(16)), by.uid, 0, data) for data in encode(doc.diff())]
    found = KIND.compact(changes, by.engine.position(room))
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["".join(WORDS), "Något helt annat"], ids=["look-alike", "hostile"])
async def test_attack_a_false_snapshot_is_attested_by_nobody_and_not_opened(
    w: World, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    p = await paper(w, monkeypatch)
    looked = list[bool]()
    honest_attest = snapshots.Snapshots._attest

    async def look(self: snapshots.Snapshots, *what: object) -> None:
        await honest_attest(self, *what)  # type: ignore[arg-type]
        looked.append(True)

    monkeypatch.setattr(snapshots.Snapshots, "_attest", look)
    await p.claim(p.clerk, _other(text, p.clerk, p.room))
    await until(lambda: bool(looked))
    await p.write(p.head, "mer")
    assert p.rows(p.head)[-1].attests == ()
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def test_attack_a_snapshot_under_k_alone_is_none(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.setattr(snapshots.Snapshots, "_attest", _nothing)
    row = await p.claim(p.clerk, p.whole(p.clerk))
    await p.attest(p.head, row, bytes(32))
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def test_attack_content_that_has_not_the_hash_is_attested_by_nobody(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hash that it says is right. Two who believed it would let an administrator prune what nobody can open."""
    p = await paper(w, monkeypatch)
    looked = list[bool]()
    honest_attest = snapshots.Snapshots._attest

    async def look(self: snapshots.Snapshots, *what: Any) -> None:
        await honest_attest(self, *what)
        looked.append(self._link.account.uid == p.head.uid)

    monkeypatch.setattr(snapshots.Snapshots, "_attest", look)
    await p.claim(p.clerk, _other("Något annat", p.clerk, p.room), digest=p.whole(p.clerk).digest)
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
    row = await p.claim(p.clerk, _other("Något annat", p.clerk, p.room), digest=true.digest)
    await p.attest(p.head, row, true.digest)
    assert row.ident == p.rows(p.head)[-1].ident
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


def _contents(change: Callable[[m.WireItem], m.WireItem]) -> Callable[[m.ServerFrame], Sequence[m.Frame]]:
    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if isinstance(frame, m.ContentsReply):
            return [m.ContentsReply(frame.rid, [change(i) for i in frame.items])]
        if isinstance(frame, m.Items):  # or it would be healed by the next pull
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


async def test_what_was_void_is_not_opened_from_a_bare_room(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    noted = list[int]()
    note = joining.Joining.note

    def spoil(self: joining.Joining, item: object) -> None:
        spoilt = replace(item, void="forbidden") if getattr(item, "n", 0) == 20 else item  # type: ignore[type-var]
        noted.append(item.n)  # type: ignore[attr-defined]
        note(self, spoilt)  # type: ignore[arg-type]

    monkeypatch.setattr(joining.Joining, "note", spoil)
    await p.add(p.guest)
    await until(lambda: p.guest.engine.position(p.room) > 0)
    assert 20 in noted
    assert 20 not in {c.n for c in p.guest.store.changes.of(p.obj)}


async def test_nothing_is_made_of_a_room_that_is_not_all_there(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w, monkeypatch)
    room, work = p.at(p.clerk), p.clerk.engine._snapshots
    assert snapshots.is_steady(room)
    room.waiting = 1
    assert not snapshots.is_steady(room), "something waits for a key"
    room.waiting, room.head_n = 0, room.head_n + 1
    assert not snapshots.is_steady(room), "something is on its way"
    room.head_n -= 1
    p.clerk.store.db.raw.execute("DELETE FROM snapshots")
    room.reread = 10
    assert await work._state(room, p.obj, room.kept_n) is None, "what stands before is not here, nor a state of it"
    room.reread = 0
    assert await work._state(room, p.obj, room.kept_n) == p.whole(p.clerk)


async def _three_know(p: Paper) -> None:
    """A snapshot that two others attested."""
    await p.add(p.guest)
    await opened(p)
    await p.write(p.head, *WORDS)
    await until(lambda: any(len(row.attests) > 1 for row in p.rows(p.head)))


async def test_a_snapshot_stays_while_a_change_before_it_waits_for_a_key(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything else has been read again; what is still shut is only in the snapshot."""
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
        await until(lambda: p.guest.engine.filling(p.room) is None)
        assert p.at(p.guest).waiting > 0
        assert p.text(p.guest) == p.text(p.head)
        assert p.base(p.guest) == 0, "nobody can tell yet whether it is right"
    await p.guest.restart()
    await until(lambda: p.guest.engine.status.state is LinkState.ONLINE)
    await until(lambda: p.at(p.guest).waiting == 0)
    assert p.text(p.guest) == p.text(p.head)
    assert p.whole(p.guest) == p.whole(p.head)


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
    await until(lambda: p.guest.engine.filling(p.room) is None)
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
    await until(lambda: p.guest.engine.filling(p.room) is None)
    await until(lambda: not p.guest.store.changes.history(p.obj)[0])
    assert p.at(p.guest).waiting == 1
    assert p.base(p.guest) > 0
    assert p.text(p.guest) == p.text(p.head)


async def test_attack_a_snapshot_within_what_it_covers_is_not_attested_nor_opened(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prune behind it would take its first pieces along, and nobody who comes later could open it."""
    monkeypatch.setattr("sync.trust.snapshots.PIECE_BYTES", 100)
    p = await paper(w, monkeypatch)
    heard = list[bool]()
    hear = snapshots.Snapshots._hear

    def told(self: snapshots.Snapshots, *what: Any) -> None:
        hear(self, *what)
        heard.append(self._link.account.uid == p.head.uid)

    monkeypatch.setattr(snapshots.Snapshots, "_hear", told)
    state = p.whole(p.clerk)
    first, *rest = pieces(b"t" * 16, state.digest, pack(state))
    assert rest
    send = p.clerk.engine._outbox.send_beside
    send(p.room, [Extra(obj=p.obj, kind=envelope.SNAPSHOT, about=b"", payload=first.encode())])
    await until(lambda: True in heard)
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
    await until(lambda: heard.count(True) == len(rest) + 1 and bool(p.rows(p.head)))
    assert p.head.engine._snapshots._attest_at == {}
    await p.attest(p.head, p.rows(p.head)[-1], state.digest)
    await p.add(p.guest)
    await opened(p)
    assert p.base(p.guest) == 0


async def test_what_is_pruned_is_gone_from_the_server_and_a_newcomer_reads_on_all_the_same(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = await paper(w)
    await _three_know(p)
    with pytest.raises(Refused, match="early"):
        await p.head.engine.deeds.prune(p.room, p.obj)
    monkeypatch.setattr("sync.trust.snapshots.PRUNE_AFTER_MS", 0)
    assert w.running is not None
    before = await w.running.service.rooms.room_bytes(p.room)
    await p.head.engine.deeds.prune(p.room, p.obj)
    await until(lambda: bool(p.at(p.clerk).stream.state.pruned))
    ((_, n),) = p.at(p.clerk).stream.state.pruned.items()
    await _forgotten(w, p, n)
    assert await w.running.service.rooms.room_bytes(p.room) < before
    later = replace(p, guest=await w.second(p.clerk))
    await until(lambda: later.text(later.guest) == p.text(p.head))
    await until(lambda: later.guest.engine.position(p.room) > 0 and later.guest.engine.filling(p.room) is None)
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


async def _forgotten(w: World, p: Paper, n: int) -> None:
    """Until the server has no content of the object up to position n."""
    assert w.running is not None
    store = w.running.service.rooms._store

    async def left() -> list[int]:
        rows = await store.items(p.room, 0, n, 1 << 20)
        heads = [(row, envelope.Header.decode(envelope.read_body(row.body)[0])) for row in rows if row.kind == 2]
        return [row.n for row, hdr in heads if hdr.obj == p.obj and row.ct is not None and hdr.kind != envelope.ATTEST]

    for _ in range(400):
        if not await left():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(await left())


async def test_a_prune_that_was_cut_off_is_gone_on_with(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    p = await paper(w)
    await _three_know(p)
    monkeypatch.setattr("sync.trust.snapshots.PRUNE_AFTER_MS", 0)
    with monkeypatch.context() as cut:
        cut.setattr("sync.server.pruning.Pruning.begin", lambda *_: None)
        await p.head.engine.deeds.prune(p.room, p.obj)
    ((_, n),) = p.at(p.head).stream.state.pruned.items()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_forgotten(w, p, n), 0.5)
    await w.stop_server()
    await w.start_server()
    await until(lambda: p.clerk.engine.status.state is LinkState.ONLINE)
    await _forgotten(w, p, n)
