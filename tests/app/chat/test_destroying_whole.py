# SPDX-License-Identifier: EUPL-1.2
"""A month is destroyed as a whole: with what its administrator does not see, also over a crash, and in short parts."""

import asyncio
import shutil
from pathlib import Path

import pytest

from app.chat.destroying import Months
from app.chat.drafts import Draft
from app.chat.records import MessageEdited
from app.chat.stranded import StrandedCount
from app.core.ids import ChangeId, ObjId
from app.core.months import begins_ms, month_of
from app.errors import DiskFull, Forbidden
from app.store.destroyed_objects import FIRST
from app.store.series import is_destroyed
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.chat.destroys import CANARY, Destroys, destroy, destroys, found_in, months, months_of, nothing
from tests.app.chat.months import (
    DECEMBER,
    NOVEMBER,
    Clock,
    announced,
    at,
    clock,
    come,
    hl,
    months_object,
    texts,
    write_apart,
    written,
)
from tests.app.store.failing import FULL, Statements, fails_at
from tests.office import CHANNEL, EK, ROOM, Desk, Positions, reopened
from tests.patience import PATIENCE_S

__all__ = ["clock", "destroys", "hl", "months"]  # fixtures

JANUARY = at(2027, 1)


async def test_a_months_object_without_a_message_here_is_destroyed_with_it(
    hl: Desk, months: Months, clock: Clock
) -> None:
    """Its messages may be from before this person was added without the history. It goes first: if that is interrupted,
    the month is still listed."""
    one, other, empty = months_object(1), months_object(2), months_object(3)
    come(
        hl,
        announced(one, 10, DECEMBER),
        announced(other, 11, DECEMBER),
        announced(empty, 12, JANUARY),
        written(one, 13, DECEMBER, "det här syns å"),
    )
    clock.now_ms = at(2027, 2)
    (found,) = await months.read(ROOM)
    assert (found.period, found.objs, found.messages) == (month_of(DECEMBER), (other, one), 1)
    await months.destroy(ROOM, [found.period], nothing)
    assert [is_destroyed(hl.store.db, ROOM, obj) for obj in (one, other, empty)] == [True, True, False]


def nine(hl: Desk) -> list[ObjId]:
    """A month with eight objects that count and a ninth that does not; each has one message."""
    objs = [months_object(number) for number in range(9)]
    come(hl, *(announced(obj, 10 + i, DECEMBER) for i, obj in enumerate(objs)))
    come(hl, *(written(obj, 30 + i, DECEMBER + i, f"{CANARY} {i}") for i, obj in enumerate(objs)))
    return objs


async def test_attack_a_ninth_object_of_a_month_is_destroyed_with_it(hl: Desk, months: Months, clock: Clock) -> None:
    objs = nine(hl)
    come(hl, announced(months_object(10), 50, DECEMBER))
    clock.now_ms = JANUARY
    assert len(texts(hl)) == 8
    (found,) = await months.read(ROOM)
    assert (found.messages, found.apart, found.last_t) == (8, 1, DECEMBER + 7)
    assert found.objs[0] == months_object(10), "those without a message first"
    await months.destroy(ROOM, [found.period], nothing)
    await hl.store.destroyed.complete()
    assert all(is_destroyed(hl.store.db, ROOM, obj) for obj in (*objs, months_object(10)))
    assert found_in(hl.store) == set()
    assert await months.read(ROOM) == []


async def test_attack_what_is_written_to_a_ninth_object_later_can_be_destroyed(
    hl: Desk, months: Months, clock: Clock
) -> None:
    """Also where the others of the month are destroyed already. An edit alone shows nothing, and keeps no month."""
    objs = nine(hl)
    destroy(hl.store, obj=objs[-1], n=890)
    clock.now_ms = JANUARY
    await months.destroy(ROOM, [month_of(DECEMBER)], nothing)
    late, empty = months_object(11), months_object(12)
    edit = MessageEdited(target=ChangeId(b"i" * 16), text="å")
    come(hl, announced(late, 1000, JANUARY, period=month_of(DECEMBER)), written(late, 1001, JANUARY, CANARY))
    come(hl, announced(empty, 1002, JANUARY, period=month_of(NOVEMBER)), written(empty, 1003, JANUARY, edit))
    assert texts(hl) == []
    (found,) = await months.read(ROOM)
    assert (found.period, found.objs, found.messages, found.apart) == (month_of(DECEMBER), (late,), 0, 1)
    assert (found.first_t, found.is_over) == (JANUARY, True)
    await months.destroy(ROOM, [found.period], nothing)
    assert found_in(hl.store) == set()
    assert await months.read(ROOM) == []


async def test_what_is_written_ahead_of_time_or_in_a_second_conversation_goes_with_its_month(
    hl: Desk, months: Months, clock: Clock
) -> None:
    ahead, other = months_object(1), months_object(2)
    march = month_of(DECEMBER) + 3
    come(hl, announced(ahead, 10, DECEMBER, period=march), announced(other, 11, DECEMBER, series=other))
    come(hl, written(ahead, 12, DECEMBER, CANARY), written(other, 13, DECEMBER, CANARY))
    clock.now_ms = JANUARY
    assert texts(hl) == []
    found = await months.read(ROOM)
    assert [(m.period, m.objs, m.apart, m.is_over) for m in found] == [
        (march, (ahead,), 1, False),
        (month_of(DECEMBER), (other,), 1, True),
    ]
    with pytest.raises(Forbidden):
        await months.destroy(ROOM, [march], nothing)
    clock.now_ms = begins_ms(march + 1)
    await months.destroy(ROOM, [march, month_of(DECEMBER)], nothing)
    assert found_in(hl.store) == set()


