# SPDX-License-Identifier: EUPL-1.2
"""Judges the positioned updates of one object: merged, void, or late. A state machine without I/O and without a CRDT.

A verdict is a pure function of the object's updates in the order of their positions: never of own edits that wait, of
time, memory or a library. FORMAT.md has every rule. The owner of a judge offers each update once, in order, takes
steps until nothing is ready, and gives the CRDT what was merged, in the order in which it was.
"""

from collections.abc import Collection, Generator, Iterator
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush

from app.errors import BugError
from app.objects.grammar import Facts, Id
from app.objects.structure import BREATH, Broken, Mark, Structure
from app.objects.waiting import Change, Late, Rows, Waiting
from sync.pieces import finished

CLIENTS_AN_HOUR = 200
"""New clients of one person in an object and hour of t. Updates of further ones are merged in the background."""
HOUR_MS = 3_600_000


class Kind(Enum):
    """The kinds of decision that a judge can make about an update."""

    MERGED = "merged"
    """It is given to the CRDT now, after all that was merged before it."""
    AGAIN = "again"
    """All its items are here already, from its own author: it changes nothing, and nobody need be notified."""
    VOID = "void"
    """It never counts, for nobody. `code` says why."""
    LATE = "late"
    """It waits, since ids that it names are not here yet. `missing` is one of them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's decision (`kind`) about the update that `change` names. `code`: for a void one the rule that it breaks.
    `missing`: for a waiting one an id that it needs. `deferred`: its author began too many CRDT client numbers in an
    hour, so the owner should merge it in the background (a hint)."""

    change: Change
    kind: Kind
    code: str = ""
    missing: Id | None = None
    deferred: bool = False


JudgeMark = tuple[Mark, int, dict[int, Change]]


