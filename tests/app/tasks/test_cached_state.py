# SPDX-License-Identifier: EUPL-1.2
"""A board's rows are written from its cached state on, which is never ahead of them and lacks nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.core.ids import DevId, ObjId, new_change
from app.objects import live
from app.objects.pieces import PAYLOAD, Piece
from app.store import objects as object_rows
from app.tasks import KIND as BOARD
from app.tasks import projection
from app.tasks.model import Board
from sync.client.ports import OpenedChange
from sync.client.received import Backfilled, ReceivedSlice, Resolved
from tests.office import COLUMNS, EK, HL, ROOM, Desk, desk, from_others
from tests.one_change import one_change as encode

FIRST, *OTHERS = (ObjId(bytes((n,)) * 16) for n in range(1, 2 + projection.BOARDS_KEPT))


class Colleague:
    """Somebody's program with a board, and the changes that it has made."""

    def __init__(self) -> None:
        self.updates: list[bytes] = []
        self.board = Board(self.updates.append)
        self.board.setup(COLUMNS, title="Uppgifter å")

    def write(self, count: int) -> list[bytes]:
        """The data of as many new cards."""
        before = len(self.updates)
        for n in range(count):
            self.board.add_card(self.board.columns()[0].id, f"Begär yttrande {before + n} 🙂")
        return [encode(update) for update in self.updates[before:]]


@pytest.fixture
def hl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(live, "CACHE_AFTER", 10)
    made = desk(tmp_path, HL)
    with made.store.transaction() as conn:
        for obj in (FIRST, *OTHERS):
            object_rows.announce(conn, ROOM, obj, BOARD.id, 1, HL)
    yield made
    made.close()


@pytest.fixture
def ek() -> Colleague:
    return Colleague()


def receive(hl: Desk, data: Sequence[bytes], n: int, obj: ObjId = FIRST) -> None:
    from_others(hl, EK, obj, data, n=n, t=n)


def put_out(hl: Desk) -> None:
    """Other boards take the first one's place in memory."""
    for n, obj in enumerate(OTHERS):
        other = Colleague()
        receive(hl, [encode(other.board.diff())], 5000 + n, obj)


def loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many updates each board that is read from the store is made of."""
    counts: list[int] = []
    load = Board.load

    def counted(board: Board, updates: Sequence[bytes]) -> list[int]:
        counts.append(len(updates))
        return load(board, updates)

    monkeypatch.setattr(Board, "load", counted)
    return counts


def titles(hl: Desk) -> set[str]:
    return {row.title for row in hl.tasks.tasks(ROOM) if row.obj == FIRST}


def test_a_ninth_board_is_not_merged_from_its_first_change_again(
    hl: Desk, ek: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(hl, [encode(ek.updates[0]), *ek.write(20)], 100)
    put_out(hl)
    receive(hl, ek.write(1), 200)  # reads 21 changes, and caches what they make
    found = hl.store.objects.crdt_state(FIRST)
    assert found is not None
    assert found[0] == hl.store.changes.of(FIRST)[20].rowid
    put_out(hl)
    counts = loads(monkeypatch)
    receive(hl, ek.write(1), 300)
    assert counts == [1, 1], "the state, and the one change after it"
    assert titles(hl) == {card.title for card in ek.board.all_cards()}
    counts.clear()
    assert len(hl.tasks.board(ROOM, FIRST).all_cards()) == 22
    assert counts == [1, 2], "what is opened begins with it, too"


def test_few_changes_are_not_cached(hl: Desk, ek: Colleague) -> None:
    receive(hl, [encode(ek.updates[0]), *ek.write(5)], 100)
    put_out(hl)
    receive(hl, ek.write(1), 200)
    assert hl.store.objects.crdt_state(FIRST) is None


def test_a_state_is_rolled_back_with_the_transaction_that_made_it(hl: Desk, ek: Colleague) -> None:
    receive(hl, [encode(ek.updates[0]), *ek.write(20)], 100)
    put_out(hl)
    new = ek.write(1)

    def receive_and_fail() -> None:
        with hl.store.transaction():
            receive(hl, new, 200)
            assert hl.store.objects.crdt_state(FIRST) is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        receive_and_fail()
    assert hl.store.objects.crdt_state(FIRST) is None
    receive(hl, new, 200)
    assert titles(hl) == {card.title for card in ek.board.all_cards()}


@pytest.mark.parametrize("lacking", ["waiting", "pruned"])
def test_no_state_is_cached_where_changes_wait_for_one_that_comes_in_the_same_slice(
    hl: Desk, ek: Colleague, lacking: str
) -> None:
    """▲ The state would lack what waits, and nobody would ever read that again."""
    first, *rest = ek.write(20)
    receive(hl, [encode(ek.updates[0])], 90)
    if lacking == "waiting":
        hl.store.receive(ReceivedSlice(room=ROOM, waiting=[(100, b"shut")]))
    else:
        hl.store.receive(ReceivedSlice(room=ROOM, incomplete=[FIRST]))
    receive(hl, rest, 101)
    put_out(hl)
    change = OpenedChange(n=100, t=100, uid=EK, dev=DevId(EK), obj=FIRST, change_id=new_change(), payload=first)
    if lacking == "waiting":
        hl.store.receive(Resolved(room=ROOM, changes=[change], resolved=[100]))
    else:
        hl.store.receive(ReceivedSlice(room=ROOM, changes=[change]))
        hl.store.receive(Backfilled(room=ROOM, objs=[FIRST]))
    assert not hl.store.changes.lacking(ROOM)
    assert hl.store.objects.crdt_state(FIRST) is None
    put_out(hl)
    receive(hl, ek.write(1), 300)
    assert titles(hl) == {card.title for card in ek.board.all_cards()}
    assert len(hl.tasks.board(ROOM, FIRST).all_cards()) == 21


def test_no_state_is_cached_that_ends_behind_a_change_that_is_merged_late(hl: Desk, ek: Colleague) -> None:
    """The state would lack that change, as one that was held back, and nobody would ever read it again."""
    receive(hl, [encode(ek.updates[0]), *ek.write(20)], 100)
    late = hl.store.changes.of(FIRST)[5]
    put_out(hl)
    row = hl.store.objects.get(FIRST)
    assert row is not None
    with hl.store.transaction() as conn:
        BOARD.project(conn, row, [late])
    assert hl.store.objects.crdt_state(FIRST) is None


def test_rows_that_are_written_again_do_not_begin_with_a_later_state(
    hl: Desk, ek: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ A description that a colleague replaced is replaced in that state already: nobody would see that it was."""
    receive(hl, [encode(ek.updates[0]), *ek.write(20)], 100)
    shown = titles(hl)
    last = hl.store.changes.of(FIRST)[-1].rowid
    hl.store.objects.set_crdt_state(FIRST, last, ek.board.snapshot())
    hl.store.db.conn.execute("UPDATE objects SET projected = 0 WHERE obj = ?", (FIRST,))
    hl.store.db.conn.execute("DELETE FROM board_cards")
    with hl.store.transaction() as conn:
        projection.forget(conn, FIRST)
    counts = loads(monkeypatch)
    hl.store._projecting.prepare()
    assert counts == [0], "the changes are merged into an empty board"
    assert titles(hl) == shown


