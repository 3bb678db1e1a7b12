# SPDX-License-Identifier: EUPL-1.2
"""The operations of a person on rooms: create, add, remove, leave, change roles, rotate. Each needs the server and
waits for it.

An operation is drafted on the room's current state. If another device was first ("conflict", "stale") or the server did
not receive all its seals ("seals"), it is drafted again on the newer room (compare_and_swap.py).
"""

import asyncio
from collections.abc import Callable
from functools import partial

from sync.client.account.compare_and_swap import again
from sync.client.exchange.history_grants import approval_waits
from sync.client.exchange.inbox import Inbox
from sync.client.exchange.outbox import Outbox
from sync.client.exchange.room_creation import IsFree, RoomCreation
from sync.client.link import Link
from sync.client.room.prunable import prunable
from sync.client.room.room_sync import RoomSync
from sync.errors import Refused, Unreachable
from sync.ids import Hash, ObjId, RoomId, Uid
from sync.protocol.messages import ErrorCode
from sync.trust.formats.items import Role
from sync.trust.room.additions import why_not_added
from sync.trust.room.entry_drafts import Draft, Drafter
from sync.trust.room.payloads import Prune
from sync.trust.room.successor_claim import Origin

PROPOSAL = "proposal"
_DESTROYED = "destroyed"
NO_DOCUMENT = Hash(bytes(32))
"""The `rule` or `decision` of a destroy that names none."""
SETTLE_S = 30.0
_AGAIN = (ErrorCode.CONFLICT, ErrorCode.STALE, ErrorCode.ROTATION_OWED, ErrorCode.SEALS, ErrorCode.BUSY)


