# SPDX-License-Identifier: EUPL-1.2
"""Dragging as pure logic, and which cards a filter shows."""

from datetime import date, timedelta

from app.core.ids import Uid
from app.tasks.model import Board
from ui.tasks.filter import Due, Filter, urgency
from ui.tasks.gesture import Box, Drag, Drop, Lane, Phase, scroll_speed

LANES = [
    Lane(
        column="a",
        box=Box(x=0, y=0, width=100, height=500),
        cards=(("1", Box(x=0, y=0, width=100, height=60)), ("2", Box(x=0, y=70, width=100, height=60))),
    ),
    Lane(column="b", box=Box(x=120, y=0, width=100, height=500), cards=()),
]
TODAY = date(2026, 11, 24)


def dragged(x: int, y: int) -> Drag:
    drag = Drag()
    drag.press("9", 10, 10)
    drag.move(x, y)
    return drag


def test_a_small_tremble_is_a_click() -> None:
    drag = dragged(12, 11)
    assert drag.phase is Phase.PRESSED
    assert drag.release(LANES) is None


def test_a_card_lands_before_the_first_whose_middle_is_below() -> None:
    assert dragged(50, 20).release(LANES) == Drop(column="a", before="1", y=-5)
    assert dragged(50, 40).release(LANES) == Drop(column="a", before="2", y=65)
    assert dragged(50, 300).release(LANES) == Drop(column="a", before=None, y=135)


def test_an_empty_column_and_the_air_beside_it_take_the_card() -> None:
    for x in (130, 219, 600):
        drop = dragged(x, 300).release(LANES)
        assert drop is not None
        assert (drop.column, drop.before) == ("b", None)


def test_a_cancelled_drag_drops_nothing() -> None:
    drag = dragged(50, 300)
    drag.cancel()
    assert drag.release(LANES) is None
    assert not drag.dragging


def test_the_board_scrolls_only_near_its_edges_and_faster_beyond() -> None:
    assert scroll_speed(250, 0, 500) == 0
    assert scroll_speed(30, 0, 500) < 0 < scroll_speed(480, 0, 500)
    assert scroll_speed(-50, 0, 500) < scroll_speed(20, 0, 500)


def test_filters_by_person_label_and_due() -> None:
    board = Board()
    column = board.add_column("Att göra")
    label = board.add_label("Beslut", "accent")
    uid = Uid(b"u" * 16)
    ids = [
        board.add_card(column, "a", assignee=uid, due=TODAY - timedelta(days=1)),
        board.add_card(column, "b", labels=[label], due=TODAY + timedelta(days=30)),
        board.add_card(column, "c"),
    ]

    def shown(chosen: Filter) -> list[int]:
        cards = [board.card(card_id) for card_id in ids]
        return [i for i, card in enumerate(cards) if card is not None and chosen.shows(card, TODAY)]

    assert shown(Filter()) == [0, 1, 2]
    assert shown(Filter(person=uid)) == [0]
    assert shown(Filter(label=label)) == [1]
    assert shown(Filter(due=Due.OVERDUE)) == shown(Filter(due=Due.WEEK)) == [0]
    assert shown(Filter(due=Due.NONE)) == [2]
    assert Filter().toggled(person=uid).toggled(person=uid) == Filter()


def test_a_near_due_date_warns_and_a_passed_one_more_unless_it_is_done() -> None:
    assert urgency(TODAY - timedelta(days=1), TODAY, done=False) == "danger"
    assert urgency(TODAY + timedelta(days=2), TODAY, done=False) == "warning"
    assert urgency(TODAY + timedelta(days=3), TODAY, done=False) == "muted"
    assert urgency(TODAY - timedelta(days=1), TODAY, done=True) == "muted"
