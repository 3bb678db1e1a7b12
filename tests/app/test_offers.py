# SPDX-License-Identifier: EUPL-1.2
"""Own changes that wait before they are offered in a successor: three people, real stores, and no network."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, cast

import pytest
from pycrdt import Doc, Text

from app.core import clock
from app.core.ids import ChangeId, DevId, Hash, ObjId, RoomId, Uid
from app.documents import KIND as DOCUMENT
from app.documents.compaction import compact
from app.errors import DiskFull, NotFound
from app.objects.grammar import read
from app.objects.kind import ROOM
from app.objects.offering import offerable
from app.objects.pieces import Assembler, encode, unpack
from app.richtext.model import Document
from app.rooms.offers import ASK_AFTER_MS, Copier, Offers
from app.rooms.projection import KIND as ROOT
from app.rooms.records import ObjectAnnounced
from app.rooms.records import encode as say
from app.rooms.service import RoomService
from app.rooms.succession import Succession
from app.store.long_writes import Decided, LongWrites, Progress
from app.store.store import Store
from app.store.verdicts import placed_of
from sync.client.engine import Engine
from sync.client.ports import OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.successor_claim import Origin, object_in
from tests.app.steps import Killed, at_step, idle, kill
from tests.fuzz.histories import document

OWNER = Uid(b"o" * 16)
PEOPLE = tuple(Uid(bytes((n,)) * 16) for n in (1, 2, 3))
THIEF = Uid(b"t" * 16)
OLD, NEW = RoomId(b"g" * 16), RoomId(b"n" * 16)
DOC = ObjId(b"d" * 16)
INTO = object_in(NEW, OLD, DOC)
NAMED = 2
RH = Hash(b"5" * 32)


@dataclass
class Believing:
    """An engine that believes the successor."""

    uid: Uid

    def may_continue(self, old: RoomId, founder: Uid) -> bool:
        return founder == OWNER


def change(room: RoomId, obj: ObjId, n: int, uid: Uid, data: bytes, change_id: ChangeId | None = None) -> OpenedChange:
    made = change_id or ChangeId(room[:8] + n.to_bytes(8, "big"))
    return OpenedChange(n=n, t=n, uid=uid, dev=DevId(uid), obj=obj, change_id=made, payload=data)


def noting(copied: list[tuple[ObjId, RoomId, ObjId]]) -> Copier:
    """Makes no copy, but adds what it is given to `copied`."""

    async def copier(obj: ObjId, room: RoomId, into: ObjId, progress: Progress, decided: Decided) -> None:
        copied.append((obj, room, into))

    return copier


def old_room() -> list[OpenedChange]:
    """A document that three people wrote at once: more than the founder of the successor had seen."""
    log = document(Random(3), rounds=60)
    datas = [(PEOPLE[p.author], data) for p in log for data in encode(p.update)]
    assert len(datas) == len(log)
    return [change(OLD, DOC, n, uid, data) for n, (uid, data) in enumerate(datas, start=1)]


class Desk:
    """One person's store, with the part that follows successors."""

    def __init__(self, folder: Path, me: Uid) -> None:
        self.store = Store.create(folder / "s.db", b"k" * 32, {ROOM: ROOT, DOCUMENT.id: DOCUMENT}, folder / "blobs")
        self.store.set_me(me)
        self.me = me
        self.succession = Succession(self.store, cast("Engine", Believing(me)), cast("RoomService", None))
        self.offers.copiers = {DOCUMENT.id: noting([])}

    @property
    def offers(self) -> Offers:
        return self.succession.offers

    async def receive(self, room: RoomId, *changes: OpenedChange) -> None:
        await self.store.receive_apart(ReceivedSlice(room=room, cursor=changes[-1].n, state=b"", changes=changes))

    async def begin(self, old: Sequence[OpenedChange], new: Sequence[OpenedChange]) -> None:
        """Receives the items of both rooms."""
        self.store.receive(ReceivedSlice(room=OLD, cursor=NAMED, state=b"", positions=[(NAMED, RH)]))
        genesis = RoomEvent(n=1, t=1, kind="genesis", by=OWNER, origin=Origin(room=OLD, n=NAMED, rh=RH))
        self.store.receive(ReceivedSlice(room=NEW, cursor=1, state=b"", events=[genesis]))
        announced = say(ObjectAnnounced(obj=DOC, kind=DOCUMENT.id))
        await self.receive(OLD, change(OLD, ObjId(OLD), 900, OWNER, announced))
        await self.receive(OLD, *old)
        for one in new:  # without a worker nothing judges what came together with its announcement
            await self.receive(NEW, one)

    async def offer(self) -> list[tuple[ObjId, ChangeId, bytes]]:
        (origin,) = self.store.origins.all()
        await self.succession._offer(origin)
        return [(p.obj, p.change_id, p.payload) for p in self.store.pending(200)]

    def late(self) -> list[int]:
        return [
            n for (n,) in self.store.db.rows("SELECT n FROM changes WHERE obj = ? AND unprojected = 'late'", (INTO,))
        ]

    def text(self) -> str:
        shown = Document()
        shown.merge(Assembler().feed(self.store.changes.of(INTO)))
        return shown.plain_text()


