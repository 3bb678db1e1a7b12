# SPDX-License-Identifier: EUPL-1.2
"""New texts reach the search index a moment after they were stored: found within a second, and lost by no crash."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from app.core.ids import ObjId
from app.errors import StoreUnwritable
from app.store import indexing, search
from app.store.connection import Connection, Row
from app.store.search import Entry, match_of
from app.store.store import Store
from tests.app.store.conftest import KEY, KINDS, ROOM, Bench
from tests.app.store.failing import FULL, Statements, fails_at
from tests.world import until


def entry(ref: bytes, body: str, obj: ObjId | None = None) -> Entry:
    return Entry(room=ROOM, obj=obj or ObjId(ROOM), kind="note", ref=ref, t=1, title="", body=body)


def put(bench: Bench, *entries: Entry) -> None:
    """As a projection does, in a transaction that notifies of its room."""
    with bench.store.transaction() as conn:
        search.put(conn, entries)
        bench.store.db.after_commit(lambda: bench.store.changed.emit(ROOM))


def indexed(bench: Bench, text: str) -> int:
    """How many places the index itself has, for any reader."""
    with bench.store.db.reader() as reader:
        return int(reader.value("SELECT count(*) FROM search WHERE search MATCH ?", (match_of(text),)))


def due(bench: Bench) -> int:
    return int(bench.store.db.value("SELECT count(*) FROM search_due"))


async def until_indexed(bench: Bench, text: str) -> None:
    await until(lambda: indexed(bench, text) > 0)


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[None]:
    """The store indexes in the background, as in a session."""
    task = asyncio.ensure_future(bench.store.indexing.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a pause before the index is written."""
    monkeypatch.setattr(indexing, "DELAY_S", 0.0)


async def test_a_text_is_indexed_within_a_second_without_anybody_searching(bench: Bench) -> None:
    put(bench, entry(b"1", "Ansökan åäö 🙂"))
    assert (indexed(bench, "ansökan"), due(bench)) == (0, 1)
    async with running(bench):
        await until_indexed(bench, "ansökan")
    assert indexing.DELAY_S <= 0.5
    assert due(bench) == 0


async def test_what_is_written_again_before_and_after_it_is_indexed_is_found_as_it_is_last(bench: Bench) -> None:
    put(bench, entry(b"1", "Ansökan"))
    put(bench, entry(b"1", "Beslut"))
    assert due(bench) == 1
    await bench.store.indexing.index_due()
    put(bench, entry(b"1", "Yttrande"))
    with bench.store.transaction() as conn:
        search.set_times(conn, [(7, ObjId(ROOM), b"1")])
    assert [hit.t for hit in await bench.store.search.find("yttrande")] == [7]
    assert indexed(bench, "ansökan") + indexed(bench, "beslut") == 0
    put(bench, entry(b"1", "Protokoll"))
    put(bench, *[entry(b"%d" % n, f"Bilaga {n}") for n in range(search.FEW + 1)])  # at once, and the newer text counts
    assert due(bench) == 0
    assert (indexed(bench, "protokoll"), indexed(bench, "bilaga")) == (0, search.FEW + 1)


def test_what_waits_is_dropped_with_its_place_its_object_and_its_kind(bench: Bench) -> None:
    def left(drop: Callable[[Connection], object]) -> int:
        put(bench, entry(b"1", "Ansökan"))
        with bench.store.transaction() as conn:
            drop(conn)
        return due(bench)

    assert left(lambda conn: search.drop(conn, ObjId(ROOM), b"1")) == 0
    assert left(lambda conn: search.drop(conn, ObjId(ROOM))) == 0
    assert left(lambda conn: search.drop_some(conn, ObjId(ROOM), 10)) == 0
    assert left(lambda conn: search.drop_kind(conn, "note")) == 0
    assert left(lambda conn: search.drop_kind(conn, "chat")) == 1
    put(bench, *[entry(b"%d" % n, "Ansökan") for n in range(5)])
    with bench.store.transaction() as conn:
        assert [search.drop_some(conn, ObjId(ROOM), 2) for _ in range(3)] == [True, True, False]
    assert due(bench) == 0


async def test_a_search_finds_what_was_stored_a_moment_ago(bench: Bench) -> None:
    put(bench, entry(b"1", "Ansökan åäö 🙂"))
    assert [hit.ref for hit in await bench.store.search.find("åäö")] == [b"1"]
    assert due(bench) == 0


def test_a_text_that_waited_when_the_process_ended_is_found_after_the_next_start(bench: Bench) -> None:
    put(bench, entry(b"1", "Ansökan"))
    assert due(bench) == 1
    bench.reopen()
    assert (indexed(bench, "ansökan"), due(bench)) == (0, 1)
    assert [hit.ref for hit in bench.store.search.find_here("ansökan")] == [b"1"]


async def test_a_start_indexes_what_an_earlier_run_left(bench: Bench, at_once: None) -> None:
    with bench.store.transaction() as conn:
        search.put(conn, [entry(b"1", "Ansökan")])
    bench.reopen()
    async with running(bench):
        await until_indexed(bench, "ansökan")


def test_a_kill_at_any_statement_of_the_move_leaves_the_text_in_one_of_the_two(bench: Bench) -> None:
    for number in range(6):
        put(bench, entry(b"%d" % number, f"Ansökan{number}"))
        seen = Statements(bench.store)
        seen.before = fails_at(number)
        with seen.watched(), suppress(StoreUnwritable):
            bench.store.indexing.index_due_here()
        assert indexed(bench, f"ansökan{number}") + due(bench) == 1
        assert [hit.ref for hit in bench.store.search.find_here(f"ansökan{number}")] == [b"%d" % number]


