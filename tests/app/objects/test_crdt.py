# SPDX-License-Identifier: EUPL-1.2
"""The door to pycrdt: maps, texts, origins, undo, and bad bytes that end here."""

import random
from typing import Any

import pytest

from app.errors import BugError
from app.objects.canonical import same_content
from app.objects.crdt import (
    LOCAL,
    MAX_DEPTH,
    SETUP,
    UNDO,
    CrdtDoc,
    DamagedUpdate,
    Origin,
    Path,
    is_update,
    may_be_kept,
    merged,
)
from app.objects.lib0 import MAX_BYTES, MAX_THINGS
from app.objects.undo import Undo
from tests.fuzz.blocks import number


def test_a_state_is_kept_only_if_it_can_be_merged_again() -> None:
    doc = new_doc()
    doc.text("text").insert(0, "Beslut å 🙂")
    assert may_be_kept(doc.diff())
    items = MAX_THINGS + 1
    assert not may_be_kept(b"\x01" + number(items) + b"\x01\x00" + b"\x00\x01" * items + b"\x00")
    assert not may_be_kept(bytes(MAX_BYTES + 1))


def new_doc() -> CrdtDoc:
    return CrdtDoc(texts=["text"], maps=["board"])


def test_nested_maps_are_set_read_and_deleted_by_path() -> None:
    doc = new_doc()
    board = doc.map("board")
    assert board.set(("cards",), {})
    assert board.set(("cards", "k1"), {"title": "Beslut å", "labels": ["a"], "n": 3})
    assert board.get(("cards", "k1", "title")) == "Beslut å"
    assert board.get(("cards", "k1", "n")) == 3
    assert board.to_python() == {"cards": {"k1": {"title": "Beslut å", "labels": ["a"], "n": 3}}}
    assert board.keys(("cards",)) == ["k1"]
    assert not board.set(("cards", "saknas", "title"), "x")
    assert board.delete(("cards", "k1"))
    assert not board.delete(("cards", "k1"))
    assert not board.has(("cards", "k1"))


def test_attack_a_value_that_is_nested_too_deep_is_none_and_the_others_of_its_map_are_read() -> None:
    """An update may have maps of sixteen levels and, inside the innermost, lists of sixteen more."""
    deep: Any = []
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    colleague, doc = new_doc(), new_doc()
    colleague.map("board").set(("k",), {"odd": {"a": {"b": deep}}, "title": "Beslut å 🙂"})
    assert doc.apply([colleague.diff()]) == []
    board: Any = doc.map("board").to_python()
    assert board["k"]["title"] == "Beslut å 🙂"
    found, levels = board, 0
    for key in ("k", "odd", "a", "b"):
        found, levels = found[key], levels + 1
    while found:
        found, levels = found[0], levels + 1
    assert (found, levels) == (None, MAX_DEPTH + 1)


def test_changes_are_emitted_by_path_and_origin_after_the_transaction() -> None:
    doc, other = new_doc(), new_doc()
    emitted: list[tuple[frozenset[Path], Origin]] = []
    doc.map("board").changed.connect(lambda paths, origin: emitted.append((paths, origin)))
    with doc.transact(SETUP):
        doc.map("board").set(("cards",), {})
        doc.map("board").set(("cards", "k"), {"title": "å"})
        assert emitted == []
    assert emitted == [(frozenset({("cards",)}), SETUP)]
    other.apply([doc.diff()])
    other.map("board").set(("cards", "k", "title"), "ö")
    doc.apply([other.diff(doc.state())])
    assert emitted[-1] == (frozenset({("cards", "k", "title")}), "remote")


def test_only_own_updates_are_emitted_with_their_origin() -> None:
    doc = new_doc()
    emitted: list[Origin] = []
    doc.updated.connect(lambda update: emitted.append(update.origin))
    undo = Undo(doc, [doc.text("text")])
    with doc.transact(LOCAL):
        doc.text("text").insert(0, "å")
    undo.undo()
    assert emitted == [LOCAL, UNDO]
    assert not undo.can_undo
    assert undo.can_redo


def test_without_grouping_each_edit_is_a_step_but_for_those_together() -> None:
    doc = CrdtDoc(maps=("map",))
    undo = Undo(doc, [doc.map("map")], clock_ms=lambda: 1_000, group_ms=0)

    def put(*values: str) -> None:
        for value in values:
            with doc.transact():
                doc.map("map").set(("å",), value)

    put("1", "2")
    with undo.together():
        put("3", "4")
    put("5")
    seen = []
    while undo.undo():
        seen.append(doc.map("map").get(("å",)))
    assert seen == ["4", "2", "1", None]