@pytest.fixture
def desks(tmp_path: Path) -> Iterator[list[Desk]]:
    made = []
    for number, uid in enumerate(PEOPLE):
        (tmp_path / str(number)).mkdir()
        made.append(Desk(tmp_path / str(number), uid))
    yield made
    for desk in made:
        desk.store.close()


def begun(old: Sequence[OpenedChange]) -> list[OpenedChange]:
    """What the founder carried into the successor."""
    state = compact([placed_of(c) for c in old[:NAMED]], NAMED)
    assert state is not None
    announced = change(NEW, ObjId(NEW), 2, OWNER, say(ObjectAnnounced(obj=INTO, kind=DOCUMENT.id)))
    return [announced, *(change(NEW, INTO, n, OWNER, data) for n, data in enumerate(state.changes, start=3))]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_three_authors_offer_in_every_order_and_nothing_of_theirs_ever_waits_in_the_room(
    desks: list[Desk], order: Sequence[int]
) -> None:
    old = old_room()
    stream = begun(old)
    for desk in desks:
        await desk.begin(old, stream)
    held = 0
    for _ in range(40):
        before = len(stream)
        for desk in (desks[at] for at in order):
            sent = [
                change(NEW, obj, len(stream) + 10 + i, desk.me, data, change_id)
                for i, (obj, change_id, data) in enumerate(await desk.offer())
            ]
            held += sum(h.count for h in desk.offers.held(NEW))
            if sent:
                stream += sent
                for other in desks:
                    await other.receive(NEW, *sent)
                    assert other.late() == []
        if len(stream) == before:
            break
    assert held, "otherwise nobody had to wait for anybody"
    assert all(desk.offers.held(NEW) == () for desk in desks)
    whole = Document()
    whole.merge([unpack(c.payload).update for c in old])
    assert {desk.text() for desk in desks} == {whole.plain_text()}


