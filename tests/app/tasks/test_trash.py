# SPDX-License-Identifier: EUPL-1.2
"""Cards that are put away: who did it and when, the way back, and what is written there meanwhile."""

from app.core.clock import now_ms
from app.objects.trash import Trash
from app.tasks import projection
from tests.office import BOARD_ID, EK, HL, ROOM, Desk, Positions


def new_card(hl: Desk, server: Positions, title: str = "Begär yttrande å 🙂") -> str:
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[1].id, title, description="från Ängelholm")
    server.deliver()
    return card


def test_the_trash_shows_everybody_who_and_when_and_gives_back(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card, other = new_card(hl, server), new_card(hl, server, "Kvar")
    began = now_ms()
    hl.tasks.board(ROOM).delete_card(card)
    server.deliver()
    for at in (hl, ek):
        (item,) = at.tasks.trash.put_away(ROOM)
        assert (item.obj, item.ref, item.title, item.by) == (BOARD_ID, card.encode(), "Begär yttrande å 🙂", HL)
        assert began <= item.t <= now_ms()
        assert [row.card for row in at.tasks.tasks(ROOM)] == [other]
        assert [hit.ref for hit in at.store.search.find_here("ängelholm begär")] == [card.encode()]
    ek.tasks.trash.take_back(ek.tasks.trash.put_away(ROOM)[0])
    server.deliver()
    for at in (hl, ek):
        assert at.tasks.trash.put_away(ROOM) == []
        found = at.tasks.board(ROOM).column_of(card)
        assert found is not None
        assert found.title == "Pågår", "it is where it was"
        assert {row.card for row in at.tasks.tasks(ROOM)} == {card, other}


def test_the_person_who_put_it_away_is_shown_what_was_written_meanwhile(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    theirs = ek.tasks.board(ROOM)
    theirs.edit_card(card, description="från Ängelholm och Östersund")  # has not seen that it is put away
    hl.tasks.board(ROOM).delete_card(card)
    assert Trash(hl.tasks.trash).written_after() == []
    server.deliver()
    theirs.edit_card(card, title="Begär yttranden")
    server.deliver()
    (emitted,) = Trash(hl.tasks.trash).written_after()
    assert (emitted.item.ref, emitted.item.title, emitted.by) == (card.encode(), "Begär yttranden", (EK,))
    assert Trash(ek.tasks.trash).written_after() == [], "only the person who put it away"
    kept = hl.tasks.board(ROOM).any_card(card)
    assert kept is not None
    assert kept.description == "från Ängelholm och Östersund"
    hl.tasks.trash.see(BOARD_ID, card)
    assert Trash(hl.tasks.trash).written_after() == []


def test_what_was_written_in_a_card_in_the_trash_is_shown_after_a_new_start_too(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    """After a start no board is in memory, and all rows of the trash are written again at the board's next change."""
    hl, ek, server = desks
    card, theirs = new_card(hl, server), ek.tasks.board(ROOM)
    theirs.edit_card(card, title="Begär yttranden")
    hl.tasks.board(ROOM).delete_card(card)
    server.deliver()
    noted = Trash(hl.tasks.trash).written_after()
    assert [one.item.ref for one in noted] == [card.encode()]
    projection.forget(hl.store.db.conn, BOARD_ID)
    new_card(hl, server, "Kvar")
    assert Trash(hl.tasks.trash).written_after() == noted
    hl.tasks.trash.take_back(hl.tasks.trash.put_away(ROOM)[0])
    hl.tasks.board(ROOM).delete_card(card)
    assert Trash(hl.tasks.trash).written_after() == [], "it was put away once more, with what was written"


def test_two_who_put_away_at_once_are_not_shown_that_somebody_wrote(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    for at in (hl, ek):
        at.tasks.board(ROOM).delete_card(card)
    server.deliver()
    assert hl.tasks.trash.put_away(ROOM) == ek.tasks.trash.put_away(ROOM)
    assert [Trash(at.tasks.trash).written_after() for at in (hl, ek)] == [[], []]


def test_an_archived_card_is_found(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, server = desks
    card = new_card(hl, server)
    hl.tasks.board(ROOM).archive_card(card)
    assert [hit.ref for hit in hl.store.search.find_here("ängelholm")] == [card.encode()]
    assert hl.tasks.trash.put_away(ROOM) == []
