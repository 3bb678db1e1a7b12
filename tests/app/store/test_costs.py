# SPDX-License-Identifier: EUPL-1.2
"""What merging may cost on this computer: of a change and of an object. The worker's clock is turned by hand."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.core.ids import ObjId, new_change
from app.documents import KIND as DOCUMENTS
from app.errors import WorkerDied
from app.store.allowance import ALWAYS_US, MOST_US, allowed_us
from app.store.rehearsal import LOADED, MOST_FAILURES, Given, Rehearsal
from app.tasks import KIND as BOARDS
from app.tasks.service import new_board
from app.worker.client import Worker
from app.worker.frames import MAX_FRAME, Tried
from tests.app.poison import FATAL, SLOW, TAKES_US, Writer, written
from tests.app.store.test_trials import NOTE, _document, opened, settled
from tests.office import BOARD_ID, COLUMNS, EK, ROOM
from tests.one_change import one_change as board_change
from tests.world import until


def slow() -> Worker:
    """A worker that counts only TAKES_US for each FATAL in an update."""
    return Worker([sys.executable, "-c", SLOW])


def costly(key: str, times: int) -> bytes:
    """A board's change that takes the worker `times` × TAKES_US."""
    return board_change(written("board", key, FATAL * times))


LONG = MAX_FRAME + 1
TOO_MUCH = ALWAYS_US // TAKES_US + 1


def test_what_may_be_spent_grows_with_the_bytes_and_has_an_end() -> None:
    assert ALWAYS_US <= allowed_us(0) < allowed_us(192 * 1024) < allowed_us(2**40) == MOST_US


async def test_attack_a_change_that_takes_too_long_to_merge_is_held_back_here(tmp_path: Path) -> None:
    """20,000 items at a place where 1,000 clients have written took 3.9 s at each opening and each indexing."""
    path, worker = tmp_path / "store.db", slow()
    async with opened(path, worker) as desk:
        (before,) = await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
        slow_one, honest = await desk.receive(
            (BOARD_ID, costly("k", TOO_MUCH)), (BOARD_ID, board_change(written("board", "title", "Beslut å 🙂")))
        )
        await settled(desk, BOARD_ID)
        assert desk.held(BOARD_ID) == [(slow_one, "slow")]
        assert [change.change_id for change in desk.store.changes.of(BOARD_ID)] == [before, honest]
        assert not desk.store.is_sound(BOARD_ID)
        assert desk.store.held_changes.void(ROOM) == []  # ▲ time makes nothing void
        assert worker.generation == 0
    async with opened(path) as desk:  # a faster computer
        await until(lambda: desk.held(BOARD_ID) == [])
        assert desk.store.is_sound(BOARD_ID)


async def test_attack_changes_that_cost_little_each_and_much_together_make_only_their_object_wait(
    tmp_path: Path,
) -> None:
    path, writer = tmp_path / "store.db", Writer()
    async with opened(path, slow()) as desk:
        await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
        for n in range(10):
            await desk.receive((BOARD_ID, costly(f"k{n}", 1)))
        await until(lambda: desk.store.trials.large == [BOARD_ID])
        merged = len(desk.store.changes.of(BOARD_ID)) - 1
        assert 0 < merged * TAKES_US <= 2 * ALWAYS_US
        assert desk.store.trials.waiting(BOARD_ID) == 10 - merged
        assert desk.held(BOARD_ID) == []
        assert not desk.store.is_sound(BOARD_ID)
        await desk.receive(*((NOTE, data) for data in writer.take()))
        assert len(desk.store.changes.of(NOTE)) == 1
    async with opened(path) as desk:  # a faster computer
        await settled(desk, BOARD_ID)
        assert len(desk.store.changes.of(BOARD_ID)) == 11
        assert desk.store.trials.large == []


async def test_an_object_that_was_too_large_is_tried_again_when_something_is_taken_out_of_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db", slow()) as desk:
        await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
        for n in range(10):
            await desk.receive((BOARD_ID, costly(f"k{n}", 1)))
        await until(lambda: desk.store.trials.large == [BOARD_ID])
        before = {change.change_id for change in desk.store.changes.of(BOARD_ID)}
        with desk.store.db.transaction():
            costly_ones = "obj = ? AND unprojected IS NULL AND length(data) < 100"
            desk.store.db.conn.execute(f"UPDATE changes SET unprojected = 'left-out' WHERE {costly_ones}", (BOARD_ID,))  # noqa: S608
            desk.store._projecting.take_back(BOARD_ID)
        await until(lambda: not {change.change_id for change in desk.store.changes.of(BOARD_ID)} <= before)


