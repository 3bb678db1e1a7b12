# SPDX-License-Identifier: EUPL-1.2
"""Changes that a state replaces are stored at once, and judged, tried and merged when all of them are here and nothing
changes."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.documents import KIND
from app.objects.pieces import encode
from app.store.kept_judges import KeptJudges
from app.store.rehearsal import Rehearsal
from app.store.verdicts import placed_of
from sync.client.placed_changes import Compacted
from sync.client.ports import OpenedChange, OpenedSnapshot
from sync.client.received import BegunObject, ReceivedSlice, Resolved
from tests.app.poison import Writer, fatal
from tests.app.store.test_judged import Stream, marks
from tests.app.store.test_trials import NOTE, Desk, mortal, opened
from tests.office import EK, HL, ROOM
from tests.world import until

TAIL = 2


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.settling.QUIET_S", 0.01)


def typed(count: int = 20) -> tuple[Stream, Writer]:
    """A colleague's document, a change at each position."""
    stream, writer = Stream(), Writer()
    stream.add(EK, *writer.take())
    while len(stream.changes) < count:
        stream.add(EK, writer.types(f"Skäl {len(stream.changes)} å. "))
    return stream, writer


def state_of(changes: Sequence[OpenedChange], covers: int | None = None) -> Compacted:
    assert KIND.compact is not None
    found = KIND.compact([placed_of(change) for change in changes], covers or changes[-1].n)
    assert found is not None
    return found


async def begin(desk: Desk, stream: Stream, state: Compacted | None = None) -> Sequence[OpenedChange]:
    """The desk opens the document at a state, and has the last changes. Returns the changes before the state."""
    early, tail = stream.changes[:-TAIL], stream.changes[-TAIL:]
    covers = early[-1].n
    snapshot = OpenedSnapshot(n=900, t=1, uid=EK, obj=NOTE, covers=covers, state=state or state_of(early))
    await desk.store.receive_apart(BegunObject(room=ROOM, snapshot=snapshot))
    await receive(desk, tail)
    return early


async def receive(desk: Desk, changes: Sequence[OpenedChange]) -> None:
    await desk.store.receive_apart(ReceivedSlice(room=ROOM, more=True, changes=changes))
    await until(lambda: desk.store.trials.untried == [])


async def complete(desk: Desk) -> None:
    """Everything is here: waits until the state is gone."""
    await desk.store.receive_apart(Resolved(room=ROOM, whole=[NOTE]))
    await until(lambda: desk.store.changes.history(NOTE)[0] == [])


async def test_what_a_state_stands_in_for_is_neither_judged_nor_tried_until_all_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, writer = typed()
    tried = list[int]()
    async with opened(tmp_path / "store.db") as desk:
        early = await begin(desk, stream)
        monkeypatch.setattr(Rehearsal, "passes", lambda *given: tried.append(len(given)))
        monkeypatch.setattr(Rehearsal, "passes_soon", lambda *given: tried.append(len(given)))
        await receive(desk, early[:9])
        await receive(desk, early[9:])
        text = desk.text()
        assert "Skäl 19" in text
        assert marks(desk.store) == [(change.n, "behind") for change in early]
        assert len(desk.store.changes.history(NOTE)[1]) == TAIL
        await complete(desk)
        assert tried == []
        monkeypatch.undo()
        assert marks(desk.store) == []
        assert [change.n for change in desk.store.changes.history(NOTE)[1]] == [change.n for change in stream.changes]
        assert desk.text() == text
        await receive(desk, stream.add(EK, writer.types("Sist. ")))
        assert "Sist." in desk.text()


async def test_void_and_late_changes_behind_a_state_are_marked_as_everywhere(tmp_path: Path) -> None:
    stream, writer = Stream(), Writer()
    stream.add(EK, *writer.take())
    first, second = writer.types("Först å. "), writer.types("Sedan 🙂. ")
    stream.add(EK, second, b"\x01 inget", first, writer.types("Och nu. "), writer.types("Sist. "))
    async with opened(tmp_path / "store.db") as desk, opened(tmp_path / "other.db") as other:
        await receive(other, stream.changes)
        await receive(desk, await begin(desk, stream))
        await complete(desk)
        assert marks(desk.store) == marks(other.store)
        assert len(marks(desk.store)) == 1
        assert desk.text() == other.text()


async def test_content_that_a_state_names_as_waiting_and_that_comes_late_is_judged_at_its_position(
    tmp_path: Path,
) -> None:
    """It was judged behind the changes that had come before it: a copy of it counted in its place."""
    stream, writer = Stream(), Writer()
    stream.add(EK, *writer.take())
    first, second = writer.types("Först å. "), writer.types("Sedan 🙂. ")
    stream.add(EK, second)
    (waits,) = stream.changes[-1:]
    stream.add(EK, first, second)
    async with opened(tmp_path / "store.db") as desk, opened(tmp_path / "other.db") as other:
        await receive(other, stream.changes)
        early = await begin(desk, stream)
        assert waits in early
        await receive(desk, [waits])
        again = [(stream.changes[-1].n, "again")]
        assert marks(other.store) == again
        await until(lambda: marks(desk.store) == again)
        assert desk.text() == other.text()


