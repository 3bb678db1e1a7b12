# SPDX-License-Identifier: EUPL-1.2
"""A month is destroyed as a whole: with what its administrator does not see, and also over a crash and on a full
disk."""

import pytest

from app.chat.destroying import Months
from app.core.months import month_of
from app.store.series import is_destroyed
from tests.app.chat.destroys import Destroys, months_of
from tests.app.chat.months import DECEMBER, Clock, announced, at, clock, come, hl, months_object, written
from tests.office import ROOM, Desk

__all__ = ["clock", "hl"]  # fixtures

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
