# SPDX-License-Identifier: EUPL-1.2
"""The person's reminders: of which place, and when. They are the same on all the person's devices (app/own/), and each
device has them as rows by time (app/store/reminder_rows.py).

When a reminder's time has come, it makes a notice (`kinds.REMINDER`), also at the next start if the program did not
run. All devices make the same notice, and it rings at one of them (app/notices/turns.py). From then on the person deals
with the notice: they put it off, or are done with it, which ends the reminder on all devices.

Lives on the event loop. All work on many reminders is done in parts, in `run`.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice

from app.core import clock, log
from app.core.alarms import Alarms
from app.core.ids import ObjId, new_id
from app.core.signal import Signal
from app.errors import NotFound, StoreFault
from app.notices.kinds import REMINDER
from app.notices.service import AGAIN_MS, Mark, Notices
from app.objects.links import ObjectLink
from app.own.joining import later_generation
from app.own.model import Key, id_in
from app.own.notice_marks import last_choice
from app.own.service import DAY_MS, Own
from app.reminders.values import ROOT, decode, encode
from app.store import reminder_rows
from app.store.notice_rows import Notice, NoticeId, NoticeState
from app.store.reminder_rows import GONE, WAITS, ReminderId, ReminderRow
from app.store.store import Store

_AT_ONCE = 10
"""The most reminders of one transaction: about 2 ms on the event loop, and a commit in a thread."""
MAX_PLACES = 1000
"""The most places in one object that are shown as having a reminder."""
PAGE = 100


class Reminders:
    """The reminders of one person. Keep `run` running until it is cancelled."""

    def __init__(self, store: Store, own: Own, notices: Notices, alarms: Alarms) -> None:
        self.changed: Signal[()] = Signal()
        """Emitted when reminders were made, changed or removed, here or on another device, or have become notices."""
        self._store, self._own, self._notices = store, own, notices
        self._rows = store.reminders
        self._woken = asyncio.Event()
        self._alarm = alarms.make(self._woken.set)
        self._untaken: deque[str] = deque()
        """Keys of reminders that another device has changed, and that are still to be stored as rows."""
        self._is_unchecked = False
        """Whether the rows are still to be compared with what the devices share."""
        self._places: dict[ObjId, frozenset[bytes]] = {}
        self._ends = [
            own.changed.connect(self._on_own),
            notices.marked.connect(self._on_marked),
            alarms.shifted.connect(self._woken.set),
        ]

    def close(self) -> None:
        """Stops following the devices and the notices."""
        for end in self._ends:
            end()

    def start(self) -> None:
        """Has `run` compare all rows with what the devices share. Call it once."""
        self._untaken.extend(self._own.keys(ROOT))
        self._is_unchecked = True
        self._woken.set()

    # -- reading ---------------------------------------------------------------------------------------------------

    def list(self, limit: int = PAGE) -> Sequence[ReminderRow]:
        """At most `limit` reminders that wait (they have made no notice on this device), the earliest first."""
        return self._rows.waiting(limit)

    def count(self) -> int:
        """How many reminders wait, counted up to 1,000."""
        return self._rows.count(1000)

    def at(self, link: ObjectLink) -> ReminderRow | None:
        """The earliest reminder that waits about what `link` leads to; None if there is none."""
        return self._rows.at_place(link.obj, link.ref)

    def places(self, obj: ObjId) -> frozenset[bytes]:
        """The places in an object about which reminders wait, as `ObjectLink.ref`; b"" is the object itself. At most
        MAX_PLACES."""
        if obj not in self._places:
            self._places[obj] = self._rows.places(obj, MAX_PLACES)
        return self._places[obj]

    # -- what the person does --------------------------------------------------------------------------------------

    def remind(self, link: ObjectLink, at_ms: int) -> ReminderRow:
        """Reminds the person of what `link` leads to at the time `at_ms` (ms). A reminder that waits about the same
        place is moved to that time. A time that is past becomes a notice at once. Returns the reminder. StoreFault if
        the disk refuses, and then nothing has changed."""
        before = self.at(link)
        if before is not None:
            return self.move(before.id, at_ms)
        row = ReminderRow(
            id=ReminderId(new_id()),
            generation=0,
            state=WAITS,
            at=at_ms,
            room=link.room,
            obj=link.obj,
            kind=link.kind,
            ref=link.ref,
        )
        self._put([row])
        return row

    def move(self, ident: ReminderId, at_ms: int) -> ReminderRow:
        """Moves a reminder to the time `at_ms` (ms), also one that was removed or whose time has come; a notice that it
        has made is ended. Returns the reminder. NotFound if there is none with this id. StoreFault if the disk refuses,
        and then nothing has changed."""
        before = self._get(ident)
        row = replace(_chosen_again(before), at=at_ms)
        self._put([row], before)
        return row

    def remove(self, ident: ReminderId) -> None:
        """Removes a reminder and ends the notice that it has made; `move` to its time brings it back. NotFound if there
        is none with this id. StoreFault if the disk refuses, and then nothing has changed."""
        before = self._get(ident)
        self._put([replace(before, state=GONE)], before)

    def _get(self, ident: ReminderId) -> ReminderRow:
        row = self._rows.get(ident)
        if row is None:
            raise NotFound
        return row

    def _put(self, rows: Sequence[ReminderRow], before: ReminderRow | None = None) -> None:
        """Stores rows, and then shares them. `before`: the reminder in whose place they are; a notice that it has made
        is ended. ▲ In this order: if the disk refuses the rows, nothing has changed; what is stored and not shared is
        shared at the next start."""
        with self._store.transaction() as conn:
            reminder_rows.put(conn, rows)
            if before is not None and before.notice is not None:
                self._store.notices.end([before.notice])
        self._share(rows)
        self._notify_changed()

    def _share(self, rows: Iterable[ReminderRow]) -> None:
        day = clock.now_ms() // DAY_MS
        self._own.put_all(ROOT, {row.id.hex(): encode(row, day) for row in rows})

    def _notify_changed(self) -> None:
        self._places.clear()
        self._woken.set()
        self.changed.emit()

    # -- what becomes of the notices -------------------------------------------------------------------------------

    def _on_marked(self, marks: Mapping[NoticeId, Mark]) -> None:
        """Ends the reminders whose notices the person has marked as done, and brings them back if that is undone, or if
        the notice is put off all the same."""
        changed = []
        for ident, (state, _) in marks.items():
            row = self._rows.by_notice(ident) if state is not NoticeState.SEEN else None
            if row is not None and state is NoticeState.DONE and row.state == WAITS:
                changed.append(replace(row, state=GONE))
            elif row is not None and state is not NoticeState.DONE and row.state == GONE:
                changed.append(_chosen_again(row))
        if changed:
            with suppress(StoreFault):  # the notice is marked, so nothing rings again on this device
                self._put(changed)

    # -- what other devices do -------------------------------------------------------------------------------------

    def _on_own(self, keys: frozenset[Key]) -> None:
        found = [key for root, key in keys if root == ROOT]
        if found:
            self._untaken.extend(found)
            self._woken.set()

    async def _take(self, keys: Sequence[str]) -> bool:
        """Stores what the devices share about reminders as rows, and shares rows that are newer. Returns whether a row
        has changed."""
        new, ended, behind, gone = list[ReminderRow](), list[NoticeId](), list[ReminderRow](), list[ReminderId]()
        for key in keys:
            value = self._own.value(ROOT, key)
            shared, ident = decode(key, value), id_in(key)
            row = self._rows.get(ReminderId(ident)) if ident is not None else None
            if shared is None:
                if row is not None and value is None and row.state == WAITS:
                    behind.append(row)
                elif row is not None and value is None:
                    gone.append(row.id)
            elif row is None:
                new.append(shared)
            elif shared.rank > row.rank and self._goes_on(row, shared):
                new.append(replace(row, generation=shared.generation + 1))
                behind.append(new[-1])
            elif shared.rank > row.rank:
                new.append(replace(shared, notice=row.notice if _keeps_notice(row, shared) else None))
                if row.notice is not None and not (shared.state == WAITS and row.at == shared.at):
                    ended.append(row.notice)
            elif row.rank > shared.rank:
                behind.append(row)
        if behind:
            self._share(behind)

        def write() -> None:
            reminder_rows.put(self._store.db.conn, new)
            reminder_rows.drop(self._store.db.conn, gone)
            if ended:
                self._store.notices.end(ended)

        if new or gone:
            await self._store.db.apart(write, durable=False)  # each start does this again
        return bool(new or gone)

    def _goes_on(self, row: ReminderRow, shared: ReminderRow) -> bool:
        """Whether the reminder `row` goes on although another device shares that it is gone: the person was done with
        its notice there, and has put it off or taken something back later, on a device that did not know that."""
        if shared.state != GONE or row.state != WAITS or row.at != shared.at or row.notice is None:
            return False
        return last_choice(self._own, row.notice) in (NoticeState.SNOOZED, NoticeState.NEW)

    # -- when their time has come ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Runs until cancelled. Stores what other devices have changed, and makes the notices of reminders whose time
        has come. StoreFault is logged and tried again."""
        while True:
            self._woken.clear()
            try:
                await self._take_all()
                await self._make_notices()
                self._alarm.set(self._rows.next_at())
            except StoreFault as e:
                log.store.warning("reminders", code=e.code)
                self._alarm.set(clock.now_ms() + AGAIN_MS)
            await self._woken.wait()

    async def _take_all(self) -> None:
        if self._is_unchecked:
            await self._check_rows()
        has_changed = False
        while self._untaken:
            some = list(islice(self._untaken, _AT_ONCE))
            has_changed |= await self._take(some)
            for _ in some:  # only now: after a fault of the disk they are taken again
                self._untaken.popleft()
            await asyncio.sleep(0)
        if has_changed:
            self._places.clear()
            self.changed.emit()

    async def _check_rows(self) -> None:
        """Finds rows that are not shared: the program ended, or the disk refused, before they were."""
        after = b""
        while ids := self._rows.ids(PAGE, after):
            self._untaken.extend(ident.hex() for ident in ids)
            after = ids[-1]
            await asyncio.sleep(0)
        self._is_unchecked = False

    async def _make_notices(self) -> None:
        has_changed = False
        with self._notices.gathering():
            while due := self._rows.due(clock.now_ms(), _AT_ONCE):
                await self._store.db.apart(partial(self._put_notices, due), durable=False)
                has_changed = True
                await asyncio.sleep(0)
        if has_changed:
            self._places.clear()
            self.changed.emit()

    def _put_notices(self, due: Sequence[ReminderRow]) -> None:
        made = [(row, _notice(row)) for row in due]
        self._store.notices.put([notice for _, notice in made])
        reminder_rows.put(self._store.db.conn, [replace(row, notice=notice.id) for row, notice in made])


def _chosen_again(row: ReminderRow) -> ReminderRow:
    """The reminder as the person wants it again now: it waits, and has made no notice."""
    return replace(row, generation=later_generation(row.generation, clock.now_ms()), state=WAITS, notice=None)


def _keeps_notice(row: ReminderRow, shared: ReminderRow) -> bool:
    """Whether the notice of the reminder `row` is that of the value `shared` too. A reminder that is brought back makes
    its notice again, which opens it."""
    return row.at == shared.at and not (row.state == GONE and shared.state == WAITS)


def _notice(row: ReminderRow) -> Notice:
    """▲ Its id is that of the reminder and its time, the same on all devices: if two devices that are apart both ring,
    they have one notice once they are connected."""
    return Notice(
        kind=REMINDER,
        room=row.room,
        obj=row.obj,
        key=row.id + row.at.to_bytes(8, "big"),
        t=row.at,
        ref=row.ref,
        thread=ObjId(row.id),  # a message in the conversation does not answer it, nor does reading it
    )
