# SPDX-License-Identifier: EUPL-1.2
"""The judges of merging objects in memory and on the disk. A judge's state is stored seldom; after a restart the judge
is given the changes after that state. `again` makes a judge from the object's first change."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from app.core import log
from app.core.ids import ObjId, RoomId
from app.core.pieces import driven, finished
from app.errors import BadChange
from app.store import statements as sql
from app.store.connection import Row
from app.store.database import Database
from app.store.people import Me
from app.store.projecting import Projecting
from app.store.projection import ObjectJudge, Outcome, Projector
from app.store.verdicts import KeptRows, agrees, at_position, compare, is_piece, key_of, packed, placed_in
from sync.client.placed_changes import PLACE_BITS, PlacedChange, position_of

JUDGES = 32
"""How many judges are kept in memory."""
STORE_AFTER, STORE_AFTER_S = 256, 1.0
"""A judge's state is stored after this many changes, or this long after the last one."""
CHUNK = 32
AT_ONCE = 128
"""How many changes are marked before the loop may run other tasks."""


def complete_name(obj: ObjId) -> str:
    """The name of the row in `meta` about a complete object (app/store/behind.py)."""
    return f"complete-{obj.hex()}"


@dataclass(slots=True)
class Held:
    """One object's `judge` in memory. `covers`: the position up to which a snapshot replaces the changes, so that the
    judge is not given them. `unstored`: how many changes it has judged since its state was stored. `touched`: when it
    last judged one (the loop's clock, seconds)."""

    judge: ObjectJudge
    covers: int = 0
    unstored: int = 0
    touched: float = 0.0


@dataclass(slots=True)
class _Differ:
    """What was found when stored changes were judged once more. `marks`: by position, (row, stored mark) of the changes
    that the judge was given and whose verdict is still open or may change. `differ`: by position, in the order of the
    verdicts, ((row, stored mark), new code) of the changes whose stored mark disagrees with the new verdict."""

    marks: dict[int, Row] = field(default_factory=dict)
    differ: dict[int, tuple[Row, str]] = field(default_factory=dict)


