# SPDX-License-Identifier: EUPL-1.2
"""Rooms to which a person was added and that wait for their answer; and colleagues whose invitations are hidden.

Nothing of such a room is in the store before the person accepts (sync/client/exchange/room_invitations.py). The answers
are records in the personal room and apply on all of the person's devices.
"""

from collections import Counter
from dataclasses import dataclass, replace

from app.core import clock
from app.core.enums import Role, RoomType
from app.core.ids import RoomId, Uid
from app.core.signal import Signal
from app.errors import NotFound
from app.people.person import Person, Verified
from app.people.service import PeopleService
from app.rooms import belonging
from app.rooms.answers import Answer, Answers, is_before
from app.rooms.consent import Knowledge, decide, read
from app.settings import ASK_UNKNOWN, Settings
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.room.invitation_consent import Added, Invitation, Verdict

MAX_AN_ADDER = 20
MAX_OPEN = 100
"""How many invitations are shown one by one. The others are only counted, by adder."""
DAY_MS = 86_400_000
_NOTED = "invited-by-"
"""The note with the time (ms, own clock) at which the person was last notified of an adder's invitations, and the
server's time of the newest of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvitation:
    """One invitation: a room to which `by` added this person, who has not answered. `by` is None if that person is not
    known. `title` (for a direct room the name of `by`) and `greeting` are "" if they cannot be read; `long`: the room
    has so much in it that none of its records is read before the answer. `t_ms`: when the person was added (the
    server's time), 0 if it is not known; `role`: the one that they have there, None if it is not known."""

    room: RoomId
    by: Person | None
    title: str
    type: RoomType
    greeting: str
    t_ms: int
    role: Role | None
    long: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreInvitations:
    """The invitations of one person (`by`; None if unknown) that are too many to be shown one by one."""

    by: Person | None
    rooms: tuple[RoomId, ...]


class Invitations:
    """The invitations of one account. Decides which rooms wait for an answer, as
    `sync.client.room.invitation_consent.Consent`, lists them for the interface, and stores the answers."""

    def __init__(
        self, store: Store, engine: Engine, people: PeopleService, settings: Settings, answers: Answers
    ) -> None:
        self.changed: Signal[()] = Signal()
        """An invitation was opened or closed, or a person was blocked or unblocked."""
        self.arrived: Signal[Person | None] = Signal()
        """A person sent an invitation (None: the adder is not known). Emitted at most once an adder and day."""
        self._store = store
        self._engine = engine
        self._people = people
        self._settings = settings
        self._answers = answers
        self._online = False
        self._parents: dict[RoomId, RoomId] = {}
        """By room of an open invitation whose records were read: the room that it belongs to, as the inviting colleague
        says."""
        self._ends = [
            answers.changed.connect(self._on_answers),
            people.changed.connect(self._reconsider),
            settings.changed.connect(lambda key: self._reconsider() if key == ASK_UNKNOWN.key else None),
            store.changed.connect(self._on_changed),
        ]

    def close(self) -> None:
        """Stops following the person's answers, the people and the settings."""
        for end in self._ends:
            end()

    # -- what is shown --------------------------------------------------------------------------------------------

    def all(self) -> list[OpenInvitation]:
        """The invitations that are shown one by one, oldest first. Empty until this device was online once: until then
        it does not know what another device answered."""
        return [self._shown(i) for i in self._waiting() if i.read]

    def get(self, room: RoomId) -> OpenInvitation:
        """The open invitation to one room, also one that `all` leaves out because there are too many. NotFound if it is
        not open any more, or this device was not online yet."""
        found = next((i for i in self._waiting() if i.added.room == room), None)
        if found is None:
            raise NotFound
        return self._shown(found)

    def more(self) -> list[MoreInvitations]:
        """The invitations that are too many to be shown one by one, grouped by the person who sent them, the group with
        the oldest addition first. Empty until this device was online once."""
        rooms: dict[Uid | None, list[RoomId]] = {}
        for i in self._waiting():
            if not i.read:
                rooms.setdefault(i.added.adder, []).append(i.added.room)
        return [MoreInvitations(by=self._person(uid), rooms=tuple(found)) for uid, found in rooms.items()]

    @property
    def count(self) -> int:
        """How many invitations are open, those that are not shown one by one included."""
        return len(self._waiting())

    def _waiting(self) -> list[Invitation]:
        return self._engine.invitations if self._online else []

    def _shown(self, i: Invitation) -> OpenInvitation:
        shown, added = read(i, self._engine.uid), i.added
        by = self._person(added.adder)
        return OpenInvitation(
            room=added.room,
            by=by,
            title=by.name if by is not None and shown.type is RoomType.DIRECT else shown.title,
            type=shown.type,
            greeting=shown.greeting,
            t_ms=added.t,
            role=added.role,
            long=added.long,
        )

    def _person(self, uid: Uid | None) -> Person | None:
        return self._people.person(uid) if uid is not None else None

    def blocked(self) -> list[Person]:
        """The colleagues whose invitations are hidden, in the order of their names."""
        return sorted(map(self._people.person, self._answers.blocked()), key=lambda p: p.name)

    @property
    def declined(self) -> int:
        """How many rooms were declined."""
        return len(self._answers.declined())

    # -- answers --------------------------------------------------------------------------------------------------

    async def accept(self, room: RoomId) -> None:
        """Accepts the invitation to a room: the room opens as soon as this device is online, and its members see that
        the person has joined. Raises SyncError if the answer cannot be stored yet (a new account that was never
        online)."""
        await self._answers.give("accepted", [(room, self._position(room))])

    async def decline(self, *rooms: RoomId) -> None:
        """Declines invitations: hides these rooms on all of the person's own devices. No colleague is notified."""
        await self._answers.give("declined", [(room, self._position(room)) for room in rooms])

    async def ask_again(self, *rooms: RoomId) -> None:
        """Makes declined rooms open invitations again; all of them if none is named."""
        await self._answers.give("asked", [(room, 0) for room in rooms or self._answers.declined()])

    async def block(self, uid: Uid) -> None:
        """Hides every invitation that this colleague sends, on all of the person's own devices. No colleague is
        notified. SyncError if the block cannot be stored yet (a new account that was never online)."""
        await self._answers.block(uid, True)

    async def unblock(self, uid: Uid) -> None:
        """Shows the colleague's invitations again."""
        await self._answers.block(uid, False)

    def _position(self, room: RoomId) -> int:
        """The position of the room's log to store with an answer to an invitation: that of the entry that added the
        person, or 0 if it is not known; never one before the position at which they last left the room."""
        added_n = next((i.added.added_n for i in self._engine.invitations if i.added.room == room), 0)
        return max(added_n, self._store.rooms_list.left_at(room, self._engine.uid))

    # -- sync.client.room.invitation_consent.Consent --------------------------------------------------------------

    def answered(self, room: RoomId, n: int) -> Verdict | None:
        """The answer that the person has already given, on this device or on another of theirs, about a room whose last
        position is `n`; None for no answer, and if they want to be asked again. ▲ A yes about a position after `n` is
        no answer: the room has no such addition yet."""
        found = self._answers.answer(room)
        if found is None or (found.answer == "accepted" and found.n > n):
            return None
        return {"accepted": Verdict.OPEN, "declined": Verdict.HIDE}.get(found.answer)

    def decide(self, added: Added) -> Verdict:
        """Decides whether a room to which the person was added opens, is hidden, or waits for an answer. `added`: what
        the room's log says about the addition."""
        found, me = self._answers.answer(added.room), self._engine.uid
        yes = found is not None and found.answer == "accepted"
        before = yes and found is not None and found.n <= added.n  # ▲ as in `answered`
        left_n = self._store.rooms_list.left_at(added.room, me)
        if left_n and added.long:  # ▲ a long room is not read as far as the leaving
            added = replace(added, left=True)
        known = Knowledge(
            me=me,
            asks=self._settings.get(ASK_UNKNOWN),
            accepted=yes and found is not None and self._holds(found, added, left_n),
            declined=found is not None and found.answer == "declined",
            blocked=added.adder in self._answers.blocked(),
            known=before or (added.adder is not None and self._knows(added.adder)) or self._belongs(added.room),
            continues=self._continues(added),
        )
        return decide(added, known)

    def _holds(self, yes: Answer, added: Added, left_n: int) -> bool:
        """Whether `yes`, a stored answer, is about the addition `added`, the last one to its room. `left_n`: the
        position at which the person left the room before, 0 if they did not. ▲ Otherwise a stolen device could accept
        all additions that are still to come."""
        if added.added_n > left_n:
            return yes.n == added.added_n
        left_ms = self._store.rooms_list.entry_time(added.room, left_n) or 0
        return yes.n <= added.n and not is_before(yes, left_n, left_ms)

    def reads(self, added: Added) -> bool:
        """Whether the invitation `added` can be shown one by one, so that its few records are fetched: of those that
        are shown so already, fewer than MAX_AN_ADDER are from the same sender, and fewer than MAX_OPEN in all."""
        shown = Counter(i.added.adder for i in self._engine.invitations if i.read and i.added.room != added.room)
        return shown[added.adder] < MAX_AN_ADDER and shown.total() < MAX_OPEN

    def on_invitations(self) -> None:
        """Called by the session when a room begins or ceases to wait for an answer. Emits `changed`, and has the engine
        judge the invitations again if a room belongs to one in which the person is: such a room opens without a
        question. Which room it belongs to is in its records, which the engine has read only now."""
        shown = ((i.added.room, read(i, self._engine.uid).parent) for i in self._engine.invitations if i.records)
        self._parents = {room: parent for room, parent in shown if parent is not None}
        if any(map(self._belongs, self._parents)):
            self._engine.reconsider()
        self._emit_invited()
        self.changed.emit()

    def _knows(self, uid: Uid) -> bool:
        """Whether this person knows the colleague who added them: verified in person, of the same unit, or both wrote
        in a direct room. Only the first counts for a person whose keys are not certified or about whom there is a
        warning. ▲ Decided by the agency's record, which that colleague's log has signed, and never by what they
        wrote."""
        person, row, mine = (
            self._people.person(uid),
            self._store.people.get(uid),
            self._store.people.get(self._engine.uid),
        )
        if person.verified is Verified.IN_PERSON:
            return True
        if person.verified is Verified.NONE or person.warning or row is None:
            return False
        unit = row.unit.strip()
        same = mine is not None and unit != "" and unit == mine.unit.strip()
        return same or self._store.rooms_list.both_wrote(self._engine.uid, uid)

    def _belongs(self, room: RoomId) -> bool:
        """Whether the room of an open invitation belongs to one in which this person is. ▲ Both must say so: an
        administrator of that one, and the colleague who invites. Otherwise each of them alone could put the person into
        rooms that have nothing to do with it."""
        parent, db = self._parents.get(room), self._store.db
        row = self._store.rooms_list.get(parent) if parent is not None else None
        if parent is None or row is None or row.left:
            return False
        return belonging.named_parent(db, parent) is None and belonging.names_child(db, parent, room)

    def _continues(self, added: Added) -> bool:
        if added.origin is None or added.founder is None:
            return False
        old = self._store.rooms_list.get(added.origin.room)
        return old is not None and not old.left and self._engine.may_continue(added.origin.room, added.founder)

    # -- following ------------------------------------------------------------------------------------------------

    def on_status(self, *, online: bool) -> None:
        """Receives whether the engine is online. When it is for the first time, invitations are shown and the person is
        notified."""
        if online and not self._online:
            self._online = True
            self.on_invitations()

    def on_room(self, room: RoomId) -> None:
        """Notes that something changed in a room. Invitations to rooms that continue another are judged again, since
        the change may confirm them."""
        if any(i.added.origin is not None for i in self._engine.invitations):
            self._engine.reconsider()

    def _on_changed(self, room: RoomId) -> None:
        if any(self._belongs(invited) for invited, parent in self._parents.items() if parent == room):
            self._engine.reconsider()

    def _reconsider(self) -> None:
        self._engine.reconsider()

    def _on_answers(self) -> None:
        self._engine.reconsider()
        self.changed.emit()

    # -- notifying ------------------------------------------------------------------------------------------------

    def _emit_invited(self) -> None:
        """Emits `arrived` with each person who sent an open invitation (None: not known), so that this person is
        notified. ▲ At most once a day for each of them, however many rooms they make, and only if there is an addition
        newer than the last one notified."""
        now, newest = clock.now_ms(), dict[Uid | None, int]()
        for i in self._waiting():
            newest[i.added.adder] = max(i.added.t, newest.get(i.added.adder, 0))
        for uid, t in newest.items():
            name = _NOTED + (uid.hex() if uid is not None else "")
            last_now, last_t = map(int, (self._store.notes.get(name) or "0 -1").split())
            if t > last_t and now - last_now >= DAY_MS:
                self._store.notes.set(name, f"{now} {t}")
                self.arrived.emit(self._person(uid))
