# SPDX-License-Identifier: EUPL-1.2
"""Rotates rooms whose key is thirty days old; any connected writer does it. A key that was sealed to this person before
they replaced their recovery sheet is renewed by them at once: the former recovery sheet may open it.

Everybody sees that a room is due. Each device waits a random time, longer the more members there are, and checks again:
most find that another device was first. An epoch without an archive (its signer had none) is due at once for a member
who can link it to the history.
"""

import asyncio
import logging
import random

from sync.client.exchange.outbox import Outbox
from sync.client.link import Link
from sync.client.room.room_sync import RoomSync
from sync.errors import Refused, Reject
from sync.ids import RoomId
from sync.trust.keys.epochs import sound_base

log = logging.getLogger("sync")

RENEW_MS = 30 * 86_400_000
"""The greatest age of a room's key by the server's time, as long as any writer connects."""
LOOK_S = 3600.0
"""Between two checks of all rooms while the connection lasts."""
MARK_S = 3600.0
EARLIEST_S = 30.0
SPREAD_S = 5.0
"""Multiplied by the number of members, up to LONGEST_SPREAD_S: the longest random wait of a device after EARLIEST_S."""
LONGEST_SPREAD_S = 3600.0
AGAIN_S = 3600.0
"""After a refusal: the server lets a writer rotate a room that owes no rotation once an hour."""


def due_ms(room: RoomSync, made_ms: int | None) -> int | None:
    """When (server's time, ms) the key of `room`, which was made at `made_ms`, is to be renewed: RENEW_MS (thirty days)
    later. 0 for at once: a key without an archive (the part that opens the earlier keys), if this device can link it to
    the earlier keys, whatever `made_ms` is. Otherwise None if it is not known: the room has no key, or no time of the
    key is stored (`made_ms` is None)."""
    epoch = room.stream.epochs.get(room.stream.epoch)
    if epoch is None:
        return None
    history = room.keys.has_history and not epoch.has_archive
    if history and sound_base(room.room, room.stream.epochs, room.keys.ring) is not None:
        return 0
    return None if made_ms is None else made_ms + RENEW_MS


def made_ms(link: Link, room: RoomId, n: int) -> int | None:
    """When an epoch (a generation of a room's key) was made, in ms: the server's time of its position `n` in `room`,
    but no later than the time at which this device first saw the position, by its own clock. None if the store has no
    time for that position. `link` has the store."""
    server_ms, seen = link.ports.entry_time(room, n), link.ports.seen_ms(room, n)
    return server_ms if server_ms is None or seen is None else min(server_ms, seen)


class Schedule:
    """Renews the keys of rooms that are due, after thirty days or for another reason. One `work` task while the
    connection lives."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._turns: dict[RoomId, tuple[int, float]] = {}
        """The epoch that is due, and when (loop time) this device checks again."""
        self._marked: dict[RoomId, float] = {}
        """When (loop time) it was last stored how far a room has been seen."""
        self._caught_up = asyncio.Event()

    def caught_up(self) -> None:
        """Call it when everything that this device missed while it was away is verified: the rooms' state is current
        from then on, and the task that renews their keys may begin."""
        self._caught_up.set()

    async def work(self, outbox: Outbox) -> None:
        """Renews the keys of rooms, by `outbox`, which sends them, until cancelled. First waits until everything that
        this device missed while it was away is verified; then checks all rooms, and again at least every LOOK_S (an
        hour). A key that is due is renewed after a random wait, unless another device has renewed it by then; after a
        refusal, which is only logged, again in AGAIN_S (an hour). Unreachable if the connection is lost. Also stores
        now and then how far each room has been seen, and when: so a server's false clock cannot hurry what is due after
        days."""
        loop = asyncio.get_running_loop()
        self._caught_up.clear()
        await self._caught_up.wait()
        while True:
            for room in list(self._link.rooms.values()):
                with self._link.apart(room.room):
                    self._mark_seen(room, loop.time())
                    self._note(room, loop.time())
                await asyncio.sleep(0)
            for room_id in [r for r, (_, at) in self._turns.items() if at <= loop.time()]:
                with self._link.apart(room_id):
                    await self._take_turn(room_id, outbox)
            next_at = min((at for _, at in self._turns.values()), default=loop.time() + LOOK_S)
            await asyncio.sleep(min(LOOK_S, max(0.05, next_at - loop.time())))

    def _mark_seen(self, room: RoomSync, now: float) -> None:
        if now - self._marked.get(room.room, -MARK_S) >= MARK_S:
            self._marked[room.room] = now
            self._link.ports.note_seen(room.room, room.kept_n, self._link.now_ms())

    def _note(self, room: RoomSync, now: float) -> None:
        epoch = room.stream.epoch
        if not self._is_due(room):
            self._turns.pop(room.room, None)
        elif room.room not in self._turns or self._turns[room.room][0] != epoch:
            most = min(LONGEST_SPREAD_S, SPREAD_S * len(room.stream.members))
            self._turns[room.room] = (epoch, now + EARLIEST_S + random.uniform(0, most))  # noqa: S311 - no secret: who is first

    def _is_due(self, room: RoomSync) -> bool:
        """Whether the key of `room` is to be renewed now. Its age counts by the server's time of the epoch's position,
        which no member claims, and ▲ by our own clock since we saw it: a server whose time is far ahead can neither
        have all keys renewed at once nor delay a renewal for years. A key that was made before this person replaced
        their recovery sheet is due at once, and one without an archive as in `due_ms`. False while this person may not
        write in the room, nothing may be sent, the room must get a new key anyway before anything is written, this
        device lacks its key, or (for a key with an archive) the time at which it was made is not known."""
        if not room.may_write or not room.may_send or room.stream.rotation_owed or room.keys.needs_key:
            return False
        epoch, now = room.stream.epochs.get(room.stream.epoch), self._link.server_now_ms
        if epoch is None:
            return False
        made = made_ms(self._link, room.room, epoch.n)
        due = due_ms(room, made)
        if due is None:
            return False
        if made is not None and made < self._replaced_ms() <= now:
            return True
        return due <= now and (due == 0 or self._link.waited_ms(room.room, epoch.n) >= RENEW_MS)

    def _replaced_ms(self) -> int:
        """When this person last replaced their recovery sheet (ms), as the entry of their own key log that did it
        claims; 0 if they never did, or their key log is not here."""
        account = self._link.account
        own = self._link.book.log(account.uid)
        if own is None or own.recovery_sheet is None or own.recovery_sheet.number == 1:
            return 0
        return next(puk.time for puk in own.puks if puk.seq == own.recovery_sheet.seq)

    async def _take_turn(self, room_id: RoomId, outbox: Outbox) -> None:
        room = self._link.rooms.get(room_id)
        epoch, _ = self._turns.pop(room_id)
        if room is None or room.stream.epoch != epoch or not self._is_due(room):
            return
        try:
            await outbox.rotate(room)
            log.info("key renewed, it was due")
        except (Refused, Reject) as e:
            log.info("key not renewed: %s", e.code)
        self._turns[room_id] = (epoch, asyncio.get_running_loop().time() + AGAIN_S)
