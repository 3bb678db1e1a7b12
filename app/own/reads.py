# SPDX-License-Identifier: EUPL-1.2
"""The person's read marks: how far they have read each series, on any of their devices."""

from collections.abc import Sequence

from app.core.ids import ObjId
from app.core.signal import Signal
from app.own.joining import NOTHING_READ, ReadMark, join_marks, mark_from
from app.own.key_queue import KeyQueue
from app.own.model import Key, id_in
from app.own.service import Own
from app.store import read_positions
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
        transaction that stores their rows, so that what a tool counts always agrees with the rows."""
        self._own, self._store = own, store
        self._queue = KeyQueue(self._store_some)
        self.run = self._queue.run
        """Keep it running until it is cancelled: it stores the marks of other devices that are too many for one turn of
        the event loop."""
        self._end = own.changed.connect(self._take)

    def start(self) -> None:
        """Stores the marks that were received before the tools listened to `changed`. Call it when the tools are
        open. Many marks are stored by `run`, part by part. StoreFault if the disk refuses; `run` tries again."""
        self._queue.add(self._own.keys(_ROOT))

    def close(self) -> None:
        """Stops following the person's other devices."""
        self._end()

    def mark(self, series: ObjId) -> ReadMark:
        """How far the person has read the series; NOTHING_READ if no device has a mark of it."""
        value = self._own.value(_ROOT, series.hex())
        return (mark_from(value) if value is not None else None) or NOTHING_READ

    def read(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Stores, in the caller's transaction, that everything up to `position` has been read, except what is at the
        positions `left`. What was read on any device stays read: the mark never goes back. StoreFault."""
        before = self.mark(series)
        new = ReadMark(generation=before.generation, position=position, left=tuple(left))
        self._put(series, before, join_marks((before, new)))

    def unread(self, series: ObjId, position: int, left: Sequence[int] = ()) -> None:
        """Stores, in the caller's transaction, that everything behind `position` is unread, and everything up to it is
        read, except what is at the positions `left`. A new generation of the mark begins, which counts on all devices.
        StoreFault."""
        before = self.mark(series)
        new = ReadMark(generation=before.generation + 1, position=position, left=tuple(left))
        self._put(series, before, new)

    def _put(self, series: ObjId, before: ReadMark, new: ReadMark) -> None:
        with self._store.transaction() as conn:
            read_positions.put(conn, series, new.generation, new.position, new.left)
            if new != before:
                self._own.put_within(_ROOT, series.hex(), new.value())

    def _take(self, keys: frozenset[Key]) -> None:
        self._queue.add(key for root, key in keys if root == _ROOT)

    def _store_some(self, keys: Sequence[str]) -> int:
        """Stores the marks of these series that have changed, at most AT_ONCE. Returns how many of `keys` it has dealt
        with, as `KeyQueue` asks."""
        conn, changed, looked_at = self._store.db.conn, dict[ObjId, ReadMark](), 0
        for key in keys:
            looked_at += 1
            ident = id_in(key)
            if ident is None:
                continue
            series = ObjId(ident)
            mark = self.mark(series)
            known = ReadMark(
                generation=read_positions.generation(conn, series),
                position=read_positions.position(conn, series),
                left=read_positions.left(conn, series),
            )
            if join_marks((mark, known)) != known:
                changed[series] = mark
                if len(changed) == AT_ONCE:
                    break
        if changed:
            with self._store.transaction() as conn:
                for series, mark in changed.items():
                    read_positions.put(conn, series, mark.generation, mark.position, mark.left)
                self.changed.emit(frozenset(changed))
        return looked_at
