# SPDX-License-Identifier: EUPL-1.2
"""What the grammar has passed is not read again."""

import pytest

from app.core.pieces import finished
from app.objects import passed
from app.objects.crdt import is_update, updates
from app.objects.grammar import read, reading
from app.objects.lib0 import BadUpdate
from tests.app.poison import written


@pytest.fixture(autouse=True)
def _nothing_passed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "_passed", {})


def test_attack_a_long_update_is_read_once_in_pieces_and_not_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """192 KiB of small things occupied the loop for 0.3 s when they were stored, and again when they were merged."""
    update = written("meta", "title", "Beslut å 🙂" * 10_000)
    finished(reading(update))

    def again(update: bytes, *, state: bool = False) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(updates, "reading", again)
    assert is_update(update)
    with pytest.raises(AssertionError, match="read again"):
        is_update(written("meta", "title", "Ett annat"))


def test_what_breaks_a_rule_is_not_remembered() -> None:
    update = written("meta", "title", "Beslut") + b"\x00"
    with pytest.raises(BadUpdate):
        read(update)
    assert not passed.is_remembered(update)
    assert not is_update(update)


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "MOST", 2)
    updates = [written("meta", "title", f"Beslut {n}") for n in range(3)]
    for update in updates:
        read(update)
    assert [passed.is_remembered(update) for update in updates] == [False, True, True]
    assert is_update(updates[0])


def test_attack_many_small_ones_do_not_push_out_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stolen device's tiny changes after a large one had the large one read again, in one piece."""
    monkeypatch.setattr(passed, "MOST", 2)
    large = written("meta", "title", "Beslut å 🙂" * 1000)
    finished(reading(large))
    for n in range(5):
        read(written("meta", "title", f"Beslut {n}"))
    assert passed.is_remembered(large)


def test_a_long_one_is_hashed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "STRETCH", 10)
    assert len(list(passed.remember(bytes(95)))) == 9
    assert passed.is_remembered(bytes(95))