async def test_attack_a_cached_state_that_is_too_long_to_be_read_ends_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker takes frames of 32 MiB: a longer state ended it at each load, and the object was doubted."""
    writer, worker, loaded, load = Writer(), Worker(), list[list[int]](), Worker.load

    def recorded(worker: Worker, obj: bytes, texts: Any, maps: Any, updates: Sequence[bytes], **how: bool) -> Tried:
        loaded.append([len(update) for update in updates])
        return load(worker, obj, texts, maps, updates, **how)

    monkeypatch.setattr(Worker, "load", recorded)
    async with opened(tmp_path / "store.db", worker) as desk:
        await desk.receive(*((NOTE, data) for data in writer.take()))
        desk.store.objects.set_crdt_state(NOTE, 10_000, bytes(LONG))
        assert desk.store.trials._rehearsal is not None
        desk.store.trials._rehearsal.lose(NOTE)
        await desk.receive((NOTE, writer.types("Yttrande åäö 🙂")))
        assert "Yttrande åäö 🙂" in desk.text()
        assert desk.store.objects.crdt_state(NOTE) is not None, "the object was not doubted"
        assert worker.generation == 0
    *_, with_state, without = loaded
    assert with_state == [LONG]
    assert len(without) == 1, "the document's first change, in place of the state"


async def test_attack_objects_that_are_large_together_are_not_all_kept_in_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.store.rehearsal.LOADED_BYTES", 1000)
    async with opened(tmp_path / "store.db") as desk:
        rehearsal = Rehearsal(desk.store.db, desk.worker)
        for n in range(4):
            writer = Writer()
            given = [Given(EK, new_change(), data) for data in (*writer.take(), writer.types("å" * 500))]
            assert rehearsal.passes(ObjId(bytes([n]) * 16), DOCUMENTS, given)
    assert 0 < len(rehearsal._loaded) < 4 < LOADED


async def test_a_state_that_was_cached_without_a_held_change_is_dropped_when_the_change_is_merged(
    tmp_path: Path,
) -> None:
    """The change was shown until the document was closed, and never again after that."""
    path, writer = tmp_path / "store.db", Writer()
    async with opened(path, slow()) as desk:
        await desk.receive(*((NOTE, data) for data in writer.take()))
        await desk.receive((NOTE, _document(written("meta", "k", FATAL * TOO_MUCH))))
        await settled(desk, NOTE)
        assert [why for _, why in desk.held(NOTE)] == ["slow"]
        desk.store.objects.set_crdt_state(NOTE, 1000, writer.document.snapshot())
    async with opened(path) as desk:  # a faster computer
        await until(lambda: desk.held(NOTE) == [])
        assert desk.store.objects.crdt_state(NOTE) is None


@pytest.mark.parametrize("bound", ["RETRIED_WITHIN_S", "RETRIED_ALL_S"])
async def test_attack_many_changes_that_take_long_are_not_all_tried_again_at_one_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """Each may take ten seconds, and changes that are received meanwhile wait."""
    path, again = tmp_path / "store.db", list[ObjId]()
    async with opened(path, slow()) as desk:
        ids = await desk.receive(*((BOARD_ID, costly(f"k{n}", TOO_MUCH)) for n in range(3)))
        await settled(desk, BOARD_ID)
        assert sorted(desk.held(BOARD_ID)) == sorted((each, "slow") for each in ids)
    alone = Rehearsal.alone

    def recorded(rehearsal: Rehearsal, obj: ObjId, *given: Any) -> bool:
        again.append(obj)
        return alone(rehearsal, obj, *given)

    monkeypatch.setattr(Rehearsal, "alone", recorded)
    monkeypatch.setattr(f"app.store.trials.{bound}", 0.0)
    async with opened(path, slow()) as desk:
        await until(lambda: again != [])
        await desk.receive((BOARD_ID, costly("k", TOO_MUCH)))  # tried when the others are done with
        await settled(desk, BOARD_ID)
    assert again == [BOARD_ID]


async def test_attack_an_object_that_is_lost_while_it_is_made_ready_ends_no_trials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop loses objects while the trials' thread works: a KeyError there ended all trials."""
    async with opened(tmp_path / "store.db") as desk:
        rehearsal, writer = Rehearsal(desk.store.db, desk.worker), Writer()
        assert rehearsal.passes(NOTE, DOCUMENTS, [Given(EK, new_change(), data) for data in writer.take()])

        def lost_meanwhile(size: int) -> int:
            rehearsal.weigh(NOTE)
            return allowed_us(size)

        monkeypatch.setattr("app.store.rehearsal.allowed_us", lost_meanwhile)
        assert rehearsal.passes(NOTE, DOCUMENTS, [Given(EK, new_change(), writer.types("Beslut åäö 🙂"))])
        loads, load = list[bytes](), Worker.load

        def recorded(worker: Worker, obj: bytes, *given: Any, **how: Any) -> Tried:
            loads.append(obj)
            return load(worker, obj, *given, **how)

        monkeypatch.setattr(Worker, "load", recorded)
        assert rehearsal.passes(NOTE, DOCUMENTS, [])
        assert loads == [NOTE]


