# SPDX-License-Identifier: EUPL-1.2
"""What the judges of merging objects say of what came: which changes count, which wait, which never do.

A judge is a pure function of an object's changes in the order of their positions (app/objects/replay.py), so it is the
same at everybody. `judge` asks it before anything is tried or stored; what it says is committed with the changes, and
its own state seldom: after a restart it is asked again from there. Where positions come in another order, it is made
from the object's first change again, by `again`.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import msgspec

from app.core import log
from app.core.ids import ChangeId, ObjId, RoomId, Uid
from app.errors import BadChange
from app.store import statements as sql
from app.store.database import Database, Row
from app.store.people import Me
from app.store.projecting import Projecting
from app.store.projection import ObjectJudge, Outcome, Projector
from sync.client.ports import PLACE_BITS, OpenedChange, PlacedChange, Received, position_of

T = TypeVar("T")

JUDGES = 32
"""Judges that are kept in memory."""
STORE_AFTER, STORE_AFTER_S = 256, 1.0
"""A judge's state is stored after so many changes, or so long after the last one."""
CHUNK = 64
_PLACE = (1 << PLACE_BITS) - 1
_parts = msgspec.msgpack.Encoder()
_parts_of = msgspec.msgpack.Decoder(tuple[int, ...])


@dataclass(slots=True)
class _Held:
    """A judge in memory. `covers`: up to where a snapshot stands in for changes that are not here; `side` judges these
    when they are read in the background."""

    judge: ObjectJudge
    covers: int = 0
    side: ObjectJudge | None = None
    unstored: int = 0
    touched: float = 0.0


@dataclass(slots=True)
class Verdicts:
    """Of one slice. `codes`: by object the positions whose changes have a verdict now, in the order of the verdicts;
    `merged`: those that are to be merged and were not written here. `stale`: objects that are judged later."""

    codes: dict[ObjId, dict[int, str]] = field(default_factory=dict)
    merged: dict[ObjId, list[PlacedChange]] = field(default_factory=dict)
    waits: dict[ObjId, dict[int, Outcome]] = field(default_factory=dict)
    deferred: set[ObjId] = field(default_factory=set)
    """Objects of which somebody began too many clients: their changes are merged in the background."""
    stale: set[ObjId] = field(default_factory=set)
    points: list[tuple[ObjId, ObjectJudge, object]] = field(default_factory=list)


@dataclass(slots=True)
class _Slice:
    """An object's part of a slice. `covers`: (position n of a prune, up to where); `whole`: every change is here."""

    changes: list[OpenedChange]
    covers: list[tuple[int, int]]
    whole: bool


class _Rows:
    """What the store keeps of one object, as its judge asks for it."""

    def __init__(self, db: Database, obj: ObjId) -> None:
        self._db = db
        self._obj = obj

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        found = self._db.rows(sql.WAITS, (self._obj, client, below))
        return [
            (placed, clock, _parts_of.decode(parts))
            for position, clock, parts in found
            for placed in self.changes([position])
        ]

    def changes(self, positions: Sequence[int]) -> list[PlacedChange]:
        return [_placed(row) for p in positions for row in self._db.rows(sql.AT_POSITION, _at(self._obj, p))]


