# SPDX-License-Identifier: EUPL-1.2
"""Makes notices about states of the account that last: open invitations, proposals that this person can approve,
changes of colleagues' keys, stopped rooms and unmerged changes, and members who were removed from a room's parent. A
notice is made when its state begins, and marked as answered when it ends."""

import asyncio
from collections.abc import Sequence

from app.core import clock, log
from app.core.enums import RoomState
from app.core.ids import ObjId, RoomId, Uid
from app.core.waking import gathered
from app.errors import StoreFault
from app.notices.kinds import HISTORY, INVITATION, KEYS, LEFT_PARENT, STANDING, WAITS
from app.notices.service import Notices
from app.people.service import PeopleService
from app.rooms.invitations import Invitations
from app.rooms.nesting import Nesting, RemovedFromParent
from app.rooms.service import RoomService
from app.store.notice_rows import Notice, NoticeKind
from app.store.store import Store

NO_ROOM = RoomId(b"")
_BREATH = 8
_STOPPED = "SELECT room FROM streams WHERE postponed"
_STOPS = (RoomState.WITHHELD, RoomState.UPDATE_NEEDED, RoomState.OLD_FORMAT, RoomState.UNREADABLE)
"""States that stop a room as long as the program runs. The store has the others, which last longer."""


class StandingNotices:
    """Keeps the notices about an account's states equal to those states. Keep `run` running until it is cancelled."""

    def __init__(
        self,
        notices: Notices,
        store: Store,
        people: PeopleService,
        rooms: RoomService,
        nesting: Nesting,
        invitations: Invitations,
    ) -> None:
        self._notices = notices
        self._store = store
        self._people = people
        self._rooms = rooms
        self._nesting = nesting
        self._invitations = invitations
        self._online = False
        self._of_rooms: dict[RoomId, list[Notice]] = {}
        self._parents: dict[RoomId, RoomId] = {}
        """By room of which a member was removed from its parent: that parent, as of the last look at the room."""
        self._due = {row.room for row in store.rooms_list.all()}
        self._woken = asyncio.Event()
        self._woken.set()
        self._ends = [
            rooms.room_changed.connect(self.on_room),
            people.changed.connect(self._woken.set),
            invitations.changed.connect(self._woken.set),
            store.trials.changed.connect(lambda obj: self._woken.set()),
        ]

    def close(self) -> None:
        """Stops following the account."""
        for end in self._ends:
            end()

    def on_status(self, *, online: bool) -> None:
        """Notes whether the device is online. `run` makes nothing until the device has been online once: before that it
        does not know what other devices answered."""
        self._online |= online
        self._woken.set()

    def on_room(self, room: RoomId) -> None:
        """Notes that something has changed in a room, which `run` then reads again."""
        self._due.add(room)
        self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. Compares the notices with the states whenever one may have changed. StoreFault is
        logged; the next change tries again."""
        while True:
            await gathered(self._woken)
            if not self._online:
                continue
            try:
                await self._look_at_rooms()
                await self._notices.keep(STANDING, self._state())
            except StoreFault as e:  # perhaps a full disk: tried again when something else moves
                log.store.warning("standing-notices", code=e.code)

    async def _look_at_rooms(self) -> None:
        looked = 0
        while self._due:
            room = next(iter(self._due))
            links = (*self._nesting.parents().items(), *self._parents.items())
            for each in {room, *(child for child, parent in links if parent == room)}:
                self._look_at(each)
            self._due.discard(room)  # after a fault it stays due
            looked += 1
            if looked % _BREATH == 0:
                await asyncio.sleep(0)

    def _look_at(self, room: RoomId) -> None:
        """Reads what notices a room has now. ▲ Called for a room that has changed, and for those that belong or
        belonged to it: if it read all rooms with notices each time, a start in many rooms would block the event
        loop."""
        removed = self._nesting.removed_from_parent(room)
        found = [*self._proposed(room), *map(_left_parent, removed), *self._waits_in(room)]
        self._of_rooms.pop(room, None)
        self._parents.pop(room, None)
        if found:
            self._of_rooms[room] = found
        if removed:
            self._parents[room] = removed[0].parent

    def _proposed(self, room: RoomId) -> list[Notice]:
        row = self._store.rooms_list.get(room)
        if row is None or row.left or not self._rooms.is_admin(room):
            return []
        return [
            _notice(HISTORY, room, p.ident, by=p.by.uid)
            for p in self._rooms.history_proposals(room)
            if p.refusal is None
        ]

    def _waits_in(self, room: RoomId) -> list[Notice]:
        """Why the room has stopped until the program ends, and with what code the server refuses what this person has
        written there."""
        row = self._store.rooms_list.get(room)
        if row is None or row.left:
            return []
        state, unsent = self._rooms.state(room), self._rooms.why_unsent(room)
        codes = [state.value if state in _STOPS else None, unsent]
        return [_notice(WAITS, room, code.encode(), detail=code) for code in codes if code is not None]

    def _state(self) -> list[Notice]:
        of_rooms = [notice for found in self._of_rooms.values() for notice in found]
        return [*self._invited(), *of_rooms, *self._keys(), *self._waits()]

    def _invited(self) -> Sequence[Notice]:
        return [
            Notice(
                kind=INVITATION,
                room=i.room,
                obj=ObjId(i.room),
                key=i.t_ms.to_bytes(8, "big"),
                by=i.by.uid if i.by is not None else None,
                t=i.t_ms or clock.now_ms(),
            )
            for i in self._invitations.all()
        ]

    def _keys(self) -> Sequence[Notice]:
        shown = {ident for notice in self._people.notices() for ident in notice.ids}
        return [
            Notice(
                kind=KEYS,
                room=NO_ROOM,
                obj=ObjId(row.uid),
                key=row.kind.encode() + row.seq.to_bytes(8, "big") + row.other,
                by=row.uid,
                t=row.t,
                detail=row.kind,
            )
            for row in self._store.key_notices.open()
            if row.id in shown
        ]

    def _waits(self) -> list[Notice]:
        found = [
            _notice(WAITS, room, why.encode(), detail=why)
            for (room,) in self._store.db.rows(_STOPPED)
            if (why := self._store.problem(room)) is not None
        ]
        held = self._store.held_changes.quarantined_objects()
        for why, objs in (("held", held), ("large", set(self._store.trials.large))):
            for obj in objs:
                row = self._store.objects.get(obj)
                if row is not None:
                    found.append(_notice(WAITS, row.room, why.encode(), obj=obj, detail=why))
        return found


def _notice(
    kind: NoticeKind, room: RoomId, key: bytes, *, obj: ObjId | None = None, by: Uid | None = None, detail: str = ""
) -> Notice:
    return Notice(kind=kind, room=room, obj=obj or ObjId(room), key=key, by=by, t=clock.now_ms(), detail=detail)


def _left_parent(found: RemovedFromParent) -> Notice:
    return Notice(
        kind=LEFT_PARENT,
        room=found.child,
        obj=ObjId(found.child),
        key=found.uid + found.n.to_bytes(8, "big"),
        by=found.by,
        ref=found.uid,
        t=found.t_ms,
    )
