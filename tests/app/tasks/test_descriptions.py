# SPDX-License-Identifier: EUPL-1.2
"""A card's description that several people write: nothing written is lost, and what is deleted stays deleted."""

import asyncio
import gc
from contextlib import closing, suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.ids import DevId, Uid
from app.errors import DiskFull
from app.objects.pieces import Assembler
from app.tasks.adapter import BoardAdapter
from app.tasks.descriptions import MAX_DESCRIPTION, Description, description_from
from app.tasks.model import Board
from app.tasks.seen_descriptions import MAX_SEEN_CHARS, SeenDescriptions
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.objects.live_sides import Gate
from tests.office import BOARD_ID, HL, ROOM, Announcing, Desk, Positions, board_service

BASE = "Ring sökanden å.\nSkriv beslutet 🙂."


def new_card(hl: Desk, server: Positions, text: str = BASE) -> str:
    board = hl.tasks.board(ROOM)
    card = board.add_card(board.columns()[0].id, "Beslut", description=text)
    server.deliver()
    return card


def write(at: Desk, card: str, text: str) -> None:
    """On a board that nobody shows: it is read from the disk and gone again."""
    board = at.tasks.board(ROOM)
    board.edit_card(card, description=text)
    del board
    gc.collect()


def read(at: Desk, card: str) -> str:
    found = at.tasks.board(ROOM).card(card)
    assert found is not None
    return found.description


def settle(server: Positions) -> None:
    for _ in range(4):
        server.deliver()


def deliver_and_fail(hl: Desk, ek: Desk, server: Positions) -> None:
    with hl.store.transaction(), ek.store.transaction():
        server.deliver()
        raise ZeroDivisionError


