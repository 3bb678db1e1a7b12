# SPDX-License-Identifier: EUPL-1.2
"""Keys of epochs that are missing: fetched, asked for in the room's log, and answered for others (protocol §6).

▲ A member whose seal is lost or spoilt posts `cannot_open{e}`. Every member who holds that key answers with a re-seal,
at once or when their program next reads the entry. If no answer is received in a minute, a writer without the key
begins a new epoch, so that work continues. What was written before waits until somebody answers.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sync.client.exchange.outbox import Outbox
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.client.wakeup import woken
from sync.errors import Refused, Reject
from sync.ids import RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.messages import ErrorCode
from sync.trust.keys.epochs import seal_for
from sync.trust.room.payloads import CannotOpen
from sync.trust.room.stream import Accepted, AcceptedEntry

log = logging.getLogger("sync")

HEAL_MS = 60_000
"""How long a writer waits for a re-seal before beginning a new epoch; then doubled, up to an hour."""
_LONGEST_MS = 3_600_000
_POST_AGAIN_MS = 86_400_000
_SOON_MS = 2_000
_POSTED_AT_ONCE = 8
"""Epochs asked for in the log at a time. For the first minute only the newest is, since its key usually opens the
others."""
_SPREAD_MS, _SPREAD_MOST_MS = 100, 10_000
"""Everybody who holds the key answers, at a random moment: within so long for each member, at most _SPREAD_MOST_MS."""
_AGAIN_MS = 60_000
"""The same question of the same person is answered once in this time. Later ones are answered when it is over."""
_PARTIAL_MS = 10_000
"""The extra delay of a device that holds only the content key, so that holders of the archive key answer first."""


@dataclass(slots=True)
class _Lack:
    """When to try again to get one key of an epoch that this device should have and lacks; which room and epoch, only
    the dict that holds this says. `next_ms` is when the key is tried again, `wait_ms` the pause after that, `posted_ms`
    when this device last asked the other members for it (None: not yet). Times in ms of the engine's clock."""

    next_ms: int
    wait_ms: int = HEAL_MS
    posted_ms: int | None = None


