# SPDX-License-Identifier: EUPL-1.2
"""The long run's stores: they are opened again with their objects in them, and nothing of them is left."""

import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import histories
from tests.fuzz.histories import Positioned
from tests.fuzz.opened import Opened
from tests.fuzz.whole import OBJECTS, Whole

CROSSED = (
    "0102aa8a8993dccaa602002801046d657461057469746c6501770b4265736c757420f09f998204010474657874010a00",
    "010189b29c9daacae00616c489b29c9daacae0060689b29c9daacae006050665cc8165cc810189b29c9daacae006010501",
    "010189b29c9daacae0060044aa8a8993dccaa6020118c3857467c3a472642073656e617374206672656461672e2000",
)
"""Updates of a document. The second waits for the third, and names a right neighbour before the left one."""


def short(rng: Random) -> list[Positioned]:
    return histories.document(rng, rounds=3)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_full_stores_are_opened_again_and_replaced(folder: Path) -> None:
    whole, counts = Whole(short), Counter[str]()
    for number in range(OBJECTS):
        whole.run(Random(number), counts)
    assert counts["documents"] + counts["boards"] == counts["begun_again"] == OBJECTS
    assert (counts["stores"], counts["read_again"]) == (2, OBJECTS // 2)
    assert not list(folder.iterdir())
    whole.run(Random(1), counts)
    assert len(list(folder.iterdir())) == 2
    whole.end(counts)
    assert counts["stores"] == 4
    assert not list(folder.iterdir())


def test_what_a_store_has_lost_when_it_is_opened_again_is_a_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reopen = Opened.reopen

    def losing(store: Opened) -> None:
        reopen(store)
        with store.store.transaction():
            store.store.db.conn.execute("DELETE FROM judges")

    whole, counts = Whole(short), Counter[str]()
    whole.run(Random(1), counts)
    monkeypatch.setattr(Opened, "reopen", losing)
    with pytest.raises(AssertionError, match="opened again"):
        whole.end(counts)
    assert not list(folder.iterdir())


def test_a_failure_says_what_was_in_the_stores_and_replaces_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, counts = Whole(short), Counter[str]()
    whole.run(Random(1), counts)
    with monkeypatch.context() as failing:
        failing.delattr(Opened, "state")
        with pytest.raises(AttributeError) as failed:
            whole.run(Random(2), counts)
    assert failed.value.__notes__ == ["1 objects were in the stores before it"]
    assert not list(folder.iterdir())
    whole.run(Random(2), counts)
    whole.end(counts)
    assert counts["begun_again"] == 2


def test_a_document_in_another_order_after_crossed_neighbours_is_counted(folder: Path) -> None:
    whole, counts = Whole(lambda rng: [Positioned(0, bytes.fromhex(u)) for u in CROSSED]), Counter[str]()
    for number in range(4):
        whole.run(Random(number), counts)
    whole.end(counts)
    assert counts["documents"] == counts["other_order"] > 0