class RoomOperations:
    """The operations of the signed-in person on rooms, such as adding a member. Each waits until the server has
    accepted it and this device has read the result; if the room changed meanwhile, it is tried again a few times. All
    raise Unreachable while offline, if the connection is lost, or if no reply comes in time: then the server may have
    accepted the operation all the same. They raise Refused with the server's code, "unknown-room", or the reason why
    the room is stopped; and Reject if something that they need or get breaks a rule, for example a person's key log."""

    def __init__(self, link: Link, inbox: Inbox, outbox: Outbox) -> None:
        self._link = link
        self._inbox = inbox
        self._outbox = outbox
        self._creation = RoomCreation(link, inbox, outbox, self._settled)

    async def create_room(
        self, origin: Origin | None = None, *, own: bool = False, is_free: IsFree | None = None
    ) -> RoomId:
        """Creates a room with this person as its owner, and returns its id. It exists at the server and here when this
        returns. Refused "unknown-user" if this person's own key log is not here.

        `origin`: the stopped room that it continues, and the last position that was verified there; None if it
        continues none. `own`: a room of one's own, to which nobody can ever be added.

        After Unreachable or a cancellation the server may have made the room. The next call with the same `origin` and
        `own` then returns that room, or asks for the very same one again. Otherwise each lost reply would leave a room
        without a name.

        `is_free`: whether the caller has nothing in the room with a given id. With it the call also returns a room that
        this device made before the program was started, if nobody else was ever in it and no other device has written
        in it. No two calls that run at the same time return the same room. None: such rooms are left alone.
        """
        return await self._creation.create(origin, own=own, is_free=is_free)

    async def add(self, room_id: RoomId, uid: Uid, role: int, *, history: bool) -> None:
        """Adds the person `uid` to the room as `role` (a `Role`); their newest key log is fetched and verified first.
        `history`: whether they may read what was written before. Refused "forbidden" if this person may not add them
        so, or the room's policy gives newcomers no history; "member" if they are a member already. Reject "not-ready"
        if the room's key cannot be encrypted to them yet. ▲ The key is sealed (encrypted) to them only after these
        checks. Otherwise the server would have the seal, and its accomplice the key, although the entry is refused."""
        await self._link.book.fetch(self._link.online, uid)

        def check() -> None:
            state = self._room(room_id).stream.state
            why = why_not_added(state, self._link.account.uid, uid, role, history=history)
            if why is not None:
                raise Refused(why)

        await self._do(room_id, lambda d: d.add(uid, Role(role), history=history), check)

    async def remove(self, room_id: RoomId, uid: Uid, reason: str = "") -> None:
        """Removes the person `uid` from the room. The entry carries the next epoch (the room's new key), which the
        removed person cannot open. `reason` is encrypted under that epoch: the members who stay can read it, the server
        and the removed person cannot. It is cut after 280 code points. Refused "forbidden" by the server if this
        person's role does not allow it; Reject "forbidden" if they remove themselves, or are no member."""
        await self._do(room_id, lambda d: d.remove(uid, reason=reason))

    async def leave(self, room_id: RoomId) -> None:
        await self._do(room_id, lambda d: d.leave())

    async def set_role(self, room_id: RoomId, uid: Uid, role: int) -> None:
        await self._do(room_id, lambda d: d.set_role(uid, Role(role)))

    async def propose_history(self, room_id: RoomId, uid: Uid) -> None:
        """Appends to the room the proposal that the member `uid`, who was added without the history, may read
        everything in it. Another administrator must then approve it (`give_history`). Refused "forbidden" by the server
        if this person is no administrator. Whether `uid` is a member, or has the history already, is not checked."""
        await self._do(room_id, lambda d: d.propose("hist", uid))

    async def give_history(self, room_id: RoomId, proposal: Hash) -> None:
        """Takes the next steps of `proposal` (its hash), a proposal that a member may read the whole history. If nobody
        has approved it yet, approves it in this person's name; Refused "forbidden" if they may not, for example because
        they made the proposal. Then, if this person may read the history, completes the grant: begins a new key of the
        room, which opens the history and is sealed to the member too; otherwise another administrator must do that.

        Refused("proposal") if `proposal` is not open any more, or is about something else. Refused("not-seasoned") if
        this device has known the approver, who may be this person, as an administrator for less than seven days: the
        approval stays, and a later call can complete the grant.
        """
        state = self._room(room_id).stream.state
        found = state.proposals.get(proposal)
        if found is None or found.what != "hist":
            raise Refused(PROPOSAL)
        if found.approved is None:
            await self._do(room_id, lambda d: d.approve(proposal))
        me = self._room(room_id).stream.members.get(self._link.account.uid)
        if me is not None and me.history:
            self._check_grant(room_id, proposal)
            await self._link.book.fetch(self._link.online, Uid(found.subject))
            await self._do(
                room_id,
                lambda d: d.hist(Uid(found.subject), proposal),
                lambda: self._check_grant(room_id, proposal),
            )

    def _check_grant(self, room_id: RoomId, proposal: Hash) -> None:
        """▲ Refused unless the history may be sealed for `proposal` now: the room's log shows that two administrators
        agreed ("proposal"), and this device has known the second one as an administrator for seven days
        ("not-seasoned"). Checked again on the state from which the entry is drafted. Otherwise a server could show the
        approval of a fresh administrator between the check and the draft."""
        now = self._room(room_id).stream.state.proposals.get(proposal)
        if now is None or now.approved is None:
            raise Refused(PROPOSAL)
        if approval_waits(self._link, room_id, proposal):
            raise Refused("not-seasoned")

    async def prune(self, room_id: RoomId, obj: ObjId) -> None:
        """Has the server delete the content of the object `obj` up to its newest snapshot that may replace it, which
        saves space. Such a snapshot is attested (two other people signed that it is right) and 30 days old. Refused
        with what the best snapshot still lacks: "snapshot" (it is not attested, or there is none, or nothing more to
        delete), "early" (it is too young) or "baseline" (members without the history, or the agency's recovery, could
        not read the object any more). Refused "forbidden" by the server if this person is no administrator."""
        waited = partial(self._link.waited_ms, room_id)
        found = prunable(self._room(room_id).stream.state, obj, self._link.server_now_ms, waited)
        ident = found.snapshot if found is not None else None
        if found is None or ident is None or found.lacks is not None:
            raise Refused(found.lacks if found is not None and found.lacks is not None else "snapshot")
        await self.prune_behind(room_id, Prune(obj=obj, n=found.n, snapshot=ident))

    async def prune_behind(self, room_id: RoomId, p: Prune) -> None:
        """Has the server delete the content of an object behind the snapshot that `p` names. Refused by the server if
        the room's rules do not allow it."""
        await self._do(room_id, lambda d: d.prune(p.obj, p.n, p.snapshot))

    async def destroy(self, room_id: RoomId, obj: ObjId) -> None:
        """Destroys the object `obj` of the room for all members and for good, by an entry `destroy` in the room's log.
        From then on the server refuses changes of the object, and deletes its share (the secret from which its keys are
        derived), its content and its files. Each device does the same when it reads the entry. Returns when the server
        has accepted the entry and this device has read it.

        Returns at once, without an entry, if the object is destroyed already. ▲ It does so too if the server has no
        change of the object. Any writer can announce an object (send the members its id and kind) and write nothing in
        it; an error here would then stop an administrator who destroys all objects of a month. Raises Refused
        "forbidden" if this person is no administrator of the room, or if `obj` is the object with the room's title. The
        entry has two fields for hashes, of the rule and of the decision that allow it; both are zeros here, which means
        "none named"."""

        def check() -> None:
            state = self._room(room_id).stream.state
            if obj in state.destroyed or (obj not in state.shares and obj != ObjId(room_id)):
                raise Refused(_DESTROYED)

        try:
            await self._do(room_id, lambda d: d.destroy(obj, NO_DOCUMENT, NO_DOCUMENT), check)
        except Refused as e:
            if e.code != _DESTROYED:
                raise

    async def rotate(self, room_id: RoomId) -> None:
        """Begins a new epoch."""
        await self._do(room_id, lambda d: d.rotate())

    async def _do(
        self, room_id: RoomId, build: Callable[[Drafter], Draft], check: Callable[[], None] = lambda: None
    ) -> None:
        """Drafts an entry by `build`, which runs in a thread, and appends it to the log of the room; again if another
        device was first. `check` raises Refused if the operation may not be drafted now. It runs on the event loop, on
        the very state that the Drafter gets."""

        async def attempt() -> None:
            await self._settled(self._room(room_id))
            await self._link.load_logs(self._room(room_id))
            room = self._room(room_id)  # read from the store again during the wait, if a slice could not be stored
            check()
            draft = await asyncio.to_thread(build, self._outbox.drafter(room))
            try:
                await self._outbox.append(room, draft)
            except Refused:
                self._inbox.pull_again(room)  # read while `again` pauses
                raise

        await again(attempt, codes=_AGAIN)
        await self._settled(self._room(room_id))

    def _room(self, room_id: RoomId) -> RoomSync:
        room = self._link.rooms.get(room_id)
        if room is None:
            raise Refused(ErrorCode.UNKNOWN_ROOM)
        return room

    async def settled(self, room_id: RoomId) -> None:
        """Waits until this device has verified and stored everything that the server announced of the room `room_id`;
        returns at once if it has. Unreachable if it must wait while offline, or after SETTLE_S seconds. Refused
        "unknown-room" if the room is not known here; Refused with the room's state as its code if the room is
        stopped."""
        await self._settled(self._room(room_id))

    async def confirmed(self, room_id: RoomId) -> None:
        """As `settled`, and also waits until the server has confirmed on this connection that it has nothing more of
        the room. ▲ After a start of the program nothing is announced yet: what is decided by a room's members must wait
        for this."""
        await self._settled(self._room(room_id), confirmed=True)

    async def _settled(self, room: RoomSync, *, confirmed: bool = False) -> None:
        """Waits until this device has verified and stored everything in `room` that the server announced, and, if
        `confirmed`, until the server has confirmed that there is no more; returns at once if so. Unreachable if it must
        wait while offline, or after SETTLE_S seconds; Refused with the room's state as its code if the room is
        stopped."""
        try:
            async with asyncio.timeout(SETTLE_S):
                while not (room.ends_here if confirmed else room.caught_up) and room.problem is None:
                    if self._link.connection is None:
                        raise Unreachable("offline")
                    await (self._link.confirmed if confirmed else self._link.moved).wait()
        except TimeoutError as e:
            raise Unreachable("no reply in time") from e
        if room.problem is not None:
            raise Refused(room.problem.value)
