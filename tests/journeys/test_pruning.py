# SPDX-License-Identifier: EUPL-1.2
"""An administrator clears a room's change history on the server, and everybody reads on as before."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from app.core.enums import Role
from app.core.ids import ObjId, RoomId
from app.documents.tool import TOOL as DOCUMENTS
from sync.client.exchange import snapshot_maker
from sync.errors import Refused, Unreachable
from sync.server.operator.upkeep.verify import verify
from sync.trust.room.successor_claim import object_in
from tests.journeys.desks import Desk, Offices, offices
from tests.journeys.forks import divide, keep_copy
from tests.world import until, until_asked

pytestmark = pytest.mark.slow

TEXT = "ett två tre fyra fem sex sju åtta "


@pytest_asyncio.fixture
async def o(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Offices]:
    monkeypatch.setattr(snapshot_maker, "EVERY_OPS", 6)
    monkeypatch.setattr(snapshot_maker, "SPREAD_S", 0.05)
    monkeypatch.setattr(snapshot_maker, "AGAIN_S", 0.1)
    monkeypatch.setattr("sync.client.exchange.batch_maker.QUIET_FLUSH_S", 0.01)
    async with offices(tmp_path) as running:
        yield running


def of_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.trust.room.snapshots.PRUNE_AFTER_MS", 0)


@dataclass
class Case:
    """A document that three write in, and somebody who reads from when they came."""

    room: RoomId
    obj: ObjId
    owner: Desk
    clerk: Desk
    third: Desk
    guest: Desk

    def text(self, at: Desk) -> str:
        return at.session.service(DOCUMENTS).open(self.obj).plain_text().strip()

    async def write(self, at: Desk, *words: str) -> None:
        """Each word at a position of its own."""
        document = at.session.service(DOCUMENTS).open(self.obj)
        for word in words:
            document.splice(len(document.plain_text().rstrip("\n")), 0, f"{word} ")
            await until(lambda: at.session.store.waiting_count() == 0)

    def state(self, at: Desk) -> list[int]:
        """How many attested each snapshot of the document."""
        rows = at.session.engine.parts.link.rooms[self.room].stream.state.snapshots.get(self.obj, ())
        return [len(row.attests) for row in rows]

    def pruned(self, at: Desk) -> int:
        return at.session.engine.parts.link.rooms[self.room].stream.state.pruned.get(self.obj, 0)


async def case(o: Offices, *, guest: bool = True) -> Case:
    a, b, c, g = await o.hire("Enhetschef", "Handläggare", "Jurist", "Sakkunnig")
    room = await o.room(a, b, c)
    obj = a.session.service(DOCUMENTS).create(room, "Utkast till beslut")
    made = Case(room, obj, a, b, c, g)
    await made.write(a, *TEXT.split())
    await until(lambda: any(n >= 2 for n in made.state(a)), 30)
    if guest:
        await o.add(a, room, g, history=False)
        await reads(made, g)
    return made


async def reads(c: Case, at: Desk) -> None:
    """Until a desk shows the document as the owner does."""
    await until(lambda: any(d.obj == c.obj for d in at.session.service(DOCUMENTS).list(c.room)))
    await until(lambda: c.text(at) == c.text(c.owner) != "")


async def settled(c: Case) -> None:
    await until(lambda: c.owner.session.pruning.refusal(c.room) is None)


async def test_what_is_cleared_is_gone_from_the_server_and_everybody_reads_on(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(o)
    of_age(monkeypatch)
    await c.owner.session.rooms.rotate(c.room)  # what the guest was given is under the key of before
    await settled(c)
    pruning = c.owner.session.pruning
    plan = await pruning.plan(c.room)
    found, alone = plan.ready, plan.newcomers
    assert [(x.obj, x.title, x.lacks) for x in found] == [(c.obj, "Utkast till beslut", "baseline")]
    assert found[0].items >= 6
    assert found[0].size_bytes > 100
    assert [p.name for p in alone] == ["Sakkunnig"]
    assert not plan.too_few
    told: list[tuple[str, int, int]] = []
    service = o.w.running.service  # type: ignore[union-attr] # it runs
    before = await service.rooms.room_bytes(c.room)
    went = await pruning.prune(c.room, lambda *now: told.append(now))
    assert [x.obj for x in went] == [c.obj]
    assert told == [("state", 0, 1), ("objects", 0, 1), ("objects", 1, 1)]
    assert c.pruned(c.owner) > 0

    async def is_counted() -> bool:
        return await service.rooms.room_bytes(c.room) < before

    await until_asked(is_counted)
    await settled(c)
    assert (await pruning.plan(c.room)).ready == ()

    (later, from_now) = await o.hire("Registrator", "Arkivarie")
    await o.add(c.owner, c.room, later, history=True)
    await o.add(c.owner, c.room, from_now, history=False)
    for desk in (later, from_now, await o.second(c.guest), await o.second(c.clerk, "Läsplatta")):
        await reads(c, desk)
    await c.write(later, "slut")
    for desk in o.desks:
        await reads(c, desk)
    assert c.text(c.owner) == f"{TEXT}slut"
    await o.w.stop_server()
    faults: list[object] = []
    verify(o.w.data, faults.append, lambda _: None)
    assert faults == []


async def test_the_plan_says_what_is_lacking(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    c = await case(o, guest=False)
    await settled(c)
    pruning = c.owner.session.pruning
    plan = await pruning.plan(c.room)
    assert plan.ready == ()
    (found,) = plan.lacking
    assert found.lacks == "early"
    days = (found.from_ms - c.owner.session.engine.parts.link.server_now_ms) / 86_400_000
    assert 29 < days <= 30
    assert await pruning.prune(c.room, _ignore) == ()
    monkeypatch.setattr("sync.client.exchange.snapshot_maker.EVERY_OPS", 10_000)  # nobody makes another
    room = await o.room(c.owner, c.clerk)
    obj = c.owner.session.service(DOCUMENTS).create(room, "Litet")
    small = Case(room, obj, c.owner, c.clerk, c.third, c.guest)
    await small.write(c.owner, *TEXT.split()[:7])
    await settled(small)
    assert (await pruning.plan(room)).lacking == (), "not worth it"
    monkeypatch.setattr("sync.client.exchange.snapshot_maker.EVERY_OPS", 6)
    plan = await pruning.plan(room)
    assert [(x.title, x.lacks) for x in plan.lacking] == [("Litet", "snapshot")]
    assert plan.too_few


async def test_what_is_not_whole_here_is_told_and_clears_nothing(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    c = await case(o, guest=False)
    of_age(monkeypatch)
    await settled(c)
    assert c.owner.session.rooms.notices(c.room) == []
    engine = c.owner.session.engine
    monkeypatch.setattr("sync.client.exchange.backfill.Backfill.fetch_pruned", _nothing)
    engine.parts.link.rooms[c.room].incomplete.add(c.obj)
    assert c.owner.session.rooms.notices(c.room) == [], "it is on its way"
    engine.parts.inbox._backfill._given_up.add((c.room, c.obj))
    assert c.owner.session.rooms.notices(c.room) == ["gap"]
    with pytest.raises(Refused, match="reading"):
        await c.owner.session.pruning.prune(c.room, _ignore)


async def test_what_arrives_while_the_button_is_pressed_does_not_refuse(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(o, guest=False)
    of_age(monkeypatch)
    await settled(c)
    link = c.owner.session.engine.parts.link
    room = link.rooms[c.room]
    room.announce(room.stream.n + 1)
    clearing = asyncio.ensure_future(c.owner.session.pruning.prune(c.room, _ignore))
    await asyncio.sleep(0)
    assert not clearing.done()
    room.forget_announced()
    link.notify_moved()
    assert [found.obj for found in await clearing] == [c.obj]


async def test_what_arrives_while_the_plan_is_made_does_not_refuse(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    c = await case(o, guest=False)
    of_age(monkeypatch)
    await settled(c)
    session = c.owner.session
    room = session.engine.parts.link.rooms[c.room]
    between, asked = session.store.snapshots.between, list[bool]()

    async def announced(parts: Sequence[tuple[ObjId, int, int]]) -> list[tuple[int, int]]:
        found = await between(parts)
        if not asked:
            asked.append(True)
            room.announce(room.stream.n + 1)
            asyncio.get_running_loop().call_later(0.05, read)
        return found

    def read() -> None:
        room.forget_announced()
        session.engine.parts.link.notify_moved()

    monkeypatch.setattr(session.store.snapshots, "between", announced)
    assert [found.obj for found in await session.pruning.prune(c.room, _ignore)] == [c.obj]


async def test_a_newcomer_from_now_is_given_the_whole_when_it_is_here(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an administrator's device lacks would be missing for good: nobody gives a newcomer more later."""
    monkeypatch.setattr("app.rooms.baselines.RETRY_S", 0.1)
    c = await case(o, guest=False)
    store = c.owner.session.store
    with monkeypatch.context() as kept_back:
        kept_back.setattr("sync.client.exchange.backfill.Backfill.fetch_pruned", _nothing)
        c.owner.session.engine.parts.link.rooms[c.room].incomplete.add(c.obj)
        (person,) = await c.owner.session.people.search("Sakkunnig")
        await c.owner.session.rooms.add(c.room, person.uid, Role.WRITER, False)
        await asyncio.sleep(0.5)
        assert store.newcomers.owed(c.room) is not None
        assert store.db.rows("SELECT 1 FROM outbox WHERE live = 2") == []
        assert c.guest.session.service(DOCUMENTS).list(c.room) == []
    c.owner.session.engine.parts.link.rooms[c.room].incomplete.clear()
    await reads(c, c.guest)
    assert store.newcomers.owed(c.room) is None


