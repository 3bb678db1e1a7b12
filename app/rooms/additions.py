# SPDX-License-Identifier: EUPL-1.2
"""Adds people to rooms: the addition at the server first, and then the record that invites the person."""

from app.core.enums import Role
from app.core.ids import ObjId, RoomId, Uid
from app.core.visible import one_line
from app.rooms import belonging
from app.rooms.records import MAX_GREETING, PersonInvited, encode
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.ports import MemberRow
from sync.errors import Refused, Unreachable


class Additions:
    """Adds people to an account's rooms. Remembers in memory the additions that the server has made, or may have made,
    and whose invitation is not stored. The next `add` of that person to that room stores the invitation."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store, self._engine = store, engine
        self._unfinished = set[tuple[RoomId, Uid]]()

    async def add(self, room: RoomId, uid: Uid, role: Role, history_all: bool, greeting: str) -> None:
        """As `RoomService.add`."""
        is_second = (room, uid) in self._unfinished
        member = self._member(room, uid) if is_second else None
        if member is None:
            try:
                await self._add(room, uid, role, history_all)
            except Refused as e:
                # they were added by the first try, of which this device has read only now
                member = self._member(room, uid) if is_second and e.code == "member" else None
                if member is None:
                    raise
        self._invite(room, uid, greeting)
        self._unfinished.discard((room, uid))
        if member is not None and (member.role, member.history) != (role, history_all):
            raise Refused("member")

    def owes(self, room: RoomId, uid: Uid) -> bool:
        """Whether the server has added the person to the room, or may have, and their invitation is not stored."""
        return (room, uid) in self._unfinished

    def _member(self, room: RoomId, uid: Uid) -> MemberRow | None:
        return next((each for each in self._store.rooms_list.members(room) if each.uid == uid), None)

    async def _add(self, room: RoomId, uid: Uid, role: Role, history_all: bool) -> None:
        try:
            await self._engine.operations.add(room, uid, role, history=history_all)
        except Unreachable:  # the server may have added them all the same
            self._unfinished.add((room, uid))
            raise
        self._unfinished.add((room, uid))

    def _invite(self, room: RoomId, uid: Uid, greeting: str) -> None:
        row = self._store.rooms_list.get(room)
        if row is not None and row.title:
            text, parent = one_line(greeting, MAX_GREETING), belonging.named_parent(self._store.db, room)
            record = PersonInvited(uid=uid, title=row.title, type=row.written_type, text=text, parent=parent)
            self._store.changes.append(room, ObjId(room), encode(record))
