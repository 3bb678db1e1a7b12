# SPDX-License-Identifier: EUPL-1.2
"""What the person does with notices, which ring and when, and that nothing holds the loop for long."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from app.core import clock
from app.core.alarms import Alarms
from app.core.enums import LinkState
from app.core.ids import ObjId, Uid
from app.notices.kinds import KEYS, WAITS
from app.notices.service import FreshNotices, Level, NoticeFilter, NoticeId, NoticeState
from app.rooms.records import ObjectRetired
from app.rooms.records import encode as encode_record
from app.store import notice_rows
from app.store.notice_rows import AT_ONCE, KEEP_MS, Notice, NoticeKind
from app.store.statements import HELD
from app.tasks.due import SOON_MS, DueCards
from tests.app.clocks import Now, now
from tests.app.own.devices import NOVEMBER
from tests.office import BOARD_ID, EK, HL, ROOM, Desk, desk, start_board
from tests.world import until

__all__ = ["now"]  # a fixture

T = NOVEMBER
KIND = NoticeKind(id="mention", asks=True, personal=True)
PLAIN = NoticeKind(id="task-changed", asks=False)
OPEN = NoticeFilter(open=True)


@pytest.fixture
def hl(tmp_path: Path, now: Now) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


def put(at: Desk, first: int, count: int = 1, kind: NoticeKind = KIND, t: int = T) -> list[NoticeId]:
    """Notices about the positions from `first` on."""
    made = [
        Notice(kind=kind, room=ROOM, obj=ObjId(b"o" * 16), key=b"%d" % n, by=EK, n=n, t=t + n, ref=b"%d" % n)
        for n in range(first, first + count)
    ]
    at.store.notices.put(made)
    return [notice.id for notice in made]


async def rings(at: Desk, states: Callable[[], None]) -> list[FreshNotices]:
    """What rings while `run` runs, after `states` was called."""
    found = list[FreshNotices]()
    end = at.notices.fresh.connect(found.append)
    task = asyncio.ensure_future(at.notices.run())
    states()
    await until(lambda: not at.store.db.value("SELECT 1 FROM notices WHERE ring LIMIT 1"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    end()
    return found


def test_a_page_follows_a_page_and_the_newest_is_first(hl: Desk) -> None:
    put(hl, 1, 120)
    first = hl.notices.list()
    second = hl.notices.list(before=(first[-1].t, first[-1].id))
    third = hl.notices.list(before=(second[-1].t, second[-1].id))
    assert [row.n for row in (*first, *second, *third)] == list(range(120, 0, -1))
    assert (len(third), hl.notices.count()) == (20, 120)


def test_seen_done_and_snoozed(hl: Desk, now: Now) -> None:
    one, two, three = put(hl, 1, 3)
    told = list[object]()
    hl.notices.marked.connect(told.append)
    hl.notices.mark_seen([one])
    hl.notices.mark_done([two])
    hl.notices.snooze([three], T + 1000)
    assert [row.id for row in hl.notices.list(OPEN)] == [one], "seen is no answer"
    now.ms = T + 1000
    assert [row.id for row in hl.notices.list(OPEN)] == [three, one]
    hl.notices.mark_seen([two])
    assert {row.id: row.state for row in hl.notices.list()}[two] is NoticeState.DONE
    hl.notices.mark_new([two])
    assert hl.notices.count(OPEN) == 3
    assert told == [
        {one: (NoticeState.SEEN, None)},
        {two: (NoticeState.DONE, None)},
        {three: (NoticeState.SNOOZED, T + 1000)},
        {two: (NoticeState.NEW, None)},
    ]


def test_states_of_another_device_count_before_and_after_the_notice_came(hl: Desk) -> None:
    (one,) = put(hl, 1)
    told = list[object]()
    hl.notices.marked.connect(told.append)
    later = Notice(kind=KIND, room=ROOM, obj=ObjId(b"o" * 16), key=b"2", by=EK, n=2, t=T)
    hl.notices.apply_states({one: (NoticeState.DONE, None), later.id: (NoticeState.DONE, None)})
    hl.store.notices.put([later])
    assert hl.notices.count(OPEN) == 0
    assert hl.store.notices.claim() == []
    assert told == []


def test_only_what_is_old_and_needs_nothing_is_deleted(hl: Desk, now: Now) -> None:
    done, asking = put(hl, 1, 2)
    (seen,) = put(hl, 3, kind=PLAIN)
    hl.notices.mark_done([done])
    hl.notices.mark_seen([seen])
    hl.notices.apply_states({NoticeId(b"x" * 16): (NoticeState.DONE, None)})
    now.ms = T + KEEP_MS + 1000
    assert not hl.store.notices.trim(now.ms)
    assert [row.id for row in hl.notices.list()] == [asking]
    assert hl.store.db.value("SELECT count(*) FROM notice_states") == 0


async def test_nothing_rings_while_the_device_catches_up_and_then_each_room_once(hl: Desk) -> None:
    def away() -> None:
        hl.notices.on_status(LinkState.SYNCING)
        put(hl, 1, 30)

    task = asyncio.ensure_future(hl.notices.run())
    away()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    assert hl.store.db.value("SELECT count(*) FROM notices WHERE ring") == 30
    (told,) = await rings(hl, lambda: hl.notices.on_status(LinkState.ONLINE))
    assert (told.room, told.count, told.caught_up) == (ROOM, 30, True)
    assert [row.n for row in told.notices] == list(range(11, 31))
    (told,) = await rings(hl, lambda: print(put(hl, 40)))
    assert (told.count, told.caught_up) == (1, False)


@pytest.mark.parametrize(("level", "count"), [(Level.ALL, 2), (Level.MENTIONS, 1), (Level.NOTHING, 0)])
async def test_a_rooms_level_decides_what_rings_and_not_what_is_there(hl: Desk, level: Level, count: int) -> None:
    hl.notices.level = lambda room: level
    hl.notices.on_status(LinkState.ONLINE)

    def come() -> None:
        put(hl, 1)
        put(hl, 2, kind=PLAIN)

    assert sum(told.count for told in await rings(hl, come)) == count
    assert hl.notices.count() == 2


async def test_a_kind_that_is_off_is_neither_listed_nor_rings(hl: Desk) -> None:
    hl.notices.off = lambda: frozenset({"task-changed"})
    put(hl, 1)
    put(hl, 2, kind=PLAIN)
    assert [row.kind for row in hl.notices.list()] == ["mention"]
    assert [told.count for told in await rings(hl, lambda: None)] == [1]


async def test_a_notice_that_stands_for_a_state_ends_with_it_and_counts_again_without_a_sound(hl: Desk) -> None:
    keys = Notice(kind=KEYS, room=ROOM, obj=ObjId(EK), key=b"reset", by=EK, t=T)
    waits = Notice(kind=WAITS, room=ROOM, obj=ObjId(ROOM), key=b"fork", t=T, detail="fork")
    await hl.notices.keep((KEYS, WAITS), [keys, waits])
    assert len(await rings(hl, lambda: None)) == 1
    await hl.notices.keep((KEYS, WAITS), [waits])
    assert [row.kind for row in hl.notices.list(OPEN)] == ["waits"]
    await hl.notices.keep((KEYS, WAITS), [keys, waits])
    assert hl.notices.count(OPEN) == 2
    assert hl.store.notices.claim() == []


async def test_however_many_there_are_no_transaction_changes_many_rows(hl: Desk) -> None:
    """▲ Each call changes a bounded number of rows; the rest is left to `run`."""
    with hl.store.db.transaction() as conn:
        conn.execute(
            """WITH RECURSIVE k (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 3000)
            INSERT INTO notices SELECT CAST(n AS BLOB), 'direct', ?, ?, ?, CAST(n AS BLOB), ?, n, ? + n, '', 1, 1, 0,
                NULL, 0, 0, 1 FROM k""",
            (ROOM, BOARD_ID, BOARD_ID, EK, T),
        )
    changed = list[int]()
    before = hl.store.db.conn.total_changes

    def note() -> None:
        nonlocal before
        changed.append(hl.store.db.conn.total_changes - before)
        before = hl.store.db.conn.total_changes

    hl.store.notices.changed.connect(note)
    told = await rings(hl, lambda: None)
    assert sum(each.count for each in told) == 3000
    note()
    changed.clear()
    with hl.store.db.transaction() as conn:
        notice_rows.answer(conn, BOARD_ID, 200_000)
        hl.store.notices._notify_changed()
    while hl.store.notices.sweep():
        pass
    assert hl.notices.count(OPEN) == 0
    assert max(changed) <= AT_ONCE + 2, "and the notes of what is left"
    await hl.notices.mark_all_seen()
    assert hl.notices.count(NoticeFilter(unseen=True)) == 0


def changed_rows(at: Desk, act: Callable[[], object]) -> int:
    before = at.store.db.conn.total_changes
    act()
    return at.store.db.conn.total_changes - before


async def test_a_person_who_is_added_to_a_room_again_has_its_old_notices_deleted_part_by_part(hl: Desk) -> None:
    put(hl, 1, 450)
    with hl.store.db.transaction() as conn:
        notice_rows.forget(conn, ROOM)
    assert hl.notices.count(NoticeFilter()) == 0
    new = list[NoticeId]()
    assert changed_rows(hl, lambda: new.extend(put(hl, 2000))) < AT_ONCE
    assert changed_rows(hl, lambda: new.extend(put(hl, 440, 3))) < AT_ONCE, "the history is read again"
    assert {row.id for row in hl.store.notices.page(NoticeFilter(), T)} == set(new)
    assert {row.id for row in hl.store.notices.claim()} <= set(new)
    while hl.store.notices.sweep():
        pass
    assert {row.id for row in hl.store.notices.page(NoticeFilter(), T)} == set(new)
    assert hl.store.db.value("SELECT count(*) FROM notices") == 4


async def test_notices_about_what_does_not_count_are_hidden_part_by_part(hl: Desk) -> None:
    count = 3 * notice_rows.UNCOUNTED_AT_ONCE
    put(hl, 1, count)

    def hide() -> None:
        with hl.store.db.transaction() as conn:
            notice_rows.hide_uncounted(conn, ObjId(b"o" * 16), HELD)

    seen = [changed_rows(hl, hide)]
    while (rows := changed_rows(hl, hl.store.notices.sweep)) > 0:
        seen.append(rows)
    assert hl.notices.count(NoticeFilter()) == 0
    assert len(seen) > 3
    assert max(seen) <= notice_rows.UNCOUNTED_AT_ONCE + 2


def answer(at: Desk, n: int | None, ref: bytes | None = None) -> None:
    with at.store.db.transaction() as conn:
        notice_rows.answer(conn, ObjId(b"o" * 16), n, ref)


async def test_an_answer_without_a_position_answers_all_that_is_here_and_nothing_that_is_received_meanwhile(
    hl: Desk,
) -> None:
    put(hl, 1, 450)
    answer(hl, None)
    new = put(hl, 451)
    while hl.store.notices.sweep():
        pass
    assert {row.id for row in hl.store.notices.page(OPEN, T)} == set(new)


@pytest.mark.parametrize("n", [None, 10_000])
async def test_however_many_notices_are_about_a_place_an_answer_there_answers_all_of_them(
    hl: Desk, n: int | None
) -> None:
    put(hl, 1, 450)
    with hl.store.db.transaction() as conn:
        conn.execute("UPDATE notices SET ref = x'61' WHERE n <= 400")
    answer(hl, n, b"a")
    while hl.store.notices.sweep():
        pass
    assert hl.notices.count(OPEN) == 50


# -- due cards


class Timer:
    """A timer that the test lets ring."""

    def __init__(self) -> None:
        self.act: Callable[[], None] | None = None

    def __call__(self, delay_s: float, act: Callable[[], None]) -> Callable[[], None]:
        self.act = act
        return lambda: None

    async def ring(self) -> None:
        assert self.act is not None
        self.act()
        for _ in range(8):
            await asyncio.sleep(0)


def started(timer: Timer) -> Alarms:
    """Alarms on a timer."""
    alarms = Alarms(timer)
    alarms.start()
    return alarms


def at_nine(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 9).astimezone().timestamp() * 1000)


def at_midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)


async def test_a_card_is_due_and_overdue_once_each_also_after_a_change_of_the_clock(hl: Desk, now: Now) -> None:
    day, timer = date(2026, 11, 20), Timer()
    now.ms = at_nine(day - timedelta(days=1))
    start_board(hl)
    board = hl.tasks.board(ROOM, BOARD_ID)
    card = board.add_card(board.columns()[0].id, "Yttrande å", by=HL, assignee=HL, due=day)
    board.add_card(board.columns()[0].id, "Någon annans", by=HL, assignee=EK, due=day)
    due = DueCards(hl.store.db, hl.notices, lambda: Uid(HL), started(timer))
    due.start()
    await timer.ring()
    assert hl.notices.list() == ()
    now.ms = at_nine(day)
    await timer.ring()
    (row,) = hl.notices.list(OPEN)
    assert (row.kind, row.ref, row.obj) == ("task-due", card.encode(), BOARD_ID)
    assert len(hl.store.notices.claim(clock.MAX_MS)) == 1
    now.ms = at_nine(day - timedelta(days=3))
    await timer.ring()
    assert hl.notices.count(OPEN) == 0
    now.ms = at_nine(day)
    await timer.ring()
    assert hl.notices.count(OPEN) == 1
    assert hl.store.notices.claim(clock.MAX_MS) == [], "a clock that was set back and forth rings nothing"
    now.ms = at_nine(day + timedelta(days=2))
    await timer.ring()
    assert [row.kind for row in hl.notices.list(OPEN)] == ["task-overdue"]
    board.move_card(card, board.columns()[-1].id)
    due.on_cards()
    now.ms += SOON_MS
    await timer.ring()
    assert hl.notices.count(OPEN) == 0, "it is finished"
    due.close()


async def test_a_card_that_is_changed_stays_due(hl: Desk, now: Now) -> None:
    day, timer = date(2026, 11, 20), Timer()
    now.ms = at_nine(day)
    start_board(hl)
    board = hl.tasks.board(ROOM, BOARD_ID)
    card = board.add_card(board.columns()[0].id, "Yttrande å", by=HL, assignee=HL, due=day)
    due = DueCards(hl.store.db, hl.notices, lambda: Uid(HL), started(timer))
    due.start()
    await timer.ring()
    assert [row.kind for row in hl.notices.list(OPEN)] == ["task-due"]
    board.edit_card(card, title="Yttrande å 🙂")
    assert [row.title for row in hl.tasks.tasks(ROOM)] == ["Yttrande å 🙂"]
    assert [row.kind for row in hl.notices.list(OPEN)] == ["task-due"]
    due.close()


async def test_a_due_card_of_a_board_in_the_trash_asks_nothing_until_the_board_is_restored(hl: Desk, now: Now) -> None:
    day, timer = date(2026, 11, 20), Timer()
    now.ms = at_nine(day)
    start_board(hl)
    board = hl.tasks.board(ROOM, BOARD_ID)
    board.add_card(board.columns()[0].id, "Yttrande å", by=HL, assignee=HL, due=day)
    hl.store.changes.append(ROOM, ObjId(ROOM), encode_record(ObjectRetired(obj=BOARD_ID, on=True)))
    due = DueCards(hl.store.db, hl.notices, lambda: Uid(HL), started(timer))
    due.start()
    await timer.ring()
    assert hl.store.notices.claim(clock.MAX_MS) == []
    hl.store.changes.append(ROOM, ObjId(ROOM), encode_record(ObjectRetired(obj=BOARD_ID, on=False)))
    due.on_cards()
    now.ms += SOON_MS
    await timer.ring()
    assert [row.kind for row in hl.notices.list(OPEN)] == ["task-due"]
    due.close()


async def test_attack_a_day_that_windows_does_not_know_keeps_no_notice_away(hl: Desk, now: Now) -> None:
    now.ms = at_nine(date(2026, 11, 20))
    start_board(hl)
    board, timer = hl.tasks.board(ROOM, BOARD_ID), Timer()
    for day in (date(1, 1, 1), date(1960, 2, 29), date(2026, 11, 20)):
        board.add_card(board.columns()[0].id, "Yttrande å", by=HL, assignee=HL, due=day)
    due = DueCards(hl.store.db, hl.notices, lambda: Uid(HL), started(timer))
    due.start()
    await timer.ring()
    assert sorted(row.t for row in hl.notices.list()) == [at_midnight(day) for day in
        (date(1970, 1, 2), date(1970, 1, 2), date(2026, 11, 20))]  # fmt: skip
    due.close()


async def test_attack_five_thousand_due_cards_are_looked_at_in_parts(hl: Desk, now: Now) -> None:
    now.ms = at_nine(date(2026, 11, 20))
    start_board(hl)
    card = "INSERT INTO board_cards SELECT ?, ?, ?, '', '', ?, '2026-11-20', '[]', 0, 0, 0"
    with hl.store.db.transaction() as conn:
        conn.executemany(card, [(BOARD_ID, str(n), ROOM, HL) for n in range(5000)])
    kept = list[int]()

    class Counted:
        async def keep(self, kinds: Sequence[NoticeKind], notices: Sequence[Notice]) -> None:
            kept.append(len(notices))

    timer, turns = Timer(), 0
    due = DueCards(hl.store.db, Counted(), lambda: Uid(HL), started(timer))
    due.start()
    await timer.ring()
    while not kept:
        turns += 1
        await asyncio.sleep(0)
    assert kept == [5000]
    assert turns >= 10
    due.close()


async def test_what_was_put_off_rings_in_a_room_in_which_nothing_else_does(hl: Desk, now: Now) -> None:
    """The person has asked for it."""
    hl.notices.level = lambda room: Level.NOTHING
    (one,) = put(hl, 1)
    hl.notices.snooze([one], T + 1000)
    now.ms = T + 1000
    found = list[FreshNotices]()
    hl.notices.fresh.connect(found.append)
    task = asyncio.ensure_future(hl.notices.run())
    hl.notices.on_status(LinkState.ONLINE)
    await until(lambda: bool(found))
    task.cancel()
    assert [row.id for fresh in found for row in fresh.notices] == [one]