async def test_an_own_message_that_reached_nobody_is_not_offered_once_its_month_is_destroyed(
    hl: Desk, clock: Clock
) -> None:
    clock.now_ms = DECEMBER
    ninth = write_apart(hl, "nionde å")
    destroy(hl.store, obj=ninth)
    await hl.store.destroyed.complete()
    assert hl.chat.stranded(ROOM) == StrandedCount(destroyed=0, apart=0, notes=0)


async def test_a_draft_keeps_no_text_of_a_destroyed_month_after_a_crash(hl: Desk, clock: Clock, tmp_path: Path) -> None:
    """The process may end right after the commit that deletes the last message, before any tool learns of it."""
    hl.folk.admin = True
    hl.store.changes.taken_back.connect(lambda _obj: shutil.copytree(tmp_path / "hl", tmp_path / "crashed"))
    months = months_of(hl, Destroys(hl.store))
    mine = hl.chat.send(ROOM, CANARY)
    Positions([hl], n=20, t=NOVEMBER).deliver()
    hl.chat.keep_draft(ROOM, Draft(text=f"{CANARY} ändrat", edits=mine, aside="det här skrev jag å"))
    clock.now_ms = DECEMBER
    await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    assert hl.chat.draft(ROOM) == Draft(text="det här skrev jag å")
    assert hl.store.db.rows("SELECT * FROM destroying") == []
    again = reopened(tmp_path / "crashed")
    try:
        months_of(again, Destroys(again.store))
        assert again.chat.draft(ROOM).text == f"{CANARY} ändrat", "the crash came before"
        await again.store.destroyed.complete()
        assert again.chat.draft(ROOM) == Draft(text="det här skrev jag å")
        assert again.store.db.rows("SELECT * FROM destroying") == []
    finally:
        again.close()


@pytest.mark.parametrize("case", ["answer", "aside", "aside-of-a-change-that-stays"])
async def test_a_draft_refers_to_no_message_of_a_destroyed_month(hl: Desk, clock: Clock, case: str) -> None:
    hl.folk.admin = True
    months = months_of(hl, Destroys(hl.store))
    gone = hl.chat.send(ROOM, "i november å")
    Positions([hl], n=20, t=NOVEMBER).deliver()
    clock.now_ms = DECEMBER
    stays = hl.chat.send(ROOM, "i december 🙂")
    draft, left = {
        "answer": (Draft(text="svar ö", reply_to=gone), Draft(text="svar ö")),
        "aside": (Draft(text="ändrat", edits=gone, aside="svar ö", aside_reply_to=gone), Draft(text="svar ö")),
        "aside-of-a-change-that-stays": (
            Draft(text="ändrat", edits=stays, aside="svar ö", aside_reply_to=gone),
            Draft(text="ändrat", edits=stays, aside="svar ö"),
        ),
    }[case]
    hl.chat.keep_draft(ROOM, draft)
    await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    assert hl.chat.draft(ROOM) == left


async def test_many_months_that_are_destroyed_at_once_hold_the_loop_no_longer_than_a_few(
    hl: Desk, clock: Clock
) -> None:
    """A member who was away receives the entries in one slice. Another program may make thousands of objects."""
    count = 6
    clock.now_ms = DECEMBER
    objs = [months_object(number) for number in range(1, count + 1)]
    for number, obj in enumerate(objs):
        at_n = 100 * (number + 1)
        messages = [written(obj, at_n + i, DECEMBER + i, f"{CANARY} {i}") for i in range(1, 4)]
        come(hl, announced(obj, at_n, DECEMBER, period=month_of(NOVEMBER) - number), *messages)
    events = [RoomEvent(n=900 + i, t=DECEMBER, kind="destroy", by=EK, obj=obj) for i, obj in enumerate(objs)]
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=920, state=b"", events=events))
    left = hl.store.db.rows("SELECT DISTINCT obj FROM chat_messages")
    assert len(left) == count - FIRST
    await hl.store.destroyed.complete()
    assert hl.store.db.rows("SELECT * FROM chat_messages") == hl.store.db.rows("SELECT * FROM destroying") == []


async def test_a_disk_that_does_not_let_a_destroyed_month_end_is_reported_and_asked_again_later(hl: Desk) -> None:
    """Deleting would try again at once, and never end."""
    come(hl, written(CHANNEL, 10, NOVEMBER, CANARY))
    seen = Statements(hl.store)

    def refuse(number: int, text: str) -> None:
        if text.startswith("DELETE FROM destroying"):
            fails_at(number, FULL)(number, text)

    seen.before = refuse
    with seen.watched():
        destroy(hl.store)
        with pytest.raises(DiskFull):
            await asyncio.wait_for(hl.store.destroyed.complete(), PATIENCE_S)
    assert hl.store.db.rows("SELECT obj FROM destroying") == [(CHANNEL,)]
    await hl.store.destroyed.complete()
    assert hl.store.db.rows("SELECT * FROM destroying") == []
    assert found_in(hl.store) == set()
