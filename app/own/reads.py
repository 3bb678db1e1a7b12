# SPDX-License-Identifier: EUPL-1.2
"""The person's read marks: how far they have read each series, on any of their devices."""

from collections.abc import Sequence

from app.core.ids import ObjId
from app.core.signal import Signal
from app.own.joining import NOTHING_READ, ReadMark, join_marks, mark_from
from app.own.model import Key, id_in
from app.own.service import Own
from app.store import read_positions
from app.store.store import Store

_ROOT = "reads"


class ReadMarks:
    """The person's read marks by series. They are also stored as rows (app/store/read_positions.py), from which a tool
    counts what is unread. A series is a conversation, by the id of its first object."""

    def __init__(self, own: Own, store: Store) -> None:
        self.changed: Signal[frozenset[ObjId]] = Signal()
        """Emitted with the series that were read, or marked as unread, on another device. It is emitted in the
        transaction that stores their rows, so that what a tool counts always agrees with the rows."""
        self._own, self._store = own, store
        self._end = own.changed.connect(self._take)

    def start(self) -> None:
        """Stores the marks that were received before the tools listened to `changed`. Call it when the tools are
        open."""
        self._take(frozenset((_ROOT, key) for key in self._own.keys(_ROOT)))

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
        taken: set[ObjId] = set()
        with self._store.transaction() as conn:
            for root, key in keys:
                ident = id_in(key) if root == _ROOT else None
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
                    read_positions.put(conn, series, mark.generation, mark.position, mark.left)
                    taken.add(series)
            if taken:
                self.changed.emit(frozenset(taken))