class Judges:
    """Of one store. On the loop."""

    def __init__(self, db: Database, me: Me, kinds: Mapping[str, Projector], projecting: Projecting) -> None:
        self._db = db
        self._me = me
        self._kinds = kinds
        self._projecting = projecting
        self._held: OrderedDict[ObjId, _Held] = OrderedDict()
        self._stale: set[ObjId] = set()
        self.lock = asyncio.Lock()
        """Held from `judge` to the end of the commit."""
        projecting.taken_out.connect(self._on_taken_out)

    def merging(self, room: RoomId, obj: ObjId) -> Projector | None:
        """The kind of a room's object, if such objects merge."""
        kind = self._kinds.get(self._db.value(sql.KIND_IN, (obj, room)) or "")
        return kind if kind is not None and kind.merging is not None else None

    def concerns(self, received: Received) -> bool:
        """Whether a slice has anything that is to be judged."""
        objs = {c.obj for c in received.changes} | {e.obj for e in received.events if e.obj is not None}
        return any(self.merging(received.room, obj) is not None for obj in {*objs, *received.whole})

    def is_due(self, obj: ObjId) -> bool:
        """Whether an object is to be judged from its first change; until then nothing new of it is merged."""
        return obj in self._stale or (obj not in self._held and self._db.value(sql.JUDGE_STATE, (obj,)) is None)

    # -- what came

    async def judge(self, received: Received) -> Verdicts:
        """The verdicts on a slice that is not stored yet. `settle` or `roll_back` follows."""
        out, by_obj = Verdicts(), dict[ObjId, _Slice]()
        for change in received.changes:
            by_obj.setdefault(change.obj, _Slice([], [], False)).changes.append(change)
        for event in received.events:
            if event.kind == "prune" and event.obj is not None and event.until is not None:
                by_obj.setdefault(event.obj, _Slice([], [], False)).covers.append((event.n, event.until))
        for obj in received.whole:
            by_obj.setdefault(obj, _Slice([], [], False)).whole = True
        try:
            for obj, came in by_obj.items():
                kind = self.merging(received.room, obj)
                if kind is not None:
                    await self._object(received.room, obj, kind, came, out)
        except BaseException:
            self.roll_back(out)
            raise
        return out

    def settle(self, verdicts: Verdicts) -> None:
        """What was judged is committed."""
        now = asyncio.get_running_loop().time()
        for obj, judge, _ in verdicts.points:
            judge.settle()
            held = self._held.get(obj)
            if held is not None:
                held.unstored += len(verdicts.codes.get(obj, ()))
                held.touched = now
        self._stale |= verdicts.stale

    def roll_back(self, verdicts: Verdicts) -> None:
        """Nothing of it was committed."""
        for _, judge, mark in reversed(verdicts.points):
            judge.rollback(mark)
        verdicts.points.clear()

    def forget(self, objs: Collection[ObjId]) -> None:
        """Nobody knows what was committed, or other rows count than before: these are judged from the start."""
        for obj in objs:
            self._held.pop(obj, None)
            self._stale.add(obj)

    def _on_taken_out(self, obj: ObjId) -> None:
        """▲ What was left out counts in no verdict either: what builds on it waits from now on."""
        self.forget([obj])

    async def _object(self, room: RoomId, obj: ObjId, kind: Projector, came: _Slice, out: Verdicts) -> None:
        held = None if obj in self._stale else self._held.get(obj) or await self._load(obj, kind)
        if held is not None:
            self._keep(obj, held)
            begun, before = len(out.points), (held.covers, held.side)
            out.points.append((obj, held.judge, held.judge.mark()))
            try:
                if await self._take(room, obj, kind, held, came, out):
                    return
            except BadChange as bad:  # a state that is none
                log.store.warning("judge-state", code=bad.code, obj=obj)
            for _, judge, mark in reversed(out.points[begun:]):
                judge.rollback(mark)
            del out.points[begun:]
            held.covers, held.side = before
        for table in (out.codes, out.merged, out.waits):
            table.pop(obj, None)
        out.stale.add(obj)

    async def _take(self, room: RoomId, obj: ObjId, kind: Projector, held: _Held, came: _Slice, out: Verdicts) -> bool:
        """Asks the judge about an object's part of a slice. False: it is to be made from the start again."""
        stored = self._stored(room, came.changes)
        first: dict[tuple[Uid, ChangeId], OpenedChange] = {}
        for change in came.changes:
            first.setdefault((change.uid, change.change_id), change)
        fresh = [change for key, change in first.items() if stored.get(key, 0) is not None]
        snapshot = [placed_of(c) for c in fresh if not c.dev]
        if snapshot:
            if held.judge.upto:
                return False
            await driven(held.judge.starting_at(snapshot))
            held.covers = held.judge.upto
        if (came.whole and held.covers) or (any(c.baseline for c in fresh) and self._reads_alone(room)):
            return False
        edits = {position_of(c.n, c.place): c for c in fresh if c.dev and not c.baseline}
        covers = {position_of(n): position_of(until) for n, until in came.covers}
        codes = out.codes[obj] = {}
        for position in sorted({**edits, **covers}):
            if position in covers:
                codes |= dict.fromkeys(held.judge.cover(covers[position]), sql.COVERED)
                continue
            judge = await self._judge_of(obj, kind, held, position, out)
            if judge is None:
                return False
            for outcome in await driven(judge.taking(placed_of(edits[position]))):
                _note(codes, out.waits.setdefault(obj, {}), outcome)
                if outcome.deferred:
                    out.deferred.add(obj)
        here = {p for p, c in edits.items() if (c.uid, c.change_id) in stored}
        rows = _Rows(self._db, obj)
        out.merged[obj] = [
            placed
            for p, code in codes.items()
            if code not in sql.JUDGED and p not in here
            for placed in ([placed_of(edits[p])] if p in edits else rows.changes([p]))
        ]
        return True

    async def _judge_of(
        self, obj: ObjId, kind: Projector, held: _Held, position: int, out: Verdicts
    ) -> ObjectJudge | None:
        """Who judges a position: the object's judge, or beside it one of what a snapshot stands in for. None: it comes
        behind others that were judged."""
        if held.judge.takes(position):
            return held.judge
        if position > held.covers:
            return None
        if held.side is None:
            held.side = self._new(obj, kind)
            await self._replay(obj, held.side, until=position)
        if not any(judge is held.side for _, judge, _ in out.points):
            out.points.append((obj, held.side, held.side.mark()))
        return held.side if held.side.takes(position) else None

    def _stored(self, room: RoomId, changes: Sequence[OpenedChange]) -> dict[tuple[Uid, ChangeId], int | None]:
        """Those of these changes that are stored: the row of one that has no position yet, None for one that has."""
        found: dict[tuple[Uid, ChangeId], int | None] = {}
        ids = [c.change_id for c in changes]
        for at in range(0, len(ids), sql.CHUNK):
            chunk = ids[at : at + sql.CHUNK]
            for row, its, author, change_id, n in self._db.rows(sql.known_changes(len(chunk)), chunk):
                if its == room:
                    found[(Uid(author), ChangeId(change_id))] = row if n is None else None
        return found

    def _reads_alone(self, room: RoomId) -> bool:
        """Whether this person reads the room without its history."""
        return self._db.value(sql.READS_ALONE, (room, self._me.uid)) is not None

    # -- within the transaction that stores the slice

    def write(self, verdicts: Verdicts) -> None:
        """What waits now and what waits no more; objects that are to be judged again."""
        raw = self._db.raw
        for obj in verdicts.stale:
            raw.execute(sql.DROP_JUDGE_STATE, (obj,))
        for obj, outcomes in verdicts.waits.items():
            self._write_waits(obj, outcomes.values())

    def _write_waits(self, obj: ObjId, outcomes: Collection[Outcome]) -> None:
        raw = self._db.raw
        for outcome in outcomes:
            missing = outcome.missing
            if missing is not None:
                parts = _parts.encode(outcome.parts)
                raw.execute(sql.PUT_WAIT, (obj, outcome.position, *missing.missing, parts))
            elif outcome.waited:
                raw.execute(sql.DROP_WAIT, (obj, outcome.position))

    # -- judges in memory and on the disk

    def _new(self, obj: ObjId, kind: Projector) -> ObjectJudge:
        assert kind.merging is not None  # noqa: S101 - the callers ask for kinds that merge
        return kind.merging.judge(_Rows(self._db, obj))

    def _keep(self, obj: ObjId, held: _Held) -> None:
        self._held[obj] = held
        self._held.move_to_end(obj)
        while len(self._held) > JUDGES:
            self._held.popitem(last=False)

    async def _load(self, obj: ObjId, kind: Projector) -> _Held | None:
        """The judge as it was stored, with what came after. None if there is none although there are changes."""
        state, judge = self._db.value(sql.JUDGE_STATE, (obj,)), self._new(obj, kind)
        if state is None:
            return None if self._db.value(sql.ANY_PLACED, (obj,)) is not None else _Held(judge)
        try:
            await driven(judge.starting(state))
        except BadChange as bad:
            log.store.warning("judge-state", code=bad.code, obj=obj)
            return None
        if await self._replay(obj, judge):
            log.store.warning("judge-state", code="differs", obj=obj)
            return None
        return _Held(judge, judge.covered_by(self._snapshot(obj)))

    def _snapshot(self, obj: ObjId) -> list[PlacedChange]:
        """The changes that the newest opened snapshot of an object is."""
        rows = [_placed(row) for row in self._db.rows(sql.SNAPSHOT_ROWS, (obj,))]
        return [placed for placed in rows if placed.position >> PLACE_BITS == rows[0].position >> PLACE_BITS]

    async def _replay(self, obj: ObjId, judge: ObjectJudge, until: int = sql.MAX_INT) -> dict[int, tuple[Row, str]]:
        """Gives a judge the stored changes that follow, and those that waited when it began. By position, in the order
        of the verdicts: (row and mark, code) of those whose mark says another thing than the verdict."""
        differ: dict[int, tuple[Row, str]] = {}
        rows = [row for p in sorted(judge.named) for row in self._db.rows(sql.AT_POSITION, _at(obj, p))]
        covers = [] if until != sql.MAX_INT else list(self._db.rows(sql.PRUNES_OF, (obj,)))
        covers = [(position_of(n), position_of(upto)) for n, upto in covers if position_of(n) > judge.upto]
        marks: dict[int, Row] = {}
        while True:
            outcomes: list[Outcome] = []
            for row in rows:
                placed = _placed(row)
                while covers and covers[0][0] < placed.position:
                    _compare(judge.cover(covers.pop(0)[1]), sql.COVERED, marks, differ)
                if placed.position < until and judge.takes(placed.position):
                    marks[placed.position] = row[-2:]
                    for outcome in await driven(judge.taking(placed)):
                        _compare(outcome.parts, outcome.code, marks, differ)
                        outcomes.append(outcome)
            self._commit_waits(obj, judge, outcomes)
            at = judge.upto
            rows = self._db.rows(sql.TO_JUDGE, (obj, *_at(obj, at)[1:], CHUNK))
            if not any(_placed(row).position < until for row in rows):
                break
            await asyncio.sleep(0)
        for _, upto in covers:
            _compare(judge.cover(upto), sql.COVERED, marks, differ)
        judge.settle()
        return differ

    def _commit_waits(self, obj: ObjId, judge: ObjectJudge, outcomes: Sequence[Outcome]) -> None:
        if any(outcome.missing is not None or outcome.waited for outcome in outcomes):
            with self._db.transaction(durable=False):
                self._write_waits(obj, outcomes)
        judge.settle()

    async def again(self, obj: ObjId, kind: Projector) -> None:
        """Judges an object from its first change, or from the state that stands in for the first ones, and corrects
        what was marked otherwise."""
        room = self._db.value("SELECT room FROM objects WHERE obj = ?", (obj,))
        judge, covers = self._new(obj, kind), 0
        begins = self._begins(RoomId(room), obj)
        if begins:
            try:
                await driven(judge.starting_at(begins))
                covers = judge.upto
            except BadChange as bad:
                log.store.warning("judge-state", code=bad.code, obj=obj)
                judge = self._new(obj, kind)
        with self._db.transaction(durable=False):
            self._db.raw.execute(sql.DROP_WAITS, (obj,))
        differ = await self._replay(obj, judge)
        async with self.lock:
            more = await self._replay(obj, judge)
            for position, found in more.items():
                differ.pop(position, None)
                differ[position] = found
            self._correct(obj, differ, covers)
            self._stale.discard(obj)
            held = _Held(judge, covers if self._snapshot(obj) else 0)
            self._keep(obj, held)
            self._put(obj, held, await driven(judge.storing()))

    def _begins(self, room: RoomId, obj: ObjId) -> list[PlacedChange]:
        """The changes of the state that stands in for an object's first ones here; none if all are here."""
        snapshot = self._snapshot(obj)
        if snapshot or not self._reads_alone(room):
            return snapshot
        return [_placed(row) for row in self._db.rows(sql.NEWEST_BASELINE, (obj,))]

    def _correct(self, obj: ObjId, differ: Mapping[int, tuple[Row, str]], covers: int) -> None:
        """Marks changes as they were judged; what is to be merged after all is tried first. What waited up to the
        position that a state covers is in it, or counts no more."""
        raw, out, into = self._db.raw, False, False
        with self._db.transaction():
            if covers:
                raw.execute(sql.COVER_WAITING, (obj, covers >> PLACE_BITS))
            for (row, mark), code in differ.values():
                if code in sql.JUDGED:
                    out |= mark not in sql.HELD
                    raw.execute("DELETE FROM quarantined WHERE row = ?", (row,))
                    raw.execute(sql.MARK_UNPROJECTED, (code, row))
                else:
                    into = True
                    raw.execute(sql.MARK_UNPROJECTED, (sql.UNTRIED, self._projecting.to_end(row)))
            if out:
                self._projecting.take_back(obj)
            if into:
                self._db.after_commit(partial(self._projecting.untried.emit, obj))
        if differ:
            log.store.warning("judged-again", obj=obj, count=len(differ))

    async def store_idle(self) -> float | None:
        """Stores what judges know that have rested; how long until the next is due, None for none."""
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
        """Stores what is not stored yet. The loop may have ended."""
        for obj, held in self._held.items():
            if held.unstored and not self.lock.locked():
                self._put(obj, held, finished(held.judge.storing()))

    def _put(self, obj: ObjId, held: _Held, state: bytes) -> None:
        with self._db.transaction(durable=False):
            room = self._db.value("SELECT room FROM objects WHERE obj = ?", (obj,))
            self._db.raw.execute(sql.PUT_JUDGE_STATE, (obj, room, state))
        held.unstored = 0


