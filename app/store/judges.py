# SPDX-License-Identifier: EUPL-1.2
"""Verdicts on the changes that the server has sent for documents and boards, which are CRDTs.

Each such object has a judge (app/objects/replay.py). For each change the judge decides whether it counts, waits for
another change that it builds on, or is void. The verdict depends only on the object's changes in the order of their
positions in the room, so every device comes to the same one.

`Judges.judge` asks for verdicts before the worker tries a change and before the store keeps it. The verdicts are
committed in the same transaction as the changes. The judge's own state is stored less often; after a restart the judge
starts from the stored state and judges the later changes again. A device may receive a later position before an earlier
one, for example when a key was missing. Then `again` makes a new judge and gives it the object's changes from the
first.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from app.core import log
from app.core.ids import ObjId, RoomId
from app.core.pieces import Budget, TooLong, driven
from app.errors import BadChange
from app.store import statements as sql
from app.store.arrivals import Arrivals
from app.store.database import Database
from app.store.kept_judges import Held, KeptJudges
from app.store.known import known_of, place_of
from app.store.people import Me
from app.store.projecting import Projecting
from app.store.projection import Projector
from app.store.verdicts import KeptRows, Slice, Verdicts, is_piece, note, placed_of
from sync.client.placed_changes import PlacedChange, position_of
from sync.client.ports import OpenedChange

JUDGED_WITHIN_S = 2.0
"""▲ Seconds of judging for one object in a slice. After that the object is judged in the background. Otherwise a
colleague could have very many changes wait in one object and so delay all others for everybody."""
BREATH = 32
"""How many changes are judged before the loop may run other tasks: about 60 µs each, with the reads of the store."""


@dataclass(frozen=True, slots=True)
class KnownIds:
    """Answers questions about the CRDT of one object from what its judge (which decides which changes count) knows.
    `has` is given an operation id (client, clock): whether it has a position in the room. `owner` is given a client
    number, and returns the uid of the person to whom it belongs, None if it belongs to nobody."""

    has: Callable[[tuple[int, int]], bool]
    owner: Callable[[int], bytes | None]


class Judges(KeptJudges):
    """Decides which received changes of documents and boards count. There is one judge for each object. Use it on the
    loop."""

    def __init__(self, db: Database, me: Me, kinds: Mapping[str, Projector], projecting: Projecting) -> None:
        super().__init__(db, me, kinds, projecting)
        projecting.taken_out.connect(self._on_taken_out)

    def concerns(self, came: Arrivals) -> bool:
        """Whether this delivery from the server has changes of a document or board, or destroys, prunes or completes
        one: then `judge` must decide about it before it is stored."""
        objs = {c.obj for c in came.changes} | {e.obj for e in came.events if e.obj is not None}
        return any(self.merging(came.room, obj) is not None for obj in {*objs, *came.whole})

    async def known(self, obj: ObjId) -> KnownIds:
        """Answers from the object's judge: which operation ids have positions, and who owns which client. The answer is
        valid until the event loop runs another task. It is empty for an object that is unknown or must be judged again.
        """
        async with self.lock:
            room = self._db.value("SELECT room FROM objects WHERE obj = ?", (obj,))
            kind = self.merging(RoomId(room), obj) if room is not None else None
            held = None
            if kind is not None and obj not in self._stale:
                held = self._held.get(obj) or await self._load(obj, kind)
            if held is None:
                return KnownIds(lambda ident: False, lambda client: None)
            self._keep(obj, held)
            return KnownIds(held.judge.has, held.judge.owner)

    # -- received changes

    async def judge(self, arrived: Arrivals) -> Verdicts:
        """Decides which changes of a delivery that is not stored yet count, and returns the verdicts; `stale` in them
        are objects that must be judged later, from their first change. Nothing is written. The caller must then call
        `settle` once the verdicts are committed, `roll_back` if nothing was, or `forget` if that is not known."""
        out, by_obj = Verdicts(), dict[ObjId, Slice]()
        for change in arrived.changes:
            by_obj.setdefault(change.obj, Slice([], [], False)).changes.append(change)
        for event in arrived.events:
            if event.kind == "prune" and event.obj is not None and event.until is not None:
                by_obj.setdefault(event.obj, Slice([], [], False)).covers.append((event.n, event.until))
        for obj in arrived.whole:
            by_obj.setdefault(obj, Slice([], [], False)).whole = True
        try:
            for obj, came in by_obj.items():
                kind = self.merging(arrived.room, obj)
                if kind is not None:
                    await self._object(arrived.room, obj, kind, came, out)
        except BaseException:
            self.roll_back(out)
            raise
        return out

    def settle(self, verdicts: Verdicts, now_s: float) -> None:
        """Makes the verdicts final, because they have been committed. Called before any listener is notified of them.
        `now_s`: the time by the event loop's clock, in seconds."""
        for obj, judge, _ in verdicts.points:
            judge.settle()
            held = self._held.get(obj)
            if held is not None:
                held.unstored += sum(code != sql.BEHIND for code in verdicts.codes.get(obj, {}).values())
                held.touched = now_s
        for obj in verdicts.stale:
            self._held.pop(obj, None)  # ▲ its state must not be stored: after a restart nothing would be judged again
        self._stale |= verdicts.stale
        verdicts.settled = True

    def roll_back(self, verdicts: Verdicts) -> None:
        """Takes the judges back to where they were before these verdicts, of which nothing was committed."""
        for obj, judge, mark in reversed(verdicts.points):
            judge.rollback(mark)
            if (held := self._held.get(obj)) is not None and held.judge is judge:
                held.covers = min(held.covers, judge.upto)  # a state that was not stored replaces nothing
        verdicts.points.clear()

    def _on_taken_out(self, obj: ObjId) -> None:
        """▲ Marks an object to be judged again (which of its changes count), in the background and from its first
        change, because an administrator had one of its changes left out, or changes that another room wrote under its
        id were marked. Such a change counts in no verdict, so that changes which build on it wait from now on."""
        self.forget([obj])

    async def _object(self, room: RoomId, obj: ObjId, kind: Projector, came: Slice, out: Verdicts) -> None:
        held = None if obj in self._stale else self._held.get(obj) or await self._load(obj, kind)
        if held is not None:
            self._keep(obj, held)
            covers, mark = held.covers, held.judge.mark()
            out.points.append((obj, held.judge, mark))
            try:
                if await self._take(room, obj, held, came, out):
                    return
            except BadChange as bad:  # the bytes are no state
                log.store.warning("judge-state", code=bad.code, obj=obj)
            except TooLong:
                log.store.warning("judged-later", obj=obj)
            held.judge.rollback(mark)
            held.covers = covers
            out.points.pop()
        for table in (out.codes, out.merged, out.waits):
            table.pop(obj, None)
        out.stale.add(obj)

    async def _take(self, room: RoomId, obj: ObjId, held: Held, came: Slice, out: Verdicts) -> bool:
        """Gives an object's new changes to its judge `held`, and writes the verdicts into `out`. Changes that a
        snapshot replaces are not judged now. ▲ Changes that an administrator had left out are never judged: a newcomer
        reads the record that leaves them out first. Returns False if the object must be judged again from its first
        change. BadChange if a snapshot cannot be read; TooLong after JUDGED_WITHIN_S. After False or an error the
        caller must take `held` and `out` back."""
        known = known_of(self._db.rows, room, came.changes)
        fresh = [c for c in {place_of(c): c for c in came.changes}.values() if not known.is_stored(c)]
        snapshot = [placed_of(c) for c in fresh if not c.dev]
        if snapshot:
            if held.judge.upto:
                return False
            await driven(held.judge.starting_at(snapshot))
            held.covers = held.judge.upto
        if any(c.baseline for c in fresh) and self._reads_alone(room):
            return False
        edits = {position_of(c.n, c.place): c for c in fresh if c.dev and not c.baseline}
        covers = {position_of(n): position_of(until) for n, until in came.covers}
        gone = {(author, change_id) for author, change_id in self._db.rows(sql.LEFT_OUT_OF, (obj,))}
        codes = {p: sql.LEFT_OUT_CHANGE for p, c in edits.items() if (c.uid, c.change_id) in gone}
        here = {p for p, c in edits.items() if known.written_here(c) is not None}
        budget = Budget(JUDGED_WITHIN_S)
        out.codes[obj] = codes
        for count, position in enumerate(sorted({*edits, *covers} - codes.keys()), start=1):
            if count % BREATH == 0:
                await asyncio.sleep(0)
            if position in covers:
                codes |= dict.fromkeys(held.judge.cover(covers[position]), sql.COVERED)
                continue
            if not held.judge.takes(position):
                if position > held.covers:  # it is received after changes at later positions that were judged
                    return False
                codes[position] = sql.BEHIND
                continue
            if position <= held.covers < held.judge.upto:  # ▲ it waits in the snapshot, and later ones were judged
                return False
            for outcome in await driven(held.judge.taking(placed_of(edits[position])), budget):
                if position in here and is_piece(outcome):
                    continue
                note(codes, out.waits.setdefault(obj, {}), outcome)
                if outcome.deferred:
                    out.deferred.add(obj)
        out.merged[obj] = self._to_merge(obj, codes, edits, here)
        return True

    def _to_merge(
        self, obj: ObjId, codes: Mapping[int, str], edits: Mapping[int, OpenedChange], here: Collection[int]
    ) -> list[PlacedChange]:
        """The changes of `obj` that are to be merged now, in the order of the verdicts, without those that were written
        here. `codes`: the verdict for each position. `edits`: the new changes by position; any other position is that
        of a stored change. `here`: positions of changes that were written on this device."""
        rows = KeptRows(self._db, obj)
        return [
            placed
            for p, code in codes.items()
            if code not in sql.HELD and p not in here
            for placed in ([placed_of(edits[p])] if p in edits else rows.woken(p))
        ]

    # -- within the transaction that stores the slice

    def write(self, verdicts: Verdicts) -> None:
        """Stores which updates now wait for others and which wait no longer, and drops the stored judges of objects
        that must be judged again. Call it within the transaction that stores the changes."""
        conn = self._db.conn
        for obj in verdicts.stale:
            conn.execute(sql.DROP_JUDGE_STATE, (obj,))
        for obj, outcomes in verdicts.waits.items():
            self._write_waits(obj, outcomes.values())
        covered = [
            (obj, p) for obj, codes in verdicts.codes.items() for p, code in codes.items() if code == sql.COVERED
        ]
        conn.executemany(sql.DROP_WAIT, covered)