def test_a_state_with_a_change_that_could_not_be_projected_is_not_begun_with(
    hl: Desk, ek: Colleague, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fail every later change, too."""
    receive(hl, [encode(ek.updates[0]), *ek.write(3)], 100)
    row = hl.store.changes.of(FIRST)[-1].rowid
    hl.store.objects.set_crdt_state(FIRST, row, hl.tasks.board(ROOM, FIRST).snapshot())
    hl.store.db.conn.execute("UPDATE changes SET unprojected = 'bug' WHERE row = ?", (row,))
    put_out(hl)
    counts = loads(monkeypatch)
    receive(hl, ek.write(1), 200)
    assert counts == [3]


def test_a_damaged_state_is_passed_over(hl: Desk, ek: Colleague) -> None:
    receive(hl, [encode(ek.updates[0]), *ek.write(3)], 100)
    row = hl.store.changes.of(FIRST)[-1].rowid
    hl.store.objects.set_crdt_state(FIRST, row, b"\xff\x00nonsense")
    put_out(hl)
    receive(hl, ek.write(1), 200)
    assert titles(hl) == {card.title for card in ek.board.all_cards()}


def in_pieces(ek: Colleague, cards: int) -> list[bytes]:
    """A board with so many cards as one update, in three pieces."""
    ek.write(cards)
    update = ek.board.diff()
    parts = [update[:50], update[50:90], update[90:]]
    return [PAYLOAD.encode(Piece(group=b"g" * 16, index=n, count=3, update=part)) for n, part in enumerate(parts)]


def test_pieces_are_put_together_although_the_board_left_the_memory_between_them(hl: Desk, ek: Colleague) -> None:
    first, second, last = in_pieces(ek, 5)
    receive(hl, [first], 100)
    put_out(hl)
    receive(hl, [last], 110)
    receive(hl, [last], 111)  # twice
    assert titles(hl) == set()
    put_out(hl)
    receive(hl, [second], 120)
    assert titles(hl) == {card.title for card in ek.board.all_cards()}
    assert len(hl.tasks.board(ROOM, FIRST).all_cards()) == 5


def test_no_state_is_cached_while_a_piece_is_missing(hl: Desk, ek: Colleague) -> None:
    pieces = in_pieces(ek, 5)
    receive(hl, pieces[:2], 100)
    other = Colleague()
    receive(hl, [encode(update) for update in other.updates], 110)
    receive(hl, other.write(20), 120)
    put_out(hl)
    receive(hl, other.write(1), 200)
    assert hl.store.objects.crdt_state(FIRST) is None
    receive(hl, pieces[2:], 300)
    put_out(hl)
    receive(hl, other.write(1), 400)
    assert hl.store.objects.crdt_state(FIRST) is not None
    assert titles(hl) == {card.title for board in (ek, other) for card in board.board.all_cards()}


def test_pieces_of_a_transaction_that_was_rolled_back_count_when_they_come_again(hl: Desk, ek: Colleague) -> None:
    pieces = in_pieces(ek, 5)
    receive(hl, pieces[:1], 100)

    def receive_and_fail() -> None:
        with hl.store.transaction():
            receive(hl, pieces[1:], 110)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        receive_and_fail()
    assert titles(hl) == set()
    receive(hl, pieces[1:], 120)
    assert titles(hl) == {card.title for card in ek.board.all_cards()}
