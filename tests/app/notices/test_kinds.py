# SPDX-License-Identifier: EUPL-1.2
"""What makes a notice, through real stores: each kind of the chat and of boards."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.chat.records import Mention, MessageDeleted, MessageEdited, MessageSent, ReactionSet, Record, encode
from app.core import clock
from app.core.ids import ChangeId, DevId, ObjId, Uid, new_change
from app.notices.kinds import REMINDER
from app.notices.service import NoticeFilter
from app.objects.links import ObjectLink
from app.objects.pieces import encode as in_pieces
from app.rooms.records import ObjectRetired
from app.rooms.records import encode as encode_record
from app.store import reminder_rows
from app.store import rooms as room_rows
from app.store.notice_rows import Notice
from app.store.reminder_rows import GONE, WAITS, ReminderId, ReminderRow
from sync.client.ports import OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.chat.successors import Stream, claim, shown, successor
from tests.office import BOARD_ID, CHANNEL, EK, HL, RG, ROOM, Desk, Positions, desk, from_others, start_board

T = 1_795_500_000_000
OPEN = NoticeFilter(open=True)
NAMED = MessageSent(text="@Handläggare å 🙂", mentions=(Mention(uid=HL, start=0, length=12),))


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    end = clock.set_clock(lambda: T)
    yield made
    end()
    made.close()


def kinds(at: Desk, wanted: NoticeFilter = OPEN) -> list[str]:
    """The notices' kinds, the newest first."""
    return [row.kind for row in at.notices.list(wanted)]


def rung(at: Desk) -> list[str]:
    """The kinds of notices that ring now, the oldest first."""
    return [row.kind for row in at.store.notices.claim()]


def ids(at: Desk) -> list[ChangeId]:
    timeline = at.chat.timeline(ROOM)
    return [timeline.message(i).change_id for i in range(len(timeline))]


def come(at: Desk, *records: Record, n: int, by: Uid = EK) -> None:
    from_others(at, by, CHANNEL, [encode(each) for each in records], n=n, t=T - 100_000 + n * 1000)


def test_a_mention_makes_one_notice_that_rings_once_and_holds_no_text(hl: Desk) -> None:
    come(hl, NAMED, MessageSent(text="Annat"), n=10)
    (row,) = hl.notices.list(OPEN)
    assert (row.kind, row.by, row.ref, row.room, row.object_kind) == ("mention", EK, ids(hl)[0], ROOM, "chat")
    assert rung(hl) == ["mention"]
    assert rung(hl) == []
    shown = hl.chat.line(ObjectLink(room=row.room, obj=row.obj, kind="chat", ref=row.ref))
    assert shown is not None
    assert (shown.title, shown.by) == ("@Handläggare å 🙂", EK)
    stored = b"".join(
        bytes(str(value), "utf-8") for line in hl.store.db.rows("SELECT * FROM notices") for value in line
    )
    assert "Handläggare".encode() not in stored


def test_a_reply_to_me_counts_only_if_the_message_is_mine(hl: Desk) -> None:
    mine = hl.chat.send(ROOM, "Mitt å")
    come(hl, MessageSent(text="Deras"), n=10)
    theirs = ids(hl)[0]
    come(hl, MessageSent(text="Svar", reply_to=theirs), MessageSent(text="Svar", reply_to=b"x" * 16), n=12)
    assert kinds(hl) == [], "▲ a forged or foreign target makes no notice"
    come(hl, MessageSent(text="Svar", reply_to=mine), n=20)
    assert kinds(hl) == ["reply"]