class Judge:
    """Decides which updates of one object count, in the order of their positions. `rows`: the object's waiting updates
    in the store. `structure`: what is known of the object's ids, the result of `beginning.begin` if the judge starts
    from a state; None for a new object."""

    def __init__(self, rows: Rows, structure: Structure | None = None) -> None:
        self.structure = structure if structure is not None else Structure()
        self._rows = rows
        self._waiting = Waiting(rows)
        self._ready: dict[int, Change] = {}
        """By position: updates that waited for something that is here now. The oldest is taken first."""
        self._order: list[int] = []
        """A heap of the positions in `_ready`, and of some that were removed from it."""
        self._moves: list[tuple[bool, Late, Facts | None]] = []
        """The updates that were put (True) into the index or removed from it since the last `settle`."""
        self._hours: dict[bytes, tuple[int, int]] = {}

    @property
    def ready(self) -> bool:
        """Whether an update that was waiting has everything that it needs now: then call `step` before the next
        `offer`."""
        return bool(self._ready)

    def offer(self, change: Change, facts: Facts) -> Verdict:
        """Decides whether the update at the next position is merged, waits or is void (merged by nobody). `facts`: what
        was read of it. 15 µs for the update of one keystroke, whatever the object's size. BugError if an update that
        was waiting is ready and must first be judged by `step`, or if the update is a whole state."""
        return finished(self.offering(change, facts))

    def offering(self, change: Change, facts: Facts) -> Generator[None, None, Verdict]:
        """Decides whether the update at the next position counts, as `offer` does, in steps, for large updates. Do not
        use the judge before the verdict is returned. If the generator is closed before that, nothing was judged."""
        if self._ready or len(facts.sections) > 1:
            raise BugError("judge: steps are due, or this is a state")
        for section in facts.sections:
            client = self.structure.clients.get(section.client)
            if client is not None and client.owner != change.author:
                return Verdict(change, Kind.VOID, "foreign")
        return (yield from self._judging(change, facts))

    def step(self) -> Verdict:
        """Judges one of the waiting updates that have everything they need now, the one at the lowest position. Call it
        only while `ready`: IndexError otherwise."""
        return finished(self.stepping())

    def stepping(self) -> Generator[None, None, Verdict]:
        """Does the same as `step`, in steps of work. If the generator is closed before the verdict, the caller must
        call `rollback`: the update would otherwise be lost."""
        while (position := heappop(self._order)) not in self._ready:
            pass
        change = self._ready.pop(position)
        late, facts = self._waiting.take(change)
        if late is not None:
            self._moves.append((False, late, facts))
        if facts is None:
            facts = yield from self._rows.facts(change)
        return (yield from self._judging(change, facts))

    def restore(self, lates: list[Late]) -> None:
        """Takes over the waiting updates `lates` from the store, when a judge is made from stored bytes. Those whose
        missing id is known by now are ready for `step`."""
        for late in sorted(lates, key=lambda late: late.change.position):
            self._waiting.put(late, None)
            if self.structure.has(late.missing):
                self._wake(late.change)

    def going_on_from(self, structure: Structure) -> "Judge":
        """A judge of the object whose first merged update is a state, of which `structure` is known. What waits here
        waits there too, and is ready for `step` if the state has what it lacks. This judge is unchanged, so that the
        caller can return to it."""
        judge = Judge(self._rows, structure)
        judge._waiting = self._waiting.copied()
        for number, client in structure.clients.items():
            for ready in judge._waiting.ready(number, client.clock):
                judge._wake(ready)
        return judge

    def cover(self, positions: Collection[int]) -> None:
        """Notes that a baseline (state for new members) or prune (old changes are dropped) replaces the changes at
        `positions`, so that updates which wait there no longer count. The caller must delete their rows before the next
        offer."""
        for late in self._waiting.at(positions):
            self._moves.append((False, late, None))
            self._waiting.drop(late)
        self._ready = {position: change for position, change in self._ready.items() if position not in positions}

    # -- transactions

    def mark(self) -> JudgeMark:
        """Begins a transaction: returns the judge's present point, to which `rollback` can return."""
        return self.structure.mark(), len(self._moves), dict(self._ready)

    def rollback(self, mark: JudgeMark) -> None:
        """Forgets everything that was offered since `mark` was made."""
        structure, moves, ready = mark
        self.structure.rollback(structure)
        while len(self._moves) > moves:
            put, late, facts = self._moves.pop()
            if put:
                self._waiting.drop(late)
            else:
                self._waiting.put(late, facts)
        self._ready = dict(ready)
        self._order = sorted(self._ready)

    def settle(self) -> None:
        """Makes what was judged final: `rollback` can no longer return to a point from before this call. Stores
        nothing."""
        self.structure.settle()
        self._moves.clear()

    # -- inside

    def _judging(self, change: Change, facts: Facts) -> Generator[None, None, Verdict]:
        missing = yield from self._missing(change, facts)
        if missing is not None:
            return self._late(change, facts, missing)
        for section in facts.sections:
            client = self.structure.clients.get(section.client)
            clock = client.clock if client is not None else 0
            if section.start < clock:
                known = section.end <= clock
                return Verdict(change, Kind.AGAIN) if known else Verdict(change, Kind.VOID, "overlap")
        mark = self.structure.mark()
        try:
            slow = self._claim(change, facts)
            yield from self._adding(facts)
        except Broken as broken:
            self.structure.rollback(mark)
            return Verdict(change, Kind.VOID, broken.code)
        except GeneratorExit:
            self.structure.rollback(mark)
            raise
        for section in facts.sections:
            for ready in self._waiting.ready(section.client, section.end):
                self._wake(ready)
        return Verdict(change, Kind.MERGED, deferred=slow)

    def _missing(self, change: Change, facts: Facts) -> Generator[None, None, Id | None]:
        """One of the ids that the update needs and that are not here; None if all are here. Any of them will do: the
        update is merged only when all are here.

        ▲ A hash of the position and the ids picks one, so that updates with the same missing ids wait under different
        ones. Otherwise a thousand updates that wait for the same thousand ids would all be read again for each id that
        is received. Now each is read again about ten times.
        """
        has, out = self.structure.has, list[Id]()
        for count, ident in enumerate(facts.needed, start=1):
            if not has(ident):
                out.append(ident)
            if count % (3 * BREATH) == 0:
                yield
        return min(out, key=lambda ident: hash((change.position, *ident)), default=None)

    def _adding(self, facts: Facts) -> Iterator[None]:
        for section in facts.sections:
            yield from self.structure.adding(section)
        for number, ranges in facts.deleted:
            for count, (start, end) in enumerate(ranges, start=1):
                self.structure.check_deleted(number, start, end)
                if count % (3 * BREATH) == 0:
                    yield

    def _wake(self, change: Change) -> None:
        if change.position not in self._ready:
            self._ready[change.position] = change
            heappush(self._order, change.position)

    def _late(self, change: Change, facts: Facts, missing: Id) -> Verdict:
        slow = self._claim(change, facts)
        late = Late(change, missing)
        if self._waiting.put(late, facts):
            self._moves.append((True, late, facts))
        return Verdict(change, Kind.LATE, missing=missing, deferred=slow)

    def _claim(self, change: Change, facts: Facts) -> bool:
        """Gives each CRDT client number that the update is the first to use to the update's author, for good unless the
        caller rolls back since the update breaks a rule. Returns whether one of the update's numbers is among those
        with which its author began too many in one hour."""
        slow = False
        for section in facts.sections:
            new = section.client not in self.structure.clients
            client = self.structure.claim(section.client, change.author)
            if new:
                hour, count = self._hours.get(change.author, (-1, 0))
                count = count + 1 if hour == change.t // HOUR_MS else 1
                self._hours[change.author] = change.t // HOUR_MS, count
                client.slow = count > CLIENTS_AN_HOUR
            slow |= client.slow
        return slow
