# SPDX-License-Identifier: EUPL-1.2
"""Documents over real stores: what is written is found by search, and indexing that would be felt waits for a pause."""

from contextlib import AbstractContextManager

import pytest

from app.core.ids import ObjId
from app.errors import DiskFull
from app.richtext.indexing import LONGEST_S
from app.richtext.model import Document
from tests.app.documents.desks import Desk, World
from tests.office import ROOM


def test_words_are_found_a_moment_after_they_were_written(world: World, pair: tuple[Desk, Desk, ObjId]) -> None:
    hl, ek, obj = pair
    hl.documents.open(obj).splice(0, 0, "Verksamheten i Ängelholm")
    world.deliver()
    assert ek.store.search.find_here("ängelholm") == []
    ek.timers.ring()
    assert [hit.obj for hit in ek.store.search.find_here("ängelh")] == [obj]
    assert ek.documents.list(ROOM)[0].words == 3
    assert ek.documents.list(ROOM)[0].excerpt == "Verksamheten i Ängelholm"


def test_what_was_not_indexed_before_the_end_is_indexed_at_the_next_start(
    world: World, pair: tuple[Desk, Desk, ObjId]
) -> None:
    hl, _, obj = pair
    hl.documents.open(obj).splice(0, 0, "Värnamo")
    hl.store.db.conn.execute("UPDATE document_rows SET pending = 1")
    hl.documents.start()
    hl.timers.ring()
    assert [hit.obj for hit in hl.store.search.find_here("värnamo")] == [obj]


def test_what_comes_while_a_document_is_indexed_asks_for_no_second_round(
    world: World, pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, ek, obj = pair
    other = hl.documents.create(ROOM, "Beslut")
    index = ek.documents._indexing
    shown = index._document

    def write() -> None:
        for each in (obj, other):
            hl.documents.open(each).splice(0, 0, "Ett")
        world.deliver()

    def and_more(at: ObjId) -> AbstractContextManager[Document]:
        write()  # as a commit that ends meanwhile brings it
        return shown(at)

    monkeypatch.setattr(index, "_document", and_more)
    write()
    for _ in range(3):
        asked = [entry for entry in ek.timers.waiting if entry[1] == index._next]
        assert len(asked) == 1
        ek.timers.waiting.remove(asked[0])
        index._next()


def test_a_disk_that_refuses_the_index_is_tried_again_and_ends_nothing(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    index = hl.documents._indexing

    def refused(*_: object) -> None:
        raise DiskFull

    hl.documents.open(obj).splice(0, 0, "Yttrandet")
    with monkeypatch.context() as full:
        full.setattr(index, "_write", refused)
        hl.timers.ring()
        assert [entry[0] for entry in hl.timers.waiting if entry[1] == index._next] == [LONGEST_S]
    assert not hl.store.search.find_here("yttrandet")
    hl.timers.ring(LONGEST_S)
    assert [hit.obj for hit in hl.store.search.find_here("yttrandet")] == [obj]
    hl.documents.open(obj).splice(0, 0, "Beslutet")
    monkeypatch.setattr(index, "_write", refused)
    hl.documents.close_all()  # the next start indexes it


def test_indexing_that_would_be_felt_waits_for_a_pause_but_not_for_ever(
    pair: tuple[Desk, Desk, ObjId], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, obj = pair
    index, document, now = hl.documents._indexing, hl.documents.open(obj), [100.0]
    monkeypatch.setattr("app.richtext.indexing.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("app.richtext.indexing.HEAVY_S", -1.0)  # whatever it takes
    hl.timers.ring()

    def begun_again() -> bool:
        """Whether a change restarts the wait before indexing."""
        (before,) = [entry for entry in hl.timers.waiting if entry[1] == index._next]
        document.splice(0, 0, "a")
        (after,) = [entry for entry in hl.timers.waiting if entry[1] == index._next]
        return after is not before

    document.splice(0, 0, "a")
    for _ in range(140):  # 28 s without a pause
        assert begun_again()
        now[0] += 0.2
    now[0] += 1.0
    assert not begun_again(), "it waits no longer"
    monkeypatch.setattr("app.richtext.indexing.HEAVY_S", 1.0)
    hl.timers.ring()
    document.splice(0, 0, "a")
    assert not begun_again(), "what is not felt comes when it was to come"