def test_what_two_wrote_offline_and_closed_is_there_at_both(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nSkicka det.")
    write(ek, card, "Läs akten.\n" + BASE)
    settle(server)
    assert read(hl, card) == read(ek, card) == "Läs akten.\n" + BASE + "\nSkicka det."
    assert hl.store.db.rows("SELECT * FROM board_overwritten") == []
    assert ek.store.db.rows("SELECT * FROM board_overwritten") == []


def test_a_deletion_on_purpose_stays(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nSkicka det.")
    server.deliver()
    write(ek, card, "Skriv beslutet 🙂.")
    settle(server)
    assert read(hl, card) == read(ek, card) == "Skriv beslutet 🙂."


def test_a_deletion_while_the_other_writes_takes_only_what_was_there(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, "Skriv beslutet 🙂.")
    write(ek, card, BASE + "\nSkicka det.")
    settle(server)
    assert read(hl, card) == read(ek, card) == "Skriv beslutet 🙂.\nSkicka det."


def test_who_wrote_in_many_steps_while_the_other_was_away_does_not_bring_back_what_went(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    """The last step names only the one before it; that it was made from mine is in the changes."""
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nMitt.")
    server.deliver()
    for text in (BASE + "\nMi", BASE + "\n", BASE, "Skriv"):
        write(ek, card, text)
    settle(server)
    assert read(hl, card) == read(ek, card) == "Skriv"


def test_who_writes_and_takes_it_back_does_not_delete_what_another_wrote(desks: tuple[Desk, Desk, Positions]) -> None:
    """The same text typed again is a different value from the one that both began with."""
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")
    write(ek, card, BASE)
    settle(server)
    assert read(hl, card) == read(ek, card) == BASE + "\nMitt."


def test_what_was_undone_on_another_device_of_mine_stays_undone(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    ek.folk.uid = HL  # ek's desk is now a second one of hl's
    ek.store.set_me(HL)
    card = new_card(hl, server)
    mine = hl.tasks.board(ROOM)
    mine.edit_card(card, description=BASE + "\nMitt.")
    server.deliver()
    mine.undo.undo()
    settle(server)
    assert read(hl, card) == read(ek, card) == BASE


def test_a_colleagues_undo_does_not_take_what_i_wrote_meanwhile(desks: tuple[Desk, Desk, Positions]) -> None:
    """The undo writes the value that mine was made from. Of the two the CRDT keeps either."""
    hl, ek, server = desks
    for built_on_it in (False, True) * 4:
        card = new_card(hl, server)
        theirs = hl.tasks.board(ROOM)
        theirs.edit_card(card, description=BASE + "\nMitt.")
        if built_on_it:
            settle(server)
        theirs.undo.undo()
        write(ek, card, read(ek, card) + "\nDitt.")
        settle(server)
        assert read(hl, card) == read(ek, card)
        assert "Ditt." in read(hl, card)
        if not built_on_it:
            assert "Mitt." not in read(hl, card)


def test_what_was_undone_does_not_come_back_when_a_colleague_writes(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    mine = hl.tasks.board(ROOM)
    mine.edit_card(card, description=BASE + "\nMitt.")
    mine.undo.undo()
    settle(server)
    write(ek, card, BASE + "\nDitt.")
    settle(server)
    assert read(hl, card) == read(ek, card) == BASE + "\nDitt."


def test_mine_is_merged_with_what_replaced_it_when_the_board_is_read_again(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was to be merged is forgotten with the rows, and all changes are projected at once."""
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")
    with monkeypatch.context() as away:
        for each in (hl, ek):
            away.setattr(each.tasks._settling, "settle", lambda: None)
        settle(server)
    for each in (hl, ek):
        with each.store.transaction():
            each.store._projecting.take_back(BOARD_ID)
    settle(server)
    assert read(hl, card) == read(ek, card)
    assert {"Mitt.", "Ditt."} <= set(read(hl, card).split())


def test_what_replaced_mine_while_the_program_was_away_is_merged_at_the_next_start(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change is stored, and then the program ends before it has merged."""
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")
    with monkeypatch.context() as away:
        for each in (hl, ek):
            away.setattr(each.tasks._settling, "settle", lambda: None)
        settle(server)
    lost = [each for each in (hl, ek) if each.store.db.rows("SELECT * FROM board_overwritten")]
    assert len(lost) == 1
    lost[0].tasks.start()
    settle(server)
    assert read(hl, card) == read(ek, card)
    assert set(read(hl, card).split()) == set(f"{BASE}\nMitt. Ditt.".split())


def replaced(desks: tuple[Desk, Desk, Positions], card: str) -> tuple[Desk, Desk]:
    """The desk whose description of the card is replaced by the other one's when they meet, and the other one."""
    hl, ek, _ = desks
    with closing(Board()) as both:
        for each in (hl, ek):
            both.merge([each.tasks.board(ROOM).diff()])
        found = both.card(card)
        assert found is not None
    return (ek, hl) if found.described.by == HL else (hl, ek)


def test_what_another_device_of_mine_wrote_and_a_colleague_replaced_is_merged_though_both_are_received_at_once(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    before = hl.store.changes.of(BOARD_ID)
    hl.tasks.board(ROOM).edit_card(card, description=BASE + "\nMitt.")
    ek.tasks.board(ROOM).edit_card(card, description=BASE + "\nDitt.")
    mine, theirs = replaced(desks, card)
    adapter = BoardAdapter(Announcing(mine.store).announce, lambda: mine.folk.uid, lambda obj, card: {})
    board = adapter.new(ROOM, BOARD_ID, lambda update: None)
    adapter.load(board, Assembler().feed(before))
    received = [mine.store.changes.of(BOARD_ID)[-1], replace(theirs.store.changes.of(BOARD_ID)[-1], own=False)]
    adapter.merge(board, received, Assembler())
    found = board.card(card)
    board.close()
    assert found is not None
    assert set(found.description.split()) == set(f"{BASE}\nMitt. Ditt.".split())


async def test_what_replaced_mine_during_an_edit_is_merged_in_the_next_turn(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ The board has not merged what was received then: mine would be forgotten as merged."""
    hl, ek, server = desks
    card = new_card(hl, server)
    hl.tasks.board(ROOM).edit_card(card, description=BASE + "\nMitt.")
    ek.tasks.board(ROOM).edit_card(card, description=BASE + "\nDitt.")
    mine, theirs = replaced(desks, card)
    gate, board = Gate(monkeypatch), mine.tasks.board(ROOM)
    change = theirs.store.pending(100)[-1]
    uid = theirs.folk.uid
    opened = OpenedChange(
        n=99, t=99, uid=uid, dev=DevId(uid), obj=BOARD_ID, change_id=change.change_id, payload=change.payload
    )
    storing = asyncio.ensure_future(
        mine.store.inbox.receive_apart(ReceivedSlice(room=ROOM, cursor=99, state=b"", changes=[opened]))
    )
    for _ in range(4):
        await asyncio.sleep(0)
    board.edit_card(card, title="Beslut å")
    assert len(mine.store.db.rows("SELECT * FROM board_overwritten")) == 1
    gate.asked.set()
    await storing
    for _ in range(4):
        await asyncio.sleep(0)
    assert mine.store.db.rows("SELECT * FROM board_overwritten") == []
    assert set(read(mine, card).split()) == set(f"{BASE}\nMitt. Ditt.".split())


def test_what_was_merged_while_the_disk_was_full_is_merged_again_after_a_restart(
    desks: tuple[Desk, Desk, Positions], monkeypatch: pytest.MonkeyPatch
) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")

    def refuse(*_args: object) -> None:
        raise DiskFull

    with monkeypatch.context() as full:
        for each in (hl, ek):
            full.setattr(each.store.changes, "append", refuse)
        settle(server)
        for each in (hl, ek):  # what is only in memory is gone with the program
            with suppress(DiskFull):
                each.tasks.close_all()
            each.tasks = board_service(each.store, each.folk, each.notices)
    for each in (hl, ek):
        each.tasks.start()
    settle(server)
    assert read(hl, card) == read(ek, card)
    assert {"Mitt.", "Ditt."} <= set(read(hl, card).split())


def test_what_a_rolled_back_transaction_replaced_is_merged_when_it_comes_again(
    desks: tuple[Desk, Desk, Positions],
) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    for one, other in ((hl, ek), (ek, hl)):
        write(one, card, BASE + "\nMitt.")
        write(other, card, BASE + "\nDitt.")
        sent = set(server.sent)
        with pytest.raises(ZeroDivisionError):
            deliver_and_fail(hl, ek, server)
        server.sent = sent
        settle(server)
        assert set(read(one, card).split()) >= {"Mitt.", "Ditt."}
        assert read(hl, card) == read(ek, card)
        write(one, card, BASE)
        settle(server)


def test_nobody_merges_where_they_may_only_read(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, ek, server = desks
    card = new_card(hl, server)
    write(hl, card, BASE + "\nMitt.")
    write(ek, card, BASE + "\nDitt.")
    hl.folk.writer = ek.folk.writer = False
    settle(server)
    assert read(hl, card) == read(ek, card)
    hl.folk.writer = ek.folk.writer = True
    hl.tasks.start()
    ek.tasks.start()
    settle(server)
    assert read(hl, card) == read(ek, card)
    assert {"Mitt.", "Ditt."} <= set(read(hl, card).split())


WHO = st.sampled_from("abc")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(WHO, st.sampled_from(["write", "sync", "undo", "redo"])), max_size=24))
def test_three_people_online_and_offline_lose_nothing(plan: list[tuple[str, str]]) -> None:
    """Each adds a line of their own at the end of what they see, and takes steps back; boards are open all the time.
    Only its own writer's undo takes a line away."""
    logs: dict[str, list[bytes]] = {who: [] for who in "abc"}
    boards = {who: Board(logs[who].append, me=Uid(who.encode() * 16)) for who in "abc"}
    server: list[bytes] = []
    with closing(Board(server.append)) as first:
        first.setup(["Att göra"])
        card = first.add_card(first.columns()[0].id, "Beslut", description="Början å 🙂.")
    read_up_to = dict.fromkeys("abc", 0)

    def sync(who: str) -> None:
        while logs[who] or read_up_to[who] < len(server):
            server.extend(logs[who])
            logs[who].clear()
            new, read_up_to[who] = server[read_up_to[who] :], len(server)
            boards[who].merge(new)

    for who in "abc":
        sync(who)
    lines: dict[str, set[str]] = {who: set() for who in "abc"}
    for step, (who, what) in enumerate(plan):
        if what == "sync":
            sync(who)
            continue
        if what == "undo":
            lines[who].clear()
            boards[who].undo.undo()
            continue
        if what == "redo":
            boards[who].undo.redo()
            continue
        found = boards[who].card(card)
        assert found is not None
        lines[who].add(f"{who}{step}")
        boards[who].edit_card(card, description=f"{found.description}\n{who}{step}")
    for who in "abcabcabc":
        sync(who)
    ends = {board.card(card) for board in boards.values()}
    assert len({end.description for end in ends if end is not None}) == 1
    text = boards["a"].card(card)
    assert text is not None
    assert set.union(*lines.values()) <= set(text.description.split())
    for board in boards.values():
        board.close()


def test_attack_long_descriptions_of_a_colleague_take_no_more_memory_than_some_of_them() -> None:
    """An open board kept 2000 values of each card: of the longest ones, 80 million characters."""
    seen, last = SeenDescriptions(None), Description()
    count = 2 * MAX_SEEN_CHARS // MAX_DESCRIPTION
    for n in range(count):
        now = Description(text=f"{n:06} å 🙂".ljust(MAX_DESCRIPTION, "x"), made_from=(last.id,))
        seen.note("kort", last, now)
        last = now
    kept = seen.of("kort")
    assert sum(len(each.text) for each in kept.values()) <= MAX_SEEN_CHARS
    assert last.id in kept
    assert len(kept) > count // 4, "the newest ones stay"


@pytest.mark.parametrize(
    "value",
    [None, 7, [], ["å"], ["å", 7, 7], [7, "xx", ["k"]], ["å", "zz" * 16, [None, "k" * 32, 7]], {"text": "å"}],
)
def test_attack_a_value_of_another_form_is_a_harmless_one(value: object) -> None:
    read = description_from(value)
    assert description_from(read.value()) == read


def test_a_description_is_read_back_from_its_change(desks: tuple[Desk, Desk, Positions]) -> None:
    hl, _, server = desks
    card = new_card(hl, server)
    write(hl, card, "Nytt å 🙂")
    with_all = Board()
    with_all.merge(Assembler().feed(hl.store.changes.of(BOARD_ID)))
    found = with_all.card(card)
    assert found is not None
    assert found.described == Description(text="Nytt å 🙂", by=HL, made_from=found.described.made_from)
    assert len(found.described.made_from) == 1
    with_all.close()
