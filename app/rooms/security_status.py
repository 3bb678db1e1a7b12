# SPDX-License-Identifier: EUPL-1.2
"""A room's security status: one word for its weakest fact, and behind it who can decrypt the room, since when, and with
which key. On screen it is the room's seal.

It is computed from the verified stream and logs (sync/client/room/trust_facts.py), never from lists that are only
shown, and claims no more than the worst of these facts.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.core import clock
from app.core.enums import Role, RoomState
from app.core.ids import DevId, RoomId, Uid
from app.people.person import Person, Verified
from app.people.service import PeopleService
from app.rooms.formats import DeviceFormats, OldDevice
from app.store.store import Store
from sync.client.engine import Engine
from sync.client.room.trust_facts import Holder, RoomFacts

WARNED = "warned"
ORIGIN = "origin"
TIME = "time"
VERIFIED = "verified"
SEEKING = "seeking"
SEALED = RoomState.SEALED.value
SILENT_MS = 30 * 86_400_000
"""A device that has written nothing in a room for this long is shown."""
_BREATH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A person who can decrypt what is written in a room now. `since_ms`: since when they are a member; `history`: they
    can also read what was written before. `keyless`: a member to whom the current key could not be sealed. `silent`:
    how many of their devices have written nothing here for SILENT_MS; `silent_ms`: since when the most recent of these
    has written nothing, 0 if there is none."""

    person: Person
    role: Role
    since_ms: int
    history: bool
    keyless: bool
    silent: int = 0
    silent_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityReport:
    """The facts behind a room's security status. Times are in ms by the server's clock. `level`: the status in one
    word. `generation`: the number of the current key; `made_ms`: when it was made (None: unknown), by `made_by`;
    `due_ms`: when the next key is due (0: now; None: unknown). `recovery`: ids of recovery recipients outside the room.
    `origin_doubt`: as `SecurityStatuses.origin_doubt`. `ahead_ms`: how far the server's time in the room is ahead, 0 if
    it is not far. `void_changes`: (author, count) of changes that break the rules of their format. `void_items`:
    (sender, count) of items that the server placed against the rules of the room. Both kinds count for nobody.
    `newer_changes`: how many changes a newer program wrote that this one cannot read yet.

    Only for an administrator: `old_devices` are members' devices that have said that they do not read all that this
    program writes in the room; `silent_devices` is the number of those that have not said what they read."""

    level: str
    readers: tuple[Reader, ...]
    recovery: tuple[bytes, ...]
    generation: int
    made_ms: int | None
    made_by: Person | None
    due_ms: int | None
    origin_doubt: str = ""
    ahead_ms: int = 0
    void_changes: tuple[tuple[Person, int], ...] = ()
    void_items: tuple[tuple[Person, int], ...] = ()
    newer_changes: int = 0
    old_devices: tuple[OldDevice, ...] = ()
    silent_devices: int = 0