async def test_after_thirty_days_the_person_is_asked_and_the_answer_is_kept(desks: list[Desk]) -> None:
    now = 1_800_000_000_000
    restore = clock.set_clock(lambda: now)
    try:
        desk, old = desks[0], old_room()
        await desk.begin(old, begun(old))
        copied: list[tuple[ObjId, RoomId, ObjId]] = []
        desk.offers.copiers = {DOCUMENT.id: noting(copied)}
        await desk.offer()
        (held,) = desk.offers.held(NEW)
        assert (held.obj, held.since, held.asks) == (INTO, now, False)
        now += ASK_AFTER_MS - 1
        assert not desk.offers.held(NEW)[0].asks
        now += 1
        assert desk.offers.held(NEW)[0].asks
        desk.offers.later(NEW, INTO)
        assert desk.offers.held(NEW) == (held,)
        now += ASK_AFTER_MS
        assert desk.offers.held(NEW)[0].asks
        await desk.offer()  # nothing has come: it waits since it was first seen
        assert desk.offers.held(NEW) == (replace(held, asks=True),)
        desk.offers.refuse(NEW, INTO)
        now += 10 * ASK_AFTER_MS
        assert desk.offers.held(NEW) == (held,)
        assert await desk.offers.copy(NEW, INTO)
        assert not await desk.offers.copy(NEW, INTO)
        assert copied == [(DOC, NEW, INTO)], "a second press makes no second copy"
        assert desk.offers.held(NEW) == ()
        sent = len(await desk.offer())
        others = [c for c in old[NAMED:] if c.uid != desk.me]
        await desk.receive(NEW, *(replace(c, n=c.n + 100, obj=INTO) for c in others))
        assert desk.offers.due(NEW)
        assert len(await desk.offer()) == sent, "what was copied is not offered beside it"
        with pytest.raises(NotFound):
            await desk.offers.copy(NEW, DOC)
    finally:
        restore()


def writing(client: int, words: str) -> bytes:
    """The first update of a client: words at a document's beginning."""
    text = Text()
    doc = Doc[Any]({"text": text}, client_id=client)
    text += words
    return doc.get_update()


def begins(uid: Uid, n: int, words: str) -> OpenedChange:
    """The first use of client 77 in the successor, by `uid` at position n."""
    return change(NEW, INTO, n, uid, encode(writing(77, words))[0])


def cut_off(desk: Desk) -> list[OpenedChange]:
    """A room in which the founder of the successor has not seen the newest change, by this desk under client 77."""
    own = change(OLD, DOC, NAMED + 1, desk.me, encode(writing(77, "mitt å 🙂"))[0])
    return [*old_room()[:NAMED], own]


async def test_attack_who_takes_a_client_of_cut_off_changes_in_a_successor_makes_no_change_void(
    desks: list[Desk],
) -> None:
    desk = desks[0]
    old = cut_off(desk)
    await desk.begin(old, [*begun(old), begins(THIEF, 50, "stulet ö 🙂")])
    copied: list[tuple[ObjId, RoomId, ObjId]] = []
    desk.offers.copiers = {DOCUMENT.id: noting(copied)}
    assert await desk.offer() == []
    (held,) = desk.offers.held(NEW)
    assert held.taken
    assert held.asks, "what can never come is not waited for"
    desk.offers.refuse(NEW, INTO)
    await desk.offer()
    assert not desk.offers.held(NEW)[0].asks, "the answer stays"
    await desk.offers.copy(NEW, INTO)
    assert copied == [(DOC, NEW, INTO)]
    assert await desk.offer() == []
    assert desk.offers.held(NEW) == ()


async def test_attack_who_takes_a_client_while_it_is_offered_is_answered_by_a_copy(desks: list[Desk]) -> None:
    desk = desks[0]
    old = cut_off(desk)
    await desk.begin(old, begun(old))
    desk.offers.copiers = {DOCUMENT.id: noting([])}
    ((obj, change_id, data),) = await desk.offer()
    assert desk.offers.held(NEW) == ()
    await desk.receive(NEW, begins(THIEF, 50, "stulet ö 🙂"))
    await desk.receive(NEW, change(NEW, obj, 51, desk.me, data, change_id))
    codes = desk.store.db.rows("SELECT unprojected FROM changes WHERE obj = ? AND author = ?", (INTO, desk.me))
    assert codes == [("foreign",)]
    assert desk.offers.due(NEW), "what was offered is void"
    await desk.offer()
    (held,) = desk.offers.held(NEW)
    assert held.taken
    assert held.asks
    await desk.offers.copy(NEW, INTO)
    await desk.offer()
    assert desk.offers.held(NEW) == (), "what is void stays void, and the copy stands for it"


