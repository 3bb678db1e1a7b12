# SPDX-License-Identifier: EUPL-1.2
"""▲ Successors: a room that stopped for good (FORK, an unhealed ROLLBACK) continues in a new one (protocol §4).

An owner opens the successor and writes into it what the old room held. Each member's program then offers the own
changes that were cut off, by change id, each once. The old room stays as it is, readable. Every step can be interrupted
and is continued later.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from app.core import log
from app.core.enums import Role
from app.core.ids import ObjId, RoomId, Uid, short
from app.errors import BadChange, Forbidden, WorkerDied
from app.objects.pieces import group_of
from app.rooms import belonging
from app.rooms.announcements import announcements
from app.rooms.evidence import Exhibit, exhibits
from app.rooms.offers import HeldOffer, Offers
from app.rooms.records import (
    ChangeLeftOut,
    ChildLinked,
    ObjectAnnounced,
    ObjectRetired,
    ParentLinked,
    RoomNamed,
    decode,
    encode,
)
from app.rooms.service import MemberInfo, RoomService
from app.store.origins import OriginRow, Step
from app.store.rows import ObjectRow, StoredChange
from app.store.store import Store
from sync.client.engine import Engine
from sync.errors import Refused, Reject, SyncError, Unreachable
from sync.trust.room.successor_claim import Origin, object_in

Pairs = Sequence[tuple[ObjId, ObjId]]
"""An object and its successor: one pair, or one for each part of a series."""
Groups = Iterable[Sequence[tuple[ObjId, bytes]]]
"""Changes, each with the object that it is for; each group is written in one transaction."""
Carrier = Callable[[Pairs], Groups]
"""The state of objects as changes for their successors, without what is there already."""

RETRY_S = 30.0
MOST_CHILDREN = 50
"""The most rooms of which a successor says again that they belong to it; first those that its founder is in."""
STOPPED = ("fork", "rollback")


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """A room that continues another room, and the person who opened it."""

    room: RoomId
    by: Uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a room is related to rooms that continue each other.

    `origin`: the room that this one continues; `believed`: whether this device's copy of that room confirms it, and is
    up to date. `successors`: rooms that continue this one, oldest first, without those that are not believed.
    `refusal`: why this person cannot open one now ("not-stopped", "not-owner", "replaced"), or None. `evidence`: what
    is kept against the server here; `head`: the position and running hash where this device's verified copy ends.
    `restored`: the server was restored from a backup, and this device uploads again what it lost here.
    """

    origin: RoomId | None
    believed: bool
    successors: tuple[Successor, ...]
    refusal: str | None
    evidence: tuple[Exhibit, ...]
    head: tuple[int, bytes] | None
    restored: bool = False
    held: tuple[HeldOffer, ...] = ()
    """Own changes of the old room that wait: what they build on has no position in this room yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What opening a successor of a room would do. `n`, `t`: the last position that this device's copy vouches for, and
    its time in ms (None if the position has no time here). `members`: the people who would be invited. `waiting`: how
    many own changes are unsent and would be sent there."""

    n: int
    t: int | None
    members: tuple[MemberInfo, ...]
    waiting: int


