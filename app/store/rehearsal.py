# SPDX-License-Identifier: EUPL-1.2
"""The worker's side of trials: what it has loaded of each object, and what it is given next.

Runs in the trials' thread, except `passes_soon`. It reads the store by a connection of its own and writes nothing.
"""

import contextlib
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.core import log
from app.core.ids import ChangeId, ObjId, Uid
from app.errors import WorkerDied, WorkerUnavailable
from app.store import statements as sql
from app.store.allowance import allowed_us, is_slow
from app.store.database import Database
from app.store.projection import Feeder, Merging, Projector, Tester, Trial
from app.store.rows import StoredChange

LOADED, LOADED_BYTES = 8, 32 * 1024 * 1024
"""Most objects that the worker holds, and most bytes of their updates together: its memory is limited."""
CRASH, FAILED, SLOW = "crash", "failed", "slow"
"""Why a change did not pass its trial. CRASH: the worker ended, or did not answer in time. FAILED: the change could not
be merged. SLOW: the merge took longer than it may (app/store/allowance.py)."""
_BEFORE = "before"
MOST_NEWS = 1000
"""How many own changes are kept until a change of others is tried. Beyond that the object is loaded again."""
MOST_FAILURES = 8
"""Changes that may fail in one call of `one_by_one`. Later changes are left to the next call: each failure can end a
worker or take seconds, and other objects wait meanwhile."""


@dataclass(frozen=True, slots=True)
class Given:
    """A change that is to be tried: its author, its id and its data."""

    author: Uid
    change_id: ChangeId
    data: bytes

    @classmethod
    def of(cls, change: StoredChange) -> "Given":
        return cls(change.author, change.change_id, change.data)


@dataclass(slots=True)
class _Loaded:
    """What is known of an object that the worker process has loaded. `generation`: the number of the process that has
    it. `feeder`: takes updates out of changes, and keeps the pieces of incomplete ones."""

    generation: int
    feeder: Feeder
    size: int
    """Bytes of the updates that were loaded or tried."""
    grown_us: int = 0
    """Microseconds of processor time for merging the changes since it was loaded."""
    ahead: set[tuple[Uid, ChangeId]] = field(default_factory=set)
    """Changes that were tried one by one and are not stored as merged yet."""


