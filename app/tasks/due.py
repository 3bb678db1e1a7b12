# SPDX-License-Identifier: EUPL-1.2
"""Makes the notices that a card of this person is due today or overdue: each once for a card and its due day."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, time, timedelta

from app.core import clock
from app.core.delay import Later
from app.core.ids import ObjId, RoomId, Uid
from app.errors import StoreFault
from app.store.database import Database
from app.store.notice_rows import Notice
from app.tasks.noticing import DUE, OVERDUE
from app.tool import Standing

TICK_S = 60.0
"""Seconds between two looks at the clock: it may have been set, the computer may have slept, or the time zone
changed."""
SOON_S = 0.2
"""Seconds from a change of cards to the comparison of their due days, so that several changes are compared at once."""
MOST = 5000
"""The most cards that have such notices: those with the latest due days."""
_FIRST = date(1970, 1, 2)
"""▲ Windows knows no local times before 1970, and a colleague can give a card any day."""
_AT_ONCE = 200
"""So many of them are looked at in one turn of the loop: 1 to 2 ms."""

_CARDS = """SELECT room, obj, card, due FROM board_cards WHERE assignee = ? AND done = 0 AND due <= ?
    AND room IN (SELECT room FROM rooms WHERE NOT left) ORDER BY due DESC, obj, card LIMIT ?"""


class DueCards:
    """Keeps the notices about due and overdue cards. A notice is made when its day (local time) begins. It is marked as
    answered when the card is finished, gone or somebody else's, or has another due day. `me`: returns this account's
    person. `later`: calls a function after some seconds. Lives on the event loop."""

    def __init__(self, db: Database, notices: Standing, me: Callable[[], Uid], later: Later) -> None:
        self._db = db
        self._notices = notices
        self._me = me
        self._later = later
        self._cancel: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._compared: tuple[date, int] | None = None
        self._changed = 0
        self._is_open = False

    def start(self) -> None:
        """Compares the cards' due days with today, now and whenever either has changed, until `close`."""
        self._is_open = True
        self._plan(0)

    def close(self) -> None:
        """Stops the comparisons. A second call does nothing."""
        self._is_open = False
        if self._cancel is not None:
            self._cancel()
        if self._task is not None:
            self._task.cancel()

    def on_cards(self) -> None:
        """Call it when cards have changed: compares their due days after SOON_S."""
        self._changed += 1
        self._plan(SOON_S)

    def _plan(self, delay_s: float) -> None:
        if not self._is_open:
            return
        if self._cancel is not None:
            self._cancel()
        self._cancel = self._later(delay_s, self._on_time)

    def _on_time(self) -> None:
        self._cancel = None
        today = clock.local(clock.now_ms()).date()
        if self._compared != (today, self._changed) and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._compare(today, self._changed))
        self._plan(TICK_S)

    async def _compare(self, today: date, changed: int) -> None:
        with suppress(StoreFault):  # perhaps a full disk: tried again at the next tick
            await self._notices.keep((DUE, OVERDUE), await self._due(today))
            self._compared = (today, changed)

    async def _due(self, today: date) -> list[Notice]:
        """▲ In parts: a colleague can give the person as many cards as they like."""
        rows, found = self._db.rows(_CARDS, (self._me(), today.isoformat(), MOST)), list[Notice]()
        for at in range(0, len(rows), _AT_ONCE):
            some = rows[at : at + _AT_ONCE]
            found += [_notice(room, obj, card, date.fromisoformat(due), today) for room, obj, card, due in some]
            await asyncio.sleep(0)
        return found


def _notice(room: RoomId, obj: ObjId, card: str, due: date, today: date) -> Notice:
    kind, day = (DUE, due) if due >= today else (OVERDUE, due + timedelta(days=1))
    begun = datetime.combine(max(day, _FIRST), time()).astimezone()
    return Notice(
        kind=kind,
        room=room,
        obj=obj,
        key=card.encode() + due.isoformat().encode(),
        t=max(0, int(begun.timestamp() * 1000)),
        ref=card.encode(),
        thread=ObjId(room),  # ▲ changing the card does not answer it: it stays due
    )