async def test_a_disk_that_refuses_is_asked_again(bench: Bench, at_once: None) -> None:
    seen = Statements(bench.store)
    refused = list[int]()

    def refuse(number: int, text: str) -> None:
        if text.startswith("INSERT INTO search (") and not refused:
            refused.append(number)
            fails_at(number)(number, text)

    seen.before = refuse
    with seen.watched():
        async with running(bench):
            put(bench, entry(b"1", "Ansökan"))
            await until(lambda: bool(refused))
            put(bench, entry(b"2", "Beslut"))
            await until_indexed(bench, "beslut")
    assert indexed(bench, "ansökan") == 1


async def test_a_full_disk_does_not_end_searching(bench: Bench) -> None:
    put(bench, entry(b"1", "Ansökan"))
    await bench.store.indexing.index_due()
    put(bench, entry(b"2", "Ansökan 🙂"))
    seen = Statements(bench.store)

    def refuse(number: int, text: str) -> None:
        if text.startswith("INSERT INTO search ("):
            fails_at(number, FULL)(number, text)

    seen.before = refuse
    with seen.watched():
        assert [hit.ref for hit in await bench.store.search.find("ansökan")] == [b"1"]
    assert {hit.ref for hit in await bench.store.search.find("ansökan")} == {b"1", b"2"}


async def test_attack_words_that_were_edited_away_are_not_found_while_the_disk_is_full(bench: Bench) -> None:
    put(bench, entry(b"1", "Ansökan av en enskild"))
    put(bench, entry(b"2", "Ansökan 🙂"))
    await bench.store.indexing.index_due()
    put(bench, entry(b"1", "Ansökan"))
    seen = Statements(bench.store)

    def refuse(number: int, text: str) -> None:
        if text.startswith("UPDATE search SET"):
            fails_at(number, FULL)(number, text)

    seen.before = refuse
    with seen.watched():
        assert await bench.store.search.find("enskild") == []
        assert [hit.ref for hit in await bench.store.search.find("ansökan")] == [b"2"]
    assert {hit.ref for hit in await bench.store.search.find("ansökan")} == {b"1", b"2"}


def test_a_text_that_changes_or_goes_while_it_waits_is_found_by_its_new_words_alone(bench: Bench) -> None:
    put(bench, entry(b"1", "Ansökan"), entry(b"2", "Yttrande"))
    put(bench, entry(b"1", "Beslut"))
    with bench.store.transaction() as conn:
        search.drop(conn, ObjId(ROOM), b"2")
    find = bench.store.search.find_here
    assert [len(find(word)) for word in ("ansökan", "beslut", "yttrande")] == [0, 1, 0]
    with bench.store.transaction() as conn:
        search.put(conn, [entry(b"3", "Beslut")])
        search.drop_kind(conn, "note")
    assert (find("beslut"), due(bench)) == ([], 0)


def test_many_texts_and_long_ones_are_indexed_in_their_own_transaction(bench: Bench) -> None:
    put(bench, *(entry(b"%d" % n, "Ansökan") for n in range(search.FEW + 1)))
    put(bench, entry(b"long", "Beslut " * search.FEW_CHARS))
    assert (indexed(bench, "ansökan"), indexed(bench, "beslut"), due(bench)) == (search.FEW + 1, 1, 0)


async def test_more_than_one_batch_waits(bench: Bench) -> None:
    for n in range(indexing.AT_ONCE + 2):
        put(bench, entry(b"%d" % n, "Ansökan"))
    await bench.store.indexing.index_due()
    assert (indexed(bench, "ansökan"), due(bench)) == (indexing.AT_ONCE + 2, 0)


@pytest.mark.parametrize(("chars", "commits"), [(indexing.AT_ONCE_CHARS, 1), (20, 2), (1, 4)])
def test_attack_many_long_messages_are_indexed_a_few_at_a_time(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, chars: int, commits: int
) -> None:
    """Each message of 4,096 characters takes half a millisecond of the event loop."""
    monkeypatch.setattr(indexing, "AT_ONCE_CHARS", chars)
    for n in range(4):
        put(bench, entry(b"%d" % n, "Ansökan 🙂"))  # 9 characters
    seen = Statements(bench.store)
    with seen.watched():
        bench.store.indexing.index_due_here()
    assert sum(text.startswith("COMMIT") for text in seen.texts) == commits
    assert (indexed(bench, "ansökan"), due(bench)) == (4, 0)


async def test_a_store_that_is_closed_while_texts_are_indexed_goes_on_at_the_next_start(
    bench: Bench, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "AT_ONCE", 1)
    begun, index = asyncio.Event(), indexing.index

    def watched(conn: Connection, rows: Sequence[Row]) -> None:
        begun.set()
        index(conn, rows)

    monkeypatch.setattr(indexing, "index", watched)
    for n in range(9):
        put(bench, entry(b"%d" % n, "Ansökan åäö 🙂"))
    async with running(bench):
        await begun.wait()
    left = due(bench)
    bench.store.close()
    bench.store = Store.open(bench.path, KEY, KINDS)
    assert 0 < left == due(bench)
    async with running(bench):
        await until(lambda: due(bench) == 0)
    assert indexed(bench, "ansökan") == 9