async def test_attack_what_builds_on_a_taken_client_of_a_colleague_is_not_offered_into_foreign_words(
    desks: list[Desk],
) -> None:
    old = old_room()
    mine = {n: c for n, c in enumerate(old) if c.uid == PEOPLE[0]}
    updates = {n: unpack(c.payload).update for n, c in mine.items()}
    others = {client for u in updates.values() for client, _ in read(u).needed} - {
        s.client for u in updates.values() for s in read(u).sections
    }
    assert others, "otherwise nobody builds on anybody"
    ready = offerable(updates, lambda ident: True, lambda client, own: not own)
    assert 0 < len(ready) < len(updates)
    assert not any({client for client, _ in read(updates[n]).needed} & others for n in ready)


def test_what_builds_on_another_of_ones_own_goes_with_it_and_nothing_else_does() -> None:
    log = document(Random(5), rounds=30)
    mine = {n: p.update for n, p in enumerate(log) if p.author == 1}
    everything = offerable({n: p.update for n, p in enumerate(log)}, lambda ident: False)
    assert sorted(everything) == list(range(len(log)))
    assert offerable(mine, lambda ident: True) == sorted(mine)
    assert offerable(mine, lambda ident: False) == []
    assert offerable({"none": b"\xff"}, lambda ident: False) == ["none"]


def builds(client: int, words: str, before: bytes) -> bytes:
    """A client's update that writes behind the words of another update."""
    text = Text()
    doc = Doc[Any]({"text": text}, client_id=client)
    doc.apply_update(before)
    state = doc.get_state()
    text += words
    return doc.get_update(state)


async def test_nothing_is_offered_beside_a_copy_that_is_being_made(
    desks: list[Desk], request: pytest.FixtureRequest
) -> None:
    now = 1_800_000_000_000
    request.addfinalizer(clock.set_clock(lambda: now))
    desk, lacked = desks[0], writing(88, "rad ö 🙂 ")
    written = [(PEOPLE[1], lacked), (desk.me, builds(77, "mitt å 🙂", lacked))]
    cut = [change(OLD, DOC, n, uid, encode(update)[0]) for n, (uid, update) in enumerate(written, start=NAMED + 1)]
    old = [*old_room()[:NAMED], *cut]
    await desk.begin(old, begun(old))
    is_begun, goes_on = asyncio.Event(), asyncio.Event()

    async def slow(*_given: object) -> None:
        is_begun.set()
        await goes_on.wait()
        raise DiskFull

    desk.offers.copiers = {DOCUMENT.id: slow}
    assert await desk.offer() == []
    now += ASK_AFTER_MS
    copying = asyncio.ensure_future(desk.offers.copy(NEW, INTO))
    await is_begun.wait()
    assert not desk.offers.held(NEW)[0].asks, "nobody is asked meanwhile"
    assert not await desk.offers.copy(NEW, INTO), "a second press makes no second copy"
    await desk.receive(NEW, replace(cut[0], n=50, obj=INTO))
    assert await desk.offer() == []
    moved, asked = list[bool](), list[bool]()
    desk.offers.moved.connect(lambda: moved.append(desk.offers.due(NEW)))
    desk.offers.changed.connect(lambda room: asked.append(any(held.asks for held in desk.offers.held(room))))
    goes_on.set()
    with pytest.raises(DiskFull):
        await copying
    assert moved == [True], "they are checked again without waiting for a colleague"
    assert asked == [True], "the person is asked again"
    assert len(await desk.offer()) == 1, "no copy was made"
    assert desk.offers.held(NEW) == ()


