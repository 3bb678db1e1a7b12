# SPDX-License-Identifier: EUPL-1.2
"""A month is destroyed as a whole: with what its administrator does not see, and also over a crash and on a full
disk."""

import shutil
from pathlib import Path

import pytest

from app.chat.destroying import Months
from app.chat.drafts import Draft
from app.core.months import month_of
from app.store.series import is_destroyed
from tests.app.chat.destroys import Destroys, months_of
from tests.app.chat.months import DECEMBER, NOVEMBER, Clock, announced, at, clock, come, hl, months_object, written
from tests.office import ROOM, Desk, Positions, reopened

__all__ = ["clock", "hl"]  # fixtures

CANARY = "Gallringskanariefågeln åäö 🙂"
JANUARY = at(2027, 1)


@pytest.fixture
def months(hl: Desk) -> Months:
    """Of an administrator."""
    hl.folk.admin = True
    return months_of(hl, Destroys(hl.store))


def nothing(done: int, total: int) -> None:
    """Shows no progress."""


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