class Seals:
    """Gets the keys of epochs (generations of a room's key) that one account lacks, and answers other members who ask
    for such keys. The inbox calls `fetch_missing` for the first and `see` for the second. `work` asks and answers while
    the connection lives."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lacks: dict[tuple[RoomId, int], _Lack] = {}
        self._answers: dict[tuple[RoomId, Uid, int], int] = {}
        """The person to answer, the epoch, and the time of the answer."""
        self._answered: dict[tuple[RoomId, Uid, int], int] = {}
        """When such an answer was last given, for the answers of the last minute."""

    # -- called by the inbox --------------------------------------------------------------------------------------

    async def fetch_missing(self, room: RoomSync, *, retry: bool) -> bool:
        """Fetches from the server the keys of `room` that this device lacks; True if one was new. `retry`: also asks
        for keys that the server did not have before, as is done once the room is pulled up to its last position. A key
        that the server does not have is asked of the other members later, by `work`. The key of an epoch that this
        device made itself is taken from memory, and does not count for the answer. A refusal is only logged;
        Unreachable if the connection is lost."""
        found = False
        if room.keys.needs_key and room.keys.take_drafted():
            self._link.listener.on_room(room.room)
        for e in room.keys.lacking():
            known = (room.room, e) in self._lacks
            if not room.keys.lacks(e) or (known and not retry):
                continue
            if await self._fetch(room, e):
                found = True
            elif not known:
                self._lacks[room.room, e] = _Lack(next_ms=self._link.now_ms())
                self._link.seal_work.set()
                self._link.listener.on_room(room.room)
        return found

    def see(self, room: RoomSync, accepted: Sequence[Accepted]) -> None:
        """Notes, among `accepted` (new items of `room`), the requests of other devices for a key that this device can
        give, if they came after this person was added. ▲ Only of people who may read that epoch. `work` answers them
        later."""
        me = room.stream.members.get(self._link.account.uid)
        for item in accepted:
            if me is None or item.n <= me.since_n or not isinstance(item, AcceptedEntry) or item.void is not None:
                continue
            asked, by = item.entry.payload, item.entry
            if not isinstance(asked, CannotOpen) or by.dev == self._link.account.dev:
                continue
            if room.keys.ring.k(asked.e) is not None and room.keys.may_read(by.uid, asked.e):
                spread = min(_SPREAD_MOST_MS, _SPREAD_MS * len(room.stream.members))
                partial = room.stream.epochs[asked.e].has_archive and room.keys.ring.a(asked.e) is None
                wait_ms = random.randrange(spread)  # noqa: S311 - no secret: that not all answer at once
                due = self._link.now_ms() + wait_ms + (_PARTIAL_MS if partial else 0)
                key = room.room, by.uid, asked.e
                # ▲ a member who repeats a question causes no more work
                self._answers.setdefault(key, max(due, self._answered.get(key, -_AGAIN_MS) + _AGAIN_MS))
                self._link.seal_work.set()

    async def _fetch(self, room: RoomSync, e: int) -> bool:
        """Asks the server for the keys of epoch `e` of `room` that are sealed to this person; True if one opens and is
        new here. False also if the server refuses, which is only logged. Unreachable if the connection is lost."""
        ring = room.keys.ring
        had = ring.k(e), ring.a(e)
        try:
            reply = await self._link.online.request(
                lambda rid: m.SealRequest(rid=rid, room=room.room, epoch=e), m.SealReply
            )
        except Refused as refused:
            log.info("seal refused: %s", refused.code)
            return False
        if room.keys.take_seals(e, reply.seals) and had != (ring.k(e), ring.a(e)):
            self._link.listener.on_room(room.room)
            return True
        log.warning("no seal of epoch %d opens, of %d", e, len(reply.seals))
        return False

    # -- the own task ---------------------------------------------------------------------------------------------

    async def work(self, outbox: Outbox, pull_again: Callable[[RoomSync], None]) -> None:
        """When it is time: asks the other members for keys that this device lacks, and answers members who asked for
        one. If nobody answers for the newest key within a minute, and this person may write, begins a new key by
        `outbox`. `pull_again` is called with a room whose key has come, and has it pulled, so that items that wait for
        the key are opened. Runs until it is cancelled with the connection. Refusals are only logged; Unreachable ends
        it."""
        while True:
            due = min((*self._answers.values(), *(lack.next_ms for lack in self._lacks.values())), default=None)
            wait_s = None if due is None else max(0.0, (due - self._link.now_ms()) / 1000)
            await woken(self._link.seal_work, wait_s)
            for room_id, uid, e in [k for k, at in self._answers.items() if at <= self._link.now_ms()]:
                del self._answers[room_id, uid, e]
                with self._link.apart(room_id):
                    await self._answer(room_id, uid, e)
            for (room_id, e), lack in sorted(self._lacks.items(), key=lambda k: -k[0][1]):
                if lack.next_ms <= self._link.now_ms():
                    with self._link.apart(room_id):
                        await self._heal(room_id, e, lack, outbox, pull_again)

    async def _heal(
        self, room_id: RoomId, e: int, lack: _Lack, outbox: Outbox, pull_again: Callable[[RoomSync], None]
    ) -> None:
        room, now = self._link.rooms.get(room_id), self._link.now_ms()
        if room is None or room.problem is RoomState.UNREADABLE or e not in room.keys.lacking():
            del self._lacks[room_id, e]
            return
        if not room.may_send:
            lack.next_ms = now + _SOON_MS
            return
        if lack.posted_ms is not None and await self._fetch(room, e):
            pull_again(room)  # items that waited for it
            return
        asked_for = lack.posted_ms
        try:
            if asked_for is None:
                await self._post(room, e, lack, outbox)
                return
            if room.keys.needs_key and e == room.stream.epoch and now - asked_for >= HEAL_MS and room.may_write:
                await outbox.rotate(room)
        except (Refused, Reject) as why:
            log.info("key %d not asked for: %s", e, why.code)
            lack.next_ms = now + _SOON_MS
            return
        lack.wait_ms = min(_LONGEST_MS, 2 * lack.wait_ms)
        lack.next_ms = now + lack.wait_ms
        if now - asked_for >= _POST_AGAIN_MS:
            lack.posted_ms = None

    async def _post(self, room: RoomSync, e: int, lack: _Lack, outbox: Outbox) -> None:
        now = self._link.now_ms()
        others = {k[1]: other.posted_ms for k, other in self._lacks.items() if k[0] == room.room}
        newer = any(x > e and (at is None or now - at < HEAL_MS) for x, at in others.items())
        if newer or sum(at is not None for at in others.values()) >= _POSTED_AT_ONCE:
            lack.next_ms = now + HEAL_MS
            return
        await outbox.append(room, outbox.drafter(room).cannot_open(e))
        log.info("asked for the key of epoch %d", e)
        lack.posted_ms, lack.next_ms, lack.wait_ms = now, now + HEAL_MS, HEAL_MS

    async def _answer(self, room_id: RoomId, uid: Uid, e: int) -> None:
        """Seals the key of epoch `e` (a generation of the key of the room `room_id`) to the newest key of the person
        `uid`, who asked for it, and uploads the seal. Their key log is fetched first. Does nothing if they may not have
        that key any more, this device does not hold it, or their log has no key now to which it may be sealed (the
        agency revoked a device, and their next key is not there yet). Refused and Reject are only logged; after "busy"
        it is tried again in 10 s. Unreachable if the connection is lost.

        ▲ Their right to that key is checked again once their key log is fetched, immediately before the key is sealed.
        Otherwise a person who is removed during the request, and added again without the history, would get a key from
        before.
        """
        if self._key_for(room_id, uid, e) is None:
            return
        now = self._link.now_ms()
        self._answered = {key: at for key, at in self._answered.items() if now - at < _AGAIN_MS}
        self._answered[room_id, uid, e] = now
        try:
            known = await self._link.book.fetch(self._link.online, uid)
            found = self._key_for(room_id, uid, e)
            if found is None:
                return
            room, k = found
            to = known.recipient(known.seq, known.head, room.stream.members[uid].history)
            if to is None:
                return
            sealed = seal_for(room_id, room.stream.epochs[e], to, k, room.keys.ring.a(e))
            await self._link.online.request(
                lambda rid: m.Reseal(rid=rid, room=room_id, epoch=e, uid=uid, seal=sealed), m.Ok
            )
            log.info("answered for epoch %d", e)
        except (Refused, Reject) as why:
            log.info("not answered for epoch %d: %s", e, why.code)
            if why.code == ErrorCode.BUSY:
                self._answers[room_id, uid, e] = self._link.now_ms() + _PARTIAL_MS

    def _key_for(self, room_id: RoomId, uid: Uid, e: int) -> tuple[RoomSync, bytes] | None:
        """The room `room_id` and the content key of its epoch `e`, if this device holds that key and the person `uid`
        may have it now; None otherwise."""
        room = self._link.rooms.get(room_id)
        k = room.keys.ring.k(e) if room is not None else None
        return (room, k) if room is not None and k is not None and room.keys.may_read(uid, e) else None
