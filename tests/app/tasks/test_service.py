# SPDX-License-Identifier: EUPL-1.2
"""Boards over real stores: two desks, my tasks from rows, search, and edits of the same card while apart."""

import asyncio
import gc
from datetime import date

import pytest

from app.core.ids import ObjId, RoomId
from app.errors import DiskFull, NotFound
from app.notices.service import NoticeFilter
from app.objects.links import ObjectLink
from app.objects.pieces import group_of
from app.rooms.records import ObjectRetired
from app.rooms.records import encode as encode_record
from app.store import objects as object_rows
from app.tasks import KIND as BOARD
from app.tasks.model import Board
from app.tasks.projection import BOARDS_KEPT
from app.tasks.service import new_board
from tests.app.threads import note_threads
from tests.counting import crdt_docs
from tests.office import BOARD_ID, COLUMNS, EK, HL, ROOM, Announcing, Desk, Positions, from_others
from tests.one_change import one_change as encode


def refused_card(hl: Desk, full: pytest.MonkeyPatch) -> Board:
    """The board, with a card that the disk refused to store. The disk stays full until `full` is undone."""

    def refuse(*_args: object) -> None:
        raise DiskFull

    faults: list[str] = []
    end = hl.tasks.fault.connect(lambda _obj, fault: faults.append(fault.code))
    full.setattr(hl.store.changes, "append", refuse)
    board = hl.tasks.board(ROOM)
    board.add_card(board.columns()[0].id, "Begär yttrande å 🙂")
    assert (faults, hl.tasks.unsaved(BOARD_ID)) == (["disk-full"], True)
    end()
    return board


def test_a_new_board_is_the_same_for_everybody(desks: tuple[Desk, Desk, Positions]) -> None:
    _, ek, _ = desks
    board = ek.tasks.board(ROOM)
    assert [column.title for column in board.columns()] == list(COLUMNS)
    found = ek.store.objects.get(BOARD_ID)
    assert found is not None
    assert found.title == board.title == "Ärendets uppgifter"