async def test_an_object_is_too_large_also_if_the_worker_ends_when_it_drops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken for an object that ends the worker, and loaded a second time."""
    async with opened(tmp_path / "store.db", slow()) as desk:
        await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
        rehearsal, loads, load = Rehearsal(desk.store.db, desk.worker), list[bytes](), Worker.load

        def recorded(worker: Worker, obj: bytes, *given: Any, **how: Any) -> Tried:
            loads.append(obj)
            return load(worker, obj, *given, **how)

        def dies(worker: Worker, obj: bytes) -> None:
            worker.stop()
            raise WorkerDied

        monkeypatch.setattr(Worker, "load", recorded)
        monkeypatch.setattr(Worker, "forget", dies)
        monkeypatch.setattr("app.store.rehearsal.is_slow", lambda *_: True)
        assert rehearsal.one_by_one(BOARD_ID, BOARDS, [Given(EK, new_change(), costly("k", 0))]) is None
        assert rehearsal.is_large(BOARD_ID)
        assert loads == [BOARD_ID]


async def test_attack_changes_behind_many_slow_ones_are_tried_and_not_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Honest changes behind eight slow ones were quarantined as "crash" without a trial."""
    monkeypatch.setattr("app.store.pauses.PAUSE_SHARE", 0)
    async with opened(tmp_path / "store.db", slow()) as desk:
        await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
        costly_ones = [(BOARD_ID, costly(f"k{n}", TOO_MUCH)) for n in range(MOST_FAILURES)]
        honest = [(BOARD_ID, board_change(written("board", key, "Beslut å 🙂"))) for key in ("title", "note")]
        ids = await desk.receive(*costly_ones, *honest)
        await settled(desk, BOARD_ID)
        assert desk.held(BOARD_ID) == [(each, "slow") for each in ids[:MOST_FAILURES]]
        assert [change.change_id for change in desk.store.changes.of(BOARD_ID)][1:] == ids[MOST_FAILURES:]


async def test_attack_changes_of_one_batch_that_cost_much_together_are_not_all_merged(tmp_path: Path) -> None:
    """16 changes of a third of a second passed in one slice. Each opening and each indexing took 5 s after that."""
    async with opened(tmp_path / "store.db", slow()) as desk:
        await desk.receive((BOARD_ID, new_board("Ärendets uppgifter", COLUMNS)))
        await desk.receive(*((BOARD_ID, costly(f"k{n}", 1)) for n in range(10)))
        await until(lambda: desk.store.trials.large == [BOARD_ID] or desk.store.trials.untried == [])
        merged = len(desk.store.changes.of(BOARD_ID)) - 1
        assert 0 < merged * TAKES_US <= 2 * ALWAYS_US
        assert desk.store.trials.waiting(BOARD_ID) == 10 - merged
        assert desk.held(BOARD_ID) == []


async def test_a_batch_that_costs_much_together_is_merged_if_its_object_may_cost_as_much(tmp_path: Path) -> None:
    """Only the batch was too costly: a long document of honest changes comes in several steps."""
    async with opened(tmp_path / "store.db", slow()) as desk:
        await desk.receive((BOARD_ID, new_board("Ärendets uppgifter " + "å" * 100_000, COLUMNS)))
        await desk.receive(*((BOARD_ID, costly(f"k{n}", 1)) for n in range(3)))
        await until(lambda: desk.store.trials.untried == [])
        assert len(desk.store.changes.of(BOARD_ID)) == 4
        assert desk.store.is_sound(BOARD_ID)