class Succession:
    """Opens successors of stopped rooms, and follows those that others opened. Keep `run` running while the session
    lives, and call `wake` when something changed in a room."""

    def __init__(self, store: Store, engine: Engine, rooms: RoomService) -> None:
        self._store = store
        self._engine = engine
        self._rooms = rooms
        self._woken = asyncio.Event()
        self._opening: set[RoomId] = set()
        self.offers = Offers(store)
        """The own changes that wait before they are offered."""
        self.offers.moved.connect(self.wake)
        self.carriers: dict[str, Carrier] = {}
        """By kind. An object of a kind without a carrier is carried as its baseline."""

    # -- what is shown --------------------------------------------------------------------------------------------

    def standing(self, room: RoomId) -> Standing:
        """How the room is related to rooms that continue each other, as far as this device knows."""
        origin, at = self._store.origins.of(room), self._engine.standing(room)
        return Standing(
            origin=origin.old if origin else None,
            believed=origin is not None and self._believed(origin),
            successors=tuple(Successor(room=s.room, by=s.by) for s in self._successors(room)),
            refusal=self._refusal(room),
            evidence=exhibits(self._store, room),
            head=(at.n, at.rh) if at else None,
            restored=self._engine.room_state(room).value == "restored",
            held=self.offers.held(room) if origin is not None and self._believed(origin) else (),
        )

    def plan(self, room: RoomId) -> Plan:
        """What `open` would do now. Raises Forbidden for a room whose end this device does not know."""
        at = self._engine.standing(room)
        if at is None:
            raise Forbidden
        members = tuple(m for m in self._rooms.members(room) if not m.person.is_me)
        return Plan(n=at.n, t=self._store.rooms_list.time_of(room, at.n), members=members,
                    waiting=self._store.unsent(room))  # fmt: skip

    def _successors(self, room: RoomId) -> list[OriginRow]:
        return [s for s in self._store.origins.successors(room) if self._believed(s)]

    def _believed(self, origin: OriginRow) -> bool:
        return self._engine.may_continue(origin.old, origin.by)

    def _refusal(self, room: RoomId) -> str | None:
        if self._engine.room_state(room).value not in STOPPED:
            return "not-stopped"
        if self._rooms.my_role(room) is not Role.OWNER:
            return "not-owner"
        return "replaced" if room in self._opening or self._successors(room) else None

    # -- opening --------------------------------------------------------------------------------------------------

    async def open(self, old: RoomId) -> RoomId:
        """Opens the successor of the stopped room `old` and gives it its title; `run` does the rest, also after a
        restart. Returns the new room. Raises Forbidden if `standing` names a refusal or the end of `old` is not known
        here; Unreachable while offline, and then nothing has happened; Refused if the server refuses."""
        at = self._engine.standing(old)
        if self._refusal(old) is not None or at is None:
            raise Forbidden
        self._opening.add(old)
        try:
            room = await self._engine.operations.create_room(at)
            self._name(room, at)
        finally:
            self._opening.discard(old)
        self.wake()
        return room

    def _name(self, room: RoomId, at: Origin) -> None:
        """Gives the successor `room` the title and type of the old room, and announces the old room's objects in it, as
        records with their new ids; puts those that were in the trash there into the trash here; says which rooms it
        belongs with. Does nothing if the successor has a title already. `at`: the old room and the position where the
        successor begins."""
        row, here = self._store.rooms_list.get(at.room), self._store.rooms_list.get(room)
        if row is None or here is None or here.title:
            return
        root = ObjId(room)
        with self._store.transaction():
            self._store.changes.append(room, root, encode(RoomNamed(title=row.title, type=row.written_type)))
            for away in (False, True):
                objects = self._store.objects.all(at.room, deleted=away)
                for record in announcements(self._store, at.room, objects[::-1]):
                    there = _announced_in(room, at.room, record)
                    self._store.changes.append(room, root, encode(there))
                    if away:
                        self._rooms.retire(room, ObjId(there.obj), on=True)
            parent = belonging.named_parent(self._store.db, at.room)
            if parent is not None:
                self._store.changes.append(room, root, encode(ParentLinked(room=parent)))
            for child in belonging.named_children(self._store.db, at.room, MOST_CHILDREN):
                self._store.changes.append(room, root, encode(ChildLinked(room=child, on=True)))

    # -- own changes that wait to be offered

    async def offer_copy(self, room: RoomId, held: HeldOffer) -> bool:
        """Copies this device's content of the old object that `held` names into the successor `room`, in place of the
        own changes that wait there, which are never offered then. Returns whether this call made the copy: False if one
        is there or is being made. NotFound if they wait no longer, or if objects of that kind cannot be copied."""
        return await self.offers.copy(room, held.obj)

    def ask_later(self, room: RoomId, held: HeldOffer) -> None:
        """Has the question about a copy asked again 30 days from now."""
        self.offers.later(room, held.obj)

    def refuse_copy(self, room: RoomId, held: HeldOffer) -> None:
        """Declines the copy for good. The changes are still offered once everything that they build on is received."""
        self.offers.refuse(room, held.obj)

    # -- what runs ------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Has `run` check again: a room appeared or changed, the connection is back, or something was written."""
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. Does what is left to do on this device for every room that continues a stopped one, at
        first and whenever `wake` was called; tries what failed again after RETRY_S (30 s)."""
        while True:
            failed = False
            unfinished = self._store.origins.unfinished()
            held = [origin for origin in self._store.origins.all() if self.offers.due(origin.room)]
            for origin in [*unfinished, *(origin for origin in held if origin not in unfinished)]:
                if self._believed(origin):
                    if self._store.origins.note_believed(origin):
                        self._rooms.notify_changed(origin.old)
                    failed = not await self._go_on(origin) or failed
            try:
                async with asyncio.timeout(RETRY_S if failed else None):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()

    async def _go_on(self, origin: OriginRow) -> bool:
        """Takes the next steps of one successor. Returns False if the network, the server or an error prevented it (it
        is logged, and tried again later); otherwise True, also if this person has nothing to do there."""
        try:
            if origin.by == self._engine.uid and origin.step < Step.DONE:
                await self._found(origin)
            elif (self._rooms.my_role(origin.room) or 0) >= Role.WRITER:
                await self._offer(origin)
            else:
                return True  # this person is not in it yet, or has nothing to offer
            self._store.origins.set_step(origin.room, Step.DONE)
            return True
        except SyncError as e:
            log.store.info("successor-waits", code=e.code)
            return False
        except Exception as e:  # a full disk, or a fault of ours: tried again, never the end of the task
            log.store.exception("successor", e)
            return False

    async def _found(self, origin: OriginRow) -> None:
        """Does the founder's part: carries the content over, waits until the server has acknowledged it, and only then
        invites the members. So their offered changes come after the content, and a member who was added without the
        history still reads nothing older."""
        self._name(origin.room, Origin(room=origin.old, n=origin.n, rh=origin.rh))
        if origin.step < Step.FOLLOWED:
            await self._carry(origin)
            await self._sent(origin.room)  # offered changes build on what was carried
            await self._offer(origin)
            self._store.origins.set_step(origin.room, Step.FOLLOWED)
        await self._sent(origin.room)
        await self._invite(origin)

    async def _carry(self, origin: OriginRow) -> None:
        for away in (False, True):
            for kind, objects in self._together(origin, self._store.objects.all(origin.old, deleted=away)):
                for group in await self._groups(kind, objects):
                    with self._store.transaction():
                        for into, data in group:
                            self._store.changes.append(origin.room, into, data)
                    await asyncio.sleep(0)

    def _together(self, origin: OriginRow, objects: Sequence[ObjectRow]) -> Iterator[tuple[str, Pairs]]:
        """The kind of each of `objects`, which are those of the old room, with the object and its successor. Parts of a
        series come together, in the order in which they were announced."""
        parts = {part.obj: part.series for part in self._store.series.all(origin.old) if part.counts}
        by_id = {found.obj: found for found in objects}
        for found in objects:
            if found.obj not in parts or found.obj == parts[found.obj]:
                together = [found.obj, *(p for p, s in parts.items() if s == found.obj != p and p in by_id)]
                yield found.kind, [(obj, object_in(origin.room, origin.old, obj)) for obj in together]

    async def _groups(self, kind: str, objects: Pairs) -> Groups:
        """The state of `objects`, which are of the kind `kind`, as groups of changes for their successors. Empty for an
        object that cannot be carried or is there already. WorkerUnavailable if the worker process, which merges the
        state, cannot be started.

        ▲ An object at which the worker process ends is left out. Otherwise its author could keep everybody out of the
        successor: the objects behind it would not be carried, and nobody would be invited.
        """
        carrier, baseline = self.carriers.get(kind), self._rooms.baselines.kinds.get(kind)
        if carrier is not None:
            return carrier(objects)
        ((obj, into),) = objects
        if baseline is None or self._store.changes.of(into):
            return ()
        if not self._store.trials.is_sound(obj):  # ▲ otherwise a part of it would count as the whole
            log.store.warning("not-carried", obj=short(obj))
            return ()
        try:
            state = await baseline(obj)
        except WorkerDied as e:
            log.store.warning("not-carried", code=e.code, obj=short(obj))
            return ()
        return () if self._store.changes.of(into) else ([(into, data) for data in state],)

    async def _sent(self, room: RoomId) -> None:
        """Waits until the server has everything that was written in the room here. Raises Unreachable after RETRY_S
        (30 s), since other rooms wait."""
        moved = asyncio.Event()
        end = self._store.waiting_changed.connect(moved.set)
        try:
            async with asyncio.timeout(RETRY_S):
                while self._store.unsent(room):
                    moved.clear()
                    await moved.wait()
        except TimeoutError as e:
            raise Unreachable("not sent yet") from e
        finally:
            end()

    async def _invite(self, origin: OriginRow) -> None:
        """Invites every member of the old room once, with the same role and access to the history. A member who leaves
        is not invited again, and one whom the server or the log's rules refuse is left out. Raises Unreachable while
        offline."""
        asked = {e.subject for e in self._rooms.events(origin.room) if e.kind == "add"}
        for member in self._store.rooms_list.members(origin.old):
            if member.uid in asked or member.uid == self._engine.uid:
                continue
            try:
                await self._rooms.add(origin.room, member.uid, member.role, member.history)
            except (Refused, Reject) as e:  # their account has ended meanwhile; an administrator may add them later
                log.store.warning("successor-without", code=e.code)

    # -- own changes ----------------------------------------------------------------------------------------------

    async def _offer(self, origin: OriginRow) -> None:
        """▲ Offers (writes once more) in the successor room this person's changes that the founder did not have: those
        behind the position that the successor names, and those without a position. If this device's copy lacks that
        position, or has a different hash there, it is unknown which ones the founder had: then all own changes are
        offered, except those that were offered before. Also copies the drafts of objects that have none there.

        ▲ A change of an object that merges waits until everything that it builds on has a position in the successor.
        All other changes are offered at once.
        """
        same = self._store.rh_at(origin.old, origin.n) == origin.rh
        after = origin.n if same else 0
        split = self._split(origin.old, after)

        def shared(change: StoredChange) -> tuple[ObjId, bytes] | None:
            known = change.n is not None and change.n <= after
            return None if known and self._group(change) not in split else self._for_successor(origin, change, same)

        first = 0 if split else after
        own = [(change, here[0]) for change in self._store.origins.own(origin.old, first) if (here := shared(change))]
        refused = self._store.origins.refused(origin.room)
        own = [
            (change, into)
            for change, into in own
            if (into, change.change_id) in refused or not self._store.origins.is_there(origin.room, change)
        ]
        waits = await self.offers.lacking(origin, own)
        offered = self._store.origins.offer(origin, first, lambda c: None if c.rowid in waits else shared(c))
        for found in self._store.objects.all(origin.old):
            into = object_in(origin.room, origin.old, found.obj)
            draft = self._store.objects.draft(found.obj)
            if draft and not self._store.objects.draft(into):
                self._store.objects.set_draft(origin.room, into, draft)
        log.store.info("offered-again", count=offered, waits=len(waits))

    def _split(self, room: RoomId, after: int) -> set[bytes]:
        """The ids of this person's updates in several changes (pieces) of which at least one piece comes after position
        `after`, or has no position. The founder could not join those updates, so all their pieces are offered, also
        those at or before `after`. `room`: the old room."""
        return {group for change in self._store.origins.own(room, after) if (group := self._group(change)) is not None}

    def _group(self, change: StoredChange) -> bytes | None:
        found = self._store.objects.get(change.obj)
        return group_of(change.data) if found is not None and found.kind in self.offers.copiers else None

    def _for_successor(self, origin: OriginRow, change: StoredChange, same: bool) -> tuple[ObjId, bytes] | None:
        """An own change of the old room in the form for the successor, as (object there, data): the same bytes, except
        that records about objects name the new objects' ids. `same`: this device's copy agrees with the founder's up to
        the position where the successor begins. None (not to be offered) for a record of the room that cannot be read
        or that leaves a change out; without `same` also for one that has a position, unless it announces an object."""
        into = object_in(origin.room, origin.old, change.obj)
        if into != ObjId(origin.room):
            return into, change.data
        try:
            record = decode(change.data)
        except BadChange:
            return None
        match record:
            case ObjectAnnounced():
                return into, encode(_announced_in(origin.room, origin.old, record))
            case ObjectRetired(obj=obj, on=on):
                record = ObjectRetired(obj=object_in(origin.room, origin.old, ObjId(obj)), on=on)
            case ChangeLeftOut():
                return None  # what it left out was not carried over
        # a record of which the latest counts must not return from before the position that the founder knew
        return (into, encode(record)) if same or change.n is None else None


def _announced_in(room: RoomId, old: RoomId, record: ObjectAnnounced) -> ObjectAnnounced:
    """A record of `old` that announces an object, in its form for `room`, which continues `old`: about the object there
    that continues it, in the series there that continues its series."""
    series = None if record.series is None else object_in(room, old, ObjId(record.series))
    return replace(record, obj=object_in(room, old, ObjId(record.obj)), series=series)