def test_a_card_shows_up_at_the_others_desk_and_among_their_tasks(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    mine, theirs = hl.tasks.board(ROOM), ek.tasks.board(ROOM)
    label = mine.add_label("Brådskande", "danger")
    card = mine.add_card(mine.columns()[0].id, "Maska aktbilaga 14 🖍", due=date(2026, 11, 26), labels=[label])
    mine.assign(card, EK)
    server.deliver()
    assert [c.title for c in theirs.all_cards()] == ["Maska aktbilaga 14 🖍"]
    row = ek.tasks.my_tasks()[0]
    assert (row.title, row.column, row.due, row.labels) == (
        "Maska aktbilaga 14 🖍", "Att göra", date(2026, 11, 26), (("danger", "Brådskande"),),
    )  # fmt: skip
    assert hl.tasks.my_tasks() == []
    theirs.move_card(card, theirs.columns()[3].id)
    assert ek.tasks.my_tasks() == []
    assert ek.tasks.done_of(ROOM) == (1, 1)


def test_what_a_rolled_back_transaction_took_back_is_written_when_it_comes_again(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, ek, server = desks
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Granska bilagor 9–14")
    server.deliver()
    before = board.state()
    board.edit_card(card, title="Granska alla bilagor å 🙂")
    edit = encode(board.diff(before))

    def receive_and_fail() -> None:
        with ek.store.transaction():
            from_others(ek, HL, BOARD_ID, [edit], n=70, t=1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        receive_and_fail()
    assert [row.title for row in ek.tasks.tasks(ROOM)] == ["Granska bilagor 9–14"]
    from_others(ek, HL, BOARD_ID, [edit], n=70, t=1)
    assert [row.title for row in ek.tasks.tasks(ROOM)] == ["Granska alla bilagor å 🙂"]


def test_what_a_full_disk_refused_is_stored_at_the_first_attempt_that_succeeds(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, ek, server = desks
    with monkeypatch.context() as full:
        refused_card(hl, full)  # nobody shows its board any more
        with pytest.raises(DiskFull):
            hl.tasks.save()
    hl.tasks.save()
    hl.tasks.save()
    server.deliver()
    assert [row.title for row in ek.tasks.tasks(ROOM)] == ["Begär yttrande å 🙂"]


def test_what_a_full_disk_refused_is_on_the_board_when_it_is_shown_again(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, _ = desks
    with monkeypatch.context() as full:
        refused_card(hl, full)
        gc.collect()
        assert [card.title for card in hl.tasks.board(ROOM).all_cards()] == ["Begär yttrande å 🙂"]
    hl.tasks.save()


async def test_a_board_that_nobody_shows_any_more_is_freed(desks: tuple[Desk, Desk, Positions]) -> None:
    """Also what copying it and looking at it as it was have made."""
    hl, _, server = desks
    board = hl.tasks.board(ROOM)
    board.add_card(board.columns()[0].id, "Begär yttrande å 🙂")
    shown = crdt_docs()
    for n in range(20):
        hl.tasks.before(BOARD_ID, 1 + n).close()
    await hl.tasks.copy_cards(BOARD_ID, ROOM, await hl.tasks.copy(BOARD_ID))
    board.undo.undo()
    server.deliver()
    del board
    assert crdt_docs() <= shown  # instead of the board, the one from which the rows of the copy are written


def test_a_change_that_is_taken_back_is_emitted_though_nobody_shows_the_board(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, _, _ = desks
    emitted: list[RoomId] = []
    hl.tasks.changed.connect(emitted.append)
    hl.store.changes.taken_back.emit(BOARD_ID)
    assert emitted == [ROOM]


def test_attack_changes_to_many_boards_by_turns_leave_few_boards_in_memory(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    """▲ Lists are written from boards that are kept merged. One that is kept no longer is freed."""
    hl, _, _ = desks
    updates: list[bytes] = []
    theirs = Board(updates.append)
    theirs.setup(COLUMNS, title="Uppgifter å")
    for n in range(9):
        theirs.add_card(theirs.columns()[0].id, f"Begär yttrande {n} 🙂")
    theirs.close()
    boards = [ObjId(bytes((n,)) * 16) for n in range(1, 21)]
    with hl.store.db.transaction() as conn:
        for obj in boards:
            object_rows.announce(conn, ROOM, obj, BOARD.id, 1, HL)
    before = crdt_docs()
    turns = [(obj, update) for update in updates for obj in boards]
    for n, (obj, update) in enumerate(turns, start=100):
        from_others(hl, EK, obj, [encode(update)], n=n, t=n)
    assert len(turns) == 200
    assert len(hl.tasks.tasks(ROOM)) == 180
    assert crdt_docs() <= before + BOARDS_KEPT
    with hl.store.db.transaction() as conn:
        assert BOARD.forget is not None
        for obj in boards:
            BOARD.forget(conn, obj)
    assert crdt_docs() <= before


def test_another_description_and_a_new_column_title_reach_rows_and_search(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, _, _ = desks
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Begär yttrande", description="från Ängelholm")
    board.edit_card(card, description="från Östersund")
    board.rename_column(board.columns()[0].id, "Nytt ä")
    assert [hit.ref for hit in hl.store.search.find_here("östersund")] == [card.encode()]
    assert hl.store.search.find_here("ängelholm") == []
    assert [row.column for row in hl.tasks.tasks(ROOM)] == ["Nytt ä"]


def test_another_name_end_or_place_of_a_column_writes_no_row_of_a_card(desks: tuple[Desk, Desk, Positions]) -> None:
    """On a board of 10,000 cards writing them all took 70 ms of the event loop."""
    hl, _, _ = desks
    board = hl.tasks.board(ROOM)
    first, *_, last = (column.id for column in board.columns())
    urgent = board.add_label("Brådskande å", "danger")
    for n in range(20):
        card = board.add_card(first if n % 2 else last, f"Begär yttrande {n} 🙂", labels=[urgent])
    written = card_rows(hl)
    board.rename_column(first, "Nytt ä")
    board.set_column_done(first, True)
    board.move_column(first, None)
    assert card_rows(hl) == written
    assert {row.column for row in hl.tasks.tasks(ROOM)} == {"Nytt ä", "Klart"}
    assert hl.tasks.done_of(ROOM) == (20, 20)
    board.delete_column(first)
    assert card_rows(hl) == written, "its cards are now in the first column"
    assert {row.column for row in hl.tasks.tasks(ROOM)} == {"Pågår", "Klart"}
    assert hl.tasks.done_of(ROOM) == (10, 20)
    assert {row.labels for row in hl.tasks.tasks(ROOM)} == {(("danger", "Brådskande å"),)}
    board.edit_card(card, title="Beslut")
    assert len(set(card_rows(hl)) - set(written)) == 1


def card_rows(at: Desk) -> list[tuple[object, ...]]:
    """The rows of cards, with the numbers that they have in the table: a row that is written again has another."""
    return [tuple(row) for row in at.store.db.rows("SELECT rowid, * FROM board_cards ORDER BY card")]


def test_the_same_card_moved_while_apart_ends_in_one_place(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    mine, theirs = hl.tasks.board(ROOM), ek.tasks.board(ROOM)
    card = mine.add_card(mine.columns()[0].id, "Granska bilagor 9–14")
    server.deliver()
    mine.move_card(card, mine.columns()[1].id)
    theirs.move_card(card, theirs.columns()[2].id)
    server.deliver()
    here, there = mine.column_of(card), theirs.column_of(card)
    assert here is not None
    assert here == there
    assert [r.column for r in hl.tasks.tasks(ROOM)] == [r.column for r in ek.tasks.tasks(ROOM)] == [here.title]


def test_a_board_read_from_disk_is_what_it_was(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    board = hl.tasks.board(ROOM)
    board.add_card(board.columns()[0].id, "å")
    before = board.all_cards()
    del board
    assert hl.tasks.board(ROOM).all_cards() == before


def test_a_deleted_card_is_gone_from_lists_and_found_in_the_trash(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Begär yttrande", description="från Ängelholm")
    assert [hit.ref for hit in hl.store.search.find_here("ängelholm")] == [card.encode()]
    board.delete_card(card)
    assert hl.tasks.tasks(ROOM) == []
    assert [hit.ref for hit in hl.store.search.find_here("ängelholm")] == [card.encode()]
    board.undo.undo()
    assert [row.card for row in hl.tasks.tasks(ROOM)] == [card]
    board.undo.undo()
    assert hl.store.search.find_here("ängelholm") == [], "it was never made"


def test_cards_of_a_board_in_the_trash_are_in_no_list_until_it_is_restored(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, ek, server = desks
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Begär yttrande", assignee=EK, description="från Ängelholm 🙂")
    gone = board.add_card(board.columns()[0].id, "Avskriv")
    board.delete_card(gone)
    server.deliver()
    link = ObjectLink(room=ROOM, obj=BOARD_ID, kind=BOARD.id, ref=card.encode())

    def listed(at: Desk) -> list[object]:
        service = at.tasks
        return [
            [row.card for row in service.my_tasks()],
            [row.card for row in service.tasks(ROOM)],
            service.done_of(ROOM)[1],
            service.linked(link) is not None,
            [item.ref for item in service.trash.put_away(ROOM)],
            [hit.ref for hit in at.store.search.find_here("ängelholm")],
            [row.kind for row in at.notices.list(NoticeFilter(open=True))],
        ]

    before = listed(ek)
    assert before == [[card], [card], 1, True, [gone.encode()], [card.encode()], ["task-given"]]
    emitted: list[RoomId] = []
    ek.tasks.changed.connect(emitted.append)
    hl.store.changes.append(ROOM, ObjId(ROOM), encode_record(ObjectRetired(obj=BOARD_ID, on=True)))
    server.deliver()
    assert listed(ek) == [[], [], 0, False, [], [], []]
    hl.store.changes.append(ROOM, ObjId(ROOM), encode_record(ObjectRetired(obj=BOARD_ID, on=False)))
    server.deliver()
    assert listed(ek) == before
    assert emitted == [ROOM, ROOM]


def test_a_damaged_update_is_kept_and_stops_nothing(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    board = hl.tasks.board(ROOM)
    from_others(hl, EK, BOARD_ID, [encode(b"\xff\xff\xffjunk"), b"\x01?"], n=90, t=5)
    board.add_card(board.columns()[0].id, "går ändå")
    assert [row.title for row in hl.tasks.tasks(ROOM)] == ["går ändå"]
    assert len(hl.store.changes.unprojected()) == 2


async def test_cards_are_copied_to_the_board_of_another_room_unless_they_are_there(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, _, _ = desks
    room, into = RoomId(b"z" * 16), ObjId(b"i" * 16)
    mine = hl.tasks.board(ROOM)
    first, last = mine.columns()[0].id, mine.columns()[-1].id
    there_too = mine.add_card(first, "Begär yttrande")
    changed = mine.add_card(first, "Beslut")
    with hl.store.db.transaction() as conn:
        object_rows.announce(conn, room, into, BOARD.id, 1, HL)
    hl.store.changes.append(room, into, encode(mine.diff()))  # the other room begins with the board as it was then
    theirs = hl.tasks.board(room, into)
    theirs.edit_card(changed, title="Beslut åäö")
    new = mine.add_card(last, "Maska aktbilaga 14 🖍", description="Sidorna 3–7", due=date(2026, 11, 26))
    mine.add_check_item(new, "Bilaga å")
    assert await hl.tasks.copy_cards(BOARD_ID, room, into) == 2
    titles = sorted(card.title for card in theirs.all_cards())
    assert titles == ["Begär yttrande", "Beslut", "Beslut åäö", "Maska aktbilaga 14 🖍"]
    (copy,) = [card for card in theirs.all_cards() if card.title.startswith("Maska")]
    assert (copy.description, copy.due, copy.column) == ("Sidorna 3–7", date(2026, 11, 26), last)
    assert [item.text for item in copy.checklist] == ["Bilaga å"]
    assert theirs.card(there_too) == mine.card(there_too)
    assert mine.card(changed) is not None
    assert len(mine.all_cards()) == 3


async def test_a_line_of_a_checklist_and_an_archived_card_are_copied_too(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    room, into = RoomId(b"z" * 16), ObjId(b"i" * 16)
    mine = hl.tasks.board(ROOM)
    column = mine.columns()[0].id
    card = mine.add_card(column, "Beslut")
    mine.add_check_item(card, "Läs")
    with hl.store.db.transaction() as conn:
        object_rows.announce(conn, room, into, BOARD.id, 1, HL)
    hl.store.changes.append(room, into, encode(mine.diff()))
    theirs = hl.tasks.board(room, into)
    theirs.add_check_item(card, "Deras rad")
    assert await hl.tasks.copy_cards(BOARD_ID, room, into) == 0
    mine.toggle_check_item(card, mine.add_check_item(card, "Ring å 🙂"), True)
    away = mine.add_card(column, "Arkiverad", description="Text ö")
    mine.archive_card(away)
    assert await hl.tasks.copy_cards(BOARD_ID, room, into) == 2
    (copy,) = [each for each in theirs.all_cards() if each.id != card]
    assert [(item.text, item.done) for item in copy.checklist] == [("Läs", False), ("Ring å 🙂", True)]
    assert [(each.title, each.description) for each in theirs.archived()] == [("Arkiverad", "Text ö")]


async def test_a_card_whose_column_is_not_there_is_copied_into_the_first(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, _ = desks
    room, into = RoomId(b"z" * 16), ObjId(b"i" * 16)
    mine = hl.tasks.board(ROOM)
    mine.add_card(mine.columns()[2].id, "Granska bilagor å 🙂")
    with hl.store.db.transaction() as conn:
        object_rows.announce(conn, room, into, BOARD.id, 1, HL)
    hl.store.changes.append(room, into, new_board("Uppföljning", COLUMNS))
    assert await hl.tasks.copy_cards(BOARD_ID, room, into) == 1
    theirs = hl.tasks.board(room, into)
    (copy,) = theirs.all_cards()
    assert (copy.title, copy.column) == ("Granska bilagor å 🙂", theirs.columns()[0].id)


async def test_a_board_is_copied_in_a_thread_or_not_at_all(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, _ = desks
    board = hl.tasks.board(ROOM)
    for n in range(60):
        board.add_card(board.columns()[n % 4].id, f"Begär yttrande {n} å 🙂")
    stopped = asyncio.ensure_future(hl.tasks.copy(BOARD_ID))
    await asyncio.sleep(0)
    stopped.cancel()
    await asyncio.wait([stopped])
    assert [found.obj for found in hl.store.objects.all(ROOM) if found.kind == BOARD.id] == [BOARD_ID]
    on_loop = note_threads(monkeypatch, Board, "fill_from")
    copied = hl.tasks.board(ROOM, await hl.tasks.copy(BOARD_ID))
    assert set(on_loop) == {False}, "the copy that was stopped may still be in its thread"
    assert [card.title for card in copied.all_cards()] == [card.title for card in board.all_cards()]


async def test_a_board_that_the_disk_does_not_let_copy_stays_as_it_is(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, _, _ = desks

    def refuse(*_args: object) -> None:
        raise DiskFull

    with monkeypatch.context() as full:
        full.setattr(Announcing, "retire", refuse)
        with pytest.raises(DiskFull):
            await hl.tasks.copy(BOARD_ID)
    assert [found.obj for found in hl.store.objects.all(ROOM) if found.kind == BOARD.id] == [BOARD_ID]
    with pytest.raises(NotFound):
        await hl.tasks.copy(ObjId(b"?" * 16))


async def test_a_card_that_is_longer_than_a_change_is_copied_in_pieces(desks: tuple[Desk, Desk, Positions]) -> None:
    """Such a card cannot be made by hand in one step: each line of its checklist is a change of its own."""
    hl, ek, server = desks
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Yttrande å 🙂")
    board.edit_card(card, description="🙂" * 30_000)
    for n in range(60):
        board.add_check_item(card, f"{n} " + "å🙂" * 240)
    copy = await hl.tasks.copy(BOARD_ID)
    with ek.store.transaction() as conn:
        object_rows.announce(conn, ROOM, copy, BOARD.id, 1, HL)
    assert len({group for c in hl.store.changes.of(copy) if (group := group_of(c.data)) is not None}) == 1
    server.deliver()
    for side in (hl, ek):
        found = side.tasks.board(ROOM, copy).card(card)
        original = board.card(card)
        assert found is not None
        assert original is not None
        assert (found.description, found.checklist) == (original.description, original.checklist)
        assert [row.title for row in side.tasks.tasks(ROOM) if row.obj == copy] == ["Yttrande å 🙂"]
