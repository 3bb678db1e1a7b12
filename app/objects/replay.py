# SPDX-License-Identifier: EUPL-1.2
"""Judges one object's changes in the order of their positions: puts pieces together, reads each update by the grammar,
asks the judge. No CRDT and no store: bytes in, outcomes out. The store, the snapshots and the tests use the same.

A transaction is `mark`, then `taking` for each change, then `settle` or `rollback`.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from app.errors import BadChange, BugError
from app.objects.beginning import structure_at
from app.objects.begun import StateStart, begun_of
from app.objects.grammar import Facts, client_begun, reading
from app.objects.judging import Judge, JudgeMark, Kind, Verdict
from app.objects.lib0 import BadUpdate
from app.objects.structure import Structure
from app.objects.structure_codec import decoding, encoding
from app.objects.waiting import Change, Late
from sync.client.placed_changes import PlacedChange

K = TypeVar("K")
V = TypeVar("V")

MERGED, AGAIN, LATE = "merged", "again", "late"
"""The values of an outcome's `code`, beside the codes of void updates. Pieces of a group that is not complete are
late."""
FOREIGN, STATE, PIECE = "foreign", "state", "piece"
"""Codes of void changes: an update of another person's client; a state that comes after other updates of its object; a
piece whose index was received before, or whose `count` differs from that of its group's first piece."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a change's data contains: an `update`, or one piece of one. `begun` is empty except for a merged state. A
    piece has the same `group` as the others, its `index` among them and their `count`; a whole update no `group`."""

    update: bytes
    begun: bytes = b""
    group: bytes | None = None
    index: int = 0
    count: int = 1


Unpack = Callable[[bytes], Unpacked]
"""Reads the content of a change's data. BadChange for data that has none."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An update that waits for an id. `late`: its last change and that id. `parts`: the positions of all its
    changes."""

    late: Late
    parts: tuple[int, ...]


class Kept(Protocol):
    """What the store has of one object, for its judge: the changes, and the updates that wait for missing ids."""

    def waiting(self, client: int, below: int) -> Sequence[tuple[PlacedChange, int, tuple[int, ...]]]:
        """The updates that wait for an id (client, clock) of the CRDT client number `client` with a clock below
        `below`, each as (its last change without data, the clock of the id, positions of all its changes)."""
        ...

    def changes(self, positions: Sequence[int]) -> Sequence[PlacedChange]:
        """The changes at these positions, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on the update whose last change is at `position`. `parts`: the positions of all its changes. `code`:
    MERGED, AGAIN (nothing new), LATE (it waits), or the rule that it breaks. `missing`: if it waits for an id, itself
    with that id; None if it lacks pieces. `deferred`: its author began too many CRDT client numbers in an hour; merge
    it in the background."""

    position: int
    parts: tuple[int, ...]
    code: str
    missing: Late | None = None
    deferred: bool = False
    waited: bool = False
    """It waited before, as stored."""


@dataclass(slots=True)
class _Fresh:
    """What the running transaction has read and decided and is not in the store yet. `undo`: functions without
    arguments that take it back, called newest first."""

    changes: dict[int, PlacedChange] = field(default_factory=dict)
    waits: dict[int, Wait | None] = field(default_factory=dict)
    """By position: what waits now; None for a change that waits no more."""
    undo: list[Callable[[], object]] = field(default_factory=list)


Groups = dict[tuple[bytes, bytes], tuple[int, dict[int, int]]]
"""Incomplete groups by (author, group): how many pieces each has, and the position of each piece that is here."""
_Tables = tuple[Groups, dict[int, tuple[int, ...]], dict[int, None], dict[int, tuple[int, bytes]], dict[int, set[int]]]
ReplayMark = tuple[Judge, JudgeMark, int, frozenset[int]]


class Replay:
    """Decides which changes of one object count, in order: joins the pieces of updates, checks each update by the
    grammar, and asks the judge. `upto`: the position up to which every change was given to it, or is in the state with
    which it began. `kept`: the store's rows of the object."""

    def __init__(self, unpack: Unpack, kept: Kept, structure: Structure | None = None, upto: int = 0) -> None:
        self._unpack = unpack
        self._kept = kept
        self._fresh = _Fresh()
        self._groups: Groups = {}
        self._parts: dict[int, tuple[int, ...]] = {}
        """The positions of the pieces of each waiting update that has several."""
        self._judge = Judge(self, structure)
        self.upto = upto
        self.named: frozenset[int] = frozenset()
        """Positions up to `upto` that wait and have not been taken here yet."""
        self._waits: dict[int, None] = {}
        """Positions of all changes that wait."""
        self._begun: dict[int, tuple[int, bytes]] = {}
        """First pieces of incomplete groups, by position: the client with which the update begins, and the author."""
        self._by_client: dict[int, set[int]] = {}
        """The positions in `_begun`, by client."""

    @property
    def structure(self) -> Structure:
        """The judge's structure."""
        return self._judge.structure

    def begun(self) -> StateStart:
        """What is known now, in the form that is stored, or sent beside a merged state."""
        return begun_of(self.upto, tuple(sorted(self._waits.keys() | self.named)), self.structure)

    def takes(self, position: int) -> bool:
        """Whether the change at this position must be judged now: it follows all that were judged, or it was waiting
        when this replay began."""
        return position > self.upto or position in self.named

    def has(self, ident: tuple[int, int]) -> bool:
        """Whether the operation with this id (client, clock) has been merged."""
        return self.structure.has(ident)

    def owner(self, client: int) -> bytes | None:
        """The uid of the person to whom a client number belongs, or for whom an incomplete update reserves it. None if
        it belongs to nobody yet."""
        found = self.structure.clients.get(client)
        if found is not None:
            return found.owner
        begun = self._by_client.get(client)
        return self._begun[min(begun)][1] if begun else None

    # -- beginning

    def beginning(self, begun: StateStart, update: bytes | None) -> Generator[None, None, None]:
        """Begins the judging with a merged state (`update`), or with what was stored (`update` None). `begun`: what a
        judge needs for that. BadChange if it is invalid; nothing has changed then."""
        if update is None:
            structure = yield from decoding(begun.known)
        else:
            structure = yield from structure_at(update, begun.known)
        before = self._groups, self._parts, self._waits, self._begun, self._by_client
        self._judge = Judge(self, structure)
        self._groups, self._parts, self._waits, self._begun, self._by_client = {}, {}, {}, {}, {}
        self._fresh.undo.append(lambda: self._restore(before))
        self.upto = begun.covers
        self.named = frozenset(begun.waits)

    def starting(self, stored: bytes) -> Generator[None, None, None]:
        """Begins with the bytes that `storing` gave. BadChange if they are invalid."""
        yield from self.beginning(StateStart.decode(stored), None)

    def starting_at(self, changes: Sequence[PlacedChange]) -> Generator[None, None, None]:
        """Begins with a merged state that was received: `changes` are the changes that it consists of. BadChange if
        they are no state."""
        update, begun = joined(changes, self._unpack)
        yield from self.beginning(StateStart.decode(begun), update)

    def covered_by(self, changes: Sequence[PlacedChange]) -> int:
        """The position up to which a merged state contains the object. `changes`: those that the state consists of; 0
        if they are no state."""
        try:
            return StateStart.decode(joined(changes, self._unpack)[1]).covers
        except BadChange:
            return 0

    def storing(self) -> Generator[None, None, bytes]:
        """Returns, as bytes that `starting` reads, everything that was judged up to now. Works in steps; no change may
        be judged meanwhile."""
        known = yield from encoding(self.structure)
        return StateStart(self.upto, tuple(sorted(self._waits.keys() | self.named)), known).encode()

    def _restore(self, before: _Tables) -> None:
        self._groups, self._parts, self._waits, self._begun, self._by_client = before

    # -- taking

    def taking(self, change: PlacedChange) -> Generator[None, None, list[Outcome]]:
        """Judges the next change. Returns the verdicts in their order: first its own (LATE for a piece while others are
        lacking), then on changes that waited for it. In steps. BugError if a later one was judged, unless it waited."""
        if not self.takes(change.position):
            raise BugError("replay: positions must rise")
        self._fresh.changes[change.position] = change
        if change.position in self.named:
            self.named -= {change.position}
            self._await(change.position)
        self.upto = max(self.upto, change.position)
        try:
            unpacked = self._unpack(change.data)
        except BadChange as bad:
            return self._void(change.position, (change.position,), bad.code)
        parts: tuple[int, ...] | None = (change.position,)
        if unpacked.group is not None:
            parts = self._join(change, unpacked, unpacked.group)
        if parts is None:
            return self._void(change.position, (change.position,), PIECE)
        if not parts:
            self._begin(change, unpacked)
            self._await(change.position)
            return [Outcome(change.position, (change.position,), LATE)]
        return (yield from self._update(change, parts))

    def _begin(self, change: PlacedChange, piece: Unpacked) -> None:
        """With the first piece of an incomplete update, reserves its client number for its author, unless somebody has
        it. ▲ Everybody can read it there: a member who used it before the last piece would make the update void."""
        client = client_begun(piece.update) if piece.index == 0 else None
        if client is not None:
            self._begun[change.position] = client, bytes(change.uid)
            self._by_client.setdefault(client, set()).add(change.position)
            self._fresh.undo.append(lambda: self._end(change.position))

    def _begin_no_more(self, positions: Sequence[int]) -> None:
        for position in positions:
            if (before := self._begun.get(position)) is not None:
                self._end(position)
                self._fresh.undo.append(partial(self._resume, position, before))

    def _end(self, position: int) -> None:
        client, _ = self._begun.pop(position)
        self._by_client[client].remove(position)
        if not self._by_client[client]:
            del self._by_client[client]

    def _resume(self, position: int, begun: tuple[int, bytes]) -> None:
        self._begun[position] = begun
        self._by_client.setdefault(begun[0], set()).add(position)

    def _is_begun_by_another(self, facts: Facts, author: bytes) -> bool:
        """Whether an incomplete update of a different author has reserved a client number that this update begins to
        use."""
        new = [section.client for section in facts.sections if section.client not in self.structure.clients]
        return any(self.owner(client) not in (None, author) for client in new)

    def update(self, parts: Sequence[int]) -> tuple[bytes, bytes]:
        """Joins the changes at these positions into (update, `begun` of a merged state or b"")."""
        return joined(self._changes(parts), self._unpack)

    def _join(self, change: PlacedChange, piece: Unpacked, group: bytes) -> tuple[int, ...] | None:
        """Adds a piece of a cut update to its author's `group`. Returns the positions of all pieces, ascending, if they
        are complete; () if not; None if this one does not count (its index is taken, or its count differs)."""
        key = (bytes(change.uid), group)
        count, pieces = self._groups.get(key, (piece.count, {}))
        if piece.count != count or piece.index in pieces:
            return None
        pieces = {**pieces, piece.index: change.position}
        before = self._groups.pop(key, None)
        self._fresh.undo.append(lambda: _put(self._groups, key, before))
        if len(pieces) < count:
            self._groups[key] = count, pieces
            return ()
        return tuple(sorted(pieces.values()))

    def _update(self, change: PlacedChange, parts: tuple[int, ...]) -> Generator[None, None, list[Outcome]]:
        for position in parts[:-1]:
            self._await_no_more(position)
        try:
            update, begun = self.update(parts)
            if begun:
                if self.structure.clients:
                    return self._void(change.position, parts, STATE)
                structure = yield from structure_at(update, StateStart.decode(begun).known)
                self._judge = self._judge.going_on_from(structure)
                self._begin_no_more(parts)
                return [Outcome(change.position, parts, MERGED), *(yield from self._released())]
            facts = yield from reading(update)
        except BadChange as bad:
            return self._void(change.position, parts, bad.code)
        if self._is_begun_by_another(facts, bytes(change.uid)):
            return self._void(change.position, parts, FOREIGN)
        self._begin_no_more(parts)
        if len(parts) > 1:
            self._set_parts(change.position, parts)
        found = yield from self._judge.offering(_change(change), facts)
        return [self._outcome(found), *(yield from self._released())]

    def _released(self) -> Generator[None, None, list[Outcome]]:
        """Judges the waiting updates that have everything they need now, and returns the verdicts in their order."""
        outcomes = []
        while self._judge.ready:
            found = yield from self._judge.stepping()
            outcomes.append(self._outcome(found))
        return outcomes

    def _void(self, position: int, parts: tuple[int, ...], code: str) -> list[Outcome]:
        self._begin_no_more(parts)
        for part in parts:
            self._await_no_more(part)
        return [Outcome(position, parts, code)]

    def _outcome(self, verdict: Verdict) -> Outcome:
        position = verdict.change.position
        parts, waited = self._parts.get(position, (position,)), position in self._waits
        if verdict.kind is Kind.LATE:
            assert verdict.missing is not None  # noqa: S101 - a late verdict names what it lacks
            late = Late(verdict.change, verdict.missing)
            for part in parts:
                self._await(part)
            self._fresh.waits[position] = Wait(late, parts)
            return Outcome(position, parts, LATE, late, verdict.deferred, waited)
        self._set_parts(position, None)
        for part in parts:
            self._await_no_more(part)
        if waited:
            self._fresh.waits[position] = None
        code = verdict.code if verdict.kind is Kind.VOID else verdict.kind.value
        return Outcome(position, parts, code, None, verdict.deferred, waited)

    def _await(self, position: int) -> None:
        if position not in self._waits:
            self._waits[position] = None
            self._fresh.undo.append(lambda: self._waits.pop(position, None))

    def _await_no_more(self, position: int) -> None:
        if position in self._waits:
            del self._waits[position]
            self._fresh.undo.append(lambda: self._waits.setdefault(position))

    def _set_parts(self, position: int, parts: tuple[int, ...] | None) -> None:
        before = self._parts.pop(position, None)
        if before is None and parts is None:
            return
        self._fresh.undo.append(lambda: _put(self._parts, position, before))
        _put(self._parts, position, parts)

    def cover(self, upto: int) -> list[int]:
        """Notes that a baseline or prune replaces the changes up to position `upto`, so that changes which wait at or
        before it no longer count, nor any piece of an update that has a piece there. Returns their positions. ▲ The
        server deletes the piece: a newcomer, who lacks it, could never merge the update."""
        gone = {position for position in (*self._waits, *self.named) if position <= upto}
        gone.update(*(parts for p, parts in self._parts.items() if p in self._waits and parts[0] <= upto))
        for key, (count, pieces) in list(self._groups.items()):
            if min(pieces.values()) <= upto:
                gone.update(pieces.values())
                del self._groups[key]
                self._fresh.undo.append(partial(_put, self._groups, key, (count, pieces)))
        self._judge.cover(gone)
        self._begin_no_more(list(gone))
        for position in gone:
            self._await_no_more(position)
            self._set_parts(position, None)
            self._fresh.waits[position] = None
        self.named = frozenset(position for position in self.named if position > upto)
        return sorted(gone)

    # -- what the judge asks (`app.objects.waiting.Rows`)

    def waiting(self, client: int, below: int) -> Sequence[Late]:
        """The updates that wait for an id (client, clock) of the CRDT client number `client` with a clock below
        `below`, in the store or in this transaction."""
        found = {
            last.position: Wait(Late(_change(last), (client, clock)), parts)
            for last, clock, parts in self._kept.waiting(client, below)
        }
        for position, wait in self._fresh.waits.items():
            found.pop(position, None)
            if wait is not None and wait.late.missing[0] == client and wait.late.missing[1] < below:
                found[position] = wait
        for position, wait in found.items():
            if len(wait.parts) > 1:
                self._set_parts(position, wait.parts)
        return [wait.late for position, wait in found.items() if position in self._waits]

    def facts(self, change: Change) -> Generator[None, None, Facts]:
        """Reads a waiting update again, and returns what it says. Works in steps. BugError if it is damaged."""
        try:
            return (yield from reading(self.update(self._parts.get(change.position, (change.position,)))[0]))
        except BadUpdate as bad:  # it passed when it was received
            raise BugError("replay: a waiting update is damaged") from bad

    def _changes(self, positions: Sequence[int]) -> list[PlacedChange]:
        lacking = [position for position in positions if position not in self._fresh.changes]
        found = {change.position: change for change in self._kept.changes(lacking)} if lacking else {}
        return [self._fresh.changes.get(position) or found[position] for position in positions]

    # -- transactions

    def mark(self) -> ReplayMark:
        """Begins a transaction: returns the present point, to which `rollback` can return. Call it only right after
        `settle` or `rollback`, with nothing judged since."""
        return self._judge, self._judge.mark(), self.upto, self.named

    def rollback(self, mark: ReplayMark) -> None:
        """Returns to the point that `mark` gave: as if no change had been judged since."""
        self._judge, inside, self.upto, self.named = mark
        self._judge.rollback(inside)
        for undo in reversed(self._fresh.undo):
            undo()
        self._fresh = _Fresh()

    def no_return(self) -> None:
        """Makes what was judged final without a store: the changes are kept in memory. For a replay of all changes at
        once."""
        self._judge.settle()
        self._fresh.undo.clear()

    def settle(self) -> None:
        """Makes what was judged final: the store has the changes and the waiting updates now, so that they are dropped
        from memory."""
        self._judge.settle()
        self._fresh = _Fresh()


def joined(changes: Sequence[PlacedChange], unpack: Unpack) -> tuple[bytes, bytes]:
    """Joins changes that are the pieces of one update (in any order), or one whole update, into (update, `begun` of a
    merged state or b""). Lacking pieces are not noticed. `unpack` reads a change's data; BadChange if it is damaged."""
    pieces = sorted((unpack(change.data) for change in changes), key=lambda piece: piece.index)
    return b"".join(piece.update for piece in pieces), b"".join(piece.begun for piece in pieces)


def _change(change: PlacedChange) -> Change:
    return Change(change.position, bytes(change.change_id), bytes(change.uid), change.t)


def _put(table: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value


def judge_of(unpack: Unpack) -> Callable[[Kept], Replay]:
    """How a kind's objects are judged, for `app.store.projection.Merging`."""
    return lambda kept: Replay(unpack, kept)
