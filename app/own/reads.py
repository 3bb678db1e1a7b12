# SPDX-License-Identifier: EUPL-1.2
"""The person's read marks: how far they have read each series, on any of their devices."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from app.core.ids import ObjId, RoomId
from app.core.signal import Signal
from app.errors import StoreFault
from app.own.joining import NOTHING_READ, ReadMark, Value, join_marks, mark_from
from app.own.key_queue import KeyQueue
from app.own.model import Key, id_in
from app.own.reached import MarksAhead, room_copy
from app.own.service import Own
from app.store import read_positions
from app.store.connection import Connection
from app.store.store import Store

_ROOT = "reads"
AT_ONCE = 20
"""The most marks that are stored in one transaction: with what a chat counts for each of them, 5 ms."""


class ReadMarks:
    """The person's read marks by series. They are also stored as rows (app/store/read_positions.py), from which a tool
    counts what is unread. A series is a conversation, by the id of its first object."""

    def __init__(self, own: Own, store: Store) -> None:
        self.changed: Signal[frozenset[ObjId]] = Signal()
        """Emitted with the series that were read, or marked as unread, on another device. It is emitted in the
        transaction that stores their rows, so that what a tool counts agrees with the rows."""
        self._own, self._store = own, store
        self._ahead = MarksAhead()
        self._reached: dict[RoomId, frozenset[ObjId]] = {}
        """The series whose rows the running transaction has stored, by room, and that were not emitted yet."""
        self._queue = KeyQueue(self._store_some)
        self.run = self._queue.run
        """Keep it running until it is cancelled: it stores the marks of other devices that are too many for one turn of
        the event loop."""
        self._ends = [
            own.changed.connect(self._take),
            store.placed.connect(self._on_placed),
            store.projected.connect(self._on_projected),
            store.changed.connect(self._on_room),
        ]

    def start(self) -> None:
        """Stores the marks that were received before the tools listened to `changed`. Call it when the tools are
        open. Many marks are stored by `run`, part by part. StoreFault if the disk refuses; `run` tries again."""
        self._queue.add(self._own.keys(_ROOT))

    def close(self) -> None:
        """Stops following the person's other devices."""
        for end in self._ends:
            end()

    def mark(self, series: ObjId) -> ReadMark:
        """How far the person has read the series, by the marks that count here; NOTHING_READ if there are none."""
        value = self._own.value(_ROOT, series.hex())
        return (mark_from(value) if value is not None else None) or NOTHING_READ

    def read(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Stores, in the caller's transaction, that everything up to `position` has been read, except what is at the
        positions `left`. What was read on any device stays read: the mark never goes back. StoreFault."""
        before = self.mark(series)
        new = self._mark_at(series, before.generation, position, left)
        self._put(series, before, join_marks((before, new)))

    def unread(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Stores, in the caller's transaction, that everything behind `position` is unread, and everything up to it is
        read, except what is at the positions `left`. A new generation of the mark begins, which counts on all devices:
        above those of marks, too, that do not count here yet. StoreFault."""
        before = self.mark(series)
        marks = (mark_from(value) for value in self._values(series.hex()))
        generation = max((mark.generation for mark in marks if mark is not None), default=0)
        self._put(series, before, self._mark_at(series, generation + 1, position, left))

    def _mark_at(self, series: ObjId, generation: int, position: int, left: Sequence[int]) -> ReadMark:
        """A mark that this device writes: up to `position`, or the last position before it whose hash is here."""
        found = read_positions.stream_of(self._store.db, series)
        at, named = (
            read_positions.last_hash(self._store.db, found[0], position) if found else (0, read_positions.START_HASH)
        )
        return ReadMark(generation=generation, position=at, left=tuple(n for n in left if n <= at), hash=named)

    def _put(self, series: ObjId, before: ReadMark, new: ReadMark) -> None:
        with self._store.transaction() as conn:
            _put_rows(conn, {series: new})
            if new != before:
                self._own.put_within(_ROOT, series.hex(), new.value())

    def _values(self, key: str) -> list[Value]:
        return [value for values in self._own.values(_ROOT, key).values() for value in values]

    # -- following -------------------------------------------------------------------------------------------------

    def _take(self, keys: frozenset[Key]) -> None:
        self._queue.add(key for root, key in keys if root == _ROOT)

    def _store_some(self, keys: Sequence[str]) -> int:
        """Stores the marks of these series that have changed, at most AT_ONCE, and notes which are still ahead. Returns
        how many of `keys` it has dealt with, as `KeyQueue` asks."""
        changed, ahead = self._look(keys)
        for key, room, lowest in ahead:
            self._ahead.note(key, room, lowest)
        if changed:
            with self._store.transaction() as conn:
                _put_rows(conn, changed)
                self.changed.emit(frozenset(changed))
        return len(ahead)

    def _look(self, keys: Sequence[str]) -> tuple[dict[ObjId, ReadMark], list[tuple[str, RoomId | None, int | None]]]:
        """Reads the marks of these series, until AT_ONCE of them have changed. Returns (the new mark of each series
        whose row is to change; for each series that was read, its key, its room, and the lowest position of its marks
        that are still ahead)."""
        conn, changed = self._store.db.conn, dict[ObjId, ReadMark]()
        ahead = list[tuple[str, RoomId | None, int | None]]()
        for key in keys:
            ident, values = id_in(key), self._values(key)
            if ident is None:
                ahead.append((key, None, None))
                continue
            series, copy = ObjId(ident), room_copy(self._store.db, key, values)
            ahead.append((key, copy.room, copy.lowest_ahead(values)))
            mark = join_marks(each for v in values if copy.counts(v) and (each := mark_from(v)) is not None)
            known = ReadMark(
                generation=read_positions.generation(conn, series),
                position=read_positions.position(conn, series),
                left=read_positions.left(conn, series),
            )
            if join_marks((mark, known)) != known:
                changed[series] = mark
                if len(changed) == AT_ONCE:
                    break
        return changed, ahead

    def _on_placed(self, room: RoomId, n: int) -> None:
        """Stores the marks that the room reaches with its position `n`, in the transaction that stores the position and
        before its changes: so nothing rings that was read on another device."""
        due = self._ahead.due(room, n)
        if not due:
            return
        changed, _ = self._look(due)
        with self._store.transaction() as conn:
            _put_rows(conn, changed)
            self._reached[room] = frozenset(changed)
            self._store.db.after_commit(lambda: self._follow(room, n))

    def _on_projected(self, room: RoomId) -> None:
        """Has the tools count again what the marks have changed, in the same transaction. Otherwise a program that is
        killed right after it would go on counting as unread what is read: a tool adds one to its number for each
        further message."""
        if changed := self._reached.pop(room, None):
            self.changed.emit(changed)

    def _follow(self, room: RoomId, n: int) -> None:
        due = self._ahead.take(room, n)
        self._own.recheck((_ROOT, key) for key in due)
        with suppress(StoreFault):  # `run` tries again
            self._queue.add(due)  # a series may have further marks ahead; to store a mark again changes nothing

    def _on_room(self, room: RoomId) -> None:
        """Reads the marks of series that this device did not have when the marks were received."""
        if self._ahead.unplaced:
            here = {series.hex() for series in self._store.series.begun_in(room)} & self._ahead.unplaced
            if here:
                with suppress(StoreFault):  # `run` tries again
                    self._queue.add(here)


def _put_rows(conn: Connection, marks: Mapping[ObjId, ReadMark]) -> None:
    for series, mark in marks.items():
        read_positions.put(conn, series, mark.generation, mark.position, mark.left)