def placed_of(change: OpenedChange) -> PlacedChange:
    """A change as its judge takes it."""
    position = position_of(change.n, change.place)
    return PlacedChange(position, change.change_id, change.uid, change.t, change.payload)


async def driven(steps: Generator[None, None, T]) -> T:
    """Runs work in pieces with a breath between them."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found
        await asyncio.sleep(0)


def finished(steps: Generator[None, None, T]) -> T:
    """All of it at once."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: T = done.value
            return found


def _note(codes: dict[int, str], waits: dict[int, Outcome], outcome: Outcome) -> None:
    if outcome.missing is not None or outcome.waited:
        waits[outcome.position] = outcome
    for part in outcome.parts:
        codes.pop(part, None)
        codes[part] = outcome.code


def _compare(parts: Sequence[int], code: str, marks: dict[int, Row], differ: dict[int, tuple[Row, str]]) -> None:
    """Notes where a mark says another thing than a verdict."""
    for part in parts:
        differ.pop(part, None)
        found = marks.get(part) if code == sql.LATE else marks.pop(part, None)  # what waits is judged again
        mark = found[1] if found is not None else None
        same = mark == code if code in sql.JUDGED else mark not in sql.JUDGED
        if found is not None and not same:
            differ[part] = found, code


def _placed(row: Row) -> PlacedChange:
    n, place, change_id, author, t, data = row[:6]
    return PlacedChange(position_of(n, place), ChangeId(change_id), Uid(author), t, data)


def at_position(position: int) -> tuple[int, int]:
    """(n, place in its envelope)."""
    return position >> PLACE_BITS, position & _PLACE


def _at(obj: ObjId, position: int) -> tuple[ObjId, int, int]:
    return obj, *at_position(position)
