# SPDX-License-Identifier: EUPL-1.2
"""At most one announcement in five seconds, and every announcement that must not be dropped is in it. The tests move
the clock."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.i18n import set_language
from ui.kit.gathering import PAUSE_S, Gathering, Kind

DELETED = "”Å” 🙂 är i papperskorgen. Det går att ångra."
OFFLINE = "Du är offline."


@pytest.fixture(autouse=True)
def _swedish() -> None:
    set_language("sv")


def test_what_comes_within_five_seconds_is_one_announcement() -> None:
    announced = Gathering()
    assert announced.add(Kind.MESSAGES, "Nytt meddelande: Å", 100.0) == ""
    assert announced.add(Kind.MESSAGES, "Nytt meddelande: Ä", 101.0) == ""
    assert announced.add(Kind.MESSAGES, "Nytt meddelande: Ö", 104.9) == ""
    assert announced.take(100.0 + PAUSE_S - 0.1) == ""
    assert announced.take(100.0 + PAUSE_S) == "3 nya meddelanden"
    assert not announced.waits
    assert announced.take(200.0) == ""


def test_several_that_came_at_once_are_counted() -> None:
    announced = Gathering()
    announced.add(Kind.MESSAGES, "Nytt meddelande i Tillsyn", 1.0, 40)
    announced.add(Kind.MESSAGES, "Nytt meddelande i Tillsyn", 2.0, 2)
    assert announced.take(60.0) == "42 nya meddelanden"


def test_a_single_message_is_announced_as_it_is() -> None:
    announced = Gathering()
    announced.add(Kind.MESSAGES, "Nytt meddelande i Tillsyn å 🙂", 1.0)
    assert announced.take(6.0) == "Nytt meddelande i Tillsyn å 🙂"


@pytest.mark.parametrize("kind", [Kind.KEPT, Kind.DONE])
def test_what_a_person_waits_for_is_announced_at_once_after_a_quiet_time(kind: Kind) -> None:
    announced = Gathering()
    assert announced.add(kind, DELETED, 100.0) == DELETED
    assert announced.add(kind, OFFLINE, 101.0) == ""
    assert announced.take(104.9) == ""
    assert announced.take(105.0) == OFFLINE
    assert announced.add(kind, DELETED, 109.9) == ""
    assert announced.take(110.0) == DELETED


def test_what_is_kept_waits_and_is_never_left_out() -> None:
    announced = Gathering()
    announced.add(Kind.MESSAGES, "Nytt meddelande", 100.0)
    announced.add(Kind.KEPT, DELETED, 101.0)
    announced.add(Kind.DONE, "Länken är kopierad.", 102.0)
    announced.add(Kind.KEPT, OFFLINE, 103.0)
    announced.add(Kind.DONE, "Texten är kopierad", 103.5)
    announced.add(Kind.PASSING, "Enhetschef skriver …", 104.0)
    assert announced.take(105.0) == f"{DELETED[:-1]}. {OFFLINE[:-1]}. Texten är kopierad. Nytt meddelande."


def test_that_somebody_writes_is_announced_only_alone() -> None:
    announced = Gathering()
    announced.add(Kind.PASSING, "Enhetschef skriver …", 100.0)
    assert announced.take(105.0) == "Enhetschef skriver …"
    announced.add(Kind.PASSING, "Enhetschef skriver …", 106.0)
    announced.add(Kind.MESSAGES, "Nytt meddelande", 107.0)
    assert announced.take(112.0) == "Nytt meddelande"


def test_the_same_error_twice_is_announced_once() -> None:
    announced = Gathering()
    announced.add(Kind.MESSAGES, "", 1.0, 2)
    announced.add(Kind.KEPT, OFFLINE, 2.0)
    announced.add(Kind.KEPT, OFFLINE, 3.0)
    assert announced.take(6.0) == "Du är offline. 2 nya meddelanden."


def test_what_is_forgotten_is_not_announced() -> None:
    announced = Gathering()
    announced.add(Kind.MESSAGES, "Nytt meddelande", 1.0)
    announced.add(Kind.KEPT, OFFLINE, 2.0)
    announced.forget()
    assert announced.take(50.0) == ""


@given(
    st.lists(
        st.tuples(st.sampled_from(Kind), st.floats(min_value=0.0, max_value=4.0), st.integers(min_value=1, max_value=9))
    )
)
def test_announcements_are_five_seconds_apart_and_hold_all_that_is_kept(steps: list[tuple[Kind, float, int]]) -> None:
    announced, now = Gathering(), 0.0
    shown: list[tuple[float, str]] = []
    kept = [f"fel {n} å" for n, (kind, _, _) in enumerate(steps) if kind is Kind.KEPT]
    for n, (kind, pause, count) in enumerate(steps):
        now += pause
        shown.append((now, announced.take(now)))
        shown.append((now, announced.add(kind, f"fel {n} å", now, count)))
    shown.append((now + PAUSE_S, announced.take(now + PAUSE_S)))
    spoken = [(at, text) for at, text in shown if text]
    assert all(later - earlier >= PAUSE_S - 1e-6 for (earlier, _), (later, _) in pairwise(spoken))
    parts = [part.rstrip(".") for _, text in spoken for part in text.split(". ")]
    assert [part for part in parts if part in kept] == kept
