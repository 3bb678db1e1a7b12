# SPDX-License-Identifier: EUPL-1.2
"""The worker's side of trials: what it has loaded of each object, and what it is given next.

Runs in the trials' thread. It reads the store by a connection of its own and writes nothing.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.ids import ChangeId, ObjId, Uid
from app.errors import WorkerDied, WorkerUnavailable
from app.store import statements as sql
from app.store.database import Database
from app.store.projection import Feeder, Merging, Projector, Tester

LOADED = 8
"""Objects that the worker holds at most."""
MOST_NEWS = 1000
"""Own changes that wait until something of others is tried; then the object is loaded again."""
MOST_DEATHS = 8
"""Workers that one call may cost: whoever sends many such changes makes only their own object wait."""


@dataclass(frozen=True, slots=True)
class Given:
    """A change to be tried."""

    author: Uid
    change_id: ChangeId
    data: bytes


@dataclass(slots=True)
class _Loaded:
    """An object in the worker: of which process, and what pieces of updates wait."""

    generation: int
    feeder: Feeder
    ahead: set[tuple[Uid, ChangeId]] = field(default_factory=set)
    """Tried one by one and not stored as merged yet."""


class Rehearsal:
    """Objects as the worker has them."""

    def __init__(self, db: Database, tester: Tester) -> None:
        self._db = db
        self._tester = tester
        self._loaded: OrderedDict[ObjId, _Loaded] = OrderedDict()
        self._unread: set[ObjId] = set()
        self._news: dict[ObjId, deque[Given]] = {}
        """What was written here since an object was loaded: no read of the store is needed for it."""

    def note(self, obj: ObjId, written: Given) -> None:
        """A change was written here. The loop's thread; nothing for an object that is not loaded."""
        news = self._news.get(obj)
        if news is not None:
            news.append(written)
            if len(news) > MOST_NEWS:
                self.lose(obj)

    def lose(self, obj: ObjId) -> None:
        """The worker's object is not what the store has: it is loaded again when it is needed. Any thread."""
        self._loaded.pop(obj, None)
        self._news.pop(obj, None)
        self._unread.discard(obj)

    @property
    def unread(self) -> list[ObjId]:
        """Objects that were not read whole since their last change. Any thread."""
        return list(self._unread)

    def passes(self, obj: ObjId, kind: Projector, given: Sequence[Given]) -> bool:
        """Whether the worker merges all of these, after everything that is merged here. WorkerUnavailable."""
        try:
            loaded = self._ready(obj, kind)
            updates = loaded.feeder.feed_data([(g.author, g.data) for g in given])
            trial = self._tester.try_(obj, updates, thorough=False)
        except WorkerDied:
            self.lose(obj)
            return False
        if len(trial.merged) < len(updates):
            self.lose(obj)
            return False
        (self._unread.discard if trial.is_read else self._unread.add)(obj)
        return True

    def read(self, obj: ObjId) -> bool:
        """Reads an object whole, as opening and closing it do; False if that ends the worker. WorkerUnavailable."""
        self._unread.discard(obj)
        loaded = self._loaded.get(obj)
        if loaded is None or loaded.generation != self._tester.generation:
            return True
        try:
            self._tester.read(obj)
        except WorkerDied:
            self.lose(obj)
            return False
        return True

    def one_by_one(self, obj: ObjId, kind: Projector, given: Sequence[Given]) -> list[str | None] | None:
        """Of each change why it must not be merged ("crash", "failed"), or None; read whole after each. None for all if
        what is merged already ends the worker. WorkerUnavailable."""
        if self._all_pass(obj, kind, given):
            return [None] * len(given)
        found: list[str | None] = []
        passed: list[Given] = []
        for each in given:
            if sum(why is not None for why in found) >= MOST_DEATHS:
                found.append("crash")  # tried again at the next start
                continue
            why = self._one(obj, kind, passed, each)
            if why == "before":
                return None
            found.append(why)
            if why is None:
                passed.append(each)
        return found

    def alone(self, obj: ObjId, kind: Projector, given: Given) -> bool:
        """Whether a fresh worker merges one change. WorkerUnavailable."""
        self._tester.stop()
        return self._one(obj, kind, [], given) is None

    # -- inside ---------------------------------------------------------------------------------------------------

    def _all_pass(self, obj: ObjId, kind: Projector, given: Sequence[Given]) -> bool:
        """Whether all pass in one go, read whole after each: the usual case after a process that was killed."""
        try:
            loaded = self._ready(obj, kind)
            updates = loaded.feeder.feed_data([(g.author, g.data) for g in given])
            trial = self._tester.try_(obj, updates, thorough=True)
        except WorkerDied:
            self.lose(obj)
            return False
        if len(trial.merged) < len(updates):
            self.lose(obj)
            return False
        loaded.ahead.update((g.author, g.change_id) for g in given)
        return True

    def _one(self, obj: ObjId, kind: Projector, before: Sequence[Given], each: Given) -> str | None:
        try:
            loaded = self._ready(obj, kind)
            missing = [g for g in before if (g.author, g.change_id) not in loaded.ahead]
            if missing:
                self._tester.try_(obj, loaded.feeder.feed_data([(g.author, g.data) for g in missing]), thorough=False)
            loaded.ahead.update((g.author, g.change_id) for g in missing)
        except WorkerDied:
            self.lose(obj)
            return "before"
        updates = loaded.feeder.feed_data([(each.author, each.data)])
        try:
            trial = self._tester.try_(obj, updates, thorough=True)
        except WorkerDied:
            self.lose(obj)
            return "crash"
        if len(trial.merged) < len(updates):
            self.lose(obj)
            return "failed"
        loaded.ahead.add((each.author, each.change_id))
        return None

    def _ready(self, obj: ObjId, kind: Projector) -> _Loaded:
        """The object as the store has it now, in the worker. WorkerDied if that ends it."""
        merging = kind.merging
        assert merging is not None  # noqa: S101 - the callers ask for kinds that merge
        loaded = self._loaded.get(obj)
        if loaded is None or loaded.generation != self._tester.generation or obj not in self._news:
            return self._load(obj, merging)
        self._loaded.move_to_end(obj)
        news, written = self._news[obj], []
        while news:
            one = news.popleft()
            written.append((one.author, one.data))
        if written:
            self._tester.try_(obj, loaded.feeder.feed_data(written), thorough=False)
        return loaded

    def _load(self, obj: ObjId, merging: Merging) -> _Loaded:
        feeder = merging.feeder()
        self._news[obj] = (
            deque()
        )  # before the store is read: what is written meanwhile may be in both, which is harmless
        after, updates = 0, list[bytes]()
        with self._db.reader() as reader:
            cached = reader.exec_driver_sql("SELECT row, state FROM crdt_states WHERE obj = ?", (obj,)).fetchone()
        if cached is not None:
            after, updates = cached[0], [cached[1]]
        rows = self._rows(obj, after)
        updates += feeder.feed_data([(author, data) for _, author, _, data in rows])
        try:
            self._tester.load(obj, merging.texts, merging.maps, updates)
        except WorkerDied:
            if not updates:  # it cannot hold an empty object: that is no change's fault
                raise WorkerUnavailable from None
            raise
        loaded = self._loaded[obj] = _Loaded(self._tester.generation, feeder)
        self._loaded.move_to_end(obj)
        while len(self._loaded) > LOADED:
            old, gone = self._loaded.popitem(last=False)
            self._news.pop(old, None)
            self._unread.discard(old)
            if gone.generation == self._tester.generation:
                self._tester.forget(old)
        return loaded

    def _rows(self, obj: ObjId, after: int) -> list[tuple[int, Uid, ChangeId, bytes]]:
        with self._db.reader() as reader:
            found = reader.exec_driver_sql(sql.TO_LOAD, (obj, after))
            return [(row, Uid(author), ChangeId(change_id), data) for row, author, change_id, data in found]