class SecurityStatuses:
    """Computes the security status of an account's rooms, in one word or with all facts behind it."""

    def __init__(self, store: Store, engine: Engine, people: PeopleService, formats: DeviceFormats) -> None:
        self._store = store
        self._engine = engine
        self._people = people
        self._formats = formats

    def level(self, room: RoomId) -> str:
        """The room's status in one word: the value of sync's RoomState, and where that is SEALED one of "warned" (a
        member's identity is uncertain, or the key could not be given to one), "time" (the server's time is far ahead),
        "origin" (the room claims to continue a room, and this device cannot confirm it), "seeking" (a member's record
        is being looked up), "sealed", "verified"."""
        state = self._engine.room_state(room)
        facts = self._engine.room_facts(room)
        if state is not RoomState.SEALED or facts is None:
            return state.value
        judged = self._judge(facts)
        if judged != WARNED and self._engine.time_ahead(room):
            return TIME
        return ORIGIN if judged != WARNED and self.origin_doubt(room) else judged

    def origin_doubt(self, room: RoomId) -> str:
        """▲ Why this device cannot confirm that the room continues the room that its first entry names: "unknown" if it
        has no copy of that room, "not-owner" if in its copy the founder is no owner. "" if it can confirm it, or the
        room continues none."""
        origin = self._store.origins.of(room)
        owns = self._engine.owns(origin.old, origin.by) if origin is not None else True
        return "unknown" if owns is None else "" if owns else "not-owner"

    def _judge(self, facts: RoomFacts) -> str:
        people = [self._people.person(h.uid) for h in facts.holders]
        if any(h.keyless for h in facts.holders):
            return WARNED
        return weakest(people, recovery=bool(facts.recovery))

    async def report(self, room: RoomId) -> SecurityReport | None:
        """Everything behind the status; None for a room whose key is not known yet. Lets the loop run other tasks
        between members."""
        facts = self._engine.room_facts(room)
        if facts is None:
            return None
        wrote = {dev or self._engine.devices.mine: t for dev, t in await self._store.changes.latest_in_thread(room)}
        is_admin = any(h.uid == self._engine.uid and h.role >= Role.ADMIN for h in facts.holders)
        stated = self._formats.stated(room) if is_admin else None
        readers, old, silent = list[Reader](), list[OldDevice](), 0
        for at, holder in enumerate(sorted(facts.holders, key=lambda h: (-h.role, h.since_n))):
            readers.append(self._reader(room, holder, wrote))
            if stated is not None:
                theirs, unstated = self._formats.old_devices(readers[-1].person, stated)
                old, silent = [*old, *theirs], silent + unstated
            if at % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
        return SecurityReport(
            level=self.level(room),
            readers=tuple(readers),
            recovery=facts.recovery,
            generation=facts.epoch,
            made_ms=self._store.rooms_list.entry_time(room, facts.epoch_n),
            made_by=self._people.person(facts.by),
            due_ms=self._engine.renewed_at(room),
            origin_doubt=self.origin_doubt(room),
            ahead_ms=self._engine.time_ahead(room),
            void_changes=self._by_person((uid, count) for _, uid, count in self._store.held_changes.void_counts(room)),
            void_items=self._by_person(self._store.inbox.void_items(room)),
            newer_changes=self._store.held_changes.newer_count(room),
            old_devices=tuple(old),
            silent_devices=silent,
        )

    def _by_person(self, counts: Iterable[tuple[Uid, int]]) -> tuple[tuple[Person, int], ...]:
        found: Counter[Uid] = Counter()
        for uid, count in counts:
            found[uid] += count
        return tuple((self._people.person(uid), count) for uid, count in found.most_common())

    def _reader(self, room: RoomId, holder: Holder, wrote: Mapping[DevId, int]) -> Reader:
        silent = self._silent(room, holder, wrote)
        return Reader(
            person=self._people.person(holder.uid),
            role=holder.role,
            since_ms=holder.since_ms,
            history=holder.history,
            keyless=holder.keyless,
            silent=len(silent),
            silent_ms=max(silent, default=0),
        )

    def _silent(self, room: RoomId, holder: Holder, wrote: Mapping[DevId, int]) -> list[int]:
        """For each of the member's devices that has written nothing here for SILENT_MS, the time since when (ms).
        `wrote`: when each device wrote last, which may be before the member was added again. For a device that never
        wrote here: when the member or the device was added, whichever is later. [] for a member who may not write."""
        now = clock.now_ms()
        since = [
            wrote.get(dev, max(holder.since_ms, min(added_ms, now)))
            for dev, added_ms in self._engine.writing_devices(room, holder.uid)
        ]
        return [t for t in since if now - t > SILENT_MS]


def weakest(people: Sequence[Person], *, recovery: bool = False) -> str:
    """The status of a room without a fault that has these members, the user among them: "verified" only if there are
    other members and each was verified in person, "warned" if the identity of a member is uncertain, "seeking" if a
    member is being looked up, otherwise "sealed". `recovery`: a recipient outside the room has its keys too, whom
    nobody verified in person, so that it is never "verified"."""
    others = [p for p in people if not p.is_me]
    if any(p.warning or (p.verified == Verified.NONE and not p.is_sought) for p in people):
        return WARNED
    if any(p.is_sought for p in people):
        return SEEKING
    compared = bool(others) and all(p.verified == Verified.IN_PERSON for p in others)
    return VERIFIED if compared and not recovery else SEALED
