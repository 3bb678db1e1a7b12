# SPDX-License-Identifier: EUPL-1.2
"""Makes the notices that a card of this person is due today or overdue: each once for a card and its due day."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from app.core import clock
from app.core.alarms import Alarms
from app.core.ids import ObjId, RoomId, Uid
from app.errors import StoreFault
from app.store.database import Database
from app.store.notice_rows import Notice
from app.tasks.columns_and_labels import CARDS
from app.tasks.noticing import DUE, OVERDUE
from app.tasks.tables import IN_PLACE
from app.tool import Standing

AGAIN_MS = 60_000
"""Milliseconds until what the disk has refused is tried again."""
SOON_MS = 200
"""Milliseconds from a change of cards to the comparison of their due days, so that several changes are compared at
once."""
MOST = 5000
"""The most cards that have such notices: those with the latest due days."""
_FIRST = date(1970, 1, 2)
"""▲ Windows knows no local times before 1970, and a colleague can give a card any day."""
_AT_ONCE = 200
"""So many of them are looked at in one turn of the loop: 1 to 2 ms."""

_CARDS = f"""SELECT room, obj, card, due FROM {CARDS} c WHERE (assignee = ? OR obj = ?) AND done = 0 AND due <= ?
    AND {IN_PLACE} AND room IN (SELECT room FROM rooms WHERE NOT left)
    ORDER BY due DESC, obj, card LIMIT ?"""  # noqa: S608 - constants


class DueCards:
    """Keeps the notices about due and overdue cards. A notice is made when its day (local time) begins. It is marked as
    answered when the card is finished, gone or somebody else's, or has another due day, or its board is in the trash.
    `me`: returns this account's person. `alarms`: the session's timer. `own`: returns this person's own board, whose
    cards are all theirs; None if there is none. Lives on the event loop."""

    def __init__(
        self,
        db: Database,
        notices: Standing,
        me: Callable[[], Uid],
        alarms: Alarms,
        own: Callable[[], ObjId | None] = lambda: None,
    ) -> None:
        self._db = db
        self._notices = notices
        self._me = me
        self._own = own
        self._alarm = alarms.make(self._on_time)
        self._end = alarms.shifted.connect(self._on_time)
        self._task: asyncio.Task[None] | None = None
        self._compared: tuple[date, int] | None = None
        self._changed = 0
        self._is_open = False

    def start(self) -> None:
        """Compares the cards' due days with today, now and whenever either has changed, until `close`."""
        self._is_open = True
        self._alarm.set(clock.now_ms())

    def close(self) -> None:
        """Stops the comparisons. A second call does no harm."""
        self._is_open = False
        self._alarm.set(None)
        self._end()
        if self._task is not None:
            self._task.cancel()

    def on_cards(self) -> None:
        """Call it when cards have changed: compares their due days after SOON_MS."""
        self._changed += 1
        if self._is_open:
            self._alarm.set(clock.now_ms() + SOON_MS)

    def _on_time(self) -> None:
        if not self._is_open:
            return
        today = clock.local(clock.now_ms()).date()
        is_busy = self._task is not None and not self._task.done()
        if is_busy:
            self._alarm.set(clock.now_ms() + SOON_MS)
        elif self._compared != (today, self._changed):
            self._task = asyncio.ensure_future(self._compare(today, self._changed))
        else:
            self._alarm.set(_begin(today + timedelta(days=1)))

    async def _compare(self, today: date, changed: int) -> None:
        try:
            await self._notices.keep((DUE, OVERDUE), await self._due(today))
        except StoreFault:  # perhaps a full disk
            self._alarm.set(clock.now_ms() + AGAIN_MS)
            return
        self._compared = (today, changed)
        self._alarm.set(_begin(today + timedelta(days=1)) if changed == self._changed else clock.now_ms())

    async def _due(self, today: date) -> list[Notice]:
        """▲ In parts: a colleague can give the person as many cards as they like."""
        rows, found = self._db.rows(_CARDS, (self._me(), self._own(), today.isoformat(), MOST)), list[Notice]()
        for at in range(0, len(rows), _AT_ONCE):
            some = rows[at : at + _AT_ONCE]
            found += [_notice(room, obj, card, date.fromisoformat(due), today) for room, obj, card, due in some]
            await asyncio.sleep(0)
        return found


def _notice(room: RoomId, obj: ObjId, card: str, due: date, today: date) -> Notice:
    kind, day = (DUE, due) if due >= today else (OVERDUE, due + timedelta(days=1))
    return Notice(
        kind=kind,
        room=room,
        obj=obj,
        key=card.encode() + due.isoformat().encode(),
        t=max(0, _begin(max(day, _FIRST))),
        ref=card.encode(),
        thread=ObjId(room),  # ▲ changing the card does not answer it: it stays due
    )


def _begin(day: date) -> int:
    """When a day begins, local time, in ms."""
    return int(datetime.combine(day, time()).astimezone().timestamp() * 1000)