def test_edits_close_in_time_are_one_step_and_split_parts_them() -> None:
    now = [0]
    doc = new_doc()
    undo = Undo(doc, [doc.text("text")], clock_ms=lambda: now[0], group_ms=500)
    for char in "abc":
        now[0] += 100
        with doc.transact():
            doc.text("text").insert(0, char)
    undo.split()
    with doc.transact():
        doc.text("text").insert(0, "d")
    assert undo.undo()
    assert str(doc.text("text")) == "cba"
    assert undo.undo()
    assert str(doc.text("text")) == ""
    assert not undo.undo()


def test_a_wrong_range_is_our_bug_and_the_document_goes_on() -> None:
    doc = new_doc()
    with pytest.raises(BugError), doc.transact():
        doc.text("text").delete(0, 99)
    with doc.transact():
        doc.text("text").insert(0, "å")
    assert str(doc.text("text")) == "å"


def test_damaged_updates_are_named_and_left_out() -> None:
    source, doc = new_doc(), new_doc()
    with source.transact():
        source.text("text").insert(0, "åäö 🙂")
    good = source.diff()
    assert doc.apply([b"", b"\xff\xff", good, good[:-3]]) == [0, 1, 3]
    assert str(doc.text("text")) == "åäö 🙂"
    with pytest.raises(DamagedUpdate):
        doc.diff(b"\xff\xff\xff")


def test_a_document_that_is_reset_is_reloaded_once_also_if_an_update_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.objects.crdt.document.is_update", lambda _update: True)
    monkeypatch.setattr("app.objects.crdt.document.BATCH", 1)
    source, doc, emitted = new_doc(), new_doc(), list[str]()
    with source.transact():
        source.text("text").insert(0, "åäö 🙂")
    first = source.diff()
    with source.transact():
        source.text("text").insert(0, "Å ")
    doc.updated.connect(lambda _update: emitted.append("updated"))
    doc.reloaded.connect(lambda: emitted.append("reloaded"))
    assert doc.reset([first, b"\xff\xff", source.diff()]) == [1]
    assert emitted == ["reloaded"]
    assert str(doc.text("text")) == "Å åäö 🙂"


def test_no_garbled_update_gets_past_the_door_as_anything_but_bytes() -> None:
    source = new_doc()
    with source.transact():
        source.text("text").insert(0, "åäö 🙂 text", {"bold": True})
        source.map("board").set(("cards",), {"k": {"title": "å"}})
    good, rng = source.diff(), random.Random(7)
    for _ in range(500):
        garbled = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            garbled[rng.randrange(len(garbled))] = rng.randrange(256)
        doc = new_doc()
        bad = doc.apply([bytes(garbled), good])
        assert is_update(bytes(garbled)) or 0 in bad
        doc.text("text").runs()
        doc.map("board").to_python()


def test_attack_what_reads_as_another_update_once_written_again_is_damaged() -> None:
    """A list of content 2, of which yrs reads one text more than there is: found by `make fuzz ONLY=state`."""
    odd = bytes.fromhex("01 01 01 00 22 01 01 6d 00 00 01 6d 00")
    source, doc = new_doc(), new_doc()
    with source.transact():
        source.text("text").insert(0, "åäö 🙂")
    assert doc.apply([source.diff(), odd]) == [1]
    assert doc.diff() == source.diff()
    found = merged([source.diff(), odd], ("text",), ())
    assert found is not None
    assert is_update(found[0])


def test_an_update_that_only_has_another_order_is_one() -> None:
    """Of two clients' deletions, of which each library writes another first."""
    one, other = CrdtDoc(texts=("text",), client_id=1), CrdtDoc(texts=("text",), client_id=2)
    for doc in (one, other):
        with doc.transact():
            doc.text("text").insert(0, "ab")
    one.apply([other.diff()])
    with one.transact():
        one.text("text").delete(0, 4)
    whole = one.diff()
    head, first, second = whole[:-9], whole[-8:-4], whole[-4:]
    assert whole[-9:] == b"\x02" + first + second
    assert {first, second} == {b"\x01\x01\x00\x02", b"\x02\x01\x00\x02"}
    turned = head + b"\x02" + second + first
    assert is_update(turned)
    assert same_content(turned, whole)
    assert not same_content(turned, other.diff())


def test_an_exception_of_the_callers_own_passes_unchanged() -> None:
    doc = new_doc()
    with pytest.raises(ValueError, match="mitt"), doc.transact():
        raise ValueError("mitt")