class Rehearsal:
    """Tries changes in the worker process: keeps account of which objects it has loaded and with which changes, sends
    it what is missing, and turns its answers into verdicts."""

    def __init__(self, db: Database, tester: Tester) -> None:
        self._db = db
        self._tester = tester
        self._loaded: OrderedDict[ObjId, _Loaded] = OrderedDict()
        self._unread: set[ObjId] = set()
        self._large: set[ObjId] = set()
        self._news: dict[ObjId, deque[Given]] = {}
        """Changes that were written here since an object was loaded: they need no read of the store."""

    def note(self, obj: ObjId, written: Given) -> None:
        """Notes a change that was written on this device, so that the worker process, in which changes are tried, is
        sent it before the next change of others. Call it on the loop's thread. Does nothing for an object that the
        worker has not loaded."""
        news = self._news.get(obj)
        if news is not None:
            news.append(written)
            if len(news) > MOST_NEWS:
                self.lose(obj)

    def lose(self, obj: ObjId) -> None:
        """Notes that the copy of the object in the worker process no longer agrees with the store: it is loaded again
        when it is needed. Any thread."""
        # Only the trials' thread changes `_loaded`; an object without an entry in `_news` is loaded again.
        self._news.pop(obj, None)
        self._unread.discard(obj)

    def is_large(self, obj: ObjId) -> bool:
        """Whether merging the whole object took longer than allowed (app/store/allowance.py) when it was last loaded.
        The worker does not keep such an object. False if it was never loaded. Any thread."""
        return obj in self._large

    def weigh(self, obj: ObjId) -> None:
        """Makes the next trial of a change load the object into the worker process again and check whether it is still
        too large. Any thread."""
        self._large.discard(obj)
        self.lose(obj)

    @property
    def unread(self) -> list[ObjId]:
        """Objects in the worker that were not read whole since their last change. Any thread."""
        return list(self._unread)

    def passes(self, obj: ObjId, kind: Projector, given: Sequence[Given]) -> bool:
        """Whether the worker can merge the changes `given`, after every change that is merged in this program, and
        neither one of them nor all together take too long. False also if the worker ends, or if the object is too
        large. Raises WorkerUnavailable."""
        try:
            trial = self._try_together(obj, self._ready(obj, kind), given, thorough=False)
        except (WorkerDied, _TooLarge):
            self.lose(obj)
            return False
        return self._passed(obj, trial)

    async def passes_soon(self, obj: ObjId, given: Sequence[Given]) -> bool | None:
        """Whether the worker process can merge the changes `given`, and none of them nor all together take too long.
        Asks on the event loop; nothing may run in the trials' thread meanwhile. False also if the process ends. Returns
        None if the caller must call `passes` instead: the object is not loaded in the worker, the changes have too many
        bytes, or this is Windows."""
        current = self._current(obj)
        if current is None:
            return None
        loaded, written = current
        try:
            if written:
                await self._try_soon(obj, loaded, written)
            trial = await self._try_soon(obj, loaded, given)
        except _TooLong:
            self.lose(obj)  # the feeder has taken the changes, so the object is loaded again
            return None
        except WorkerDied:
            self.lose(obj)
            return False
        return self._passed(obj, self._together(obj, trial))

    def _passed(self, obj: ObjId, trial: "_Answer") -> bool:
        if trial.why is not None:
            return False
        (self._unread.discard if trial.is_read else self._unread.add)(obj)
        return True

    def read(self, obj: ObjId) -> bool:
        """Reads a loaded object whole in the worker, as opening and closing it do. Returns False if that ended the
        worker process, True otherwise, also if the object is not loaded. Raises WorkerUnavailable."""
        self._unread.discard(obj)
        loaded = self._loaded.get(obj)
        if loaded is None or obj not in self._news or loaded.generation != self._tester.generation:
            return True
        try:
            self._tester.read(obj)
        except WorkerDied:
            self.lose(obj)
            return False
        return True

    def one_by_one(self, obj: ObjId, kind: Projector, given: Sequence[Given]) -> list[str | None] | None:
        """Tries changes in their order, and reads the object whole after each. Returns for each change why it must not
        be merged (CRASH, FAILED, SLOW), or None if it may be. The list has at least one entry and may be shorter than
        `given`: it ends after MOST_FAILURES, or when the passed changes have cost so much that the object must be
        loaded again. Returns None in place of the list if the worker ends already at the merged changes (or at those
        that passed in this call), or if the object is too large. Raises WorkerUnavailable."""
        try:
            if self._all_pass(obj, kind, given):
                return [None] * len(given)
            return self._each(obj, kind, given)
        except _TooLarge:
            return None

    def alone(self, obj: ObjId, kind: Projector, given: Given) -> bool:
        """Whether a newly started worker process can merge this one change, after those that are merged here, and read
        the object; in the time that is allowed. False for an object that is too large. Raises WorkerUnavailable."""
        self._tester.stop()
        try:
            return self._one(obj, kind, [], given) is None
        except _TooLarge:
            return False

    # -- inside ---------------------------------------------------------------------------------------------------

    def _each(self, obj: ObjId, kind: Projector, given: Sequence[Given]) -> list[str | None] | None:
        found: list[str | None] = []
        passed: list[Given] = []
        for each in given:
            if len(found) - len(passed) >= MOST_FAILURES:
                break
            why = self._one(obj, kind, passed, each)
            if why == _BEFORE:
                return None
            found.append(why)
            if why is None:
                passed.append(each)
                if self._has_grown(obj):
                    break
        return found

    def _has_grown(self, obj: ObjId) -> bool:
        """▲ Whether merging the changes since the object was loaded has taken half of the time that the object may
        take. Then it is loaded again, and found to be too large if it is. Otherwise many changes that cost little each
        could cost much together."""
        loaded = self._loaded.get(obj)
        return loaded is not None and loaded.grown_us > allowed_us(loaded.size) / 2

    def _try(self, obj: ObjId, loaded: _Loaded, given: Sequence[Given], *, thorough: bool) -> "_Answer":
        """Merges the changes `given` into a loaded object in the worker process; if `thorough`, reads it whole after
        each. If one of them must not be merged, the object is loaded again next time. Raises WorkerDied."""
        updates = _fed(loaded, given)
        return self._weighed(obj, loaded, updates, self._tester.try_(obj, updates, thorough=thorough))

    async def _try_soon(self, obj: ObjId, loaded: _Loaded, given: Sequence[Given]) -> "_Answer":
        """Merges the changes `given` into a loaded object in the worker process, on the event loop, and reads nothing
        afterwards. If one of them must not be merged, the object is loaded again next time. Raises WorkerDied, and
        _TooLong if the loop cannot ask: too many bytes, the process does not run, or Windows."""
        updates = _fed(loaded, given)
        trial = await self._tester.try_soon(obj, updates)
        if trial is None:
            raise _TooLong
        return self._weighed(obj, loaded, updates, trial)

    def _weighed(self, obj: ObjId, loaded: _Loaded, updates: Sequence[bytes], trial: Trial) -> "_Answer":
        loaded.size += sum(map(len, updates))
        loaded.grown_us += trial.took_us
        why = FAILED if len(trial.merged) < len(updates) else _slowness(updates, trial)
        if why is not None:
            self.lose(obj)
        return _Answer(why, trial.is_read, is_slow(sum(map(len, updates)), trial.took_us))

    def _try_together(self, obj: ObjId, loaded: _Loaded, given: Sequence[Given], *, thorough: bool) -> "_Answer":
        """Merges the changes `given` into a loaded object in the worker process; if `thorough`, reads it whole after
        each. Raises WorkerDied. ▲ Answers SLOW also if all of them together took longer than updates of their size may.
        Otherwise one batch of changes that cost little each could make every opening take many seconds."""
        return self._together(obj, self._try(obj, loaded, given, thorough=thorough))

    def _together(self, obj: ObjId, trial: "_Answer") -> "_Answer":
        if trial.why is None and trial.is_slow_together:
            self.lose(obj)
            return replace(trial, why=SLOW)
        return trial

    def _all_pass(self, obj: ObjId, kind: Projector, given: Sequence[Given]) -> bool:
        """Tries all the changes `given` at once, with the object read whole after each. Returns whether all pass;
        False also if the worker process ends. All pass in the usual case, when an earlier process was killed by chance
        and not by one of the changes. Raises _TooLarge, WorkerUnavailable."""
        try:
            loaded = self._ready(obj, kind)
            trial = self._try_together(obj, loaded, given, thorough=True)
        except WorkerDied:
            self.lose(obj)
            return False
        if trial.why is not None:
            return False
        loaded.ahead.update((g.author, g.change_id) for g in given)
        return True

    def _one(self, obj: ObjId, kind: Projector, before: Sequence[Given], each: Given) -> str | None:
        try:
            loaded = self._ready(obj, kind)
            missing = [g for g in before if (g.author, g.change_id) not in loaded.ahead]
            if missing:
                self._try(obj, loaded, missing, thorough=False)
            loaded.ahead.update((g.author, g.change_id) for g in missing)
        except WorkerDied:
            self.lose(obj)
            return _BEFORE
        try:
            trial = self._try(obj, loaded, [each], thorough=True)
        except WorkerDied:
            self.lose(obj)
            return CRASH
        if trial.why is None:
            loaded.ahead.add((each.author, each.change_id))
        return trial.why

    def _ready(self, obj: ObjId, kind: Projector) -> _Loaded:
        """Makes sure that the worker has the object with all changes that the store has merged, and returns the note
        about it. Raises WorkerDied if the worker process ends at the object, _TooLarge if loading takes too long, and
        WorkerUnavailable."""
        merging = kind.merging
        assert merging is not None  # noqa: S101 - the callers ask for kinds that merge
        current = self._current(obj)
        if current is None:
            return self._load(obj, merging)
        loaded, written = current
        if written:
            self._try(obj, loaded, written, thorough=False)
        return loaded

    def _current(self, obj: ObjId) -> tuple[_Loaded, list[Given]] | None:
        """For an object that the worker has loaded: (what is known of it, the changes written on this device that the
        worker was not sent yet). The caller must send those before any others. None if the object must be loaded first.
        """
        loaded, news = self._loaded.get(obj), self._news.get(obj)
        if loaded is None or news is None or loaded.generation != self._tester.generation or self._has_grown(obj):
            return None
        self._loaded.move_to_end(obj)
        written: list[Given] = []
        while news:  # the loop may add to it meanwhile
            written.append(news.popleft())
        return loaded, written

    def _load(self, obj: ObjId, merging: Merging) -> _Loaded:
        merging.load()
        feeder = merging.feeder()
        # Read before the store: a change that is written meanwhile may be in both, which is harmless.
        self._news[obj] = deque()
        with self._db.reader() as reader:
            cached = reader.execute("SELECT row, state FROM crdt_states WHERE obj = ?", (obj,)).fetchone()
        updates = self._updates(obj, feeder, cached)
        try:
            trial = self._load_into(obj, merging, updates)
            if cached is not None and trial.merged[:1] != (True,):  # the program reads no such state either
                feeder = merging.feeder()
                updates = self._updates(obj, feeder, None)
                trial = self._load_into(obj, merging, updates)
        except WorkerDied:
            if not updates:  # the worker cannot hold an empty object: no change is at fault
                raise WorkerUnavailable from None
            raise
        return self._hold(obj, _Loaded(self._tester.generation, feeder, sum(map(len, updates))), trial)

    def _load_into(self, obj: ObjId, merging: Merging, updates: Sequence[bytes]) -> Trial:
        return self._tester.load(obj, merging.texts, merging.maps, updates, keep_deleted=merging.keep_deleted)

    def _updates(self, obj: ObjId, feeder: Feeder, cached: Sequence[Any] | None) -> list[bytes]:
        """All merged updates of the object, for loading it into the worker. `cached`: a stored (row, state), where
        `state` is the merge of all changes up to `row`, or None. The state is then the first update returned, and only
        later changes are read."""
        rows = self._rows(obj, cached[0] if cached is not None else 0)
        updates = feeder.feed_data([(author, data) for _, author, _, data in rows])
        return updates if cached is None else [cached[1], *updates]

    def _hold(self, obj: ObjId, loaded: _Loaded, trial: Trial) -> _Loaded:
        """Notes that the worker has loaded the object, and has it drop the objects that were used longest ago if they
        are too many or too big. Returns `loaded`, the given note. Raises _TooLarge if loading this one took too long:
        then the worker drops it."""
        if is_slow(loaded.size, trial.took_us):
            self._large.add(obj)
            self._loaded.pop(obj, None)
            self.lose(obj)
            with contextlib.suppress(WorkerDied):  # then the worker has dropped every object
                self._tester.forget(obj)
            log.store.warning("object-too-large", obj=obj, took_us=trial.took_us, size=loaded.size)
            raise _TooLarge
        self._loaded[obj] = loaded
        self._loaded.move_to_end(obj)
        while len(self._loaded) > 1 and (len(self._loaded) > LOADED or self._loaded_bytes() > LOADED_BYTES):
            old, gone = self._loaded.popitem(last=False)
            self._news.pop(old, None)
            self._unread.discard(old)
            if gone.generation == self._tester.generation:
                self._tester.forget(old)
        return loaded

    def _loaded_bytes(self) -> int:
        return sum(loaded.size for loaded in self._loaded.values())

    def _rows(self, obj: ObjId, after: int) -> list[tuple[int, Uid, ChangeId, bytes]]:
        with self._db.reader() as reader:
            found = reader.execute(sql.TO_LOAD, (obj, after))
            return [(row, Uid(author), ChangeId(change_id), data) for row, author, change_id, data in found]


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to a trial of some changes. `why`: the reason why one of them must not be merged, or None. `is_read`:
    the object was read whole since. `is_slow_together`: all changes together took longer than updates of their size
    may."""

    why: str | None
    is_read: bool
    is_slow_together: bool


class _TooLarge(Exception):
    """Error: merging the whole object takes longer than it may. Never leaves this module."""


class _TooLong(Exception):
    """Error: the updates cannot be tried on the loop. Never leaves this module."""


def _fed(loaded: _Loaded, given: Sequence[Given]) -> list[bytes]:
    """The updates that these changes contain or complete."""
    return loaded.feeder.feed_data([(g.author, g.data) for g in given])


def _slowness(updates: Sequence[bytes], trial: Trial) -> str | None:
    """SLOW if merging one of the updates took longer than an update of its size may; None otherwise."""
    slow = any(is_slow(len(update), us) for update, us in zip(updates, trial.each_us, strict=False))
    return SLOW if slow else None
