# SPDX-License-Identifier: EUPL-1.2
"""A month is destroyed as a whole: with what its administrator does not see, also over a crash, and in short parts."""

import shutil
from pathlib import Path

from app.chat.destroying import Months
from app.chat.drafts import Draft
from app.core.months import month_of
from app.store.destroyed_objects import FIRST
from app.store.series import is_destroyed
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.app.chat.destroys import CANARY, Destroys, destroys, months, months_of, nothing
from tests.app.chat.months import DECEMBER, NOVEMBER, Clock, announced, at, clock, come, hl, months_object, written
from tests.office import EK, ROOM, Desk, Positions, reopened

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