def test_attack_a_reply_to_a_message_that_a_founder_says_is_mine_is_none(hl: Desk) -> None:
    """A founder carries words over in this person's name. Here they are shown as a quotation of the founder, and so is
    an answer to them no answer to this person."""
    successor(hl, EK)
    stream = Stream(hl, after=T // 1000)
    claimed = b"q" * 16
    stream.put(EK, claim(HL, "Jag godkänner å", claimed))
    assert shown(hl)[0].quoted_author == HL
    stream.put(RG, MessageSent(text="Svar", reply_to=claimed))
    assert kinds(hl) == []
    mine = stream.put(HL, MessageSent(text="Mitt 🙂"))
    stream.put(RG, MessageSent(text="Svar", reply_to=mine))
    assert kinds(hl) == ["reply"]


def test_in_a_direct_room_each_message_is_one_and_all_are_answered_by_writing(hl: Desk) -> None:
    with hl.store.db.transaction() as conn:
        room_rows.name(conn, ROOM, "", "direct", 1)
    come(hl, MessageSent(text="Hej"), MessageSent(text="Är du där?"), NAMED, n=10)
    assert kinds(hl) == ["mention", "direct", "direct"]
    hl.chat.mark_read(ROOM, ids(hl))
    assert kinds(hl) == ["mention", "direct", "direct"], "seeing is no answer"
    assert hl.notices.count(NoticeFilter(unseen=True)) == 0
    hl.chat.send(ROOM, "Ja")
    assert kinds(hl) == []


def test_a_reaction_answers_only_the_message_that_it_is_to(hl: Desk) -> None:
    come(hl, NAMED, NAMED, n=10)
    hl.chat.react(ROOM, ids(hl)[0], "👍", True)
    assert [row.ref for row in hl.notices.list(OPEN)] == [ids(hl)[1]]


def test_an_answer_that_was_written_on_another_device_counts_in_any_order_of_receipt(hl: Desk) -> None:
    from_others(hl, HL, CHANNEL, [encode(MessageSent(text="Svar"))], n=30, t=T)
    come(hl, NAMED, n=20)
    come(hl, NAMED, n=40)
    assert [row.n for row in hl.notices.list(OPEN)] == [40]
    assert [row.n for row in hl.notices.list()] == [40, 20]


def test_reactions_to_mine_are_one_notice_with_a_count_and_ring_once(hl: Desk) -> None:
    mine = hl.chat.send(ROOM, "Mitt å")
    come(hl, *[ReactionSet(target=mine, emoji=f"e{i}", on=True) for i in range(150)], n=10)
    come(hl, ReactionSet(target=mine, emoji="👍", on=True), n=300, by=RG)
    (row,) = hl.notices.list(NoticeFilter(kinds=frozenset({"reaction"})))
    assert (row.count, row.by, row.asks) == (100, RG, False)
    assert rung(hl) == ["reaction"]


def test_a_reaction_that_is_taken_back_takes_its_notice_along(hl: Desk) -> None:
    mine = hl.chat.send(ROOM, "Mitt å")
    come(hl, ReactionSet(target=mine, emoji="👍", on=True), ReactionSet(target=mine, emoji="👍", on=False), n=10)
    assert hl.notices.list() == ()


def test_an_edit_that_names_me_makes_a_notice_and_a_second_one_none(hl: Desk) -> None:
    come(hl, MessageSent(text="Hej"), n=10)
    (first,) = ids(hl)
    for n in (20, 30):
        come(hl, MessageEdited(target=first, text=NAMED.text, mentions=NAMED.mentions), n=n)
    assert kinds(hl) == ["mention"]
    come(hl, MessageEdited(target=first, text=NAMED.text, mentions=NAMED.mentions), n=40, by=RG)
    assert kinds(hl) == ["mention"]
    assert rung(hl) == ["mention"]


def test_a_deleted_message_takes_its_notice_along(hl: Desk) -> None:
    come(hl, NAMED, n=10)
    (row,) = hl.notices.list()
    come(hl, MessageDeleted(target=ids(hl)[0]), n=20)
    assert hl.notices.list() == ()
    assert hl.chat.line(ObjectLink(room=row.room, obj=row.obj, kind="chat", ref=row.ref)) is None
    assert rung(hl) == []


def test_a_destroyed_object_and_a_room_that_was_left_take_their_notices_along(hl: Desk) -> None:
    come(hl, *[NAMED] * 450, n=10)
    event = RoomEvent(n=900, t=T, kind="destroy", by=EK, obj=CHANNEL)
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=900, state=b"", events=[event]))
    assert hl.notices.list() == ()
    while hl.store.notices.sweep():
        pass
    assert hl.store.db.value("SELECT count(*) FROM notices") == 0
    added = RoomEvent(n=901, t=T, kind="add", by=EK, subject=HL)
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=901, state=b"", events=[added]))
    assert kinds(hl, NoticeFilter()) == ["added"]
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=902, state=b"", gone=[HL]))
    assert hl.notices.list() == ()


def remind(at: Desk, key: bytes, state: int, obj: ObjId, kind: str) -> None:
    """A reminder that has rung: its notice, and the row that says whether the person is done with it."""
    ident = ReminderId(key.ljust(16))
    made = Notice(kind=REMINDER, room=ROOM, obj=obj, key=ident, t=T, ref=b"r" * 16, thread=ObjId(ident))
    reminder = ReminderRow(
        id=ident, generation=0, state=state, at=T, room=ROOM, obj=obj, kind=kind, ref=made.ref, notice=made.id
    )
    with at.store.transaction() as conn:
        at.store.notices.put([made])
        reminder_rows.put(conn, [reminder])


