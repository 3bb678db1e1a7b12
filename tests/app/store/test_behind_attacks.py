# SPDX-License-Identifier: EUPL-1.2
"""What may be received while an object begins with a state: records that leave something out, another state, a full
disk."""

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from app.core.ids import ChangeId, DevId, ObjId
from app.errors import DiskFull
from app.objects.pieces import encode
from app.rooms.projection import KIND as ROOM_KIND
from app.rooms.records import ChangeLeftOut
from app.rooms.records import encode as record
from app.store import kept_judges
from app.store import statements as sql
from app.store.behind import Behind
from app.store.kept_judges import KeptJudges
from sync.client.ports import OpenedChange, OpenedSnapshot, RoomEvent
from sync.client.received import BegunObject, ReceivedSlice, Resolved
from tests.app.poison import Writer, fatal
from tests.app.store.test_behind import TAIL, begin, complete, receive, state_of, typed
from tests.app.store.test_judged import Stream, marks
from tests.app.store.test_trials import KINDS, NOTE, Desk, mortal, opened
from tests.office import EK, HL, ROOM
from tests.world import until

ROOMS = {**KINDS, ROOM_KIND.id: ROOM_KIND}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.settling.QUIET_S", 0.01)


async def leave_out(desk: Desk, change: OpenedChange, n: int) -> None:
    """The room's owner has a change left out, by a record at position n."""
    await note_left_out(desk, change, n)
    await until(lambda: desk.store.trials.untried == [])


async def note_left_out(desk: Desk, change: OpenedChange, n: int) -> None:
    emitted = record(ChangeLeftOut(obj=NOTE, author=change.uid, change=change.change_id))
    which = ChangeId(n.to_bytes(16, "big"))
    verdicts = OpenedChange(n=n, t=n, uid=HL, dev=DevId(HL), obj=ObjId(ROOM), change_id=which, payload=emitted)
    genesis = RoomEvent(n=1, t=1, kind="genesis", by=HL)
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, more=True, events=[genesis]))
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, more=True, changes=[verdicts]))


async def test_attack_what_was_left_out_before_it_is_read_counts_nowhere(tmp_path: Path) -> None:
    """A newcomer has the room's own records first, then the state, then the changes before it."""
    stream, writer = typed(10)
    (gone,) = stream.add(HL, *encode(fatal("meta")))
    stream.add(EK, *[writer.types(f"Mer {n}. ") for n in range(4)])
    async with opened(tmp_path / "store.db", mortal(), ROOMS) as desk:
        await leave_out(desk, gone, gone.n + 1)
        others = [change for change in stream.changes if change is not gone]
        state = state_of(others[:-TAIL], stream.changes[-TAIL - 1].n)
        await receive(desk, await begin(desk, stream, state))
        await complete(desk)
        assert marks(desk.store) == [(gone.n, "left-out")]


async def test_attack_what_builds_on_what_was_left_out_before_it_is_read_waits(tmp_path: Path) -> None:
    stream, _ = typed(8)
    async with opened(tmp_path / "store.db", None, ROOMS) as desk, opened(tmp_path / "o.db", None, ROOMS) as other:
        await receive(other, stream.changes)
        early = await begin(desk, stream)
        await receive(desk, early[:3])
        await leave_out(desk, early[3], 200)
        await leave_out(other, early[3], 200)
        await receive(desk, early[3:])
        await complete(desk)
        assert marks(desk.store) == marks(other.store)
        assert desk.text() == other.text()


async def test_attack_what_is_left_out_behind_a_state_is_gone_with_the_state(tmp_path: Path) -> None:
    """The state was made here, and still contains the change: no other member's document does."""
    stream, _ = typed(8)
    async with opened(tmp_path / "store.db", None, ROOMS) as desk:
        early = await begin(desk, stream)
        await receive(desk, early)
        gone = early[-1]
        await leave_out(desk, gone, 200)
        states: list[int] = []
        desk.store.changes.taken_back.connect(lambda obj: states.append(len(desk.store.changes.history(obj)[0])))
        await complete(desk)
        assert states[-1:] == [0], "a document that is open reads itself again"
        assert (gone.n, "left-out") in marks(desk.store)
        assert desk.store.objects.crdt_state(NOTE) is None


