# SPDX-License-Identifier: EUPL-1.2
"""▲ Objects that an earlier run of the program was merging when it ended: the journal names them."""

from collections.abc import Callable
from typing import Literal

from app.core import log
from app.core.ids import ChangeId, ObjId
from app.core.signal import Signal
from app.store import statements as sql
from app.store.database import Database
from app.store.journal import Journal, Merge

CRASHES = 3
"""How often the program may end at one change that the worker survives. Then the change is quarantined too: a process
that is killed by chance ends at another change the next time."""
PROGRAM = "program"
"""Why a change is quarantined, beside the reasons of a trial (app/store/rehearsal.py): the program ended at it."""


class Suspects:
    """Objects at which an earlier run of the program ended while it merged their changes. Their changes are tried in
    the worker again; one at a time once an object has ended the program twice."""

    def __init__(
        self, db: Database, journal: Journal, quarantine: Callable[[int, str], None], taken_out: Signal[ObjId]
    ) -> None:
        """`journal` names the merges that an earlier run did not finish. `quarantine` is called with the row of a
        change that must not be merged any more and the code of the reason, within a transaction of this class.
        `taken_out`: emitted, after the commit, with an object of which changes count no more: those that a different
        room wrote, or some that an administrator had left out. This class then reads from the store again which objects
        are suspect."""
        self._db = db
        self._journal = journal
        self._quarantine = quarantine
        self._deaths: dict[ObjId, int] = {}
        taken_out.connect(lambda obj: self._read())

    def prepare(self) -> None:
        """Marks the objects that an earlier run of the program was merging when it ended as suspect (a merge of them
        may have ended it). The changes of those merges count as untried then (`_suspect`), and the journal is emptied.
        Called at opening, before any merge."""
        with self._db.transaction():
            for merge in self._journal.left:
                self._suspect(merge)
        if self._journal.left:
            log.store.warning("unclean-end", count=len(self._journal.left))
            self._journal.settle()
        self._read()

    def _read(self) -> None:
        self._deaths = dict(self._db.rows("SELECT obj, deaths FROM suspects"))

    def __contains__(self, obj: ObjId) -> bool:
        return obj in self._deaths

    def deaths(self, obj: ObjId) -> int:
        """How often the program ended at the object, 0 for one that is not suspect."""
        return self._deaths.get(obj, 0)

    def clear(self, obj: ObjId) -> None:
        """Takes an object off the list of those at which the program ended while it merged their changes, as all its
        changes have been tried. An object at which the program ended CRASHES times stays on it, so that nothing is
        computed from it on this device."""
        if 0 < self.deaths(obj) < CRASHES:
            del self._deaths[obj]
            with self._db.transaction():
                self._db.conn.execute("DELETE FROM suspects WHERE obj = ?", (obj,))

    def _suspect(self, merge: Merge) -> None:
        """Marks the changes of an interrupted merge as untried, drops the object's cached state, and counts the crash.
        If the merge was of one change alone, and the object's merges have ended the program CRASHES times or more, that
        change is quarantined (stored, and not merged any more). Changes of the merge that were not stored are received
        again."""
        conn, obj = self._db.conn, merge.obj
        first, last = self._row(obj, merge.first[1], "min"), self._row(obj, merge.last[1], "max")
        conn.execute("DELETE FROM crdt_states WHERE obj = ?", (obj,))  # it may contain the poison
        deaths = conn.value(sql.SUSPECT, (obj, merge.room))
        if first is None:
            return
        conn.execute(sql.HOLD_BETWEEN, (sql.UNTRIED, obj, first, last if last is not None else sql.MAX_INT))
        if merge.single and deaths >= CRASHES:
            self._quarantine(first, PROGRAM)

    def _row(self, obj: ObjId, change_id: ChangeId, which: Literal["min", "max"]) -> int | None:
        """The store's first ("min") or last ("max") row that has a change of the object `obj` with this id; None for
        none."""
        query = f"SELECT {which}(row) FROM changes WHERE change_id = ? AND obj = ?"  # noqa: S608 - one of two words
        found: int | None = self._db.conn.value(query, (change_id, obj))
        return found
