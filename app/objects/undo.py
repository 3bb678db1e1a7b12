# SPDX-License-Identifier: EUPL-1.2
"""Undo and redo of one person's own edits in a shared document; what colleagues wrote stays.

Typing within half a second is one step. `split()` ends a step by hand: before a formatting, a paste, a jump.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from app.core import clock
from app.core.signal import Signal
from app.objects.crdt import CrdtDoc, CrdtMap, CrdtText, UndoSteps, Update

GROUP_MS = 500
"""Edits closer than this are undone together."""


class Undo:
    """Undo and redo of this person's own edits to `roots` of a shared document (transactions of origin LOCAL). Edits
    within `group_ms` (ms) are one step. With `group_ms` 0 each transaction is a step, unless it is in `together`."""

    def __init__(
        self,
        doc: CrdtDoc,
        roots: Sequence[CrdtText | CrdtMap],
        *,
        clock_ms: Callable[[], int] = clock.now_ms,
        group_ms: int = GROUP_MS,
    ) -> None:
        self.changed: Signal[()] = Signal()
        """What can be undone or redone may have changed."""
        self._doc = doc
        self._roots = tuple(roots)
        self._clock_ms = clock_ms
        self._group_ms = max(group_ms, 1)
        self._each_by_itself = group_ms == 0
        self._ahead_ms = 0
        self._held_ms: int | None = None
        self._manager: UndoSteps | None = None
        self._start()
        self._ends = [
            doc.updated.connect(self._on_updated),
            doc.reloaded.connect(self._start),
            doc.closed.connect(self.close),
        ]

    @property
    def can_undo(self) -> bool:
        """Whether there is a step of this person's to undo."""
        return self._manager is not None and self._manager.can_undo()

    @property
    def can_redo(self) -> bool:
        """Whether an undone step can be redone."""
        return self._manager is not None and self._manager.can_redo()

    def undo(self) -> bool:
        """Undoes the person's last step. False if there was none."""
        manager = self._manager
        return manager is not None and manager.can_undo() and self._doc.run_undo(manager.undo)

    def redo(self) -> bool:
        """Redoes the last undone step. False if there was none."""
        manager = self._manager
        return manager is not None and manager.can_redo() and self._doc.run_undo(manager.redo)

    def split(self) -> None:
        """Makes the next edit begin a new step, however soon it follows."""
        self._ahead_ms += self._group_ms + 1

    @contextmanager
    def together(self) -> Iterator[None]:
        """Puts all transactions made inside the context into one step, however many there are and however long they
        take. An edit less than `group_ms` before it, or after its beginning, is in the same step, unless `split` was
        called."""
        outer = self._held_ms
        if outer is None:
            self._ahead_ms += self._each_by_itself
            self._held_ms = self._clock_ms()
        try:
            yield
        finally:
            self._held_ms = outer

    def close(self) -> None:
        """Stops following the document: there is nothing to undo or redo any more. A second call does nothing."""
        for end in self._ends:
            end()
        self._manager = None

    def _start(self) -> None:
        self._manager = self._doc.undo_manager(self._roots, clock_ms=self._time_ms, group_ms=self._group_ms)
        self.changed.emit()

    def _time_ms(self) -> int:
        """The time that pycrdt is given, in ms. It puts a transaction into the previous step if less than the grouping
        time has passed; this clock jumps on where a new step must begin, and stops while `together` lasts."""
        if self._held_ms is None:
            self._ahead_ms += self._each_by_itself
        now = self._clock_ms() if self._held_ms is None else self._held_ms
        return now + self._ahead_ms

    def _on_updated(self, update: Update) -> None:
        self.changed.emit()