class KeptJudges:
    """Keeps the judges of a store's merging objects: a number of them in memory, the states of all on the disk. A judge
    decides which changes of its object count. Use it on the loop."""

    def __init__(self, db: Database, me: Me, kinds: Mapping[str, Projector], projecting: Projecting) -> None:
        self._db = db
        self._me = me
        self._kinds = kinds
        self._projecting = projecting
        self._held: OrderedDict[ObjId, Held] = OrderedDict()
        self._stale: set[ObjId] = set()
        self._overtaken: set[ObjId] = set()
        """Objects that are being judged from the start, and must be judged so once more."""
        self.lock = asyncio.Lock()
        """Held from `judge` to the end of the commit."""

    def prepare(self) -> None:
        """Call it when the store is opened: finds the objects that merge and have no stored judge (what decides which
        of their changes count), and reports them to the background task `again`, which judges them from their first
        change. A judge is removed when a verdict may have changed; the program may have ended before `again` ran."""
        for kind in self._kinds.values():
            if kind.merging is not None:
                for (obj,) in self._db.rows(sql.WITHOUT_JUDGE, (kind.id,)):
                    self._projecting.untried.emit(obj)

    def merging(self, room: RoomId, obj: ObjId) -> Projector | None:
        """The kind of the object `obj` of a room, if objects of that kind merge (documents, boards). None for any
        other."""
        kind = self._kinds.get(self._db.value(sql.KIND_IN, (obj, room)) or "")
        return kind if kind is not None and kind.merging is not None else None

    def is_due(self, obj: ObjId) -> bool:
        """Whether an object has no usable judge (which decides which of its changes count), so that it must be judged
        from its first change. Until that is done nothing new is merged into it."""
        return obj in self._stale or (obj not in self._held and self._db.value(sql.JUDGE_STATE, (obj,)) is None)

    def forget(self, objs: Collection[ObjId]) -> None:
        """Drops these objects' judges in memory, and marks the objects to be judged again (which changes count) from
        their first change, in the background (`again`). Until then nothing new is merged into them. Call it if it is
        not known what was committed, or if other rows count than before."""
        for obj in objs:
            self._held.pop(obj, None)
            self._stale.add(obj)
            self._overtaken.add(obj)

    # -- judges in memory and on the disk

    def _new(self, obj: ObjId, kind: Projector) -> ObjectJudge:
        assert kind.merging is not None  # noqa: S101 - the callers ask for kinds that merge
        return kind.merging.judge(KeptRows(self._db, obj))

    def _keep(self, obj: ObjId, held: Held) -> None:
        self._held[obj] = held
        self._held.move_to_end(obj)
        while len(self._held) > JUDGES:
            self._held.popitem(last=False)

    async def _load(self, obj: ObjId, kind: Projector) -> Held | None:
        """Makes the judge of `obj` from its stored state and the changes that were stored since. None if that fails or
        gives verdicts that differ from the stored ones, or if there is no stored state although there are changes: then
        the object must be judged from its first change."""
        state, judge = self._db.value(sql.JUDGE_STATE, (obj,)), self._new(obj, kind)
        if state is None:
            return None if self._db.value(sql.ANY_PLACED, (obj,)) is not None else Held(judge)
        try:
            await driven(judge.starting(state))
        except BadChange as bad:
            log.store.warning("judge-state", code=bad.code, obj=obj)
            return None
        found = _Differ()
        await self._replay(obj, judge, found)
        if found.differ:
            log.store.warning("judge-state", code="differs", obj=obj)
            return None
        return Held(judge, judge.covered_by(self._snapshot(obj)))

    def _snapshot(self, obj: ObjId) -> list[PlacedChange]:
        """The changes, in their order, of which the newest snapshot consists (a merged state up to some position, from
        which this device began to read the object); empty if there is none."""
        rows = [placed_in(row) for row in self._db.rows(sql.SNAPSHOT_ROWS, (obj,))]
        return [placed for placed in rows if placed.position >> PLACE_BITS == rows[0].position >> PLACE_BITS]

    async def _replay(self, obj: ObjId, judge: ObjectJudge, found: "_Differ") -> None:
        """Gives `judge` the object's stored changes that it has not judged, and those that were waiting when its state
        was stored. Adds the changes whose mark disagrees with the verdict to `found`."""
        marks, differ = found.marks, found.differ
        rows = [row for p in sorted(judge.named) for row in self._db.rows(sql.AT_POSITION, key_of(obj, p))]
        covers = [(position_of(n), position_of(upto)) for n, upto in self._db.rows(sql.PRUNES_OF, (obj,))]
        covers = [(n, upto) for n, upto in covers if n > judge.upto]
        while True:
            outcomes: list[Outcome] = []
            for row in rows:
                placed = placed_in(row)
                while covers and covers[0][0] < placed.position:
                    compare(judge.cover(covers.pop(0)[1]), sql.COVERED, marks, differ)
                if judge.takes(placed.position):
                    marks[placed.position] = row[-2:]
                    for outcome in await driven(judge.taking(placed)):
                        outcomes.append(outcome)
                        if not (is_piece(outcome) and _is_merged_here(row)):
                            compare(outcome.parts, outcome.code, marks, differ)
            self._commit_waits(obj, judge, outcomes)
            rows = self._db.rows(sql.TO_JUDGE, (*key_of(obj, judge.upto), CHUNK))
            if not rows:
                break
            await asyncio.sleep(0)
        for _, upto in covers:
            compare(judge.cover(upto), sql.COVERED, marks, differ)
        judge.settle()

    def _commit_waits(self, obj: ObjId, judge: ObjectJudge, outcomes: Sequence[Outcome]) -> None:
        if any(outcome.missing is not None or outcome.waited for outcome in outcomes):
            with self._db.transaction(durable=False):
                self._write_waits(obj, outcomes)
        judge.settle()

    async def again(self, obj: ObjId, kind: Projector) -> None:
        """Judges an object (decides which changes count) from its first change, or from the snapshot that replaces its
        first ones, and corrects stored marks that disagree with the verdicts. Changes that are received meanwhile get
        no verdict yet, and are stored untried."""
        while not await self._judged_again(obj, kind):
            pass

    async def _judged_again(self, obj: ObjId, kind: Projector) -> bool:
        """Judges the object once from its start. Returns False if the result is out of date because the object was
        given to `forget` meanwhile, for example since a snapshot was received or a change was left out."""
        room = self._db.value("SELECT room FROM objects WHERE obj = ?", (obj,))
        async with self.lock:
            self._held.pop(obj, None)
            self._stale.add(obj)
            self._overtaken.discard(obj)
            with self._db.transaction(durable=False):
                self._db.conn.execute(sql.DROP_WAITS, (obj,))
                self._db.conn.execute(sql.DROP_JUDGE_STATE, (obj,))
        judge, covers = self._new(obj, kind), 0
        begins = self._begins(RoomId(room), obj, kind)
        if begins:
            try:
                await driven(judge.starting_at(begins))
                covers = judge.upto
            except BadChange as bad:
                log.store.warning("judge-state", code=bad.code, obj=obj)
                judge = self._new(obj, kind)
        found, waited = _Differ(), judge.named
        await self._replay(obj, judge, found)
        async with self.lock:
            await self._replay(obj, judge, found)  # what was received meanwhile may release changes that waited before
            await self._mark_behind(found.differ)
            if obj in self._overtaken:
                return False
            self._correct(obj, found.differ, covers, waited)
            self._stale.discard(obj)
            held = Held(judge, covers if covers and self._snapshot(obj) else 0)
            self._keep(obj, held)
            self._put(obj, held, await driven(judge.storing()))
        return True

    async def _mark_behind(self, differ: dict[int, tuple[Row, str]]) -> None:
        """Marks changes with their verdict if they were marked BEHIND (a snapshot contains them, so they were not
        judged) and must not be merged, and removes them from `differ`. A few at a time: every member can write very
        many void changes."""
        behind = [(code, row) for (row, mark), code in differ.values() if mark == sql.BEHIND]
        for at in range(0, len(behind), AT_ONCE):
            with self._db.transaction(durable=False):
                self._db.conn.executemany(sql.MARK_BEHIND, behind[at : at + AT_ONCE])
            await asyncio.sleep(0)
        for position in [position for position, ((_, mark), _) in differ.items() if mark == sql.BEHIND]:
            del differ[position]

    def _begins(self, room: RoomId, obj: ObjId, kind: Projector) -> Sequence[PlacedChange]:
        """The changes of the snapshot with which this device begins to read the object; empty if all its changes are
        here or there is no snapshot. Without a snapshot, a member who reads the room without its history begins with
        the newest baseline (state for new members)."""
        if self._db.value("SELECT 1 FROM meta WHERE name = ?", (complete_name(obj),)) is not None:
            return []
        snapshot = self._snapshot(obj)
        if snapshot or kind.merging is None or not self._reads_alone(room):
            return snapshot
        return kind.merging.newest_state(map(placed_in, self._db.rows(sql.BASELINES, (obj,))))

    def _correct(self, obj: ObjId, differ: Mapping[int, tuple[Row, str]], covers: int, waited: Collection[int]) -> None:
        """Stores new verdicts. `differ`: by position, ((row, stored mark), new code) of the changes whose mark
        disagrees with the new verdict. A change that is to be merged after all is marked untried, so that it is tried
        first. Changes that waited at or before the position `covers` are in the snapshot that reaches up to there, or
        no longer count; those at the positions `waited` waited there too, and are not in it.

        ▲ Their rows and marks are read again, as another judging of the object may have moved and marked them since.
        """
        conn, out, into = self._db.conn, False, False
        with self._db.transaction():
            if covers:
                rows = [row for p in waited for row in conn.execute(sql.AT_POSITION, key_of(obj, p)).fetchall()]
                untried = [(sql.UNTRIED, row[-2]) for row in rows if row[-1] == sql.UNTRIED]
                conn.execute(sql.COVER_WAITING, (obj, covers >> PLACE_BITS))
                conn.executemany(sql.MARK_UNPROJECTED, untried)
                into = bool(untried)
            for position, (_, code) in differ.items():
                found = self._db.one(sql.AT_POSITION, (obj, *at_position(position)))
                if found is None or agrees(found[-1], code):
                    continue
                row, mark = found[-2:]
                if code in sql.JUDGED:
                    out |= mark not in sql.HELD
                    conn.execute("DELETE FROM quarantined WHERE row = ?", (row,))
                    conn.execute(sql.MARK_UNPROJECTED, (code, row))
                else:
                    into = True
                    conn.execute(sql.MARK_UNPROJECTED, (sql.UNTRIED, self._projecting.to_end(row)))
            if out:
                self._projecting.take_back(obj)
            if into:
                self._db.after_commit(partial(self._projecting.untried.emit, obj))
        if differ:
            log.store.warning("judged-again", obj=obj, count=len(differ))

    async def store_idle(self) -> float | None:
        """Stores the state of each object's judge that has been idle for a while or has judged many changes, so that
        few are judged again after a restart. Returns the seconds until the next is due, None if none is."""
        loop = asyncio.get_running_loop()
        due: list[float] = []
        for obj, held in list(self._held.items()):
            if not held.unstored:
                continue
            left = held.touched + STORE_AFTER_S - loop.time()
            if left > 0 and held.unstored < STORE_AFTER:
                due.append(left)
                continue
            async with self.lock:
                if self._held.get(obj) is held:
                    self._put(obj, held, await driven(held.judge.storing()))
        return min(due, default=None)

    def close(self) -> None:
        """Stores the states of all objects' judges that are not stored yet, at the end of the program. Needs no running
        event loop. Stores nothing while a judge decides: the changes are then judged again at the next start."""
        for obj, held in self._held.items():
            if held.unstored and not self.lock.locked():
                self._put(obj, held, finished(held.judge.storing()))

    def _put(self, obj: ObjId, held: Held, state: bytes) -> None:
        with self._db.transaction(durable=False):
            room = self._db.value("SELECT room FROM objects WHERE obj = ?", (obj,))
            self._db.conn.execute(sql.PUT_JUDGE_STATE, (obj, room, state))
        held.unstored = 0

    def _write_waits(self, obj: ObjId, outcomes: Collection[Outcome]) -> None:
        conn = self._db.conn
        for outcome in outcomes:
            missing = outcome.missing
            if missing is not None:
                parts = packed(outcome.parts)
                conn.execute(sql.PUT_WAIT, (obj, outcome.position, *missing.missing, parts))
            elif outcome.waited:
                conn.execute(sql.DROP_WAIT, (obj, outcome.position))

    def _reads_alone(self, room: RoomId) -> bool:
        """Whether this person was added to the room without access to its history."""
        return self._db.value(sql.READS_ALONE, (room, self._me.uid)) is not None


def _is_merged_here(row: Row) -> bool:
    """Whether a row of `statements.TO_JUDGE` is a change that was written on this device and is already merged."""
    written_here, _, mark = row[-3:]
    return bool(written_here) and mark not in sql.HELD