async def test_attack_a_false_state_is_gone_although_a_true_one_was_made_since(tmp_path: Path) -> None:
    stream, _ = typed()
    async with opened(tmp_path / "store.db") as desk, opened(tmp_path / "other.db") as honest:
        await receive(honest, stream.changes)
        covers = stream.changes[-TAIL - 1].n
        early = await begin(desk, stream, state_of(typed(5)[0].changes, covers))
        await receive(desk, early)
        desk.store.forget_base(NOTE)  # as the engine does when it has made the state itself
        desk.store.put_base(ROOM, NOTE, covers, state_of(early))
        left: list[ObjId] = []
        desk.store.changes.taken_back.connect(left.append)
        await complete(desk)
        assert NOTE in left, "a document that is open reads itself again"
        assert desk.text() == honest.text()


async def test_attack_a_state_that_came_when_all_was_here_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was pruned before it came here is in that state alone."""
    stream, writer = typed()
    async with opened(tmp_path / "store.db") as desk, opened(tmp_path / "other.db") as honest:
        with monkeypatch.context() as busy:
            busy.setattr("app.store.settling.QUIET_S", 1000.0)
            await receive(desk, await begin(desk, stream))
            await desk.store.receive_apart(Resolved(room=ROOM, whole=[NOTE]))
            stream.add(EK, writer.types("Gallrat på servern å. "))
            (last,) = stream.add(EK, writer.types("Sist. "))
            covers = last.n
            snapshot = OpenedSnapshot(n=901, t=1, uid=EK, obj=NOTE, covers=covers, state=state_of(stream.changes))
            await desk.store.receive_apart(BegunObject(room=ROOM, snapshot=snapshot))
            await until(lambda: desk.store.trials.untried == [])
        await receive(desk, stream.add(EK, writer.types("Efteråt. ")))
        await receive(honest, stream.changes)
        await asyncio.sleep(0.2)
        assert desk.text() == honest.text()
        assert marks(honest.store) == []
        await receive(desk, stream.add(EK, writer.types("Allra sist. ")))
        assert "Allra sist." in desk.text()


async def test_attack_what_waited_and_is_completed_while_all_is_judged_again_is_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, writer = Stream(), Writer()
    begun = stream.add(EK, *writer.take())
    first, second = writer.types("Först å. "), writer.types("Sedan 🙂. ")
    (late,) = stream.add(EK, second)
    (missing,) = stream.add(EK, first)
    judged, replay = list[int](), KeptJudges._replay
    async with opened(tmp_path / "store.db") as desk:
        await receive(desk, [*begun, late])
        assert marks(desk.store) == [(late.n, "late")]

        async def and_then(self: KeptJudges, *given: Any) -> None:
            await replay(self, *given)
            judged.append(1)
            if len(judged) == 1:  # while the last of it is judged
                await desk.store.receive_apart(ReceivedSlice(room=ROOM, more=True, changes=[missing]))

        monkeypatch.setattr(KeptJudges, "_replay", and_then)
        desk.store.judges.forget([NOTE])
        desk.store.trials._on_untried(NOTE)
        await until(lambda: len(judged) == 2 and desk.store.trials.untried == [])
        assert marks(desk.store) == []
        assert "Först å. Sedan 🙂." in desk.text()


async def test_attack_what_is_left_out_while_all_is_judged_again_counts_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = typed(8)
    gone = stream.changes[4]
    judged, replay = list[int](), KeptJudges._replay
    async with opened(tmp_path / "store.db", None, ROOMS) as desk, opened(tmp_path / "o.db", None, ROOMS) as other:
        await receive(other, stream.changes)
        await leave_out(other, gone, 200)
        await receive(desk, await begin(desk, stream))

        async def and_then(self: KeptJudges, *given: Any) -> None:
            await replay(self, *given)
            judged.append(1)
            if len(judged) == 1:
                await note_left_out(desk, gone, 200)

        monkeypatch.setattr(KeptJudges, "_replay", and_then)
        await complete(desk)
        await until(lambda: desk.store.trials.untried == [])
        assert marks(desk.store) == marks(other.store)
        assert desk.text() == other.text()


async def test_attack_who_types_without_a_pause_keeps_no_object_on_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.settling.QUIET_S", 30.0)
    monkeypatch.setattr("app.store.settling.SETTLED_WITHIN_S", 0.05)
    stream, _ = typed()
    async with opened(tmp_path / "store.db") as desk:
        await receive(desk, await begin(desk, stream))
        await complete(desk)
        assert marks(desk.store) == []


async def test_attack_a_full_disk_ends_no_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.trials.RETRY_S", 0.05)
    stream, writer = typed()
    full, refused = Behind._release, list[int]()

    async def refuse(self: Behind, obj: ObjId, state: bytes) -> None:
        if not refused:
            refused.append(1)
            raise DiskFull
        await full(self, obj, state)

    monkeypatch.setattr(Behind, "_release", refuse)
    async with opened(tmp_path / "store.db") as desk:
        await receive(desk, await begin(desk, stream))
        await complete(desk)
        assert refused
        assert marks(desk.store) == []
        await receive(desk, stream.add(EK, writer.types("Sist. ")))
        assert "Sist." in desk.text()


async def test_attack_many_void_changes_behind_a_state_hold_no_turn(tmp_path: Path) -> None:
    stream, writer = Stream(), Writer()
    stream.add(EK, *writer.take())
    stream.add(HL, *[b"\x01 inget " + n.to_bytes(4, "big") for n in range(3000)])
    stream.add(EK, *[writer.types(f"Mer {n}. ") for n in range(TAIL)])
    honest = [change for change in stream.changes if change.uid == EK]
    async with opened(tmp_path / "store.db") as desk:
        early = await begin(desk, stream, state_of(honest[:-TAIL], stream.changes[-TAIL - 1].n))
        for at in range(0, len(early), 64):
            await receive(desk, early[at : at + 64])
        turns: list[int] = []
        conn = desk.store.db.conn
        seen = itertools.count()

        async def beat() -> None:
            while True:
                turns.append(next(seen))
                await asyncio.sleep(0)

        written: list[int] = []
        conn.set_trace_callback(lambda verdicts: written.append(len(turns)) if "SET unprojected" in verdicts else None)
        beating = asyncio.create_task(beat())
        try:
            await complete(desk)
        finally:
            beating.cancel()
            conn.set_trace_callback(None)
        most = max(sum(1 for _ in same) for _, same in itertools.groupby(written))
        assert len(marks(desk.store)) == 3000
        assert most <= 2 * kept_judges.AT_ONCE


async def test_attack_a_state_that_was_not_stored_puts_nothing_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = typed(8)
    async with opened(tmp_path / "store.db") as desk:
        with monkeypatch.context() as full:

            async def refuse(*_: Any) -> None:
                raise DiskFull

            full.setattr(desk.store.trials, "judge", refuse)
            with pytest.raises(DiskFull):
                await begin(desk, stream)
        await receive(desk, stream.changes[-TAIL - 2 : -TAIL])
        await receive(desk, stream.changes[: -TAIL - 2])
        await receive(desk, stream.changes[-TAIL:])
        assert marks(desk.store) == []
        assert "Skäl 7" in desk.text()


@pytest.mark.parametrize("statement", [sql.ANY_UNTRIED, sql.HELD_OF])
async def test_what_is_untried_is_found_without_a_look_at_the_objects_other_changes(
    tmp_path: Path, statement: str
) -> None:
    """Of a long object these are 200,000: 25 ms of the loop, each time."""
    given = (NOTE, sql.UNTRIED, 64)[: 1 + 2 * (statement == sql.HELD_OF)]
    async with opened(tmp_path / "store.db") as desk:
        plan = [row[-1] for row in desk.store.db.rows(f"EXPLAIN QUERY PLAN {statement}", given)]
    assert plan[0] == "SEARCH changes USING INDEX changes_unprojected (room=?)"
    assert not any("TEMP B-TREE" in step for step in plan)
