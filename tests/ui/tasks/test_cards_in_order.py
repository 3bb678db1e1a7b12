# SPDX-License-Identifier: EUPL-1.2
"""The columns show the cards in the board's order, however many of them one change names."""

from collections.abc import Callable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QBoxLayout

from app.tasks.model import Board
from tests.app.objects.crdts import crdt_of
from tests.office import EK, HL
from ui.kit.translate import local_now
from ui.tasks.card_widget import CardWidget
from ui.tasks.column_view import CardList
from ui.tasks.filter import Filter
from ui.tasks.kanban import KanbanView

CARDS, TITLES = 8, ("Att göra", "Pågår", "Klart")
Edit = Callable[[Board], object]


def move(card: int, column: int, before: int) -> Edit:
    return lambda board: board.move_card(f"kort{card}", board.columns()[column].id, place(board, column, before))


def add(number: int, column: int, before: int) -> Edit:
    def make(board: Board) -> None:
        if board.any_card(f"ny{number}") is None:
            to, assignee = board.columns()[column].id, (HL, EK)[number % 2]
            at = place(board, column, before)
            board.add_card(to, f"ny å {number} 🙂", before=at, card_id=f"ny{number}", assignee=assignee)

    return make


def archive(card: int) -> Edit:
    return lambda board: board.archive_card(f"kort{card}", True)


def assign(card: int) -> Edit:
    return lambda board: board.assign(f"kort{card}", HL)


def place(board: Board, column: int, before: int) -> str | None:
    """The card that is at this index of the column; None behind the last one."""
    there = [card.id for card in board.cards(board.columns()[column].id)]
    return there[before] if before < len(there) else None


AT, COLUMN = st.integers(0, CARDS - 1), st.integers(0, len(TITLES) - 1)
EDITS = st.lists(
    st.one_of(
        st.builds(move, AT, COLUMN, AT),
        st.builds(add, AT, COLUMN, AT),
        st.builds(archive, AT),
        st.builds(assign, AT),
    ),
    min_size=1,
    max_size=6,
)
FILTERS = st.sampled_from([Filter(), Filter(person=HL)])


def new_board() -> Board:
    board = Board()
    board.setup(TITLES)
    for number in range(CARDS):
        to, assignee = board.columns()[number % len(TITLES)].id, (HL, EK)[number // 2 % 2]
        board.add_card(to, f"kort ä {number}", card_id=f"kort{number}", assignee=assignee)
    return board


def shows_the_order(view: KanbanView, board: Board, chosen: Filter) -> bool:
    """Whether keys and a drop, and the eye, find the cards in the board's order."""
    today = local_now().date()
    wanted = [[card.id for card in board.cards(column.id) if chosen.shows(card, today)] for column in board.columns()]
    by_keys = [[widget.card.id for widget in column.cards] for column in view.columns]
    return by_keys == wanted == [seen(column.findChild(CardList)) for column in view.columns]


def seen(cards: CardList | None) -> list[str]:
    """The cards from the top, and the free room below them."""
    layout = cards.layout() if cards is not None else None
    assert isinstance(layout, QBoxLayout)
    items = [layout.itemAt(at) for at in range(layout.count())]
    widgets = [item.widget() for item in items if item is not None]
    assert widgets[-1] is None, "a card is below the free room"
    return [widget.card.id for widget in widgets if isinstance(widget, CardWidget)]


@settings(max_examples=60)
@given(st.lists(EDITS, min_size=1, max_size=3), FILTERS)
def test_what_colleagues_did_at_once_is_shown_in_the_boards_order(steps: Sequence[list[Edit]], chosen: Filter) -> None:
    theirs, mine = new_board(), Board()
    mine.load([theirs.snapshot()])
    view = KanbanView(mine, lambda: ())
    view.set_filter(chosen)
    for edits in steps:
        before = mine.state()
        for edit in edits:
            edit(theirs)
        mine.merge([theirs.diff(before)])
        assert shows_the_order(view, mine, chosen)


@settings(max_examples=60)
@given(EDITS, FILTERS)
def test_a_step_of_several_edits_is_undone_in_the_boards_order(edits: Sequence[Edit], chosen: Filter) -> None:
    board = new_board()
    view = KanbanView(board, lambda: ())
    view.set_filter(chosen)
    with crdt_of(board).transact():
        for edit in edits:
            edit(board)
    assert shows_the_order(view, board, chosen)
    board.undo.undo()
    assert shows_the_order(view, board, chosen)
    board.undo.redo()
    assert shows_the_order(view, board, chosen)
