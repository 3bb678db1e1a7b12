# SPDX-License-Identifier: EUPL-1.2
"""What one colleague sends into one document or board harms no other object, and not the session's end."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pycrdt
import pytest

from app.core.ids import ObjId
from app.errors import BugError
from app.objects import pieces
from app.objects.compaction import state_of
from app.objects.crdt import MAX_DEPTH
from app.richtext.model import Document
from tests.app.documents.desks import Desk, World
from tests.app.objects.crdts import crdt_of
from tests.office import BOARD_ID, EK, HL, ROOM, Positions, desk, from_others, start_board
from tests.one_change import one_change as encode

DEEP = 900
"""Levels of a list of 1.8 kB; audit finding 7."""


def nested(levels: int) -> object:
    """A list in a list in a list."""
    value: object = "å"
    for _ in range(levels):
        value = [value]
    return value


def written(root: str, key: str, value: object) -> bytes:
    """An update that sets one key of a root map."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    found: pycrdt.Map[Any] = pycrdt.Map()
    doc[root] = found
    found[key] = value
    return doc.get_update()


def _poisoned(world: World) -> tuple[Desk, ObjId, ObjId]:
    """A desk with a document whose title a colleague made a list 900 deep, and one of its own."""
    hl, ek = world.add(HL), world.add(EK)
    bad = ek.documents.create(ROOM, "Yttrande")
    good = hl.documents.create(ROOM, "Beslut om tillsyn å 🙂")
    world.deliver()
    for data in pieces.encode(written("meta", "title", nested(DEEP))):
        world.arrive(hl, EK, bad, data)
    return hl, bad, good


def test_attack_a_title_that_is_a_list_900_deep_opens_as_no_title(world: World) -> None:
    hl, bad, _ = _poisoned(world)
    assert hl.documents.open(bad).title in ("", "Yttrande")


def test_attack_a_document_with_an_odd_value_leaves_the_others_findable(world: World) -> None:
    hl, _, good = _poisoned(world)
    hl.documents.index_now()
    assert [hit.obj for hit in hl.store.search.find_here("tillsyn")] == [good]


@pytest.mark.parametrize("again", ["start", "change"])
def test_a_document_that_cannot_be_indexed_stops_no_other_and_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    hl, ek = world.add(HL), world.add(EK)
    bad, good = hl.documents.create(ROOM, "Ärende å"), hl.documents.create(ROOM, "Beslut om tillsyn 🙂")
    index, tried = ek.documents._indexing, list[ObjId]()
    document = index._document

    def fails(obj: ObjId) -> AbstractContextManager[Document]:
        tried.append(obj)
        if tried.count(bad) > 5:
            pytest.fail("it is tried for ever")
        if obj == bad:
            raise RecursionError
        return document(obj)

    monkeypatch.setattr(index, "_document", fails)
    world.deliver()
    assert ek.timers.waiting
    ek.timers.ring()
    assert bad in tried
    assert [hit.obj for hit in ek.store.search.find_here("tillsyn")] == [good]
    assert not ek.timers.waiting  # it is not tried for ever
    monkeypatch.undo()
    if again == "start":
        ek.documents.start()
    else:
        hl.documents.open(bad).splice(0, 0, "Yttrande ö")
        world.deliver()
    ek.timers.ring()
    assert [hit.obj for hit in ek.store.search.find_here("Ärende")] == [bad]


def test_attack_a_document_that_cannot_be_closed_keeps_no_other_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hl = world.add(HL)
    objs = [hl.documents.create(ROOM, title) for title in ("Ärende å", "Beslut 🙂", "Tjänsteanteckning")]
    opened = [hl.documents.open(obj) for obj in objs]
    closed: list[Document] = []
    close = Document.close

    def fails(self: Document) -> None:
        closed.append(self)
        if self is opened[1]:
            raise BugError("crdt")
        close(self)

    monkeypatch.setattr(Document, "close", fails)
    hl.documents.close_all()
    assert closed[: len(opened)] == opened  # indexing closes what it opens, too
    assert hl.documents.open_ids() == []


def test_a_value_nested_too_deep_has_no_effect_on_the_others_of_its_map() -> None:
    update = written("meta", "odd", nested(DEEP))
    found = state_of([update, written("meta", "title", "Beslut å")], maps=["meta"])
    assert found is None or found[2]["meta"]["title"] == "Beslut å"
    inside = state_of([written("meta", "list", nested(MAX_DEPTH - 2))], maps=["meta"])
    assert inside is not None
    assert inside[2]["meta"]["list"] == nested(MAX_DEPTH - 2)


def test_attack_a_cards_time_out_of_bounds_leaves_the_board_as_it_is(tmp_path: Path) -> None:
    hl, ek = desk(tmp_path / "hl", HL), desk(tmp_path / "ek", EK)
    start_board(hl)
    server = Positions([hl, ek])
    server.deliver()
    board = hl.tasks.board(ROOM)
    column = board.columns()[0].id
    card = board.add_card(column, "Maska aktbilaga 14 🖍")
    server.deliver()
    for n, value in enumerate((1e300, float("inf"), -(2.0**62), nested(8), "x" * 100_000)):
        before = board.state()
        crdt_of(board).map("cards").set((card, "title" if isinstance(value, str) else "t"), value)  # type: ignore[arg-type]
        from_others(ek, HL, BOARD_ID, [encode(board.diff(before))], n=80 + n, t=1)
        assert ek.store.changes.unprojected() == []
    board.add_card(column, "Granska bilagor å")
    server.deliver()
    assert {row.title for row in ek.tasks.tasks(ROOM)} >= {"Granska bilagor å"}
    hl.close()
    ek.close()