async def test_two_administrators_who_clear_at_once_lose_nobody_anything(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(o)
    of_age(monkeypatch)
    await c.owner.session.rooms.set_role(c.room, c.clerk.session.people.me.uid, Role.ADMIN)
    await c.owner.session.rooms.rotate(c.room)  # each gives the guest the state anew
    await until(lambda: c.clerk.session.pruning.refusal(c.room) is None)
    await settled(c)
    await asyncio.gather(*(desk.session.pruning.prune(c.room, _ignore) for desk in (c.owner, c.clerk)))
    assert c.pruned(c.owner) > 0
    (later, from_now) = await o.hire("Registrator", "Arkivarie")
    await o.add(c.owner, c.room, later, history=True)
    await o.add(c.clerk, c.room, from_now, history=False)
    for desk in (later, from_now, await o.second(c.guest)):
        await reads(c, desk)


async def test_who_is_given_the_history_after_it_was_cleared_reads_the_document(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the device that was there, at one that was away, and at one that comes later."""
    c = await case(o)
    of_age(monkeypatch)
    await c.owner.session.rooms.set_role(c.room, c.clerk.session.people.me.uid, Role.ADMIN)
    await settled(c)
    away = await o.second(c.guest, "Borta")
    await reads(c, away)
    await away.close()
    await c.owner.session.pruning.prune(c.room, _ignore)
    me = c.guest.session.people.me.uid
    await until(lambda: c.clerk.session.rooms.history_refusal(c.room, me) is None)
    await c.clerk.session.rooms.propose_history(c.room, me)
    await until(lambda: len(c.owner.session.rooms.history_proposals(c.room)) == 1)
    (proposal,) = c.owner.session.rooms.history_proposals(c.room)
    await c.owner.session.rooms.give_history(c.room, proposal.ident)
    await c.write(c.guest, "mer")
    await away.begin()
    for desk in (c.guest, away, await o.second(c.guest, "Ny")):
        await reads(c, desk)
        await whole(c, desk)
        assert c.text(desk) == f"{TEXT}mer"


async def whole(c: Case, desk: Desk) -> None:
    """Everything of the room is here, also what was read again."""
    await until(lambda: desk.session.engine.reread_progress(c.room) is None)
    await until(lambda: desk.session.engine.is_whole(c.room))


async def shows(desk: Desk, room: RoomId, obj: ObjId, text: str) -> None:
    """The room lists the document, and it has this text."""
    documents = desk.session.service(DOCUMENTS)
    await until(lambda: any(d.obj == obj for d in documents.list(room)), 30)
    shown = documents.open(obj)
    await until(lambda: shown.plain_text().strip() == text, 30)


async def test_a_successor_of_a_room_that_was_cleared_has_the_whole_text(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(o, guest=False)
    of_age(monkeypatch)
    await settled(c)
    await c.owner.session.pruning.prune(c.room, _ignore)
    founder = await o.second(c.owner, "Ny")  # which never had the single changes
    await reads(c, founder)
    await c.owner.close()
    await c.third.close()
    keep_copy(o)
    await c.write(founder, "sett")
    await until(lambda: c.text(c.clerk) == c.text(founder))
    unsent = c.clerk.session.service(DOCUMENTS).open(c.obj)
    await divide(o, c.room, c.third, [founder, c.clerk], lambda: unsent.splice(0, 0, "osänt "))
    room = await founder.session.succession.open(c.room)
    obj = object_in(room, c.room, c.obj)
    for desk in (founder, c.clerk):
        await shows(desk, room, obj, f"osänt {TEXT}sett")
    await c.owner.begin()


async def test_attack_who_is_no_administrator_clears_nothing(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    c = await case(o, guest=False)
    of_age(monkeypatch)
    await until(lambda: any(n >= 2 for n in c.state(c.clerk)))  # as it is at the owner
    assert c.clerk.session.pruning.refusal(c.room) == "forbidden"
    assert (await c.clerk.session.pruning.plan(c.room)).ready == ()
    with pytest.raises(Refused, match="forbidden"):
        await c.clerk.session.pruning.prune(c.room, _ignore)
    with pytest.raises(Refused, match="forbidden"):  # the server, asked past the service
        await c.clerk.session.engine.operations.prune(c.room, c.obj)
    assert c.pruned(c.owner) == 0


async def test_without_a_server_nothing_is_cleared(o: Offices, monkeypatch: pytest.MonkeyPatch) -> None:
    c = await case(o)
    of_age(monkeypatch)
    await settled(c)
    await o.w.stop_server()
    await until(lambda: c.owner.session.pruning.refusal(c.room) == "unreachable")
    assert len((await c.owner.session.pruning.plan(c.room)).ready) == 1, "what could go is shown all the same"
    with pytest.raises(Unreachable):
        await c.owner.session.pruning.prune(c.room, _ignore)


async def test_what_was_cancelled_is_done_the_next_time_also_under_a_new_key(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(o)
    of_age(monkeypatch)
    await settled(c)
    begun = asyncio.Event()
    task = asyncio.ensure_future(c.owner.session.pruning.prune(c.room, lambda *now: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert c.pruned(c.owner) == 0
    await until(lambda: c.owner.session.store.waiting_count() == 0)
    await c.owner.session.rooms.rotate(c.room)
    await settled(c)
    (found,) = (await c.owner.session.pruning.plan(c.room)).ready
    assert found.lacks == "baseline", "what was given is under the key of before"
    await c.owner.restart()
    await settled(c)
    await c.owner.session.pruning.prune(c.room, _ignore)
    assert c.pruned(c.owner) > 0


async def test_a_key_that_is_renewed_meanwhile_makes_the_state_be_given_again(
    o: Offices, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(o)
    of_age(monkeypatch)
    await settled(c)
    pruning, operations = c.owner.session.pruning, c.owner.session.engine.operations
    real, rotated = operations.prune, list[bool]()

    async def late(room: RoomId, obj: ObjId) -> None:
        if not rotated:
            rotated.append(True)
            await operations.rotate(room)
        await real(room, obj)

    monkeypatch.setattr(operations, "prune", late)
    await pruning.prune(c.room, _ignore)
    assert c.pruned(c.owner) > 0


def _ignore(step: str, done: int, total: int) -> None: ...


async def _nothing(*_: object) -> None: ...