def test_a_reminder_of_what_is_in_the_trash_is_listed_until_the_person_is_done_with_it(hl: Desk) -> None:
    start_board(hl)
    put_away(hl, on=True)
    remind(hl, b"waits", WAITS, BOARD_ID, "board")
    remind(hl, b"done", GONE, BOARD_ID, "board")
    assert kinds(hl) == ["reminder"]
    assert [row.kind for row in hl.store.notices.claim(clock.MAX_MS)] == ["reminder"]


def test_reminders_that_the_person_is_not_done_with_stay_when_what_they_are_about_is_destroyed(hl: Desk) -> None:
    """Also while the other notices are still being deleted."""
    come(hl, *[NAMED] * 450, n=10)
    for key, state in (b"waits", WAITS), (b"done", GONE):
        remind(hl, key, state, CHANNEL, "chat")
    event = RoomEvent(n=900, t=T, kind="destroy", by=EK, obj=CHANNEL)
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=900, state=b"", events=[event]))
    assert kinds(hl, NoticeFilter()) == ["reminder"]
    while hl.store.notices.sweep():
        pass
    assert kinds(hl, NoticeFilter()) == ["reminder"]
    assert hl.store.db.value("SELECT count(*) FROM notices") == 1


def test_a_mention_list_of_thousands_is_one_notice_and_what_i_did_is_none(hl: Desk) -> None:
    many = tuple(Mention(uid=HL, start=0, length=1) for _ in range(5000))
    come(hl, MessageSent(text="@", mentions=many), n=10)
    from_others(hl, HL, CHANNEL, [encode(NAMED)], n=20, t=T)
    assert kinds(hl, NoticeFilter()) == ["mention"]


def test_a_first_reading_rings_nothing_and_leaves_out_what_is_old(tmp_path: Path) -> None:
    hl = desk(tmp_path, HL)
    end = clock.set_clock(lambda: T)
    hl.store.db.conn.execute("DELETE FROM streams")
    hl.store.db.conn.execute("DELETE FROM notified")
    old, new = T - 91 * 86_400_000, T - 86_400_000
    changes = [
        OpenedChange(
            n=n, t=t, uid=EK, dev=DevId(EK), obj=CHANNEL, change_id=ChangeId(bytes([n]) * 16), payload=encode(NAMED)
        )
        for n, t in ((5, old), (6, new))
    ]
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=6, state=b"state", changes=changes))
    assert [row.n for row in hl.notices.list()] == [6]
    assert rung(hl) == []
    come(hl, NAMED, n=7)
    assert rung(hl) == ["mention"]
    end()
    hl.close()


def test_the_position_up_to_which_nothing_rings_never_falls(hl: Desk) -> None:
    hl.store.db.conn.execute("DELETE FROM notified")
    for cursor in (9, 4):
        hl.store.db.conn.execute("DELETE FROM streams")
        hl.store.receive(ReceivedSlice(room=ROOM, cursor=cursor, state=b"state"))
    come(hl, NAMED, n=7)
    assert rung(hl) == []
    come(hl, NAMED, n=10)
    assert rung(hl) == ["mention"]


def two(tmp_path: Path) -> tuple[Desk, Desk, Positions]:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    mine, theirs = desk(tmp_path / "a", HL), desk(tmp_path / "b", EK)
    server = Positions([mine, theirs])
    start_board(theirs)
    server.deliver()
    return mine, theirs, server


def test_a_task_that_somebody_gives_me_rings_once_also_when_it_is_undone_and_given_again(tmp_path: Path) -> None:
    mine, theirs, server = two(tmp_path)
    board = theirs.tasks.board(ROOM, BOARD_ID)
    card = board.add_card(board.columns()[0].id, "Yttrande å", by=EK)
    board.assign(card, HL)
    server.deliver()
    (row,) = mine.notices.list(OPEN)
    assert (row.kind, row.by, row.ref, row.object_kind) == ("task-given", EK, card.encode(), "board")
    assert rung(mine) == ["task-given"]
    board.assign(card, EK)
    server.deliver()
    assert kinds(mine) == []
    board.undo.undo()
    server.deliver()
    assert kinds(mine) == ["task-given"]
    assert rung(mine) == ["task-changed"]
    mine.tasks.board(ROOM, BOARD_ID).move_card(card, board.columns()[1].id)
    assert kinds(mine) == [], "moving it is an answer"
    assert theirs.notices.list() == ()
    mine.close()
    theirs.close()


def put_away(at: Desk, on: bool) -> None:
    at.store.changes.append(ROOM, ObjId(ROOM), encode_record(ObjectRetired(obj=BOARD_ID, on=on)))