async def test_what_waits_for_a_state_that_was_stored_just_before_a_crash_is_merged_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = typed()
    early, tail = stream.changes[:-TAIL], stream.changes[-TAIL:]
    async with opened(tmp_path / "store.db") as desk:
        await receive(desk, [*early[:5], *tail])
        assert marks(desk.store) == [(change.n, "late") for change in tail]
        with monkeypatch.context() as cut:
            cut.setattr(desk.store.judges, "again", lambda *_: asyncio.Event().wait())  # it ends before that
            snapshot = OpenedSnapshot(n=900, t=1, uid=EK, obj=NOTE, covers=early[-1].n, state=state_of(early))
            await desk.store.receive_apart(BegunObject(room=ROOM, snapshot=snapshot))
            desk.store.judges.close()
    async with opened(tmp_path / "store.db") as desk:
        await until(lambda: "Skäl 19" in desk.text())
        assert marks(desk.store) == []
        assert desk.store.trials.is_sound(NOTE)


async def test_what_comes_while_all_is_judged_is_merged_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, writer = typed()
    reached, go_on, replay = asyncio.Event(), asyncio.Event(), KeptJudges._replay

    async def waits(self: KeptJudges, *given: Any) -> Any:
        reached.set()
        await go_on.wait()
        return await replay(self, *given)

    async with opened(tmp_path / "store.db") as desk:
        await receive(desk, await begin(desk, stream))
        monkeypatch.setattr(KeptJudges, "_replay", waits)
        await desk.store.receive_apart(Resolved(room=ROOM, whole=[NOTE]))
        await reached.wait()
        meanwhile = stream.add(EK, writer.types("Mitt i. "))
        await desk.store.receive_apart(ReceivedSlice(room=ROOM, more=True, changes=meanwhile))
        assert desk.store.trials.untried == [NOTE]
        go_on.set()
        await until(lambda: desk.store.changes.history(NOTE)[0] == [])
        await until(lambda: "Mitt i." in desk.text())
        assert marks(desk.store) == []


async def test_who_stops_before_all_is_judged_goes_on_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, _ = typed()
    with monkeypatch.context() as busy:
        busy.setattr("app.store.settling.QUIET_S", 1000.0)
        async with opened(tmp_path / "store.db") as desk:
            await receive(desk, await begin(desk, stream))
            text = desk.text()
            await desk.store.receive_apart(Resolved(room=ROOM, whole=[NOTE]))
    async with opened(tmp_path / "store.db") as desk:
        assert desk.text() == text
        await until(lambda: desk.store.changes.history(NOTE)[0] == [])
        assert marks(desk.store) == []
        assert desk.text() == text


async def test_attack_behind_a_state_that_was_not_made_here_each_change_is_tried(tmp_path: Path) -> None:
    stream, writer = typed(10)
    stream.add(HL, *encode(fatal("meta")))
    stream.add(EK, *[writer.types(f"Mer {n}. ") for n in range(4)])
    async with opened(tmp_path / "store.db", mortal()) as desk:
        early = await begin(desk, stream, state_of(stream.changes[:9], stream.changes[-TAIL - 1].n))
        await receive(desk, early)
        desk.store.forget_base(NOTE)
        await complete(desk)
        assert [why for _, why in desk.held(NOTE)] == ["crash"]
        assert "Mer 2." in desk.text()


async def test_attack_a_false_state_is_gone_when_all_is_judged(tmp_path: Path) -> None:
    stream, _ = typed()
    async with opened(tmp_path / "store.db") as desk, opened(tmp_path / "other.db") as honest:
        await receive(honest, stream.changes)
        early = await begin(desk, stream, state_of(typed(5)[0].changes, stream.changes[-TAIL - 1].n))
        await receive(desk, early)
        desk.store.forget_base(NOTE)  # as the engine does when it has made the state itself
        await complete(desk)
        assert desk.text() == honest.text()
        assert marks(desk.store) == []


async def test_a_cached_state_is_not_read_again_with_what_stood_behind_it(tmp_path: Path) -> None:
    stream, _ = typed()
    async with opened(tmp_path / "store.db") as desk:
        early = await begin(desk, stream)
        last = desk.store.changes.of(NOTE)[-1].rowid
        desk.store.objects.set_crdt_state(NOTE, last, state_of(stream.changes).changes[0])
        await receive(desk, early)
        await complete(desk)
        found = desk.store.objects.crdt_state(NOTE)
        assert found is not None
        assert desk.store.changes.of(NOTE, found[0]) == []


async def test_a_cached_state_that_lacks_a_merged_change_is_still_read_with_it(tmp_path: Path) -> None:
    """Otherwise what opens the document would not show that change."""
    stream, _ = typed()
    async with opened(tmp_path / "store.db") as desk:
        early = await begin(desk, stream)
        before, last = desk.store.changes.of(NOTE)[-2:]
        desk.store.objects.set_crdt_state(NOTE, before.rowid, state_of(stream.changes[:-1]).changes[0])
        await receive(desk, early)
        await complete(desk)
        found = desk.store.objects.crdt_state(NOTE)
        assert found is not None
        assert last.change_id in [change.change_id for change in desk.store.changes.of(NOTE, found[0])]