@pytest.mark.parametrize("step", range(8))
async def test_a_copy_that_is_completed_after_the_program_has_ended_is_not_made_or_offered_again(
    desks: list[Desk], monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    desk, lacked = desks[0], writing(88, "rad ö 🙂 ")
    written = [(PEOPLE[1], lacked), (desk.me, builds(77, "mitt å 🙂", lacked))]
    cut = [change(OLD, DOC, n, uid, encode(update)[0]) for n, (uid, update) in enumerate(written, start=NAMED + 1)]
    old = [*old_room()[:NAMED], *cut]
    await desk.begin(old, begun(old))
    writes = LongWrites(desk.store.db, desk.store.changes, DOCUMENT.id, lambda room, obj: None)
    made, text = list[ObjId](), encode(writing(66, "kopia å 🙂"))[0]

    async def copier(obj: ObjId, room: RoomId, into: ObjId, progress: Progress, decided: Decided) -> None:
        def begin() -> ObjId:
            made.append(desk.store.objects.new(room))
            desk.store.changes.append(room, ObjId(room), say(ObjectAnnounced(obj=made[-1], kind=DOCUMENT.id)))
            decided()
            return made[-1]

        await writes.write(room, [text] * 12, begin, progress=progress)

    desk.offers.copiers = {DOCUMENT.id: copier}
    assert await desk.offer() == []
    with monkeypatch.context() as patch:
        at_step(patch, step, kill)
        with suppress(Killed):
            await desk.offers.copy(NEW, INTO)
        await idle()
    again = Offers(desk.store)
    again.copiers = {DOCUMENT.id: copier}
    assert [held.count for held in again.held(NEW)] == ([] if made else [1])
    assert not made or not await again.copy(NEW, INTO), "it is completed at the next start"
    sent = len(desk.store.pending(200))
    await desk.receive(NEW, replace(cut[0], n=50, obj=INTO))  # what was lacking
    assert len(await desk.offer()) == sent + (not made), "the same content is not there twice"


@pytest.mark.parametrize("given", ["copy", "later", "refuse"])
async def test_attack_an_answer_that_is_given_while_changes_are_checked_is_kept(
    desks: list[Desk], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, given: str
) -> None:
    """A colleague's change has the waiting ones checked. An answer during that was overwritten: the person was asked
    again, and what had been copied was offered beside its copy."""
    desk = desks[0]
    lacked = [writing(88, "rad ö 🙂 "), writing(99, "rad ä ")]
    own = [builds(client, "mitt å 🙂", before) for client, before in zip((77, 78), lacked, strict=True)]
    written = [(PEOPLE[1], lacked[0]), (PEOPLE[1], lacked[1]), (desk.me, own[0]), (desk.me, own[1])]
    cut = [change(OLD, DOC, n, uid, encode(update)[0]) for n, (uid, update) in enumerate(written, start=NAMED + 1)]
    old = [*old_room()[:NAMED], *cut]
    await desk.begin(old, begun(old))
    desk.offers.copiers = {DOCUMENT.id: noting([])}
    now = 1_800_000_000_000
    request.addfinalizer(clock.set_clock(lambda: now))
    assert await desk.offer() == []
    assert desk.offers.held(NEW)[0].count == len(own)
    now += 1
    await desk.receive(NEW, replace(cut[0], n=50, obj=INTO))  # half of what is lacking
    known, answers = desk.store.judges.known, [getattr(desk.offers, given)]

    async def answered(obj: ObjId) -> object:
        while answers:
            answer = answers.pop()(NEW, INTO)
            if given == "copy":
                await answer
        return await known(obj)

    monkeypatch.setattr(desk.store.judges, "known", answered)
    offered = [change_id for _, change_id, _ in await desk.offer()]
    kept = desk.offers._kept(NEW)[INTO.hex()]
    assert answers == []
    if given == "copy":
        assert kept["copied"]
        assert offered == [], "what was copied is not offered beside the copy"
    else:
        assert kept["count"] == 1
        assert offered == [cut[2].change_id]
        assert kept["ask"] == (None if given == "refuse" else now + ASK_AFTER_MS)