def test_a_task_that_somebody_gives_me_on_a_board_in_the_trash_rings_nothing_and_waits_for_the_board(
    tmp_path: Path,
) -> None:
    mine, theirs, server = two(tmp_path)
    put_away(theirs, on=True)
    board = theirs.tasks.board(ROOM, BOARD_ID)
    board.add_card(board.columns()[0].id, "Yttrande å 🙂", by=EK, assignee=HL)
    server.deliver()
    assert (rung(mine), kinds(mine)) == ([], [])
    put_away(theirs, on=False)
    server.deliver()
    assert (rung(mine), kinds(mine)) == ([], ["task-given"])
    mine.close()
    theirs.close()


def test_a_change_of_my_task_names_what_was_changed_and_merges_while_it_is_not_seen(tmp_path: Path) -> None:
    mine, theirs, server = two(tmp_path)
    board = mine.tasks.board(ROOM, BOARD_ID)
    card = board.add_card(board.columns()[0].id, "Yttrande å", by=HL, assignee=HL)
    other = board.add_card(board.columns()[0].id, "Annat", by=HL)
    server.deliver()
    there = theirs.tasks.board(ROOM, BOARD_ID)
    there.edit_card(card, title="Nytt")
    there.edit_card(other, title="Nytt")
    there.move_card(card, there.columns()[1].id)
    server.deliver()
    (row,) = mine.notices.list()
    assert (row.kind, row.detail, row.asks) == ("task-changed", "title,column", False)
    mine.notices.mark_seen([row.id])
    there.edit_card(card, description="Mer")
    server.deliver()
    assert [row.detail for row in mine.notices.list()] == ["description", "title,column"]
    mine.close()
    theirs.close()


def test_of_changes_that_are_received_at_once_each_is_judged_by_its_own_author(tmp_path: Path) -> None:
    """The notice of a card that one colleague gave named another one, who only changed its title."""
    mine, theirs, server = two(tmp_path)
    board = theirs.tasks.board(ROOM, BOARD_ID)
    card = board.add_card(board.columns()[0].id, "Yttrande å", by=EK)
    server.deliver()
    given: Callable[[], None] = lambda: board.assign(card, HL)  # noqa: E731
    renamed: Callable[[], None] = lambda: board.edit_card(card, title="Yttrande å 🙂")  # noqa: E731
    made = list[OpenedChange]()
    for n, (uid, act) in enumerate([(EK, given), (RG, renamed)], start=90):
        before = board.state()
        act()
        (payload,) = in_pieces(board.diff(before))
        made.append(
            OpenedChange(n=n, t=n, uid=uid, dev=DevId(uid), obj=BOARD_ID, change_id=new_change(), payload=payload)
        )
    mine.store.receive(ReceivedSlice(room=ROOM, cursor=91, state=b"", changes=made))
    found = {row.kind: (row.by, row.detail) for row in mine.notices.list()}
    assert found == {"task-given": (EK, ""), "task-changed": (RG, "title")}
    mine.close()
    theirs.close()


@pytest.mark.parametrize("kind", ["chat", "board"])
def test_rows_that_are_made_again_make_no_notice_again_and_change_no_state(tmp_path: Path, kind: str) -> None:
    mine, theirs, server = two(tmp_path)
    board = theirs.tasks.board(ROOM, BOARD_ID)
    for title in ("Ett", "Två", "Tre"):
        board.add_card(board.columns()[0].id, title, by=EK, assignee=HL)
    for _ in range(3):
        theirs.chat.send(ROOM, "@Handläggare å")
    server.deliver()
    assert len(rung(mine)) == 6
    first, second, *_ = [row.id for row in mine.notices.list() if row.object_kind == kind]
    mine.notices.mark_done([first])
    with mine.store.db.transaction() as conn:
        conn.execute("DELETE FROM notices WHERE id = ?", (second,))  # as an old one is
    before = mine.store.db.rows("SELECT * FROM notices ORDER BY id")
    with mine.store.db.transaction() as conn:
        conn.execute("UPDATE kinds SET version = 0 WHERE kind = ?", (kind,))
    mine.store._projecting.prepare()
    assert mine.store.db.rows("SELECT * FROM notices ORDER BY id") == before
    assert rung(mine) == []
    with mine.store.db.transaction():
        mine.store._projecting.from_start(BOARD_ID if kind == "board" else CHANNEL)
    assert mine.store.db.rows("SELECT * FROM notices ORDER BY id") == before
    mine.close()
    theirs.close()
