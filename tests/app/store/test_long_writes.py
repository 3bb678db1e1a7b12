# SPDX-License-Identifier: EUPL-1.2
"""Many changes of one object: all or none, whatever ends the write and at whichever step; few in one transaction."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from app.core.ids import ObjId
from app.errors import DiskFull
from app.rooms.copying import Copying
from app.store import long_writes
from app.store.long_writes import LongWrites, Progress
from tests.app.steps import Killed, at_step, idle, kill
from tests.app.store.conftest import ME, OTHER, ROOM, Bench

NOTES = [f"Begär yttrande {n} å 🙂".encode() for n in range(12)]
STEPS = range(9)
"""The transactions of such a write that are committed apart: one more than there are."""
OLD = ObjId(b"o" * 16)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few changes at once that twelve of them are several parts."""
    monkeypatch.setattr(long_writes, "KEPT_AT_ONCE", 4)


class Side:
    """A store with the long writes of its notes, and the objects that these put into the trash."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.retired = list[ObjId]()
        self.writes = self._opened()

    def _opened(self) -> LongWrites:
        store = self.bench.store
        return LongWrites(store.db, store.changes, "note", lambda room, obj: self.retired.append(obj))

    def begin(self) -> ObjId:
        """Makes the new object, as a tool does."""
        obj = self.bench.store.objects.new(ROOM)
        self.bench.store.changes.append(ROOM, ObjId(ROOM), b"announce" + obj + b"note")
        return obj

    async def write(self) -> ObjId:
        return await self.writes.write(ROOM, NOTES, self.begin, retires=OLD)

    def written(self) -> list[list[bytes]]:
        """The changes of each note object."""
        return [[c.data for c in self.bench.store.changes.of(obj)] for obj in self.notes()]

    def notes(self) -> list[ObjId]:
        """The note objects."""
        return [row.obj for row in self.bench.store.objects.all(ROOM, "note")]

    def left(self) -> int:
        """How many rows a write has left behind."""
        both = "SELECT (SELECT count(*) FROM long_writes) + (SELECT count(*) FROM long_write_changes)"
        return int(self.bench.store.db.value(both))

    async def start_again(self) -> None:
        """Ends the program here, starts it again, and waits until it has nothing to do."""
        self.writes.close()
        await idle()
        self.bench.reopen()
        self.bench.store.set_me(ME)
        self.writes = self._opened()
        self.writes.start()
        await idle()


@pytest.fixture
def side(bench: Bench, few: None) -> Side:
    return Side(bench)


@pytest.mark.parametrize("step", STEPS)
async def test_a_program_that_ends_at_any_step_leaves_all_or_nothing(
    side: Side, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        at_step(patch, step, kill)
        with suppress(Killed):
            await side.write()
        await idle()
    await side.start_again()
    assert (side.written(), side.retired) in (([], []), ([NOTES], [OLD]))
    assert (side.written() == []) == (step < 5), "it is decided after all is stored"
    assert side.left() == 0


@pytest.mark.parametrize("step", STEPS)
async def test_a_disk_that_is_full_at_any_step_leaves_all_or_nothing(
    side: Side, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill() -> None:
        monkeypatch.setattr(side.bench.store.db, "transaction", refuse)
        refuse()

    def refuse(*_: object, **__: object) -> None:
        raise DiskFull

    is_full = False
    with monkeypatch.context() as patch:
        at_step(patch, step, fill)
        try:
            await side.write()
        except DiskFull:
            is_full = True
        await idle()
    monkeypatch.undo()
    monkeypatch.setattr(long_writes, "KEPT_AT_ONCE", 4)
    assert is_full == (step < 8)
    timers = list(side.writes._timers.values())
    assert bool(timers) == (5 <= step < 8)
    for obj in side.notes():
        await side.writes.complete(obj)
    assert all(timer.cancelled() for timer in timers), "the next try would find nothing of a write that is complete"
    assert (side.written(), side.retired) == (([], []) if step < 5 else ([NOTES], [OLD]))
    await side.start_again()
    assert side.left() == 0
    assert side.written() == ([] if step < 5 else [NOTES])


@pytest.mark.parametrize("step", STEPS)
async def test_a_write_that_is_cancelled_at_any_step_leaves_all_or_nothing(
    side: Side, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = list[asyncio.Task[ObjId]]()
    at_step(monkeypatch, step, lambda: tasks[0].cancel(), on=False)
    tasks.append(asyncio.create_task(side.write()))
    await asyncio.wait(tasks)
    await idle()
    assert tasks[0].cancelled() == (step < 8)
    assert (side.written(), side.retired) == (([], []) if step < 5 else ([NOTES], [OLD]))
    assert side.left() == 0


async def test_few_changes_are_written_in_one_transaction(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    counts, appended = [0], side.bench.store.changes.append

    def counted(*given: Any, **named: Any) -> Any:
        counts[-1] += given[1] != ObjId(ROOM)
        return appended(*given, **named)

    monkeypatch.setattr(side.bench.store.changes, "append", counted)
    at_step(monkeypatch, 0, lambda: counts.append(0))
    await side.write()
    assert sum(counts) == len(NOTES)
    assert max(counts) == long_writes.MOVED_AT_ONCE


async def test_long_changes_are_written_one_by_one(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = list[int]()
    at_step(monkeypatch, 0, lambda: sizes.append(len(side.written()[0]) if side.written() else 0))
    await side.writes.write(ROOM, [b"a" * 60_000] * 3, side.begin)
    assert sizes == [0, 0, 0, 0, 1, 2]
    assert side.written() == [[b"a" * 60_000] * 3]


async def test_a_few_changes_are_one_transaction(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    at_step(monkeypatch, 0, kill)
    await side.writes.write(ROOM, NOTES[:5], side.begin, retires=OLD)
    assert (side.written(), side.retired) == ([NOTES[:5]], [OLD])


async def test_an_object_that_is_gone_before_it_is_decided_gets_nothing(side: Side) -> None:
    def gone() -> ObjId:
        raise Killed

    with pytest.raises(Killed):
        await side.writes.write(ROOM, NOTES, gone)
    await idle()
    assert (side.written(), side.left()) == ([], 0)


async def test_the_progress_reaches_its_end(side: Side) -> None:
    seen = list[tuple[int, int, bool]]()
    await side.writes.write(ROOM, NOTES, side.begin, progress=lambda *given: seen.append(given))
    kept, moved = [(n, 24, True) for n in (4, 8, 12)], [(n, 24, False) for n in (12, 17, 22, 24)]
    assert seen == kept + moved


@pytest.mark.parametrize("step", STEPS)
async def test_a_copy_that_is_stopped_leaves_nothing_and_one_that_is_decided_is_not_stopped(
    side: Side, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying = Copying()
    at_step(monkeypatch, step, lambda: copying.stop(ROOM), on=False)

    async def make(progress: Progress) -> ObjId:
        return await side.writes.write(ROOM, NOTES, side.begin, progress=progress)

    try:
        made = await copying.run(ROOM, OLD, "Tavla å 🙂", make)
    except asyncio.CancelledError:
        made = None
    await idle()
    assert (made is None) == (step < 5)
    assert side.notes() == ([] if made is None else [made])


async def test_the_object_that_a_write_makes_is_known_until_it_is_complete(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        at_step(patch, 6, kill)
        with suppress(Killed):
            await side.write()
    (obj,) = side.notes()
    assert side.writes.retiring(OLD) == obj
    await side.writes.complete(obj)
    assert side.writes.retiring(OLD) is None
    assert side.written() == [NOTES]


async def test_what_a_colleague_writes_meanwhile_stays(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = side.bench
    theirs = "Från en kollega å 🙂".encode()

    def receive() -> None:
        bench.receive(bench.opened(theirs, side.notes()[0], uid=OTHER))

    at_step(monkeypatch, 6, receive, on=False)
    await side.write()
    (written,) = side.written()
    assert [data for data in written if data != theirs] == NOTES
    assert written.index(theirs) == 5
