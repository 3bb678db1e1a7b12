# SPDX-License-Identifier: EUPL-1.2
"""Adds people to rooms: has the server add the person, and then stores the invitation, a record in the room.

An addition is noted on the disk from before the server is asked until the invitation is stored. So if the reply is
lost, the disk is full or the program ends in between, the person gets the invitation all the same: `run` stores it
later, or the next `add` of that person to that room does.
"""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from app.core import clock, log
from app.core.enums import Role
from app.core.ids import ObjId, RoomId, Uid
from app.core.visible import one_line
from app.errors import StoreFault
from app.rooms import belonging
from app.rooms.records import MAX_GREETING, PersonInvited, encode
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.ports import MemberRow
from sync.errors import Refused, SyncError, Unreachable

RETRY_S = 30.0
"""Seconds until an invitation that the disk refused is tried again."""
KEPT_MS = 7 * 86_400_000
"""How long (ms) an addition stays noted if its person is no member, or this person may not write in the room."""
_NOTE = "adding-"

Key = tuple[RoomId, Uid]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addition:
    """An addition whose invitation is not stored. `t`: when the server was asked (ms, own clock)."""

    t: int
    greeting: str


class Additions:
    """Adds people to an account's rooms. Keep `run` running until it is cancelled: it stores the invitations that an
    interrupted addition still owes, also one of an earlier run of the program. Lives on the event loop."""

    def __init__(self, store: Store, engine: Engine, may_write: Callable[[RoomId], bool]) -> None:
        """`may_write`: whether this person may write in a room."""
        self._store, self._engine, self._may_write = store, engine, may_write
        self._begun = self._noted()
        self._busy = set[Key]()
        """The additions that an `add` is at now: `run` leaves them alone."""
        self._completed = set[Key]()
        """The additions that failed here and that `run` has completed: the next `add` of that person succeeds."""
        self._woken = asyncio.Event()
        self._woken.set()
        self._end = store.changed.connect(self._on_room)

    def _noted(self) -> dict[Key, _Addition]:
        """The additions that are noted on the disk. A note that cannot be read is removed."""
        found = dict[Key, _Addition]()
        for name, text in self._store.notes.all(_NOTE).items():
            try:
                key, begun = _read(name, text)
            except ValueError:
                log.store.warning("note-damaged", kind=_NOTE)
                with suppress(StoreFault):  # the next start finds it again
                    self._store.notes.set(name, "")
            else:
                found[key] = begun
        return found

    def close(self) -> None:
        """Stops following the store."""
        self._end()

    def owes(self, room: RoomId, uid: Uid) -> bool:
        """Whether an addition of the person to the room is noted: the server has added them, or may have, and their
        invitation is not stored."""
        return (room, uid) in self._begun

    async def add(self, room: RoomId, uid: Uid, role: Role, history_all: bool, greeting: str) -> None:
        """See `RoomService.add`."""
        key = room, uid
        self._busy.add(key)
        try:
            member = await self._added(key, role, history_all, greeting)
            if key in self._begun:
                self._invite(key, greeting)
            self._completed.discard(key)
        finally:
            self._busy.discard(key)
            self._woken.set()
        if member is not None and (member.role, member.history) != (role, history_all):
            raise Refused("member")

    async def _added(self, key: Key, role: Role, history_all: bool, greeting: str) -> MemberRow | None:
        """Has the server add the person, unless an earlier call has done so. Returns the member whom that call added;
        None if this one did."""
        is_second = key in self._begun or key in self._completed
        member = self._member(key)
        if member is not None and is_second:
            return member
        if member is None:
            self._note(key, _Addition(t=clock.now_ms(), greeting=one_line(greeting, MAX_GREETING)))
        try:
            await self._engine.operations.add(*key, role, history=history_all)
        except Unreachable:  # the server may have added them all the same
            raise
        except SyncError as e:
            # they were added by the first try, of which this device has read only now
            member = self._member(key) if is_second and e.code == "member" else None
            if member is None:
                self._note(key, None)
                raise
        return member

    def _member(self, key: Key) -> MemberRow | None:
        room, uid = key
        return next((each for each in self._store.rooms_list.members(room) if each.uid == uid), None)

    def _invite(self, key: Key, greeting: str) -> None:
        """Stores the invitation, and that nothing is left to do: both or neither."""
        room, uid = key
        row = self._store.rooms_list.get(room)
        with self._store.transaction():
            if row is not None and row.title:
                text, parent = one_line(greeting, MAX_GREETING), belonging.named_parent(self._store.db, room)
                record = PersonInvited(uid=uid, title=row.title, type=row.written_type, text=text, parent=parent)
                self._store.changes.append(room, ObjId(room), encode(record))
            self._store.notes.set(_name(key), "")
        del self._begun[key]

    def _note(self, key: Key, begun: _Addition | None) -> None:
        """Notes on the disk an addition whose invitation is to be stored, or with None that there is none."""
        text = json.dumps({"t": begun.t, "text": begun.greeting}) if begun is not None else ""
        self._store.notes.set(_name(key), text)
        if begun is not None:
            self._begun[key] = begun
        else:
            self._begun.pop(key, None)

    # -- completing what was begun --------------------------------------------------------------------------------

    def _on_room(self, room: RoomId) -> None:
        if any(each == room for each, _ in self._begun):
            self._woken.set()

    async def run(self) -> None:
        """Runs until cancelled. Stores each owed invitation once this device has read that this person added the
        invited one. A StoreFault is logged, and the invitation is tried again after RETRY_S."""
        while True:
            try:
                async with asyncio.timeout(RETRY_S if self._begun else None):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            for key, begun in list(self._begun.items()):
                try:
                    if key not in self._busy and key in self._begun:
                        self._complete(key, begun)
                except StoreFault as e:  # perhaps a full disk
                    log.store.warning("invitation-not-stored", code=e.code)
                await asyncio.sleep(0)

    def _complete(self, key: Key, begun: _Addition) -> None:
        """Stores the invitation of a noted addition, or removes the note. ▲ The invitation is stored only if this
        person added the member. Otherwise a greeting for an addition that never was would be in the room for all to
        read."""
        member = self._member(key)
        if member is None or not self._may_write(key[0]):
            if clock.now_ms() - begun.t > KEPT_MS:
                self._note(key, None)
        elif self._adder(key[0], member) == self._engine.uid:
            self._invite(key, begun.greeting)
            self._completed.add(key)
        else:
            self._note(key, None)

    def _adder(self, room: RoomId, member: MemberRow) -> Uid | None:
        """Returns the person who added a member; None if they became one in another way."""
        events = self._store.rooms_list.events(room, after_n=member.since_n - 1, limit=4)
        added = (e for e in events if (e.n, e.kind, e.subject) == (member.since_n, "add", member.uid))
        return next((e.by for e in added), None)


def _name(key: Key) -> str:
    return f"{_NOTE}{key[0].hex()}-{key[1].hex()}"


def _read(name: str, text: str) -> tuple[Key, _Addition]:
    """Reads a note. ValueError if it cannot be read."""
    room, uid = (bytes.fromhex(part) for part in name.removeprefix(_NOTE).split("-"))
    match json.loads(text):
        case {"t": int(t), "text": str(greeting)}:
            return (RoomId(room), Uid(uid)), _Addition(t=t, greeting=greeting)
    raise ValueError
