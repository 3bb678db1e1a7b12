# SPDX-License-Identifier: EUPL-1.2
"""Rooms and their members: what a person does with them, and what lists show."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.enums import Level, Role, RoomState, RoomType
from app.core.i18n import tr
from app.core.ids import ChangeId, Hash, ObjId, RoomId, Uid
from app.core.signal import Signal
from app.core.visible import one_line
from app.errors import Forbidden, NotFound
from app.objects.trash import Retired
from app.people.person import Person
from app.people.service import PeopleService
from app.rooms import put_away, removals
from app.rooms.additions import Additions
from app.rooms.baselines import Baselines
from app.rooms.founding import Also, Founding, Starter
from app.rooms.records import (
    ChangeLeftOut,
    ObjectAnnounced,
    ObjectRetired,
    Record,
    RoomNamed,
    encode,
    shown_title,
)
from app.rooms.removals import Removal
from app.store.rows import ObjectRow, RoomRow
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.ports import RoomEvent
from sync.trust.room.removal_notes import MAX_REASON


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomSummary:
    """A room as lists show it. `preview`: the latest activity as one line, at `last_ms`; `last_by`: whose that is, None
    if nobody's. `level`: what of the room rings. `left`: this person has left it. `replaced`: another room continues
    it. `sealed_state`: what sync says of the room's encryption; who the members are is not considered in it
    (`SecurityStatuses.level` does that)."""

    room: RoomId
    title: str
    type: RoomType
    preview: str
    unread: int
    mentions: int
    level: Level
    favourite: bool
    left: bool
    replaced: bool
    sealed_state: RoomState
    last_ms: int
    last_by: Uid | None

    @property
    def muted(self) -> bool:
        """Whether only what is meant for the person rings and counts among what is unread, or nothing rings."""
        return self.level is not Level.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberInfo:
    """A member of a room. `since_ms`: when they were added (server time), 0 for the founder; `history`: they may read
    everything since the room began; `invited`: nothing that they wrote is in the room yet, so it is unknown whether
    they have accepted, declined or not looked."""

    person: Person
    role: Role
    since_ms: int
    history: bool = True
    invited: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedMember:
    """A former member whose account the agency has ended. `t_ms`: when the room received that (server time)."""

    person: Person
    t_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryProposal:
    """A proposal by the administrator `by` that the member `subject` may read everything since the room began. `ident`:
    its id. `approved`: a second administrator has agreed, and only the keys are left to give. `refusal`: a code
    for why this person cannot do the next step, such as "own" (they made the proposal; all codes are in
    sync/client/exchange/history_grants.py); None if they can."""

    ident: Hash
    subject: Person
    by: Person
    approved: bool
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSummary:
    """An object of a room (document, board, chat) as lists show it. `by`: who made it."""

    obj: ObjId
    room: RoomId
    kind: str
    title: str
    updated_ms: int
    by: Uid | None


class RoomService:
    """What a person does with rooms and their members, and what lists show of them. Actions that need the server are
    coroutines and raise SyncErrors, such as Unreachable."""

    def __init__(self, store: Store, engine: Engine, people: PeopleService, starters: Sequence[Starter]) -> None:
        self.changed: Signal[()] = Signal()
        """The list of rooms has changed; `room_changed` names the room."""
        self.room_changed: Signal[RoomId] = Signal()
        self.wished: Signal[RoomId, str, str | bool] = Signal()
        """The person has chosen here what of a room rings (`field` "level"), or whether it is a favourite."""
        self._store = store
        self._engine = engine
        self._people = people
        self._founding = Founding(store, engine, starters)
        self.additions = Additions(store, engine, self.may_write)
        self.lines = store.room_lines
        """What happened in rooms, as far as this person may see it."""
        self.baselines = Baselines(store, engine.is_whole)
        self._ends = [store.changed.connect(self.notify_changed), self.additions.close]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    def notify_changed(self, room: RoomId) -> None:
        """Emits `room_changed` and `changed`: something about the room has changed."""
        self.room_changed.emit(room)
        self.changed.emit()

    # -- lists ----------------------------------------------------------------------------------------------------

    def rooms(self) -> list[RoomSummary]:
        """All rooms, in this order: those that this person is in; those that another room continues; those that were
        left, whose content stays readable. Within each group pinned rooms come first, then the latest activity. A room
        without a title yet is not shown."""
        rows = [*self._store.rooms_list.all(), *self._store.rooms_list.all(left=True)]
        shown = [self._summary(row) for row in rows if row.title]
        return sorted(shown, key=lambda room: (room.left, room.replaced))

    def room(self, room: RoomId) -> RoomSummary:
        """The room with this id as lists show it, also one without a title or one that was left. NotFound if this
        device does not know it."""
        row = self._store.rooms_list.get(room)
        if row is None:
            raise NotFound
        return self._summary(row)

    def _summary(self, row: RoomRow) -> RoomSummary:
        preview = row.last_preview
        if preview and row.last_by == self._engine.uid:
            preview = _own(preview)
        return RoomSummary(
            room=row.room,
            title=self._shown_title(row),
            type=row.type,
            preview=preview,
            unread=row.unread,
            mentions=row.mentions,
            level=row.level,
            favourite=row.pinned,
            left=row.left,
            replaced=self._replaced(row.room),
            sealed_state=self._engine.room_state(row.room),
            last_ms=max(row.last_t, row.created),
            last_by=row.last_by,
        )

    def _shown_title(self, row: RoomRow) -> str:
        """The title under which a room is shown: its own, or for a direct room the other person's name (its own if
        there is not exactly one other member)."""
        if row.type is not RoomType.DIRECT:
            return row.title
        others = [p.name for p in self.people_in(row.room) if not p.is_me]
        return others[0] if len(others) == 1 else row.title

    def members(self, room: RoomId) -> list[MemberInfo]:
        """The room's members: owners first, down to readers; within a role the longest-standing first."""
        since = {e.subject: e.t for e in self._store.rooms_list.events(room) if e.kind == "add"}
        wrote = {self._engine.uid, *self._engine.speakers(room)}
        return [
            MemberInfo(
                person=self._people.person(m.uid),
                role=m.role,
                since_ms=since.get(m.uid, 0),
                history=m.history,
                invited=m.uid not in wrote,
            )
            for m in self._store.rooms_list.members(room)
        ]

    def ended(self, room: RoomId) -> list[EndedMember]:
        """Former members whose account the agency has ended, the first ended first. Left out are those who are members
        again under another account, that is, with the same name, title and unit."""
        here = {(p.name, p.title, p.unit) for p in self.people_in(room)}
        found = [(self._people.person(uid), t) for uid, t in self._store.rooms_list.resets(room)]
        return [EndedMember(person=p, t_ms=t) for p, t in found if (p.name, p.title, p.unit) not in here]

    def removed(self, room: RoomId) -> int:
        """How many removals `removals` returns."""
        return removals.count(self._store, room)

    def removals(self, room: RoomId) -> list[Removal]:
        """The newest removals with their reasons, newest first."""
        return removals.read(self._store, self._engine, self._people, room)

    def people_in(self, room: RoomId) -> list[Person]:
        """The people of `members`."""
        return [self._people.person(m.uid) for m in self._store.rooms_list.members(room)]

    def my_role(self, room: RoomId) -> Role | None:
        """This person's role; None if they are not a member."""
        row = self._store.rooms_list.get(room)
        return row.role if row and not row.left else None

    def is_admin(self, room: RoomId) -> bool:
        """Whether this person may manage members."""
        return (self.my_role(room) or 0) >= Role.ADMIN

    def sole_owner(self, room: RoomId) -> Person | None:
        """The only owner of a room of several people: without them nobody could name another owner. None where several
        people are owners, in a conversation of two, in a room that this person has left, that another continues, or
        that is not known."""
        row = self._store.rooms_list.get(room)
        if row is None or row.left or row.type is RoomType.DIRECT or self._replaced(room):
            return None
        members = self._store.rooms_list.members(room)
        owners = [m.uid for m in members if m.role is Role.OWNER]
        return self._people.person(owners[0]) if len(owners) == 1 and len(members) > 1 else None

    def only_mine(self) -> list[RoomSummary]:
        """The rooms of several people whose only owner this person is, in the order in which rooms are listed; without
        conversations of two and rooms that another continues."""
        owned = (room for room in self.rooms() if self.my_role(room.room) is Role.OWNER)
        return [room for room in owned if self.sole_owner(room.room) is not None]

    def may_write(self, room: RoomId) -> bool:
        """Whether this person may write here. Nobody may in a room that another continues."""
        return (self.my_role(room) or 0) >= Role.WRITER and not self._replaced(room)

    def _replaced(self, room: RoomId) -> bool:
        return any(self._engine.may_continue(room, s.by) for s in self._store.origins.successors(room))

    def notices(self, room: RoomId) -> list[str]:
        """Codes (see ui/errors/) of what a person in the room should know beside its security status: why their changes
        are not sent, that a received change could not be decrypted ("decrypt"), and that an object whose history was
        cleared on the server is incomplete here ("gap"). What stops the whole room is in `sealed_state`."""
        why = self.why_unsent(room)
        codes = [why] if why is not None else []
        codes += ["gap"] if self._engine.has_missing_range(room) else []
        return codes + (["decrypt"] if self._store.inbox.bad(room) else [])

    def why_unsent(self, room: RoomId) -> str | None:
        """The code (see ui/errors/) of why the server refuses what this person has written in the room; None if nothing
        waits there, it is not refused, or the room's state says the same."""
        why = self._engine.blocked(room)
        if not why or why == self.state(room) or not self._store.unsent(room):
            return None
        return "may-not-write" if why == "forbidden" else why

    def state(self, room: RoomId) -> RoomState:
        """What sync says of the room's encryption, as `RoomSummary.sealed_state`."""
        return self._engine.room_state(room)

    def filling(self, room: RoomId) -> int | None:
        """How many per cent of the room's older items have been read again, while this device does so in the
        background, since it got their keys later or began with snapshots (merged states). None if nothing is left to be
        read again, or the room is not known."""
        found = self._engine.reread_progress(room)
        return found[0] * 100 // max(1, found[1]) if found is not None else None

    def events(self, room: RoomId) -> list[RoomEvent]:
        """The room's log, for its timeline."""
        return self._store.rooms_list.events(room)

    def objects(self, room: RoomId) -> list[ObjectSummary]:
        """The room's objects, latest changed first, without the root object (the room's own records) and without those
        in the trash."""
        return [_object_summary(o, o.updated) for o in self._store.objects.all(room) if o.obj != ObjId(room)]

    def recent(self, limit: int) -> list[ObjectSummary]:
        """The objects that this person opened last on this device, latest first, at most `limit`, without those in the
        trash; here `updated_ms` is when they were opened."""
        return [_object_summary(o, t) for o, t in self._store.objects.recent(limit)]

    def opened(self, room: RoomId, obj: ObjId) -> None:
        """Notes that this person has opened the object `obj` now: for the list of what they opened last."""
        self._store.objects.opened(obj)
        self.changed.emit()

    def set_level(self, room: RoomId, level: Level) -> None:
        """Sets what of the room rings, on all devices of this person."""
        self._store.rooms_list.set_level(room, level)
        self.wished.emit(room, "level", level.value)

    def set_favourite(self, room: RoomId, favourite: bool) -> None:
        """Puts the room first in its group of the list, or back, on all devices of this person."""
        self._store.rooms_list.set_pinned(room, favourite)
        self.wished.emit(room, "favourite", favourite)

    def apply_wish(self, room: RoomId, field: str, wish: object) -> bool:
        """Applies what the person has wished on another device: `field` is "level" or "favourite". A wish that is none,
        perhaps a newer program's, changes nothing. Returns whether this device has the room."""
        row = self._store.rooms_list.get(room)
        if row is None:
            return False
        level = next((each for each in Level if field == "level" and each == wish), row.level)
        if level is not row.level:
            self._store.rooms_list.set_level(room, level)
        if field == "favourite" and isinstance(wish, bool) and row.pinned != wish:
            self._store.rooms_list.set_pinned(room, wish)
        return True

    # -- the whole history for one member -------------------------------------------------------------------------

    def history_proposals(self, room: RoomId) -> list[HistoryProposal]:
        """The open proposals to give a member of the room the whole history, and what this person can do about each."""
        return [
            HistoryProposal(
                ident=p.ident,
                subject=self._people.person(p.subject),
                by=self._people.person(p.by),
                approved=p.approved,
                refusal=p.refusal,
            )
            for p in self._engine.history_proposals(room)
        ]

    def history_refusal(self, room: RoomId, uid: Uid) -> str | None:
        """Why this person cannot propose that the member `uid` may read the whole history: "not-member" (`uid` is no
        member, or the room is not known), "not-admin" (this person is no administrator), "has-it" (`uid` may read it
        already), "proposed" (somebody did already), "one-admin" (nobody else could approve); None if they can."""
        return self._engine.may_propose_history(room, uid)

    async def propose_history(self, room: RoomId, uid: Uid) -> None:
        """Proposes that the member `uid` may read everything since the room began; another administrator must approve.
        Unreachable while offline; Refused "forbidden" if this person is no administrator."""
        await self._engine.operations.propose_history(room, uid)

    async def give_history(self, room: RoomId, proposal: Hash) -> None:
        """Approves a proposal (its id) and gives the member the keys to the whole history. This cannot be undone."""
        await self._engine.operations.give_history(room, proposal)

    # -- actions --------------------------------------------------------------------------------------------------

    async def create(self, title: str, type: RoomType, also: Also | None = None) -> RoomId:  # noqa: A002
        """Makes a room with this title and type, and the objects that every room begins with. Returns its id.
        Unreachable while offline or if no answer comes; Refused by the server. StoreFault if the disk refuses the title
        or the objects. After an error the room may exist without a title, so that no list shows it. Each such room is
        used by one later call, also after a restart: it then has the title and type of that call's arguments. `also` is
        called with the room's id in the transaction that stores the title: both are stored, or neither."""
        return await self._founding.create(title, type, also)

    async def add(self, room: RoomId, uid: Uid, role: Role, history_all: bool, greeting: str = "") -> None:
        """Adds a person to the room. `history_all`: they can read everything since the room began; otherwise only what
        is written from now on.

        Without the history they get each object's present state; what was written or deleted before stays closed to
        them. A person who does not know the adder is asked first, and is shown the room's title and the `greeting`,
        which every member can read.

        Unreachable while offline. Refused "forbidden" if this person may not add them so, "member" if they are a
        member already. Reject "not-ready" if the room's key cannot be encrypted to them yet.

        StoreFault if the disk refuses the invitation (the title and the greeting). Unreachable also if no reply came in
        time. In both cases the person may be a member by now. If so, the invitation is stored as soon as this device
        has read that, also after a restart. The next call for this person then returns if they have the role and the
        access to the history that it asks for; otherwise it raises Refused "member".
        """
        try:
            await self.additions.add(room, uid, role, history_all, greeting)
        finally:
            self.baselines.wake(room)

    async def remove(self, room: RoomId, uid: Uid, reason: str = "") -> None:
        """Removes a person from the room; its next key is not given to them. The members who stay can read the
        `reason`. Unreachable while offline; Refused if this person's role does not allow it; Reject if the person is no
        member, or is this person."""
        await self._engine.operations.remove(room, uid, one_line(reason, MAX_REASON))

    async def leave(self, room: RoomId) -> None:
        await self._engine.operations.leave(room)

    async def set_role(self, room: RoomId, uid: Uid, role: Role) -> None:
        await self._engine.operations.set_role(room, uid, role)

    async def rotate(self, room: RoomId) -> None:
        """Gives the room a new key, on demand."""
        await self._engine.operations.rotate(room)

    def rename(self, room: RoomId, title: str) -> None:
        """Gives the room a new title; works offline. NotFound if this device does not know the room."""
        row = self._store.rooms_list.get(room)
        if row is None:
            raise NotFound
        self._write(room, RoomNamed(title=shown_title(title), type=row.written_type))

    def announce(self, room: RoomId, obj: ObjId, kind: str) -> None:
        """Writes the record by which the room lists a new object of this `kind`. Call it within the caller's
        transaction, before the object's first change."""
        self._write(room, ObjectAnnounced(obj=obj, kind=kind))

    def announce_part(self, room: RoomId, obj: ObjId, kind: str, series: ObjId, period: int) -> None:
        """As `announce`, for an object that is part of a series, such as a month of a chat (app/store/series.py).
        `series`: the first object of the series; `period`: the month (app/core/months.py)."""
        self._write(room, ObjectAnnounced(obj=obj, kind=kind, series=series, period=period))

    def retire(self, room: RoomId, obj: ObjId, on: bool) -> None:
        """Puts an object into the room's trash (`on` True), or restores it (False)."""
        self._write(room, ObjectRetired(obj=obj, on=on))

    def put_away(self, room: RoomId | None = None, by: Uid | None = None) -> list[Retired]:
        """The objects that are in the trash, of one room or all, put away by one person or anybody; the latest
        first."""
        return put_away.read(self._store.db, room, by)

    def leave_out(self, room: RoomId, obj: ObjId, author: Uid, change: ChangeId) -> None:
        """Leaves one change out of an object for every member, from now on. `author` and `change` (its id) name the
        change. Forbidden if this person is no administrator."""
        if not self.is_admin(room):
            raise Forbidden
        self._write(room, ChangeLeftOut(obj=obj, author=author, change=change))

    def _write(self, room: RoomId, record: Record) -> None:
        self._store.changes.append(room, ObjId(room), encode(record))


def _own(preview: str) -> str:
    return tr("You: {text}").format(text=preview)


def _object_summary(o: ObjectRow, t: int) -> ObjectSummary:
    return ObjectSummary(obj=o.obj, room=o.room, kind=o.kind, title=o.title, updated_ms=t, by=o.by)
